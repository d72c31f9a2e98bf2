"""What the lanes of a process share: money, the journal, and whether anything may still be sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from judge.calls.budget import Budget
from judge.calls.journal import Journal
from judge.calls.lane import Lane
from judge.calls.settings import Settings
from judge.errors import JudgeError


@dataclass(slots=True, kw_only=True)
class Together:
    """The state of one run of calls; everything here is touched on the engine's event loop alone.

    stopped: what ended the run; stopping: whoever asked wants no more; reading: there may be more requests to come.
    room: set when there may be room for more requests.  last_answer: when the last answer of any lane came.
    """

    budget: Budget
    journal: Journal
    settings: Settings
    lanes: dict[tuple[str, str], Lane] = field(default_factory=dict)
    room: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: JudgeError | None = None
    stopping: bool = False
    reading: bool = False
    last_answer: float = 0.0

    @property
    def halted(self) -> bool:
        """Nothing more may be sent."""
        return self.stopping or self.stopped is not None

    @property
    def waits_for_nothing(self) -> bool:
        """No lane has a call on its way, so that no money will come free."""
        return not any(lane.busy or lane.armed for lane in self.lanes.values())

    def wake(self) -> None:
        """Let every lane look again: money that came free may be what another one waits for."""
        for lane in self.lanes.values():
            lane.wake.set()

    def stop(self) -> None:
        """Send nothing more; what is open still comes in."""
        self.stopping = True
        self.room.set()
        self.wake()

    def halt(self, why: JudgeError) -> None:
        """End the run for this reason, unless another one came first."""
        self.stopped = self.stopped or why
        self.room.set()
        self.wake()

    def halt_by_bug(self, error: Exception) -> None:
        """End the run by an error that nobody foresaw: it must not be left hanging."""
        stopped = JudgeError(f"a call broke in an unexpected way: {type(error).__name__}: {error}")
        stopped.__cause__ = error
        stopped.exit_code = 70
        self.halt(stopped)
