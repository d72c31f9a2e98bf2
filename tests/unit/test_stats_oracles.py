"""The established packages, asked live on random tables."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pytest

from judge.stats import Labelled, Others, cohen_kappa, fleiss_kappa, ppi, value_counts

SEEDS = range(5)


def oracle(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a package warns of while it is loaded is not ours
        return importlib.import_module(name)


def table(seed, raters=3, missing=0.0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 60)
    codes = np.where(rng.random((60, raters)) < 0.6, truth[:, None], rng.integers(0, 3, (60, raters)))
    return np.where(rng.random(codes.shape) < missing, -1, codes)


@pytest.mark.parametrize("seed", SEEDS)
def test_cohen_meets_scikit_learn(seed):
    metrics = oracle("sklearn.metrics")
    codes = table(seed, raters=2)
    assert cohen_kappa(codes[:, 0], codes[:, 1]) == pytest.approx(metrics.cohen_kappa_score(*codes.T), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_fleiss_meets_statsmodels(seed):
    inter_rater = oracle("statsmodels.stats.inter_rater")
    counts = value_counts(table(seed))
    assert fleiss_kappa(counts) == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_corrected_rate_and_its_normal_interval_meet_ppi_python(seed):
    package = oracle("ppi_py")
    rng = np.random.default_rng(seed)
    y = rng.choice([0.0, 0.5, 1.0], 400)
    f = np.where(rng.random(400) < 0.6, y, rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], 400))
    n = 60
    mine = Labelled(y=y[:n], f=f[:n], clusters=np.arange(n))
    found = ppi(mine, Others(f=f[n:], clusters=np.arange(n, 400))).estimate
    low, high = package.ppi_mean_ci(y[:n], f[:n], f[n:], alpha=0.05)
    assert found.value == pytest.approx(float(package.ppi_mean_pointestimate(y[:n], f[:n], f[n:])[0]), abs=1e-9)
    assert found.normal == pytest.approx((float(low[0]), float(high[0])), abs=1e-9)
