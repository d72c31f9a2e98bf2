"""The agree/1 document: an Agreement as plain dicts, lists and numbers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from judge.agreement.types import CODING, SCHEMA, Agreement, CorrectedRate, WinRate
from judge.domain import Estimate


def document(agreement: Agreement) -> dict[str, Any]:
    """Write all keys in the order of the format; raises ValueError should a number not be finite."""
    return {
        "schema": SCHEMA,
        "level": agreement.level,
        "seed": agreement.seed,
        "source": plain(agreement.source),
        "warnings": plain(agreement.warnings),
        "coding": dict(CODING),
        "people": plain(agreement.people),
        "judges": plain(agreement.judges),
        "win_rate": _win_rate(agreement.win_rate),
        "criteria": plain(agreement.criteria),
    }


def plain(value: Any) -> Any:
    """Turn dataclasses and mappings into dicts, tuples into lists; refuse NaN and infinities."""
    if isinstance(value, Estimate):
        return estimate(value)
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("an estimate is not a finite number")
    return value


def estimate(value: Estimate, *, win: bool = False) -> dict[str, Any]:
    """Write an estimate; win rates (`win`) also carry `normal`, null where there is none."""
    keys = ["value", "low", "high", "n", "missing", "method", "reason", *(["normal"] if win else [])]
    return {key: plain(getattr(value, key)) for key in keys}


def _win_rate(rate: WinRate) -> dict[str, Any]:
    return {
        "candidate": rate.candidate,
        "people": estimate(rate.people, win=True),
        "judge_raw": {name: estimate(raw, win=True) for name, raw in rate.judge_raw.items()},
        "post_stratified": estimate(rate.post_stratified, win=True),
        "corrected": {name: _corrected(corrected) for name, corrected in rate.corrected.items()},
    }


def _corrected(rate: CorrectedRate) -> dict[str, Any]:
    return estimate(rate.estimate, win=True) | {
        "lambda": plain(rate.lam),
        "r": plain(rate.r),
        "labelled": rate.labelled,
        "unlabelled": rate.unlabelled,
        "sensitivity": plain(rate.sensitivity),
        "specificity": plain(rate.specificity),
    }
