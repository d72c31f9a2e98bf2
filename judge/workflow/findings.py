"""What was found in texts before or beside judging, and in judges' answers, as warnings of commands and of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from judge.domain import OVERALL, SELF_PREFERENCE, Notice, Pair, Reading
from judge.errors import did_you_mean
from judge.generate import CODES, hygiene
from judge.judging import LENIENT, asked
from judge.store import judging as store
from judge.study import kinship, kinship_to_models
from judge.text import findings
from judge.workflow.sources import Sources, models_in
from judge.workflow.workspace import Opened

_UNUSABLE: Final[Mapping[str, tuple[frozenset[str], float, str]]] = {
    "judge_refuses": (
        frozenset({"refused", "filtered"}),
        0.02,
        "were refused or filtered: what a judge will not read is seldom missing by chance",
    ),
    "judge_cut": (frozenset({"cut"}), 0.01, "were cut at the limit of their length: it thinks longer than there is room"),
    "judge_unreadable": (
        frozenset({"malformed", "empty", "unknown_name", "contradictory", "out_of_range", "absent"}),
        0.01,
        "could not be read: it does not keep to the form that is asked for",
    ),
}
"""Reasons why an answer is of no use, the share above which they are warned of, and what they say of a judge."""


def found_in_outputs(sources: Sources) -> dict[str, dict[str, list[str]]]:
    """Give, by arm and by what was found, the examples whose outputs should not be as they are; see `hygiene`."""
    return {name: hygiene(arm, sources.examples, sources.outputs[name]) for name, arm in sources.arms.items()}


def output_notices(sources: Sources, found: Mapping[str, Mapping[str, Sequence[str]]]) -> list[Notice]:
    """Warn, arm by arm, of what was found in outputs."""
    return [
        Notice(
            code=code, text=f"{len(ids)} of {len(sources.outputs[name])} outputs of {name}: {CODES[code]}, first on {ids[0]}."
        )
        for name, by_code in found.items()
        for code, ids in by_code.items()
    ]


def equal_pairs(pairs: Sequence[Pair]) -> list[Notice]:
    """Warn of pairs whose texts are equal: nobody is asked about them."""
    identical = sum(pair.identical for pair in pairs)
    text = f"{identical} of {len(pairs)} pairs have equal texts: a tie without a call."
    return [Notice(code="identical_texts", text=text)] if identical else []


def found_in_pairs(pairs: Sequence[Pair], candidate: str) -> list[Notice]:
    """Warn of texts of given pairs that betray their model or speak to the judge."""
    found: dict[tuple[str, str], list[str]] = {}
    for pair in pairs:
        for text, arm in ((pair.text_a, pair.model_a), (pair.text_b, pair.model_b or candidate)):
            for code in sorted({code for code, _ in findings(text)} - {"empty"}):
                found.setdefault((code, arm or "unnamed"), []).append(pair.id)
    return [
        Notice(
            code=code, text=f"{code.replace('_', ' ')} in {len(ids)} text{'s' * (len(ids) > 1)} of {arm}, first in {ids[0]}."
        )
        for (code, arm), ids in sorted(found.items())
    ]


def kin_notices(sources: Sources) -> list[Notice]:
    """Warn of judges that are an arm or of its family, and were accepted as such."""
    notices = []
    models = models_in(sources.pairs) if sources.study.pairs else set()
    for name, judge in sources.study.judges.items():
        kin = kinship(judge, sources.study.arms.values()) or kinship_to_models(judge, models)
        if kin:
            text = f"The judge '{name}' {kin}: models prefer their own kin, and the study accepts it by `allow_self`."
            notices.append(Notice(code=SELF_PREFERENCE, text=text))
    return notices


def unknown_criteria(sources: Sources) -> list[Notice]:
    """Warn of rows in files on criteria that nobody is asked about: they count for no question of the study."""
    if sources.rubric is None:
        return []
    known = {pair.id: [question.id for question in asked(sources.rubric, pair.example.checklist)] for pair in sources.pairs}
    spoken = [(f"of judge {name}", row.pair, row.criterion) for name, rows in sources.readings.items() for row in rows]
    spoken += [(f"of judge {name}", row.pair, row.criterion) for name, rows in sources.verdicts.items() for row in rows]
    spoken += [("of people", label.pair, label.criterion) for label in sources.labels]
    strange = Counter((whose, criterion) for whose, pair, criterion in spoken if criterion not in known.get(pair, [criterion]))
    every = sorted({criterion for criteria in known.values() for criterion in criteria})
    return [
        Notice(
            code="unknown_criterion",
            text=f"Rows {whose} on '{name}', which nobody is asked about there: {count}; {did_you_mean(name, every)}",
        )
        for (whose, name), count in sorted(strange.items())
    ]


class Reasons:
    """Why judges' answers on `overall` were of no use, counted by judge; added some pairs at a time."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str | None]] = {}

    def add(self, readings: Iterable[Reading]) -> None:
        """Take note of readings; what was never asked says nothing of a judge, an answer without its choice does."""
        for reading in readings:
            if reading.criterion == OVERALL and reading.came:
                self._counts.setdefault(reading.judge, Counter())[reading.reason] += 1

    def notices(self) -> list[Notice]:
        """Warn of judges that refuse, are cut or cannot be read more often than now and then."""
        found = []
        for judge, counts in sorted(self._counts.items()):
            for code, (kinds, most, words) in _UNUSABLE.items():
                count = sum(counts[kind] for kind in kinds)
                if count > most * counts.total():
                    found.append(Notice(code=code, text=f"{count} of {counts.total()} answers of judge {judge} {words}."))
        return found


def repaired(work: Opened, pairs: Iterable[Pair]) -> list[Notice]:
    """Say how many answers of each judge about these pairs were no plain JSON and were read all the same."""
    judges = {digest: name for name, digest in work.judges.items()}
    with work.database.read() as tx:
        read = store.read_by(tx, work.record.id, work.rubrics(pairs), judges, LENIENT)
    counts = Counter(judge for judge, _ in read)
    return [
        Notice(code="repaired", text=f"{count} answers of judge {judge} had words around them and were read all the same.")
        for judge, count in sorted(counts.items())
    ]
