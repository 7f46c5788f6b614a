"""How far intervals reach if the noise may differ between the points."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from errsrc.fitting import fit, uneven_noise
from errsrc.fitting.uneven_noise import quantiles
from errsrc.laws import Power

SIZES = np.geomspace(100, 1e5, 15)
LINE = np.column_stack([np.ones(15), np.log(SIZES)])


def reach(power: float, seed: int, level: float = 0.9) -> np.ndarray:
    """Return the quantiles of a straight line fitted to noise that is a power of the size."""
    rng = np.random.default_rng(seed)
    y = SIZES**power * rng.standard_normal(15)
    residual = y - LINE @ np.linalg.lstsq(LINE, y, rcond=None)[0]
    return quantiles(residual, LINE, [np.log(SIZES)], level)


def test_equal_noise_leaves_student_t_nearly_as_it_is() -> None:
    plain = special.stdtrit(13, 0.95)
    mean = np.mean([reach(0.0, seed) for seed in range(40)], axis=0)
    assert mean == pytest.approx(plain, rel=0.1)


def test_noise_that_falls_with_the_size_widens_the_interval_of_the_slope() -> None:
    """sd ~ n^-1/2: by the covariance of least squares, the slope scatters by 1.6 times its standard error."""
    plain = special.stdtrit(13, 0.95)
    pull = np.linalg.pinv(LINE)[1]
    d = SIZES**-1.0
    equal = np.linalg.inv(LINE.T @ LINE)[1, 1]
    hat = LINE @ np.linalg.pinv(LINE)
    true = np.sqrt(pull**2 @ d / (equal * (d @ (1 - np.diag(hat))) / 13))
    mean = np.mean([reach(-0.5, seed)[1] for seed in range(60)])
    assert mean / plain == pytest.approx(true, rel=0.15)


def test_what_it_returns_depends_on_no_unit() -> None:
    rng = np.random.default_rng(3)
    residual = rng.standard_normal(15)
    one = quantiles(residual, LINE, [np.log(SIZES)], 0.9)
    other = quantiles(1e-6 * residual, LINE * [1.0, 1e5], [np.log(1e9 * SIZES)], 0.9)
    assert one == pytest.approx(other, rel=1e-9)
    assert np.all(quantiles(residual, LINE, [np.log(SIZES)], 0.5) < one)


def test_few_points_and_sizes_that_do_not_vary_give_student_t() -> None:
    plain = special.stdtrit(13, 0.95)
    assert quantiles(np.ones(15), LINE, [np.zeros(15)], 0.9) == pytest.approx([plain, plain])
    few = quantiles(np.array([1.0, -1, 1, -1, 0]), LINE[:5], [np.log(SIZES[:5])], 0.9)
    assert few == pytest.approx(special.stdtrit(3, 0.95))


def test_a_fit_whose_noise_falls_has_wider_intervals_than_one_whose_noise_is_equal() -> None:
    rng = np.random.default_rng(8)
    noise = 0.02 * rng.standard_normal(15)
    law = Power(0.1, 2.0, 0.5)
    shape = SIZES**-0.5 / np.sqrt(np.mean(1 / SIZES))
    widths: list[float] = []
    for factor in (1.0, shape):
        found = fit(Power, law.error(n=SIZES) * np.exp(factor * noise), objective="log", n=SIZES)
        alpha = found.intervals["alpha"]
        widths.append((alpha.high - alpha.low) / found.noise)
    assert widths[1] > 1.2 * widths[0]


def test_a_model_of_the_noise_that_gives_no_weight_to_the_points_has_likelihood_0():
    rng = np.random.default_rng(0)
    left = np.linalg.qr(rng.standard_normal((20, 3)))[0]
    logs = np.stack([np.zeros(20), np.full(20, 2000.0)])
    rest, evidence = uneven_noise._restricted(rng.standard_normal(20), left, logs, 17)
    assert np.isfinite(rest).all()
    assert np.isfinite(evidence[0])
    assert evidence[1] == -np.inf
