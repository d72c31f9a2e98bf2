"""Prompts and chat messages: what an example shows, its reference, and the id that follows from its messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast, get_args

from judge.data.fields import Fields, clipped, described
from judge.domain import Message, Speaker
from judge.ids import digest

_SPEAKERS: Final = get_args(Speaker)


def messages_id(messages: Sequence[Message]) -> str:
    """Name an example that came without an id: `x-` and 16 hex digits of its messages."""
    return "x-" + digest("messages", dump_messages(messages))[:16]


def read_messages(fields: Fields) -> tuple[tuple[Message, ...], str | None]:
    """Read `prompt` or `messages` and give what is shown with the reference that a last assistant turn holds.

    A prompt is one user turn.  What is left must end with a user turn.
    """
    if fields.has("prompt") and fields.has("messages"):
        fields.fail("messages", "given together with prompt", "keep one of the two")
    if fields.has("prompt"):
        return (Message(role="user", content=fields.text("prompt")),), None
    fields.require("messages", "give prompt (a text) or messages (a list of {role, content})")
    messages = read_turns(fields)
    reference = messages[-1].content if messages[-1].role == "assistant" else None
    shown = messages if reference is None else messages[:-1]
    if not shown or shown[-1].role != "user":
        fields.fail("messages", "no user turn to answer", "the last turn, or the last before the reference, is the user's")
    return shown, reference


def read_turns(fields: Fields) -> tuple[Message, ...]:
    """Read `messages` as they are: a list of {role, content}, not empty."""
    value = fields.get("messages")
    if not isinstance(value, list) or not value:
        fields.fail("messages", f"must be a list of {{role, content}}, not {described(value)}")
    return tuple(_turn(fields, index, turn) for index, turn in enumerate(value))


def _turn(fields: Fields, index: int, turn: Any) -> Message:
    key = f"messages[{index}]"
    if not isinstance(turn, dict):
        fields.fail(key, f"must be {{role, content}}, not {described(turn)}")
    for name in turn:
        if name not in ("role", "content"):
            fields.fail(f"{key}.{clipped(name)}", "unknown key", "a turn has role and content only")
    role, content = turn.get("role"), turn.get("content")
    if role not in _SPEAKERS:
        fields.fail(f"{key}.role", f"{described(role)} is not one of {', '.join(_SPEAKERS)}")
    if not isinstance(content, str):
        fields.fail(f"{key}.content", f"must be a text, not {described(content)}")
    return Message(role=cast("Speaker", role), content=content)


def read_reference(fields: Fields, from_messages: str | None) -> str | None:
    """Give the reference: its own key, or the last assistant turn; both must say the same."""
    given = fields.maybe_text("reference")
    if given is not None and from_messages is not None and given != from_messages:
        hint = "take the assistant turn off or leave reference out"
        fields.fail("reference", "differs from the assistant turn that ends messages", hint)
    return from_messages if given is None else given


def dump_messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Write messages as a list of {role, content}."""
    return [{"role": message.role, "content": message.content} for message in messages]


def dump_shown(messages: Sequence[Message]) -> dict[str, Any]:
    """Write one user turn as `prompt`, anything else as `messages`."""
    if len(messages) == 1 and messages[0].role == "user":
        return {"prompt": messages[0].content}
    return {"messages": dump_messages(messages)}
