"""`kill -9` at random moments of live judging: what was answered is never asked again, what was on the wire is asked again
and counted as possibly paid, and the verdicts are those of an undisturbed run."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.calls_study import KEY, Model, reasons, said, truth, write_study
from tests.provider_server import ProviderServer
from tests.studies import rows_of

KILLS = 20
PAIRS = 140  # 294 calls
WORKER = """
import os, sys
import openai, sqlalchemy  # imported once: every run is forked from here
import judge.workflow, judge.store.opening
from judge.cli.app import run

for line in sys.stdin:  # one run for every line; its output goes into a file
    child = os.fork()
    if child == 0:
        os.dup2(os.open("out.jsonl", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os._exit(run(["compare", "study.yaml", "--json"]))
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Worker:
    """Runs `judge compare` in processes of its own, to be killed."""

    def __init__(self, folder):
        self.folder = folder
        command = [sys.executable, "-c", WORKER]
        env = {**os.environ, KEY: "sk-imitated"}
        self._process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def start(self):
        """Begin a run; give its process id."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def gone(self):
        """Wait for the end of a run; give how it ended."""
        return int(self._process.stdout.readline())

    def done(self):
        """The last line that a run printed."""
        return json.loads((self.folder / "out.jsonl").read_text().splitlines()[-1])

    def close(self):
        self._process.communicate(timeout=60)


@pytest.fixture
def server():
    with ProviderServer(answer=Model(), latency_s=0.05, slow=(0.5, 0.25), speaks=("chat",)) as running:
        yield running


@pytest.fixture
def worker(server, tmp_path):
    write_study(tmp_path, server, PAIRS)
    made = Worker(tmp_path)
    yield made
    made.close()


def answered(folder):
    """The calls that the journal holds an answer to, as example, order and repeat."""
    db = folder / ".judge/judge.db"
    if not db.exists():
        return {}
    tags = rows_of(db, "SELECT tag, raw FROM call JOIN attempt ON call = digest WHERE status = 'answered'")
    cells = [(json.loads(tag), raw) for tag, raw in tags]
    return {(pair.split("/")[0], order, repeat): raw for (pair, _, order, repeat), raw in cells}


def lost(folder):
    """Tries that went out and of which nothing more is known."""
    ((count,),) = rows_of(folder / ".judge/judge.db", "SELECT count(*) FROM attempt WHERE status = 'sent'")
    return count


def wait_for_a_request(server, before):
    until = time.monotonic() + 30
    while len(server.requests) <= before and time.monotonic() < until:
        time.sleep(0.002)


def test_killed_at_random_moments_it_asks_nothing_twice_that_was_answered(server, worker, tmp_path):
    chance, model = random.Random(20261123), server.answer
    known, killed = {}, 0
    for _ in range(KILLS):
        before = len(server.requests)
        run = worker.start()
        wait_for_a_request(server, before)
        time.sleep(chance.uniform(0, 0.15))
        os.kill(run, signal.SIGKILL)
        killed += worker.gone() == signal.SIGKILL
        time.sleep(0.1)  # the server ends what it was about to say
        now = answered(tmp_path)
        asked = [model.questions[one.digest] for one in server.requests[before:] if one.digest in model.questions]
        for example, order in asked:
            cells = [(example, order, repeat) for repeat in (1, 2)]
            open_ = [cell for cell in cells if cell not in known]
            assert open_, f"{example} {order} was asked again although it was answered"
        assert all(now[cell] == raw for cell, raw in known.items()), "an answer was lost or changed"
        known = now
    assert killed == KILLS
    assert 0 < len(known) < 294

    ok = sum(one.kind == "ok" for one in server.requests)
    open_ = lost(tmp_path)
    assert 0 < ok - len(known) <= open_, "an answer came that no line of the journal knows of"
    worker.start()
    assert worker.gone() == 0
    done = worker.done()
    assert (done["calls"], done["answered"], done["from_journal"]) == (294, 294, len(known))
    assert done["possibly_paid"] == open_
    assert len(server.requests) <= len(answered(tmp_path)) + open_  # some were noted and had not left yet

    found = said(tmp_path / ".judge/judge.db")
    assert not reasons(found)
    assert {(example, value) for (example, _, _), (value, _) in found.items()} == {(f"q{n}", truth(n)) for n in range(PAIRS)}
    print(f"\n{KILLS} kills, {len(known)} answers kept between them, {open_} tries possibly paid, none asked again")


def test_killed_runs_end_in_the_verdicts_of_an_undisturbed_one(server, worker, tmp_path):
    server.slow = (0.0, 0.0)
    for _ in range(3):
        before = len(server.requests)
        run = worker.start()
        wait_for_a_request(server, before)
        time.sleep(0.1)
        os.kill(run, signal.SIGKILL)
        worker.gone()
    worker.start()
    assert worker.gone() == 0
    undisturbed = tmp_path / "undisturbed"
    write_study(undisturbed, server, PAIRS)
    other = Worker(undisturbed)
    other.start()
    assert other.gone() == 0
    other.close()
    query = "SELECT pair, criterion, value, score, basis, reason FROM verdict ORDER BY pair, criterion"
    verdicts = [rows_of(folder / ".judge/judge.db", query) for folder in (tmp_path, undisturbed)]
    assert verdicts[0] == verdicts[1]
    assert len(verdicts[0]) == 2 * PAIRS
