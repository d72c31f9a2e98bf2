"""Every fault of a provider, alone and all together: each call ends rightly scored, or unscored with the right reason.

A model that prefers the higher rank answers; what each question met is in the server's own list.  From that list follows
what must have become of it, and how many requests that took: nothing is silently wrong, nothing lost, nothing asked in vain.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from judge import Study
from judge.calls import Settings
from judge.errors import JudgeError, Parked
from judge.workflow.compare import compare
from tests.calls_study import (
    FAILS,
    FINAL,
    KEY,
    MODELS,
    PARKS,
    STOPS,
    UNREADABLE,
    Model,
    expected,
    met,
    reasons,
    said,
    truth,
    write_study,
)
from tests.provider_server import FAULTS, ProviderServer
from tests.studies import rows_of

PAIRS = 60  # 126 calls: both orders, and a tenth once more
MANY = 190  # where all faults come together: 399 calls
SHARE = 0.05
AT_ONCE = 3  # runs beside one another, since much of their time is spent waiting
DIALECT = {"commentary_first": "responses", "broken_off": "responses", "stop_ramp": "messages", "filtered_prompt": "chat"}
OTHERS = ("chat", "messages")
PATIENCE = Settings(timeout_s=1.0, seed=7)  # only a hang takes so long
PATIENT = Settings(timeout_s=5.0, seed=7)
Said = tuple[str | None, str | None]


@dataclass(frozen=True)
class Run:
    """What one study went through until everything was answered that can be."""

    met: dict[tuple[str, str], list[str]]
    said: dict[tuple[str, str, int], Said]
    first: Counter[str]  # why readings had no value after the first run that went through
    stops: tuple[JudgeError, ...]
    calls: int
    spent: float  # by the journal
    billed: float  # by the server

    @property
    def kinds(self) -> Counter[str]:
        """How often each fault was met."""
        return Counter(kind for kinds in self.met.values() for kind in kinds)

    def row(self, name: str) -> str:
        """One line of the table."""
        kinds, unscored = self.kinds, reasons(self.said)
        met = sum(count for kind, count in kinds.items() if kind != "ok")
        why = ", ".join(f"{count} {reason}" for reason, count in sorted(unscored.items()))
        scored = len(self.said) - sum(unscored.values())
        return f"{name:<17}{kinds.total():>9}{met:>8}{len(self.stops):>7}{scored:>8}  {why or '-'}"


TITLE = f"{'fault':<17}{'requests':>9}{'faults':>8}{'stops':>7}{'scored':>8}  unscored at the end"


def carried_through(folder, faults, dialect, pairs, *, patch=None, patience=PATIENCE):
    """Compare until it goes well; a stop ends the faults, as an owner ends what stopped the run.

    patch: sets the variable by which OpenAI's SDK finds its own server.
    """
    model, stops = Model(), []
    with ProviderServer(latency_s=0.01, faults=faults, retry_after_s=0.05, answer=model, seed=len(faults)) as server:
        if patch and dialect == "responses":
            patch.setattr("judge.calls.providers.openai.URL", server.openai_url)
        study = Study.open(write_study(folder, server, pairs, dialect))
        db = folder / ".judge/judge.db"
        done = None
        while done is None and len(stops) < 5:
            done = attempt(study, stops, patience)
            if stops:
                server.faults = {}
        assert done is not None
        first = reasons(said(db))
        if first["error"]:  # a call that failed is no answer: the same command asks again
            server.faults = {}
            assert attempt(study, stops, patience)
        ((spent,),) = rows_of(db, "SELECT sum(cost_usd) FROM attempt")
        return Run(
            met=met(server, model),
            said=said(db),
            first=first,
            stops=tuple(stops),
            calls=done.calls,
            spent=spent,
            billed=(server.tokens_in * 0.1 + server.tokens_out * 0.5) / 1e6,
        )


def attempt(study, stops, patience):
    """Run once; what stopped it is kept."""
    try:
        with study.work() as work:
            return compare(work, None, patience)
    except JudgeError as stop:
        stops.append(stop)
        return None


def dialect_of(fault):
    return DIALECT.get(fault, OTHERS[FAULTS.index(fault) % 2])


ALONE = [fault for fault in FAULTS if dialect_of(fault) != "responses"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One run for each fault, a few beside one another."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(AT_ONCE) as pool:
        patch.setenv(KEY, "sk-imitated")
        started = {
            fault: pool.submit(carried_through, tmp_path_factory.mktemp(fault), {fault: SHARE}, dialect_of(fault), PAIRS)
            for fault in ALONE
        }
        return {fault: run.result() for fault, run in started.items()}


def check(run):
    """Hold what was said against what was met."""
    assert len(run.said) == run.calls
    assert run.spent >= run.billed - 1e-9, "the provider booked more than was counted"
    twice = {(example, order) for example, order, repeat in run.said if repeat == 2}  # their bodies are the same
    for (example, order, _), (value, reason) in run.said.items():
        right = truth(int(example[1:]))
        assert value in (right, None), f"{example} {order} is silently wrong"
        if (example, order) in twice:
            continue
        kinds = run.met[example, order]
        wanted = expected(kinds, right)
        assert (value, reason) == (wanted.value, wanted.reason), kinds
        assert wanted.used == len(kinds), f"asked again in vain: {kinds}"


@pytest.mark.parametrize("fault", ALONE)
def test_a_fault_alone_loses_nothing_and_makes_nothing_wrong(runs, fault):
    run = runs[fault]
    assert run.kinds.total() > run.kinds["ok"]
    check(run)


@pytest.mark.parametrize("fault", ALONE)
def test_only_what_cannot_be_read_or_was_refused_stays_unscored(runs, fault):
    run = runs[fault]
    filtered = "refused" if dialect_of("content_filter") == "messages" else "filtered"
    wanted = FINAL | {"content_filter": filtered} | UNREADABLE
    assert set(reasons(run.said)) <= {wanted.get(fault)}
    assert bool(run.first["error"]) == (fault in FAILS)
    assert (fault in ("refusal", "content_filter", "filtered_prompt")) <= bool(reasons(run.said))


@pytest.mark.parametrize("fault", ALONE)
def test_what_stops_a_run_says_so_once_and_the_same_command_goes_on(runs, fault):
    stops = runs[fault].stops
    if fault in PARKS:
        assert [type(stop) for stop in stops] == [Parked]
    elif fault in STOPS:
        assert [stop.exit_code for stop in stops] == [2]
    elif fault == "hang":
        assert all(isinstance(stop, Parked) for stop in stops)  # the last few calls may be lost together
    else:
        assert not stops


def test_the_table_of_all_faults(runs):
    print(f"\n{TITLE}")
    for fault, run in runs.items():
        print(run.row(fault))
    assert sum(run.kinds.total() for run in runs.values()) > len(ALONE) * PAIRS * 2


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """All faults at once that do not stop a run, in each dialect."""
    faults = {fault: 0.018 for fault in FAULTS if fault not in PARKS | STOPS} | {"hang": 0.005}
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(AT_ONCE) as pool:
        patch.setenv(KEY, "sk-imitated")
        started = {
            dialect: pool.submit(
                carried_through, tmp_path_factory.mktemp(dialect), faults, dialect, MANY, patch=patch, patience=PATIENT
            )
            for dialect in MODELS
        }
        return {dialect: run.result() for dialect, run in started.items()}


@pytest.mark.parametrize("dialect", MODELS)
def test_all_faults_together_lose_nothing_and_make_nothing_wrong(together, dialect):
    run = together[dialect]
    print(f"\n{TITLE}\n{run.row(dialect)}")
    assert len(run.kinds) > len(FAULTS) / 2
    check(run)
