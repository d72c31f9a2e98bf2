"""People, roles, tokens and the append-only ledger."""

from judge.access.ledger import CLOSE, EXPORT, IMPORT, LABELS_OPENED, LOOK, OPENING, UNBLINDING, note, openings, whoami
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
)

__all__ = [
    "CLOSE",
    "EXPORT",
    "IMPORT",
    "LABELS_OPENED",
    "LONGEST_NAME",
    "LOOK",
    "OPENING",
    "ROLES",
    "UNBLINDING",
    "Invitation",
    "MemberRole",
    "Session",
    "end_session",
    "find_session",
    "invite",
    "note",
    "openings",
    "peek",
    "redeem",
    "whoami",
]
