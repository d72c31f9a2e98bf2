"""A review room without pages: one study with an open round, people who sit in it, and what the tables say."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from judge import access, data, desk, review
from judge.domain import Criterion, Example, Message, Pair, Rubric
from judge.store import review as sample_store
from judge.store import study as study_store
from judge.store.database import Database
from judge.store.opening import open_database

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
CRITERIA = (Criterion(id="right", question="Is it right?"), Criterion(id="polite", question="Polite", check=True))
RUBRIC = Rubric(name="short", task="Somebody asked.", overall="Which would you rather get?", criteria=CRITERIA)
NAMES = itertools.count()
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def pairs(n: int, first: int = 0) -> list[Pair]:
    """Pairs whose texts say which arm is which: A5, B5."""
    return [
        Pair(
            id=f"e{i}/tuned",
            example=Example(id=f"e{i}", messages=(Message(role="user", content=f"Question {i}?"),), reference=f"R{i}"),
            text_a=f"A{i}",
            text_b=f"B{i}",
            model_a="base",
            model_b="tuned",
        )
        for i in range(first, first + n)
    ]


def subject_of(
    tx: Any,
    texts: Sequence[Pair],
    *,
    name: str | None = None,
    strata: Mapping[str, str] | None = None,
    rubric: Rubric | None = RUBRIC,
) -> review.Subject:
    """Begin a study of these pairs with its order drawn."""
    study = study_store.open_study(tx, name or f"s{next(NAMES)}", START)
    digests = {data.pair_digest(pair): pair for pair in texts}
    study_store.put_pairs(tx, study.id, [(digest, "tuned", pair) for digest, pair in digests.items()])
    order = review.sampling_order([pair.id for pair in texts], strata or {}, study.secret)
    named = {pair.id: digest for digest, pair in digests.items()}
    sample_store.put_sampled(tx, study.id, [(named[one.pair], one.stratum, one.half) for one in order])
    return review.Subject(
        id=study.id, name=study.name, secret=study.secret, pairs=digests, rubric=rubric, rubric_digest="r" * 64
    )


@dataclass
class Room:
    """Everything one test does to one round.  `tx` set: all in that transaction; else each step in one of its own."""

    database: Database
    subject: review.Subject
    now: datetime = START
    tx: Any = None
    votes: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def step(self) -> Iterator[Any]:
        if self.tx is not None:
            with self.tx.begin_nested():  # what fails leaves nothing, as on the write queue
                yield self.tx
        else:
            with self.database.write() as tx:
                yield tx

    # --- The owner ---------------------------------------------------------------------------------------------------

    def open_round(self, n: int, *, wanted: int = 2, seats: int = 8, mirrored: bool = False) -> review.Drawn:
        with self.step() as tx:
            return review.open_round(tx, self.subject, self.now, n=n, wanted=wanted, seats=seats, mirrored=mirrored)

    def extend(self, **wish: int) -> review.Drawn:
        with self.step() as tx:
            return review.extend(tx, self.subject, **wish)

    def close(self, *, incomplete: bool = False, looked: bool = False) -> tuple[int, int]:
        with self.step() as tx:
            return review.close(tx, self.subject.id, incomplete=incomplete, looked=looked)

    def join(self, name: str = "Ann") -> str:
        """Somebody comes in by a link of their own; gives their id."""
        with self.step() as tx:
            secret = access.invite(tx, self.subject.name, "annotator", self.now)
            return access.redeem(tx, secret, name, None, self.now).person

    # --- The annotator -----------------------------------------------------------------------------------------------

    def open(self, person: str) -> desk.Desk:
        with self.step() as tx:
            found = desk.open_desk(tx, self.subject.name, person, self.now)
        assert found is not None
        return found

    def vote(self, person: str, task: desk.Task | str, choice: Any = "left", **given: Any) -> desk.Voted:
        token = task if isinstance(task, str) else task.token
        said = {name: given.pop(name) for name in ("criteria", "comment") if name in given}
        named = {"client_id": f"{person}-{next(self.votes)}"} | given
        with self.step() as tx:
            vote = desk.Vote(task=token, answers=desk.Answers(choice=choice, **said), **named)
            return desk.vote(tx, self.subject.name, person, vote, self.now)

    def draft(self, person: str, task: desk.Task | str, **said: Any) -> None:
        token = task if isinstance(task, str) else task.token
        with self.step() as tx:
            desk.save_draft(tx, self.subject.name, person, token, desk.Answers(**said), self.now)

    def take_back(self, person: str) -> desk.Task:
        with self.step() as tx:
            return desk.take_back(tx, self.subject.name, person, self.now)

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def finish(self, person: str, choice: Any = "left") -> int:
        """Vote on all that lies on a person's desk; give how many that were."""
        done = 0
        while (task := self.open(person).current) is not None:
            self.vote(person, task, choice)
            done += 1
        return done

    # --- The tables --------------------------------------------------------------------------------------------------

    def rows(self, query: str, **values: Any) -> list[Any]:
        if self.tx is not None:
            return list(self.tx.connection().execute(text(query), values))
        with self.database.read() as tx:
            return list(tx.connection().execute(text(query), values))

    def tasks(self) -> list[Any]:
        query = "SELECT task.* FROM task JOIN round ON round.token = task.round WHERE round.study = :s"
        return self.rows(f'{query} ORDER BY task.seat, task."position"', s=self.subject.name)

    def state(self, task: desk.Task | str) -> str:
        token = task if isinstance(task, str) else task.token
        return next(row.state for row in self.tasks() if row.token == token)

    def taken(self) -> dict[str, int]:
        query = "SELECT item, taken FROM quota WHERE round IN (SELECT token FROM round WHERE study = :s)"
        return {row.item: row.taken for row in self.rows(query, s=self.subject.name)}

    def labels(self, task: desk.Task | str | None = None) -> list[Any]:
        token = task if isinstance(task, str) or task is None else task.token
        query = "SELECT label.* FROM label JOIN task ON task.token = label.task JOIN round ON round.token = task.round"
        found = self.rows(f"{query} WHERE round.study = :s ORDER BY label.id", s=self.subject.name)
        return [row for row in found if token in (None, row.task)]

    def ledger(self) -> Ledger:
        wanted = {row.item: row.wanted for row in self.rows("SELECT item, wanted FROM quota")}
        return Ledger.of(self.tasks(), self.labels(), self.taken(), wanted)


@dataclass(frozen=True)
class Ledger:
    """The round's books, counted anew from its rows."""

    taken: Mapping[str, int]  # what the quota says
    wanted: Mapping[str, int]
    places: Mapping[str, int]  # tasks that hold a place: in hand, or with a label that counts
    counted: Mapping[str, int]  # labels that count: last revisions that are neither skipped nor late

    @classmethod
    def of(cls, tasks: Sequence[Any], labels: Sequence[Any], taken: Mapping[str, int], wanted: Mapping[str, int]) -> Ledger:
        last = {row.task: row for row in labels}  # in order of arrival
        counts = {token for token, row in last.items() if row.choice != "skip" and "late" not in row.flags}
        places: Counter[str] = Counter()
        counted: Counter[str] = Counter()
        for task in tasks:
            places[task.item] += task.state in ("held", "ahead") or task.token in counts
            counted[task.item] += task.token in counts
        return cls(taken, {item: wanted[item] for item in taken}, dict(places), dict(counted))

    def check(self) -> None:
        """Raise AssertionError when the books do not balance."""
        assert self.taken == self.places
        assert all(self.taken[item] <= self.wanted[item] for item in self.taken)
        assert all(self.counted[item] <= self.wanted[item] for item in self.taken)


def database_of(request: Any) -> Iterator[Database]:
    """One database for a module's tests, each of which begins a study of its own; the body of a fixture.

    request.param: sqlite or postgres.
    """
    if request.param == "sqlite":
        database = open_database(request.getfixturevalue("tmp_path_factory").mktemp("desk") / "judge.db")
        yield database
        database.close()
        return
    server = request.getfixturevalue("postgres_server")
    name = f"d{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    database = open_database(server.get_uri(name))
    yield database
    database.close()
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
