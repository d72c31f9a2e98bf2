"""Untrusted model text to safe HTML: Markdown with tables, code and formulas, cleaned as the last step."""

from __future__ import annotations

import html
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from judge.text.clean import URL_SCHEMES, clean
from judge.text.code import highlight
from judge.text.formulas import add_formulas
from judge.text.unicode import well_formed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

LIMIT: Final = 200_000  # characters that are shown
NESTING: Final = 40  # levels of lists and quotes that are shown as such

# Direction overrides make a text read otherwise than it is stored: they become their names, controls their pictures.
_OVERRIDES: Final = re.compile("[\u202a-\u202e\u2066-\u2069]+")
_PICTURES: Final = {code: chr(0x2400 + code) for code in range(32) if code not in (9, 10, 13)} | {127: "\u2421"}
_SCHEME: Final = re.compile(rf"(?:{'|'.join(sorted(URL_SCHEMES))}):", re.IGNORECASE)


def to_html(text: str) -> str:
    """Render untrusted Markdown as an HTML fragment that can be put into any page of ours.

    The result holds only the tags, attributes and classes of `judge.text.clean`; it cannot run, load or submit.
    Raw HTML is shown as its source, images become links, code is coloured by `hl-*` classes (see `code_css`), formulas
    become MathML.  Headings start at h4.  A text that is one JSON document is shown as code, unchanged.
    Only the first 200,000 characters are shown, with a note.  The empty string for a text without visible characters.
    Deterministic; never raises.
    """
    shown = _readable(text[:LIMIT])
    fragment = _render(shown) if shown.strip() else ""
    if len(text) > LIMIT:
        fragment += f"<p><em>Cut here: the first {LIMIT:,} of {len(text):,} characters are shown.</em></p>"
    return fragment


def finalized(value: Any) -> Any:
    """Show a template's plain text without control characters; for jinja2's `finalize`.  HTML of ours is no plain text."""
    return _readable(value) if type(value) is str else value


def _readable(text: str) -> str:
    """Replace what cannot be shown, or lies about its order, by something visible; plain text in and out."""
    named = _OVERRIDES.sub(lambda run: f"[U+{ord(run[0][0]):04X}{' …' if len(run[0]) > 1 else ''}]", well_formed(text))
    return named.replace("\r\n", "\n").replace("\r", "\n").translate(_PICTURES)


def _render(text: str) -> str:
    if _is_json(text):
        return clean(_code_block(text, "json"))
    try:
        fragment = _markdown_html(text)
    except Exception:  # a text that breaks the parser is still shown, as it stands
        fragment = None
    return clean(_code_block(text, "") if fragment is None else fragment)


def _markdown_html(text: str) -> str | None:
    """Render Markdown; None where it nests so deep that the parser would leave words out."""
    md = _markdown()
    env: dict[str, object] = {}
    tokens = md.parse(text, env)
    if any(token.level >= NESTING - 1 for token in tokens):
        return None
    return str(md.renderer.render(tokens, md.options, env))


def _is_json(text: str) -> bool:
    stripped = text.strip()
    if stripped[0] + stripped[-1] not in {"{}", "[]"}:
        return False
    try:
        json.loads(stripped)
    except (ValueError, RecursionError):
        return False
    return True


def _code_block(source: str, language: str) -> str:
    try:
        inner = highlight(source, language)
    except Exception:  # a lexer's bug must not take the text away
        inner = html.escape(source)
    return f"<pre><code>{inner}</code></pre>\n"


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # Line breaks are kept: what an answer shows as two lines shall be read as two lines.
    md = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": NESTING})
    md.enable(["table", "strikethrough"])
    md.disable(["reference"])  # a reference definition would make its line vanish
    md.validateLink = lambda url: bool(_SCHEME.match(url))  # type: ignore[method-assign]
    add_formulas(md)
    md.core.ruler.push("images_to_links", _images_to_links)
    md.core.ruler.push("plain_attributes", _plain_attributes)
    md.add_render_rule("fence", _fence)
    md.add_render_rule("code_block", _fence)
    return md


def _fence(_self: object, tokens: Sequence[Token], index: int, _options: object, _env: object) -> str:
    token = tokens[index]
    words = token.info.split()
    return _code_block(token.content, words[0] if words else "")


def _plain_attributes(state: StateCore) -> None:
    """Move headings below those of the page they will stand in, and the alignment of cells out of `style`."""
    for token in state.tokens:
        if token.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 3)}"
        elif token.tag in {"td", "th"} and "style" in token.attrs:
            token.attrs = {"align": str(token.attrs["style"]).removeprefix("text-align:")}


def _images_to_links(state: StateCore) -> None:
    """Show a picture as a link: loading it would tell its owner who reads, and when."""
    for block in state.tokens:
        if block.children and any(token.type == "image" for token in block.children):
            block.children = _without_images(block.children)


def _without_images(tokens: Sequence[Token]) -> list[Token]:
    from markdown_it.token import Token

    kept: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type != "image":
            kept.append(token)
            continue
        label = Token("text", "", 0, content=f"[image: {token.content or 'no description'}]")
        if depth:  # links do not nest
            kept.append(label)
            continue
        link = Token("link_open", "a", 1, attrs={"href": str(token.attrs.get("src", ""))})
        kept += [link, label, Token("link_close", "a", -1)]
    return kept
