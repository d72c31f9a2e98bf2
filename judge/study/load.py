"""study.yaml to a checked Study: every complaint names the line and what to do."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from judge.data import Fields, YamlFile, read_yaml
from judge.domain import Arm, Decoding, Judge, Rubric
from judge.errors import JudgeError, StudyError
from judge.ids import canonical_json
from judge.rubric import load_rubric, rubric_path, shipped_rubrics
from judge.study.arms import SHARED_KEYS, read_arms, read_decoding
from judge.study.judges import read_judges
from judge.study.model import Study
from judge.study.reading import StudyFile, plain, study_name
from judge.study.rules import read_budget, read_gates, read_primary, read_review

FILE_KEYS: Final = ("test", "pairs", "train", "validation", "labels", "scores")
KEYS: Final = (
    "name", "seed", "test", "pairs", "candidate", "train", "validation", "labels", "scores", *SHARED_KEYS, "arms", "vllm",
    "transformers", "rubric", "judges", "budget", "primary", "metrics", "review", "gates",
)  # fmt: skip
_ANSWERS: Final = ("dtype", "quantization", "kv_cache_dtype", "hf_overrides", "tokenizer", "tokenizer_revision", "revision")


def load_study(path: Path | str) -> Study:
    """Read and check a study; every file that it names must exist.

    Raises FileError when study.yaml cannot be opened, StudyError (file, line, key, remedy) for everything else.
    """
    path = Path(path)
    return parse_study(read_yaml(path), path)


def parse_study(yaml: YamlFile, path: Path) -> Study:
    """Check a study that was read already; path: where it lies, for the paths in it.  See `load_study`."""
    study = StudyFile(yaml=yaml, folder=path.parent)
    top = yaml.fields((), KEYS)
    _check_shape(top)
    vllm, transformers = _vllm(study, top), plain(top.mapping("transformers"))
    arms, arms_config = _arms(study, top)
    arms = {name: _with_options(arm, {"vllm": vllm, "transformers": transformers}) for name, arm in arms.items()}
    primary, metrics = read_primary(top)
    rubric, rubric_file = _rubric(study, top)
    judges, judges_config = read_judges(study, top.mapping("judges"), arms, rubric)
    _check_rubric(top, rubric, judges)
    gates, gates_config = read_gates(study, top, primary)
    made = Study(
        path=path,
        name=study_name(top, study.folder),
        seed=top.integer("seed", 0),
        test=study.file(top, "test"),
        pairs=study.file(top, "pairs"),
        train=study.file(top, "train"),
        validation=study.file(top, "validation"),
        labels=study.file(top, "labels"),
        scores=study.file(top, "scores"),
        candidate=top.maybe_name("candidate") or "b",
        arms=arms,
        rubric=rubric,
        rubric_reference=top.maybe_name("rubric"),
        rubric_path=rubric_file,
        judges=judges,
        primary=primary,
        metrics=metrics,
        review=read_review(study, top),
        gates=gates,
        budget_usd=read_budget(top),
        vllm=vllm,
        transformers=transformers,
    )
    config = _config(made, top) | {"arms": arms_config, "judges": judges_config, "gates": gates_config}
    return dataclasses.replace(made, config=config)


def effective(study: Study) -> dict[str, Any]:
    """Give every key of study.yaml with its value or default; null is absent.  Paths are as they were written.

    Written as YAML into the study's folder, it loads to an equal study.  What was given for all arms (system, few_shot,
    decoding) stands in each arm.
    """
    config: dict[str, Any] = plain(dict(study.config))
    return config


def _config(study: Study, top: Fields) -> dict[str, Any]:
    return {
        "name": study.name,
        "seed": study.seed,
        **{key: top.get(key) for key in FILE_KEYS},
        "candidate": study.candidate if study.pairs else None,
        "arms": {},
        "vllm": plain(top.mapping("vllm")),
        "transformers": plain(top.mapping("transformers")),
        "rubric": study.rubric_reference,
        "judges": {},
        "budget": f"{study.budget_usd:.15g} USD",
        "primary": study.primary,
        "metrics": list(study.metrics),
        "review": plain(dataclasses.asdict(study.review)),
        "gates": {},
    }


def _check_shape(top: Fields) -> None:
    """A study generates or imports outputs (test and arms), or takes pairs as they are; not both, not neither."""
    if top.has("pairs"):
        for key in ("test", "arms", "vllm", "transformers", *SHARED_KEYS):
            if top.get(key):
                top.fail(key, "given together with pairs", "pairs are judged as they are; nothing is generated")
        return
    if not top.has("test") and not top.has("arms"):
        top.fail("test", "missing", "give test and arms, or pairs")
    top.require("test", "arms answer the examples in test")
    top.require("arms", "give a baseline and a candidate, as in `base: {baseline: true, outputs: base.jsonl}`")
    if top.has("candidate"):
        top.fail("candidate", "has no meaning without pairs", "an arm is a candidate unless it says otherwise")


def _arms(study: StudyFile, top: Fields) -> tuple[dict[str, Arm], dict[str, Any]]:
    if top.has("decoding"):
        read_decoding(study, ("decoding",), Decoding())  # checked even when every arm is imported
    return read_arms(study, top) if top.mapping("arms") else ({}, {})


def _rubric(study: StudyFile, top: Fields) -> tuple[Rubric | None, Path | None]:
    reference = top.maybe_name("rubric")
    if reference is None:
        return None, None
    try:
        path = rubric_path(reference, study.folder)
    except StudyError as error:
        top.fail("rubric", error.problem, error.hint)
    if not path.is_file():
        top.fail("rubric", f"no file {path}", f"a path, or one of {', '.join(shipped_rubrics())}")
    try:
        return load_rubric(path), path
    except JudgeError as error:
        raise StudyError(str(error), at=top.place("rubric")) from error


def _check_rubric(top: Fields, rubric: Rubric | None, judges: Mapping[str, Judge]) -> None:
    asking = [name for name, judge in judges.items() if judge.source in ("openai", "anthropic", "recorded")]
    if asking and rubric is None:
        top.fail("rubric", f"missing, and the judge '{asking[0]}' judges by one", "for example `rubric: general-answer@1`")


def _with_options(arm: Arm, engines: Mapping[str, Mapping[str, Any]]) -> Arm:
    """Bind an arm to the engine's arguments that change what it answers; the others may change and nothing is made anew."""
    given = engines.get(arm.source, {})
    options = tuple((key, canonical_json(given[key])) for key in _ANSWERS if key in given)
    return dataclasses.replace(arm, options=options)


def _vllm(study: StudyFile, top: Fields) -> dict[str, Any]:
    """Pass the engine's arguments through; `python` is the interpreter, a path or a name to be found."""
    arguments: dict[str, Any] = plain(top.mapping("vllm"))
    python = arguments.get("python")
    if python is None:
        return arguments
    if not isinstance(python, str) or not python:
        raise StudyError("must be the path of an interpreter", at=study.yaml.place(("vllm", "python")))
    if "/" not in python:
        return arguments
    path = study.folder / Path(python).expanduser()
    if not path.is_file():
        hint = "make the environment first: python -m venv, then pip install vllm"
        raise StudyError(f"no file {path}", at=study.yaml.place(("vllm", "python")), hint=hint)
    return {**arguments, "python": str(path)}
