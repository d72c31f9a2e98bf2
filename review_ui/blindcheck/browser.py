"""A browser without a network: one request to the application in this process, and all that it answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import urlencode

HOST: Final = "127.0.0.1"
JSON: Final = "application/json"
HTML: Final = "text/html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as it went over the wire, with the request that brought it.

    sent: method, path and what was in the form.  headers: in the order in which they were sent.  seconds: how long it took.
    """

    route: str
    sent: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float

    def header(self, name: str) -> str:
        """Give a header's value; empty without one."""
        return next((value for known, value in self.headers if known == name), "")

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        return json.loads(self.body) if self.header("content-type").startswith(JSON) else None

    @property
    def text(self) -> str:
        """The body as text, whatever is in it."""
        return self.body.decode("utf-8", "replace")


class Loop:
    """One event loop for all browsers of a check; to be closed at the end."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._addresses = 0

    def __enter__(self) -> Loop:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    def run(self, app: Any, scope: Mapping[str, Any], body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes, float]:
        """Put one request through an ASGI application: status, headers, body, seconds."""
        return self._runner.run(_ask(app, scope, body))

    def address(self) -> str:
        """Give an address that nobody had, so that no limit on attempts is met."""
        self._addresses += 1
        return f"10.{self._addresses >> 16 & 255}.{self._addresses >> 8 & 255}.{self._addresses & 255}"


class Browser:
    """Somebody at a browser: keeps cookies, follows nothing."""

    def __init__(self, loop: Loop, app: Any) -> None:
        self._loop, self._app = loop, app
        self.cookies: dict[str, str] = {}

    def ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        *,
        accept: str = HTML,
        route: str | None = None,
    ) -> Answer:
        """Send one request.  route: how the path is called in a finding, where it holds a secret."""
        body = b"" if form is None else urlencode(form).encode()
        status, headers, content, seconds = self._loop.run(self._app, self._scope(method, path, body, accept), body)
        answer = Answer(
            route=f"{method} {route or path}",
            sent=f"{method} {path} {body.decode()}".strip(),
            status=status,
            headers=tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers),
            body=content,
            seconds=seconds,
        )
        self._keep_cookies(answer)
        return answer

    def _scope(self, method: str, path: str, body: bytes, accept: str) -> dict[str, Any]:
        headers = {"host": HOST, "accept": accept, "sec-fetch-site": "same-origin"}
        if body:
            headers |= {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": (self._loop.address(), 50_000),
            "server": (HOST, 80),
            "state": {},
        }

    def _keep_cookies(self, answer: Answer) -> None:
        for name, value in answer.headers:
            if name != "set-cookie":
                continue
            for morsel in SimpleCookie(value).values():
                self.cookies.pop(morsel.key, None)
                if morsel.value:
                    self.cookies[morsel.key] = morsel.value


async def _ask(app: Any, scope: Mapping[str, Any], body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes, float]:
    status, headers, parts = 0, [], bytearray()
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            parts.extend(message.get("body", b""))

    begun = time.perf_counter()
    await app(scope, receive, send)
    return status, headers, bytes(parts), time.perf_counter() - begun
