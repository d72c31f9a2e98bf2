"""An engine on a database file that asks one OpenAI-compatible server, for every benchmark that judges."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from judge.calls import Answer, Engine, Request, Settings, provider_for
from judge.clock import utc_now
from judge.domain import Message
from judge.store.opening import open_database

Ask = Callable[[Iterable[str]], Iterator[tuple[int, Answer | None]]]


@contextmanager
def asking(database: Path, url: str, most_open: int) -> Iterator[Ask]:
    """Give a function that asks questions, so many open at once, and yields the answers as they come."""
    os.environ["OPENAI_API_KEY"] = "k"
    opened = open_database(database)
    provider = provider_for("openai", url, None, most_open)
    engine = Engine(opened, {"openai": provider}, utc_now, settings=Settings(most_open=most_open))

    def request(n: int, text: str) -> Request:
        question = (Message(role="user", content=text),)
        return Request(provider="openai", model="m", base_url=url, messages=question, tag=str(n), route="openai")

    try:
        yield lambda texts: engine.stream(request(n, text) for n, text in enumerate(texts))
    finally:
        engine.close()
        opened.close()


def usable(answers: Iterator[tuple[int, Answer | None]]) -> int:
    """Wait for all answers, and count those that are of use."""
    return sum(answer is not None and not answer.failed for _, answer in answers)
