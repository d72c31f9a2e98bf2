"""How far a long command is, told to a terminal however narrow, to a log, and to a program."""

from __future__ import annotations

import io
import json
import re
from contextlib import closing, redirect_stderr
from dataclasses import replace

import pytest

from judge.cli.console import Progress
from judge.workflow.answering import Tally

TALLY = Tally(
    done=128, of=252, known=8, open=20, limit_per_minute=5000.0, paused_s=12.3, unscored=7, usd=1.25, budget_usd=5.0
)  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def shown(terminal):
    """What stands on the terminal, without colours and with wrapped lines joined."""
    return " ".join(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue()).split())


def test_a_narrow_terminal_shows_everything(terminal):
    with redirect_stderr(terminal), closing(Progress("judging", as_json=False)) as progress:
        progress.tell(TALLY)
    text = shown(terminal)
    for words in (
        "judging",
        "128/252",
        "20 open",
        "104 waiting",
        "7 unscored",
        "waiting 12 s because the provider asks to",
        "1.25 of 5 USD",
    ):
        assert words in text
    assert "…" not in text


def test_a_bar_that_is_closed_twice_is_closed(terminal):
    with redirect_stderr(terminal), closing(Progress("making", as_json=False)) as progress:
        progress(1, 2)
        progress.close()
    assert "1/2" in shown(terminal)


def test_a_program_gets_every_count(capsys):
    Progress("judging", as_json=True).tell(TALLY)
    event = json.loads(capsys.readouterr().out)
    assert event == {
        "event": "progress", "title": "judging", "done": 128, "of": 252, "open": 20, "waiting": 104, "unscored": 7,
        "per_minute": None, "limit_per_minute": 5000.0, "paused_s": 12.3, "eta_s": None, "usd": 1.25, "budget_usd": 5.0,
        "stopping": False,
    }  # fmt: skip


def test_whoever_interrupts_is_told_once_what_is_waited_for(capsys):
    progress = Progress("judging", as_json=False)
    for _ in range(3):
        progress.tell(replace(TALLY, stopping=True))
    said = capsys.readouterr().err.splitlines()
    assert said == ["judging: nothing more is sent; waiting for 20 open calls, Ctrl-C again ends at once"]


def test_a_log_is_told_no_more_than_now_and_then(capsys):
    progress = Progress("judging", as_json=False)
    for _ in range(50):
        progress.tell(TALLY)
    assert capsys.readouterr().err == ""
