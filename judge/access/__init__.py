"""People, roles, tokens and the append-only ledger."""

from judge.access.ledger import CLOSE, EXPORT, IMPORT, LOOK, OPENING, ROUND, UNBLINDING, note, openings, opens_labels, whoami
from judge.access.people import (
    LONGEST_NAME,
    ROLES,
    Invitation,
    MemberRole,
    Session,
    end_session,
    find_session,
    invite,
    peek,
    redeem,
    withdraw,
)

__all__ = [
    "CLOSE",
    "EXPORT",
    "IMPORT",
    "LONGEST_NAME",
    "LOOK",
    "OPENING",
    "ROLES",
    "ROUND",
    "UNBLINDING",
    "Invitation",
    "MemberRole",
    "Session",
    "end_session",
    "find_session",
    "invite",
    "note",
    "openings",
    "opens_labels",
    "peek",
    "redeem",
    "whoami",
    "withdraw",
]
