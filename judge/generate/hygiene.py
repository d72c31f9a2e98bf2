"""What is wrong with an arm's outputs before anybody judges them: cut, empty, betraying, leaking, in other letters."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from judge.domain import Arm, Example, Output
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
    "other_script": "other letters than asked in",
}
"""What is looked for, in the words of reports.  Signs, not proofs."""

_SHORTEST_LEAK: Final = 20  # characters: a shorter reference stands in many prompts by chance
_SURE: Final = 0.6  # share of letters of one script from which a text is said to be written in it
_FEWEST_LETTERS: Final = 10


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
    expected = script(example.reference or example.messages[-1].content)
    if expected is not None and script(output.text) not in (None, expected):
        codes.add("other_script")
    return codes


def _leaks(arm: Arm, example: Example) -> bool:
    """The example's reference stands in what the arm was shown beyond the example itself: a shot is a test item."""
    reference = (example.reference or "").strip()
    own = {turn.content for turn in example.messages}
    added = (turn.content for turn in conversation(arm, example) if turn.content not in own)
    return len(reference) >= _SHORTEST_LEAK and any(reference in text for text in added)


def script(text: str) -> str | None:
    """Name the script that most letters of a text are in, by their Unicode names; None when no script prevails."""
    letters = [unicodedata.name(letter, "").split(" ")[0] for letter in text if letter.isalpha()]
    if len(letters) < _FEWEST_LETTERS:
        return None
    name, count = Counter(letters).most_common(1)[0]
    return name if count >= _SURE * len(letters) else None
