"""What names the things in a study: digests of what made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from judge import data
from judge.domain import Example, Judge, Pair, Rubric
from judge.ids import digest
from judge.rubric import rubric_digest
from judge.study import arm_digest, judge_digest, study_digest, test_set_digest
from judge.workflow.sources import Sources

_NO_RUBRIC: Final = digest("rubric", None)  # readings that were imported without a rubric hang on this


def asked_by(named: str, rubric: Rubric | None, example: Example) -> str:
    """Name what judges are asked by about an example: the rubric, with the example's own checks where it asks for them.

    The checks change the question as a whole, so that no answer to another list of checks may count.
    """
    if rubric is None or not rubric.checklist or not example.checklist:
        return named
    return f"{named}.{digest('checklist', list(example.checklist))[:16]}"


def asked_parts(name: str) -> tuple[str, str]:
    """Take such a name apart: the rubric's digest and that of the example's own checks, empty where there are none."""
    rubric, _, checks = name.partition(".")
    return rubric, checks


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Digests of what a study holds: of the study itself, its rubric, and judges, arms and pairs by their names."""

    study: str
    rubric: str
    judges: Mapping[str, str]
    arms: Mapping[str, str]
    pairs: Mapping[str, str]


def names_of(sources: Sources) -> Names:
    """Name everything in a study."""
    study = sources.study
    pairs = _pair_names(sources.pairs)
    arms = {
        name: sources.arm_digests.get(name) or arm_digest(arm, sources.outputs.get(name)) for name, arm in sources.arms.items()
    }
    test_set = digest("pairs", sorted(pairs.items())) if study.pairs else test_set_digest(sources.examples.values())
    return Names(
        study=study_digest(study, test_set=test_set, arms=arms),
        rubric=rubric_digest(study.rubric) if study.rubric else _NO_RUBRIC,
        judges={judge.name: _judge_name(judge, sources) for judge in study.judges.values()},
        arms=arms,
        pairs=pairs,
    )


def _pair_names(pairs: Sequence[Pair]) -> dict[str, str]:
    """Name every pair by what it holds; twins, whose example and texts are all equal, also by their ids.

    Two models may give the very same answer, and a file may still hold other labels for each.
    """
    named = {pair.id: data.pair_digest(pair) for pair in pairs}
    counts = Counter(named.values())
    return {id_: name if counts[name] == 1 else twin(name, id_) for id_, name in named.items()}


def twin(name: str, pair: str) -> str:
    """Name one of several pairs that hold the same."""
    return digest("pair twin", [name, pair])


def _judge_name(judge: Judge, sources: Sources) -> str:
    """Name a judge; one that is read from a file is bound to what the file says, so that an edited file is another judge."""
    named = judge_digest(judge, judge_first=bool(sources.rubric and sources.rubric.judge_first))
    rows = [
        *([r.pair, r.order, r.repeat, r.text, r.error, r.finish, r.rubric] for r in sources.recordings.get(judge.name, ())),
        *(
            [r.pair, r.criterion, r.order, r.repeat, r.value, r.reason, r.a_pass, r.b_pass, r.rationale]
            for r in sources.readings.get(judge.name, ())
        ),
        *(
            [v.pair, v.criterion, v.value, v.score, v.basis, v.reason, v.a_pass, v.b_pass]
            for v in sources.verdicts.get(judge.name, ())
        ),
    ]
    return digest("judge file", [named, sorted(rows, key=lambda row: [str(part) for part in row])]) if rows else named
