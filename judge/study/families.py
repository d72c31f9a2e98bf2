"""Which models are one family, so that no judge grades itself or its kin unless the user says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from judge.domain import MODELS, Arm, Judge

FAMILIES: Final[Mapping[str, str]] = {
    "GPT": r"gpt|chatgpt|davinci|o[1-9](?=-|$)",
    "Claude": r"claude",
    "Gemini": r"gemini|gemma",
    "Llama": r"(meta-)?(code)?llama",
    "Mistral": r"mistral|mixtral|ministral|magistral|codestral",
    "Qwen": r"qwen|qwq",
    "DeepSeek": r"deepseek",
    "Phi": r"phi(?=-|\d)",
    "Command": r"command|c4ai",
    "OLMo": r"olmo",
    "Granite": r"granite",
    "Grok": r"grok",
}
"""Family to the start of its models' names; a new family is one line."""


def family(model: str) -> str | None:
    """Give the family that a model's name tells, None when it tells none.

    `ft:`, an owner and a folder in front of the name are passed over.
    """
    name = re.sub(r"^ft:", "", model.strip().lower()).rstrip("/").rpartition("/")[2]
    return next((known for known, start in FAMILIES.items() if re.match(start, name)), None)


def kinship(judge: Judge, arms: Iterable[Arm]) -> str | None:
    """Say in which way a judge is an arm or of its family, None when it is neither.

    Judges read from files are not asked about: what made them is not known.
    """
    if judge.source not in MODELS:
        return None
    for arm in arms:
        if (arm.source, arm.base_url, arm.target) == (judge.source, judge.base_url, judge.target):
            return f"is the arm '{arm.name}'"
        made_by = arm.model or ("" if arm.source == "outputs" else arm.target)
        if made_by == judge.target and arm.source == "outputs":
            return f"made the outputs of the arm '{arm.name}'"
        shared = family(judge.target)
        if shared and family(made_by) == shared:
            return f"is of the same family as the arm '{arm.name}' ({shared})"
    return None


def kinship_to_models(judge: Judge, models: Iterable[str]) -> str | None:
    """Say in which way a judge is one of the models whose texts are given as pairs, or of its family; see `kinship`."""
    if judge.source not in MODELS:
        return None
    own = family(judge.target)
    for model in sorted(models):
        if model == judge.target:
            return f"is the model '{model}' of the pairs"
        if own and family(model) == own:
            return f"is of the same family as '{model}' of the pairs ({own})"
    return None
