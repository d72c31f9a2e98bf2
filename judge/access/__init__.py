"""People, roles, tokens and the append-only ledger."""

from judge.access.ledger import EXPORT, IMPORT, LABELS_OPENED, OPENING, UNBLINDING, note, openings, whoami

__all__ = ["EXPORT", "IMPORT", "LABELS_OPENED", "OPENING", "UNBLINDING", "note", "openings", "whoami"]
