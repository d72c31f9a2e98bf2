"""What a command says: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from judge.workflow.answering import Tally
    from judge.workflow.outputs import Making

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What could move the cursor, recolour or reorder a terminal; a judged text, or an id in a file, is somebody else's."""


def say(text: str = "") -> None:
    """Print a result for a person."""
    print(printable(text))  # noqa: T201


def emit(document: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    print(json.dumps(document, ensure_ascii=False, allow_nan=False), flush=True)  # noqa: T201


def note(text: str) -> None:
    """Tell what is going on, on standard error."""
    print(printable(text), file=sys.stderr, flush=True)  # noqa: T201


def printable(text: str) -> str:
    """Show a text without letting it steer the terminal: control characters become visible."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


class Progress:
    """How far a long command is: a bar with ETA on a terminal, now and then a line elsewhere, events for programs."""

    def __init__(self, title: str, *, as_json: bool) -> None:
        self._title = title
        self._as_json = as_json
        self._told = time.monotonic()
        self._first: tuple[float, int] | None = None  # when how much had been asked
        self._stopping = False
        self._bar: Any = None

    def __call__(self, done: int, of: int) -> None:
        """Take note that `done` of `of` are done."""
        self._show(done, of, "", {})

    def tell(self, tally: Tally) -> None:
        """Take note of how far asking models has come."""
        if tally.stopping:
            self._stop(tally.open)
        rate = self._rate(max(0, tally.done - tally.known))
        left = tally.of - tally.done
        counts = {
            "open": tally.open,
            "waiting": tally.waiting,
            "unscored": tally.unscored,
            "per_minute": None if rate is None else round(rate, 1),
            "limit_per_minute": tally.limit_per_minute,
            "paused_s": round(tally.paused_s, 1),
            "eta_s": None if not rate else round(60 * left / rate, 1),
            "usd": round(tally.usd, 6),
            "budget_usd": tally.budget_usd,
            "stopping": tally.stopping,
        }
        self._show(tally.done, tally.of, _in_words(tally, rate, of_bar=self._bar is not None), counts)

    def tell_making(self, making: Making) -> None:
        """Take note of how far one arm's outputs have come."""
        if making.stopping:
            self._stop(making.open)
        speed = making.tokens_out / making.seconds if making.seconds else 0.0
        left = (making.of - making.done) * making.seconds / making.done if making.done else None
        counts = {
            "arm": making.arm,
            "tokens_per_s": round(speed, 1),
            "eta_s": None if left is None else round(left, 1),
            "stopping": making.stopping,
        }
        more = f"{making.arm}, {speed:,.0f} tokens a second"
        if self._bar is None and left is not None:
            more = f"{more}, {left:.0f} s left"
        self._show(making.done, making.of, more, counts)

    def _stop(self, open_: int) -> None:
        """Say once that nothing more is sent: whoever interrupted may wait, or not."""
        if not self._stopping and not self._as_json:
            note(f"{self._title}: nothing more is sent; waiting for {open_} open calls, Ctrl-C again ends at once")
        self._stopping = True

    def _rate(self, done: int) -> float | None:
        """Give the calls a minute that were asked since the first news; None while there is no second."""
        now = time.monotonic()
        if self._first is None:
            self._first = (now, done)
        since, before = self._first
        return 60 * (done - before) / (now - since) if done > before and now > since else None

    def _show(self, done: int, of: int, more: str, counts: Mapping[str, Any]) -> None:
        if self._as_json:
            emit({"event": "progress", "title": self._title, "done": done, "of": of, **counts})
        elif sys.stderr.isatty():
            self._draw(done, of, more)
        elif time.monotonic() - self._told > 5:
            self._told = time.monotonic()
            note(f"{self._title}: {done} of {of}{more and f' done, {more}'}")

    def _draw(self, done: int, of: int, more: str) -> None:
        if self._bar is None:
            self._bar = _bar(self._title)
        self._bar(done, of, more)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar(None, 0, "")
            self._bar = None


def _in_words(tally: Tally, rate: float | None, *, of_bar: bool) -> str:
    """Say how asking goes.  of_bar: the bar beside it says how long it will take."""
    from judge.text.money import dollars

    said = [f"{tally.open} open", f"{tally.waiting} waiting", f"{tally.unscored} unscored"]
    if tally.paused_s:
        said.append(f"waiting {tally.paused_s:.0f} s because the provider asks to")
    if rate:
        limit = "" if tally.limit_per_minute is None else f" of {tally.limit_per_minute:.0f}"
        said.append(f"{rate:.0f}{limit} a minute")
        if not of_bar and tally.done < tally.of:
            said.append(f"{max(1, round((tally.of - tally.done) / rate))} min left")
    if tally.budget_usd is not None:
        said.append(f"{dollars(tally.usd)} of {tally.budget_usd:g} USD")
    return ", ".join(said)


def _bar(title: str) -> Callable[[int | None, int, str], None]:
    """Draw a bar, and under it in words what does not fit beside it on a narrow terminal."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns)
    task = progress.add_task(title, total=None)
    live = Live(progress, console=Console(stderr=True), transient=True, redirect_stdout=False)
    live.start()

    def move(done: int | None, of: int, more: str) -> None:
        if done is None:
            live.stop()
            return
        progress.update(task, completed=done, total=of)
        live.update(Group(progress, Text(more)) if more else progress, refresh=True)

    return move
