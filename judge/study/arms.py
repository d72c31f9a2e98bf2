"""The arms of a study: one way to answer each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal, cast

from judge.data import Fields, read_few_shot, read_text
from judge.domain import Arm, Decoding, Message, Role
from judge.errors import StudyError
from judge.study.reading import StudyFile, check_arm_name, key_variable, only_with, plain, server, sole_source

SOURCES: Final = ("outputs", "vllm", "transformers", "openai")
SHARED_KEYS: Final = ("system", "few_shot", "decoding")  # at the top for all arms, in an arm for it alone
ARM_KEYS: Final = ("baseline", "role", *SOURCES, "adapter", "base_url", "key_env", "model", *SHARED_KEYS)
DECODING_KEYS: Final = ("temperature", "top_p", "max_tokens", "stop", "seed", "n")
_LOCAL: Final = ("vllm", "transformers")


def read_arms(study: StudyFile, top: Fields) -> tuple[dict[str, Arm], dict[str, Any]]:
    """Read `arms`; give them and their effective configuration by name.

    Raises StudyError unless exactly one is the baseline and at least one a candidate.
    """
    arms: dict[str, Arm] = {}
    config: dict[str, Any] = {}
    for name in top.mapping("arms"):
        arms[name], config[name] = _arm(study, top, name)
    baselines = [name for name, arm in arms.items() if arm.role == "baseline"]
    if not baselines:
        top.fail("arms", "no arm is the baseline", "write `baseline: true` in the arm that others are compared with")
    if len(baselines) > 1:
        second = study.yaml.place(("arms", baselines[1]))
        raise StudyError(f"'{baselines[0]}' is the baseline already", at=second, hint="there is one; make this a rival")
    if not any(arm.role == "candidate" for arm in arms.values()):
        top.fail("arms", "no arm is a candidate", "add the arm that the study is about")
    return arms, config


def _arm(study: StudyFile, top: Fields, name: str) -> tuple[Arm, dict[str, Any]]:
    fields = study.yaml.fields(("arms", name), ARM_KEYS)
    check_arm_name(fields, name)
    source = cast("Literal['outputs', 'vllm', 'transformers', 'openai']", sole_source(fields, SOURCES, "outputs"))
    only_with(fields, "adapter", source, _LOCAL)
    only_with(fields, "base_url", source, ("openai",))
    only_with(fields, "key_env", source, ("openai",))
    only_with(fields, "model", source, ("outputs", *_LOCAL))
    system, few_shot = _inherited(fields, top, source, "system"), _inherited(fields, top, source, "few_shot")
    text = study.read(system, "system", _prompt) if system else None
    shots = study.read(few_shot, "few_shot", read_few_shot) if few_shot else None
    decoding = _decoding(study, name, top, inherits=source != "outputs")
    adapter = fields.maybe_name("adapter")
    arm = Arm(
        name=name,
        role=_role(fields),
        source=source,
        target=_target(study, fields, source),
        adapter=None if adapter is None else _model_place(study, fields, "adapter"),
        base_url=server(fields),
        key_env=key_variable(fields),
        model=fields.maybe_name("model"),
        system=text[0] if text else None,
        few_shot=_shots(shots),
        decoding=decoding,
    )
    written = {
        "system": system.get("system") if system else None,
        "few_shot": few_shot.get("few_shot") if few_shot else None,
    }
    return arm, _config(fields, arm, written)


def _prompt(path: Path) -> str:
    # Editors end a file with a line break and may write CRLF; neither belongs to the prompt or its digest.
    return read_text(path).replace("\r\n", "\n").removesuffix("\n")


def _role(fields: Fields) -> Role:
    baseline, role = fields.flag("baseline"), fields.maybe_text("role")
    if role == "baseline":
        fields.fail("role", "'baseline' is not one of rival, candidate", "write `baseline: true` instead")
    if baseline and role is not None:
        fields.fail("role", "given together with baseline: true", "the baseline has no other role")
    return "baseline" if baseline else fields.maybe_one_of("role", ("rival", "candidate")) or "candidate"


def _target(study: StudyFile, fields: Fields, source: str) -> str:
    if source == "openai":
        return fields.name("openai")
    if source == "outputs":
        return str(study.file(fields, "outputs"))
    return _model_place(study, fields, source)


def _model_place(study: StudyFile, fields: Fields, key: str) -> str:
    """Give a folder that exists, or the name of a model on a hub: `owner/model` that is no folder here."""
    name = fields.name(key)
    path = study.folder / Path(name).expanduser()
    if path.exists():
        return str(path)
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", name):
        fields.fail(key, f"no folder {path}", "give a folder, or owner/model for a model on a hub")
    return name


def _inherited(fields: Fields, top: Fields, source: str, key: str) -> Fields | None:
    """Say which mapping a shared key is read from: the arm's own, else the study's; null in an arm takes it off.

    Imported outputs were made elsewhere, so that the study's own prompt says nothing about them.
    """
    if key in fields.values:
        return fields if fields.has(key) else None
    return top if source != "outputs" and top.has(key) else None


def _shots(shots: tuple[Any, Path] | None) -> tuple[tuple[Message, ...], ...]:
    return () if shots is None else tuple(shots[0].rows)


def _decoding(study: StudyFile, name: str, top: Fields, *, inherits: bool) -> Decoding:
    """Read `decoding`: the arm's keys over the study's over the defaults."""
    shared = read_decoding(study, ("decoding",), Decoding()) if inherits and top.has("decoding") else Decoding()
    own = study.yaml.values["arms"][name].get("decoding")
    return shared if own is None else read_decoding(study, ("arms", name, "decoding"), shared)


def read_decoding(study: StudyFile, trail: tuple[str, ...], default: Decoding) -> Decoding:
    """Read one `decoding` mapping over defaults."""
    fields = study.yaml.fields(trail, DECODING_KEYS)
    top_p, seed = fields.maybe_number("top_p", 0.0, 1.0, above_low=True), fields.maybe_integer("seed")
    if "" in (fields.get("stop"), *(fields.get("stop") if isinstance(fields.get("stop"), list) else ())):
        fields.fail("stop", "an empty text stops every answer before it begins", "take it out")
    stop = (fields.text("stop"),) if isinstance(fields.get("stop"), str) else fields.texts("stop")
    return Decoding(
        temperature=fields.number("temperature", default.temperature, 0.0, 2.0),
        top_p=default.top_p if top_p is None else top_p,
        max_tokens=fields.integer("max_tokens", default.max_tokens, low=1),
        stop=stop if fields.has("stop") else default.stop,
        seed=default.seed if seed is None else seed,
        n=fields.integer("n", default.n, low=1, high=1000),
    )


def _config(fields: Fields, arm: Arm, written: Mapping[str, Any]) -> dict[str, Any]:
    role = {"baseline": True} if arm.role == "baseline" else {"role": arm.role}
    keys = ("adapter", "base_url", "key_env", "model")
    return {
        **role,
        arm.source: fields.get(arm.source),
        **{key: fields.get(key) for key in keys},
        **written,
        "decoding": plain(asdict(arm.decoding)),
    }
