"""The page of error messages says what the code says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/errors.md").read_text()
MESSAGES = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)


def templates() -> list[re.Pattern[str]]:
    """Give every text of the rooms that read files, with anything where a value is filled in."""
    paths = [path for room in ("data", "study", "rubric") for path in (ROOT / "judge" / room).glob("*.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]
    texts = [re.escape(node.value) for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
            texts.append("".join(".+" if part is None else re.escape(str(part)) for part in parts))
    return [re.compile(text) for text in texts if len(text.replace(".+", "")) > 5]


TEMPLATES = templates()


def test_the_page_holds_messages() -> None:
    assert len(MESSAGES) > 60


@pytest.mark.parametrize("message", sorted(set(MESSAGES)))
def test_every_documented_message_is_one_that_the_code_gives(message: str) -> None:
    assert any(template.fullmatch(message) for template in TEMPLATES)
