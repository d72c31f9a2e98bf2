"""The one list of what may leave this room as HTML, and the cleaner that enforces it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import nh3

TEXT_TAGS: Final = frozenset({
    "a", "blockquote", "br", "code", "del", "em", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
})  # fmt: skip
# Left out on purpose: `maction` and `semantics` (interactive, or two contents for one formula), `mglyph` and
# `annotation-xml` (ways from MathML back into HTML), `mphantom` (would hide words; without the tag they stay visible).
MATH_TAGS: Final = frozenset({
    "math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mprescripts", "mroot",
    "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder",
    "munderover",
})  # fmt: skip
URL_SCHEMES: Final = frozenset({"http", "https", "mailto"})
ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    "a": frozenset({"href", "title"}),
    "ol": frozenset({"start"}),
}
LINK_REL: Final = "noopener noreferrer nofollow"

_TRUTH: Final = frozenset({"true", "false"})
# Only spaces that LaTeX itself makes: a free width could push a text out of its box or over its neighbour.
_SPACES: Final = frozenset({"0.167em", "0.222em", "0.278em", "0.333em", "1em", "2em", "-0.167em"})
ATTRIBUTE_VALUES: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "math": {"display": frozenset({"block", "inline"})},
    "mi": {"mathvariant": frozenset({"normal"})},
    "mo": {"stretchy": _TRUTH, "fence": _TRUTH, "form": frozenset({"prefix", "infix", "postfix"}), "accent": _TRUTH,
           "largeop": _TRUTH, "movablelimits": _TRUTH, "minsize": frozenset({"1.2em", "1.623em", "2.047em", "2.470em"}),
           "maxsize": frozenset({"1.2em", "1.623em", "2.047em", "2.470em"})},
    "mfrac": {"linethickness": frozenset({"0"})},
    "mover": {"accent": _TRUTH},
    "munder": {"accentunder": _TRUTH},
    "mspace": {"width": _SPACES},
    "mstyle": {"displaystyle": _TRUTH, "scriptlevel": frozenset({"0", "1", "2"})},
    "mtable": {"displaystyle": _TRUTH},
    "mtd": {"columnalign": frozenset({"left", "right", "center"})},
    "menclose": {"notation": frozenset({"box", "updiagonalstrike", "downdiagonalstrike", "horizontalstrike"})},
    "td": {"align": frozenset({"left", "right", "center"})},
    "th": {"align": frozenset({"left", "right", "center"})},
}  # fmt: skip
FIXED_VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "a": {"target": "_blank"},  # a click must not take a reader away from what is being judged
    "pre": {"tabindex": "0"},  # wide code scrolls, so it must be reachable by keyboard
}


def clean(html: str) -> str:
    """Keep of `html` only listed tags, attributes, classes and link schemes, well nested.  The last step, always."""
    return _cleaner().clean(html)


@cache
def _cleaner() -> nh3.Cleaner:
    import nh3

    from judge.text.code import code_classes

    return nh3.Cleaner(
        tags=TEXT_TAGS | MATH_TAGS,
        clean_content_tags={"script", "style"},
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        tag_attribute_values={
            tag: {name: set(values) for name, values in by_name.items()} for tag, by_name in ATTRIBUTE_VALUES.items()
        },
        set_tag_attribute_values={tag: dict(values) for tag, values in FIXED_VALUES.items()},
        allowed_classes={"span": set(code_classes())},
        url_schemes=set(URL_SCHEMES),
        url_relative="deny",
        link_rel=LINK_REL,
    )
