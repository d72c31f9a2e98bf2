"""`judge bridge`: what changes when another judge takes over, from the verdicts that are stored."""

from __future__ import annotations

from collections.abc import Sequence

from judge.agreement import Bridge, bridge
from judge.domain import JURY, Verdict
from judge.errors import JudgeError, StateError, did_you_mean
from judge.workflow.resolving import judged
from judge.workflow.workspace import Opened


def build_bridge(work: Opened, old: str, new: str) -> Bridge:
    """Lay the verdicts of two judges of a study (or of the jury) beside one another; nobody is asked anything.

    Raises JudgeError for an unknown judge, StateError for one that has not judged a pair yet.
    """
    readings, verdicts = judged(work)
    known = {*work.study.judges, *(verdict.judge for verdict in verdicts)}
    for name in (old, new):
        if name not in known:
            raise JudgeError(f"no judge '{name}'", at=work.study.path, hint=did_you_mean(name, known))
    if old == new:
        raise JudgeError(f"'{old}' is compared with itself", hint="name two judges of the study")
    return bridge(
        pairs=work.sources.pairs,
        old=_said(verdicts, old),
        new=_said(verdicts, new),
        readings=readings,
        candidates=[one.side if work.study.pairs else one.name for one in work.sources.candidates],
        names=(old, new),
    )


def _said(verdicts: Sequence[Verdict], judge: str) -> list[Verdict]:
    own = [verdict for verdict in verdicts if verdict.judge == judge]
    asked = verdicts if judge == JURY else own  # a jury speaks also where nobody was asked: of no quorum
    if not any(one.judge != JURY and one.basis != "identical" and one.reason != "absent" for one in asked):
        raise StateError(f"the judge '{judge}' has no verdict yet", hint="run `judge compare` first")
    return own
