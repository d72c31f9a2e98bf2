"""One command at a time, where two would pay for the same or do the same work twice."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from judge.errors import StateError

_SAID: Final = {
    "generates": "another command generates for this study now",
    "asks": "another command asks models for this study now",
}


@contextmanager
def alone(folder: Path, does: Literal["generates", "asks"]) -> Iterator[None]:
    """Be the only command that does this for a study.  Raises StateError when another one does; it ends with its process."""
    try:
        file = (folder / ".judge" / f"{does}.lock").open("w")
    except OSError:  # a folder that cannot be written, with its database elsewhere
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(_SAID[does], at=folder, hint="let it finish, then run this one again") from error
        yield
