"""Every route that the application has, asked in every way: each method, right and wrong ids, forms that fit and do not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

from review_ui.blindcheck.browser import HTML, JSON, Answer, Browser

METHODS: Final = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE")
PARAMETER: Final = re.compile(r"\{(\w+)[^}]*\}")
LAST: Final = "/leave"  # ends the session, so it is asked at the end


def table(app: Any) -> list[str]:
    """Give the application's own route table, sign-out last."""
    return sorted({route.path_format for route in app.routes}, key=lambda path: (path == LAST, path))


def sweep(
    browser: Browser, paths: Sequence[str], fills: Mapping[str, Sequence[str]], forms: Sequence[Mapping[str, str]]
) -> Iterator[Answer]:
    """Ask everything; yield every answer.

    fills: what to put for each parameter of a path.  forms: what to post, each to every route; other methods that may change
    something send the first.
    """
    for path, method, accept in product(paths, METHODS, (HTML, JSON)):
        for filled in _filled(path, fills):
            for form in _forms(method, forms):
                yield browser.ask(method, filled, form, accept=accept, route=path)


def _forms(method: str, forms: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str] | None]:
    if method == "POST":
        return forms
    return forms[:1] if method in ("PUT", "DELETE") else (None,)


def _filled(path: str, fills: Mapping[str, Sequence[str]]) -> list[str]:
    names = [found[1] for found in PARAMETER.finditer(path)]
    choices = [fills.get(name, ("wrong", "1")) for name in names]
    return [_put(path, dict(zip(names, values, strict=True))) for values in product(*choices)]


def _put(path: str, values: Mapping[str, str]) -> str:
    return PARAMETER.sub(lambda found: values[found[1]], path)
