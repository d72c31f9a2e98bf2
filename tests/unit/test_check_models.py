"""`judge check` asks a provider for its list of models where a key is there, and says what it found."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from judge import Study
from tests.calls_study import KEY, MODELS, Model, write_study
from tests.provider_server import ENDING, RETIRED, SOON, ProviderServer


@pytest.fixture
def server():
    with ProviderServer(answer=Model()) as running:
        yield running


def codes(study):
    return {notice.code: notice.text for notice in Study.open(study).check().warnings}


@pytest.mark.parametrize("dialect", ["chat", "messages"])
def test_a_model_that_the_provider_lists_gives_no_warning(server, tmp_path, monkeypatch, dialect):
    monkeypatch.setenv(KEY, "sk-imitated")
    assert not {"model_unlisted", "model_not_looked_up"} & set(codes(write_study(tmp_path, server, 3, dialect)))


@pytest.mark.parametrize("dialect", ["chat", "messages"])
def test_a_model_that_it_does_not_list_is_named_before_anything_is_spent(server, tmp_path, monkeypatch, dialect):
    monkeypatch.setenv(KEY, "sk-imitated")
    study = write_study(tmp_path, server, 3, dialect)
    text = study.read_text().replace("gpt-6-luna", "gpt-6.1-sol").replace("claude-haiku-5-5", "claude-opus-5-5")
    study.write_text(text)
    said = codes(study)["model_unlisted"]
    assert "does not list" in said
    assert "gpt-6.1-sol" in said or "claude-opus-5-5" in said
    assert server.requests == []


def test_without_a_key_nobody_is_asked_and_the_lack_is_said(server, tmp_path, monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    said = codes(write_study(tmp_path, server, 3))
    assert not {"model_unlisted", "model_not_looked_up"} & set(said)
    assert re.fullmatch(
        rf"Judge live: no key for 127.0.0.1:\d+: {KEY} is not set. Set it, or put it into .env.", said["no_key"]
    )
    assert server.connections == 0


def test_a_server_of_this_machine_needs_no_key(server, tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    study = write_study(tmp_path, server, 3, judges={"live": {"openai": "gpt-6-luna", "base_url": server.openai_url}})
    assert "no_key" not in codes(study)


@pytest.mark.parametrize(
    ("dialect", "model", "when"),
    [
        ("chat", ENDING["chat"], f"will be retired on {SOON}"),
        ("messages", ENDING["messages"], f"will be retired on {SOON}"),
        ("messages", RETIRED, "was retired on 2026-10-22"),
    ],
)
def test_the_provider_itself_says_when_a_model_ends(server, tmp_path, monkeypatch, own_prices, dialect, model, when):
    monkeypatch.setenv(KEY, "sk-imitated")
    own_prices(f"date: 2026-11-01\nmodels: {{{model}: {{in: 1, out: 2}}}}\n")
    study = write_study(tmp_path, server, 3, dialect)
    study.write_text(study.read_text().replace(MODELS[dialect], model))
    assert codes(study)["model_retires"] == f"The provider of judge live says that {model} {when}."
    assert server.requests == []


def test_a_list_that_cannot_be_had_is_said_and_stops_nothing(server, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY, "sk-imitated")
    study = write_study(tmp_path, server, 3)
    study.write_text(study.read_text().replace(server.openai_url, "http://127.0.0.1:9/v1"))
    assert "is not known" in codes(study)["model_not_looked_up"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", "<html>Welcome</html>"),
        ("application/json", "[]"),
        ("application/json", "{"),
        ("application/json", '{"data": "none"}'),
        ("application/json", "null"),
    ],
)
def test_a_page_that_is_no_list_of_models_is_said_and_stops_nothing(tmp_path, monkeypatch, kind, body):
    monkeypatch.setenv(KEY, "sk-imitated")
    with page(kind, body) as address:
        said = codes(write_study(tmp_path, SimpleNamespace(openai_url=address), 3))
    assert "is not known" in said["model_not_looked_up"]


def test_entries_of_a_list_without_a_name_are_left_aside(tmp_path, monkeypatch):
    monkeypatch.setenv(KEY, "sk-imitated")
    with page("application/json", '{"data": [{"name": "a"}, {"id": "b"}]}') as address:
        said = codes(write_study(tmp_path, SimpleNamespace(openai_url=address), 3))
    assert "it lists 1 models: b." in said["model_unlisted"]


def test_a_day_that_is_over_is_no_day_to_come(tmp_path, monkeypatch):
    monkeypatch.setenv(KEY, "sk-imitated")
    with page("application/json", '{"data": [{"id": "gpt-6-luna", "shutdown_date": "2026-10-01"}]}') as address:
        said = codes(write_study(tmp_path, SimpleNamespace(openai_url=address), 3))
    assert said["model_retires"] == "The provider of judge live says that gpt-6-luna was retired on 2026-10-01."


@contextmanager
def page(kind, body):
    """The address of a server that gives this page to whoever asks."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
