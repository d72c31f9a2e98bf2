"""Opening envelopes: left and right become a and b here and nowhere else, at closing or for totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Literal

from judge.domain import Choice, Label
from judge.store.rounds import Opened

_STORED: Final[Mapping[tuple[str, str], Choice]] = {
    ("left", "a"): "a", ("right", "a"): "b", ("left", "b"): "b", ("right", "b"): "a",
}  # fmt: skip
_AS_SAID: Final[Mapping[str, Choice]] = {
    "tie": "tie", "both_bad": "both_bad", "cannot_judge": "cannot_judge", "skip": "skipped",
}  # fmt: skip


def to_labels(
    opened: Sequence[Opened], names: Mapping[str, str], unblinded: Mapping[str, datetime], probability: float | None
) -> list[Label]:
    """Turn opened votes into labels: one for overall, one for each criterion that was answered.

    A criterion answered before and left open in a later revision is `skipped` there: a withdrawn answer counts no more.
    opened: a person's revisions of a pair in their order.  names: person id -> name.  unblinded: when a person first saw
    pairs with their arms; what they said since is marked.  probability: with which each pair was drawn.
    """
    labels: list[Label] = []
    answered: dict[tuple[str, str], set[str]] = {}
    for one in opened:
        made = _labels(one, names, unblinded, probability)
        said = {label.criterion for label in made}
        plain = replace(made[0], choice="skipped", comment=None, seconds=None)
        withdrawn = answered.get((one.pair, one.person), set()) - said
        labels += [*made, *(replace(plain, criterion=criterion) for criterion in sorted(withdrawn))]
        answered[one.pair, one.person] = said
    return labels


def _labels(one: Opened, names: Mapping[str, str], unblinded: Mapping[str, datetime], probability: float | None) -> list[Label]:
    seen = unblinded.get(one.person)
    left: Literal["a", "b"] = "a" if one.left_is == "a" else "b"
    overall = Label(
        pair=one.pair,
        annotator=names.get(one.person, one.person),
        choice=_choice(one.choice, one.left_is),
        left=left,
        comment=one.comment or None,
        seconds=one.seconds,
        revision=one.revision,
        kind="real",
        flags=tuple(one.flags),
        unblinded=seen is not None and one.at >= seen,
        probability=probability,
        rubric=one.rubric,
    )
    if one.choice in ("skip", "cannot_judge"):
        return [overall]
    plain = replace(overall, comment=None, seconds=None)
    return [overall, *(_criterion(plain, name, said, one.left_is) for name, said in one.criteria.items() if said)]


def _choice(said: str, left_is: str) -> Choice:
    return _AS_SAID.get(said) or _STORED[said, left_is]


def _criterion(plain: Label, name: str, said: Any, left_is: str) -> Label:
    if not isinstance(said, Mapping):
        return replace(plain, criterion=name, choice=_choice(said, left_is))
    left, right = said.get("left"), said.get("right")
    a_pass, b_pass = (left, right) if left_is == "a" else (right, left)
    if a_pass is None or b_pass is None:
        choice: Choice = "skipped"  # one side is open: no preference can be read off
    else:
        choice = "tie" if a_pass == b_pass else "a" if a_pass else "b"
    return replace(plain, criterion=name, choice=choice, a_pass=a_pass, b_pass=b_pass)
