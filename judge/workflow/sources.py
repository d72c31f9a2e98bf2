"""Everything a study's files say, read and joined; nothing is stored yet, so a mistake leaves nothing half done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from judge import data
from judge.data import Table
from judge.domain import CHECKLIST, Arm, Example, Judge, Label, Output, Pair, Reading, Recording, Rubric, Score, Verdict
from judge.errors import JoinError, RowError, StudyError, did_you_mean
from judge.ids import digest
from judge.study import OTHER_JUDGE, Study, kinship_to_models

R = TypeVar("R", Recording, Reading, Verdict, Label)
J = TypeVar("J", Reading, Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One candidate of a study: how it is named, and whether it stands in a, in b, or wherever its model does."""

    name: str
    side: str = "b"  # a, b or a model's name: what the win rate is about


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The outputs of one arm that were generated so far, and the arm's digest, by which they were found."""

    digest: str
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """A study with the contents of its files."""

    study: Study
    examples: Mapping[str, Example]
    arms: Mapping[str, Arm]
    outputs: Mapping[str, tuple[Output, ...]]  # by arm
    pairs: tuple[Pair, ...]
    candidates: tuple[Candidate, ...]
    missing_outputs: Mapping[str, int]  # by arm: examples without a usable output
    arm_digests: Mapping[str, str] = field(default_factory=dict)  # of arms whose outputs were found by it
    other_pairs: frozenset[str] = frozenset()  # pairs of the file in which the candidate's model does not stand
    other_examples: frozenset[str] = frozenset()  # that stand in such pairs alone
    models: frozenset[str] = frozenset()  # of all pairs of the file, when each names both
    recordings: Mapping[str, tuple[Recording, ...]] = field(default_factory=dict)  # by judge
    readings: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)
    verdicts: Mapping[str, tuple[Verdict, ...]] = field(default_factory=dict)
    labels: tuple[Label, ...] = ()
    scores: tuple[Score, ...] = ()

    @property
    def rubric(self) -> Rubric | None:
        """The study's rubric; a study of metrics needs none."""
        return self.study.rubric

    @property
    def scored_arms(self) -> Collection[str]:
        """The arms, or models, that scores may be of; empty: any."""
        return self.arms or self.models

    def can_score(self, score: Score) -> bool:
        """Say whether a score's example and arm are the study's."""
        there = score.example in self.examples or score.example in self.other_examples
        return there and (not self.scored_arms or score.arm in self.scored_arms)

    def limited(self, limit: int) -> Sources:
        """Keep a seeded part of the examples: a trial."""
        seed = f"{self.study.seed}"
        drawn = sorted(self.examples, key=lambda id_: digest("trial", [seed, id_]))[:limit]
        kept = {id_: self.examples[id_] for id_ in drawn}
        pairs = tuple(pair for pair in self.pairs if pair.example.id in kept)
        return replace(self, examples=kept, pairs=pairs)


def load_sources(study: Study, made: Mapping[str, Stored] | None = None) -> Sources:
    """Read every file that a study names, and join them by id.

    made: the outputs that were generated so far, by arm.  Verbs come by `judge.workflow.outputs`, which looks them up:
    a study that is brought in without them has no pairs any more.
    Raises FileError, RowError or JoinError with file, line and remedy.
    """
    sources = _from_pairs(study) if study.pairs else _from_arms(study, made or {})
    rows = _Rows(study, {pair.id for pair in sources.pairs}, sources.other_pairs)
    judges = study.judges.values()
    return replace(
        sources,
        recordings={j.name: rows.recordings(j) for j in judges if j.source == "recorded"},
        readings={j.name: rows.readings(j) for j in judges if j.source == "calls"},
        verdicts={j.name: rows.verdicts(j) for j in judges if j.source == "verdicts"},
        labels=rows.labels(),
        scores=_scores(study.scores, sources) if study.scores else (),
    )


def _scores(file: Path, sources: Sources) -> tuple[Score, ...]:
    table = data.read_scores(file)
    check_scores(table, sources)
    return table.rows


def check_scores(table: Table[Score], sources: Sources) -> None:
    """Raise JoinError for a score of an example or an arm that the study lacks; models that pairs do not name may be any."""
    where = (sources.study.pairs or sources.study.path).name
    data.check_known(table, "example", {*sources.examples, *sources.other_examples}, where)
    if sources.scored_arms:
        data.check_known(table, "arm", sources.scored_arms, where)


def _from_pairs(study: Study) -> Sources:
    assert study.pairs is not None
    table = data.read_pairs(study.pairs)
    models = models_in(table.rows)
    if study.candidate not in ("a", "b", *models):
        raise StudyError(
            f"candidate: no model '{study.candidate}' in {study.pairs.name}",
            at=study.path,
            hint=did_you_mean(study.candidate, models | {"a", "b"}),
        )
    pairs = table.rows
    if study.candidate in models:
        pairs = tuple(pair for pair in pairs if study.candidate in (pair.model_a, pair.model_b))
    _check_kinship(study, pairs)
    _check_checklists(study, table, [pair.example for pair in table.rows])
    return Sources(
        study=study,
        examples={pair.example.id: pair.example for pair in pairs},
        arms={},
        outputs={},
        pairs=tuple(sorted(pairs, key=lambda pair: pair.id)),
        candidates=(Candidate(name=study.candidate, side=study.candidate),),
        missing_outputs={},
        other_pairs=frozenset({pair.id for pair in table.rows} - {pair.id for pair in pairs}),
        other_examples=frozenset({pair.example.id for pair in table.rows} - {pair.example.id for pair in pairs}),
        models=frozenset(models) if all(pair.model_a and pair.model_b for pair in table.rows) else frozenset(),
    )


def models_in(pairs: Iterable[Pair]) -> set[str]:
    """Give the models whose texts are compared, as far as the pairs name them."""
    return {model for pair in pairs for model in (pair.model_a, pair.model_b) if model}


def _check_kinship(study: Study, pairs: Sequence[Pair]) -> None:
    """Refuse a judge that made texts of the pairs, or whose kin did, as far as the pairs name their models."""
    models = models_in(pairs)
    for judge in study.judges.values():
        kin = None if judge.allow_self else kinship_to_models(judge, models)
        if kin:
            raise StudyError(f"judges.{judge.name}: the judge '{judge.name}' {kin}", at=study.path, hint=OTHER_JUDGE)


def _check_checklists(study: Study, table: Table[Any], examples: Sequence[Example]) -> None:
    """Refuse a checklist that is no list of questions, or is not one and the same, where the rubric asks for one.

    examples: of the table's rows.
    """
    if study.rubric is None or not study.rubric.checklist:
        return
    first: dict[str, int] = {}
    for index, example in enumerate(examples):
        found = example.meta.get(CHECKLIST)
        if found is not None and not (isinstance(found, list) and all(isinstance(one, str) and one.strip() for one in found)):
            hint = 'write a list of questions, for example ["Does it name the day?"]'
            raise RowError("is no list of questions", at=table.place(index, f"meta.{CHECKLIST}"), hint=hint)
        known = first.setdefault(example.id, index)
        if example.checklist != examples[known].checklist:
            problem = f"example '{example.id}' has another checklist than in line {table.lines[known]}"
            hint = "give the two different example ids, or the same checklist"
            raise RowError(problem, at=table.place(index, f"meta.{CHECKLIST}"), hint=hint)


def _from_arms(study: Study, made: Mapping[str, Stored]) -> Sources:
    assert study.test is not None
    assert study.baseline is not None
    examples = data.read_examples(study.test)
    _check_checklists(study, examples, examples.rows)
    outputs = {
        arm.name: _imported(arm, examples) if arm.source == "outputs" else made[arm.name].outputs if arm.name in made else ()
        for arm in study.arms.values()
    }
    baseline = study.baseline.name
    candidates = tuple(Candidate(name=arm.name) for arm in study.candidates)
    pairs: list[Pair] = []
    missing: dict[str, int] = {}
    for candidate in candidates:
        paired, lacking = data.make_pairs(
            examples.rows, (*outputs[baseline], *outputs[candidate.name]), baseline, candidate.name
        )
        pairs += paired
        missing |= lacking.counts
    return Sources(
        study=study,
        examples={example.id: example for example in examples.rows},
        arms=study.arms,
        outputs=outputs,
        pairs=tuple(sorted(pairs, key=lambda pair: pair.id)),
        candidates=candidates,
        missing_outputs=missing,
        arm_digests={name: stored.digest for name, stored in made.items()},
    )


def _imported(arm: Arm, examples: Table[Example]) -> tuple[Output, ...]:
    table = data.read_outputs(Path(arm.target), arm.name)
    return data.join_outputs(table, examples).rows


class _Rows:
    """Reads the files that speak about pairs: every id must be known, rows about pairs of other models are left aside."""

    def __init__(self, study: Study, pairs: set[str], others: frozenset[str]) -> None:
        self._study = study
        self._pairs = pairs
        self._known = pairs | others
        self._where = (study.pairs or study.path).name

    def recordings(self, judge: Judge) -> tuple[Recording, ...]:
        table = data.read_recordings(Path(judge.target))
        return tuple(row for row in self._joined(table) if row.judge in (None, judge.name))

    def readings(self, judge: Judge) -> tuple[Reading, ...]:
        return self._of_judge(data.read_calls(Path(judge.target)), judge)

    def verdicts(self, judge: Judge) -> tuple[Verdict, ...]:
        return self._of_judge(data.read_verdicts(Path(judge.target)), judge)

    def labels(self) -> tuple[Label, ...]:
        return self._joined(data.read_labels(self._study.labels)) if self._study.labels else ()

    def _joined(self, table: Table[R]) -> tuple[R, ...]:
        data.check_known(table, "pair", self._known, self._where)
        return tuple(row for row in table.rows if row.pair in self._pairs)

    def _of_judge(self, table: Table[J], judge: Judge) -> tuple[J, ...]:
        """Keep one judge's rows; a judge in the file that no study key names is an error."""
        declared = {j.name for j in self._study.judges.values() if (j.source, j.target) == (judge.source, judge.target)}
        for index, row in enumerate(table.rows):
            if row.judge not in declared:
                raise JoinError(
                    f"the judge '{row.judge}' is not declared in {self._study.path.name}",
                    at=table.place(index, "judge"),
                    hint=f"declare it: judges: {{{row.judge}: {{{judge.source}: {Path(judge.target).name}}}}}",
                )
        return tuple(row for row in self._joined(table) if row.judge == judge.name)
