"""What a study decides by: primary, gates, review plan, budget."""

from __future__ import annotations

import re
from typing import Any, Final

from judge.data import Fields
from judge.domain import Gates, ReviewPlan
from judge.study.model import BUDGET_USD, WIN_RATE
from judge.study.reading import StudyFile

GATE_KEYS: Final = {"primary": ("above",), "probes": ("margin", "stop"), "agreement": ("margin",)}
REVIEW_KEYS: Final = ("sample", "labels_per_item", "seats")
_METRIC: Final = r"[a-z][a-z0-9_]*(:[A-Za-z0-9_.-]+)?"


def read_primary(top: Fields) -> tuple[str, tuple[str, ...]]:
    """Give the primary and the metrics; a metric that is primary is among them.

    Raises StudyError when a study without a judge does not say what decides it.
    """
    metrics = top.texts("metrics")
    primary = top.maybe_name("primary")
    if primary is None and not top.mapping("judges"):
        hint = f"write `primary: {WIN_RATE}` when people decide, or a metric"
        top.fail("primary", "missing, and there is no judge", hint)
    primary = primary or WIN_RATE
    for key, name in [("primary", primary), *(("metrics", metric) for metric in metrics)]:
        if not re.fullmatch(_METRIC, name):
            top.fail(key, f"'{name}' is no name of a metric", "for example rouge_l or field_accuracy")
    if len(set(metrics)) < len(metrics):
        top.fail("metrics", "one metric stands twice")
    if WIN_RATE in metrics:
        top.fail("metrics", f"{WIN_RATE} is no metric", f"write `primary: {WIN_RATE}`")
    return primary, metrics if primary in (WIN_RATE, *metrics) else (*metrics, primary)


def read_gates(study: StudyFile, top: Fields, primary: str) -> tuple[Gates, dict[str, Any]]:
    """Read `gates` over the defaults; margins are shares between 0 and 1, and stop is not below margin."""
    default = Gates()
    groups = study.yaml.fields(("gates",), tuple(GATE_KEYS)) if top.has("gates") else None
    part = {
        name: study.yaml.fields(("gates", name), keys) if groups and groups.has(name) else None
        for name, keys in GATE_KEYS.items()
    }
    threshold = _share(part["primary"], "above", 0.5) if primary == WIN_RATE else _any(part["primary"], "above", 0.0)
    margin = _share(part["probes"], "margin", default.probe_margin)
    stop = _share(part["probes"], "stop", max(default.probe_stop, margin))
    if part["probes"] and stop < margin:
        part["probes"].fail("stop", f"{stop:g} is below the margin {margin:g}", "stop is the larger loss")
    agreement = _share(part["agreement"], "margin", default.agreement_margin)
    gates = Gates(above=threshold, probe_margin=margin, probe_stop=stop, agreement_margin=agreement)
    config = {
        "primary": {"above": threshold},
        "probes": {"margin": margin, "stop": stop},
        "agreement": {"margin": agreement},
    }
    return gates, config


def _share(fields: Fields | None, key: str, default: float) -> float:
    return default if fields is None else fields.number(key, default, 0.0, 1.0)


def _any(fields: Fields | None, key: str, default: float) -> float:
    return default if fields is None else fields.number(key, default, low=None)


def read_review(study: StudyFile, top: Fields) -> ReviewPlan:
    """Read `review` over the defaults; there are at least as many seats as labels per item."""
    default = ReviewPlan()
    if not top.has("review"):
        return default
    fields = study.yaml.fields(("review",), REVIEW_KEYS)
    labels = fields.integer("labels_per_item", default.labels_per_item, low=1, high=100)
    seats = fields.integer("seats", max(default.seats, labels), low=1, high=1000)
    if seats < labels:
        fields.fail("seats", f"{seats} cannot give {labels} labels to an item", "a person labels an item once")
    return ReviewPlan(
        sample=fields.integer("sample", default.sample, low=1),
        labels_per_item=labels,
        seats=seats,
    )


def read_budget(top: Fields) -> float:
    """Read `budget`: a sum like `5 USD`."""
    value = top.get("budget")
    if value is None:
        return BUDGET_USD
    found = re.fullmatch(r"([0-9]{1,7}(?:\.[0-9]+)?)\s*USD", value) if isinstance(value, str) else None
    if found is None:
        top.fail("budget", "is no sum of money", "write a number and USD, as in `budget: 5 USD`")
    return float(found[1])
