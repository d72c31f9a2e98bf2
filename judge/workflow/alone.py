"""One command at a time, where two would pay for the same or do the same work twice."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias

from judge.errors import StateError

_SAID: Final = {
    "generates": "another command generates for this study now",
    "asks": "another command asks models for this study now",
}


Work: TypeAlias = Literal["generates", "asks"]


@contextmanager
def alone(folder: Path, does: Work) -> Iterator[None]:
    """Be the only command that does this for a study.  Raises StateError when another one does; it ends with its process."""
    try:
        file = _lock(folder, does).open("w")
    except OSError:  # a folder that cannot be written, with its database elsewhere
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(_SAID[does], at=folder, hint="let it finish, then run this one again") from error
        yield


def at_work(folder: Path, does: Work) -> bool:
    """Say whether a command that does this for a study is running now."""
    try:
        with _lock(folder, does).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # nobody ever did
        return False
    return False


def _lock(folder: Path, does: Work) -> Path:
    return folder / ".judge" / f"{does}.lock"
