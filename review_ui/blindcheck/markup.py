"""A page without its texts: what remains of an annotator's HTML when prompt and answers are taken out of it.

The remainder must be the same whatever stands on which side, but for the few attributes that carry the task's token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
TEXTS: Final = frozenset({"words"})  # the class of what holds prompts and answers


@dataclass(slots=True)
class Frame:
    """One pair's HTML taken apart.

    attributes: (element, attribute, value) in document order, outside the texts.  rest: text and comments outside them.
    sides: the sides in the order in which they stand in the document.  raw: each side's text as it can be shown raw.
    """

    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    sides: list[str] = field(default_factory=list)
    raw: dict[str, str] = field(default_factory=dict)

    def skeleton(self, *masked: str) -> str:
        """Write the frame as one text, with these strings taken out."""
        text = "\n".join([*(" ".join(one) for one in self.attributes), *self.rest])
        for word in masked:
            text = text.replace(word, "")
        return text


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.frame = Frame()
        self._open: list[tuple[str, bool]] = []  # element, whether it began a text
        self._side = ""
        self._raw = False

    @property
    def _inside(self) -> bool:
        return any(begins for _, begins in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        if not self._inside:
            self.frame.attributes += [(tag, name, value) for name, value in given.items()]
            self._begin_side(tag, classes)
        if tag in VOID:
            return
        begins = not self._inside and bool(TEXTS.intersection(classes))
        self._raw = begins and "raw" in classes
        self._open.append((tag, begins))

    def _begin_side(self, tag: str, classes: list[str]) -> None:
        if tag == "article" and "side" in classes:
            self._side = " ".join(name for name in classes if name != "side")
            self.frame.sides.append(self._side)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in [element for element, _ in self._open]:
            while self._open.pop()[0] != tag:
                pass
        self._raw = self._raw and self._inside

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.frame.rest.append(" ".join(data.split()))
        elif self._raw:
            self.frame.raw[self._side] = self.frame.raw.get(self._side, "") + data

    def handle_comment(self, data: str) -> None:
        self.frame.rest.append(data)


def frame_of(html: str) -> Frame:
    """Take a pair's HTML apart."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.frame.rest = [text for text in reader.frame.rest if text]
    reader.frame.raw = {side: text.removeprefix("\n") for side, text in reader.frame.raw.items()}
    return reader.frame


def varying(frames: Iterable[Frame]) -> Mapping[tuple[str, str], set[tuple[str, ...]]]:
    """Find the attributes that are not the same in every frame: (element, attribute) -> the values found."""
    found: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for frame in frames:
        here: dict[tuple[str, str], list[str]] = {}
        for tag, name, value in frame.attributes:
            here.setdefault((tag, name), []).append(value)
        for place, values in here.items():
            found.setdefault(place, set()).add(tuple(values))
    return {place: values for place, values in found.items() if len(values) > 1}
