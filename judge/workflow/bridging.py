"""`judge bridge`: what changes when another judge takes over, from the verdicts that are stored."""

from __future__ import annotations

from collections.abc import Sequence

from judge.agreement import Bridge, bridge
from judge.domain import JURY, Reading, Verdict
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
    for name in (old, new):
        if not _has_spoken(name, readings, verdicts):
            raise StateError(f"the judge '{name}' has no verdict yet", hint="run `judge compare` first")
    there, here = ([verdict for verdict in verdicts if verdict.judge == name] for name in (old, new))
    return bridge(
        pairs=work.sources.pairs,
        old=there,
        new=here,
        readings=readings,
        candidates=[one.side if work.study.pairs else one.name for one in work.sources.candidates],
        names=(old, new),
    )


def _has_spoken(judge: str, readings: Sequence[Reading], verdicts: Sequence[Verdict]) -> bool:
    """Say whether anything came from a judge, be it of no use; from any for the jury, which speaks of no quorum by itself."""
    answered = any(one.came for one in readings if judge in (JURY, one.judge))
    concluded = (one for one in verdicts if one.judge != JURY and judge in (JURY, one.judge))
    return answered or any(one.basis != "identical" and one.reason != "absent" for one in concluded)
