"""Estimates of noise, on samples whose noise is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errsrc.fitting import fit
from errsrc.fitting.noise import local_scale, residual_scale, robust_scale, seed_weights
from errsrc.laws import Dense, Power
from fitting.cases import CIFAR, grid, noisy


def test_seed_weights_follow_the_noise_of_the_cells() -> None:
    rng = np.random.default_rng(0)
    n = np.repeat([10.0, 100.0], 200)
    error = np.exp(np.where(n == 10, 0.3, 0.1) * rng.standard_normal(400))
    weights = seed_weights(error, n=n)
    assert weights[-1] / weights[0] == pytest.approx(9, rel=0.35)
    assert weights.mean() == pytest.approx(1)
    with pytest.raises(ValueError, match="repeated in at least one cell"):
        seed_weights([0.1, 0.2], n=[1, 2])


def test_seed_noise_is_the_spread_within_cells() -> None:
    sizes = {name: np.repeat(x, 4) for name, x in grid().items()}
    found = fit(Dense, noisy(CIFAR, sizes, 0.03), fixed={"eps0": 0.9}, **sizes)
    assert found.seed_noise == pytest.approx(0.03, rel=0.2)
    assert math.isnan(fit(Power, [0.5, 0.4, 0.35, 0.33], n=[1, 2, 4, 8]).seed_noise)


def test_a_running_best_is_told_from_independent_errors() -> None:
    """Where noise could not have let every error fall, a new run is noisier than the residuals."""
    rng = np.random.default_rng(0)
    n = np.geomspace(1e3, 1e5, 60)
    error = Power(0.1, 2.0, 0.3).error(n=n) * np.exp(0.03 * rng.standard_normal(60))
    plain = fit(Power, error, n=n)
    best = fit(Power, np.minimum.accumulate(error), n=n)
    assert plain.run_noise == plain.noise
    assert best.run_noise > 1.5 * best.noise
    assert any("running best" in warning for warning in best.warnings)


def test_scales_of_noise_are_those_of_normal_samples() -> None:
    rng = np.random.default_rng(0)
    x = np.geomspace(1, 1e4, 4000)
    noise = 0.02 * rng.standard_normal(4000)
    assert robust_scale(noise, np.ones(4000)) == pytest.approx(0.02, rel=0.05)
    assert local_scale(x, x**-0.3 * np.exp(noise)) == pytest.approx(0.02, rel=0.05)


@pytest.mark.full
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 2.0))
def test_residual_scale_is_unbiased_under_any_weights(seed: int, power: float) -> None:
    """Mean of 2,000 squared scales within 5 standard errors: false alarm under 1e-6 an example."""
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(15), rng.standard_normal(15)])
    weights = np.linspace(0.2, 1.0, 15) ** power
    noise = rng.standard_normal((2000, 15))
    root = np.sqrt(weights)[:, None]
    solve = np.linalg.lstsq(root * design, root * noise.T, rcond=None)[0]
    squares = [residual_scale(r, weights, design) ** 2 for r in (noise.T - design @ solve).T]
    assert abs(np.mean(squares) - 1) < 5 * np.std(squares) / np.sqrt(2000)
