"""What every engine's script shares: the pipes to its parent, the ways to fail, the parting of reasoning.

It lies beside the scripts, which are run by their paths in an environment without blind-judge: standard library alone.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, NoReturn, Protocol, TextIO

MEMORY: Final = re.compile(
    r"out ?of ?memory|\bMemoryError\b|can(?:no|')t allocate memory|not enough memory"
    r"|(?:available|free) (?:KV cache )?memory|bad_alloc",
    re.I,
)
"""How engines and systems say that memory ran out."""

_THOUGHTS: Final = (("<think>", "</think>"), ("[THINK]", "[/THINK]"), ("<seed:think>", "</seed:think>"))
_LOOK_S: Final = 1.0  # between two looks whether the parent still lives

Row = Mapping[str, Any]  # key, messages


class Refusal(Exception):
    """What cannot be done, in the kinds that the parent knows, on one line."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = " ".join(text.split())
        super().__init__(self.text)


@contextmanager
def failing_as(kind: str, doing: str) -> Iterator[None]:
    """Turn whatever is raised inside into a Refusal of this kind; too little memory keeps its own."""
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        raise Refusal("memory" if short_of_memory(error) else kind, f"{doing}: {one_line(error)}") from error


def short_of_memory(error: BaseException) -> bool:
    """Say whether an exception tells that memory ran out."""
    return isinstance(error, MemoryError) or bool(MEMORY.search(f"{type(error).__name__}: {error}"))


def one_line(error: BaseException) -> str:
    """Put an exception on one line.  pydantic's are told by field, without the values and addresses around."""
    fields = getattr(error, "errors", None)
    if callable(fields):
        parts = [(".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")) for one in fields()]
        return " ".join("; ".join(f"{place}: {text}" if place else text for place, text in parts).split())
    return " ".join(str(error).split()) or type(error).__name__


# --- Reasoning -------------------------------------------------------------------------------------------------------


def opens_a_thought(prompt: str) -> bool:
    """Say whether a prompt ends inside reasoning that the chat template has begun."""
    return prompt.rstrip().endswith(tuple(begin for begin, _ in _THOUGHTS))


def parted(text: str, thinking: bool) -> tuple[str, str | None]:
    """Part an answer from the reasoning before it: (answer, reasoning).  thinking: the prompt has opened it already.

    Reasoning that was cut leaves no answer.
    """
    for begin, end in _THOUGHTS:
        if text.lstrip().startswith(begin) or (thinking and end in text):
            thought, _, answer = text.partition(end)
            return answer.lstrip(), thought.lstrip().removeprefix(begin).strip() or None
    return ("", text.strip() or None) if thinking else (text, None)


# --- Serving ---------------------------------------------------------------------------------------------------------


class Pipe:
    """The pipes to the parent, taken away from everything else: engines print, and some read what they take for a person."""

    def __init__(self) -> None:
        self._asked: TextIO = os.fdopen(os.dup(0), encoding="utf-8")
        self._told: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        sys.stdout = sys.stderr

    def say(self, word: str, value: Any) -> None:
        """Write one message."""
        self._told.write(json.dumps({word: value}) + "\n")
        self._told.flush()

    def messages(self) -> Iterator[tuple[str, Any]]:
        """Read messages until the parent closes or is gone."""
        for line in self._asked:
            ((word, value),) = json.loads(line).items()
            if word == "close":
                return
            yield word, value


class Engine(Protocol):
    """A loaded model, as its script offers it."""

    def about(self) -> dict[str, Any]:
        """Say what runs, in the fields of `ready`."""

    def generate(self, adapter: str | None, sampling: Mapping[str, Any], rows: Sequence[Row]) -> None:
        """Answer every row once on the pipe."""

    def prompts(self, rows: Sequence[Row]) -> list[dict[str, str]]:
        """Give the text that each row becomes."""


class Opening(Protocol):
    """How a script loads its engine."""

    def __call__(self, pipe: Pipe, *, model: str, adapters: Mapping[str, str], options: Mapping[str, Any], seed: int) -> Engine:
        """Load the model and look at every adapter.  Raises Refusal."""


def run(opening: Opening) -> NoReturn:
    """Serve until the parent has had enough; leave with 1 after an error, and with the parent when it is gone."""
    pipe = Pipe()
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    try:
        _serve(pipe, opening)
    except Exception as error:
        traceback.print_exc()
        kind, text = "memory" if short_of_memory(error) else "other", f"{type(error).__name__}: {one_line(error)}"
        if isinstance(error, Refusal):
            kind, text = error.kind, error.text
        pipe.say("error", {"kind": kind, "text": text})
        sys.exit(1)
    sys.exit(0)


def _serve(pipe: Pipe, opening: Opening) -> None:
    engine: Engine | None = None
    for word, value in pipe.messages():
        if engine is None and word == "open":
            engine = opening(pipe, **value)
            pipe.say("ready", engine.about())
        elif engine is not None and word == "generate":
            engine.generate(value["adapter"], value["sampling"], value["rows"])
            pipe.say("done", {})
        elif engine is not None and word == "prompts":
            with failing_as("template", "the chat template refused a conversation"):
                texts = engine.prompts(value["rows"])
            pipe.say("prompts", texts)
        else:
            raise Refusal("other", f"no such message now: {word}")


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    end_all()


def end_all() -> NoReturn:
    """End this process at once, with all it started: its parent gave it a process group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
