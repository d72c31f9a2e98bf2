"""The report as Markdown, for issues and pull requests, and the decision as a dozen lines for the terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from judge.decision.report.exhibits import answers_table, side_name
from judge.decision.report.layout import Chart, Fold, Note, Part, Section, Table
from judge.decision.report.model import Exhibit, Report
from judge.decision.report.numbers import count, estimate_text, plain
from judge.decision.report.outline import appendix, banners, front, primary_label, sections
from judge.decision.report.source import estimate_at, headline_judge, judge_names, people_word
from judge.decision.report.trust import state_text
from judge.text import length

WIDTH = 100  # columns of the decision block


def to_markdown(report: Report) -> str:
    """Give the report as GitHub-flavoured Markdown: every table of the page, texts of exhibits in fences."""
    top = front(report)
    lines = [f"# {_inline(report.title)}: {top.outcome}", ""]
    for banner in top.banners:
        lines += [f"> **{banner.title}.** {_inline(banner.text)}", ""]
    lines += [f"**{_inline(top.sentence)}**", "", *_table(top.primary.table)]
    if top.reasons:
        lines += _table(top.reasons)
    if top.next:
        lines += ["Next:", "", *(f"{index}. {_inline(step)}" for index, step in enumerate(top.next, 1)), ""]
    lines += [f"- {_inline(term)}: {_inline(text)}" for term, text in top.facts] + [""]
    for section in sections(report):
        lines += _section(section)
    lines += _exhibits(report)
    for section in appendix(report):
        lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def decision_block(report: Report) -> str:
    """Give the decision as about a dozen lines of plain text: outcome, sentence, figures, guards, next steps."""
    decision = report.decision
    lines = [f"{plain(report.title)}: {plain(report.candidate)}  (study {plain(report.digest)[:12]})"]
    lines += [f"[{banner.title}] {plain(banner.text)}" for banner in banners(report)]
    lines += [f"{decision.outcome.upper()}  {plain(decision.sentence)}", ""]
    lines += [f"  {term:<34} {text}" for term, text in _figures(report)]
    if decision.next:
        lines += ["", "Next:", *(f"  {index}. {plain(step)}" for index, step in enumerate(decision.next, 1))]
    wrapped = (textwrap.wrap(line, WIDTH, subsequent_indent=" " * _hang(line)) or [""] for line in lines)
    return "\n".join(line for group in wrapped for line in group) + "\n"


def _hang(line: str) -> int:
    if line.startswith("  ") and not line.lstrip()[:1].isdigit():
        return 37
    return 5 if line.startswith("  ") else 2


def _figures(report: Report) -> Iterator[tuple[str, str]]:
    """The figures a decision is read by, as (what, text)."""
    people, document = people_word(report), report.agreement
    primary = estimate_text(report.primary, percent=report.is_rate)
    yield plain(primary_label(report))[:34], f"{primary}, n {count(report.primary.n)}, missing {count(report.primary.missing)}"
    if document is not None:
        alone = estimate_at(document, "win_rate", "people")
        yield f"{people} only", f"{estimate_text(alone, percent=True)}, n {count(alone.n)}"
        if name := headline_judge(report) or next(iter(judge_names(report)), None):
            raw = estimate_at(document, "win_rate", "judge_raw", name)
            yield f"{plain(name)}, uncorrected", f"{estimate_text(raw, percent=True)}, n {count(raw.n)}"
            yield f"{plain(name)} with {people}", ": ".join(state_text(report, name))
    verdicts: list[str] = [row.verdict for row in report.evidence]
    if verdicts:
        words = ("pass", "fail", "inconclusive", "info")
        yield "evidence", ", ".join(f"{verdicts.count(word)} {word}" for word in words if verdicts.count(word))
    gone = [f"{count(row.missing)} of {count(row.of)} {plain(row.what)}" for row in report.missing if row.missing]
    if gone:
        yield "missing", "; ".join(gone)
    if report.warnings:
        yield "warnings", ", ".join(sorted({plain(notice.code) for notice in report.warnings}))


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {section.title}", "")
    for paragraph in section.lead:
        yield from (_inline(paragraph), "")
    for part in section.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[str]:
    match part:
        case Table():
            yield from _table(part)
        case Chart():
            yield from _table(part.table)
        case Note():
            yield from (f"**{_inline(part.term)}.** {_inline(part.text)}", "")
        case Fold():
            for inner in part.parts:
                yield from _part(inner)


def _table(table: Table) -> Iterator[str]:
    yield from (f"**{_inline(table.caption)}**", "")
    yield "| " + " | ".join(_inline(cell) for cell in table.head) + " |"
    yield "|" + "|".join(" --: " if index in table.numeric else " --- " for index in range(len(table.head))) + "|"
    for row in table.rows:
        yield "| " + " | ".join(_inline(cell) for cell in row) + " |"
    yield ""
    if table.note:
        yield from (_inline(table.note), "")


def _exhibits(report: Report) -> Iterator[str]:
    if not report.exhibits:
        return
    yield from ("## Pairs to read", "", _inline(f"How they were picked: {report.rule}"), "")
    for exhibit in report.exhibits:
        yield from _exhibit(report, exhibit)


def _exhibit(report: Report, exhibit: Exhibit) -> Iterator[str]:
    pair = exhibit.pair
    yield from (f"### {_inline(exhibit.heading)} ({_inline(pair.id)})", "")
    for message in pair.example.messages:
        yield from (f"{message.role}:", "", *_fenced(message.content))
    for letter, model, text in (("A", pair.model_a, pair.text_a), ("B", pair.model_b, pair.text_b)):
        yield from (f"{_inline(side_name(letter, model))}, {count(length(text).words)} words:", "", *_fenced(text))
    yield from _table(answers_table(report, exhibit))
    for one in exhibit.rationales:
        yield from (f"{_inline(f'{one.judge}, {one.order}, {one.criterion}')}:", "", *_fenced(one.text))


def _fenced(text: str) -> Iterator[str]:
    """Put a text into a fence longer than any in it: shown as it stands, with nothing rendered or loaded."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}text", *text.splitlines(), fence, "")


def _inline(text: str) -> str:
    """Escape what Markdown or HTML would read as markup."""
    return re.sub(r"([\\`*_\[\]<>|#~$!&])", r"\\\1", plain(text))
