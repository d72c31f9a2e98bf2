"""What a call is, and how it is put to each provider: digests, bodies in three dialects, output limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from judge.calls import Request
from judge.calls.providers.anthropic import _body as messages_body
from judge.calls.providers.base import MOST, output_limit
from judge.calls.providers.openai import _chat_body as chat_body
from judge.calls.providers.openai import _responses_body as responses_body
from judge.domain import Criterion, Message, Rubric
from judge.judging import answer_schema

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("golden_call_digests.json")
RUBRIC = Rubric(
    name="r",
    task="t",
    overall="Which?",
    criteria=(Criterion(id="right", question="?"), Criterion(id="safe", question="?", check=True)),
)
PLAIN = Request(provider="openai", model="gpt-6.1-sol", messages=(Message(role="user", content="Which is better?"),), tag="t")
FULL = replace(
    PLAIN, system="Sei kurz. 😀", schema=answer_schema(RUBRIC), effort="low", base_url="http://127.0.0.1:8000/v1", repeat=2,
    sampling={"temperature": 0.5},
)  # fmt: skip
BODIES = {"chat": chat_body, "responses": responses_body, "messages": messages_body}


# --- Digests ----------------------------------------------------------------------------------------------------------


def test_the_digests_of_calls_are_what_they_were():
    """A difference here asks and pays every stored call again: raise `ids.FORMAT` and say so in the change log."""
    asked = {
        "plain": PLAIN,
        "full": FULL,
        "asked anew": replace(FULL, reask=1),
        "anthropic": replace(FULL, provider="anthropic"),
    }
    assert {name: request.digest for name, request in asked.items()} == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "anthropic"},
        {"base_url": None},
        {"model": "gpt-6.1-sol-2026-10-01"},
        {"effort": "high"},
        {"sampling": {}},
        {"system": None},
        {"messages": (Message(role="user", content="Which is better? "),)},
        {"messages": (Message(role="assistant", content="Which is better?"),)},
        {"schema": None},
        {"repeat": 3},
        {"reask": 1},
    ],
)
def test_whatever_changes_the_answer_makes_another_call(change):
    assert replace(FULL, **change).digest != FULL.digest


@pytest.mark.parametrize("change", [{"tag": "another cell"}, {"route": "openai  OTHER_KEY"}])
def test_the_asker_and_the_key_make_no_other_call(change):
    assert replace(FULL, **change).digest == FULL.digest


def test_an_output_limit_is_no_part_of_a_call_and_a_model_is_no_part_of_its_settings():
    assert "max" not in json.dumps(FULL.content())
    assert replace(PLAIN, model="a", system="b").digest != replace(PLAIN, model="b", system="a").digest


PLAN = """
import json
from judge.domain import Criterion, Example, Judge, Message, Pair, Rubric
from judge.judging import plan, request

rubric = Rubric(name="r", task="t", overall="Which?", criteria=(Criterion(id="right", question="?"),), checklist=True)
pairs = [
    Pair(id=f"q{n}/tuned", text_a=f"a{n}", text_b=f"b{n}",
         example=Example(id=f"q{n}", messages=(Message(role="user", content=f"q{n}"),), meta={"checklist": ["one", "two"]}))
    for n in range(40)
]
judges = [Judge(name=name, source="openai", target=name) for name in ("owl", "larch", "elm")]
print(json.dumps([[one.tag, request(one, rubric).digest] for one in plan(pairs, judges)]))
"""


def test_two_processes_plan_the_same_calls_whatever_their_hash_seed():
    plans = [
        subprocess.run(
            [sys.executable, "-c", PLAN], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert plans[0] == plans[1]
    assert len(json.loads(plans[0])) == 3 * (80 + 4)


# --- Bodies -----------------------------------------------------------------------------------------------------------


def form_of(dialect: str, body: Any) -> Any:
    match dialect:
        case "chat":
            return body["response_format"]["json_schema"]
        case "responses":
            return body["text"]["format"]
        case _:
            return body["output_config"]["format"]


def objects(schema: Any) -> list[Any]:
    """Every object in a schema, the root first."""
    found = [schema] if schema.get("type") == "object" else []
    return found + [one for inner in schema.get("properties", {}).values() for one in objects(inner)]


@pytest.mark.parametrize("dialect", BODIES)
def test_the_schema_is_sent_as_strict_providers_want_it(dialect):
    form = form_of(dialect, BODIES[dialect](FULL, 0))
    schema = form["schema"]
    assert schema["type"] == "object"
    for one in objects(schema):
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])
    assert len(objects(schema)) == 5
    assert not {"oneOf", "allOf", "not", "patternProperties", "$ref"} & set(json.dumps(schema).split('"'))
    assert form["type" if dialect != "chat" else "name"] in ("json_schema", "answer")
    assert form.get("strict", True) is True


@pytest.mark.parametrize(
    ("dialect", "found"),
    [
        ("chat", lambda body: body["reasoning_effort"]),
        ("responses", lambda body: body["reasoning"]["effort"]),
        ("messages", lambda body: body["output_config"]["effort"]),
    ],
)
def test_the_effort_is_said_in_each_dialects_words_and_only_when_it_was_chosen(dialect, found):
    assert found(BODIES[dialect](FULL, 0)) == "low"
    assert "effort" not in json.dumps(BODIES[dialect](PLAIN, 0))


def test_judged_texts_are_not_kept_by_the_provider():
    assert responses_body(PLAIN, 0)["store"] is False


def test_anthropic_is_never_sent_what_it_refuses():
    assert {"temperature", "top_p", "top_k", "seed"}.isdisjoint(messages_body(FULL, 0))


@pytest.mark.parametrize("dialect", BODIES)
def test_the_system_text_stands_apart_from_the_turns_where_it_may(dialect):
    body = BODIES[dialect](FULL, 0)
    turns = body["input" if dialect == "responses" else "messages"]
    assert turns[-1] == {"role": "user", "content": "Which is better?"}
    told = {"chat": turns[0]["content"], "responses": body.get("instructions"), "messages": body.get("system")}[dialect]
    assert told == "Sei kurz. 😀"
    assert "Sei kurz" not in json.dumps(BODIES[dialect](PLAIN, 0))


@pytest.mark.parametrize("dialect", BODIES)
def test_a_repeat_is_another_call_with_the_same_body(dialect):
    assert BODIES[dialect](replace(FULL, repeat=1), 0) == BODIES[dialect](FULL, 0)
    assert BODIES[dialect](replace(FULL, reask=1, tag="x"), 0) == BODIES[dialect](FULL, 0)


@pytest.mark.parametrize(
    ("dialect", "key"), [("chat", "max_completion_tokens"), ("responses", "max_output_tokens"), ("messages", "max_tokens")]
)
def test_a_cut_answer_is_given_more_room_and_never_more_than_the_provider_takes(dialect, key):
    asked = replace(FULL, provider="anthropic" if dialect == "messages" else "openai")
    rooms = [BODIES[dialect](asked, raised)[key] for raised in (0, 1, 9)]
    assert rooms[0] < rooms[1] <= rooms[2] == MOST


def test_more_effort_is_given_more_room():
    rooms = [output_limit(replace(PLAIN, effort=effort), 0) for effort in ("none", "minimal", "low", "medium", "high", "xhigh")]
    assert rooms == sorted(rooms)
    assert output_limit(replace(PLAIN, effort=None), 0) > 4096
