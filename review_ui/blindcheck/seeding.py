"""A copy of a study in which everything that an annotator must not learn holds a canary word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from judge.domain import Arm, Example, Judge, Label, Message, Output, Pair, Reading, Score, Verdict
from review_ui.blindcheck.copies import Contents, contents
from review_ui.blindcheck.words import canary

if TYPE_CHECKING:
    from judge.workflow.workspace import Opened

PLACES: Final = (
    "study name", "baseline name", "candidate name", "adapter", "base_url", "key_env", "model", "system prompt",
    "few-shot prompt", "output file", "judge name", "judge file", "rationale", "request id", "verdict reason", "tag", "group",
    "meta key", "meta value", "example id", "pair id", "reference", "rubric name", "score source", "label author",
    "label comment", "label file", "reasoning", "output meta",
)  # fmt: skip
WORDS: Final[Mapping[str, str]] = {place: canary(place) for place in PLACES}
OWNER: Final = canary("owner's page")
FAULT: Final = canary("text of an exception")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """An owner whose page tells everything: nobody but an owner or a viewer may get to see any of it."""

    def status(self, *_: object, **__: object) -> Mapping[str, Any]:
        """Tell of a round."""
        return {"round": 1, "state": "open", "planned": 9, "labels": 4, "annotators": [{"id": OWNER, "labels": 4}]}

    def invite(self, *_: object, **__: object) -> Mapping[str, Any]:
        """Give a link away."""
        return {"link": OWNER, "expires": OWNER}

    def close(self, *_: object, **__: object) -> Mapping[str, Any]:
        """Pretend to close."""
        return {"labels": 0, "missing": 0}

    def report_html(self, *_: object, **__: object) -> str:
        """Fail with a text that names everything."""
        raise RuntimeError(f"{FAULT} {' '.join(WORDS.values())}")


def seeded(work: Opened, secret: str, most: int) -> Contents:
    """Make the contents: the study's texts and questions, with words in every other place."""
    plain = contents(work, secret, name=f"study-{WORDS['study name']}", most=most)
    old, new = (f"arm-{WORDS[place]}" for place in ("baseline name", "candidate name"))
    judge = Judge(name=f"judge-{WORDS['judge name']}", source="verdicts", target=f"{WORDS['judge file']}.jsonl")
    pairs = tuple(_pair(pair, n, old, new) for n, pair in enumerate(plain.pairs))
    ids = [pair.id for pair in pairs]
    return replace(
        plain,
        pairs=pairs,
        rubric=replace(plain.rubric, name=f"rubric-{WORDS['rubric name']}", show_reference=False),
        arms=(_arm(plain.arms[0], old), _arm(plain.arms[1], new)),
        judge=judge,
        verdicts=tuple(_verdict(verdict, id_, judge.name) for verdict, id_ in zip(plain.verdicts, ids, strict=True)),
        readings=tuple(_reading(id_, judge.name) for id_ in ids),
        labels=tuple(_label(id_) for id_ in ids),
        scores=tuple(_score(pair.example.id, new) for pair in pairs),
        outputs=tuple(_output(pair.example.id, arm) for pair in pairs for arm in (old, new)),
        label_file=f"{WORDS['label file']}.jsonl",
    )


def _pair(pair: Pair, n: int, old: str, new: str) -> Pair:
    example: Example = replace(
        pair.example,
        id=f"{WORDS['example id']}-{n}",
        reference=f"The reference says {WORDS['reference']}.",
        group=WORDS["group"],
        tags=(WORDS["tag"],),
        meta={**pair.example.meta, WORDS["meta key"]: WORDS["meta value"]},
    )
    meta = {WORDS["meta key"]: WORDS["meta value"]}
    return replace(pair, id=f"{WORDS['pair id']}-{n}", example=example, model_a=old, model_b=new, meta=meta)


def _arm(arm: Arm, name: str) -> Arm:
    return replace(
        arm,
        name=name,
        target=f"/models/{WORDS['output file']}/outputs.jsonl",
        adapter=f"/adapters/{WORDS['adapter']}",
        base_url=f"http://{WORDS['base_url']}.example:8000/v1",
        key_env=WORDS["key_env"],
        model=f"maker/{WORDS['model']}",
        system=f"You are {WORDS['system prompt']}.",
        few_shot=((Message(role="user", content=WORDS["few-shot prompt"]),),),
    )


def _verdict(verdict: Verdict, pair: str, judge: str) -> Verdict:
    return replace(verdict, pair=pair, judge=judge, reason=cast(Any, WORDS["verdict reason"]))


def _reading(pair: str, judge: str) -> Reading:
    return Reading(
        pair=pair,
        judge=judge,
        order="ab",
        value="b",
        rationale=f"Because {WORDS['rationale']}.",
        request_id=WORDS["request id"],
        model=WORDS["model"],
    )


def _label(pair: str) -> Label:
    author, comment = WORDS["label author"], WORDS["label comment"]
    return Label(pair=pair, annotator=author, choice="b", comment=comment)


def _score(example: str, arm: str) -> Score:
    return Score(example=example, arm=arm, source=WORDS["score source"], criterion="overall", value=1.0)


def _output(example: str, arm: str) -> Output:
    meta = {"note": WORDS["output meta"]}
    return Output(example=example, arm=arm, text="made up", reasoning=WORDS["reasoning"], meta=meta)
