"""The rule that turns intervals into ship, iterate, abandon or undecided.  No point estimate decides anything.

In this order:
1. a `--limit` trial: undecided                              trial
2. a win-rate study without people's labels: undecided       judge_only
3. planned labels not in: undecided, interim                 labels_missing
4. a guard shown beyond its stop: abandon                    guard_stopped
5. the primary's upper bound not above the threshold: abandon  no_better
6. its lower bound above it:
   a guard shown to fail: iterate                            guard_failed
   the pooled probe difference not shown above -margin: undecided  guard_unclear
   else ship                                                 better
7. otherwise undecided                                       open
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from judge.decision import wording
from judge.decision.standing import Standing
from judge.domain import Decision, Ground, Outcome

Code: TypeAlias = Literal[
    "trial", "judge_only", "labels_missing", "guard_stopped", "no_better", "guard_failed", "guard_unclear", "better", "open"
]
_OUTCOMES: dict[Code, Outcome] = {
    "guard_stopped": "abandon",
    "no_better": "abandon",
    "guard_failed": "iterate",
    "better": "ship",
}  # every other code leaves it undecided


def decide(standing: Standing) -> Decision:
    """Apply the rule.  The decision names its code, the sentence that decided, and what to do next."""
    code = _code(standing)
    return Decision(
        outcome=_OUTCOMES.get(code, "undecided"),
        code=code,
        sentence=wording.sentence(standing, code),
        reasons=_grounds(standing),
        next=wording.steps(standing, code),
        interim=code == "labels_missing",
        trial=standing.trial,
        simulated=standing.simulated,
    )


def _code(standing: Standing) -> Code:
    if standing.trial:
        return "trial"
    if standing.by_people and standing.labels_in == 0:
        return "judge_only"
    if standing.waiting:
        return "labels_missing"
    if standing.stopped:
        return "guard_stopped"
    return _code_of_primary(standing)


def _code_of_primary(standing: Standing) -> Code:
    low, high = standing.primary.low, standing.primary.high
    if high is not None and high <= standing.threshold:
        return "no_better"
    if low is None or low <= standing.threshold:
        return "open"
    if standing.failed:
        return "guard_failed"
    pooled = [guard for guard in standing.guards if guard.pooled]
    shown = all(guard.shown_above(-standing.gates.probe_margin) for guard in pooled)
    return "better" if shown else "guard_unclear"


def _grounds(standing: Standing) -> tuple[Ground, ...]:
    primary = Ground(gate="primary", text=wording.primary(standing), estimate=standing.primary)
    guards = [
        Ground(gate=f"probe:{guard.name}", text=wording.guard(standing, guard), estimate=guard.difference)
        for guard in standing.guards
    ]
    return (primary, *guards)
