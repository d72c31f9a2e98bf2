"""Who is asking: the session behind the cookie, looked up in the database at every request.

Most routes look it up before their handler runs.  Those that a person waits for at every vote are given a `Visitor`
instead, and `admit` it within the transaction that acts: one trip to the database less, and nobody acts after the end
of a session.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException

from judge.access import Session, end_session, find_session
from judge.clock import Clock
from judge.store.database import Database
from review_ui.transactions import read, write

if TYPE_CHECKING:
    from judge.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who shows a secret and was not looked up yet, and the roles of which one is needed."""

    secret: str
    roles: frozenset[str]


def admit(tx: Transaction, visitor: Visitor, now: datetime) -> Session:
    """Look a visitor up.  Raises 401 for nobody we know, 403 when the role is not among those needed."""
    return allowed(find_session(tx, visitor.secret, now), visitor.roles)


def allowed(session: Session | None, roles: frozenset[str]) -> Session:
    """Give the session if it may pass.  Raises 401 without a session, 403 when its role is not among those needed."""
    if session is None:
        raise NotAuthorizedException
    if session.role not in roles:
        raise PermissionDeniedException("another role is needed")
    return session


class Sessions:
    """Finds sessions by cookie and writes the cookie.  On https its name binds it to this very host."""

    def __init__(self, database: Database, clock: Clock, *, https: bool) -> None:
        self.https = https
        self.cookie = "__Host-bj_session" if https else "bj_session"
        self._database, self._clock = database, clock

    async def find(self, secret: str | None) -> Session | None:
        """Find who holds a session; None: nobody we know, or no longer."""
        if not secret:
            return None
        return await read(self._database, find_session, secret, self._clock())

    async def end(self, secret: str) -> None:
        """End a session for good."""
        await write(self._database, end_session, secret)

    def secret_in(self, header: str) -> str | None:
        """Read our cookie out of a Cookie header; a broken header is an empty one."""
        try:
            morsel = SimpleCookie(header).get(self.cookie)
        except CookieError:
            return None
        return morsel.value if morsel else None

    def issue(self, session: Session) -> Cookie:
        """Write the cookie of a session that was just made."""
        age = max(0, int((session.expires - self._clock()).total_seconds()))
        return self._cookie(session.secret or "", age)

    def withdraw(self) -> Cookie:
        """Write the cookie that takes the session's away."""
        return self._cookie("", 0)

    def _cookie(self, value: str, age_s: int) -> Cookie:
        return Cookie(key=self.cookie, value=value, max_age=age_s, path="/", httponly=True, secure=self.https, samesite="lax")
