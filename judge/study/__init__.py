"""study.yaml in, a checked Study out; its effective configuration, its digests, the lock on its test set."""

from __future__ import annotations

from judge.study.families import family, kinship, kinship_to_models
from judge.study.identity import arm_digest, judge_digest, model_digest, study_digest, test_set_digest
from judge.study.judges import OTHER_JUDGE
from judge.study.load import effective, load_study, parse_study
from judge.study.lock import compare_lock
from judge.study.model import BUDGET_USD, WIN_RATE, Study

__all__ = [
    "BUDGET_USD",
    "OTHER_JUDGE",
    "WIN_RATE",
    "Study",
    "arm_digest",
    "compare_lock",
    "effective",
    "family",
    "judge_digest",
    "kinship",
    "kinship_to_models",
    "load_study",
    "model_digest",
    "parse_study",
    "study_digest",
    "test_set_digest",
]
