"""Rubrics are read strictly, found by name and version, linted, and described by a schema that agrees with the reader."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from judge.domain import Criterion, Rubric
from judge.errors import FileError, StudyError
from judge.rubric import lint, load_rubric, parse_rubric, resolve_rubric, rubric_digest, schema, shipped_rubrics

GOOD: dict[str, Any] = {"rubric": "mine", "task": "Answer.", "overall": "Which answer is better?"}
CRITERION: dict[str, Any] = {"question": "Is it true?"}


def rubric(**changes: Any) -> Rubric:
    values: dict[str, Any] = {"name": "r", "task": "t", "overall": "Which is better?", **changes}
    return Rubric(**values)


def codes(**changes: Any) -> list[str]:
    return [notice.code for notice in lint(rubric(**changes))]


def asked(*questions: str, **more: Any) -> tuple[Criterion, ...]:
    return tuple(Criterion(id=f"c{index}", question=question, **more) for index, question in enumerate(questions))


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_a_rubric_says_what_its_file_says() -> None:
    text = """
rubric: mine
task: Solve it.
overall: Which would you send?
criteria:
  safe: {question: Is it safe?, check: true}
  clear: {question: "Clear?", levels: {5: very, 1: not}}
people: Take your time.
reference: hide
judge_first: true
per_example: checklist
"""
    assert parse_rubric(text) == Rubric(
        name="mine",
        task="Solve it.",
        overall="Which would you send?",
        criteria=(
            Criterion(id="safe", question="Is it safe?", check=True),
            Criterion(id="clear", question="Clear?", levels={1: "not", 5: "very"}),
        ),
        people="Take your time.",
        show_reference=False,
        judge_first=True,
        checklist=True,
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("taks: x", "r.yaml:4: taks: unknown key. Did you mean 'task'?"),
        ("criteria: {c: {question: q, weigth: 2}}", "r.yaml:4: criteria.c.weigth: unknown key."),
        ("criteria: {c: {check: true}}", "r.yaml:4: criteria.c.question: missing"),
        ("criteria:\n  overall: {question: q}", "r.yaml:5: criteria.overall: is a reserved name"),
        ("criteria:\n  check_1: {question: q}", "r.yaml:5: criteria.check_1: is a reserved name"),
        ("criteria: {a b: {question: q}}", "r.yaml:4: criteria.a b: is no name for a criterion"),
        ("criteria: {c: q}", "r.yaml:4: criteria.c: must be a mapping, not the text 'q'"),
        ("criteria: {}", "r.yaml:4: criteria: has no criterion"),
        ("criteria: [c]", "r.yaml:4: criteria: must be a mapping, not a list"),
        ("criteria: {c: {question: q, check: yes}}", "r.yaml:4: criteria.c.check: must be true or false, not the text 'yes'"),
        ("criteria: {c: {question: q, check: true, levels: {1: a, 2: b}}}", "r.yaml:4: criteria.c.levels: a check has no"),
        ("criteria: {c: {question: q, levels: {1: a}}}", "r.yaml:4: criteria.c.levels: needs two levels or more"),
        ("criteria: {c: {question: q, levels: {1: a, high: b}}}", "r.yaml:4: criteria.c.levels.high: a level is an integer"),
        ("criteria: {c: {question: q, levels: {1: a, 2: 3}}}", "r.yaml:4: criteria.c.levels.2: must be a text"),
        ("criteria: {c: {question: q}, c: {question: q}}", "r.yaml:4: criteria.c: stands twice"),
        ("reference: never", "r.yaml:4: reference: 'never' is not one of show, hide"),
        ("people: ''", "r.yaml:4: people: must not be empty"),
    ],
)  # fmt: skip
def test_one_wrong_line_is_named(line: str, problem: str) -> None:
    with pytest.raises(StudyError) as caught:
        parse_rubric(f"rubric: r\ntask: t\noverall: o\n{line}\n", "r.yaml")
    assert str(caught.value).startswith(problem)


# --- Shipped rubrics -------------------------------------------------------------------------------------------------


def test_shipped_rubrics_are_found_by_name_and_version() -> None:
    assert set(shipped_rubrics()) == {"general-answer@1", "support-reply@1"}
    found, path = resolve_rubric("support-reply@1", relative_to="anywhere")
    assert found == load_rubric(path)
    assert [criterion.id for criterion in found.questions] == ["correct", "clear", "no_promises", "overall"]
    assert [sorted(criterion.levels) for criterion in found.criteria] == [[1, 3, 5], [1, 3, 5], []]
    assert found.criteria[2].check and found.people


@pytest.mark.parametrize("name", sorted(shipped_rubrics()))
def test_a_shipped_rubric_is_its_own_good_example(name: str) -> None:
    path = shipped_rubrics()[name]
    found = load_rubric(path)
    assert name.startswith(f"{found.name}@")
    assert lint(found) == []
    rows = [json.loads(line) for line in path.with_name(f"{found.name}.examples.jsonl").read_text().splitlines()]
    assert [set(row) for row in rows] == [{"criterion", "answer", "verdict", "why"}] * 6
    wanted = {(criterion.id, verdict) for criterion in found.criteria for verdict in ("good", "bad")}
    assert {(row["criterion"], row["verdict"]) for row in rows} == wanted


def test_a_path_starts_from_the_given_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(json.dumps(GOOD))
    found, path = resolve_rubric("mine.yaml", relative_to=tmp_path)
    assert (found.name, path) == ("mine", tmp_path / "mine.yaml")
    with pytest.raises(FileError, match=r"other\.yaml: no such file"):
        resolve_rubric("other.yaml", relative_to=tmp_path)


def test_a_name_without_version_or_a_wrong_one_gets_its_remedy() -> None:
    with pytest.raises(StudyError, match=r"lacks its version\. Write support-reply@1\."):
        resolve_rubric("support-reply")
    with pytest.raises(StudyError, match=r"no shipped rubric 'support-reply@9'\. Did you mean 'support-reply@1'\?"):
        resolve_rubric("support-reply@9")


# --- Lint ------------------------------------------------------------------------------------------------------------


def test_a_sound_rubric_gets_no_notice() -> None:
    assert codes(criteria=asked("Is everything it states true and in line with the policy?", "Is it clear?")) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"criteria": asked("Is the reply polite to the customer?", "Is the answer polite to the customer?")}, "same_question"),
        ({"criteria": asked("Is the left answer true?")}, "names_a_side"),
        ({"criteria": asked("Is answer B true?")}, "names_a_side"),
        ({"overall": "Is the fine-tuned one better?"}, "names_a_side"),
        ({"criteria": asked("Does it sound like ChatGPT?")}, "names_a_side"),
        ({"criteria": asked("Is it safe, yes or no?")}, "yes_no_without_check"),
        ({"criteria": asked("Is it true and is it short?")}, "double_question"),
        ({"criteria": asked("Is it true? Is it short?")}, "double_question"),
        ({"criteria": asked("Why " + "so " * 120 + "?")}, "long_question"),
        ({"criteria": (*asked("True?", levels={1: "a", 2: "b"}), Criterion(id="x", question="Short?"))}, "levels_missing"),
        ({"overall": "Is it good?"}, "overall_without_decider"),
        ({"criteria": asked(*(f"Question number{n} about subject{n}?" for n in range(13)))}, "too_many_criteria"),
    ],
)  # fmt: skip
def test_what_confuses_gets_a_notice(changes: dict[str, Any], code: str) -> None:
    assert codes(**changes) == [code]


def test_words_for_correct_and_for_beginnings_name_no_side() -> None:
    assert codes(criteria=asked("Is the right remedy named first?", "Is it safe?")) == []
    assert codes(criteria=asked("Does it pass or fail the policy?", check=True)) == []


# --- Schema ----------------------------------------------------------------------------------------------------------


def agrees(value: Any, rule: Mapping[str, Any]) -> bool:
    """Check a value by the part of JSON Schema that ours uses, so that no validator has to be installed."""
    known = {"$schema", "title", "description", "type", "additionalProperties", "required", "properties", "pattern", "enum",
             "minProperties", "propertyNames", "if", "then", "not", "const"}  # fmt: skip
    assert set(rule) <= known
    types = [rule["type"]] if isinstance(rule.get("type"), str) else rule.get("type")
    python = {"object": dict, "string": str, "null": type(None), "boolean": bool}
    checks = [
        types is None or any(isinstance(value, python[name]) for name in types),
        "enum" not in rule or value in rule["enum"],
        "const" not in rule or value == rule["const"],
        "not" not in rule or not agrees(value, rule["not"]),
        "pattern" not in rule or not isinstance(value, str) or bool(re.search(rule["pattern"], value)),
    ]
    if "if" in rule and agrees(value, rule["if"]):
        checks.append(agrees(value, rule["then"]))
    if isinstance(value, dict):
        checks.append(object_agrees(value, rule))
    return all(checks)


def object_agrees(value: dict[str, Any], rule: Mapping[str, Any]) -> bool:
    properties, rest = rule.get("properties", {}), rule.get("additionalProperties", True)
    rules = {key: properties.get(key, rest) for key in value}
    return (
        len(value) >= rule.get("minProperties", 0)
        and set(rule.get("required", [])) <= set(value)
        and all(agrees(key, rule.get("propertyNames", {})) for key in value)
        and all(each if isinstance(each, bool) else agrees(value[key], each) for key, each in rules.items())
    )


ACCEPTED: list[dict[str, Any]] = [
    GOOD,
    {**GOOD, "criteria": {"c": CRITERION}, "people": "p"},
    {**GOOD, "reference": "show", "judge_first": False, "per_example": "checklist"},
    {**GOOD, "criteria": {"c": {**CRITERION, "check": True}, "d-2": {**CRITERION, "levels": {"1": "a", "10": "b"}}}},
    {**GOOD, "criteria": None, "people": None, "reference": None, "judge_first": None, "per_example": None},
    {**GOOD, "criteria": {"c": {**CRITERION, "check": None, "levels": None}}},
    {**GOOD, "criteria": {"c": {**CRITERION, "check": True, "levels": None}}},
]  # fmt: skip

REFUSED: list[dict[str, Any]] = [
    {},
    *({key: value for key, value in GOOD.items() if key != gone} for gone in GOOD),
    *({**GOOD, key: value} for key in GOOD for value in (None, "", " ", 5)),
    {**GOOD, "rubric": "a b"},
    {**GOOD, "extra": 1},
    {**GOOD, "people": ""},
    {**GOOD, "reference": "maybe"},
    {**GOOD, "judge_first": "yes"},
    {**GOOD, "per_example": True},
    {**GOOD, "criteria": {}},
    {**GOOD, "criteria": []},
    *({**GOOD, "criteria": {name: CRITERION}} for name in ("overall", "jury", "1c", "a b", "")),
    *({**GOOD, "criteria": {"c": criterion}} for criterion in (
        None, "q", {}, {"question": ""}, {**CRITERION, "weight": 1}, {**CRITERION, "check": 1}, {**CRITERION, "levels": {}},
        {**CRITERION, "levels": {"1": "a"}}, {**CRITERION, "levels": {"1": "a", "x": "b"}},
        {**CRITERION, "levels": ["a", "b"]},
        {**CRITERION, "levels": {"1": "a", "100": "b"}}, {**CRITERION, "levels": {"1": "a", "01": "b"}},
        {**CRITERION, "levels": {"1": "a", "2": ""}}, {**CRITERION, "check": True, "levels": {"1": "a", "2": "b"}},
    )),
]  # fmt: skip


@pytest.mark.parametrize("values", ACCEPTED)
def test_the_schema_accepts_what_the_reader_accepts(values: dict[str, Any]) -> None:
    assert agrees(values, schema())
    assert parse_rubric(json.dumps(values)).name == "mine"


@pytest.mark.parametrize("values", REFUSED)
def test_the_schema_refuses_what_the_reader_refuses(values: dict[str, Any]) -> None:
    assert not agrees(values, schema())
    with pytest.raises(StudyError):
        parse_rubric(json.dumps(values))


def test_the_schema_is_json_and_knows_every_key_of_the_shipped_rubrics() -> None:
    assert json.loads(json.dumps(schema())) == schema()
    assert all(key in schema()["properties"] for key in ("rubric", "task", "overall", "criteria", "people"))


def test_every_change_of_a_question_makes_another_version() -> None:
    one, other = (rubric(criteria=asked(question)) for question in ("Is it true?", "Is it right?"))
    assert rubric_digest(one) != rubric_digest(other)
