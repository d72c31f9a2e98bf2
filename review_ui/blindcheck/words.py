"""Canary words: unique words put where nobody may look, and every form in which they could come out."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from judge.ids import digest

SHORTEST: Final = 8  # hex digits of a digest that count as a hit
HEX: Final = re.compile(rb"[0-9a-f]{8,}")
LETTERS: Final = "bcdfghjklmnpqrstvwxz"  # no vowels: such words stand in no text


def canary(place: str) -> str:
    """Make the word for a place: letters that stand in no text, the same at every call."""
    number = int(digest("canary", place), 16)
    letters = []
    for _ in range(14):
        number, letter = divmod(number, len(LETTERS))
        letters.append(LETTERS[letter])
    return "Q" + "".join(letters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A word that came out: where it was put, and in which form it was seen."""

    place: str
    form: str


class Net:
    """Looks for words and digests in what was sent.

    words: place -> word.  values: place -> a longer value of which digests are looked for too, such as a file name or a
    text.  digests: place -> a digest that is kept in storage.
    """

    def __init__(
        self, words: Mapping[str, str], values: Mapping[str, str] | None = None, digests: Mapping[str, str] | None = None
    ) -> None:
        self._exact: dict[bytes, Hit] = {}
        self._folded: dict[bytes, Hit] = {}
        self._hex: dict[bytes, Hit] = {}
        self.words, self.digests = len(words), len(values or {}) + len(digests or {})
        for place, word in words.items():
            self._add_word(place, word)
        for place, value in {**words, **(values or {})}.items():
            self._add_digests(place, value)
        for place, kept in (digests or {}).items():
            self._hex.setdefault(kept[:SHORTEST].encode(), Hit(place=place, form="digest kept in storage"))

    def __len__(self) -> int:
        return len(self._exact) + len(self._folded) + len(self._hex)

    def _add_word(self, place: str, word: str) -> None:
        for form, text in _escaped(word):
            self._folded[text.lower().encode()] = Hit(place=place, form=form)
        for form, text in (("base64", word), ("base64, case-folded", word.lower())):
            self._exact |= {part: Hit(place=place, form=form) for part in _base64(text)}

    def _add_digests(self, place: str, value: str) -> None:
        for text in {value, value.casefold(), value.strip()}:
            for name in ("md5", "sha1", "sha256"):
                made = hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()
                self._hex.setdefault(made[:SHORTEST].encode(), Hit(place=place, form=f"{name} prefix"))

    def caught(self, sent: bytes) -> list[tuple[int, Hit]]:
        """Find everything in these bytes: (offset, hit)."""
        folded = sent.lower()
        found = [(at, hit) for word, hit in self._folded.items() if (at := folded.find(word)) >= 0]
        found += [(at, hit) for word, hit in self._exact.items() if (at := sent.find(word)) >= 0]
        for run in HEX.finditer(folded):
            found += list(self._in_run(run[0], run.start()))
        return sorted(found, key=lambda one: one[0])

    def _in_run(self, run: bytes, start: int) -> Iterable[tuple[int, Hit]]:
        for n in range(len(run) - SHORTEST + 1):
            hit = self._hex.get(run[n : n + SHORTEST])
            if hit is not None:
                yield start + n, hit


def _escaped(word: str) -> Iterable[tuple[str, str]]:
    """Give every spelling of a word; all are compared case-folded."""
    yield "plain", word
    yield "backwards", word[::-1]
    for case, text in (("", word), (", case-folded", word.lower())):
        yield f"URL-escaped{case}", "".join(f"%{ord(c):02x}" for c in text)
        yield f"HTML-escaped{case}", "".join(f"&#{ord(c)};" for c in text)
        yield f"HTML-escaped in hex{case}", "".join(f"&#x{ord(c):x};" for c in text)
        yield f"JSON-escaped{case}", "".join(f"\\u{ord(c):04x}" for c in text)
        yield f"hex{case}", text.encode().hex()


def _base64(word: str) -> Iterable[bytes]:
    """Give the part of a word's base64 that does not depend on its neighbours, for each of the three alignments."""
    for before in range(3):
        made = base64.b64encode(b"\0" * before + word.encode())
        core = made[(0, 2, 3)[before] : (len(word) + before) * 8 // 6]
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")
