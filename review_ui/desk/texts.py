"""Both sides through one renderer, and the same one for both whatever happens."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from judge.desk import Task
from judge.text import to_html

log = logging.getLogger("review_ui")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of the prompt, ready to show."""

    role: str
    shown: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The texts of one task as safe HTML."""

    turns: tuple[Turn, ...]
    reference: Markup | None
    left: Markup
    right: Markup


@lru_cache(maxsize=1024)  # by content: several people see the same texts
def shown(text: str) -> Markup:
    """Give untrusted text as safe HTML."""
    return Markup(to_html(text))


def plain(text: str) -> Markup:
    """Give text as it stands, line breaks kept."""
    return Markup(f"<pre>{html.escape(text)}</pre>")


def texts_of(task: Task, renderer: Callable[[str], Markup] = shown) -> Texts:
    """Render what a task shows.  When either side fails, both are shown plain: a difference would be a hint."""
    try:
        left, right = renderer(task.left), renderer(task.right)
    except Exception:
        log.exception("a text could not be rendered; both sides are shown plain")
        left, right = plain(task.left), plain(task.right)
    return Texts(
        turns=tuple(Turn(role=message.role, shown=_safely(message.content, renderer)) for message in task.messages),
        reference=None if task.reference is None else _safely(task.reference, renderer),
        left=left,
        right=right,
    )


def _safely(text: str, renderer: Callable[[str], Markup]) -> Markup:
    try:
        return renderer(text)
    except Exception:
        log.exception("a text could not be rendered; it is shown plain")
        return plain(text)
