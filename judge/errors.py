"""Every error that a user can cause, in one tree.

JudgeError                what is wrong, where, and what to do; exit code 2
├── FileError             a file that cannot be read or written, or whose form is broken
│   └── RowError          one row of a file: `file:line: key: what is wrong. Remedy.`
├── StudyError            study.yaml or a rubric says something impossible
├── JoinError             an id that is unknown or comes twice
├── LockedError           the locked test set changed
├── StoreError            the database cannot be opened, is newer than we are, or is busy
├── GoneError             a link, task or session that is not there, not yours, or used up
├── StateError            a request that does not fit the state of things: a closed round, a missing answer
├── EngineError           a process that runs a model cannot do what was asked, or is gone; `kind` says which
└── Parked                the work stopped on purpose and goes on by the same command; exit code 3

A traceback is for our own bugs only.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

EngineFault: TypeAlias = Literal["model", "adapter", "rank", "template", "option", "memory", "import", "other"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a user's file: shown as `file`, `file:line` or `file:line: key`."""

    file: str
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return place if self.key is None else f"{place}: {self.key}"

    def at(self, line: int | None = None, key: str | None = None) -> Place:
        """Give the same file with another line or key."""
        return Place(self.file, self.line if line is None else line, self.key if key is None else key)


class JudgeError(Exception):
    """Something the user can mend.  Its text is one line: place, what is wrong, remedy."""

    exit_code = 2

    def __init__(self, problem: str, *, at: Place | Path | str | None = None, hint: str | None = None) -> None:
        self.problem = problem
        self.at = at
        self.hint = hint
        super().__init__(self.line())

    def line(self) -> str:
        """Render the whole message on one line."""
        text = self.problem if self.at is None else f"{self.at}: {self.problem}"
        text = " ".join(text.split())
        if self.hint:
            text = f"{text.rstrip('.')}. {self.hint[0].upper()}{self.hint[1:]}"
        return text if text.endswith((".", "?", "!")) else text + "."


class FileError(JudgeError):
    """A file cannot be read or written, or its form is broken."""


class RowError(FileError):
    """One row or key of a file is wrong; `at` carries file, line and key."""


class StudyError(JudgeError):
    """A study or rubric asks for something impossible."""


class JoinError(JudgeError):
    """An id is unknown or comes twice; both places are named."""


class LockedError(JudgeError):
    """The locked test set is not what it was."""


class StoreError(JudgeError):
    """The database cannot be used."""


class GoneError(JudgeError):
    """A link, a task or a session is not there, belongs to somebody else, or is used up."""


class StateError(JudgeError):
    """The request does not fit the state of things."""


class EngineError(JudgeError):
    """A process that runs a model cannot do what was asked, or is gone."""

    def __init__(
        self, problem: str, *, kind: EngineFault, at: Place | Path | str | None = None, hint: str | None = None
    ) -> None:
        self.kind = kind
        super().__init__(problem, at=at, hint=hint)


class Parked(JudgeError):
    """The work stopped on purpose; the same command goes on with it."""

    exit_code = 3


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Give the remedy for an unknown name: the nearest known one, else the list (or `otherwise`); there may be none."""
    names = sorted(known)
    if not names:
        return otherwise or "there are none"
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return otherwise or f"known: {', '.join(names)}."
