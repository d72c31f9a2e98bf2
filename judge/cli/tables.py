"""Results as plain lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from judge.text.money import dollars

if TYPE_CHECKING:
    from judge.agreement import Agreement, Bridge, JudgePanel, PeoplePanel, Span
    from judge.decision.report import Exhibit
    from judge.domain import Estimate
    from judge.workflow.answering import Asked
    from judge.workflow.outputs import Made
    from judge.workflow.planted import Examined
    from judge.workflow.scoring import Scored


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


def bridge_lines(found: Bridge) -> Iterator[str]:
    """Write what changes when one judge takes over from another."""
    yield f"From {found.old} to {found.new}, intervals by {found.clusters['by']}"
    for criterion, span in found.criteria.items():
        yield from _span_lines(criterion, span)
    for rates in found.win_rates:
        yield f"Win rate of {rates.candidate}, on pairs that both scored"
        yield _line(found.old, rates.old)
        yield _line(found.new, rates.new)
        yield _line("difference, paired", rates.difference)
    yield "The same answer when asked the same again"
    for name, steady in found.repeat.items():
        yield f"  {name:<28} never asked again" if steady is None else _line(name, steady)


def _span_lines(criterion: str, span: Span) -> Iterator[str]:
    equal = f"; {span.identical} of equal texts left out" if span.identical else ""
    yield (
        f"{criterion}: both judged {span.both} of {span.pairs} pairs, {span.only_old} only the old, "
        f"{span.only_new} only the new, {span.neither} neither{equal}"
    )
    yield _line("flipped verdicts", span.flips)
    yield _line("alpha, nominal", span.agreement.alpha_nominal)
    for value, row in span.table.items():
        changed = ", ".join(f"{count} {other}" for other, count in row.items() if count)
        if changed:
            yield f"    {value} before, now {changed}"


def asked_line(asked: Asked) -> str:
    """Write what asking came to, and what it cost."""
    saved = f", which saved {dollars(asked.saved_usd)} USD" if asked.saved_usd else ""
    spent = f"; {dollars(asked.usd)} USD spent now" if asked.usd else ""
    lost = f"; {asked.possibly_paid} tries may have been paid without an answer, and count at their worst" * bool(
        asked.possibly_paid
    )
    return (
        f"{asked.answered} of {asked.calls} calls answered, {asked.from_journal} of them from the journal{saved}{spent}{lost}"
    )


def cost_lines(by_judge: Mapping[str, float], of_repeats: Mapping[str, float]) -> list[str]:
    """Write what each judge has cost so far; what cost nothing is left out."""
    lines = []
    for judge, usd in by_judge.items():
        repeats = of_repeats.get(judge, 0.0)
        again = f", {dollars(repeats)} of it for repeats" if repeats else ""
        if usd:
            lines.append(f"judge {judge}: {dollars(usd)} USD so far{again}")
    return lines


def made_line(made: Made) -> str:
    """Write what came of generating for one arm."""
    said = [f"{made.arm}: {made.there + made.made} of {made.planned} outputs are there, {made.made} made now"]
    if made.failed:
        said.append(f"{made.failed} calls failed ({made.why}), and the same command makes them again")
    if made.made:
        rate = f" ({made.tokens_out / made.seconds:,.0f} tokens a second)" if made.seconds else ""
        why = f" ({made.why})" if made.why and not made.failed else ""
        said.append(f"{made.errors} without text{why}, {made.truncated} cut at the limit, {made.seconds:.1f} s{rate}")
    if made.usd:
        said.append(f"{dollars(made.usd)} USD")
    if made.repeated:
        said.append(f"{made.repeated[0]} of {made.repeated[1]} prompts gave the same text again")
    return "; ".join(said)


def examined_lines(found: Examined) -> Iterator[str]:
    """Write how often a judge fell for what was planted."""
    yield f"Judge {found.judge}: how often it"
    for one in found.biases:
        yield f"{one.bias}: {one.what}"
        apart = {
            "split orders": one.split,
            "worse in both orders": one.wrong,
            "called a tie although one is clearly better": one.missed,
        }
        more = [f"{count} {words}" for words, count in apart.items() if count]
        more += [f"{count} unscored ({reason})" for reason, count in one.unscored.items()]
        yield f"  {one.fell} of {one.estimate.n}  {interval(one.estimate)}{''.join(f'; {part}' for part in more)}"
    yield asked_line(found.asked)
    yield "A few pairs for each: this finds a weak judge, and certifies none."


def score_lines(found: Scored) -> Iterator[str]:
    """Write the mean score of each arm on each criterion."""
    before = None
    for row in found.table:
        if (row.judge, row.arm) != before:
            yield f"Judge {row.judge} on {row.arm}"
        before = row.judge, row.arm
        why = ", ".join(f"{count} {reason}" for reason, count in row.missing.items())
        yield f"{_line(f'{row.criterion} ({row.of[0]} to {row.of[1]})', row.estimate)}{why and f': {why}'}"
    yield asked_line(found.asked)
    yield from cost_lines(found.by_judge, {})


def raw_lines(came: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Write answers as they came."""
    for one in came:
        about = f", {one['criterion']}" if one["criterion"] else ""
        asked = f"order {one['order']}, repeat {one['repeat']}, ask {one['ask']}, try {one['try']}"
        yield f"\n--- {one['judge']}{about}, {asked}: {one['status']} ---"
        yield one["raw"] or one["error"] or "(nothing came)"


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
