"""Rows of what is compared: examples, outputs, pairs, shots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from judge.data.conversation import (
    dump_messages,
    dump_shown,
    messages_id,
    read_messages,
    read_reference,
    read_turns,
)
from judge.data.fields import Fields
from judge.data.kind import JSON, TEXT, Cell, Kind, changed_fields
from judge.domain import Example, Finish, Message, Output, Pair

FINISHES: Final[tuple[Finish, ...]] = get_args(Finish)

_SHOWN: Final[Mapping[str, Cell]] = {"prompt": TEXT, "messages": JSON}


def _example(fields: Fields) -> Example:
    messages, answer = read_messages(fields)
    return Example(
        id=fields.maybe_name("id") or messages_id(messages),
        messages=messages,
        reference=read_reference(fields, answer),
        group=fields.maybe_name("group"),
        tags=fields.texts("tags"),
        meta=fields.mapping("meta"),
    )


def _example_row(example: Example) -> dict[str, Any]:
    values = changed_fields(example)
    del values["messages"]
    return {**values, **dump_shown(example.messages)}


def _output(fields: Fields) -> Output:
    text, error = fields.maybe_text("text"), fields.maybe_name("error")
    if text is None and error is None:
        fields.fail("text", "missing", "only an output with an error has no text; an empty answer is an empty text")
    if text is not None and error is not None:
        fields.fail("error", "given together with text", "an output has either a text or an error")
    return Output(
        example=_answered_example(fields),
        arm=fields.name("arm"),
        text=text,
        sample=fields.integer("sample", 0),
        finish=fields.maybe_one_of("finish", FINISHES),
        tokens_in=fields.maybe_integer("tokens_in"),
        tokens_out=fields.maybe_integer("tokens_out"),
        latency_s=fields.maybe_number("latency_s"),
        reasoning=fields.maybe_text("reasoning"),
        error=error,
        meta=fields.mapping("meta"),
    )


def _answered_example(fields: Fields) -> str:
    if not fields.has("prompt") and not fields.has("messages"):
        fields.require("example", "say which example this answers: example (its id), prompt or messages")
        return fields.name("example")
    if fields.has("example"):
        fields.fail("example", "given together with prompt or messages", "keep one of them")
    return messages_id(read_messages(fields)[0])


def _pair(fields: Fields) -> Pair:
    messages, answer = read_messages(fields)
    meta = fields.mapping("meta")
    example = Example(
        id=fields.maybe_name("example") or messages_id(messages),
        messages=messages,
        reference=read_reference(fields, answer),
        group=fields.maybe_name("group"),
        meta=meta,  # a checklist is read from the example, and a pairs file has one meta for both
    )
    return Pair(
        id=fields.name("id"),
        example=example,
        text_a=fields.text("output_a"),
        text_b=fields.text("output_b"),
        model_a=fields.maybe_name("model_a"),
        model_b=fields.maybe_name("model_b"),
        meta=meta,
    )


def _pair_row(pair: Pair) -> dict[str, Any]:
    example = changed_fields(pair.example)
    row = {"id": pair.id, "example": pair.example.id, "output_a": pair.text_a, "output_b": pair.text_b}
    row |= {name: example[name] for name in ("reference", "group") if name in example}
    row |= {name: value for name, value in changed_fields(pair).items() if name in ("model_a", "model_b", "meta")}
    return {**row, **dump_shown(pair.example.messages)}


def _shot(fields: Fields) -> tuple[Message, ...]:
    fields.require("messages")
    messages = read_turns(fields)
    if len(messages) < 2 or messages[-1].role != "assistant":
        fields.fail("messages", "a shot ends with the assistant's answer", "add the turn that shows how to answer")
    return messages


EXAMPLES: Final = Kind[Example](
    noun="example",
    columns={"id": TEXT, **_SHOWN, "reference": TEXT, "group": TEXT, "tags": JSON, "meta": JSON},
    parse=_example,
    dump=_example_row,
    key=lambda example: (example.id,),
    twice="give every row an id of its own",
)

OUTPUTS: Final = Kind[Output](
    noun="output",
    columns={
        "example": TEXT, **_SHOWN, "arm": TEXT, "sample": JSON, "text": TEXT, "error": TEXT, "finish": TEXT, "tokens_in": JSON,
        "tokens_out": JSON, "latency_s": JSON, "reasoning": TEXT, "meta": JSON,
    },
    parse=_output,
    dump=changed_fields,
    key=lambda output: (output.example, output.arm, output.sample),
    twice="number further answers of one arm to one example by sample: 1, 2, ...",
    aliases={"item": "example"},
)  # fmt: skip

PAIRS: Final = Kind[Pair](
    noun="pair",
    columns={
        "id": TEXT, "example": TEXT, **_SHOWN, "output_a": TEXT, "output_b": TEXT, "model_a": TEXT, "model_b": TEXT,
        "reference": TEXT, "group": TEXT, "meta": JSON,
    },
    parse=_pair,
    dump=_pair_row,
    key=lambda pair: (pair.id,),
    twice="give every pair an id of its own",
)  # fmt: skip

SHOTS: Final = Kind[tuple[Message, ...]](
    noun="shot",
    columns={"messages": JSON},
    parse=_shot,
    dump=lambda shot: {"messages": dump_messages(shot)},
    key=None,
)
