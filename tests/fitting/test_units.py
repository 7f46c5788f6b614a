"""The unit of the measured errors changes no interval, and errors without all their digits are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import errsrc
from errsrc.fitting import Fit, auto, fit, holdout
from errsrc.fitting.intervals import profile
from errsrc.fitting.points import pose
from errsrc.fitting.problem import OBJECTIVES
from errsrc.laws import M4, Chinchilla, Envelope, Power, Pruning
from errsrc.laws.law import Law

UNITS = (1e-300, 1e-6, 1e5, 1e300)
NOISE = np.exp(0.02 * np.random.default_rng(0).standard_normal(26))
SIZES = 50 * 2.0 ** np.arange(8)
CURVE = Power(0.05, 3.0, 0.5).error(n=SIZES) * NOISE[:8]
N, M = (x.ravel() for x in np.meshgrid(SIZES, [10.0, 100.0, 1000.0]))
GRID = Chinchilla(0.05, 1.0, 3.0, 0.5, 0.5).error(n=N, m=M) * NOISE[:24]
DENSITY = 0.8 ** np.arange(26)
PRUNED = Pruning(0.07, 0.9, 1.2, 0.01).error(density=DENSITY) * NOISE


def in_unit(found: Fit, unit: float) -> dict[str, tuple[float, float]]:
    """Return the ends of all intervals, those of parameters in units of the error divided by `unit`."""
    scale = {p.name: unit if ("error", 1) in p.unit else 1.0 for p in type(found.law).parameters()}
    return {k: (v.low / scale[k], v.high / scale[k]) for k, v in found.intervals.items()}


@pytest.mark.parametrize("unit", [1.0, 1e-300, 1e-100, 1e-12, 1e-5, 100.0, 1e5, 1e6, 1e150, 1e300])
def test_a_curve_of_seven_sizes_has_one_interval_in_every_unit(unit: float) -> None:
    n = 50 * 2.0 ** np.arange(7)
    error = [474554.3032, 358270.4325, 267392.2458, 198476.8647, 155435.8081, 124213.0811, 103640.7505]
    found = fit(Power, np.array(error) * (unit * 1e-6), n=n)
    alpha = found.intervals["alpha"]
    assert (alpha.low, alpha.high) == pytest.approx((0.46766, 0.54437), abs=1e-4)
    assert found.law.alpha == pytest.approx(0.5059, abs=1e-4)


@pytest.mark.full
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize(
    ("law", "error", "inputs"),
    [
        (Power, CURVE, {"n": SIZES}),
        (Envelope, CURVE, {"n": SIZES}),
        (Chinchilla, GRID, {"n": N, "m": M}),
        (Pruning, PRUNED, {"density": DENSITY}),
    ],
)
def test_intervals_do_not_depend_on_the_unit_of_the_error(
    law: type[Law], error: np.ndarray, inputs: Mapping[str, Any], objective: str
) -> None:
    expected = in_unit(fit(law, error, objective=objective, **inputs), 1.0)
    for unit in UNITS:
        found = in_unit(fit(law, error * unit, objective=objective, **inputs), unit)
        for name, ends in expected.items():
            assert found[name] == pytest.approx(ends, rel=2e-3), (name, unit)


@pytest.mark.full
@pytest.mark.parametrize(("error", "inputs"), [(CURVE, {"n": SIZES}), (GRID, {"n": N, "m": M})])
def test_the_average_does_not_depend_on_the_unit_of_the_error(
    error: np.ndarray, inputs: Mapping[str, Any]
) -> None:
    average = auto(error, **inputs)
    expected = in_unit(average.members[0], 1.0)
    prediction = average.predict(**{name: 4 * x[-1] for name, x in inputs.items()})
    for unit in UNITS:
        other = auto(error * unit, **inputs)
        found = in_unit(other.members[0], unit)
        for name, ends in expected.items():
            assert found[name] == pytest.approx(ends, rel=2e-3), (name, unit)
        predicted = other.predict(**{name: 4 * x[-1] for name, x in inputs.items()})
        for name, column in prediction.columns().items():
            assert predicted.columns()[name] / unit == pytest.approx(column, rel=1e-6)


@pytest.mark.parametrize("unit", [1e-100, 1e-12, 1e12, 1e100])
def test_the_exponent_does_not_depend_on_the_unit_of_the_size(unit: float) -> None:
    expected = fit(Power, CURVE, n=SIZES).intervals["alpha"]
    found = fit(Power, CURVE, n=SIZES * unit).intervals["alpha"]
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6)


@pytest.mark.parametrize("unit", [1e-311, 1e-320])
@pytest.mark.parametrize(
    "call",
    [
        lambda e: fit(Power, e, n=SIZES),
        lambda e: fit(M4, e, n=SIZES, objective="absolute"),
        lambda e: auto(e, n=SIZES),
        lambda e: holdout(Power, e, n=SIZES),
        lambda e: errsrc.fitting.seed_weights(e, n=SIZES // 100),
    ],
)
def test_errors_that_have_lost_digits_are_refused_by_name(call: Any, unit: float) -> None:
    for error in (CURVE * unit, np.append(CURVE[:-1], unit)):
        with pytest.raises(ValueError, match=r"The 'error' parameter of .* numbers >= 2.2e-308 \(use a"):
            call(error)


def test_a_jacobian_that_is_not_finite_ends_at_once() -> None:
    problem = pose(Power, CURVE, {"n": SIZES})
    ends = profile(problem, np.array([np.nan, 0.0, 0.0]), 5, 0.9)
    assert not np.isfinite(ends).any()
