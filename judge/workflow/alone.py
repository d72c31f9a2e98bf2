"""One command at a time, where two would pay for the same or do the same work twice."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, TextIO, TypeAlias

from judge.clock import Clock, utc_now
from judge.errors import StateError

Work: TypeAlias = Literal["generates", "asks"]

_SAID: Final = {
    "generates": "another command generates for this study now",
    "asks": "another command asks models for this study now",
}
_LOOKED_S: Final = 0.3  # whoever only looks holds the lock for less


@contextmanager
def alone(folder: Path, does: Work, clock: Clock = utc_now) -> Iterator[None]:
    """Be the only command that does this for a study.  Raises StateError when another one does; it ends with its process."""
    try:
        _lock(folder, does).parent.mkdir(exist_ok=True)  # with the database elsewhere, nobody made it
        file = _lock(folder, does).open("a+")
    except OSError:  # a folder that cannot be written, with its database elsewhere
        yield
        return
    with file:
        if not _taken(file):
            raise StateError(_SAID[does], at=folder, hint="let it finish, then run this one again")
        file.truncate(0)
        file.write(clock().isoformat())
        file.flush()
        yield


def _taken(file: TextIO) -> bool:
    until = time.monotonic() + _LOOKED_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        else:
            return True


def at_work_since(folder: Path, does: Work) -> datetime | None:
    """Say since when a command that does this for a study has been running on this machine; None when none is."""
    try:
        with _lock(folder, does).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return datetime.fromisoformat(file.read())
    except (OSError, ValueError):  # nobody ever did, or it is just beginning
        return None
    return None


def _lock(folder: Path, does: Work) -> Path:
    return folder / ".judge" / f"{does}.lock"
