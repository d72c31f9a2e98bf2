"""Digests name contents; a golden file keeps them from changing unnoticed; the lock notices every change."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from judge.data import example_digest, pair_digest
from judge.domain import Arm, Criterion, Decoding, Example, Judge, Message, Output, Pair, Rubric
from judge.errors import FileError, LockedError, StudyError
from judge.rubric import load_rubric, rubric_digest, shipped_rubrics
from judge.study import Study, arm_digest, compare_lock, judge_digest, study_digest, test_set_digest
from judge.study.weights import file_digest

GOLDEN = Path(__file__).with_name("golden_digests.json")

EXAMPLE = Example(
    id="ex-1", messages=(Message(role="system", content="Sei kurz."), Message(role="user", content="Grüß 😀")), reference="r"
)
OTHER = Example(id="ex-0", messages=(Message(role="user", content="q"),))
PAIR = Pair(id="ex-1/tuned", example=EXAMPLE, text_a="A", text_b="B")
ARM = Arm(
    name="tuned", role="candidate", source="openai", target="my-model", base_url="http://127.0.0.1:8000/v1", system="s",
    few_shot=((Message(role="user", content="q"), Message(role="assistant", content="a")),),
    decoding=Decoding(temperature=0.7, stop=("###",)),
)  # fmt: skip
IMPORTED = Arm(name="base", role="baseline", source="outputs", target="base.jsonl")
OUTPUTS = [Output(example="ex-1", arm="base", text="t"), Output(example="ex-0", arm="base", text=None, error="cut")]
JUDGE = Judge(name="sol", source="openai", target="gpt-6.1-sol", effort="low")
RUBRIC = Rubric(
    name="r", task="t", overall="Which is better?", criteria=(Criterion(id="c", question="q?", levels={1: "no", 5: "yes"}),)
)
STUDY = Study(path=Path("study.yaml"), name="s", arms={"base": IMPORTED, "tuned": ARM}, rubric=RUBRIC, judges={"sol": JUDGE})


def digests() -> dict[str, str]:
    arms = {"base": arm_digest(IMPORTED, OUTPUTS), "tuned": arm_digest(ARM)}
    test_set = test_set_digest([EXAMPLE, OTHER])
    return {
        "example": example_digest(EXAMPLE),
        "pair": pair_digest(PAIR),
        "arm imported": arms["base"],
        "arm remote": arms["tuned"],
        "judge": judge_digest(JUDGE),
        "judge recorded": judge_digest(Judge(name="tape", source="recorded", target="tape.jsonl")),
        "rubric": rubric_digest(RUBRIC),
        "test set": test_set,
        "study": study_digest(STUDY, test_set=test_set, arms=arms),
        **{name: rubric_digest(load_rubric(path)) for name, path in shipped_rubrics().items()},
    }


def test_digests_are_what_they_were() -> None:
    """A difference here orphans every stored answer: raise `ids.FORMAT` and say so in the change log."""
    assert digests() == json.loads(GOLDEN.read_text())


def test_what_is_not_shown_changes_no_digest() -> None:
    assert example_digest(replace(EXAMPLE, group="g", tags=("t",), meta={"x": 1})) == example_digest(EXAMPLE)
    assert pair_digest(replace(PAIR, id="other", model_a="m")) == pair_digest(PAIR)
    assert arm_digest(replace(ARM, name="x", role="rival", key_env="K")) == arm_digest(ARM)
    assert judge_digest(replace(JUDGE, name="x", key_env="K", repeats=3, allow_self=True)) == judge_digest(JUDGE)
    assert rubric_digest(replace(RUBRIC, name="x")) == rubric_digest(RUBRIC)
    assert test_set_digest([OTHER, EXAMPLE]) == test_set_digest([EXAMPLE, OTHER])
    assert arm_digest(IMPORTED, OUTPUTS[::-1]) == arm_digest(replace(IMPORTED, target="moved.jsonl"), OUTPUTS)


def test_what_is_shown_changes_the_digest() -> None:
    assert pair_digest(replace(PAIR, text_a="B", text_b="A")) != pair_digest(PAIR)
    assert pair_digest(replace(PAIR, example=replace(EXAMPLE, reference=None))) != pair_digest(PAIR)
    for change in ({"system": None}, {"target": "m"}, {"base_url": None}, {"few_shot": ()}, {"decoding": Decoding()}):
        assert arm_digest(replace(ARM, **change)) != arm_digest(ARM)
    for change in ({"effort": None}, {"target": "m"}, {"source": "anthropic"}):
        assert judge_digest(replace(JUDGE, **change)) != judge_digest(JUDGE)
    assert judge_digest(JUDGE, judge_first=True) != judge_digest(JUDGE)
    for change in ({"people": "p"}, {"show_reference": False}, {"judge_first": True}, {"checklist": True}, {"task": "u"}):
        assert rubric_digest(replace(RUBRIC, **change)) != rubric_digest(RUBRIC)


def test_an_imported_arm_is_named_by_its_outputs() -> None:
    with pytest.raises(StudyError, match="'base' is imported and needs its outputs"):
        arm_digest(IMPORTED)
    assert arm_digest(IMPORTED, OUTPUTS[:1]) != arm_digest(IMPORTED, OUTPUTS)


def test_a_local_model_is_named_by_its_contents_wherever_it_lies(tmp_path: Path) -> None:
    def model(name: str, weights: bytes) -> Arm:
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(weights)
        (tmp_path / name / "README.md").write_text(name)
        return Arm(name=name, role="candidate", source="vllm", target=str(tmp_path / name))

    assert arm_digest(model("one", b"w")) == arm_digest(model("copy", b"w")) != arm_digest(model("two", b"v"))


def test_a_large_weight_file_is_named_by_a_sample_of_every_tensor(tmp_path: Path) -> None:
    size = 80 * 2**20
    header = json.dumps({"big": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    start = 8 + len(header)

    def weights(name: str, byte_at: int) -> Path:
        path = tmp_path / name
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            file.truncate(start + size)
            file.seek(start + byte_at)
            file.write(b"\x01")
        return path

    first = file_digest(weights("a.safetensors", 0))
    assert first == file_digest(weights("b.safetensors", 0))
    assert len({first, *(file_digest(weights(f"{at}.safetensors", at)) for at in (size // 2, size - 1))}) == 3
    broken = weights("broken.safetensors", 0)
    with broken.open("r+b") as file:
        file.write(struct.pack("<Q", 2**60))
    with pytest.raises(FileError, match="is no safetensors file"):
        file_digest(broken)


# --- The lock --------------------------------------------------------------------------------------------------------


def lock_complaint(locked: dict[str, str], now: dict[str, str]) -> str:
    with pytest.raises(LockedError) as caught:
        compare_lock(locked, now, path="data/test.jsonl", since=datetime(2026, 11, 20, tzinfo=UTC))
    return str(caught.value)


def test_a_test_set_that_stays_the_same_passes_in_any_order() -> None:
    compare_lock({"a": "1", "b": "2"}, {"b": "2", "a": "1"})


def test_a_changed_test_set_is_counted_and_the_first_example_named() -> None:
    locked = {f"ex-{number:03}": "old" for number in range(200)}
    now = locked | {"ex-017": "new", "ex-020": "new", "ex-100": "new"}
    remedy = "Restore the file or give the study a new name."
    assert lock_complaint(locked, now) == (
        f"data/test.jsonl: 3 of 200 examples changed since 2026-11-20 (first: ex-017). {remedy}"
    )
    fewer = {example: name for example, name in now.items() if example != "ex-001"} | {"new": "x"}
    assert "3 of 200 examples changed, 1 added, 1 removed since 2026-11-20 (first: ex-001)" in lock_complaint(locked, fewer)
    assert "2 examples added to 200 since" in lock_complaint(locked, locked | {"x": "1", "y": "1"})
    assert "1 of 1 examples removed since" in lock_complaint({"a": "1"}, {})
