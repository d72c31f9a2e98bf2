"""What the rule of decision looks at, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from judge.domain import Estimate, Gates


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A family of probes: the candidate's difference to the baseline, negative when an ability was lost."""

    name: str
    difference: Estimate
    pooled: bool = False  # all families together

    def shown_below(self, limit: float) -> bool:
        """Say whether the whole interval lies below a limit."""
        return self.difference.high is not None and self.difference.high < limit

    def shown_above(self, limit: float) -> bool:
        """Say whether the whole interval lies above a limit."""
        return self.difference.low is not None and self.difference.low > limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that the rule looks at.

    primary: the win rate (threshold .5) or a metric's paired difference (threshold 0), with its interval at the level that
    the number of candidates asks for.
    """

    candidate: str
    primary_name: str
    primary: Estimate
    threshold: float
    gates: Gates = Gates()
    guards: tuple[Guard, ...] = ()
    trial: bool = False
    labels_in: int = 0
    labels_planned: int = 0
    simulated: bool = False
    unasked: int = 0  # answers that are planned, or lie in files, and were not taken in yet

    @property
    def by_people(self) -> bool:
        """The primary is about what people prefer."""
        return self.primary_name == "win_rate"

    @property
    def waiting(self) -> bool:
        """Planned labels are not in.  A metric does not wait for people."""
        return self.by_people and self.labels_in < self.labels_planned

    @property
    def failed(self) -> list[Guard]:
        """Guards whose whole interval lies below the margin: a *shown* loss."""
        return [guard for guard in self.guards if guard.shown_below(-self.gates.probe_margin)]

    @property
    def stopped(self) -> list[Guard]:
        """Guards whose whole interval lies below the stop."""
        return [guard for guard in self.guards if guard.shown_below(-self.gates.probe_stop)]
