"""What an annotator is shown and gives.  Left and right; nothing else exists on this side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from judge.domain import Message

Side: TypeAlias = Literal["left", "tie", "right"]
Said: TypeAlias = Literal["left", "right", "tie", "both_bad", "cannot_judge", "skip"]
SAID: Final[tuple[Said, ...]] = ("left", "right", "tie", "both_bad", "cannot_judge", "skip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One criterion in words; a check is passed or failed by each side."""

    id: str
    question: str
    check: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a round's page says around the pairs, the same for everybody; sealed with the round."""

    title: str
    task: str
    overall: str
    criteria: tuple[Question, ...] = ()
    people: str | None = None
    all_criteria: bool = False  # a vote needs an answer to every criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What an annotator said about one pair.

    `criteria` maps a criterion to left, tie or right, a check to {"left": bool, "right": bool}; open ones are absent.
    """

    choice: Said | None = None
    criteria: Mapping[str, Any] = field(default_factory=dict)
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One pair as an annotator gets it.  `answers` is the saved draft, or the vote that is being changed."""

    token: str
    messages: tuple[Message, ...]
    reference: str | None
    left: str
    right: str
    answers: Answers = Answers()
    revision: int = 1  # which this vote will be; more than 1: the pair was voted on before


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one annotator is: votes given, pairs still to come for them, words in those."""

    done: int
    left: int
    words_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """All that the page shows: the pair at hand, the next one already in the page, and how far one is.

    current None: nothing to do now; `state` says why (open: others hold what is left; closed: the round is over).
    """

    page: Page
    state: Literal["open", "closed", "full"]
    current: Task | None
    upcoming: Task | None
    progress: Progress
    undoable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One vote as the browser sends it.  `client_id` makes it exactly one, however often it arrives.

    next: the token that the page shows after this vote, so that its place can be held; seconds: time spent.
    """

    task: str
    client_id: str
    answers: Answers
    next: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted:
    """What a vote came to.

    late: the place was given away meanwhile; the vote is kept and marked.  repeated: it was here already.
    upcoming: the pair to put behind the one now shown.  lost: the pair now shown (Vote.next) is no longer this
    annotator's; show `upcoming` in its place.  page: the round's, to draw `upcoming` with.
    """

    page: Page
    late: bool
    repeated: bool
    upcoming: Task | None
    lost: bool
    progress: Progress
    undoable: int
