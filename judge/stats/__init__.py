"""Arrays in, Estimate out: coefficients of agreement, rates and win rates, each with its interval.

Codes are integers with -1 for missing, counts are rows x values.  Clusters (one key per row) are what intervals
count; nothing that is asked twice of one item narrows them.  Without variation there is a reason instead of bounds.
"""

from judge.stats.alternative import AltTest, alt_test
from judge.stats.arrays import FloatArray, IntArray
from judge.stats.bootstrap import alpha_bootstrap
from judge.stats.coefficients import (
    Metric,
    agreeing_pairs,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    unique_majority,
    value_counts,
)
from judge.stats.estimates import undefined
from judge.stats.jackknife import ac1_estimate, alpha_difference, alpha_estimate
from judge.stats.means import mean
from judge.stats.ppi import Corrected, Labelled, Others, correlation, people_rate, ppi, ppi_tuned
from judge.stats.rates import clopper_pearson, rate
from judge.stats.strata import post_stratified

__all__ = [
    "AltTest",
    "Corrected",
    "FloatArray",
    "IntArray",
    "Labelled",
    "Metric",
    "Others",
    "ac1_estimate",
    "agreeing_pairs",
    "alpha_bootstrap",
    "alpha_difference",
    "alpha_estimate",
    "alt_test",
    "clopper_pearson",
    "cohen_kappa",
    "correlation",
    "fleiss_kappa",
    "gwet_ac1",
    "krippendorff_alpha",
    "mean",
    "people_rate",
    "post_stratified",
    "ppi",
    "ppi_tuned",
    "rate",
    "undefined",
    "unique_majority",
    "value_counts",
]
