"""What was found in texts before or beside judging, as warnings of `judge check` and of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from judge.domain import Notice, Pair
from judge.generate import CODES, hygiene
from judge.text import findings
from judge.workflow.sources import Sources


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
