"""Rows of how it is judged: calls, verdicts, labels, scores, recordings.

For a check criterion the label follows from what each side got: the side that alone passes is preferred, else tie.
"""

from __future__ import annotations

from typing import Any, Final, get_args

from judge.data.compared import FINISHES
from judge.data.fields import Fields
from judge.data.kind import JSON, TEXT, Kind, changed_fields
from judge.domain import (
    CHOICE_VALUE,
    CHOICES,
    JURY,
    ORDERS,
    OVERALL,
    PREFERENCES,
    SCORE,
    Basis,
    Choice,
    Label,
    Preference,
    Reading,
    Reason,
    Recording,
    Score,
    Verdict,
)
from judge.domain import (
    Kind as LabelKind,
)

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
BASES: Final[tuple[Basis, ...]] = get_args(Basis)
LABEL_KINDS: Final[tuple[LabelKind, ...]] = get_args(LabelKind)

_BASES_OF: Final[dict[Preference | None, tuple[Basis, ...]]] = {
    "a": ("agreed", "single"),
    "b": ("agreed", "single"),
    "tie": ("agreed", "single", "split", "identical"),
    None: ("one_order", "unscored"),
}
"""Which bases go with which value."""


def _reading(fields: Fields) -> Reading:
    value, a_pass, b_pass, reason = _judged(fields, "label")
    score = fields.maybe_number("score", 0.0, 1.0)
    if value is None and score is not None:
        fields.fail("score", "given without a label", "an answer without a usable label has no score")
    return Reading(
        pair=fields.name("pair"),
        judge=fields.name("judge"),
        order=fields.one_of("order", ORDERS),
        value=value,
        criterion=fields.maybe_name("criterion") or OVERALL,
        repeat=fields.integer("repeat", 1, low=1),
        reason=reason,
        rationale=fields.maybe_text("rationale"),
        a_pass=a_pass,
        b_pass=b_pass,
        score=score,
        rubric=fields.maybe_name("rubric"),
        model=fields.maybe_name("model"),
        request_id=fields.maybe_name("request_id"),
        tokens_in=fields.maybe_integer("tokens_in"),
        tokens_out=fields.maybe_integer("tokens_out"),
        cost_usd=fields.maybe_number("cost_usd"),
        digest=fields.maybe_name("digest"),
    )


def _verdict(fields: Fields) -> Verdict:
    value, a_pass, b_pass, reason = _judged(fields, "value")
    basis = _basis(fields, value, reason)
    score = fields.maybe_number("score", 0.0, 1.0)
    if basis == "unscored" and score is not None:
        fields.fail("score", "given without anything usable", "only a verdict with basis one_order keeps its score")
    if value is not None and score is not None and (score - 0.5) * (SCORE[value] - 0.5) < 0 and fields.get("judge") != JURY:
        # Of a jury one voice may be so loud that the mean lies on the other side.
        fields.fail("score", f"{score:g} contradicts the value '{value}'", "1 says that b is preferred, 0 that a is")
    return Verdict(
        pair=fields.name("pair"),
        judge=fields.name("judge"),
        value=value,
        basis=basis,
        criterion=fields.maybe_name("criterion") or OVERALL,
        score=SCORE[value] if score is None and value is not None else score,
        reason="one_order" if basis == "one_order" else reason,
        rubric=fields.maybe_name("rubric"),
        a_pass=a_pass,
        b_pass=b_pass,
    )


def _basis(fields: Fields, value: Preference | None, reason: Reason | None) -> Basis:
    basis = fields.maybe_one_of("basis", BASES)
    if basis is None and value is not None:
        return "single"
    if basis is None:
        return "one_order" if reason == "one_order" else "unscored"
    if basis not in _BASES_OF[value]:
        fields.fail("basis", f"'{basis}' does not go with value {value or 'null'}", f"one of {', '.join(_BASES_OF[value])}")
    if basis == "one_order" and reason not in ("one_order", "unstated"):
        fields.fail("reason", f"'{reason}' does not go with basis one_order", "leave reason out")
    return basis


def _judged(fields: Fields, key: str) -> tuple[Preference | None, bool | None, bool | None, Reason | None]:
    """Read a judge's value with what each side got and the reason why there is no value."""
    a_pass, b_pass = _passes(fields)
    value = fields.maybe_one_of(key, PREFERENCES)
    reason = fields.maybe_one_of("reason", REASONS)
    if value is None and key not in fields.values and a_pass is None and b_pass is None and reason is None:
        fields.fail(key, "missing", f"a, tie, b, or null with a reason: {', '.join(REASONS)}")
    value = _followed(fields, key, value, a_pass, b_pass)
    if value is not None and reason is not None:
        fields.fail("reason", f"given together with a {key}", f"a reason says why there is no {key}; leave one of them out")
    return value, a_pass, b_pass, (reason or "unstated") if value is None else None


def _passes(fields: Fields) -> tuple[bool | None, bool | None]:
    a_pass, b_pass = fields.maybe_flag("a_pass"), fields.maybe_flag("b_pass")
    if (a_pass is not None or b_pass is not None) and (fields.get("criterion") or OVERALL) == OVERALL:
        fields.fail("a_pass" if a_pass is not None else "b_pass", "overall is no check", "name the check in criterion")
    return a_pass, b_pass


def _followed(
    fields: Fields, key: str, value: Preference | None, a_pass: bool | None, b_pass: bool | None
) -> Preference | None:
    """Give the value that follows from a check, and refuse another one."""
    if a_pass is None and b_pass is None:
        return value
    follows: Preference | None = None
    if a_pass is not None and b_pass is not None:
        follows = "tie" if a_pass == b_pass else "a" if a_pass else "b"
    if value is not None and value != follows:
        hint = f"with these results it is {follows}" if follows else "with one side unknown there is none"
        fields.fail(key, f"'{value}' contradicts a_pass and b_pass", hint)
    return follows


def _label(fields: Fields) -> Label:
    a_pass, b_pass = _passes(fields)
    return Label(
        pair=fields.name("pair"),
        annotator=fields.name("annotator"),
        choice=_choice(fields, a_pass, b_pass),
        criterion=fields.maybe_name("criterion") or OVERALL,
        left=fields.maybe_one_of("left", ("a", "b")),
        strength=fields.maybe_integer("strength"),
        comment=fields.maybe_text("comment"),
        seconds=fields.maybe_number("seconds"),
        revision=fields.integer("revision", 1, low=1),
        kind=fields.maybe_one_of("kind", LABEL_KINDS) or "real",
        flags=fields.texts("flags"),
        unblinded=fields.flag("unblinded"),
        probability=fields.maybe_number("probability", 0.0, 1.0, above_low=True),
        a_pass=a_pass,
        b_pass=b_pass,
        rubric=fields.maybe_name("rubric"),
    )


def _choice(fields: Fields, a_pass: bool | None, b_pass: bool | None) -> Choice:
    choice = fields.maybe_one_of("label", CHOICES)
    if choice is None and a_pass is None and b_pass is None:
        fields.fail("label", "missing", f"one of {', '.join(CHOICES)}; who could not decide gave cannot_judge or skipped")
    value = CHOICE_VALUE[choice] if choice else None
    follows = _followed(fields, "label", value, a_pass, b_pass)
    if choice is None:
        return follows or "cannot_judge"
    if value != follows:
        fields.fail("label", f"'{choice}' contradicts a_pass and b_pass", f"with these results it is {follows}")
    return choice


def _score(fields: Fields) -> Score:
    value, reason = fields.maybe_number("value", low=None), fields.maybe_one_of("reason", REASONS)
    if value is None and "value" not in fields.values and reason is None:
        fields.fail("value", "missing", "a number, or null with a reason")
    if value is not None and reason is not None:
        fields.fail("reason", "given together with a value", "a reason says why there is no value; leave one of them out")
    return Score(
        example=fields.name("example"),
        arm=fields.name("arm"),
        source=fields.name("source"),
        criterion=fields.name("criterion"),
        value=value,
        sample=fields.integer("sample", 0),
        reason=(reason or "unstated") if value is None else None,
        rubric=fields.maybe_name("rubric"),
    )


def _recording(fields: Fields) -> Recording:
    text, error = fields.maybe_text("text"), fields.maybe_name("error")
    if text is None and error is None:
        fields.fail("text", "missing", "only a recording with an error has no text")
    if text is not None and error is not None:
        fields.fail("error", "given together with text", "a recording has either a text or an error")
    return Recording(
        pair=fields.name("pair"),
        order=fields.one_of("order", ORDERS),
        text=text,
        judge=fields.maybe_name("judge"),
        repeat=fields.integer("repeat", 1, low=1),
        error=error,
        finish=fields.maybe_one_of("finish", FINISHES),
        tokens_in=fields.maybe_integer("tokens_in"),
        tokens_out=fields.maybe_integer("tokens_out"),
        latency_s=fields.maybe_number("latency_s"),
        model=fields.maybe_name("model"),
        rubric=fields.maybe_name("rubric"),
    )


def _reading_row(reading: Reading) -> dict[str, Any]:
    return changed_fields(reading, renamed={"value": "label"})


def _label_row(label: Label) -> dict[str, Any]:
    return changed_fields(label, renamed={"choice": "label"})


CALLS: Final = Kind[Reading](
    noun="call",
    columns={
        "pair": TEXT, "judge": TEXT, "order": TEXT, "repeat": JSON, "criterion": TEXT, "label": TEXT, "a_pass": JSON,
        "b_pass": JSON, "reason": TEXT, "rationale": TEXT, "score": JSON, "rubric": TEXT, "model": TEXT, "request_id": TEXT,
        "tokens_in": JSON, "tokens_out": JSON, "cost_usd": JSON, "digest": TEXT,
    },
    parse=_reading,
    dump=_reading_row,
    key=lambda call: (call.pair, call.judge, call.order, call.criterion, call.repeat),
    twice="number repeated questions by repeat: 1, 2, ...",
    aliases={"item": "pair", "run": "repeat"},
)  # fmt: skip

VERDICTS: Final = Kind[Verdict](
    noun="verdict",
    columns={
        "pair": TEXT, "judge": TEXT, "criterion": TEXT, "value": TEXT, "a_pass": JSON, "b_pass": JSON, "score": JSON,
        "basis": TEXT, "reason": TEXT, "rubric": TEXT,
    },
    parse=_verdict,
    dump=changed_fields,
    key=lambda verdict: (verdict.pair, verdict.judge, verdict.criterion),
    twice="a judge has one verdict about a pair and criterion; single answers are calls",
    aliases={"item": "pair"},
)  # fmt: skip

LABELS: Final = Kind[Label](
    noun="label",
    columns={
        "pair": TEXT, "annotator": TEXT, "criterion": TEXT, "label": TEXT, "a_pass": JSON, "b_pass": JSON, "left": TEXT,
        "strength": JSON, "comment": TEXT, "seconds": JSON, "revision": JSON, "kind": TEXT, "flags": JSON, "unblinded": JSON,
        "probability": JSON, "rubric": TEXT,
    },
    parse=_label,
    dump=_label_row,
    key=lambda label: (label.pair, label.annotator, label.criterion, label.kind, label.revision),
    twice="number a changed answer by revision: 2, 3, ...",
    aliases={"item": "pair", "rater": "annotator"},
)  # fmt: skip

SCORES: Final = Kind[Score](
    noun="score",
    columns={
        "example": TEXT, "arm": TEXT, "sample": JSON, "source": TEXT, "criterion": TEXT, "value": JSON, "reason": TEXT,
        "rubric": TEXT,
    },
    parse=_score,
    dump=changed_fields,
    key=lambda score: (score.example, score.arm, score.source, score.criterion, score.sample),
    twice="one source gives one score to an output and criterion",
    aliases={"item": "example"},
)  # fmt: skip

RECORDINGS: Final = Kind[Recording](
    noun="recording",
    columns={
        "pair": TEXT, "judge": TEXT, "order": TEXT, "repeat": JSON, "text": TEXT, "error": TEXT, "finish": TEXT,
        "tokens_in": JSON, "tokens_out": JSON, "latency_s": JSON, "model": TEXT, "rubric": TEXT,
    },
    parse=_recording,
    dump=changed_fields,
    key=lambda recording: (recording.pair, recording.judge, recording.order, recording.repeat),
    twice="number repeated questions by repeat: 1, 2, ...",
    aliases={"item": "pair", "run": "repeat"},
)  # fmt: skip
