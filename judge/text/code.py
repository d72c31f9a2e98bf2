"""Code in answers: Pygments classes for its tokens, and the style sheet that colours them in light and dark."""

from __future__ import annotations

import html
from functools import cache
from typing import Final

PREFIX: Final = "hl-"
LIGHT: Final = "default"
DARK: Final = "github-dark"
HIGHLIGHT_LIMIT: Final = 20_000  # characters of one block; lexers are regular expressions, some of them slow

# Named by the text itself, so only lexers that were tried; anything else is shown plain.
LANGUAGES: Final = frozenset({
    "bash", "c", "c++", "cpp", "c#", "csharp", "css", "diff", "go", "html", "http", "ini", "java", "javascript",
    "js", "json", "json5", "jsonl", "jsx", "kotlin", "lua", "makefile", "php", "powershell", "py", "python",
    "python3", "r", "rb", "ruby", "rust", "rs", "sh", "shell", "sql", "swift", "toml", "ts", "tsx", "typescript",
    "xml", "yaml", "yml",
})  # fmt: skip
_SAME_AS: Final = {"json5": "json", "jsonl": "json", "jsx": "javascript", "tsx": "typescript"}

# What MathML Core leaves to style sheets.
_FORMULA_RULES: Final = (
    "menclose[notation=box]{border:1px solid;padding:.15em .3em}"
    "menclose[notation$=strike]{text-decoration:line-through}"
    "mtd[columnalign=right]{text-align:right}mtd[columnalign=left]{text-align:left}"
    "math[display=block]{max-width:100%;overflow-x:auto;overflow-y:hidden}"
)


def highlight(source: str, language: str) -> str:
    """Give `source` as HTML with `hl-*` classes on its tokens; escaped and plain when the language is not known."""
    name = language.strip().lower()
    if name not in LANGUAGES or len(source) > HIGHLIGHT_LIMIT:
        return html.escape(source)
    import pygments  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

    lexer = get_lexer_by_name(_SAME_AS.get(name, name), stripnl=False, ensurenl=False)
    return str(pygments.highlight(source, lexer, HtmlFormatter(nowrap=True, classprefix=PREFIX)))


@cache
def code_classes() -> frozenset[str]:
    """Every class that `highlight` may give to a span."""
    from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]

    return frozenset(PREFIX + short for short in STANDARD_TYPES.values() if short)


@cache
def code_css() -> str:
    """Style sheet for what `to_html` returns: code colours for light and dark, and the little that formulas need.

    Colours are `light-dark()` pairs, so they follow the `color-scheme` of the page, its prints included.
    """
    from pygments.styles import get_style_by_name  # type: ignore[import-untyped]
    from pygments.token import STANDARD_TYPES

    light, dark = get_style_by_name(LIGHT), get_style_by_name(DARK)
    selectors: dict[str, list[str]] = {}
    for token, short in sorted(STANDARD_TYPES.items(), key=lambda item: item[1]):
        rule = _rule(light.style_for_token(token), dark.style_for_token(token))
        if short and rule:
            selectors.setdefault(rule, []).append(f".{PREFIX}{short}")
    return "".join(f"{','.join(names)}{{{rule}}}" for rule, names in selectors.items()) + _FORMULA_RULES


def _rule(light: dict[str, object], dark: dict[str, object]) -> str:
    rules = []
    if light["color"] or dark["color"]:
        rules.append(f"color:light-dark({_colour(light)},{_colour(dark)})")
    if light["bold"]:
        rules.append("font-weight:600")
    if light["italic"]:
        rules.append("font-style:italic")
    return ";".join(rules)


def _colour(style: dict[str, object]) -> str:
    return f"#{style['color']}" if style["color"] else "currentColor"
