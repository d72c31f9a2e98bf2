"""A real review on a free port: database, round, invitations and the pages, from a list of texts."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from judge.access import invite
from judge.domain import Criterion, Example, Message, Pair, Rubric
from judge.ids import digest
from judge.review import Subject, close, open_round
from judge.store import review as sample_store
from judge.store import rounds
from judge.store import study as study_store
from judge.store.database import Database
from judge.store.opening import open_database
from review_ui.app import create_app
from review_ui.security import Attempts

STUDY = "helpdesk"
LONG_PROMPT = "My parcel was to come on Monday. It is Thursday now. Where is it, and what can you do for me?"
RUBRIC = Rubric(
    name="short",
    task="A customer wrote to a shop. A good answer says what is true, what happens next, and when.",
    overall="Which answer would this customer rather get?",
    people="Read both to the end before you choose. A longer answer is not a better one.",
)
CRITERIA = (
    Criterion(id="right", question="Is what it says right?"),
    Criterion(id="next", question="Does it say what happens next, and when?"),
    Criterion(id="polite", question="Polite, without empty phrases", check=True),
)


def rubric(criteria: Sequence[Criterion] = ()) -> Rubric:
    """The test rubric with these criteria."""
    return Rubric(name=RUBRIC.name, task=RUBRIC.task, overall=RUBRIC.overall, people=RUBRIC.people, criteria=tuple(criteria))


def pairs(n: int) -> list[Pair]:
    """Pairs whose texts can be told apart."""
    return [
        pair(f"Answer {i} from one side.\n\nIt has two paragraphs.", f"Answer {i} from the other side.", i) for i in range(n)
    ]


def pair(text_a: str, text_b: str, n: int = 0, turns: Sequence[str] = (LONG_PROMPT,)) -> Pair:
    """One pair."""
    messages = tuple(Message(role="assistant" if i % 2 else "user", content=turn) for i, turn in enumerate(turns))
    return Pair(id=f"p{n}", example=Example(id=f"x{n}", messages=messages), text_a=text_a, text_b=text_b)


@dataclass
class Owner:
    """The owner's verbs, made of the rooms that the pages may not see."""

    database: Database
    study_id: int
    url: str = ""

    def status(self, study: str) -> Mapping[str, Any]:
        with self.database.read() as tx:
            found = rounds.rounds(tx, self.study_id)
            if not found:
                return {"round": None, "state": None, "planned": 0, "labels": 0, "annotators": []}
            last = found[-1]
            counts, named = rounds.counts(tx, last.token), rounds.people(tx, last.token, study)
        people = [{"id": named.get(person, person), "labels": counts.get(person, 0)} for person in named]
        state = "open" if last.open else "closed"
        return {"round": last.n, "state": state, "planned": last.planned, "labels": sum(counts.values()), "annotators": people}

    def invite(self, study: str, *, uses: int, days: float, role: str) -> Mapping[str, Any]:
        with self.database.write() as tx:
            token = invite(tx, study, role, now(), uses=uses, days=days)  # type: ignore[arg-type]
        return {"link": f"{self.url}/join/{token}", "expires": "2026-12-08"}

    def close(self, study: str, *, incomplete: bool) -> Mapping[str, Any]:
        with self.database.write() as tx:
            labels, missing = close(tx, self.study_id, incomplete=incomplete, looked=True)
        return {"labels": labels, "missing": missing}

    def report_html(self, study: str, person: str) -> str:
        return "<!doctype html><title>Report</title><style>p{color:green}</style><p>The report.</p>"


@dataclass
class Site:
    """A running review."""

    url: str
    database: Database
    owner: Owner

    def link(self, role: str = "annotator", uses: int = 1) -> str:
        """Make an invitation."""
        return str(self.owner.invite(STUDY, uses=uses, days=14, role=role)["link"])

    def said(self) -> list[tuple[int, str, str]]:
        """What was saved, as it was said: (revision, choice, comment), in the order of arrival."""
        from sqlmodel import col, select

        from judge.store.schema.desk import LabelRow

        with self.database.read() as tx:
            return [(row.revision, row.choice, row.comment) for row in tx.exec(select(LabelRow).order_by(col(LabelRow.at)))]

    def answers(self) -> list[dict[str, Any]]:
        """What was saved on criteria."""
        from sqlmodel import select

        from judge.store.schema.desk import LabelRow

        with self.database.read() as tx:
            return [dict(row.criteria) for row in tx.exec(select(LabelRow))]


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def prepare(
    folder: Path, texts: Sequence[Pair], asked: Rubric = RUBRIC, *, wanted: int = 2, seats: int = 8
) -> tuple[Database, Owner]:
    """Make a database with one open round over these pairs."""
    database = open_database(folder / "judge.db")
    named = {digest("pair", [one.text_a, one.text_b, one.id]): one for one in texts}
    with database.write() as tx:
        study = study_store.open_study(tx, STUDY, now())
        study_store.put_pairs(tx, study.id, [(name, "tuned", one) for name, one in named.items()])
        sample_store.put_sampled(tx, study.id, [(name, "all", "tuning") for name in named])
        subject = Subject(id=study.id, name=STUDY, secret=study.secret, pairs=named, rubric=asked, rubric_digest="r" * 64)
        open_round(tx, subject, now(), n=len(named), wanted=wanted, seats=seats)
    return database, Owner(database, study.id)


@contextmanager
def review(
    folder: Path,
    texts: Sequence[Pair],
    asked: Rubric = RUBRIC,
    *,
    wanted: int = 2,
    seats: int = 8,
    around: Callable[[Any], Any] = lambda app: app,
) -> Iterator[Site]:
    """Serve a review, perhaps with something around the application, until the block ends."""
    database, owner = prepare(folder, texts, asked, wanted=wanted, seats=seats)
    app = create_app(database, owner=owner)
    app.state.attempts = Attempts(10_000)  # everybody comes from this machine
    with serve(around(app)) as url:
        owner.url = url
        yield Site(url, database, owner)
    database.close()


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """Serve an application on a free port of this machine; gives its address."""
    # Without the protocol named, asyncio leaves Nagle's algorithm on: 40 ms an answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False, access_log=False, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
