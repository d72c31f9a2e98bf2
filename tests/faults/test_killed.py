"""`kill -9` at any moment and the same command again: nothing that was answered is asked again, nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from judge import Study
from judge.decision.report import to_json
from tests.studies import reported, rows_of, small, untimed

ROUNDS = 10
PAIRS = 150
WORKER = """
import asyncio, os, sys
import judge.workflow
from judge.calls import RecordedProvider
from judge.cli.app import run

log = os.open("asked.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
send = RecordedProvider.send

async def slowly(self, request, call, *rest):
    os.write(log, f"asked {call}\\n".encode())  # the provider's own book, whatever becomes of us
    await asyncio.sleep(int(call[:4], 16) / 0xFFFF * 0.5)
    reply = await send(self, request, call, *rest)
    os.write(log, f"answered {call}\\n".encode())
    return reply

RecordedProvider.send = slowly
for _ in sys.stdin:  # one run for every line
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(run(["compare", "study.yaml", "--json"]))
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""
"""A program that judges with a provider that takes its time and writes down what it was asked.  It forks for every run, so
that starting one costs nothing."""


class Worker:
    """Runs `judge compare` in a process of its own, to be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "asked.log"
        self.log.touch()
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self) -> int:
        """Begin a run; give its process id."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def gone(self) -> int:
        """Wait for the end of a run; give how it ended."""
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def asked(self, what: str = "asked") -> list[str]:
        """The digests of all calls that were ever put to the provider (or answered by it)."""
        return [line.split()[1] for line in self.log.read_text().splitlines() if line.startswith(what)]

    def wait_for_a_call(self, before: int) -> None:
        until = time.monotonic() + 30
        while len(self.asked()) <= before and time.monotonic() < until:
            time.sleep(0.005)

    def close(self) -> None:
        self._process.communicate(timeout=60)


@pytest.fixture
def worker(tmp_path):
    draft = small([("a", "tie", "b", None)[n % 4] for n in range(PAIRS)], people=0)
    draft.write(tmp_path)
    made = Worker(tmp_path)
    yield made
    made.close()


def answered(folder):
    db = folder / ".judge" / "judge.db"
    return dict(rows_of(db, "SELECT call, raw FROM attempt WHERE status = 'answered'")) if db.exists() else {}


def test_killed_at_random_moments_it_asks_nothing_twice_that_was_answered(worker, tmp_path):
    chance = random.Random(20261120)
    known, killed = {}, 0
    for _ in range(ROUNDS):
        before = len(worker.asked())
        given = len(worker.asked("answered"))
        run = worker.start()
        worker.wait_for_a_call(before)
        time.sleep(chance.uniform(0, 0.2))
        os.kill(run, signal.SIGKILL)
        killed += worker.gone() == signal.SIGKILL
        asked_now = set(worker.asked()[before:])
        now = answered(tmp_path)
        assert asked_now.isdisjoint(known), "asked again although it was answered"
        assert all(now[call] == raw for call, raw in known.items()), "an answer was lost or changed"
        intents = {call for (call,) in rows_of(tmp_path / ".judge" / "judge.db", "SELECT digest FROM call")}
        assert asked_now <= intents, "asked before the intent was on disk"
        kept = [call in now for call in worker.asked("answered")[given:]]
        assert kept == sorted(kept, reverse=True), "an answer was kept in hand while later ones were written down"
        known = now
    assert killed == ROUNDS
    assert 0 < len(known) < 2 * PAIRS

    run = worker.start()
    assert worker.gone() == 0
    last = answered(tmp_path)
    assert len(last) == 2 * PAIRS
    study = Study.open(tmp_path / "study.yaml")
    assert study.compare().from_journal == 2 * PAIRS
    undisturbed = tmp_path / "undisturbed"
    draft = small([("a", "tie", "b", None)[n % 4] for n in range(PAIRS)], people=0)
    assert untimed(to_json(study.report())) == untimed(reported(draft.write(undisturbed)))
