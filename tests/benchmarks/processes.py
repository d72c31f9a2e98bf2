"""The processes that benchmarks measure: what they start with, and the most that they hold."""

from __future__ import annotations

import compileall
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def as_installed() -> dict[str, str]:
    """Give the environment of a command that finds its modules compiled, as every install does; compile them."""
    compileall.compile_dir(ROOT / "judge", quiet=1)
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def peak_mib(process: int | str) -> float:
    """Give the most that a process (a number, or `self`) has held so far, in MiB; 0 when it has ended.

    What `getrusage` reports counts the pages of the process that started it in.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)
