"""Peak memory of a process, for every benchmark that watches it."""

from __future__ import annotations

from pathlib import Path


def peak_mib(process: int | str) -> float:
    """Give the most that a process (a number, or `self`) has held so far, in MiB; 0 when it has ended.

    What `getrusage` reports counts the pages of the process that started it in.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)
