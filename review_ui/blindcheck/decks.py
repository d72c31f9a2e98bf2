"""Thousands of tasks as annotators get them: the study's pairs dealt anew under many throw-away secrets and handed out.

Of every task all that reached the browser is kept, but for the texts, beside the truth: which side the candidate was on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Literal

from judge.domain import Pair
from judge.ids import digest
from judge.store import desk as desk_store
from judge.workflow import reviewing
from review_ui.blindcheck.browser import JSON, Answer, Browser, Loop
from review_ui.blindcheck.copies import Contents, Stage, contents, made_up_score, stage, stored
from review_ui.blindcheck.markup import frame_of
from review_ui.blindcheck.session import TASK

if TYPE_CHECKING:
    from judge.workflow.workspace import Opened

SEATS: Final = 3  # every seat gets every item: an item may have three labels
LONGEST: Final = 100  # pairs a deck
SHORTEST: Final = 24  # a deck of fewer pairs holds each of them several times, or there would be hundreds of rounds
REPEATS: Final = 3  # loads of a page that is timed
SILENT: Final = frozenset({"content-length", "set-cookie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One task as it reached a browser.

    deck, seat, place: which deck of which seat, and when it came.  headers, frame: digests of the header values and of the
    page without its texts.  size: characters of the page, texts and all.  brought_s: how long the answer took that brought
    the task; loaded_s: the median of several loads of its page, where it was timed.
    left: the output on the left, candidate: whether that is the candidate's; None where both texts are equal.
    score: what the judge thinks of the pair, 0 (a) to 1 (b).
    """

    round: int
    deck: int
    seat: int
    place: int
    token: str
    item: str
    pair: int
    headers: str
    frame: str
    size: int
    brought_s: float
    loaded_s: float | None
    left: Literal["a", "b"] | None
    candidate: bool | None
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Truth:
    """What lies behind two displayed texts: pair, output on the left, whether it is the candidate's, the judge's score."""

    pair: int = -1
    left: Literal["a", "b"] | None = None
    candidate: bool | None = None
    score: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What one task brought to the browser."""

    token: str
    html: str
    answer: Answer
    loaded_s: float | None


def dealt(work: Opened, file: Path, loop: Loop, *, tasks: int, salt: str) -> list[Row]:
    """Deal and hand out at least so many tasks with two different texts.  salt: another one gives other secrets."""
    plain = _long_enough(contents(work, "00" * 32, most=LONGEST))
    different = sum(not pair.identical for pair in plain.pairs)
    rounds = max(2, ceil(tasks / (SEATS * max(1, different))))
    rows: list[Row] = []
    with stage(loop, file) as here:
        for n in range(rounds):
            what = replace(plain, name=f"deal-{n}", secret=digest("deal", [salt, n]), wanted=SEATS, seats=SEATS)
            copy = stored(work, here.database, what)
            reviewing.sample(copy)
            rows += _rounds_rows(here, what, n, _sides(work))
    return rows


def _long_enough(what: Contents) -> Contents:
    """Repeat the pairs of a small study, an odd number of times: an odd deck is dealt otherwise than an even one."""
    times = ceil(SHORTEST / len(what.pairs))
    if times == 1:
        return what
    copies = range(times + 1 - times % 2)
    pairs = [
        replace(pair, id=f"{pair.id}~{n}", example=replace(pair.example, id=f"{pair.example.id}~{n}"))
        for n in copies
        for pair in what.pairs
    ]
    verdicts = [replace(verdict, pair=f"{verdict.pair}~{n}") for n in copies for verdict in what.verdicts]
    return replace(what, pairs=tuple(pairs), verdicts=tuple(verdicts))


def _rounds_rows(here: Stage, what: Contents, n: int, sides: Mapping[tuple[str, str], _Truth]) -> Iterator[Row]:
    for seat in range(SEATS):
        browser = here.guest(what.name, f"Annotator {seat}")
        for place, seen in enumerate(list(_handed_out(browser, timed=n == 0))):
            yield _row(here, seen, sides, round_=n, seat=seat, place=place)


def _handed_out(browser: Browser, *, timed: bool) -> Iterator[_Seen]:
    """Judge a whole deck as the page does: each answer brings the pair after the next."""
    desk = browser.ask("GET", "/desk", accept=JSON)
    shown, ahead = _seen(desk, "current"), _seen(desk, "next")
    while shown is not None:
        yield replace(shown, loaded_s=_load_time(browser)) if timed else shown
        form = {"task": shown.token, "client_id": f"{shown.token}.1", "choice": "tie"}
        voted = browser.ask("POST", "/desk/vote", form | ({"next": ahead.token} if ahead else {}), accept=JSON)
        shown, ahead = ahead, _seen(voted, "next")


def _seen(answer: Answer, part: str) -> _Seen | None:
    document: Any = answer.json
    html = (document.get(part) if isinstance(document, dict) else None) or ""
    found = TASK.search(html)
    return _Seen(token=found[1], html=html, answer=answer, loaded_s=None) if found else None


def _load_time(browser: Browser) -> float:
    return median(browser.ask("GET", "/desk", accept=JSON).seconds for _ in range(REPEATS))


def _row(
    here: Stage,
    seen: _Seen,
    sides: Mapping[tuple[str, str], _Truth],
    *,
    round_: int,
    seat: int,
    place: int,
) -> Row:
    with here.database.read() as tx:
        task = desk_store.find_task(tx, seen.token)
    assert task is not None
    skeleton = frame_of(seen.html).skeleton(seen.token)
    truth = sides.get((task.left, task.right), _Truth())
    headers = [one for one in seen.answer.headers if one[0] not in SILENT]
    return Row(
        round=round_,
        deck=round_ * SEATS + seat,
        seat=seat,
        place=place,
        token=seen.token,
        item=task.item.rpartition("-")[2],
        pair=truth.pair,
        headers=_digest(repr(headers)),
        frame=_digest(skeleton),
        size=len(seen.html),
        brought_s=seen.answer.seconds,
        loaded_s=seen.loaded_s,
        left=truth.left,
        candidate=truth.candidate,
        score=truth.score,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sides(work: Opened) -> dict[tuple[str, str], _Truth]:
    """Map what can be seen, left and right, to the truth; texts that stand in two pairs are left out."""
    known: dict[tuple[str, str], _Truth] = {}
    twice: set[tuple[str, str]] = set()
    for n, pair in enumerate(work.sources.pairs[:LONGEST]):
        new, score = candidate_side(work, pair), made_up_score(pair.id)
        twice |= {texts for texts in ((pair.text_a, pair.text_b), (pair.text_b, pair.text_a)) if texts in known}
        if pair.identical:
            continue
        known[pair.text_a, pair.text_b] = _Truth(pair=n, left="a", candidate=new == "a", score=score)
        known[pair.text_b, pair.text_a] = _Truth(pair=n, left="b", candidate=new == "b", score=score)
    return {texts: told for texts, told in known.items() if texts not in twice}


def candidate_side(work: Opened, pair: Pair) -> str:
    """Say whether the candidate's output is a or b; it is always b where arms are compared."""
    side = work.sources.candidates[0].side if work.sources.candidates else "b"
    if side in ("a", "b"):
        return side
    return "a" if pair.model_a == side else "b"
