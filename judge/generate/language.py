"""Which script a text is written in, and for a few languages of Latin script, which language: enough to see a model slip."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Final

_SURE: Final = 0.6  # share of letters of one script from which a text is said to be written in it
_FEWEST_LETTERS: Final = 10
_FEWEST_WORDS: Final = 3
_AHEAD: Final = 4  # times as many words as the next language has
_WORD: Final = re.compile(r"[^\W\d_]+")

# Frequent short words; one that two languages have tells nothing and is passed over.
_WORDS: Final = {
    "English": "the and of that with are this have from which they been you not your would there is be for",
    "German": "der die und das ist nicht eine zu mit sich auf für ich auch wird sind wir haben werden bei oder ihre",
    "French": "les et est une pour dans vous pas avec qui nous sur votre être sont cette ou je leur aux",
    "Spanish": "el los las y más pero muy usted hay puede esto cuando nuestro sus nuestra sus ustedes aquí",
    "Italian": "che è di sono della gli nel questo anche alla più delle dei essere nella perché questa",
    "Portuguese": "não uma os em você são também isso foi dos pelo pela seu sua muito ao aos ou até já das",
    "Dutch": "het een ik dat niet zijn op voor maar aan wij ook deze naar wordt bij uw geen hij of is dit die",
}


@cache
def _language_of() -> dict[str, str]:
    """Give the language of each word that only one has."""
    languages: dict[str, set[str]] = {}
    for language, words in _WORDS.items():
        for word in words.split():
            languages.setdefault(word, set()).add(language)
    return {word: next(iter(among)) for word, among in languages.items() if len(among) == 1}


@dataclass(frozen=True, slots=True)
class Written:
    """How a text is written; None where that cannot be said."""

    script: str | None
    language: str | None

    def unlike(self, other: Written) -> bool:
        """Both scripts, or both languages, are known and differ."""
        return _differ(self.script, other.script) or _differ(self.language, other.language)


def written(text: str) -> Written:
    """Say what a text is written in."""
    return Written(_script(text), _language(text))


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _script(text: str) -> str | None:
    """Name the script that most letters of a text are in, by their Unicode names; None when no script prevails."""
    letters = [unicodedata.name(letter, "").split(" ")[0] for letter in text if letter.isalpha()]
    if len(letters) < _FEWEST_LETTERS:
        return None
    name, count = Counter(letters).most_common(1)[0]
    return name if count >= _SURE * len(letters) else None


def _language(text: str) -> str | None:
    known = _language_of()
    found = Counter(known[word] for word in _WORD.findall(text.lower()) if word in known)
    (first, most), (_, next_most) = [*found.most_common(2), ("", 0), ("", 0)][:2]
    return first if most >= max(_FEWEST_WORDS, _AHEAD * next_most) else None
