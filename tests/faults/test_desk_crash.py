"""Eight people vote while their server is killed again and again: no vote is lost, doubled or given beyond the quota.

    JUDGE_DESK_ACTIONS=10000 .venv-tests/bin/python -m pytest -s tests/faults/test_desk_crash.py

The number of doings is smaller by default; the full run prints its figures with -s.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from judge.store.opening import open_database
from tests.desk_room import Room, pairs, subject_of

ACTIONS = int(os.environ.get("JUDGE_DESK_ACTIONS", "1000"))
PEOPLE, WANTED, ITEMS = 8, 2, 150
A_STUDY, A_KILL = 480, 300  # after about so many doings a study is done, the server is killed
SERVER = Path(__file__).with_name("desk_server.py")
CHOICES = ("left", "right", "tie", "both_bad", "cannot_judge", "skip")


class Server:
    """The server's process: started, killed, started again."""

    def __init__(self, place: str, path: str) -> None:
        self._command = [sys.executable, str(SERVER), place, path, str(time.time())]
        self.path = path
        self.kills = 0
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self.kills += 1

    def running(self) -> bool:
        return self._process.poll() is None


@dataclass
class Annotator:
    """Somebody who votes, and sends again what got no answer.  `kept`: what the server said is saved."""

    server: Server
    rooms: list[Room]
    people: list[str]  # who one is, by study
    seed: int
    stop: threading.Event
    doings: int = 0
    repeated: int = 0
    clicks: int = 0
    late: int = 0
    kept: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # client_id -> task, choice, comment
    trouble: list[str] = field(default_factory=list)
    line: socket.socket | None = None

    def work(self) -> None:
        self.chance = random.Random(self.seed)
        try:
            for room, person in zip(self.rooms, self.people, strict=True):
                self.who = {"study": room.subject.name, "person": person}
                self.judge()
        except Exception as error:
            self.trouble.append(repr(error))

    def judge(self) -> None:
        empty = 0
        self.shown = self.behind = None
        while empty < 3 and not self.stop.is_set():
            if self.shown is None or self.chance.random() < 0.05:
                desk = self.ask("open")
                self.shown, self.behind = desk["shown"], desk["behind"]
                empty = empty + 1 if self.shown is None else 0
                continue
            match self.chance.random():
                case x if x < 0.10:
                    self.ask("draft", task=self.shown, comment="so far")
                case x if x < 0.15:
                    back = self.ask("undo").get("shown")
                    self.shown, self.behind = (back, self.shown) if back else (self.shown, self.behind)
                case x if x < 0.153:
                    self.stop.wait(3.5)  # in the server's time long enough to lose what is shown
                case _:
                    self.vote()

    def vote(self) -> None:
        choice = self.chance.choices(CHOICES, (8, 8, 4, 2, 1, 1))[0]
        client_id = f"{self.seed:x}-{len(self.kept)}"
        given = {"task": self.shown, "client_id": client_id, "choice": choice, "comment": client_id, "next": self.behind}
        voted = self.ask("vote", **given)
        if self.chance.random() < 0.1:
            voted = self.ask("vote", **given)  # a second click
            self.clicks += 1
        if "refused" in voted:
            self.trouble.append(voted["refused"])
        self.kept[client_id] = (str(self.shown), choice, client_id)
        self.late += voted["late"]
        if voted["lost"] or self.behind is None:
            self.shown, self.behind = voted["behind"], None
        else:
            self.shown, self.behind = self.behind, voted["behind"]

    def ask(self, what: str, **more: object) -> dict:
        """Send until there is an answer."""
        sent = json.dumps({"do": what} | self.who | more).encode() + b"\n"
        self.doings += 1
        while True:
            try:
                answer = self.exchange(sent)
            except (OSError, EOFError):
                self.hang_up()
                time.sleep(0.02)
                continue
            self.repeated += bool(answer.get("repeated"))
            if "failed" not in answer:
                return answer

    def exchange(self, sent: bytes) -> dict:
        if self.line is None:
            self.line = socket.socket(socket.AF_UNIX)
            self.line.settimeout(30)
            self.answers = self.line.makefile("rb")
            self.line.connect(self.server.path)
        self.line.sendall(sent)
        answer = self.answers.readline()
        if not answer.endswith(b"\n"):
            raise EOFError
        return json.loads(answer)

    def hang_up(self) -> None:
        if self.line is not None:
            with contextlib.suppress(OSError):
                self.answers.close()
            self.line.close()
            self.line = None


def test_no_vote_is_lost_and_no_pair_is_handed_out_twice_however_often_the_server_is_killed(database_url):
    chance = random.Random(20261120)
    database = open_database(database_url)
    rooms, people = prepared(database, studies=max(2, round(ACTIONS / A_STUDY)))
    with tempfile.TemporaryDirectory(prefix="desk-") as folder:  # a socket's path must be short
        server = Server(database_url.removeprefix("sqlite:///"), f"{folder}/s")
        stop = threading.Event()
        annotators = [Annotator(server, rooms, [of[n] for of in people], n, stop) for n in range(PEOPLE)]
        threads = [threading.Thread(target=one.work, daemon=True) for one in annotators]
        began = time.time()
        for thread in threads:
            thread.start()
        try:
            kill_again_and_again(server, threads, annotators, rooms, chance)
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
            for one in annotators:
                one.hang_up()
            server.kill()
    assert [trouble for one in annotators for trouble in one.trouble] == []
    figures = checked(rooms, annotators)
    database.close()
    print(f"\n{database_url.split(':')[0]}: {figures}, {server.kills} kills, {time.time() - began:.0f} s")
    assert server.kills >= 3


def prepared(database, studies):
    rooms, people = [], []
    for _ in range(studies):
        with database.write() as tx:
            room = Room(database, subject_of(tx, pairs(ITEMS)), tx=tx)
            room.open_round(ITEMS, wanted=WANTED, seats=PEOPLE)
            people.append([room.join(f"P{n}") for n in range(PEOPLE)])
            room.tx = None
            rooms.append(room)
    return rooms, people


def kill_again_and_again(server, threads, annotators, rooms, chance):
    """Let the server answer some doings, kill it, look into the books, start it again; until everybody is done."""
    while any(thread.is_alive() for thread in threads):
        goal = sum(one.doings for one in annotators) + chance.randint(A_KILL // 2, A_KILL * 3 // 2)
        while any(thread.is_alive() for thread in threads) and sum(one.doings for one in annotators) < goal:
            assert server.running(), "the server ended by itself"
            time.sleep(0.005)
        time.sleep(chance.random() / 50)
        server.kill()
        for room in rooms:
            room.ledger().check()
        if any(thread.is_alive() for thread in threads):
            server.start()


def checked(rooms, annotators) -> str:
    """Count what is there against what was told; give the figures."""
    there = {row.client_id: (row.task, row.choice, row.comment) for room in rooms for row in room.labels()}
    told = {client_id: vote for one in annotators for client_id, vote in one.kept.items()}
    assert len(there) == sum(len(room.labels()) for room in rooms)
    assert told.items() <= there.items()  # nothing lost
    assert there.keys() == told.keys()  # nothing twice, nothing that nobody sent
    over = Counter()
    for room in rooms:
        books = room.ledger()
        books.check()
        over.update(books.counted)
        assert max(books.counted.values()) <= WANTED
    doings = sum(one.doings for one in annotators)
    clicks, again, late = (sum(getattr(one, name) for one in annotators) for name in ("clicks", "repeated", "late"))
    votes = f"{len(there):,} votes, {sum(over.values()):,} that count, {late} late"
    return f"{doings:,} doings, {votes}, {clicks} clicked twice, {again - clicks} sent again for want of an answer"
