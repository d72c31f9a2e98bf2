"""How calls are made, as the asker wants it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How calls are made.

    most_open: calls open at once to one model.  timeout_s: least time a call may take; when none was answered for so long
    and several failed, the run parks.  send: False to answer from the journal alone.  known: the models answered before,
    so that requests which are refused now are refused for what they hold.
    """

    most_open: int = 64
    timeout_s: float = 60.0
    throttled_s: float = 80.0  # without an answer while throttled, after which the run parks: within 90 s with all around it
    seed: int | None = None  # of the jitter
    send: bool = True
    known: bool = False
