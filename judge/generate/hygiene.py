"""What is wrong with an arm's outputs before anybody judges them: cut, empty, betraying, leaking, in another language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from judge.domain import Arm, Example, Output
from judge.generate.language import written
from judge.generate.prompting import conversation
from judge.text import findings

CODES: Final[Mapping[str, str]] = {
    "error": "no text",
    "empty": "empty",
    "truncated": "cut at the limit",
    "debris": "template debris",
    "self_naming": "names itself",
    "addresses_judge": "speaks to the judge",
    "reference_in_prompt": "reference in its prompt",
    "other_language": "another language than asked in",
}
"""What is looked for, in the words of reports.  Signs, not proofs."""

_SHORTEST_LEAK: Final = 20  # characters: a shorter reference stands in many prompts by chance


def hygiene(arm: Arm, examples: Mapping[str, Example], outputs: Iterable[Output]) -> dict[str, list[str]]:
    """Give the examples by what was found in the arm's first output on each; what was found nowhere is left out."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for output in outputs:
        if output.sample == 0 and output.example in examples:
            for code in _codes(arm, examples[output.example], output):
                found[code].append(output.example)
    return {code: sorted(found[code]) for code in CODES if code in found}


def _codes(arm: Arm, example: Example, output: Output) -> set[str]:
    if output.text is None:
        return {"error"}
    codes: set[str] = {code for code, _ in findings(output.text)}
    if output.finish == "length":
        codes.add("truncated")
    if _leaks(arm, example):
        codes.add("reference_in_prompt")
    if written(output.text).unlike(written(example.reference or example.messages[-1].content)):
        codes.add("other_language")
    return codes


def _leaks(arm: Arm, example: Example) -> bool:
    """The example's reference stands in what the arm was shown beyond the example itself: a shot is a test item."""
    reference = (example.reference or "").strip()
    own = {turn.content for turn in example.messages}
    added = (turn.content for turn in conversation(arm, example) if turn.content not in own)
    return len(reference) >= _SHORTEST_LEAK and any(reference in text for text in added)
