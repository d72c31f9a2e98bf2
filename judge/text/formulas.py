r"""Formulas in answers: `$..$`, `$$..$$`, `\(..\)` and `\[..\]` found in Markdown, LaTeX turned into MathML.

Own rules rather than mdit-py-plugins' dollarmath: that one knows no brackets and searches the rest of the text at every
opening marker, which takes minutes on a hostile text.  Here every search is bounded.
latex2mathml escapes nothing that stands in `\text{..}` and copies attributes from `\href`, `\style` and `\class`;
what comes out of here is therefore still to be cleaned, like everything else.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

FORMULA_LIMIT: Final = 2_000  # characters of one formula
LINE_LIMIT: Final = 40  # lines of one formula
BUDGET: Final = 60_000  # characters of all formulas of a text, each with a share for its overhead
OVERHEAD: Final = 60

_CLOSING: Final = {"$$": "$$", r"\(": r"\)", r"\[": r"\]"}
_DEFINES: Final = re.compile(r"\\(?:re|provide)?(?:newcommand|newenvironment|def\b|let\b)")  # expand without end
# Environments that latex2mathml lacks, by the nearest it has.
_ENVIRONMENT: Final = re.compile(r"\\(begin|end)\{(aligned|alignedat|eqnarray|gather|gathered|multline)\*?\}")
_NEAREST: Final = {"aligned": "split", "alignedat": "split", "eqnarray": "split"}
# Private characters carry < and > through latex2mathml, which would let them out as markup.
_HIDE: Final = str.maketrans({"<": "\ue000", ">": "\ue001", "\ue000": "\ufffd", "\ue001": "\ufffd"})
_SHOW: Final = (
    ("<mi>\ue000</mi>", "<mo>&lt;</mo>"), ("<mi>\ue001</mi>", "<mo>&gt;</mo>"), ("\ue000", "&lt;"), ("\ue001", "&gt;"),
)  # fmt: skip


def to_mathml(latex: str, display: bool) -> str | None:
    """Turn LaTeX into MathML that is still to be cleaned; None when it is too long, broken or defines macros."""
    if len(latex) > FORMULA_LIMIT or _DEFINES.search(latex):
        return None
    from latex2mathml.converter import convert

    known = _ENVIRONMENT.sub(lambda m: f"\\{m[1]}{{{_NEAREST.get(m[2], 'matrix')}}}", latex.strip())
    try:
        mathml = convert(known.translate(_HIDE), display="block" if display else "inline")
    except Exception:  # broken input ends in a dozen types of error, RecursionError among them
        return None
    for hidden, shown in _SHOW:
        mathml = mathml.replace(hidden, shown)
    return mathml


def add_formulas(md: MarkdownIt) -> None:
    """Teach the parser formulas, inline and as blocks, and how to show them."""
    md.inline.ruler.before("escape", "formula", _inline)
    md.block.ruler.before("fence", "formula_block", _block, {"alt": ["paragraph", "blockquote", "list"]})
    md.add_render_rule("formula", _render)


def _render(_self: object, tokens: Sequence[Token], index: int, _options: object, env: dict[str, Any]) -> str:
    token = tokens[index]
    display = token.markup in {"$$", r"\["}
    spent = env.get("formulas", 0) + len(token.content) + OVERHEAD
    env["formulas"] = spent
    mathml = to_mathml(token.content, display) if spent <= BUDGET else None
    if mathml is None:
        source = f"{token.markup}{token.content}{_CLOSING.get(token.markup, token.markup)}"
        mathml = f"<code>{html.escape(source)}</code>"
    return f"<p>{mathml}</p>\n" if token.block else mathml


def _inline(state: StateInline, silent: bool) -> bool:
    opening = _opening(state.src, state.pos)
    if opening is None:
        return False
    start = state.pos + len(opening)
    end = _find(state.src, _CLOSING.get(opening, "$"), start, min(state.posMax, start + FORMULA_LIMIT))
    content = state.src[start:end] if end >= 0 else ""
    if not content.strip() or (opening == "$" and not _is_formula(state.src, state.pos, end, content)):
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content, token.markup = content, opening
    state.pos = end + len(_CLOSING.get(opening, "$"))
    return True


def _opening(text: str, position: int) -> str | None:
    if text[position] == "$":
        return "$$" if text.startswith("$$", position) else "$"
    two = text[position : position + 2]
    return two if two in _CLOSING else None


def _find(text: str, closing: str, start: int, stop: int) -> int:
    """Find the first closing marker that no backslash takes away; -1 when there is none before `stop`."""
    end = text.find(closing, start, stop)
    while end > 0 and closing[0] == "$" and _escaped(text, start, end):
        end = text.find(closing, end + 1, stop)
    return end


def _escaped(text: str, start: int, position: int) -> bool:
    before = text[start:position]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _is_formula(text: str, opening: int, closing: int, content: str) -> bool:
    """Tell a formula from two prices: the rule of Pandoc, and no plain words after a leading digit."""
    before = text[opening - 1] if opening else " "
    after = text[closing + 1] if closing + 1 < len(text) else " "
    if before.isalnum() or before == "$" or after.isalnum() or content[0].isspace() or content[-1].isspace():
        return False
    priced = content[0].isdigit() and "\\" not in content and re.search(r"[^\W\d_]{3,}", content)
    return not priced


def _block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Read a formula that stands on lines of its own, from `$$` or a bracket to the line that closes it."""
    start = state.bMarks[first] + state.tShift[first]
    opening = state.src[start : start + 2]
    if opening not in {"$$", r"\["} or state.sCount[first] - state.blkIndent >= 4:
        return False
    closing = _CLOSING[opening]
    lines = [state.src[start + 2 : state.eMarks[first]]]
    line = first
    while not lines[-1].rstrip().endswith(closing):
        line += 1
        if line >= min(last, first + LINE_LIMIT) or state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return False
        lines.append(state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]])
    content = "\n".join(lines).rstrip()[: -len(closing)]
    if not content.strip() or closing in content:
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.block, token.content, token.markup = True, content, opening
        token.map = [first, line + 1]
        state.line = line + 1
    return True
