"""What both SDKs have in common: bodies that are read by us, failures by class, limits in headers."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from judge.calls.failures import CallFailed, Failed, codes_of, is_filtered, is_page, is_too_long, kind_inside, kind_of
from judge.calls.pacing import Limits
from judge.calls.providers.base import ListedModel
from judge.calls.providers.server import Server
from judge.calls.request import Answer, Usage
from judge.text import well_formed


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


async def listed(client: Any, server: Server, timeout_s: float) -> list[ListedModel]:
    """Ask an SDK's client for its models, all pages of the list.  Raises CallFailed."""
    try:
        async with asyncio.timeout(timeout_s):
            return [_listed(model) async for model in client.models.list() if isinstance(model.id, str)]
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # what an SDK makes of a page that is no list
        raise CallFailed(Failed(kind="transport", text="what came is no list of models")) from error
    except Exception as error:
        raise CallFailed(failed_from(error, server)) from error


def _listed(model: Any) -> ListedModel:
    """Read one entry: OpenAI has `shutdown_date`, Anthropic `lifecycle` and `retires_at`, other servers have neither."""
    said = getattr(model, "shutdown_date", None) or getattr(model, "retires_at", None)
    ends: date | None = None
    with suppress(ValueError):
        ends = datetime.fromisoformat(str(said)).date() if said else None
    return ListedModel(name=model.id, retires=ends, retired=getattr(model, "lifecycle", None) == "retired")


def pool(connections: int) -> Any:
    """Size a client's pool: a call that finds no kept connection pays for a new one."""
    import httpx2

    return httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)


def answer_of(
    raw: str,
    call: str,
    request_id: str | None,
    read: Callable[[dict[str, Any]], Answer],
    usage: Callable[[Mapping[str, Any]], Usage],
) -> Answer:
    """Read a 200's body, or what a filter said in place of one.

    Raises CallFailed for one that was cut, that is a page of something in between, that tells of an error, or that holds
    no answer where the dialect has it: whoever sent it may have charged for it.
    """
    try:
        content = json.loads(raw)
        if isinstance(content, dict) and content.get("error") and isinstance(content["error"], dict):
            return _broken_off(raw, usage(content.get("usage") or {}), call, request_id)
        if isinstance(content, dict) and content:
            answer = read(content)
            return answer if answer.text is None else replace(answer, text=well_formed(answer.text))
        text = "the answer is no JSON object"
    except (ValueError, RecursionError):
        text = "a web page came in place of an answer" if is_page(raw) else "the answer is no whole JSON object"
    except (AttributeError, LookupError, TypeError):
        if is_filtered(raw):
            return _broken_off(raw, Usage(), call, request_id)
        text = "the answer does not have the form of one"
    raise CallFailed(Failed(kind="transport", text=text, status=200, request_id=request_id, paid=True))


def _broken_off(raw: str, usage: Usage, call: str, request_id: str | None) -> Answer:
    """Read a body that is an error: a filter's is an answer without text.  Raises CallFailed for any other."""
    if is_filtered(raw):
        # A question that was not let through costs nothing; an output that was blocked may have been paid.
        free = usage == Usage() and not codes_of(raw)[1].lower().startswith("output")
        took = Usage(tokens_in=0, tokens_out=0) if free else usage
        return Answer(digest=call, text=None, finish="filter", request_id=request_id, usage=took)
    raise broken_off(raw, request_id)


def broken_off(error: str, request_id: str | None) -> CallFailed:
    """Give the failure of which an error inside an answer tells.  error: its body, as JSON."""
    kind = kind_inside(error)
    text = _short(codes_of(error)[1] or "the model broke off without a word")
    paid = kind in ("overloaded", "transport")
    return CallFailed(Failed(kind=kind, text=text, status=200, request_id=request_id, paid=paid, too_long=is_too_long(error)))


def filtered(error: Exception) -> Any:
    """Give the response in which a filter says that it stopped a question; None where an error is anything else."""
    response = getattr(error, "response", None)
    return response if response is not None and response.status_code < 500 and is_filtered(response.text) else None


def failed_from(error: Exception, server: Server, limits_of: Callable[[Mapping[str, str]], Limits] | None = None) -> Failed:
    """Class an SDK's exception; one that is no failure of the call is raised again.

    server: was asked; its key stands in no text.  limits_of: reads announced limits.
    """
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    if status is None or response is None:
        name = type(error).__name__
        if "Timeout" in name or "Connection" in name or isinstance(error, OSError):
            # Names do not tell whether the provider got it and charged for it; only a refused connection does.
            refused = _refusal(error)
            text = f"{name}: {error}" if refused is None else f"no connection to {server.host}: {refused}"
            return Failed(kind="transport", text=_short(server.without_key(text)), paid=refused is None)
        raise error
    headers = response.headers
    return Failed(
        kind=kind_of(status, response.text),
        text=_told(response.text, server),
        status=status,
        retry_after_s=retry_after(headers),
        request_id=headers.get("x-request-id") or headers.get("request-id"),
        limits=limits_of(headers) if limits_of else Limits(),
        too_long=is_too_long(response.text),
    )


def _told(body: str, server: Server) -> str:
    """Give the words of an error's body; one without any is shown as it is."""
    words = "a web page came" if is_page(body) else codes_of(body)[1] or body or "without a word"
    return _short(server.without_key(words))


def without_key(failure: CallFailed, server: Server) -> CallFailed:
    """Take the server's key out of what is said of a failure."""
    return CallFailed(replace(failure.failed, text=server.without_key(failure.failed.text)))


def _refusal(error: BaseException | None) -> str | None:
    """Say in words why no connection came about, if that is behind an error: then nothing was sent."""
    from aiohttp import ClientConnectorError, ConnectionTimeoutError

    words = None
    while error is not None:
        match error:
            case ConnectionRefusedError():
                return "nobody listens there"
            case socket.gaierror():
                return error.strerror or "no such host"
            case ClientConnectorError(os_error=ssl.SSLError() as cause):
                why = getattr(cause, "verify_message", None) or cause.reason or cause.strerror
                return f"it is not secure: {why}"
            case ClientConnectorError():
                words = error.os_error.strerror or "it failed"
            case ConnectionTimeoutError():
                words = "nobody took it"
        error = error.__cause__ or error.__context__
    return words


def _short(text: str) -> str:
    line = " ".join(well_formed(text).split())
    return line if len(line) <= 300 else f"{line[:297]}..."


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how long the provider wants us to wait, in seconds."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "")
        try:
            seconds = float(text) * unit
        except ValueError:
            with suppress(ValueError, TypeError):
                return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
        else:
            return max(0.0, seconds) if math.isfinite(seconds) else None
    return None


def limits(headers: Mapping[str, str], prefix: str, requests: str, tokens: str) -> Limits:
    """Read announced limits: headers `{prefix}-{limit|remaining}-{kind}` or `{prefix}-{kind}-{...}`."""

    def number(kind: str, what: str) -> float | None:
        text = headers.get(f"{prefix}-{what}-{kind}") or headers.get(f"{prefix}-{kind}-{what}")
        try:
            value = math.nan if text is None else float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) and value >= 0 else None

    return Limits(
        requests=number(requests, "limit"),
        requests_left=number(requests, "remaining"),
        tokens=number(tokens, "limit"),
        tokens_left=number(tokens, "remaining"),
    )
