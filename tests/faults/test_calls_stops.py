"""What stops a run stops it with one clear line and the right exit code, within seconds; the same command goes on.

Interrupted by Ctrl-C it waits for what is on the wire and keeps it; a second one ends it at once.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from tests.calls_study import KEY, Model, met, reasons, said, write_study
from tests.provider_server import ProviderServer
from tests.studies import Cli, rows_of, started

PAIRS = 9
CALLS = 2 * PAIRS


@pytest.fixture
def cli(capsys, monkeypatch):
    monkeypatch.setenv(KEY, "sk-imitated")
    return Cli(capsys)


@pytest.fixture
def server():
    with ProviderServer(answer=Model(), latency_s=0.01, speaks=("chat",)) as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("throttled_long", 3, "asks to wait 3600 s. Run the same command again then"),
        ("quota", 3, "wants money first: You exceeded your current quota (HTTP 429). Top up and"),
        ("payment", 3, "wants money first: Your balance is empty (HTTP 402). Top up and"),
        ("unauthorized", 2, f"refuses: The key is wrong (HTTP 401). Check the key in {KEY}, and what it may do."),
        ("forbidden", 2, f"refuses: The key may not do this (HTTP 403). Check the key in {KEY}"),
        ("model_gone", 2, "refuses: The model does not exist (HTTP 404). Check the model's name and base_url."),
        ("bad_request", 2, "does not accept the request: temperature: not supported with this model (HTTP 400)"),
        ("error_503", 3, "fails again and again: The service is busy (HTTP 503). Check base_url, or run"),
    ],
)
def test_a_run_that_cannot_go_on_says_why_in_one_line_and_goes_on_later(cli, server, tmp_path, fault, code, words):
    study = write_study(tmp_path, server, 30)
    server.faults = {fault: 1.0}
    begun = time.monotonic()
    stopped = cli("compare", study)
    assert stopped.code == code
    assert time.monotonic() - begun < 20
    (line,) = stopped.err.splitlines()
    assert line.startswith(f"judge: gpt-6-luna at 127.0.0.1:{server.url.rpartition(':')[2]} ")
    assert words in line
    assert "sk-imitated" not in stopped.err + stopped.out
    assert len(server.requests) <= 130
    server.faults = {}
    done = cli.well("compare", study, "--json").events[-1]
    assert (done["answered"], done["unscored"], done["calls"]) == (66 - 3, 0, 63)


@pytest.mark.parametrize(("per_call", "calls"), [("all", 63), ("one", 126)])
def test_a_report_after_a_stop_says_to_go_on(cli, server, tmp_path, per_call, calls):
    judge = {"openai": "gpt-6-luna", "base_url": server.openai_url, "key_env": KEY, "per_call": per_call}
    study = write_study(tmp_path, server, 30, judges={"live": judge})
    for answered in (0, calls - 2):  # before the first; when only repeats are left
        begun = itertools.count()
        server.faulty = lambda body, begun=begun, answered=answered: "quota" if next(begun) >= answered else None
        cli("compare", study, "-j", "1")
        left = calls - answered
        assert f"1. Go on with `judge compare`: {left} answers of judges are not there yet." in cli.well("report", study).out
    server.faulty = lambda _: None
    cli.well("compare", study)
    assert "Go on with" not in cli.well("report", study).out


def test_what_was_answered_before_the_stop_is_not_asked_again(cli, server, tmp_path):
    study = write_study(tmp_path, server, 30)
    server.faults = {"quota": 0.1}
    assert cli("compare", study).code == 3
    kept = len(rows_of(tmp_path / ".judge/judge.db", "SELECT 1 FROM attempt WHERE status = 'answered'"))
    server.faults = {}
    done = cli.well("compare", study, "--json").events[-1]
    assert done["from_journal"] == kept
    kinds = Counter(asked.kind for asked in server.requests)
    assert kinds["ok"] == 63


def test_a_provider_that_says_nothing_at_all_is_not_waited_for_without_end(server, tmp_path, monkeypatch):
    from judge import Study
    from judge.calls import Settings
    from judge.errors import Parked
    from judge.workflow.compare import compare

    monkeypatch.setenv(KEY, "sk-imitated")
    study = Study.open(write_study(tmp_path, server, PAIRS))
    server.faults = {"hang": 1.0}
    begun = time.monotonic()
    with study.work() as work, pytest.raises(Parked) as parked:
        compare(work, None, Settings(timeout_s=0.5))
    assert parked.value.exit_code == 3
    assert "within 2.5 s" in str(parked.value) or "timed out" in str(parked.value)
    assert time.monotonic() - begun < 20
    server.faults = {}
    assert study.compare().answered == CALLS


def test_a_key_that_is_not_there_is_named_and_nothing_is_sent(cli, server, tmp_path, monkeypatch):
    monkeypatch.delenv(KEY)
    stopped = cli("compare", write_study(tmp_path, server, PAIRS))
    assert stopped.code == 2
    assert KEY in stopped.err
    assert ".env" in stopped.err
    assert server.requests == []


@pytest.mark.parametrize(("path", "status"), [("/echo", 401), ("/echo-200", 200)])
def test_a_key_that_a_server_repeats_is_shown_and_kept_nowhere(cli, tmp_path, path, status):
    with other_server() as address:
        stopped = cli("compare", write_study(tmp_path, SimpleNamespace(openai_url=f"{address}{path}"), PAIRS))
    assert f"refuses: Wrong key: Bearer *** (HTTP {status})" in stopped.err
    assert all(b"sk-imitated" not in file.read_bytes() for file in (tmp_path / ".judge").iterdir())


def test_answers_are_waited_for_although_whoever_is_told_has_gone(server, tmp_path, monkeypatch):
    """The reader of the progress left: what is on the wire is paid, and kept."""
    from judge import Study

    monkeypatch.setenv(KEY, "sk-imitated")
    study = Study.open(write_study(tmp_path, server, 30))
    server.latency_s = 0.4

    def told(_):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        study.compare(progress=told)
    states = dict(rows_of(tmp_path / ".judge/judge.db", "SELECT status, count(*) FROM attempt GROUP BY status"))
    assert states == {"answered": len(server.requests)}


def test_a_model_without_a_price_is_refused_before_anything_is_sent(cli, server, tmp_path):
    study = write_study(tmp_path, server, PAIRS)
    study.write_text(
        study.read_text().replace("gpt-6-luna", "of-tomorrow").replace(server.openai_url, "http://judge.example/v1")
    )
    stopped = cli("compare", study)
    assert stopped.code == 2
    assert "no price is known for of-tomorrow" in stopped.err
    assert "JUDGE_PRICES" in stopped.err


@pytest.mark.parametrize("price", ["{in: 2}", "{out: 2}", "{in: .nan, out: .nan}", "{in: .inf, out: 1}", "{in: 1, out: -1}"])
def test_a_price_that_is_half_known_or_no_number_lifts_no_budget(cli, server, tmp_path, own_prices, price):
    own_prices(f"date: 2026-01-01\nmodels: {{of-tomorrow: {price}}}\n")
    study = write_study(tmp_path, server, 3)
    study.write_text(
        study.read_text().replace("gpt-6-luna", "of-tomorrow").replace(server.openai_url, "http://judge.example/v1")
    )
    stopped = cli("compare", study)
    assert stopped.code == 2
    assert re.search(r"prices.yaml:2: models.of-tomorrow.(in|out): is (no number of US dollars|missing beside)", stopped.err)
    assert len(stopped.err.splitlines()) == 1


def test_a_server_that_is_not_there_parks_and_nothing_counts_as_paid(cli, server, tmp_path):
    study = write_study(tmp_path, server, 30)
    study.write_text(study.read_text().replace(server.openai_url, "http://127.0.0.1:9/v1"))
    stopped = cli("compare", study)
    assert stopped.code == 3
    assert "gpt-6-luna at 127.0.0.1:9 fails again and again: no connection to 127.0.0.1:9: nobody listens there" in stopped.err
    assert rows_of(tmp_path / ".judge/judge.db", "SELECT sum(cost_usd) FROM attempt") == [(None,)]


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/page", 3, "fails again and again: a web page came in place of an answer (HTTP 200). Check base_url, or run"),
        ("/nothing", 2, "refuses: Not Found (HTTP 404). Check the model's name and base_url."),
        ("/page-404", 2, "refuses: a web page came (HTTP 404). Check the model's name and base_url."),
        ("/no-post", 2, "refuses: Method Not Allowed (HTTP 405). Check the model's name and base_url."),
    ],
)
def test_an_address_that_is_no_models_says_to_check_it(cli, tmp_path, path, code, words):
    with other_server() as address:
        study = write_study(tmp_path, SimpleNamespace(openai_url=f"{address}{path}"), PAIRS)
        stopped = cli("compare", study)
    assert stopped.code == code
    (line,) = stopped.err.splitlines()
    assert words in line


def test_a_connection_that_is_not_secure_is_said_and_nothing_counts_as_paid(cli, tmp_path):
    with other_server() as address:
        secure = address.replace("http:", "https:")
        stopped = cli("compare", write_study(tmp_path, SimpleNamespace(openai_url=f"{secure}/v1"), PAIRS))
    assert stopped.code == 3
    assert "it is not secure: " in stopped.err
    assert rows_of(tmp_path / ".judge/judge.db", "SELECT sum(cost_usd) FROM attempt") == [(None,)]


@contextmanager
def other_server():
    """The address of a server that is no model's: /page answers with a page, whatever else as servers of pages do."""
    answers = {
        "/page": (200, "<!doctype html><title>Welcome</title>"),
        "/page-404": (404, "<html>Not here</html>"),
        "/echo": (401, '{"error": {"message": "Wrong key: AUTHORIZATION"}}'),
        "/echo-200": (200, '{"error": {"code": 401, "message": "Wrong key: AUTHORIZATION"}}'),
        "/no-post": (405, '{"detail": "Method Not Allowed"}'),
    }

    class Pages(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            path = self.path.removesuffix("/chat/completions")
            status, body = answers.get(path, (404, '{"detail": "Not Found"}'))
            body = body.replace("AUTHORIZATION", self.headers["authorization"])
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


def running(study):
    """Begin a run in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "judge", "compare", str(study)]
    env = {**os.environ, KEY: "sk-imitated"}
    return subprocess.Popen(command, cwd=study.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_an_interrupt_waits_for_what_is_on_the_wire_and_keeps_it(server, tmp_path):
    server.latency_s = 0.3
    study = write_study(tmp_path, server, 60)
    process = running(study)
    wait_for(lambda: len(server.requests) >= 20)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    first, last = err.splitlines()
    assert re.fullmatch(r"judging: nothing more is sent; waiting for [1-9]\d* open calls, Ctrl-C again ends at once", first)
    assert last == "judge: interrupted; what was finished is kept, the same command goes on"
    sent = len(server.requests)
    assert sent < 126
    states = dict(rows_of(tmp_path / ".judge/judge.db", "SELECT status, count(*) FROM attempt GROUP BY status"))
    assert states == {"answered": sent}, "what was on the wire was not waited for"
    server.latency_s = 0.0
    again = started("compare", study, cwd=tmp_path, env={**os.environ, KEY: "sk-imitated"})
    assert again.returncode == 0, again.stderr
    assert len(server.requests) == 126
    assert not reasons(said(tmp_path / ".judge/judge.db"))
    # A repeat has the words of its first: two requests for those, one for every other question.
    assert sum(len(kinds) for kinds in met(server, server.answer).values()) == 126


def test_a_second_interrupt_ends_at_once_and_loses_nothing_that_was_answered(server, tmp_path):
    study = write_study(tmp_path, server, 60)
    server.faults = {"hang": 0.5}
    process = running(study)
    wait_for(lambda: len(server.requests) >= 20)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.7)
    assert process.poll() is None, "it did not wait for what is on the wire"
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - begun < 5
    assert err.splitlines()[-1] == "judge: interrupted; what was finished is kept, the same command goes on"
    assert "Traceback" not in err
    ok = sum(asked.kind == "ok" for asked in server.requests)
    ((kept,),) = rows_of(tmp_path / ".judge/judge.db", "SELECT count(*) FROM attempt WHERE status = 'answered'")
    assert kept == ok
    server.faults = {}
    assert started("compare", study, cwd=tmp_path, env={**os.environ, KEY: "sk-imitated"}).returncode == 0
    assert sum(asked.kind == "ok" for asked in server.requests) == 126
