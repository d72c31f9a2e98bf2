"""What the judges said so far: stored readings completed and resolved into verdicts, some pairs at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from judge.domain import OVERALL, Pair, Reading, Verdict
from judge.judging import asked, asked_again, complete, complete_verdicts, is_planned, jury, order_again, scope_of, verdicts
from judge.store import judging as store
from judge.workflow.workspace import Opened

Said = TypeVar("Said", Reading, Verdict)

_PART: Final = 1000  # pairs whose readings are held at a time
_FILES: Final = ("calls", "verdicts")  # judges whose answers came in a file: they are planned as the file shows


def judged(work: Opened) -> tuple[list[Reading], list[Verdict]]:
    """Give what the judges said so far about the study's pairs: completed readings, and verdicts with the jury's.

    Rebuilt from stored readings at any time; a pair that was not judged yet is absent, never a tie.
    """
    readings: list[Reading] = []
    said: list[Verdict] = []
    for _, read, spoken in judged_in_parts(work):
        readings += read
        said += spoken
    return readings, said


def judged_in_parts(work: Opened) -> Iterator[tuple[tuple[Pair, ...], list[Reading], list[Verdict]]]:
    """Give the same for some pairs after others: (pairs, readings, verdicts); no more than that is held."""
    sources = work.sources
    asked_by_us = {work.judges[name]: name for name, judge in work.study.judges.items() if judge.source not in _FILES}
    spoken = {work.judges[name]: name for name, judge in work.study.judges.items() if judge.source == "calls"}
    given = {work.judges[name]: name for name in sources.verdicts}
    with work.database.read() as tx:
        of_files = store.readings(tx, work.record.id, dict.fromkeys(work.asked_by, work.rubric), spoken)
        concluded = store.verdicts(tx, work.record.id, work.asked_by, given)
    scope = scope_of(work.whole.pairs, of_files, concluded, dict.fromkeys(asked_by_us.values(), _criteria(work)))
    again = {pair.id: order_again(pair) for pair in asked_again(sources.pairs)}
    read_by_pair, given_by_pair = _by_pair(of_files), _by_pair(concluded)
    for start in range(0, len(sources.pairs), _PART):
        part = sources.pairs[start : start + _PART]
        ids = [pair.id for pair in part]
        with work.database.read() as tx:
            said_by_us = store.readings(tx, work.record.id, work.rubrics(part), asked_by_us)
        kept = [one for one in said_by_us if is_planned(one, work.study.judges[one.judge], again)]
        readings = complete([*kept, *_of(read_by_pair, ids)], part, scope)
        said = [*verdicts(readings, part, scope), *complete_verdicts(_of(given_by_pair, ids), part, scope)]
        yield part, readings, [*said, *jury(said, scope)]


def _criteria(work: Opened) -> tuple[str, ...]:
    """Name every criterion that is asked about some pair of the study."""
    rubric = work.sources.rubric
    if rubric is None:
        return (OVERALL,)
    longest = max((example.checklist for example in work.whole.examples.values()), key=len, default=())
    return tuple(question.id for question in asked(rubric, longest))


def _by_pair(said: Iterable[Said]) -> Mapping[str, list[Said]]:
    found: dict[str, list[Said]] = {}
    for one in said:
        found.setdefault(one.pair, []).append(one)
    return found


def _of(by_pair: Mapping[str, list[Said]], ids: Iterable[str]) -> list[Said]:
    return [one for id_ in ids for one in by_pair.get(id_, ())]
