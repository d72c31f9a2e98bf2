"""What the owner's page asks of the rest of the program; the caller of `create_app` fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class OwnerService(Protocol):
    """The owner's verbs for one workspace.  All block; the pages call them on a thread.  They raise JudgeErrors."""

    def status(self, study: str) -> Mapping[str, Any]:
        """Give {round, state, planned, labels, annotators [{id, labels}]}; state None without a round."""

    def invite(self, study: str, *, uses: int, days: float, role: str) -> Mapping[str, Any]:
        """Make a link: {link, expires}."""

    def close(self, study: str, *, incomplete: bool) -> Mapping[str, Any]:
        """Close the round: {labels, missing}.  Raises StateError while labels are missing, unless `incomplete`."""

    def report_html(self, study: str, person: str) -> str:
        """Give the report as one HTML page, and note that this person saw it."""
