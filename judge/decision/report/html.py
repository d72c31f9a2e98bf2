"""The report as one self-contained page: no script, nothing loaded, one style sheet inside."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from judge.decision.report.exhibits import display
from judge.decision.report.model import Report
from judge.decision.report.outline import appendix, front, sections
from judge.text import code_css, finalized

if TYPE_CHECKING:
    from jinja2 import Environment

# Nothing may run and nothing may be fetched, even if a text found a way into the page.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def to_html(report: Report) -> str:
    """Give the report as one HTML file that reads, prints and lasts without anything else."""
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            front=front(report),
            sections=sections(report),
            exhibits=[display(report, exhibit) for exhibit in report.exhibits],
            appendix=appendix(report),
            policy=POLICY,
            css=_style_sheet(),
        )
    )


@cache
def _style_sheet() -> str:
    from importlib.resources import files

    return files("judge.decision.report").joinpath("report.css").read_text("utf-8") + code_css()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from judge.decision.report.layout import Chart, Fold, Note, Table

    environment = Environment(
        loader=PackageLoader("judge.decision.report", "templates"),
        autoescape=True,
        finalize=finalized,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    kinds = {Table: "table", Chart: "chart", Note: "note", Fold: "fold"}
    environment.filters["kind"] = lambda part: kinds[type(part)]
    return environment
