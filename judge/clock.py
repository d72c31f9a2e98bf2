"""The time, as a value that is handed in: tests and replays bring their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """Give the present moment in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
