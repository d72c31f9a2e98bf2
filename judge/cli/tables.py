"""Results as plain lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from judge.agreement import Agreement, JudgePanel, PeoplePanel
    from judge.decision.report import Exhibit
    from judge.domain import Estimate


def agreement_lines(found: Agreement) -> Iterator[str]:
    """Write the figures a reader asks for first; --json has all of them."""
    source = found.source
    yield f"{source['pairs']} pairs, {source['labels']} labels, {source['calls']} calls, {source['verdicts']} verdicts"
    if found.people is not None:
        yield from _people_lines(found.people)
    for name, panel in found.judges.items():
        yield from _judge_lines(name, panel)
    yield "Win rate of " + found.win_rate.candidate
    yield _line("people only", found.win_rate.people)
    for name, estimate in found.win_rate.judge_raw.items():
        yield _line(f"{name}, uncorrected", estimate)
    for name, corrected in found.win_rate.corrected.items():
        yield _line(f"{name}, corrected by people", corrected.estimate)
    for notice in found.warnings:
        yield f"{notice.code}: {notice.text}"


def _people_lines(people: PeoplePanel) -> Iterator[str]:
    yield f"People among themselves ({people.annotators} annotators, {people.items} pairs, {people.missing} labels missing)"
    yield _line("same label", people.raw)
    yield _line("alpha, nominal", people.alpha.nominal)
    yield _line("alpha, ordinal", people.alpha.ordinal)
    yield _line("AC1", people.ac1)


def _judge_lines(name: str, panel: JudgePanel) -> Iterator[str]:
    counts, calls = panel.verdicts, panel.calls
    yield (
        f"Judge {name}: a {counts.a}, tie {counts.tie} ({counts.basis['split']} split orders), b {counts.b}, "
        f"unscored {counts.unscored}; {calls.usable} of {calls.planned} calls usable"
    )
    yield _line("against people, alpha", panel.vs_people.alpha_nominal)
    yield _line("  less people's own", panel.difference)
    if panel.position is not None:
        yield _line("both orders agree", panel.position.two_orders)
    needed = "" if panel.needed is None else f"; about {panel.needed} labels would settle it"
    yield f"  {'state':<28} {panel.state or 'none'}{needed}"


def _line(title: str, estimate: Estimate) -> str:
    missing = f", {estimate.missing} missing" if estimate.missing else ""
    return f"  {title:<28} {interval(estimate)}  (n {estimate.n}{missing})"


def interval(estimate: Estimate) -> str:
    """Write an estimate with its interval; what is undefined says why."""
    if estimate.value is None:
        return f"undefined: {estimate.reason}"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f} (no interval: {estimate.reason})"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}] {estimate.method}"


def pair_lines(shown: Exhibit) -> Iterator[str]:
    """Write one pair with all that was said about it."""
    pair = shown.pair
    yield f"Pair {pair.id}"
    for turn in pair.example.messages:
        yield from _block(turn.role, turn.content)
    if pair.example.reference is not None:
        yield from _block("reference", pair.example.reference)
    yield from _block(f"a = {pair.model_a or 'unnamed'}", pair.text_a)
    yield from _block(f"b = {pair.model_b or 'unnamed'}", pair.text_b)
    for verdict in shown.verdicts:
        why = f", {verdict.reason}" if verdict.reason else ""
        yield f"{verdict.judge} on {verdict.criterion}: {verdict.value or 'unscored'} ({verdict.basis}{why})"
    for label in shown.labels:
        marks = f" ({', '.join(label.flags)})" if label.flags else ""
        comment = f": {label.comment}" if label.comment else ""
        yield f"{label.annotator}{marks} on {label.criterion}: {label.choice}{comment}"
    for rationale in shown.rationales:
        yield from _block(f"{rationale.judge}, order {rationale.order}, {rationale.criterion}", rationale.text)


def _block(title: str, text: str) -> Iterator[str]:
    yield f"--- {title} ---"
    yield textwrap.indent(text, "  ")
