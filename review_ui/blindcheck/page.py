"""What the page of a pair must look like, whichever text stands on which side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge.store import desk as desk_store
from judge.store.database import Database
from review_ui.blindcheck.browser import Answer
from review_ui.blindcheck.markup import Frame, frame_of, varying
from review_ui.blindcheck.session import TASK

MAY_VARY: Final = frozenset({("button", "disabled")})  # undo, before there is something to undo
CARRIES_TOKEN: Final = frozenset({("section", "data-task"), ("input", "value")})
FIELDS: Final = frozenset(
    {"state", "current", "next", "done", "left", "undoable", "count", "time", "late", "lost", "saved", "code", "text"}
)
"""What an answer to the page's script may hold: pairs, how far one is, and what became of a vote."""


def fragments(answers: Sequence[Answer]) -> Iterator[tuple[str, str]]:
    """Give every pair's HTML that is in these answers as it was first shown, with its token."""
    known: set[str] = set()
    for answer in answers:
        document: Any = answer.json
        for part in ("current", "next") if isinstance(document, dict) else ():
            html = document.get(part) or ""
            found = TASK.search(html)
            if found and found[1] not in known:
                known.add(found[1])
                yield found[1], html


def tasks_of(database: Database, answers: Sequence[Answer]) -> Mapping[str, tuple[str, str]]:
    """Give the sealed texts, left and right, of every pair in these answers."""
    with database.read() as tx:
        records = [desk_store.find_task(tx, token) for token, _ in fragments(answers)]
    return {record.token: (record.left, record.right) for record in records if record is not None}


def faults(answers: Sequence[Answer], sealed: Mapping[str, tuple[str, str]]) -> str | None:
    """Find a pair whose page depends on more than its texts; None when all is as it should be."""
    stray_fields = sorted({field for answer in answers for field in _fields(answer)} - FIELDS)
    if stray_fields:
        return f"answers to the page's script hold '{stray_fields[0]}', which is on no list"
    frames: list[Frame] = []
    for token, html in fragments(answers):
        frame = frame_of(html)
        fault = _fault(frame, token, sealed.get(token))
        if fault:
            return f"page of a pair: {fault}"
        frames.append(_without(frame, token))
    if not frames:
        return "page of a pair: none was found in what was sent"
    stray = sorted(set(varying(frames)) - MAY_VARY)
    if stray:
        return f"page of a pair: <{stray[0][0]} {stray[0][1]}> differs from pair to pair and is on no list"
    words = {word for frame in frames for word in frame.rest}
    told = sorted(word for word in words if any(word not in frame.rest for frame in frames))
    return f"page of a pair: {told[0][:60]!r} stands outside the texts of some pairs only" if told else None


def _fields(answer: Answer) -> set[str]:
    return set(answer.json) if isinstance(answer.json, dict) else set()


def _fault(frame: Frame, token: str, sealed: tuple[str, str] | None) -> str | None:
    if frame.sides != ["left", "right"]:
        return f"the document holds the sides in the order {', '.join(frame.sides) or 'none'}, not left, right"
    if sealed is None or (frame.raw.get("left"), frame.raw.get("right")) != sealed:
        return "the texts stand on other sides than they were sealed on"
    places = {(tag, name) for tag, name, value in frame.attributes if token in value} - CARRIES_TOKEN
    if places:
        return f"<{' '.join(min(places))}> carries the task and is on no list"
    return None


def _without(frame: Frame, token: str) -> Frame:
    attributes = [(tag, name, value.replace(token, "")) for tag, name, value in frame.attributes]
    return Frame(attributes=attributes, rest=frame.rest, sides=frame.sides, raw=frame.raw)
