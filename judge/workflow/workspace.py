"""Where a study's database is, and how a study's files come into it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from judge import access, data
from judge.clock import Clock
from judge.domain import Pair
from judge.store import study as study_store
from judge.store.database import Database
from judge.store.opening import open_database
from judge.study import Study, compare_lock
from judge.workflow.given_labels import OWN, put_labels
from judge.workflow.names import Names, asked_by, names_of
from judge.workflow.sources import Sources

if TYPE_CHECKING:
    from judge.store.database import Transaction


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
    names = names_of(sources)
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
        asked_by={pair.id: asked_by(names.rubric, sources.rubric, pair.example) for pair in sources.pairs},
    )


def _lock(tx: Transaction, record: study_store.StudyRecord, sources: Sources, clock: Clock) -> None:
    now = {id_: (data.example_digest(example), example) for id_, example in sources.examples.items()}
    locked = study_store.locked_examples(tx, record.id)
    if locked:
        file = sources.study.pairs or sources.study.test
        compare_lock(locked, {id_: name for id_, (name, _) in now.items()}, path=file, since=record.locked_at)
    study_store.lock_examples(tx, record.id, now, clock())


def _put(tx: Transaction, record: study_store.StudyRecord, sources: Sources, names: Names, clock: Clock) -> None:
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
    put_labels(tx, record, OWN, sources.labels, sources.pairs, names.pairs, at=study.labels)


def _note_openings(tx: Transaction, sources: Sources, names: Names, clock: Clock) -> None:
    """Note each arm whose outputs meet the test set for the first time; one without outputs has met nothing yet."""
    met = [opening.what for opening in access.openings(tx, sources.study.name)]
    for arm, made_of in names.arms.items():
        opening = {"arm": arm, "digest": made_of}
        if sources.outputs.get(arm) and opening not in met:
            access.note(tx, sources.study.name, access.OPENING, clock, opening)
