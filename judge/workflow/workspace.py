"""Where a study's database is, and how a study's files come into it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from judge import access, data
from judge.clock import Clock
from judge.domain import Example, Judge, Label, Pair, Rubric
from judge.errors import JoinError
from judge.ids import digest
from judge.rubric import rubric_digest
from judge.store import review as label_store
from judge.store import study as study_store
from judge.store.database import Database
from judge.store.opening import open_database
from judge.study import Study, arm_digest, compare_lock, judge_digest, study_digest, test_set_digest
from judge.workflow.sources import Sources

if TYPE_CHECKING:
    from judge.store.database import Transaction

OWN_LABELS: Final = "labels"  # the source of what the study's own key names, wherever that file lies
NO_RUBRIC = digest("rubric", None)  # readings that were imported without a rubric hang on this


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A study in its workspace: what its files say, stored under the digests of what made it."""

    sources: Sources
    whole: Sources  # the same without the limit of a trial
    database: Database
    clock: Clock
    record: study_store.StudyRecord
    digest: str
    rubric: str
    judges: Mapping[str, str]  # name -> digest
    arms: Mapping[str, str]
    pairs: Mapping[str, str]
    asked_by: Mapping[str, str]  # by pair, those outside a trial too: the rubric, with the example's own checks after it

    @property
    def study(self) -> Study:
        """The study file's contents."""
        return self.sources.study

    @property
    def trial(self) -> bool:
        """Only a part of the examples is looked at."""
        return self.sources is not self.whole

    def rubrics(self, pairs: Iterable[Pair]) -> dict[str, str]:
        """Name what judges are asked by about pairs, by their ids."""
        return {pair.id: self.asked_by[pair.id] for pair in pairs}


def database_place(study: Study, given: str | None) -> str:
    """Say where the database is: as given, else JUDGE_DB, else `.judge/judge.db` beside the study."""
    return given or os.environ.get("JUDGE_DB") or str(study.folder / ".judge" / "judge.db")


@contextmanager
def opened(sources: Sources, place: str, clock: Clock, *, limit: int | None = None) -> Iterator[Opened]:
    """Open the workspace, bring the study's files into it, and close it at the end; see `brought_in`."""
    database = open_database(place)
    try:
        yield brought_in(sources, database, clock, limit=limit)
    finally:
        database.close()


def brought_in(sources: Sources, database: Database, clock: Clock, *, limit: int | None = None) -> Opened:
    """Bring a study's files into an open database; all of them or, after an error, nothing.

    limit: a trial on so many examples; the whole test set is locked nevertheless.
    Raises LockedError when the test set is not what it was at first use.
    """
    names = _names(sources)
    with database.write() as tx:
        record = study_store.open_study(tx, sources.study.name, clock())
        _lock(tx, record, sources, clock)
        _put(tx, record, sources, names, clock)
    return Opened(
        sources=sources if limit is None else sources.limited(limit),
        whole=sources,
        database=database,
        clock=clock,
        record=record,
        digest=names.study,
        rubric=names.rubric,
        judges=names.judges,
        arms=names.arms,
        pairs=names.pairs,
        asked_by={pair.id: _asked_by(names.rubric, sources.rubric, pair.example) for pair in sources.pairs},
    )


def _asked_by(named: str, rubric: Rubric | None, example: Example) -> str:
    """Name what judges are asked by about an example: the rubric, with the example's own checks where it asks for them.

    The checks change the question as a whole, so that no answer to another list of checks may count.
    """
    if rubric is None or not rubric.checklist or not example.checklist:
        return named
    return f"{named}.{digest('checklist', list(example.checklist))[:16]}"


def asked_parts(name: str) -> tuple[str, str]:
    """Take such a name apart: the rubric's digest and that of the example's own checks, empty where there are none."""
    rubric, _, checks = name.partition(".")
    return rubric, checks


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    study: str
    rubric: str
    judges: Mapping[str, str]
    arms: Mapping[str, str]
    pairs: Mapping[str, str]


def _names(sources: Sources) -> _Names:
    study = sources.study
    pairs = _pair_names(sources.pairs)
    arms = {
        name: sources.arm_digests.get(name) or arm_digest(arm, sources.outputs.get(name)) for name, arm in sources.arms.items()
    }
    test_set = digest("pairs", sorted(pairs.items())) if study.pairs else test_set_digest(sources.examples.values())
    return _Names(
        study=study_digest(study, test_set=test_set, arms=arms),
        rubric=rubric_digest(study.rubric) if study.rubric else NO_RUBRIC,
        judges={judge.name: _judge_name(judge, sources) for judge in study.judges.values()},
        arms=arms,
        pairs=pairs,
    )


def _pair_names(pairs: Sequence[Pair]) -> dict[str, str]:
    """Name every pair by what it holds; twins, whose example and texts are all equal, also by their ids.

    Two models may give the very same answer, and a file may still hold other labels for each.
    """
    named = {pair.id: data.pair_digest(pair) for pair in pairs}
    counts = Counter(named.values())
    return {id_: name if counts[name] == 1 else _twin(name, id_) for id_, name in named.items()}


def _twin(name: str, pair: str) -> str:
    return digest("pair twin", [name, pair])


def _judge_name(judge: Judge, sources: Sources) -> str:
    """Name a judge; one that is read from a file is bound to what the file says, so that an edited file is another judge."""
    named = judge_digest(judge, judge_first=bool(sources.rubric and sources.rubric.judge_first))
    rows = [
        *([r.pair, r.order, r.repeat, r.text, r.error, r.finish, r.rubric] for r in sources.recordings.get(judge.name, ())),
        *(
            [r.pair, r.criterion, r.order, r.repeat, r.value, r.reason, r.a_pass, r.b_pass, r.rationale]
            for r in sources.readings.get(judge.name, ())
        ),
        *(
            [v.pair, v.criterion, v.value, v.score, v.basis, v.reason, v.a_pass, v.b_pass]
            for v in sources.verdicts.get(judge.name, ())
        ),
    ]
    return digest("judge file", [named, sorted(rows, key=lambda row: [str(part) for part in row])]) if rows else named


def _lock(tx: Transaction, record: study_store.StudyRecord, sources: Sources, clock: Clock) -> None:
    now = {id_: (data.example_digest(example), example) for id_, example in sources.examples.items()}
    locked = study_store.locked_examples(tx, record.id)
    if locked:
        file = sources.study.pairs or sources.study.test
        compare_lock(locked, {id_: name for id_, (name, _) in now.items()}, path=file, since=record.locked_at)
    study_store.lock_examples(tx, record.id, now, clock())


def _put(tx: Transaction, record: study_store.StudyRecord, sources: Sources, names: _Names, clock: Clock) -> None:
    study = sources.study
    config = dict(study.config)
    arms = [(arm, names.arms[name]) for name, arm in sources.arms.items()]
    study_store.put_arms(tx, record.id, arms, config.get("arms", {}))
    _note_openings(tx, sources, names, clock)
    for name, outputs in sources.outputs.items():
        study_store.put_outputs(tx, record.id, names.arms[name], outputs)
    if study.rubric:
        study_store.put_rubric(tx, names.rubric, study.rubric)
    side = {candidate.name for candidate in sources.candidates}
    pairs = [(names.pairs[pair.id], pair.model_b if pair.model_b in side else next(iter(side)), pair) for pair in sources.pairs]
    study_store.put_pairs(tx, record.id, [(name, candidate or "b", pair) for name, candidate, pair in pairs])
    study_store.put_judges(tx, record.id, [(judge, names.judges[judge.name]) for judge in study.judges.values()])
    put_labels(tx, record, OWN_LABELS, sources.labels, sources.pairs, names.pairs, at=study.labels)
    if sources.scores:
        label_store.put_scores(tx, record.id, sources.scores)


def _note_openings(tx: Transaction, sources: Sources, names: _Names, clock: Clock) -> None:
    """Note each arm whose outputs meet the test set for the first time; one without outputs has met nothing yet."""
    met = [opening.what for opening in access.openings(tx, sources.study.name)]
    for arm, made_of in names.arms.items():
        opening = {"arm": arm, "digest": made_of}
        if sources.outputs.get(arm) and opening not in met:
            access.note(tx, sources.study.name, access.OPENING, clock, opening)


def put_labels(
    tx: Transaction,
    record: study_store.StudyRecord,
    source: str,
    labels: Sequence[Label],
    pairs: Sequence[Pair],
    names: Mapping[str, str],
    *,
    at: Path | None,
) -> None:
    """Keep the labels of one source, `OWN_LABELS` or an imported file, in place of what it said before.

    A label that the source gave before, word for word, stays with the texts that it was given about, whatever the pair of
    that name holds today.  Raises JoinError when another source holds one of them already.
    """
    before, others = label_store.labelled_texts(tx, record.id, source), label_store.label_sources(tx, record.id)
    labelled = {label.pair for label in labels}
    texts = {pair.id: data.pair_digest(pair) for pair in pairs if pair.id in labelled}
    put = []
    for label in labels:
        today, then = names[label.pair], before.get(label)
        name = today if then in (None, texts[label.pair], _twin(texts[label.pair], label.pair)) else then
        _refuse_twice(others.get((name, label.annotator, label.criterion, label.kind, label.revision)), source, label, at)
        put.append((name, label))
    label_store.put_labels(tx, record.id, source, put)


def _refuse_twice(other: str | None, source: str, label: Label, at: Path | None) -> None:
    if other in (None, source):
        return
    where = "the study's own labels" if other == OWN_LABELS else Path(str(other)).name
    raise JoinError(
        f"{label.annotator}'s label of pair '{label.pair}' on '{label.criterion}' is already in {where}",
        at=at,
        hint="number a later answer with a higher revision, or take it out of one of the files",
    )
