"""Keys from `.env` beside the study: read strictly, never printed, never over the environment."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.domain import Judge
from judge.errors import FileError, RowError
from judge.workflow.keys import read_env, take_keys, take_variables
from tests.provider_server import ProviderServer
from tests.studies import Cli, rows_of, small

SECRET = "sk-never-shown"


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "LOCAL_KEY", "OTHER"):
        monkeypatch.setenv(name, "")  # so that whatever a test sets is taken back
        monkeypatch.delenv(name)


def env(folder, text):
    path = folder / ".env"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=abc", "abc"),
        ("KEY = abc ", "abc"),
        ("export KEY=abc", "abc"),
        ("KEY=abc # for the judge", "abc"),
        ("KEY=abc#def", "abc#def"),
        ('KEY="a b # c"', "a b # c"),
        ("KEY='a \"b\"'  # said", 'a "b"'),
        ("KEY=a=b==", "a=b=="),
        ("KEY=$OTHER\\n", "$OTHER\\n"),
        ("KEY=", ""),
        ("KEY= # none yet", ""),
    ],
)
def test_a_line_is_a_name_and_a_value(tmp_path, line, value):
    assert read_env(env(tmp_path, f"# comment\n\n{line}\n")) == {"KEY": value}


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    assert read_env(env(tmp_path, "\ufeffKEY=abc\r\nOTHER=d\r\n")) == {"KEY": "abc", "OTHER": "d"}


@pytest.mark.parametrize("line", ["KEY", "KEY: abc", "2KEY=abc", 'KEY="abc', "KEY='a'b", "KEY='it's'", "a b=c"])
def test_any_other_line_is_an_error_that_names_the_line_and_not_its_words(tmp_path, line):
    with pytest.raises(RowError) as caught:
        read_env(env(tmp_path, f"OK=1\n{line}\n"))
    assert str(caught.value).startswith(f"{tmp_path / '.env'}:2: the line is no NAME=VALUE")
    assert "abc" not in str(caught.value)


def test_a_name_that_comes_twice_is_an_error(tmp_path):
    with pytest.raises(RowError, match="KEY is set twice"):
        read_env(env(tmp_path, f"KEY={SECRET}\nKEY=other\n"))


def test_a_file_that_is_no_text_is_an_error(tmp_path):
    (tmp_path / ".env").write_bytes(b"KEY=\xff\xfe")
    with pytest.raises(FileError, match="no UTF-8"):
        read_env(tmp_path / ".env")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="'"), max_size=40))
def test_what_stands_in_single_quotes_is_taken_as_it_is(tmp_path_factory, value):
    assert read_env(env(tmp_path_factory.mktemp("env"), f"KEY='{value}'\n")) == {"KEY": value}


def test_only_what_judges_name_is_taken(tmp_path):
    env(tmp_path, "OPENAI_API_KEY=a\nLOCAL_KEY=b\nANTHROPIC_API_KEY=c\nOTHER=d\n")
    judges = [
        Judge(name="one", source="openai", target="m"),
        Judge(name="two", source="openai", target="m", key_env="LOCAL_KEY"),
        Judge(name="three", source="recorded", target="f"),
    ]
    take_keys(tmp_path, judges)
    assert (os.environ["OPENAI_API_KEY"], os.environ["LOCAL_KEY"]) == ("a", "b")
    assert not {"ANTHROPIC_API_KEY", "OTHER"} & set(os.environ)


def test_the_environment_is_not_overridden(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", "mine")
    env(tmp_path, "LOCAL_KEY=theirs\nOTHER=x\n")
    assert take_variables(tmp_path, ["LOCAL_KEY", "OTHER"]) == ["OTHER"]
    assert os.environ["LOCAL_KEY"] == "mine"


def test_an_empty_variable_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", "")
    env(tmp_path, "LOCAL_KEY=b\n")
    assert take_variables(tmp_path, ["LOCAL_KEY"]) == ["LOCAL_KEY"]


def test_without_a_file_or_with_a_folder_of_that_name_nothing_happens(tmp_path):
    assert take_variables(tmp_path, ["LOCAL_KEY"]) == []
    (tmp_path / ".env").mkdir()
    assert take_variables(tmp_path, ["LOCAL_KEY"]) == []


def test_a_broken_file_is_not_even_read_when_no_key_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", "here")
    env(tmp_path, "what is this")
    assert take_variables(tmp_path, ["LOCAL_KEY"]) == []


def test_a_study_is_judged_with_the_key_beside_it_and_never_shows_it(capsys, tmp_path):
    with ProviderServer(speaks=("chat",)) as server:
        made = small(judges=(), people=0)
        made.config = {"judges": {"live": {"openai": "m", "base_url": server.openai_url, "key_env": "LOCAL_KEY"}}}
        study = made.write(tmp_path)
        cli = Cli(capsys)
        assert ": LOCAL_KEY is not set. Set it, or put it into .env." in cli("compare", study).err
        env(tmp_path, f"LOCAL_KEY={SECRET}\n")
        done = cli.well("compare", study, "--json")
        assert done.events[-1]["answered"] == 12
    assert SECRET not in done.out + done.err
    assert SECRET.encode() not in (tmp_path / ".judge" / "judge.db").read_bytes()


@pytest.fixture
def two_judges(tmp_path):
    """A study whose second judge has no key, and the server that both ask."""
    with ProviderServer(speaks=("chat", "messages")) as server:
        made = small(judges=(), people=0)
        one = {"openai": "m", "base_url": server.openai_url}
        other = {"anthropic": "m", "base_url": server.url, "key_env": "LOCAL_KEY"}
        made.config = {"judges": {"one": one, "other": other}}
        made.rubric["criteria"]["right"]["levels"] = {1: "wrong", 5: "right"}
        yield made.write(tmp_path), server


@pytest.mark.parametrize("command", [["compare"], ["score"], ["doctor", "--judge", "other", "--yes"]])
def test_a_judge_without_a_key_is_named_before_any_other_is_asked(capsys, two_judges, tmp_path, command):
    study, server = two_judges
    stopped = Cli(capsys)(*command, study)
    assert (stopped.code, len(server.requests), len(stopped.err.splitlines())) == (2, 0, 1)
    assert "judges.other: no key for 127.0.0.1:" in stopped.err
    assert rows_of(tmp_path / ".judge/judge.db", "SELECT count(*) FROM call") == [(0,)]


@pytest.mark.parametrize("command", ["compare", "score"])
def test_a_judge_that_was_asked_everything_needs_its_key_no_more(capsys, two_judges, monkeypatch, command):
    study, server = two_judges
    cli = Cli(capsys)
    monkeypatch.setenv("LOCAL_KEY", SECRET)
    first = cli.well(command, study, "--json").out.splitlines()[-1]
    asked = len(server.requests)
    monkeypatch.delenv("LOCAL_KEY")
    again = cli.well(command, study, "--json").out.splitlines()[-1]
    assert json.loads(again)["answered"] == json.loads(first)["answered"] == 24
    assert len(server.requests) == asked


def test_a_judge_that_is_to_be_asked_anew_needs_its_key_before_another_is_asked(capsys, two_judges, monkeypatch):
    """It answered everything once, unreadably; the other judge is new."""
    study, server = two_judges
    both = study.read_text()
    other = {"anthropic": "m", "base_url": server.url, "key_env": "LOCAL_KEY"}
    study.write_text(re.sub("(?m)^judges: .*$", f"judges: {json.dumps({'other': other})}", both))
    monkeypatch.setenv("LOCAL_KEY", SECRET)
    cli = Cli(capsys)
    server.faulty = lambda _: "malformed_text"
    cli.well("compare", study)
    server.faulty = lambda _: None
    with closing(sqlite3.connect(study.parent / ".judge/judge.db")) as tx:
        tx.execute("PRAGMA foreign_keys = OFF")
        tx.execute("DELETE FROM attempt WHERE call IN (SELECT digest FROM call WHERE digest != first)")
        tx.commit()
    study.write_text(both)
    monkeypatch.delenv("LOCAL_KEY")
    before = len(server.requests)
    stopped = cli("compare", study)
    assert (stopped.code, len(server.requests)) == (2, before)
    assert "judges.other: no key for" in stopped.err


def test_a_variable_of_blanks_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", "  ")
    env(tmp_path, "LOCAL_KEY=b\n")
    assert take_variables(tmp_path, ["LOCAL_KEY"]) == ["LOCAL_KEY"]
    assert os.environ["LOCAL_KEY"] == "b"


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-\u00fcber", "sk-a b", "sk-\x07", "\u200bsk-a"])
def test_a_key_that_no_request_can_carry_is_refused_before_anything_is_sent(capsys, two_judges, monkeypatch, tmp_path, key):
    study, server = two_judges
    monkeypatch.setenv("LOCAL_KEY", key)
    cli = Cli(capsys)
    stopped = cli("compare", study)
    assert (stopped.code, len(server.requests), len(stopped.err.splitlines())) == (2, 0, 1)
    assert "in LOCAL_KEY holds a space, a line break or a letter beyond ASCII" in stopped.err
    assert rows_of(tmp_path / ".judge/judge.db", "SELECT count(*) FROM attempt") == [(0,)]
    checked = cli.well("check", study)
    assert "Judge other: the key for 127.0.0.1:" in checked.out + checked.err
    assert key not in stopped.err + checked.out + checked.err


def test_what_stands_around_a_key_is_taken_off(capsys, two_judges, monkeypatch):
    study, server = two_judges
    for name in ("LOCAL_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, f" {SECRET}\n")
    Cli(capsys).well("compare", study)
    assert f"Bearer {SECRET}" in {request.key for request in server.requests}


def test_a_server_on_this_machine_needs_no_key_unless_the_study_names_one(capsys, tmp_path, monkeypatch):
    for usual, sent in ((None, "Bearer none"), ("sk-usual", "Bearer sk-usual")):
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        if usual:
            monkeypatch.setenv("OPENAI_API_KEY", usual)
        with ProviderServer(speaks=("chat",)) as server:
            made = small(judges=(), people=0)
            made.config = {"judges": {"live": {"openai": "m", "base_url": server.openai_url}}}
            (tmp_path / sent).mkdir()
            assert Cli(capsys).well("compare", made.write(tmp_path / sent), "--json").events[-1]["answered"] == 12
            assert {request.key for request in server.requests} == {sent}


def test_a_broken_file_stops_a_run_before_anything_is_asked(capsys, tmp_path):
    with ProviderServer(speaks=("chat",)) as server:
        made = small(judges=(), people=0)
        made.config = {"judges": {"live": {"openai": "m", "base_url": server.openai_url, "key_env": "LOCAL_KEY"}}}
        study = made.write(tmp_path)
        env(tmp_path, f"LOCAL_KEY: {SECRET}\n")
        result = Cli(capsys)("compare", study)
        assert (result.code, len(server.requests)) == (2, 0)
    assert ".env:1: the line is no NAME=VALUE" in result.err
    assert SECRET not in result.err
