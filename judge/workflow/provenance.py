"""What is kept of every run: the effective configuration, and the versions of what computed its numbers."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Final

from judge import __version__
from judge.store import study as study_store
from judge.study import effective
from judge.workflow.workspace import Opened

_COUNTED: Final = ("krippendorff", "numpy", "scipy", "sqlmodel")


def remember(work: Opened, command: str) -> None:
    """Keep the effective configuration of a run, so that it can be run again."""
    with work.database.write() as tx:
        name = f"{command} (trial)" if work.trial else command
        study_store.put_run(tx, work.record.id, name, work.digest, effective(work.study), versions(), work.clock())


def versions() -> dict[str, str]:
    """Name what computed the numbers."""
    return {"blind-judge": __version__, "python": platform.python_version()} | {name: version(name) for name in _COUNTED}
