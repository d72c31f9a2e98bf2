"""One file for each command group: parse, call, print."""

from __future__ import annotations

import gc
import sys
from typing import Final, NoReturn

_COLLECT: Final = 50_000  # objects made between collections


def main() -> NoReturn:
    """Run the command line and leave with its exit code.

    0 done, 1 gate not met, 2 the user's input (one clear line), 3 parked (run again later), 70 our bug, 130 interrupted.
    """
    # A start is imports, which leave no garbage; looking for it after every 700 objects takes a sixth of their time.
    gc.set_threshold(_COLLECT, *gc.get_threshold()[1:])

    from judge.cli.app import run

    sys.exit(run(sys.argv[1:]))


__all__ = ["main"]
