"""Every pair to every judge: plan, calls, readings, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from judge.calls import Answer, Engine, Progress, RecordedProvider
from judge.domain import JURY, OVERALL, Judge, Notice, Reading, Rubric, Verdict
from judge.errors import StudyError
from judge.ids import digest
from judge.judging import PARSER, Ask, asked, checklist_of, complete, complete_verdicts, jury, parse, plan, request, tagged
from judge.judging import verdicts as resolve_all
from judge.store import judging as store
from judge.store import study as study_store
from judge.workflow.workspace import Opened

IMPORTED = "imported"  # the parser's name of readings that came from a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What came of asking the judges."""

    calls: int
    answered: int
    from_journal: int
    unscored: int
    usd: float
    possibly_paid: int
    notices: tuple[Notice, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Give the counts for programs."""
        return {
            "calls": self.calls,
            "answered": self.answered,
            "from_journal": self.from_journal,
            "unscored": self.unscored,
            "usd": round(self.usd, 6),
            "possibly_paid": self.possibly_paid,
            "warnings": [{"code": notice.code, "text": notice.text} for notice in self.notices],
        }


def compare(work: Opened, progress: Progress | None = None) -> Compared:
    """Ask every judge of the study about every pair in both orders, and resolve what they said.

    What is answered already is not asked again.  Raises Parked or StoreError; everything answered until then is kept.
    """
    judges = list(work.study.judges.values())
    _refuse_unknown_sources(judges)
    recorded = [judge for judge in judges if judge.source == "recorded"]
    counts = Compared(calls=0, answered=0, from_journal=0, unscored=0, usd=0.0, possibly_paid=0)
    if recorded and work.sources.rubric:
        counts = _ask(work, recorded, work.sources.rubric, progress)
    _keep_files(work)
    with work.database.write() as tx:
        if work.sources.rubric and judges:
            study_store.note_judging(tx, work.rubric, work.clock())
    _, verdicts = judged(work)
    _keep_verdicts(work, verdicts)
    unscored = sum(v.value is None and v.criterion == OVERALL and v.judge != JURY for v in verdicts)
    return replace(counts, unscored=unscored, notices=(*counts.notices, *_other_rubric(work)))


def _refuse_unknown_sources(judges: Sequence[Judge]) -> None:
    for judge in judges:
        if judge.source in ("openai", "anthropic"):
            raise StudyError(
                f"judges.{judge.name}: models cannot be asked by this version",
                hint="name a file of answers with `recorded:`, `calls:` or `verdicts:`",
            )


def _ask(work: Opened, judges: Sequence[Judge], rubric: Rubric, progress: Progress | None) -> Compared:
    asks = plan_of(work, judges)
    recordings = {
        tag: recording for judge in judges for tag, recording in tagged(work.sources.recordings[judge.name], judge.name).items()
    }
    with work.database.write() as tx:
        store.put_asks(tx, [cell for ask in asks for cell in _cells(work, ask, rubric)])
    engine = Engine(work.database, {"recorded": RecordedProvider(recordings)}, work.clock)
    result = engine.submit([request(ask, rubric) for ask in asks], progress)
    _keep_readings(work, asks, result.answers, rubric)
    answered = [answer for answer in result.answers if answer is not None]
    return Compared(
        calls=len(asks),
        answered=len(answered),
        from_journal=result.from_journal,
        unscored=0,
        usd=sum(answer.cost_usd or 0.0 for answer in answered),
        possibly_paid=0,
    )


def plan_of(work: Opened, judges: Sequence[Judge]) -> list[Ask]:
    """Plan the calls of judges; a recorded judge is asked as often as its recordings say."""
    repeats = {
        name: max((recording.repeat for recording in recordings), default=1)
        for name, recordings in work.sources.recordings.items()
    }
    asks = plan(work.sources.pairs, judges, repeats)
    there = {tag for name, recordings in work.sources.recordings.items() for tag in tagged(recordings, name)}
    return [ask for ask in asks if ask.repeat == 1 or ask.tag in there]


def _cells(work: Opened, ask: Ask, rubric: Rubric, call: str | None = None) -> list[store.Cell]:
    return [
        store.Cell(
            pair=work.pairs[ask.pair.id],
            judge=work.judges[ask.judge.name],
            rubric=work.rubric,
            criterion=question.id,
            order=ask.order,
            repeat=ask.repeat,
            call=call,
        )
        for question in asked(rubric, checklist_of(ask.pair.example))
    ]


def _keep_readings(work: Opened, asks: Sequence[Ask], answers: Sequence[Answer | None], rubric: Rubric) -> None:
    read: list[tuple[store.Cell, Reading]] = []
    for ask, answer in zip(asks, answers, strict=True):
        cells = _cells(work, ask, rubric, answer.digest if answer else None)
        parsed = parse(answer, rubric, ask.order, checklist_of(ask.pair.example))
        for cell, said in zip(cells, parsed, strict=True):
            reading = Reading(
                pair=ask.pair.id,
                judge=ask.judge.name,
                criterion=said.criterion,
                order=ask.order,
                repeat=ask.repeat,
                value=said.value,
                reason=said.reason,
                rationale=said.rationale,
                a_pass=said.a_pass,
                b_pass=said.b_pass,
                rubric=work.rubric,
                model=answer.model if answer else None,
                request_id=answer.request_id if answer else None,
                tokens_in=answer.tokens_in if answer else None,
                tokens_out=answer.tokens_out if answer else None,
                cost_usd=answer.cost_usd if answer else None,
                digest=answer.digest if answer else None,
            )
            read.append((cell, reading))
    with work.database.write() as tx:
        store.put_asks(tx, [cell for cell, _ in read])
        store.put_readings(tx, read, PARSER)


def _keep_files(work: Opened) -> None:
    """Keep the readings and verdicts of judges whose answers came in a file."""
    for readings in work.sources.readings.values():
        read = [(_cell_of(work, reading), reading) for reading in readings if reading.pair in work.pairs]
        with work.database.write() as tx:
            store.put_asks(tx, [cell for cell, _ in read])
            store.put_readings(tx, read, IMPORTED)
    given = [verdict for verdicts in work.sources.verdicts.values() for verdict in verdicts]
    if given:
        with work.database.write() as tx:
            store.put_verdicts(tx, work.rubric, work.judges, given, work.pairs)


def _cell_of(work: Opened, reading: Reading) -> store.Cell:
    return store.Cell(
        pair=work.pairs[reading.pair],
        judge=work.judges[reading.judge],
        rubric=work.rubric,
        criterion=reading.criterion,
        order=reading.order,
        repeat=reading.repeat,
    )


def judged(work: Opened) -> tuple[list[Reading], list[Verdict]]:
    """Give what the judges said so far about the study's pairs: completed readings, and verdicts with the jury's.

    Rebuilt from stored readings at any time; a pair that was not judged yet is absent, never a tie.
    """
    pairs = work.sources.pairs
    there = {pair.id for pair in pairs}
    files = {work.judges[name]: name for name in work.sources.verdicts}
    questions = [question.id for question in work.sources.rubric.questions] if work.sources.rubric else [OVERALL]
    planned = {name: questions for name, judge in work.study.judges.items() if judge.source not in ("calls", "verdicts")}
    with work.database.read() as tx:
        kept = store.readings(tx, work.record.id, work.rubric, _by_digest(work, set(work.judges) - set(files.values())))
        given = store.verdicts(tx, work.record.id, work.rubric, files) if files else []
    readings = complete([reading for reading in kept if reading.pair in there], pairs, planned)
    given = complete_verdicts([verdict for verdict in given if verdict.pair in there], pairs)
    verdicts = [*resolve_all(readings, pairs), *given]
    return readings, [*verdicts, *jury(verdicts)]


def _by_digest(work: Opened, names: set[str]) -> Mapping[str, str]:
    return {work.judges[name]: name for name in names}


def _keep_verdicts(work: Opened, verdicts: Sequence[Verdict]) -> None:
    spoken = [verdict for verdict in verdicts if verdict.judge not in work.sources.verdicts]
    names = {**work.judges, JURY: digest("jury", sorted(work.judges.values()))}
    with work.database.write() as tx:
        store.put_verdicts(tx, work.rubric, names, spoken, work.pairs)


def _other_rubric(work: Opened) -> list[Notice]:
    """Warn of answers that were recorded under another version of the rubric."""
    notices = []
    for name, recordings in work.sources.recordings.items():
        others = sum(recording.rubric not in (None, work.rubric) for recording in recordings)
        if others:
            text = f"{others} of {len(recordings)} answers of judge {name} were recorded under another version of the rubric."
            notices.append(Notice(code="recorded_under_other_rubric", text=text))
    return notices
