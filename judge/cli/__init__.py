"""One file for each command group: parse, call, print."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and leave with its exit code.

    0 done, 1 gate not met, 2 the user's input (one clear line), 3 parked (run again later), 70 our bug, 130 interrupted.
    """
    from judge.cli.app import run

    sys.exit(run(sys.argv[1:]))


__all__ = ["main"]
