"""Whom a provider asks, and the key with which it does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from judge.errors import JudgeError

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_NO_KEY: Final = "none"  # the packages send something
_SHORTEST_SECRET: Final = 8  # what is shorter, as servers of one's own are given, is a word like any other


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server behind one key.

    url: what is asked.  variable: of the environment, which holds the key.  named: by the study itself, not by us.
    """

    url: str
    variable: str
    named: bool

    @property
    def host(self) -> str:
        """Give the address as people call it: host and port, nothing secret."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def has_key(self) -> bool:
        """Say whether the variable holds anything."""
        return holds(self.variable)

    def without_key(self, text: str) -> str:
        """Take the key out of what a server said: it may repeat what it was sent."""
        found = os.environ.get(self.variable, "").strip()
        return text.replace(found, "***") if len(found) >= _SHORTEST_SECRET else text

    def key(self) -> str:
        """Find the key in the environment; `.env` was read into it before.

        A server on this machine is asked without one unless the study names a variable.  Raises JudgeError for a key that
        is not there or that no request can carry; the message does not hold it.
        """
        found = os.environ.get(self.variable, "").strip()
        if not found and not self.named and on_this_machine(self.url):
            return _NO_KEY
        if not found:
            raise JudgeError(f"no key for {self.host}: {self.variable} is not set", hint="set it, or put it into .env")
        if not (found.isascii() and found.isprintable() and " " not in found):
            problem = f"the key for {self.host} in {self.variable} holds a space, a line break or a letter beyond ASCII"
            raise JudgeError(problem, hint="copy it anew from the provider's page")
        return found


def holds(variable: str) -> bool:
    """Say whether a variable of the environment holds more than blanks."""
    return bool(os.environ.get(variable, "").strip())


def on_this_machine(base_url: str | None) -> bool:
    """Say whether an address is on this machine."""
    return base_url is not None and urlsplit(base_url).hostname in _LOOPBACK
