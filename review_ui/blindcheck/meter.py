"""The blindness meter: how well length and format alone tell the arms apart on the study's own texts.

No leak, since the texts are what people are asked about; but who can tell the arms by their looks is not blind to them.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

import numpy as np

from judge.stats import clopper_pearson
from judge.text import length
from judge.workflow import reviewing
from review_ui.blindcheck.decks import candidate_side
from review_ui.blindcheck.regression import FloatArray, right_guesses
from review_ui.blindcheck.result import Hint

if TYPE_CHECKING:
    from judge.workflow.workspace import Opened

FOLDS: Final = 5
FEWEST: Final = 10  # pairs with two different texts
MARKS: Final[dict[str, re.Pattern[str]]] = {
    "lists": re.compile(r"^\s*(?:[-*+]|\d+[.)])\s", re.MULTILINE),
    "headings": re.compile(r"^#{1,6}\s|^\*\*[^*\n]+\*\*:?\s*$", re.MULTILINE),
    "bold": re.compile(r"\*\*|__"),
    "code": re.compile(r"`"),
    "tables": re.compile(r"^\s*\|", re.MULTILINE),
    "paragraphs": re.compile(r"\n\s*\n"),
    "lines": re.compile(r"\n"),
    "questions": re.compile(r"\?"),
    "exclamations": re.compile(r"!"),
    "digits": re.compile(r"\d"),
    "commas": re.compile(r","),
    "letters beyond ASCII": re.compile(r"[^\x00-\x7f]"),
}


def looks(text: str) -> FloatArray:
    """Describe a text by its length and format, no word of it: logarithms of counts."""
    measured = length(text)
    counts = [measured.words, len(text), *(len(mark.findall(text)) for mark in MARKS.values())]
    per_word = len(text) / max(1, measured.words)
    return np.array([*(math.log1p(count) for count in counts), per_word])


def meter(work: Opened) -> list[Hint]:
    """Measure what lets people guess: the texts' looks; texts that name their model; a rubric that names an arm."""
    made = reviewing.sample(work)
    named = [Hint(name=notice.code, text=notice.text) for notice in made.notices]
    return [_guessable(work), *named]


def _guessable(work: Opened) -> Hint:
    pairs = [pair for pair in work.sources.pairs if not pair.identical]
    if len(pairs) < FEWEST:
        return Hint(
            name="guessable", text=f"{len(pairs)} pairs are too few to say how well looks tell the arms apart", n=len(pairs)
        )
    x = np.array([looks(pair.text_b) - looks(pair.text_a) for pair in pairs])
    x *= np.array([1.0 if candidate_side(work, pair) == "b" else -1.0 for pair in pairs])[:, None]
    examples = {id_: n for n, id_ in enumerate(sorted({pair.example.id for pair in pairs}))}
    groups = np.array([examples[pair.example.id] for pair in pairs])
    # Every pair once as candidate minus other and once the other way round: no constant can be learnt.
    both = np.concatenate([x, -x])
    truth = np.repeat([True, False], len(x))
    right = right_guesses(both, truth, np.concatenate([groups, groups]), folds=FOLDS, offset=False, ridge=1.0)[: len(x)]
    low, high = clopper_pearson(float(right.sum()), len(x), 0.95)
    share = float(right.mean())
    how_often = f"{100 * share:.0f} % of {len(x)} pairs ({100 * low:.0f}-{100 * high:.0f} %; 50 % is blind)"
    text = f"length and format alone tell the arms apart in {how_often}"
    return Hint(name="guessable", text=text, value=share, low=low, high=high, n=len(x))
