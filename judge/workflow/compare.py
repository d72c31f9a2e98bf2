"""Every pair to every judge: plan, calls, readings, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from judge.calls import Settings
from judge.domain import JURY, MODELS, OVERALL, Notice, Reading
from judge.ids import digest
from judge.store import judging as store
from judge.workflow.answering import Asked, Progress
from judge.workflow.asking import ask
from judge.workflow.resolving import judged_in_parts
from judge.workflow.workspace import Opened

if TYPE_CHECKING:
    from judge.workflow.costs import Given
    from judge.workflow.findings import Reasons

IMPORTED = "imported"  # the parser's name of readings that came from a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Asked):
    """What came of asking the judges; unscored: verdicts on `overall` without a value.

    by_judge: US dollars that each judge has cost so far, earlier runs included; repeats: what of it was for repeats.
    """

    unscored: int = 0
    by_judge: Mapping[str, float] = field(default_factory=dict)
    repeats: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the counts for programs."""
        return {
            **Asked.to_json(self),
            "unscored": self.unscored,
            "by_judge": {name: round(usd, 6) for name, usd in self.by_judge.items()},
            "repeats": {name: round(usd, 6) for name, usd in self.repeats.items()},
            "warnings": [{"code": notice.code, "text": notice.text} for notice in self.notices],
        }


def compare(
    work: Opened, progress: Progress | None = None, settings: Settings | None = None, *, retry: bool = False
) -> Compared:
    """Ask every judge of the study about every pair in both orders, and resolve what they said.

    What is answered already is not asked again; `retry` asks once more where no answer could be used.  Raises Parked,
    JudgeError or StoreError; everything answered until then is kept, read and resolved.
    """
    judges = list(work.study.judges.values())
    asking = [judge for judge in judges if judge.source == "recorded" or judge.source in MODELS]
    rubric = work.sources.rubric
    _keep_files(work)
    try:
        said = Asked()
        if rubric and asking:
            said = ask(work, asking, rubric, progress, settings or Settings(), retry=retry)
    finally:
        found = _conclude(work)
    from judge.workflow.costs import cost_of
    from judge.workflow.findings import repaired, unknown_criteria

    cost = cost_of(work, found.given, work.pairs)
    return Compared(
        **asdict(said),
        by_judge=cost.by_judge,
        repeats=cost.repeats,
        unscored=found.unscored,
        notices=(
            *_other_rubric(work),
            *unknown_criteria(work.sources),
            *repaired(work, work.sources.pairs),
            *found.reasons.notices(),
        ),
    )


def _keep_files(work: Opened) -> None:
    """Keep the readings and verdicts of judges whose answers came in a file."""
    for readings in work.sources.readings.values():
        read = [(_cell_of(work, reading), reading) for reading in readings if reading.pair in work.pairs]
        with work.database.write() as tx:
            store.put_asks(tx, [cell for cell, _ in read])
            store.put_readings(tx, [(cell, reading, IMPORTED) for cell, reading in read])
    given = [verdict for verdicts in work.sources.verdicts.values() for verdict in verdicts]
    if given:
        with work.database.write() as tx:
            store.put_verdicts(tx, work.asked_by, work.judges, given, work.pairs, work.clock())


def _cell_of(work: Opened, reading: Reading) -> store.Cell:
    return store.Cell(
        pair=work.pairs[reading.pair],
        judge=work.judges[reading.judge],
        rubric=work.rubric,
        criterion=reading.criterion,
        order=reading.order,
        repeat=reading.repeat,
    )


@dataclass(slots=True)
class _Concluded:
    """What the verdicts and readings come to."""

    reasons: Reasons
    given: Given
    unscored: int = 0


def _conclude(work: Opened) -> _Concluded:
    """Resolve what the judges said and keep their verdicts, some pairs at a time."""
    from judge.workflow.costs import Given  # what both need is not waited for before the first call
    from judge.workflow.findings import Reasons

    found = _Concluded(Reasons(), Given(work))
    names = {**work.judges, JURY: digest("jury", sorted(work.judges.values()))}
    for _, readings, verdicts in judged_in_parts(work):
        spoken = [verdict for verdict in verdicts if verdict.judge not in work.sources.verdicts]
        with work.database.write() as tx:
            store.put_verdicts(tx, work.asked_by, names, spoken, work.pairs, work.clock())
        found.unscored += sum(v.value is None and v.criterion == OVERALL and v.judge != JURY for v in verdicts)
        found.reasons.add(readings)
        found.given.add(readings)
    return found


def _other_rubric(work: Opened) -> list[Notice]:
    """Warn of answers that were recorded under another version of the rubric."""
    notices = []
    for name, recordings in work.sources.recordings.items():
        others = sum(recording.rubric not in (None, work.rubric) for recording in recordings)
        if others:
            text = f"{others} of {len(recordings)} answers of judge {name} were recorded under another version of the rubric."
            notices.append(Notice(code="recorded_under_other_rubric", text=text))
    return notices
