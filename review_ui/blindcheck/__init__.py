"""Proof of blindness on the user's own study: a `judge.workflow.Study` in, a `Checked` out.

Nothing of the user's workspace is touched: the study's pairs and rubric are copied into throw-away databases, sealed and
handed out by the same code as in a real round, and everything that reaches a browser is examined.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from review_ui.blindcheck.browser import Loop
from review_ui.blindcheck.canary import canaries
from review_ui.blindcheck.guessing import TASKS, guess
from review_ui.blindcheck.meter import meter
from review_ui.blindcheck.result import Checked, Finding, Hint
from review_ui.blindcheck.twin import difference, twin

if TYPE_CHECKING:
    from judge.workflow.facade import Study

__all__ = ["Checked", "Finding", "Hint", "check", "difference"]


def check(study: Study, *, tasks: int = TASKS) -> Checked:
    """Run the twin test, the canary test and the classifier on a study, and measure what lets people guess.

    tasks: how many the classifier looks at, at least; fewer lower its power.
    Raises JudgeError where the study's files do.
    """
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="judge-blind-") as name, Loop() as loop:
        folder = Path(name)
        with type(study).open(study.path, db=str(folder / "study.db")).work() as work:
            findings = (twin(work, folder, loop), canaries(work, folder, loop), *guess(work, folder, loop, tasks=tasks))
            hints = tuple(meter(work))
            pairs, called = len(work.sources.pairs), work.study.name
    return Checked(study=called, pairs=pairs, findings=findings, hints=hints, seconds=time.monotonic() - begun)
