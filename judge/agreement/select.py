"""Which labels count.

Only kind `real`, only the last revision of an answer; simulated labels only while there are no others; never labels of
people who saw the arms, and never flagged ones.  What is left out for a reason is counted in a warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from judge.domain import Label, Notice
from judge.errors import JoinError


@dataclass(frozen=True, slots=True)
class Selection:
    """The labels that count, and what was left out in words."""

    labels: tuple[Label, ...]
    notices: tuple[Notice, ...]


def select_labels(labels: Sequence[Label]) -> Selection:
    """Choose the labels that estimates are made of.

    Raises JoinError when one person answered one question twice under one revision.
    """
    latest = _last_revisions([label for label in labels if label.kind == "real"])
    notices: list[Notice] = []
    simulated = [label for label in latest if label.simulated]
    if simulated and len(simulated) < len(latest):
        latest = [label for label in latest if not label.simulated]
        notices.append(Notice(code="simulated_left_out", text=f"{_labels(len(simulated))} made by simulation left out."))
    elif simulated:
        notices.append(
            Notice(code="simulated", text="Every label is simulated: the numbers show the method, not what people think.")
        )
    unblinded = [label for label in latest if _unblinded(label)]
    blind = [label for label in latest if not _unblinded(label)]
    flagged = [label for label in blind if _flagged(label)]
    if unblinded:
        text = f"{_labels(len(unblinded))} by people who had seen which arm is which left out."
        notices.append(Notice(code="unblinded_left_out", text=text))
    if flagged:
        flags = ", ".join(sorted({flag for label in flagged for flag in label.flags} - {"simulated"}))
        notices.append(Notice(code="flagged_left_out", text=f"{_labels(len(flagged))} with a flag ({flags}) left out."))
    return Selection(tuple(label for label in blind if not _flagged(label)), tuple(notices))


def _last_revisions(labels: Sequence[Label]) -> list[Label]:
    last: dict[tuple[str, str, str], Label] = {}
    for label in labels:
        key = (label.pair, label.annotator, label.criterion)
        other = last.get(key)
        if other is not None and other.revision == label.revision:
            raise JoinError(
                f"{label.annotator} labelled pair '{label.pair}' twice on '{label.criterion}' in revision {label.revision}",
                hint="number later answers with a higher revision, or keep one of them.",
            )
        if other is None or other.revision < label.revision:
            last[key] = label
    return sorted(last.values(), key=lambda label: (label.pair, label.annotator, label.criterion))


def _unblinded(label: Label) -> bool:
    return label.unblinded or "unblinded" in label.flags


def _flagged(label: Label) -> bool:
    return any(flag != "simulated" for flag in label.flags)


def _labels(count: int) -> str:
    return f"{count:,} label{'' if count == 1 else 's'}"
