"""From readings to a verdict: the rules that turn what a judge said in both orders, perhaps repeatedly, into one value.

| basis     | when                                     | value                     |
| --------- | ---------------------------------------- | ------------------------- |
| agreed    | all planned orders give the same value   | that value                |
| split     | they do not                              | tie                       |
| single    | one order was planned (files only)       | its value                 |
| one_order | two planned, one usable                  | missing; the score stays  |
| identical | both texts are equal: no call was made   | tie                       |
| unscored  | nothing usable                           | missing, with the reason  |

Missing is never a tie.  The score is the mean over usable calls, 1 when all say b.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from judge.domain import JURY, ORDERS, OVERALL, SCORE, Order, Pair, Preference, Reading, Reason, Verdict

Cell: TypeAlias = tuple[str, str, str]  # judge, pair, criterion
_SPLIT: Final = "split"


def preference_of_check(a_pass: bool | None, b_pass: bool | None) -> Preference | None:
    """The side that alone passes is preferred, else tie; missing when either side is."""
    if a_pass is None or b_pass is None:
        return None
    if a_pass == b_pass:
        return "tie"
    return "a" if a_pass else "b"


class Habit(NamedTuple):
    """How a judge is planned: on which criteria, and whether about every pair in both orders, else in each pair's own."""

    criteria: Collection[str]
    both: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is planned, which takes all pairs to know: for resolving a part of them.

    habits: of judges by name.  kinds: (judge, criterion) of which files of verdicts speak.  own_checks: some example has
    checks of its own, so that criteria of their names concern no other.
    """

    habits: Mapping[str, Habit]
    kinds: Sequence[tuple[str, str]] = ()
    own_checks: bool = False

    def judges(self, criterion: str) -> int:
        """Count the judges that speak of a criterion."""
        asked = {judge for judge, habit in self.habits.items() if criterion in habit.criteria}
        return len(asked | {judge for judge, spoken in self.kinds if spoken == criterion})

    def concerns(self, criterion: str, pair: Pair) -> bool:
        """Say whether judges are asked about a pair on this criterion."""
        return not self.own_checks or pair.example.concerns(criterion)


def scope_of(
    pairs: Iterable[Pair],
    readings: Iterable[Reading] = (),
    verdicts: Iterable[Verdict] = (),
    planned: Mapping[str, Collection[str]] | None = None,
) -> Scope:
    """Tell what is planned about all pairs.

    planned: judges that are asked about every pair in both orders, with their criteria, whether a row came back or not.
    Any other judge is planned in both orders once any of its pairs has rows in both, else each pair in its own order, on
    every criterion it ever spoke of.
    """
    criteria: dict[str, dict[str, None]] = defaultdict(dict)
    orders: dict[tuple[str, str], set[Order]] = defaultdict(set)
    for reading in readings:
        criteria[reading.judge][reading.criterion] = None
        orders[reading.judge, reading.pair].add(reading.order)
    both = {judge for (judge, _), seen in orders.items() if len(seen) == 2}
    habits = {judge: Habit(criteria=list(spoken), both=judge in both) for judge, spoken in criteria.items()}
    return Scope(
        habits=habits | {judge: Habit(criteria=spoken, both=True) for judge, spoken in (planned or {}).items()},
        kinds=sorted({(verdict.judge, verdict.criterion) for verdict in verdicts}),
        own_checks=any(pair.example.checklist for pair in pairs),
    )


def complete(readings: Sequence[Reading], pairs: Sequence[Pair], scope: Scope | None = None) -> list[Reading]:
    """Add one absent reading for each planned order in which a pair has no row.  Pairs of equal texts need no call.

    scope: what is planned; told from these readings and pairs unless given.
    """
    scope = scope or scope_of(pairs, readings)
    cells = by_cell(readings)
    added: list[Reading] = []
    for judge, habit in sorted(scope.habits.items()):
        for pair in pairs:
            for criterion in habit.criteria:
                there = cells.get((judge, pair.id, criterion), [])
                if there or (not pair.identical and scope.concerns(criterion, pair)):
                    added += _absent(pair.id, judge, criterion, there, habit.both)
    return [*readings, *added]


def _absent(pair: str, judge: str, criterion: str, there: Sequence[Reading], both: bool) -> list[Reading]:
    seen = {reading.order for reading in there}
    planned = ORDERS if both else (tuple(seen) or ORDERS[:1])
    repeat = min((reading.repeat for reading in there), default=1)
    return [
        Reading(pair=pair, judge=judge, criterion=criterion, order=order, repeat=repeat, value=None, reason="absent")
        for order in planned
        if order not in seen
    ]


def by_cell(readings: Iterable[Reading]) -> dict[Cell, list[Reading]]:
    """Group readings by judge, pair and criterion."""
    cells: dict[Cell, list[Reading]] = defaultdict(list)
    for reading in readings:
        cells[reading.judge, reading.pair, reading.criterion].append(reading)
    return cells


def verdicts(readings: Sequence[Reading], pairs: Sequence[Pair], scope: Scope | None = None) -> list[Verdict]:
    """Resolve completed readings into one verdict for each judge, pair and criterion; a jury is not added here.

    scope: as for `complete`.
    """
    scope = scope or scope_of(pairs, readings)
    cells = by_cell(readings)
    return [
        resolve(pair.id, judge, criterion, cells.get((judge, pair.id, criterion), []))
        for judge, habit in sorted(scope.habits.items())
        for pair in pairs
        for criterion in habit.criteria
        if (judge, pair.id, criterion) in cells or (pair.identical and scope.concerns(criterion, pair))
    ]


def resolve(pair: str, judge: str, criterion: str, readings: Sequence[Reading]) -> Verdict:
    """Resolve the readings of one judge about one pair and criterion.

    readings: every cell that was planned, absent ones included, so that their orders are the planned orders.  None at all
    means that both texts are equal.  Only repeats that were asked in every planned order count.
    """
    if not readings:
        return Verdict(pair=pair, judge=judge, criterion=criterion, value="tie", score=0.5, basis="identical")
    counted = _common_repeats(readings)
    usable = [reading for reading in counted if reading.value is not None]
    score = sum(SCORE[reading.value] for reading in usable if reading.value) / len(usable) if usable else None
    value, basis, reason = _conclude(counted)
    passes = _passes(usable, value)
    return Verdict(
        pair=pair,
        judge=judge,
        criterion=criterion,
        value=value,
        basis=basis,
        reason=reason,
        score=score,
        rubric=readings[0].rubric,
        a_pass=passes[0],
        b_pass=passes[1],
    )


def _common_repeats(readings: Sequence[Reading]) -> list[Reading]:
    asked: dict[Order, set[int]] = defaultdict(set)
    for reading in readings:
        asked[reading.order].add(reading.repeat)
    common = set.intersection(*asked.values())
    return [reading for reading in readings if reading.repeat in common]


def _conclude(
    readings: Sequence[Reading],
) -> tuple[Preference | None, Literal["agreed", "split", "single", "one_order", "unscored"], Reason | None]:
    planned = {reading.order for reading in readings}
    by_order = {order: _value_of(reading for reading in readings if reading.order == order) for order in planned}
    usable = [value for value in by_order.values() if value is not None]
    if not usable:
        return None, "unscored", _commonest_reason(readings)
    if len(usable) < len(planned):
        return None, "one_order", "one_order"
    first = usable[0]
    if first == _SPLIT or any(value != first for value in usable):
        return "tie", "split", None
    return first, "single" if len(planned) == 1 else "agreed", None


def _value_of(readings: Iterable[Reading]) -> Preference | Literal["split"] | None:
    """Give an order's value: the unique most frequent of its usable repeats."""
    counts = Counter(reading.value for reading in readings if reading.value is not None)
    if not counts:
        return None
    (value, most), *others = counts.most_common()
    return _SPLIT if others and others[0][1] == most else value


def _commonest_reason(readings: Sequence[Reading]) -> Reason:
    """Give the most frequent reason; without readings, as when a run stopped between the repeats, there was no answer."""
    counts = Counter(reading.reason or "unstated" for reading in readings)
    return min(counts, key=lambda reason: (-counts[reason], reason), default="absent")


def _passes(said: Sequence[Reading | Verdict], value: Preference | None) -> tuple[bool | None, bool | None]:
    """Give which side passed a check, where all say the same of both sides and the value follows from it."""
    seen = {(one.a_pass, one.b_pass) for one in said}
    if len(seen) != 1:
        return None, None
    a_pass, b_pass = seen.pop()
    return (a_pass, b_pass) if preference_of_check(a_pass, b_pass) == value else (None, None)


def jury(verdicts: Sequence[Verdict], scope: Scope | None = None) -> list[Verdict]:
    """Let two judges or more speak together: one verdict for each pair and criterion, by the name `jury`.

    The jury on a criterion are the judges that speak of it.  No more than half of them usable: unscored, `no_quorum`.  A
    value held by more than half of the usable is the jury's, else a tie with basis split.  The score is the mean of the
    usable judges' scores.
    scope: what is planned, by judges who may have no verdict here; those who have one are all unless given.
    """
    scope = scope or Scope(habits={}, kinds=sorted({(verdict.judge, verdict.criterion) for verdict in verdicts}))
    groups: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[verdict.pair, verdict.criterion].append(verdict)
    jurors = {criterion: scope.judges(criterion) for criterion in {criterion for _, criterion in groups}}
    return [_together(members, jurors[criterion]) for (_, criterion), members in groups.items() if jurors[criterion] > 1]


def _together(members: Sequence[Verdict], judges: int) -> Verdict:
    first = members[0]
    usable = [member for member in members if member.value is not None]
    if 2 * len(usable) <= judges:
        return Verdict(
            pair=first.pair,
            judge=JURY,
            criterion=first.criterion,
            value=None,
            basis="unscored",
            reason="no_quorum",
            rubric=first.rubric,
        )
    counts = Counter(member.value for member in usable)
    value, most = counts.most_common(1)[0]
    scores = [SCORE[member.value] if member.score is None else member.score for member in usable if member.value]
    agreed = 2 * most > len(usable)
    identical = all(member.basis == "identical" for member in members)
    passes = _passes(usable, value if agreed else "tie")
    return Verdict(
        pair=first.pair,
        judge=JURY,
        criterion=first.criterion,
        value=value if agreed else "tie",
        basis="identical" if identical else "agreed" if agreed else "split",
        score=sum(scores) / len(scores),
        rubric=first.rubric,
        a_pass=passes[0],
        b_pass=passes[1],
    )


def complete_verdicts(verdicts: Sequence[Verdict], pairs: Sequence[Pair], scope: Scope | None = None) -> list[Verdict]:
    """Add what a file of verdicts leaves out: an absent verdict for each pair, a tie where both texts are equal.

    scope: what is planned; told from these verdicts and pairs unless given.
    """
    scope = scope or scope_of(pairs, verdicts=verdicts)
    there = {(verdict.judge, verdict.pair, verdict.criterion) for verdict in verdicts}
    added = [
        resolve(pair.id, judge, criterion, [])
        if pair.identical
        else Verdict(pair=pair.id, judge=judge, criterion=criterion, value=None, basis="unscored", reason="absent")
        for judge, criterion in scope.kinds
        for pair in pairs
        if (judge, pair.id, criterion) not in there and scope.concerns(criterion, pair)
    ]
    return [*verdicts, *added]


def strata(verdicts: Iterable[Verdict]) -> Mapping[str, str]:
    """Give each pair its stratum for sampling: the value of the only judge or the jury, `split`, or `unscored`."""
    spoken = [verdict for verdict in verdicts if verdict.criterion == OVERALL]
    names = {verdict.judge for verdict in spoken}
    speaker = JURY if JURY in names else min(names, default=None)
    return {
        verdict.pair: "split" if verdict.basis == "split" else verdict.value or "unscored"
        for verdict in spoken
        if verdict.judge == speaker
    }
