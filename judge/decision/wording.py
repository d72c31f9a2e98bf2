"""The sentences of a decision: what decided, and what to do next."""

from __future__ import annotations

import math
from typing import Final

from judge.decision.standing import Guard, Standing
from judge.domain import Estimate

_MOST_ITEMS: Final = 5000  # beyond which nobody labels, and few generate


def primary(standing: Standing) -> str:
    """Say what the primary is, with its interval and threshold."""
    return f"{_named(standing)}: {_interval(standing.primary)}, threshold {_number(standing.threshold)}"


def guard(standing: Standing, family: Guard) -> str:
    """Say what a family of probes shows."""
    verdict = "shown to fail" if family in standing.failed else "not shown to fail"
    return f"{family.name}: {_interval(family.difference)}, {verdict}"


def sentence(standing: Standing, code: str) -> str:
    """Write the one sentence that decided."""
    gates, about, threshold = standing.gates, _about(standing), _number(standing.threshold)
    lost = ", ".join(family.name for family in standing.failed)
    sentences = {
        "trial": "This is a trial on a part of the examples; a trial decides nothing.",
        "judge_only": "No person has labelled anything yet, and a judge alone never decides.",
        "labels_missing": f"{standing.labels_in} of {standing.labels_planned} planned labels are in; "
        "the figures are interim and decide nothing.",
        "guard_stopped": f"Other abilities were lost: {lost} fell by more than {gates.probe_stop:.0%}.",
        "no_better": f"{about}: it is not above {threshold}.",
        "guard_failed": f"{about}, above {threshold}, but {lost} fell by more than {gates.probe_margin:.0%}.",
        "guard_unclear": f"{about}, above {threshold}, but the probes do not yet show that at most "
        f"{gates.probe_margin:.0%} was lost.",
        "better": f"{about}: the whole interval lies above {threshold}.",
        "open": f"{about}: the interval does not leave {threshold} on one side.",
    }
    return sentences[code]


def steps(standing: Standing, code: str) -> tuple[str, ...]:
    """Write what to do next, most useful first."""
    lost = ", ".join(family.name for family in standing.failed)
    unlearnt = "Look at the training data and the learning rate: something else was unlearnt."
    advice = {
        "trial": "Run again without --limit.",
        "judge_only": "Let people label a sample, then report again.",
        "labels_missing": f"Collect the other {standing.labels_planned - standing.labels_in} labels, then report again.",
        "guard_stopped": unlearnt,
        "no_better": "Read the largest losses below: they say what the fine-tune made worse.",
        "guard_failed": unlearnt,
        "guard_unclear": "Run the probes on more items.",
        "better": "" if standing.guards else "No capability probe was run: nothing here says what else changed.",
        "open": _settling(standing),
    }
    shown = f"Shown to fail: {lost}." if lost and code == "open" else ""
    simulated = "The labels are simulated: let people label before you believe this." if standing.simulated else ""
    unasked = f"Go on with `judge compare`: {standing.unasked:,} answers of judges are not there yet." * bool(standing.unasked)
    return tuple(step for step in (unasked, advice[code], shown, simulated) if step)


def _settling(standing: Standing) -> str:
    """Say how many items would settle it if the estimate stayed: the half-width shrinks with the root of n.

    A number beyond what anybody labels is said to be one, and is no claim that there is no difference.
    """
    estimate = standing.primary
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return f"The interval is undefined ({estimate.reason}); more items are needed."
    distance = abs(estimate.value - standing.threshold)
    half_width = max(estimate.high - estimate.value, estimate.value - estimate.low)
    what = "labelled pairs" if standing.by_people else "examples"
    more = estimate.n * (half_width / distance) ** 2 - estimate.n if distance else math.inf
    if more > _MOST_ITEMS:
        beyond = f"more than {_MOST_ITEMS:,} further {what}"
        return f"If the estimate stayed where it is, only {beyond} would settle it; look for a larger difference to make."
    return f"About {max(math.ceil(more), 1)} more {what} would settle it if the estimate stayed where it is."


def _about(standing: Standing) -> str:
    text = f"the {_named(standing)} is {_interval(standing.primary)}"
    return text[0].upper() + text[1:]


def _named(standing: Standing) -> str:
    if standing.by_people:
        return f"win rate of {standing.candidate}"
    return f"{standing.primary_name} of {standing.candidate} minus the baseline's"


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "\u2212") if value not in (0, 0.5) else f"{value:g}"


def _interval(estimate: Estimate) -> str:
    if estimate.value is None:
        return f"undefined ({estimate.reason})"
    if estimate.low is None or estimate.high is None:
        return f"{_number(estimate.value)} without an interval ({estimate.reason})"
    return f"{_number(estimate.value)} [{_number(estimate.low)}, {_number(estimate.high)}]"
