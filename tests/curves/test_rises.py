"""Peaks, dips and rises: curves of LCDB 1.1, random curves of known shape, and curves that only look so.

`lcdb11.csv` has eleven learning curves of LCDB 1.1 (Yan et al. 2025), with standard errors.  `SHAPES` are
their shapes by definition: a rise is a pair of points whose errors rise by more than z standard errors of the
difference, with z one-sided at 5% a curve and Bonferroni's correction for all pairs.
"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from errsrc.curves import curve_shape
from errsrc.curves.cells import sorted_curve
from errsrc.curves.rises import not_falling
from errsrc.plots import candidates

SHAPES = {
    "22 LDA": "peak",
    "22 QDA": "peak",
    "22 SVM_Sigmoid": "peak",
    "1063 MLP": "peak",
    "13 QDA": "dip",
    "50 SVM_Sigmoid": "dip",
    "57 SVM_Sigmoid": "rise",
    "57 NearestCentroid": "rise",
    "22 KNN": None,
    "22 DummyClassifier": None,
    "22 ens.RandomForest": None,
}
N = 100 * 2.0 ** np.arange(8)
PEAK = np.array([1, 1, 1, 1.4, 2.2, 1.4, 1, 1])


@pytest.fixture(scope="module")
def measured() -> dict[str, np.ndarray]:
    rows: dict[str, list[list[float]]] = {}
    with (Path(__file__).parent / "lcdb11.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(f"{row['data']} {row['learner']}", []).append(
                [float(row[name]) for name in ("n", "error", "std_error")]
            )
    return {name: np.array(points).T for name, points in rows.items()}


@pytest.mark.parametrize("name", SHAPES)
def test_measured_curves_rise_where_the_definition_says_so(measured, name: str) -> None:
    n, error, std_error = measured[name]
    if SHAPES[name] is None:
        curve = sorted_curve(n, error, std_error, None, 0.95)
        assert not_falling(curve, (n, error, std_error), 0.95, 0) is None
        return
    found = curve_shape(n, error, std_error=std_error)
    assert found.verdict == SHAPES[name]
    for change in found.changes:  # the evidence is a pair of points that the reader can check
        i, j = np.searchsorted(n, [change.n, change.n_after])
        noise = math.hypot(std_error[i], std_error[j])
        assert change.deviations == pytest.approx((error[j] - error[i]) / noise)
        assert abs(change.deviations) > change.critical > 3


def test_a_double_descent_is_named_with_its_three_changes(measured) -> None:
    found = curve_shape(*measured["22 LDA"][:2], std_error=measured["22 LDA"][2])
    assert [round(one.deviations) for one in found.changes] == [10, -37]
    assert found.threshold is not None
    assert (found.threshold.low, found.threshold.estimate, found.threshold.high) == (54, 54, 54)
    assert "Before this rise, the error falls from 0.641 at n = 16" in found.status
    assert "a double descent" in found.status
    assert str(found).endswith(f"peak: {found.status}")
    assert "peak" in found._repr_html_()
    assert json.loads(json.dumps(found.as_dict()))["changes"][0]["n_after"] == 54
    labels = candidates(found).get_legend_handles_labels()[1]
    assert {"peak at n = 54", "rise: 9.79 standard errors", "fall: 37.1 standard errors"} <= set(labels)


@pytest.mark.parametrize("turned", [False, True])
def test_seeds_show_the_noise_if_no_standard_errors_are_given(turned: bool) -> None:
    """Three points of a factor 2 with three seeds: a peak, and upside down a dip."""
    n = np.repeat(N, 3)
    noise = np.exp(0.05 * np.random.default_rng(0).standard_normal(24))
    error = np.repeat(1 / PEAK if turned else PEAK, 3) * noise
    found = curve_shape(n, error)
    assert found.verdict == ("dip" if turned else "peak")
    assert found.threshold is not None
    assert found.threshold.low <= 1600 <= found.threshold.high


def test_three_points_with_standard_errors_can_rise() -> None:
    n, error = [10, 20, 40], [0.3, 0.2, 0.3]
    assert curve_shape(n, error, std_error=[0.01] * 3).verdict == "dip"
    assert curve_shape(n, error, std_error=[0.1] * 3).verdict == "not decided"
    assert not curve_shape(n, error, std_error=[0.0] * 3).changes  # pairs without noise are left out
    assert curve_shape(n, error, std_error=[0.0, 0.01, 0.0]).verdict == "dip"
    for unit in (1e-250, 1e250):  # the squares of such standard errors are 0 or inf
        assert curve_shape(n, unit * np.array(error), std_error=[0.01 * unit] * 3).verdict == "dip"


def test_sizes_that_are_equal_in_their_logarithm_are_one_cell() -> None:
    n = np.repeat([1e15, 1e15 + 1, 2e15, 4e15], 3)
    found = curve_shape(n, np.repeat([1, 1, 2, 1], 3) * np.tile([1.0, 1.01, 0.99], 4))
    assert (found.verdict, found.n.tolist(), found.runs.tolist()) == ("peak", [1e15, 2e15, 4e15], [6, 3, 3])


@pytest.mark.full
def test_a_single_run_makes_no_peak() -> None:
    """One of 24 single runs has three times its error: it may be wrong, so the curve is not decided."""
    n = 100 * 2.0 ** (np.arange(24) / 3)
    error = n**-0.3 * np.exp(0.02 * np.random.default_rng(3).standard_normal(24))
    error[12] *= 3
    found = curve_shape(n, error)
    assert found.verdict == "not decided"
    assert "one run is not enough for a peak" in found.status
    assert curve_shape(np.append(n, n[12]), np.append(error, error[12])).verdict == "peak"


def test_a_high_peak_of_single_runs_is_seen_although_it_hides_the_noise() -> None:
    n = [50, 100, 200, 300, 350, 400, 450, 500, 800, 1600, 3200, 6400]
    error = [0.5931, 0.4046, 0.26, 0.3058, 0.7918, 1.3112, 0.6916, 0.2237, 0.1299, 0.0933, 0.067, 0.0511]
    found = curve_shape(n, error)
    assert found.verdict == "peak"
    assert found.threshold is not None
    assert found.threshold.estimate == 400


@pytest.mark.full
def test_a_coarse_peak_of_single_runs_is_not_called_a_bend() -> None:
    """Eight single runs do not show whether the rise by a factor 2 is noise: the candidates favour a bend."""
    noise = np.exp(0.05 * np.random.default_rng(0).standard_normal(8))
    found = curve_shape(N, np.array([1, 0.8, 0.65, 0.77, 1.22, 0.85, 0.55, 0.22]) * noise)
    assert found.verdict == "not decided"
    assert "whether this is a peak or noise" in found.status


def test_rounded_errors_do_not_rise_by_their_rounding() -> None:
    n = np.geomspace(100, 10_000, 12)
    error = [0.11, 0.09, 0.08, 0.07, 0.06, 0.06, 0.06, 0.05, 0.06, 0.05, 0.06, 0.05]
    assert not_falling(sorted_curve(n, error, None, None, 0.95), None, 0.95, 0) is None


def test_a_cliff_to_zero_stays_one_after_a_rise() -> None:
    n = np.repeat([25, 50, 100, 200, 400], 3)
    error = np.repeat([0.5, 0.9, 0.8, 1e-28, 1e-29], 3) * np.tile([1.0, 1.01, 0.99], 5)
    assert curve_shape(n, error).verdict == "cliff"
