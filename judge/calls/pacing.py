"""How fast one model may be asked: limits learnt from the answers' headers, a window that follows throttling, pauses.

Pure but for the clock that is handed in; one pacer for each (key, model), shared by all who ask.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

SHARE: Final = 0.985  # of an announced rate that is used
START: Final = 16  # calls open at first
LEAST: Final = 2
CUT: Final = 0.8  # what a throttle leaves of the window
USED: Final = 0.8  # of the window in use, below which it does not grow
FIRST_PAUSE_S: Final = 1.0  # after a throttle that says nothing
LONGEST_PAUSE_S: Final = 60.0  # a longer one parks the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an answer's headers say: requests and tokens in a window of seconds, and what is left of them."""

    requests: float | None = None
    requests_left: float | None = None
    tokens: float | None = None
    tokens_left: float | None = None


@dataclass(slots=True)
class Bucket:
    """Tokens that come back at a steady rate up to a size.  Unlimited while nothing was announced."""

    rate: float | None = None  # per second
    size: float = 0.0
    level: float = 0.0
    at: float = 0.0

    def learn(self, per_minute: float, left: float | None, now: float) -> None:
        """Take an announced limit; `left` corrects the level downwards, since others may use the same key."""
        rate = per_minute / 60 * SHARE
        if self.rate is None:
            self.level = max(1.0, rate)
        self.refill(now)
        # One second of burst: limits are often enforced over seconds, whatever the minute would allow.
        self.rate, self.size, self.at = rate, max(1.0, rate), now
        if left is not None:
            self.level = min(self.level, left)

    def refill(self, now: float) -> None:
        """Add what came back since the last time."""
        if self.rate is not None:
            self.level = min(self.size, self.level + (now - self.at) * self.rate)
            self.at = now

    def wait(self, amount: float, now: float) -> float:
        """Say how many seconds until so much is there."""
        if self.rate is None:
            return 0.0
        self.refill(now)
        short = min(amount, self.size) - self.level
        return 0.0 if short <= 0 else short / self.rate

    def give_back(self, amount: float) -> None:
        """Correct what was taken by an estimate; below zero it takes more."""
        if self.rate is not None:
            self.level = min(self.size, self.level + amount)

    def take(self, amount: float) -> None:
        """Use so much; the level may go below zero, which later ones wait for."""
        if self.rate is not None:
            self.level -= amount


@dataclass(slots=True)
class Pacer:
    """Admits calls to one model.  `most`: calls open at once, whatever the window would allow.

    The window doubles for every window of answers until the first throttle, and grows by one after that, but only while it
    is used; a throttle cuts it, at most once a second.  Times are seconds of a monotonic clock.
    """

    most: int
    window: float = float(START)
    open: int = 0
    paused_until: float = 0.0
    throttles: int = 0
    requests: Bucket = field(default_factory=Bucket)
    tokens: Bucket = field(default_factory=Bucket)
    _last_cut: float = -1e9
    _probing: bool = True

    def __post_init__(self) -> None:
        """Never open more than allowed from the start."""
        self.window = min(self.window, float(self.most))

    def wait(self, tokens: float, now: float) -> float | None:
        """Say how long a call of so many tokens has to wait: 0 go, seconds, or None until another call ends."""
        if now < self.paused_until:
            return self.paused_until - now
        if not self.places:
            return None
        return max(self.requests.wait(1, now), self.tokens.wait(tokens, now))

    @property
    def places(self) -> int:
        """Calls that the window has room for."""
        return max(0, min(int(self.window), self.most) - self.open)

    def start(self, tokens: float) -> None:
        """Count a call as open."""
        self.open += 1
        self.requests.take(1)
        self.tokens.take(tokens)

    def end(self) -> None:
        """Count a call as over, whatever came of it."""
        self.open -= 1

    def answered(self, limits: Limits, now: float) -> None:
        """Learn from an answer, and let the window grow if it was used."""
        self.learn(limits, now)
        if self.open + 1 >= USED * self.window:
            self.window = min(float(self.most), self.window + (1.0 if self._probing else 1 / self.window))

    def throttle(self, retry_after_s: float | None, limits: Limits, now: float) -> None:
        """Slow down: everybody pauses for as long as the provider says, and the window shrinks."""
        self.learn(limits, now)
        self.throttles += 1
        self._probing = False
        if now - self._last_cut >= 1.0:
            self._last_cut = now
            self.window = max(float(min(LEAST, self.most)), self.window * CUT)
        self.paused_until = max(self.paused_until, now + min(LONGEST_PAUSE_S, retry_after_s or FIRST_PAUSE_S))

    def struggle(self) -> None:
        """Stop growing while the provider fails."""
        self._probing = False

    def learn(self, limits: Limits, now: float) -> None:
        """Take what the headers announce."""
        if limits.requests:
            self.requests.learn(limits.requests, limits.requests_left, now)
        if limits.tokens:
            self.tokens.learn(limits.tokens, limits.tokens_left, now)

    @property
    def per_minute(self) -> float | None:
        """Calls a minute that are allowed as far as is known."""
        return None if self.requests.rate is None else self.requests.rate * 60
