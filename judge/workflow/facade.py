"""The Python API: a study as an object, with the same results as the commands."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from judge import access
from judge.calls import Settings
from judge.clock import Clock, utc_now
from judge.errors import StudyError
from judge.store.database import Database
from judge.study import load_study
from judge.workflow.answering import JOBS, Progress
from judge.workflow.compare import Compared, compare
from judge.workflow.links import join_link
from judge.workflow.outputs import generated_arms, refuse_ungenerated, sources_at
from judge.workflow.provenance import remember
from judge.workflow.workspace import Opened, database_place, opened

if TYPE_CHECKING:  # what reports and measures is loaded by the verbs that do so
    from judge.agreement import Agreement
    from judge.decision.report import Report
    from judge.workflow.checking import Checked
    from judge.workflow.generating import Generated
    from judge.workflow.outputs import MakingProgress
    from judge.workflow.running import Ran
    from judge.workflow.scoring import Scored


class Study:
    """A study on disk.  Every call reads its files anew and opens its database for as long as it takes.

    study = Study.open("study.yaml")
    study.run()
    print(study.report().decision.sentence)
    """

    def __init__(self, path: Path, *, db: str | None = None, clock: Clock = utc_now) -> None:
        """See `open`."""
        self.path = path
        self.clock = clock
        self._db = db

    @classmethod
    def open(cls, path: Path | str = "study.yaml", *, db: str | None = None, clock: Clock = utc_now) -> Study:
        """Take a study file; db: a path or URL, else JUDGE_DB, else `.judge/judge.db` beside the study.

        Raises StudyError when the file is wrong.
        """
        load_study(path)
        return cls(Path(path), db=db, clock=clock)

    @contextmanager
    def work(self, *, limit: int | None = None) -> Iterator[Opened]:
        """Read the files, open the workspace, bring the files into it."""
        config = load_study(self.path)
        place = database_place(config, self._db)
        with opened(sources_at(config, place), place, self.clock, limit=limit) as work:
            yield work

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Open the study's database with the study's files in it, for a server; close it at the end."""
        with self.work() as work:
            yield work.database

    def owner_link(self, database: Database, address: str) -> str:
        """Make the one-time link by which the owner comes in; it ends after a day."""
        with database.write() as tx:
            secret = access.invite(tx, load_study(self.path).name, "owner", self.clock(), days=1)
        return join_link(address, secret)

    def check(self, *, limit: int | None = None) -> Checked:
        """Validate everything and count what would be done; writes nothing."""
        from judge.workflow.checking import check

        config = load_study(self.path)
        place = database_place(config, self._db)
        return check(sources_at(config, place), place, limit)

    def generate(
        self,
        *,
        arms: Collection[str] = (),
        limit: int | None = None,
        progress: MakingProgress | None = None,
        jobs: int = JOBS,
    ) -> Generated:
        """Make the outputs that are missing; what is there is not made again.  arms: these alone, else all."""
        from judge.workflow.generating import generate

        with self.work(limit=limit) as work:
            remember(work, "generate")
            return generate(work, arms, progress, Settings(most_open=jobs))

    def generate_missing(
        self, *, limit: int | None = None, progress: MakingProgress | None = None, jobs: int = JOBS
    ) -> Generated | None:
        """Generate where the study has arms that are generated here; None where all outputs come from files."""
        if not generated_arms(load_study(self.path)):
            return None
        return self.generate(limit=limit, progress=progress, jobs=jobs)

    def compare(
        self,
        *,
        limit: int | None = None,
        progress: Progress | None = None,
        jobs: int = JOBS,
        reparse: bool = False,
        retry: bool = False,
    ) -> Compared:
        """Ask every judge about every pair in both orders; what is answered is not asked again.

        jobs: calls open at once to one model.  reparse: send nothing, and read what is stored again.  retry: ask once more
        where no answer could be used.
        """
        with self.work(limit=limit) as work:
            refuse_ungenerated(work)
            remember(work, "compare")
            return compare(work, progress, Settings(most_open=jobs, send=not reparse), retry=retry)

    def score(self, *, limit: int | None = None, progress: Progress | None = None, jobs: int = JOBS) -> Scored:
        """Have models score every arm's outputs one by one; what is answered is not asked again."""
        from judge.workflow.scoring import score

        with self.work(limit=limit) as work:
            refuse_ungenerated(work)
            remember(work, "score")
            return score(work, progress, Settings(most_open=jobs))

    def run(self, *, limit: int | None = None, progress: Progress | None = None, jobs: int = JOBS) -> Ran:
        """Walk the line as far as it goes without people: generate, judge, report.  jobs: calls open at once to one model."""
        from judge.workflow import running

        self.generate_missing(limit=limit, jobs=jobs)
        with self.work(limit=limit) as work:
            return running.run(work, progress, Settings(most_open=jobs))

    def report(self, candidate: str | None = None) -> Report:
        """Report on a candidate; it must be named where the study has several."""
        from judge.workflow import running

        with self.work() as work:
            if candidate is None and len(work.sources.candidates) > 1:
                names = ", ".join(one.name for one in work.sources.candidates)
                raise StudyError("the study has several candidates", at=self.path, hint=f"name one of {names}")
            return running.reports(work, candidate)[0]

    def agree(self, candidate: str | None = None) -> Agreement:
        """Measure how far the study's judges and people agree."""
        from judge.workflow.measure import measure

        with self.work() as work:
            chosen = [one for one in work.sources.candidates if candidate in (None, one.name)]
            if len(chosen) != 1:
                names = ", ".join(one.name for one in work.sources.candidates)
                raise StudyError(f"no single candidate '{candidate or ''}'", at=self.path, hint=f"name one of {names}")
            return measure(work, chosen[0]).agreement
