"""The hard cap on money: what is reserved before sending and spent after it never passes it, whatever runs at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from judge.errors import Parked


@dataclass(slots=True)
class Budget:
    """US dollars.  `cap` None: nothing is capped, which only free providers may have."""

    cap: float | None
    spent: float = 0.0
    _reserved: dict[str, float] = field(default_factory=dict)

    @property
    def reserved(self) -> float:
        """What open calls may still cost."""
        return sum(self._reserved.values())

    def reserve(self, call: str, worst: float) -> None:
        """Set the worst case of a call aside.  Raises Parked when the cap would be passed."""
        if self.cap is not None and self.spent + self.reserved + worst > self.cap + 1e-12:
            text = f"the budget of {self.cap:g} USD has no room for a call of up to {worst:.2g} USD"
            raise Parked(
                f"{text}: {self.spent:.4g} are spent",
                hint="write a larger `budget:` into the study and run the same command again",
            )
        self._reserved[call] = worst

    def settle(self, call: str, cost: float) -> None:
        """Replace what was set aside by what it cost."""
        self._reserved.pop(call, None)
        self.spent += cost
