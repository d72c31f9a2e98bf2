"""`judge run`: the straight line of the product in one function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from judge import access
from judge.calls import Settings
from judge.data import write_text
from judge.decision.report import Exhibit, Report, to_html, to_json, to_junit, to_markdown
from judge.errors import FileError, did_you_mean
from judge.ids import canonical_json
from judge.workflow.answering import Progress
from judge.workflow.compare import Compared, compare
from judge.workflow.provenance import remember
from judge.workflow.workspace import Opened

FORMS: dict[str, Callable[[Report], str]] = {
    ".html": to_html,
    ".md": to_markdown,
    ".json": lambda made: canonical_json(to_json(made)) + "\n",
    ".junit.xml": to_junit,
}
"""How a report is written, by the end of the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run came to: the calls it made and one report for each candidate."""

    compared: Compared
    reports: tuple[Report, ...]


def run(work: Opened, progress: Progress | None = None, settings: Settings | None = None) -> Ran:
    """Walk the line as far as it goes without people: judge every pair, then report."""
    remember(work, "run")
    compared = compare(work, progress, settings)
    return Ran(compared=compared, reports=reports(work))


def reports(work: Opened, candidate: str | None = None) -> tuple[Report, ...]:
    """Report on every candidate, or on one.  Raises JudgeError for a candidate that the study does not have."""
    from judge.workflow.reporting import report  # its arithmetic is not waited for before the first call

    known = {one.name: one for one in work.sources.candidates}
    if candidate is not None and candidate not in known:
        raise FileError(f"no candidate '{candidate}'", at=work.study.path, hint=did_you_mean(candidate, known))
    chosen = known.values() if candidate is None else [known[candidate]]
    return tuple(report(work, one) for one in chosen)


def default_path(work: Opened) -> Path:
    """Say where the report goes without -o: report.html beside the study; a trial's is kept apart."""
    return work.study.folder / ("report-trial.html" if work.trial else "report.html")


def write_report(work: Opened, made: Report, path: Path) -> None:
    """Write a report in the form that its suffix asks for.

    Whoever has it written can see pairs with their arms and labels, and is noted as unblinded.
    Raises FileError for an unknown suffix or a path that cannot be written.
    """
    form = form_of(path)
    write_text(path, FORMS[form](made))
    if made.exhibits:
        unblind(work, "report", made.exhibits)


def form_of(path: Path) -> str:
    """Find the form of a report by the file's name."""
    for suffix in sorted(FORMS, key=len, reverse=True):
        if path.name.lower().endswith(suffix):
            return suffix
    raise FileError(f"a report has no form '{path.suffix}'", at=path, hint=f"use {', '.join(FORMS)}")


def unblind(work: Opened, by: str, shown: Sequence[Exhibit], who: str | None = None) -> None:
    """Note in the ledger that somebody (by default, whoever runs this) saw pairs with their arms, and how many labels."""
    what = {
        "by": by,
        "pairs": sorted(exhibit.pair.id for exhibit in shown),
        "labels": sum(len(exhibit.labels) for exhibit in shown),
    }
    with work.database.write() as tx:
        access.note(tx, work.study.name, access.UNBLINDING, work.clock, what, who)
