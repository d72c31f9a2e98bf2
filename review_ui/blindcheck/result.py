"""What a check of blindness found: one finding a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One test's outcome: what was compared and how much, what it would have found, and the first leak if there is one."""

    test: str
    compared: str
    power: str
    leak: str | None = None

    @property
    def ok(self) -> bool:
        """Nothing leaked."""
        return self.leak is None

    def line(self) -> str:
        """Write the finding as one line."""
        told = f"{self.compared}; {self.power}" if self.leak is None else f"{self.leak} ({self.compared})"
        return f"{'ok  ' if self.ok else 'LEAK'}  {self.test:<11} {told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Something that lets people guess, which no program can take away: a number with its interval, or a count."""

    name: str
    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0

    def line(self) -> str:
        """Write the hint as one line."""
        return f"note  {self.name:<11} {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """All findings about one study, and what lets people guess all the same."""

    study: str
    pairs: int
    findings: tuple[Finding, ...]
    hints: tuple[Hint, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """No test found a leak."""
        return all(finding.ok for finding in self.findings)

    def lines(self) -> list[str]:
        """Write everything for a person, one line a test."""
        return [*(finding.line() for finding in self.findings), *(hint.line() for hint in self.hints)]

    def to_json(self) -> Mapping[str, Any]:
        """Give everything for programs."""
        tests = [{"ok": finding.ok, **asdict(finding)} for finding in self.findings]
        return {
            "study": self.study,
            "pairs": self.pairs,
            "ok": self.ok,
            "tests": tests,
            "hints": [asdict(hint) for hint in self.hints],
            "seconds": round(self.seconds, 1),
        }
