"""Text that can be written down: strings of Python may hold halves of characters, which no encoding takes."""

from __future__ import annotations


def well_formed(text: str) -> str:
    """Replace lone surrogates, such as JSON's escapes make them, by U+FFFD; the two halves of a character are joined."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
