"""A provider is asked something before the study does: does it answer (`judge doctor --live`), does it list a model?"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from judge.calls import (
    Answer,
    Budget,
    CallFailed,
    Engine,
    ListedModel,
    Request,
    Settings,
    holds,
    models_of,
    prices,
    provider_for,
    server_for,
)
from judge.clock import utc_now
from judge.domain import Judge, Message, Notice
from judge.errors import JudgeError
from judge.store.opening import open_database
from judge.text.money import dollars
from judge.workflow.doctor import Finding
from judge.workflow.keys import server_of, take_keys, take_variables

CHEAP: Final[Mapping[str, str]] = {"openai": "gpt-6-luna", "anthropic": "claude-haiku-5-5"}
"""The least expensive model of each provider in the list of prices."""

_CAP_USD: Final = 0.05
_LIST_S: Final = 5.0  # for a list of models
_SOON: Final = timedelta(days=90)
_ONE_WORD: Final = {
    "type": "object",
    "properties": {"word": {"type": "string"}},
    "required": ["word"],
    "additionalProperties": False,
}
_PATIENCE: Final = Settings(most_open=1, timeout_s=30.0, throttled_s=15.0)


def call_providers(folder: Path) -> list[Finding]:
    """Make one cheap call to each provider whose key is in the environment or in the folder's `.env`.

    Never raises: what is wrong is a finding.  A provider without a key is fine, for nobody has to use it.
    """
    try:
        take_variables(folder, [_variable(name) for name in CHEAP])
    except JudgeError as error:
        return [Finding(what="keys", ok=False, text=f"{error.at}: {error.problem}", remedy=error.hint or "")]
    return [_call(name) if holds(_variable(name)) else _no_key(name) for name in CHEAP]


def look_up(folder: Path, judges: Sequence[Judge]) -> list[Notice]:
    """Warn of judges without a key, and of models that their provider does not list or is about to end; lists are free.

    Raises FileError or RowError for a broken `.env`.
    """
    take_keys(folder, judges)
    return [notice for judge in judges for notice in _looked_up(judge)]


def _looked_up(judge: Judge) -> list[Notice]:
    server = server_of(judge)
    try:
        server.key()
    except JudgeError as error:
        return [Notice(code="no_key", text=f"Judge {judge.name}: {error.line()}")]
    if not server.has_key:
        return []  # a server of this machine without a key is one of many, and may list nothing
    try:
        known = models_of(judge.source, judge.base_url, judge.key_env, _LIST_S)
    except CallFailed as failure:
        text = f"Whether judge {judge.name} can ask {judge.target} is not known: {failure.failed.said.rstrip('.')}."
        return [Notice(code="model_not_looked_up", text=text)]
    # Anthropic lists dated snapshots, and answers to the name without the date as well: with the latest of them.
    found = [model for model in known if model.name == judge.target or model.name.startswith(f"{judge.target}-2")]
    if found:
        return _ending(judge, max(found, key=lambda model: (model.name == judge.target, model.name)))
    some = ", ".join(sorted(model.name for model in known)[:5]) or "none"
    text = f"The provider of judge {judge.name} does not list {judge.target}; it lists {len(known)} models: {some}."
    return [Notice(code="model_unlisted", text=text)]


def _ending(judge: Judge, model: ListedModel) -> list[Notice]:
    if model.retired:
        when = "was retired" if model.retires is None else f"was retired on {model.retires}"
    elif model.retires is not None and is_near(model.retires):
        when = end_of(model.retires)
    else:
        return []
    return [Notice(code="model_retires", text=f"The provider of judge {judge.name} says that {model.name} {when}.")]


def is_near(day: date) -> bool:
    """Say whether a model's end is so near that a study which begins now may meet it."""
    return day - datetime.now(UTC).date() < _SOON


def end_of(day: date) -> str:
    """Say when a model ends, or that it did."""
    return f"{'was' if day <= datetime.now(UTC).date() else 'will be'} retired on {day}"


def _no_key(name: str) -> Finding:
    return Finding(what=name, ok=True, text=f"no key: {_variable(name)} is not set, so nothing was called")


def _variable(name: str) -> str:
    return server_for(name, None, None).variable


def _call(name: str) -> Finding:
    asked = Request(
        provider=name,
        model=CHEAP[name],
        messages=(Message(role="user", content='Answer with {"word": "ready"}.'),),
        schema=_ONE_WORD,
        tag="doctor",
        route=name,
    )
    try:
        answer = _answered(asked)
    except JudgeError as error:
        return Finding(what=name, ok=False, text=error.line())
    if answer is None or answer.failed or answer.error:
        text = f"{CHEAP[name]} gave no answer: {answer.error if answer else 'none came'}"
        return Finding(what=name, ok=False, text=text, remedy="Try again later.")
    return Finding(what=name, ok=True, text=_seen(name, answer))


def _answered(asked: Request) -> Answer | None:
    """Ask through the engine, with all it knows of failures, on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder) / "probe.db")
        provider = provider_for(asked.provider, None, None, 1)
        engine = Engine(database, {asked.route: provider}, utc_now, budget=Budget(cap=_CAP_USD), settings=_PATIENCE)
        try:
            return engine.submit([asked]).answers[0]
        finally:
            engine.close()
            database.close()


def _seen(name: str, answer: Answer) -> str:
    cost = "" if answer.cost_usd is None else f", {dollars(answer.cost_usd)} USD by the list of {prices().of}"
    return (
        f"{answer.model or CHEAP[name]} answered in {answer.latency_s or 0:.1f} s "
        f"({answer.tokens_in} tokens in, {answer.tokens_out} out{cost})"
    )
