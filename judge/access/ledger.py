"""The ledger: what was opened, exported, looked at or shown, by whom and when.  Written once, never changed."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from judge.clock import Clock
from judge.store import access

if TYPE_CHECKING:
    from judge.store.database import Transaction

OPENING: Final = "opening"  # an arm's first evaluation on the test set
IMPORT: Final = "import"
EXPORT: Final = "export"
ROUND: Final = "round"  # a round was opened, and what it does with betraying texts
UNBLINDING: Final = "unblinding"  # a pair was shown with its arms
CLOSE: Final = "close"  # a round was closed and its envelopes opened
LOOK: Final = "look"  # totals of an open round
LABELS_OPENED: Final = frozenset({CLOSE, EXPORT, UNBLINDING})


def note(tx: Transaction, study: str, kind: str, clock: Clock, what: Mapping[str, Any], who: str | None = None) -> None:
    """Add one event, by a person of the study or by whoever runs this process."""
    access.append(tx, access.Event(study=study, kind=kind, who=who or whoami(), what=what, at=clock()))


def opens_labels(event: access.Event) -> bool:
    """Say whether an event let somebody see labels; pairs shown before any label was there opened none."""
    return event.kind in LABELS_OPENED and not (event.kind == UNBLINDING and event.what.get("labels") == 0)


def openings(tx: Transaction, study: str) -> list[access.Event]:
    """Give the study's openings of the test set."""
    return access.events(tx, study, OPENING)


def whoami() -> str:
    """Name the person at the command line, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
