"""What names an arm, a judge, a test set and a study: what made them, never where it lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from judge.data import dump_messages, example_content
from judge.domain import Arm, Example, Judge, Output
from judge.errors import StudyError
from judge.ids import digest
from judge.rubric import rubric_digest
from judge.study.model import Study
from judge.study.weights import model_content


def test_set_digest(examples: Iterable[Example]) -> str:
    """Name a test set by ids, messages and references in id order; the order of rows does not matter."""
    return digest("test set", [example_content(example) for example in sorted(examples, key=lambda item: item.id)])


test_set_digest.__test__ = False  # type: ignore[attr-defined]  # pytest collects what is called test_*


def arm_digest(arm: Arm, outputs: Iterable[Output] | None = None) -> str:
    """Name an arm by what it is made of; its name and role do not matter.

    outputs: needed for an imported arm, which is named by them in id order.  A local model is named by the contents of
    its folder (see `model_content`), any other by its name and server.  Raises StudyError for an imported arm without
    outputs, FileError for a broken weight file.
    """
    if arm.source == "outputs":
        if outputs is None:
            raise StudyError(f"the arm '{arm.name}' is imported and needs its outputs to be named")
        answers = sorted(outputs, key=lambda output: (output.example, output.sample))
        return digest("arm", ["outputs", [_answer(output) for output in answers]])
    content = {
        "source": arm.source,
        "model": _model(arm.target),
        "adapter": None if arm.adapter is None else _model(arm.adapter),
        "base_url": arm.base_url,
        "system": arm.system,
        "few_shot": [dump_messages(shot) for shot in arm.few_shot],
        "decoding": asdict(arm.decoding),
        **({"options": [list(one) for one in arm.options]} if arm.options else {}),
    }
    return digest("arm", content)


def model_digest(target: str) -> str:
    """Name a local model or adapter by its contents, one on a hub by its name.  Raises FileError for a broken weight file."""
    return digest("model", _model(target))


def judge_digest(judge: Judge, *, judge_first: bool = False) -> str:
    """Name a judge by provider, server, model, effort, how it is asked, and how many criteria a call holds.

    A judge read from a file is named by its kind and name: what it said is named call by call.  Repeats are no part,
    since asking again makes no other judge.
    """
    if judge.source not in ("openai", "anthropic"):
        return digest("judge", [judge.source, judge.name])
    content = {
        "provider": judge.source,
        "base_url": judge.base_url,
        "model": judge.target,
        "effort": judge.effort,
        "judge_first": judge_first,
        "per_call": judge.per_call,
    }
    return digest("judge", content)


def study_digest(study: Study, *, test_set: str, arms: Mapping[str, str]) -> str:
    """Name a study by test set, arms, rubric, judges, review plan, gates and seed.

    test_set: digest of the test set (of the pairs, in a study of given pairs).  arms: digest of each arm by name.
    """
    judge_first = study.rubric is not None and study.rubric.judge_first
    content = {
        "test_set": test_set,
        "candidate": study.candidate if study.pairs else None,
        "arms": {name: [arm.role, arms[name]] for name, arm in study.arms.items()},
        "rubric": None if study.rubric is None else rubric_digest(study.rubric),
        "judges": {name: [judge_digest(judge, judge_first=judge_first), judge.repeats] for name, judge in study.judges.items()},
        "review": asdict(study.review),
        "gates": asdict(study.gates),
        "primary": study.primary,
        "seed": study.seed,
    }
    return digest("study", content)


def _answer(output: Output) -> list[Any]:
    return [output.example, output.sample, output.text, output.error]


def _model(target: str) -> Any:
    path = Path(target)
    return model_content(path) if path.exists() else target
