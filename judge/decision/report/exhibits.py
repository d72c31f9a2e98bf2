"""Pairs to read: both texts side by side as safe HTML, with everything that was said about them."""

from __future__ import annotations

from dataclasses import dataclass

from judge.decision.report.layout import Table
from judge.decision.report.model import Exhibit, Report
from judge.decision.report.numbers import count
from judge.decision.report.source import people_word
from judge.domain import Label, Verdict
from judge.text import findings, length, to_html


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One text: whose it is, its safe HTML, how long it is and what was found in it."""

    name: str
    html: str
    words: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of the prompt, or the reference, as safe HTML."""

    speaker: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rationale:
    """What a judge said in one call, as safe HTML."""

    source: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """One exhibit, ready to be shown."""

    heading: str
    pair: str
    turns: tuple[Turn, ...]
    sides: tuple[Side, Side]
    answers: Table
    rationales: tuple[Rationale, ...]


def display(report: Report, exhibit: Exhibit) -> Display:
    """Prepare one exhibit: all its texts become safe HTML here."""
    pair = exhibit.pair
    turns = [Turn(speaker=message.role, html=to_html(message.content)) for message in pair.example.messages]
    if pair.example.reference is not None and (report.rubric is None or report.rubric.show_reference):
        turns.append(Turn(speaker="reference", html=to_html(pair.example.reference)))
    return Display(
        heading=exhibit.heading,
        pair=pair.id,
        turns=tuple(turns),
        sides=(_side("A", pair.model_a, pair.text_a), _side("B", pair.model_b, pair.text_b)),
        answers=answers_table(report, exhibit),
        rationales=tuple(
            Rationale(source=f"{one.judge}, {_order(one.order)}, {one.criterion}", html=to_html(one.text))
            for one in exhibit.rationales
        ),
    )


def answers_table(report: Report, exhibit: Exhibit) -> Table:
    """List every verdict and label about the pair, in the names of its sides."""
    names = {"a": side_name("A", exhibit.pair.model_a), "b": side_name("B", exhibit.pair.model_b)}
    rows = [(one.judge, one.criterion, _verdict(one, names), _basis(one)) for one in exhibit.verdicts]
    for label in exhibit.labels:
        who = f"{label.annotator} (simulated)" if label.simulated else label.annotator
        rows.append((who, label.criterion, _label(label, names), label.comment or "\u2013"))
    return Table(
        caption=f"Verdicts, and labels of {people_word(report)}",
        head=("who", "criterion", "prefers", "basis or comment"),
        rows=tuple(rows),
    )


def side_name(letter: str, model: str | None) -> str:
    """Name a side by its letter and what wrote it."""
    return f"{letter} \u00b7 {model}" if model else letter


def _side(letter: str, model: str | None, text: str) -> Side:
    size = length(text)
    found = "; ".join(f"{one.code.replace('_', ' ')} \u201c{one.snippet}\u201d" for one in findings(text)[:5])
    return Side(
        name=side_name(letter, model),
        html=to_html(text),
        words=f"{count(size.words)} words, {count(size.characters)} characters",
        found="empty" if found.startswith("empty") else found,
    )


def _order(order: str) -> str:
    return {"ab": "A shown first", "ba": "B shown first"}.get(order, order)


def _verdict(verdict: Verdict, names: dict[str, str]) -> str:
    if verdict.value is None:
        return f"unscored: {(verdict.reason or 'no reason given').replace('_', ' ')}"
    return f"{names.get(verdict.value, verdict.value)}{_passes(verdict.a_pass, verdict.b_pass)}"


def _basis(verdict: Verdict) -> str:
    return "only one order usable" if verdict.basis == "one_order" else verdict.basis


def _label(label: Label, names: dict[str, str]) -> str:
    said = names.get(label.choice, label.choice.replace("_", " "))
    marks = [flag for flag in label.flags if flag != "simulated"] + (["unblinded"] if label.unblinded else [])
    noted = f" [{', '.join(marks)}]" if marks else ""
    return f"{said}{_passes(label.a_pass, label.b_pass)}{noted}"


def _passes(a: bool | None, b: bool | None) -> str:
    if a is None and b is None:
        return ""
    words = {True: "pass", False: "fail", None: "missing"}
    return f" (A {words[a]}, B {words[b]})"
