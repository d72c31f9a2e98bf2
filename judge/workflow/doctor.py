"""`judge doctor`: is this machine fit to run a study?"""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from judge.errors import JudgeError
from judge.store.database import sqlite_version
from judge.store.opening import is_made, open_database

_LEAST_FREE_MB = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at: fine or not, and what to do when not."""

    what: str
    ok: bool
    text: str
    remedy: str = ""


def examine(place: str) -> list[Finding]:
    """Look at Python, the database and the disk.  Never raises: what is wrong is a finding."""
    return [_python(), _database(place), _durable(), _disk(place)]


def _python() -> Finding:
    fine = (3, 11) <= sys.version_info[:2] <= (3, 13)
    text = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding(what="python", ok=fine, text=text, remedy="" if fine else "Use Python 3.11, 3.12 or 3.13.")


def _database(place: str) -> Finding:
    def look() -> str:
        database = open_database(place, create=False) if is_made(place) else None
        if database is None:
            return f"none at {place} yet; it is made at the first run"
        with database.read() as tx:
            from judge.store.study import study_names

            names = study_names(tx)
        database.close()
        shown = database.url if "://" in place else place
        return f"{shown} opens and holds {len(names)} {'study' if len(names) == 1 else 'studies'}"

    return _tried("database", look)


def _durable() -> Finding:
    def look() -> str:
        with tempfile.TemporaryDirectory() as folder:
            open_database(Path(folder) / "probe.db").close()
        return f"SQLite {sqlite_version()} writes with full durability"

    return _tried("sqlite", look)


def _disk(place: str) -> Finding:
    folder = Path.cwd() if "://" in place else Path(place).absolute().parent
    while not folder.exists():
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free // 2**20
    fine = free_mb >= _LEAST_FREE_MB
    return Finding(
        what="disk", ok=fine, text=f"{free_mb:,} MiB free", remedy="" if fine else "Make room: the journal keeps every answer."
    )


def _tried(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, ok=True, text=look())
    except JudgeError as error:
        return Finding(what=what, ok=False, text=error.line(), remedy=error.hint or "")
