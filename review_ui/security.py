"""What every request must pass and every answer must carry.

A request passes the host check, the check against foreign sites, the session and the role table, in this order.
The role table `ROUTES` is the whole truth about who may call what: a route that is not in it answers nobody.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

from litestar.enums import ScopeType
from litestar.exceptions import (
    HTTPException,
    NotFoundException,
    PermissionDeniedException,
    TooManyRequestsException,
)
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from review_ui.sessions import Sessions, Visitor, allowed

BODY_LIMIT: Final = 64 * 1024  # bytes; a vote with a long comment takes a tenth of it

ANYONE: Final[frozenset[str]] = frozenset({"anyone"})
JUDGING: Final[frozenset[str]] = frozenset({"owner", "annotator", "adjudicator"})
LOOKING: Final[frozenset[str]] = frozenset({"owner", "viewer"})
OWNING: Final[frozenset[str]] = frozenset({"owner"})
INVITED: Final[frozenset[str]] = JUDGING | LOOKING

ROUTES: Final[Mapping[str, frozenset[str]]] = {
    "GET /": ANYONE,
    "GET /healthz": ANYONE,
    "GET /static/{version_}/{name}": ANYONE,
    "GET /join/{token}": ANYONE,
    "POST /join/{token}": ANYONE,
    "POST /leave": INVITED,
    "GET /desk": JUDGING,
    "POST /desk/vote": JUDGING,
    "POST /desk/draft": JUDGING,
    "POST /desk/undo": JUDGING,
    "GET /owner": LOOKING,
    "GET /owner/status": LOOKING,
    "GET /owner/report": LOOKING,
    "POST /owner/invite": OWNING,
    "POST /owner/close": OWNING,
}
"""Who may call what.  Everything else, other methods included, is not found."""

ADMITTED_WITHIN: Final = frozenset({"GET /desk", "POST /desk/vote", "POST /desk/draft", "POST /desk/undo"})
"""Routes whose handler gets a `Visitor`, whom it admits in the transaction that acts; all others get a session."""

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
REPORT_CSP: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The report is one file with its style inside it; it runs nothing and loads nothing."""

HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # With no-referrer a browser sends `Origin: null` from our own forms, and they would be refused.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "cache-control": "no-store",
}
"""On every answer, errors included; a handler may replace the policy and the caching by its own."""


async def add_headers(message: Message, _scope: Scope) -> None:
    """Put the standing headers on an answer that starts, and take away what names the server."""
    if message["type"] != "http.response.start":
        return
    own = {name.lower() for name, _ in message["headers"]}
    kept = [(name, value) for name, value in message["headers"] if name.lower() != b"server"]
    added = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in own]
    message["headers"] = [*kept, *added]


class Gate(ASGIMiddleware):
    """Lets a request through to its handler, with `scope["user"]` set, or ends it with the reason in its status.

    The user is a Session; None where anyone may ask and nobody we know does; a Visitor on the routes `ADMITTED_WITHIN`.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, sessions: Sessions, allowed_hosts: Collection[str]) -> None:
        self.sessions = sessions
        self.allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Check one request.  Raises 400, 403, 401 or 404 as an HTTPException."""
        method = scope.get("method")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not host_is_ours(headers.get("host", ""), self.allowed_hosts):
            raise HTTPException(status_code=400, detail="unknown host")
        if method not in {"GET", "HEAD", "OPTIONS"} and not same_site(headers):
            raise PermissionDeniedException("a form of another site")
        route = f"{method} {scope.get('path_template')}"
        roles = ROUTES.get(route)
        if roles is None:
            raise NotFoundException
        secret = self.sessions.secret_in(headers.get("cookie", ""))
        if secret and route in ADMITTED_WITHIN:
            scope["user"] = Visitor(secret, roles)
        else:
            session = await self.sessions.find(secret)
            scope["user"] = session if roles is ANYONE else allowed(session, roles)
        await next_app(scope, receive, send)


def host_is_ours(host: str, allowed: Collection[str]) -> bool:
    """Tell whether a Host header names one of our hosts, whatever its port; `*` allows every name.

    Keeps a page elsewhere from reaching a service on this machine under a name of its own (DNS rebinding).
    """
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name is not None and ("*" in allowed or name in allowed)


def same_site(headers: Mapping[str, str]) -> bool:
    """Tell whether an unsafe request comes from our own page, or from no page at all.

    Browsers say so themselves: Sec-Fetch-Site on secure origins, Origin everywhere.  A client that sends neither is
    no browser and carries nobody's cookie unasked.  Source: Go 1.25, net/http CrossOriginProtection.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or (origin != "null" and urlsplit(origin).netloc == headers.get("host", ""))


class Attempts:
    """Counts attempts by address over the last minute, in memory; forgets the addresses seen longest ago."""

    def __init__(self, a_minute: int = 10, remembered: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self.a_minute = a_minute
        self.remembered = remembered
        self._clock = clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, address: str) -> None:
        """Note one attempt.  Raises 429 with Retry-After when there were too many."""
        now = self._clock()
        times = self._seen.setdefault(address, deque(maxlen=self.a_minute))
        self._seen.move_to_end(address)
        if len(self._seen) > self.remembered:
            self._seen.popitem(last=False)
        if len(times) == self.a_minute and now - times[0] < 60:
            wait = int(60 - (now - times[0])) + 1
            raise TooManyRequestsException("too many attempts", headers={"retry-after": str(wait)})
        times.append(now)


def address_of(scope: Scope) -> str:
    """Give the address that a request came from, as the server saw it."""
    client = scope["client"]
    return client[0] if client else "unknown"
