"""`judge check` asks a provider for its list of models where a key is there, and says what it found."""

from __future__ import annotations

import pytest

from judge import Study
from tests.calls_study import KEY, Model, write_study
from tests.provider_server import ProviderServer


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


def test_without_a_key_nobody_is_asked(server, tmp_path, monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    assert not {"model_unlisted", "model_not_looked_up"} & set(codes(write_study(tmp_path, server, 3)))
    assert server.connections == 0


def test_a_list_that_cannot_be_had_is_said_and_stops_nothing(server, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY, "sk-imitated")
    study = write_study(tmp_path, server, 3)
    study.write_text(study.read_text().replace(server.openai_url, "http://127.0.0.1:9/v1"))
    assert "is not known" in codes(study)["model_not_looked_up"]
