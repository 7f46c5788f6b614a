"""Tables of few sizes: refits show what the points leave open, and profiles end where they rise."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from errsrc.fitting import auto, fit
from errsrc.fitting.few_sizes import corrected_scale, drawn_centres
from errsrc.fitting.noise import residual_scale
from errsrc.fitting.points import pose
from errsrc.fitting.problem import FEW_MEDIAN, FEW_WIDTH, PRIOR_MEDIAN, Problem
from errsrc.laws import Chinchilla, Dense, JointPruning, Law, Power

SLOW = Chinchilla(E=0.1, A=2.0, B=2.0, alpha=0.2, beta=0.2)


def grid(models: int, data: int) -> dict[str, np.ndarray]:
    """Return n and m of a grid with steps of 4."""
    n, m = np.meshgrid(1e3 * 4.0 ** np.arange(data), 1e4 * 4.0 ** np.arange(models))
    return {"n": n.ravel(), "m": m.ravel()}


def posed(law: type[Law], sizes: dict[str, np.ndarray], prior: float = 0.02) -> Problem:
    error = np.geomspace(2.0, 1.0, len(next(iter(sizes.values()))))
    return dataclasses.replace(pose(law, error, sizes, objective="huber"), prior=prior)


def test_few_sizes_are_counted_without_repeated_seeds() -> None:
    nine = grid(3, 3)
    assert posed(Chinchilla, nine).few_sizes
    assert posed(Chinchilla, {name: np.tile(x, 3) for name, x in nine.items()}).few_sizes
    assert not posed(Chinchilla, grid(4, 4)).few_sizes
    assert not posed(Power, {"n": nine["n"]}).few_sizes
    shares = {"density": np.geomspace(0.01, 1, 9), "eps_np": np.full(9, 0.1)}
    assert not posed(JointPruning, {"depth": nine["n"], "width": nine["m"], **shares}).few_sizes


def test_centres_are_drawn_from_the_prior_of_few_sizes() -> None:
    few = posed(Chinchilla, grid(3, 3))
    every = np.ones(len(few.free), dtype=bool)
    centres = drawn_centres(few, every, 4000, np.random.default_rng(0))
    assert centres is not None
    exponents = np.array([p.name in few.exponents for p in few.free])
    assert np.allclose(centres[:, exponents].mean(axis=0), math.log(FEW_MEDIAN), atol=0.03)
    assert np.allclose(centres[:, exponents].std(axis=0), FEW_WIDTH, rtol=0.05)
    assert np.ptp(centres[:, ~exponents]) == 0
    assert np.allclose(posed(Chinchilla, grid(4, 4)).prior_centres()[exponents], math.log(PRIOR_MEDIAN))
    assert drawn_centres(posed(Chinchilla, grid(3, 3), 0.0), every, 4, np.random.default_rng(0)) is None


def test_the_scale_counts_only_parameters_that_the_points_determine() -> None:
    rng = np.random.default_rng(0)
    residual, jac, weights = rng.standard_normal(40), rng.standard_normal((40, 3)), rng.random(40)
    free = corrected_scale(residual, weights, jac, np.zeros(3))
    assert math.isclose(free, residual_scale(residual, weights, jac), rel_tol=1e-9)
    held = corrected_scale(residual, weights, jac, np.full(3, 1e12))
    assert math.isclose(held, math.sqrt(weights @ residual**2 / weights.sum()), rel_tol=1e-6)


def test_two_model_sizes_bound_their_exponent_from_below_alone() -> None:
    law = Chinchilla(E=0.0, A=2.0, B=2.0, alpha=0.2, beta=0.2)
    sizes = {"n": np.tile(np.geomspace(1e3, 1e6, 21), 2), "m": np.repeat([1e4, 2e4], 21)}
    error = law.error(**sizes) * np.exp(0.02 * np.random.default_rng(1).standard_normal(42))
    alpha = fit(Chinchilla, error, **sizes).intervals["alpha"]  # (0.28, 4.9) by a coarse profile
    assert 0.14 < alpha.low < 0.2
    assert alpha.high == math.inf


def test_draws_of_few_sizes_contain_a_law_of_small_exponents() -> None:
    sizes, new = grid(2, 4), {"n": 1e3 * 4.0**5, "m": 1e4 * 4.0**3}
    noise = 0.02 * np.random.default_rng(1).standard_normal(8)
    found = auto(SLOW.error(**sizes) * np.exp(noise), **sizes)
    _, draws = found.curves(**new)
    low, high = np.quantile(draws[:, 0], [0.05, 0.95])
    assert low < math.log(SLOW.error(**new)) < high  # not between those of random weights
    assert [text for text in found.warnings if text.startswith("The 8 different sizes of n and m are few")]


def test_few_sizes_of_a_classifier_are_expected_to_have_larger_exponents() -> None:
    """The prior that was learned on language models predicted too large errors of image classifiers."""
    law = Dense(0.9, 0.66, 0.53, 0.3, 0.1, 8.0, n_full=1.6e4, m_base=6.4e4)
    n, m = (x.ravel() for x in np.meshgrid([250.0, 1000.0], [1000.0, 4000.0, 16_000.0]))
    error = law.error(n=n, m=m) * np.exp(0.03 * np.random.default_rng(2).standard_normal(6))
    found = auto(error, n=n, m=m, fixed={"eps0": 0.9})
    assert any("the fit expects exponents from 0.2 to 0.9" in text for text in found.warnings)
    one = found.predict(n=1.6e4, m=6.4e4)
    assert one.low < law.error(n=1.6e4, m=6.4e4) < one.high


@pytest.mark.full
def test_clusters_leave_the_forecasts_of_few_sizes_wide() -> None:
    """If each row is a cluster of its own, the clusters say nothing new."""
    n, m = (x.ravel() for x in np.meshgrid([1e8, 1e9, 1e10], [1e7, 1e8, 1e9]))
    noise = np.exp(0.03 * np.random.default_rng(2).standard_normal(9))
    error = Chinchilla(1.7, 400.0, 410.0, 0.34, 0.28).error(n=n, m=m) * noise
    plain, clustered = (
        auto(error, n=n, m=m, clusters=codes).predict(n=1e12, m=1e11) for codes in (None, np.arange(9))
    )
    widths = [np.log(one.high / one.low).item() for one in (plain, clustered)]
    assert widths[1] > 0.75 * widths[0]  # 0.53 times without draws of the centres
