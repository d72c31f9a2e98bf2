"""What both SDKs have in common: bodies that are read by us, failures by class, limits in headers."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from judge.calls.failures import CallFailed, Failed, kind_of
from judge.calls.pacing import Limits
from judge.calls.request import Answer

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


async def post(client: Any, path: str, body: Mapping[str, Any], timeout_s: float) -> Any:
    """Post through an SDK's client as it is: its key, its transport, its errors.

    The typed methods turn every body over and build a model of every answer, which costs as much as the call; the raw
    answer is what is kept.  timeout_s: for the whole call; an SDK's own time-out starts anew with every byte.
    """
    import httpx2

    try:
        async with asyncio.timeout(timeout_s):
            return await client.post(path, cast_to=httpx2.Response, body=body, options={"timeout": timeout_s})
    except TimeoutError as late:
        raise TimeoutError(f"no whole answer within {timeout_s:g} s") from late


async def listed(client: Any, timeout_s: float) -> frozenset[str]:
    """Ask an SDK's client for its models, all pages of the list.  Raises CallFailed."""
    try:
        async with asyncio.timeout(timeout_s):
            return frozenset([model.id async for model in client.models.list()])
    except Exception as error:
        raise CallFailed(failed_from(error)) from error


def pool(connections: int) -> Any:
    """Size a client's pool: a call that finds no kept connection pays for a new one."""
    import httpx2

    return httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)


def answer_of(raw: str, request_id: str | None, read: Callable[[dict[str, Any]], Answer]) -> Answer:
    """Read a 200's body.

    Raises CallFailed for one that was cut, that is a page of something in between, or that holds no answer where the
    dialect has it: whoever sent it may have charged for it.
    """
    try:
        content = json.loads(raw)
        if isinstance(content, dict) and content:
            return read(content)
        text = "the answer is no JSON object"
    except (ValueError, RecursionError):
        text = "the answer is no whole JSON object"
    except (AttributeError, LookupError, TypeError):
        text = "the answer does not have the form of one"
    raise CallFailed(Failed(kind="transport", text=text, status=200, request_id=request_id, paid=True))


def failed_from(error: Exception, limits_of: Callable[[Mapping[str, str]], Limits] | None = None) -> Failed:
    """Class an SDK's exception; one that is no failure of the call is raised again.  limits_of: reads announced limits."""
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    if status is None or response is None:
        name = type(error).__name__
        if "Timeout" in name or "Connection" in name or isinstance(error, OSError):
            # Names do not tell whether the provider got it and charged for it; only a refused connection does.
            return Failed(kind="transport", text=f"{name}: {error}", paid=not _never_left(error))
        raise error
    body = getattr(error, "body", None)
    text = f"{error} {body}"
    headers = response.headers
    return Failed(
        kind=kind_of(status, text),
        text=_short(str(error)),
        status=status,
        retry_after_s=retry_after(headers),
        request_id=headers.get("x-request-id") or headers.get("request-id"),
        limits=limits_of(headers) if limits_of else Limits(),
    )


def _never_left(error: BaseException | None) -> bool:
    """Find a refused connection or an unknown host behind an error: then nothing was sent."""
    while error is not None:
        if isinstance(error, ConnectionRefusedError | socket.gaierror):
            return True
        error = error.__cause__ or error.__context__
    return False


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:297]}..."


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how long the provider wants us to wait, in seconds."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "")
        try:
            return float(text) * unit
        except ValueError:
            with suppress(ValueError, TypeError):
                return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    return None


def limits(headers: Mapping[str, str], prefix: str, requests: str, tokens: str) -> Limits:
    """Read announced limits: headers `{prefix}-{limit|remaining|reset}-{kind}` or `{prefix}-{kind}-{...}`."""

    def number(kind: str, what: str) -> float | None:
        text = headers.get(f"{prefix}-{what}-{kind}") or headers.get(f"{prefix}-{kind}-{what}")
        try:
            return None if text is None else float(text)
        except ValueError:
            return None

    def reset(kind: str) -> float | None:
        text = headers.get(f"{prefix}-reset-{kind}") or headers.get(f"{prefix}-{kind}-reset")
        return None if text is None else seconds(text)

    return Limits(
        requests=number(requests, "limit"),
        requests_left=number(requests, "remaining"),
        requests_reset_s=reset(requests),
        tokens=number(tokens, "limit"),
        tokens_left=number(tokens, "remaining"),
        tokens_reset_s=reset(tokens),
    )


def seconds(text: str) -> float | None:
    """Read `6m0s`, `12ms`, or a moment in RFC 3339, as seconds from now."""
    spans = _SPAN.findall(text)
    if spans and "".join(number + unit for number, unit in spans) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in spans)
    try:
        return max(0.0, (datetime.fromisoformat(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def on_this_machine(base_url: str | None) -> bool:
    """Say whether an address is on this machine."""
    return base_url is not None and urlsplit(base_url).hostname in _LOOPBACK


def key_from(variable: str | None, default: str, provider: str, base_url: str | None) -> str:
    """Find the key in the environment; `.env` was read into it before.

    A server on this machine is asked without one unless the study names a variable.  Raises CallFailed without a key.
    """
    import os

    found = os.environ.get(variable or default)
    if not found and variable is None and on_this_machine(base_url):
        return "none"  # the packages send something
    if not found:
        failed = Failed(kind="not_allowed", text=f"no key for {provider}: set {variable or default} or put it into .env")
        raise CallFailed(failed)
    return found
