"""Getting in: links that are redeemed once or a few times, and the sessions they open.

A secret is 256 random bits and is kept as its SHA-256 only; so many random bits need no slow hash.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from judge.errors import GoneError, StateError
from judge.store import access as store

if TYPE_CHECKING:
    from judge.store.database import Transaction

MemberRole: TypeAlias = Literal["owner", "annotator", "adjudicator", "viewer"]
ROLES: Final[tuple[MemberRole, ...]] = ("owner", "annotator", "adjudicator", "viewer")
SESSION: Final = timedelta(days=30)
LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a link offers; shown before it is redeemed."""

    study: str
    role: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who is in.  `secret` is there only when the session was just opened."""

    person: str
    name: str
    study: str
    role: str
    expires: datetime
    secret: str | None = None


def invite(tx: Transaction, study: str, role: MemberRole, now: datetime, *, uses: int = 1, days: float = 14) -> str:
    """Make a link's secret: for so many people, for so many days.  Raises StateError for an impossible wish."""
    if role not in ROLES:
        raise StateError(f"there is no role '{role}'", hint=f"one of {', '.join(ROLES)}")
    if not 1 <= uses <= 1000 or not 0 < days <= 365:
        raise StateError("a link is for 1 to 1,000 people and at most 365 days")
    secret = secrets.token_urlsafe(32)
    _put(tx, secret, "invite", study, role, now, expires=now + timedelta(days=days), uses=uses)
    return secret


def peek(tx: Transaction, secret: str, now: datetime) -> Invitation | None:
    """Say what a link offers without using it; None for a link that is used up, over, revoked or never was."""
    found = store.find_token(tx, fingerprint(secret))
    if found is None or found.kind != "invite" or found.revoked or found.expires <= now or not found.uses:
        return None
    return Invitation(study=found.study, role=found.role, expires=found.expires)


def withdraw(tx: Transaction, study: str, secret: str) -> None:
    """Withdraw a link: nobody comes in by it any more; who did so before stays.  Raises GoneError for no link of the study."""
    found = store.find_token(tx, fingerprint(secret))
    if found is None or found.kind != "invite" or found.study != study:
        raise GoneError("there is no such link in this study", hint="give the whole link as it was printed")
    store.revoke(tx, fingerprint(secret))


def redeem(tx: Transaction, secret: str, name: str, session: str | None, now: datetime) -> Session:
    """Use a link: the person gets its role and a new session.

    session: the secret of a session that the browser holds; its person then gets the role too, under the known name, so
    that nobody is two people.  That session ends, whichever study it was for: the browser keeps one.  Raises GoneError for
    a link that is no more.
    """
    found = store.find_token(tx, fingerprint(secret))
    if found is None or not store.use_invite(tx, fingerprint(secret), now):
        raise GoneError("this link is used up, expired or withdrawn", hint="ask for a new one")
    known = find_session(tx, session, now) if session else None
    if known is not None:
        end_session(tx, str(session))
    if known is not None and known.study == found.study:
        person, called = known.person, known.name
    else:
        person, called = secrets.token_hex(8), _free_name(tx, found.study, name)
        store.put_person(tx, person, called, now)
    store.put_member(tx, person, found.study, found.role)
    fresh = secrets.token_urlsafe(32)
    expires = now + SESSION
    _put(tx, fresh, "session", found.study, found.role, now, expires=expires, person=person)
    return Session(person=person, name=called, study=found.study, role=found.role, expires=expires, secret=fresh)


def find_session(tx: Transaction, secret: str, now: datetime) -> Session | None:
    """Say who holds a session; None when it is over or never was."""
    kept = store.session_of(tx, fingerprint(secret))
    if kept is None:
        return None
    found, name = kept
    if found.revoked or found.expires <= now or found.person is None:
        return None
    return Session(person=found.person, name=name, study=found.study, role=found.role, expires=found.expires)


def end_session(tx: Transaction, secret: str) -> None:
    """Log out."""
    store.revoke(tx, fingerprint(secret))


def fingerprint(secret: str) -> str:
    """Give what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _free_name(tx: Transaction, study: str, name: str) -> str:
    """Give a name that nobody in the study has: labels are told apart by it."""
    wanted = " ".join(name.replace("\0", " ").split())[:LONGEST_NAME] or "Annotator"  # PostgreSQL keeps no NUL
    taken = set(store.names(tx, study).values())
    if wanted not in taken:
        return wanted
    return next(f"{wanted} {n}" for n in range(2, len(taken) + 3) if f"{wanted} {n}" not in taken)


def _put(
    tx: Transaction,
    secret: str,
    kind: str,
    study: str,
    role: str,
    now: datetime,
    *,
    expires: datetime,
    uses: int | None = None,
    person: str | None = None,
) -> None:
    token = store.TokenRecord(
        digest=fingerprint(secret), kind=kind, study=study, role=role, person=person, uses=uses, expires=expires, revoked=False
    )
    store.put_token(tx, token, now)
