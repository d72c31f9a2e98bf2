"""The owner's verbs while a server runs, on the database that it holds open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from judge.clock import Clock
from judge.decision.report import to_html
from judge.errors import StudyError
from judge.store import study as study_store
from judge.store.database import Database
from judge.study import load_study
from judge.workflow import reviewing, running
from judge.workflow.links import join_link
from judge.workflow.outputs import sources_in
from judge.workflow.workspace import Opened, brought_in


class Owner:
    """What the owner's page asks for.  Blocks; call it on a thread."""

    def __init__(self, path: Path, database: Database, clock: Clock, address: Callable[[], str]) -> None:
        """path: the study file.  address: the server's own address, known once it listens."""
        self._path = path
        self._database = database
        self._clock = clock
        self._address = address

    def status(self, study: str) -> Mapping[str, Any]:
        """Count labels by annotator in the newest round."""
        with self._database.read() as tx:
            record = study_store.find_study(tx, study)
            if record is None:
                raise StudyError(f"there is no study '{study}'")
            return reviewing.status_of(tx, record.id, study)

    def invite(self, study: str, *, uses: int, days: float, role: str) -> Mapping[str, Any]:
        """Make a link for people to come in by."""
        secret, expires = reviewing.invite(self._work(study), role=role, uses=uses, days=days)
        return {"link": join_link(self._address(), secret), "expires": expires}

    def close(self, study: str, *, incomplete: bool) -> Mapping[str, Any]:
        """Close the open round."""
        labels, missing = reviewing.close(self._work(study), incomplete=incomplete)
        return {"labels": labels, "missing": missing}

    def report_html(self, study: str, person: str) -> str:
        """Give the report; whoever sees it has seen pairs with their arms, and the ledger says so."""
        work = self._work(study)
        made = running.reports(work)
        shown = [exhibit for one in made for exhibit in one.exhibits]
        if shown:
            running.unblind(work, "report page", shown, person)
        return to_html(made[0])

    def _work(self, study: str) -> Opened:
        config = load_study(self._path)
        if config.name != study:
            raise StudyError(f"this server serves the study '{config.name}', not '{study}'")
        return brought_in(sources_in(config, self._database), self._database, self._clock)
