"""Who is asking: the session behind the cookie, looked up in the database at every request."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from litestar.datastructures import Cookie

from judge.access import Session, end_session, find_session
from judge.clock import Clock
from judge.store.database import Database
from review_ui.transactions import read, write


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
