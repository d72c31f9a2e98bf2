"""Throw-away copies of a study: its pairs and rubric, with everything else that a study holds made up.

A copy lies in a database of its own and is sealed by the same code as a real round.  What is made up (arms, judge, labels)
is there to be leaked: a copy without verdicts could not show that verdicts stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from judge.data import pair_digest
from judge.domain import Arm, Judge, Label, Output, Pair, Preference, Reading, ReviewPlan, Rubric, Score, Verdict
from judge.ids import digest, keyed_fraction
from judge.store import judging as judging_store
from judge.store import review as label_store
from judge.store import study as study_store
from judge.store.database import Database
from judge.store.opening import open_database
from review_ui.app import create_app
from review_ui.blindcheck.browser import Browser, Loop

if TYPE_CHECKING:
    from judge.store.database import Transaction
    from judge.workflow.workspace import Opened

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)  # time stands still, so that no date differs between two copies
OTHER: Final[Mapping[Preference | None, Preference | None]] = {"a": "b", "tie": "tie", "b": "a", None: None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a copy holds.  arms: the baseline, then the candidate; outputs, verdicts, labels and scores are theirs."""

    name: str
    secret: str
    pairs: tuple[Pair, ...]
    rubric: Rubric
    arms: tuple[Arm, Arm]
    judge: Judge
    verdicts: tuple[Verdict, ...] = ()
    readings: tuple[Reading, ...] = ()
    labels: tuple[Label, ...] = ()
    scores: tuple[Score, ...] = ()
    outputs: tuple[Output, ...] = ()
    label_file: str = "made-up-labels.jsonl"
    wanted: int = 2
    seats: int = 4


def contents(work: Opened, secret: str, *, name: str = "copy", most: int | None = None) -> Contents:
    """Make the contents of a copy: the first `most` pairs of the study, with a judge who says something about each."""
    pairs = work.sources.pairs[:most]
    judge = Judge(name="made-up-judge", source="verdicts", target="made-up-verdicts.jsonl")
    return Contents(
        name=name,
        secret=secret,
        pairs=tuple(replace(pair, model_a="old-arm", model_b="new-arm") for pair in pairs),
        rubric=work.sources.rubric or Rubric(name="none", task="", overall="Which answer is better?"),
        arms=(_arm("old-arm", "baseline"), _arm("new-arm", "candidate")),
        judge=judge,
        verdicts=tuple(_verdict(pair.id, judge.name) for pair in pairs),
    )


def _arm(name: str, role: Any) -> Arm:
    return Arm(name=name, role=role, source="outputs", target=f"{name}.jsonl")


def made_up_score(pair: str) -> float:
    """Give what the made-up judge thinks of a pair, from 0 (a) to 1 (b); the same in every copy."""
    return keyed_fraction("00" * 32, "made-up judge", pair)


def _verdict(pair: str, judge: str) -> Verdict:
    score = made_up_score(pair)
    value: Preference = "a" if score < 0.4 else "tie" if score < 0.6 else "b"
    return Verdict(pair=pair, judge=judge, value=value, basis="agreed", score=score)


def turned(what: Contents, *, name: str) -> Contents:
    """Give the same study with its arms swapped in storage: texts, models, verdicts, names and the order of writing."""
    names = {arm.name: f"{arm.name}-by-another-name" for arm in what.arms}
    old, new = what.arms
    return replace(
        what,
        name=name,
        pairs=tuple(_turned_pair(pair, names) for pair in reversed(what.pairs)),
        arms=(replace(new, name=names[new.name], role="baseline"), replace(old, name=names[old.name], role="candidate")),
        verdicts=tuple(_turned_verdict(verdict) for verdict in reversed(what.verdicts)),
    )


def _turned_pair(pair: Pair, names: Mapping[str, str]) -> Pair:
    return replace(
        pair,
        text_a=pair.text_b,
        text_b=pair.text_a,
        model_a=names[pair.model_b or ""],
        model_b=names[pair.model_a or ""],
    )


def _turned_verdict(verdict: Verdict) -> Verdict:
    score = None if verdict.score is None else 1 - verdict.score
    return replace(verdict, value=OTHER[verdict.value], score=score, a_pass=verdict.b_pass, b_pass=verdict.a_pass)


def stored(work: Opened, database: Database, what: Contents) -> Opened:
    """Write a copy into a database; give it as an opened study, ready to be sampled from."""
    pairs = {pair.id: digest("copied pair", [pair_digest(pair), pair.id]) for pair in what.pairs}
    judges = {what.judge.name: digest("copied judge", what.judge.name)}
    arms = {arm.name: digest("copied arm", arm.name) for arm in what.arms}
    rubric = digest("copied rubric", what.rubric.name)
    with database.write() as tx:
        record = study_store.open_study(tx, what.name, NOW)
        _put(tx, record.id, what, pairs, judges, arms, rubric)
    study = replace(
        work.study,
        name=what.name,
        judges={what.judge.name: what.judge},
        rubric=what.rubric,
        arms={arm.name: arm for arm in what.arms},
        review=ReviewPlan(sample=len(what.pairs), labels_per_item=what.wanted, seats=what.seats),
    )
    sources = replace(
        work.sources,
        study=study,
        examples={pair.example.id: pair.example for pair in what.pairs},
        arms=study.arms,
        outputs={},
        pairs=what.pairs,
        recordings={},
        readings={},
        verdicts={what.judge.name: what.verdicts},
        labels=(),
        scores=(),
    )
    return replace(
        work,
        sources=sources,
        whole=sources,
        database=database,
        clock=lambda: NOW,
        record=replace(record, secret=what.secret),
        rubric=rubric,
        judges=judges,
        arms=arms,
        pairs=pairs,
        asked_by=dict.fromkeys(pairs, rubric),
    )


def _put(
    tx: Transaction,
    study: int,
    what: Contents,
    pairs: Mapping[str, str],
    judges: Mapping[str, str],
    arms: Mapping[str, str],
    rubric: str,
) -> None:
    held = {arm.name: asdict(arm) for arm in what.arms}
    study_store.put_arms(tx, study, [(arm, arms[arm.name]) for arm in what.arms], held)
    for arm in what.arms:
        study_store.put_outputs(tx, study, arms[arm.name], [output for output in what.outputs if output.arm == arm.name])
    study_store.put_rubric(tx, rubric, what.rubric)
    study_store.put_pairs(tx, study, [(pairs[pair.id], what.arms[1].name, pair) for pair in what.pairs])
    study_store.put_judges(tx, study, [(what.judge, judges[what.judge.name])])
    judging_store.put_verdicts(tx, dict.fromkeys(pairs, rubric), judges, what.verdicts, pairs, NOW)
    said = [(_cell(reading, pairs, judges, rubric), reading, "made up") for reading in what.readings]
    judging_store.put_asks(tx, [cell for cell, _, _ in said])
    judging_store.put_readings(tx, said)
    label_store.put_labels(tx, study, what.label_file, [(pairs[label.pair], label) for label in what.labels])
    label_store.put_imported_scores(tx, study, what.label_file, [(arms[score.arm], score) for score in what.scores])


def _cell(reading: Reading, pairs: Mapping[str, str], judges: Mapping[str, str], rubric: str) -> judging_store.Cell:
    return judging_store.Cell(
        pair=pairs[reading.pair],
        judge=judges[reading.judge],
        rubric=rubric,
        criterion=reading.criterion,
        order=reading.order,
        repeat=reading.repeat,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A database for copies with the application over it."""

    loop: Loop
    database: Database
    app: Any

    def invitation(self, study: str, role: Any = "annotator") -> str:
        """Make a link's secret."""
        from judge.access import invite

        with self.database.write() as tx:
            return invite(tx, study, role, NOW)

    def browser(self) -> Browser:
        """Sit somebody down at a browser, not signed in."""
        return Browser(self.loop, self.app)

    def guest(self, study: str, name: str, role: str = "annotator") -> Browser:
        """Let somebody come in by an invitation, as people do."""
        browser = self.browser()
        browser.ask("POST", f"/join/{self.invitation(study, role)}", {"name": name}, route="/join/{token}")
        return browser


@contextmanager
def stage(loop: Loop, file: Path, owner: Any = None) -> Iterator[Stage]:
    """Open an empty database with the application over it; both go at the end.  owner: what the owner's page asks."""
    database = open_database(file)
    try:
        yield Stage(loop=loop, database=database, app=create_app(database, owner=owner or Nobody(), clock=lambda: NOW))
    finally:
        database.close()


class Nobody:
    """An owner who has nothing to say; no session of a check belongs on the owner's page."""

    def status(self, *_: object, **__: object) -> Mapping[str, Any]:
        """Count nothing."""
        return {"round": None, "state": None, "planned": 0, "labels": 0, "annotators": []}

    def invite(self, *_: object, **__: object) -> Mapping[str, Any]:
        """Invite nobody."""
        return {"link": "", "expires": ""}

    def close(self, *_: object, **__: object) -> Mapping[str, Any]:
        """Close nothing."""
        return {"labels": 0, "missing": 0}

    def report_html(self, *_: object, **__: object) -> str:
        """Report nothing."""
        return ""
