"""The judges of a study: models with their settings, or files of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from judge.domain import JURY, MODELS, Arm, Judge, Rubric
from judge.study.families import kinship
from judge.study.reading import StudyFile, check_judge_name, key_variable, only_with, server, sole_source

FILES: Final = ("recorded", "calls", "verdicts")
JUDGE_KEYS: Final = (*MODELS, *FILES, "base_url", "key_env", "effort", "repeats", "allow_self", "per_call")
MOST_REPEATS: Final = 100
OTHER_JUDGE: Final = "choose another judge, or accept self-preference by `allow_self: true`"


def read_judges(
    study: StudyFile, names: Mapping[str, Any], arms: Mapping[str, Arm], rubric: Rubric | None
) -> tuple[dict[str, Judge], dict[str, Any]]:
    """Read `judges`; give them and their effective configuration by name.

    Raises StudyError for a judge that is an arm or of its family, unless it says `allow_self: true`.
    """
    alone = rubric is not None and len(rubric.questions) == 1 and not rubric.checklist
    judges: dict[str, Judge] = {}
    config: dict[str, Any] = {}
    for name in names:
        judges[name], config[name] = _judge(study, name, arms)
        twin = next((one for one in judges.values() if one.name != name and _asks_alike(one, judges[name], alone=alone)), None)
        if twin:
            fields = study.yaml.fields(("judges", name), JUDGE_KEYS)
            hint = "take one of them out, and write `repeats:` to ask a judge more than once"
            fields.fail(judges[name].source, f"the judge '{name}' is '{twin.name}' by another name: it would vote twice", hint)
    return judges, config


def _asks_alike(one: Judge, other: Judge, *, alone: bool) -> bool:
    """Two models that are asked in the same way are one judge, whatever their names, keys and repeats.

    alone: there is one criterion, so that a call for each is a call for all.
    """
    ways = [(judge.source, judge.base_url, judge.target, judge.effort, alone or judge.per_call) for judge in (one, other)]
    return one.source in MODELS and ways[0] == ways[1]


def _judge(study: StudyFile, name: str, arms: Mapping[str, Arm]) -> tuple[Judge, dict[str, Any]]:
    fields = study.yaml.fields(("judges", name), JUDGE_KEYS)
    if name == JURY:
        fields.fail(None, "is the name of all judges together", "call this judge something else")
    check_judge_name(fields, name)
    source = cast(
        "Literal['openai', 'anthropic', 'recorded', 'calls', 'verdicts']",
        sole_source(fields, (*MODELS, *FILES), "answers"),
    )
    for key in ("base_url", "key_env", "effort", "allow_self", "per_call"):
        only_with(fields, key, source, MODELS)
    only_with(fields, "repeats", source, (*MODELS, "recorded"))
    judge = Judge(
        name=name,
        source=source,
        target=fields.name(source) if source in MODELS else str(study.file(fields, source)),
        base_url=server(fields),
        key_env=key_variable(fields),
        effort=fields.maybe_name("effort"),
        repeats=fields.integer("repeats", 1, low=1, high=MOST_REPEATS),
        allow_self=fields.flag("allow_self"),
        per_call="one" if fields.maybe_one_of("per_call", ("all", "one")) == "one" else "all",
    )
    kin = None if judge.allow_self else kinship(judge, arms.values())
    if kin:
        fields.fail(source, f"the judge '{name}' {kin}", OTHER_JUDGE)
    return judge, {source: fields.get(source), **_settings(judge)}


def _settings(judge: Judge) -> dict[str, Any]:
    if judge.source == "recorded":
        return {"repeats": judge.repeats}
    if judge.source in FILES:
        return {}
    return {
        "base_url": judge.base_url,
        "key_env": judge.key_env,
        "effort": judge.effort,
        "repeats": judge.repeats,
        "allow_self": judge.allow_self,
        "per_call": judge.per_call,
    }
