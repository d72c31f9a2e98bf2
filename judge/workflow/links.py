"""How links are written."""

from __future__ import annotations


def join_link(address: str, secret: str) -> str:
    """Write the link that a person comes in by."""
    return f"{address}/join/{secret}"
