"""What no falling law describes: outliers, constants, peaks and falls to rounding are found, and said."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from errsrc.errors import NoFit
from errsrc.fitting import auto, fit
from errsrc.fitting.anomalies import far_rows, never_falls, peak, steep_fall, steep_fall_of_grid
from errsrc.fitting.points import pose
from errsrc.laws import M4, Broken, Chinchilla, Cliff, Law, Power

BUMP = [0.5931460389, 0.4045728868, 0.2600042426, 0.3057787255, 0.7918179723, 1.311210106, 0.6915966144]
BUMP += [0.2236647049, 0.1299146904, 0.09325157163, 0.06704965886, 0.05106446773]
BUMP_N = [50, 100, 200, 300, 350, 400, 450, 500, 800, 1600, 3200, 6400]
DOUBLING = 100 * 2.0 ** np.arange(10)


def noise(kind: str, size: int, scale: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.exp(scale * (rng.standard_normal(size) if kind == "normal" else rng.standard_t(3, size)))


@pytest.mark.parametrize(
    ("n", "error", "cliff"),
    [
        ([25, 50, 75, 90, 100, 200, 400], [0.75, 0.49, 0.27, 0.11, 1e-28, 1e-29, 2e-29], 100),
        ([64, 128, 256, 512, 1024, 2048], [0.3, 0.1, 0.02, 1e-9, 1e-12, 1e-13], 512),
        ([1000, 2000, 4000, 8000, 16000], [0.3, 0.2, 0.15, 0.12, 1e-300], 16000),
        ([10, 20, 30, 40, 50, 60], [0.9, 0.5, 0.3, 1e-14, 3e-15, 2e-15], 40),
        ([10, 10, 20, 20, 40, 40, 80, 80], [0.9, 1.0, 0.6, 0.5, 0.3, 0.31, 1e-8, 2e-8], 80),
        ([1, 2, 4, 8, 16, 32], [3e5, 2e5, 1e5, 1e-9, 1e-10, 1e-10], 8),
    ],
)
def test_a_fall_to_rounding_is_called_a_cliff(n: list[float], error: list[float], cliff: int) -> None:
    with pytest.raises(NoFit, match=rf"a cliff at n = {cliff}[.,].*errsrc.curve_shape"):
        auto(error, n=n)


@pytest.mark.parametrize("exponent", [0.1, 1.0, 3.0, 7.0])
@pytest.mark.parametrize("kind", ["normal", "t3"])
def test_power_laws_have_no_cliff_and_no_peak(exponent: float, kind: str) -> None:
    for seed in range(20):
        error = DOUBLING**-exponent * noise(kind, 10, 0.1, seed)
        assert steep_fall(DOUBLING, error) is None
        assert peak(DOUBLING, error) is None


def test_a_last_error_far_below_the_law_is_refused() -> None:
    n, error = [50, 100, 200, 400, 800, 1600], [0.4, 0.2, 0.1, 0.05, 0.025, 0.001]
    with pytest.raises(NoFit, match=r"0\.001 at n = 1600, is far below the law of the other rows, 0\.012"):
        auto(error, n=n)


@pytest.mark.parametrize("value", [0.3, 1e-5, 7e4])
@pytest.mark.parametrize("size", [5, 7, 20])
def test_constant_errors_have_no_law(value: float, size: int) -> None:
    n = 50 * 2.0 ** np.arange(size)
    match = f"The error does not measurably fall with n: it is {value:g} in every row"
    with pytest.raises(NoFit, match=match.replace("+", r"\+")):
        auto(np.full(size, value), n=n)
    with pytest.raises(NoFit, match=match.replace("+", r"\+")):
        fit(Power, np.full(size, value), n=n)


def test_constant_errors_of_a_grid_have_no_law() -> None:
    n, m = (x.ravel() for x in np.meshgrid(10.0 ** np.arange(4), 5.0 ** np.arange(3)))
    with pytest.raises(NoFit, match="does not measurably fall with n or m: it is 2 in every row"):
        auto(np.full(12, 2.0), n=n, m=m)


@pytest.mark.slow
def test_noisy_constants_are_said_not_to_fall() -> None:
    refused = 0
    for seed in range(20):
        try:
            found = auto(0.3 * noise("normal", 10, 0.05, seed), n=DOUBLING)
        except (NoFit, ValueError) as error:  # by chance some rise
            refused += "does not measurably fall" in str(error) or "rise with n" in str(error)
        else:
            assert found.weights
    assert refused >= 17
    warned = fit(Power, 0.3 * noise("normal", 10, 0.05, 1), n=DOUBLING).warnings
    assert warned[0].startswith("The error does not measurably fall with n: exponent ")


@pytest.mark.parametrize("law", [Power, M4])
def test_a_peak_is_named_and_said_not_to_be_described(law: type[Law]) -> None:
    found = fit(law, BUMP, n=BUMP_N)
    assert found.warnings[0] == (
        "The error rises from n = 200 to n = 400, from 0.26 to 1.31: the law does not describe this peak."
    )


def test_the_default_names_a_peak() -> None:
    assert any("from n = 200 to n = 400" in text for text in auto(BUMP, n=BUMP_N).warnings)


@pytest.mark.parametrize("centre", [800.0, 3200.0, 12800.0])
@pytest.mark.parametrize("height", [2.0, 5.0])
@pytest.mark.parametrize("runs", [1, 3])
def test_peaks_of_other_places_and_heights(centre: float, height: float, runs: int) -> None:
    n = np.repeat(100 * 2.0 ** np.linspace(0, 9, 19), runs)
    bump = 1 + height * np.exp(-((np.log(n / centre) / 0.6) ** 2))
    found = peak(n, n**-0.4 * bump * noise("normal", len(n), 0.02, 3))
    assert found is not None
    assert 0.7 < found.n / centre < 1.5
    assert found.start < found.n


@pytest.mark.full
@pytest.mark.parametrize("kind", ["normal", "t3"])
@pytest.mark.parametrize("size", [8, 12, 20])
def test_noise_is_rarely_a_peak(kind: str, size: int) -> None:
    n = 100 * 2.0 ** np.linspace(0, 7, size)
    curves = [(n**-0.7 + 0.05) * noise(kind, size, 0.05, seed) for seed in range(300)]
    assert np.mean([peak(n, error) is not None for error in curves]) < (0.05 if kind == "t3" else 0.01)


def _marked(law: type[Law], error: np.ndarray, **sizes: np.ndarray) -> np.ndarray:
    problem = pose(law, error, sizes, objective="log")
    found = problem.solve(problem.starts(8, 0), iterations=60)
    return far_rows(problem, found.z[found.cost.argmin()])


@pytest.mark.full
@pytest.mark.parametrize(("kind", "most"), [("normal", 0.01), ("t3", 0.05)])
@pytest.mark.parametrize(
    "size", [12, pytest.param(8, marks=pytest.mark.slow), pytest.param(24, marks=pytest.mark.slow)]
)
def test_rows_of_clean_data_are_rarely_far(kind: str, most: float, size: int) -> None:
    n = 100 * 2.0 ** np.linspace(0, 7, size)
    error = Power(0.05, 2.0, 0.5).error(n=n)
    found = [_marked(Power, error * noise(kind, size, 0.05, seed), n=n).any() for seed in range(100)]
    assert np.mean(found) <= most


@pytest.mark.full
@pytest.mark.parametrize("row", [*(pytest.param(row, marks=pytest.mark.slow) for row in (0, 3, 6)), 11])
@pytest.mark.parametrize("factor", [2.5, pytest.param(10.0, marks=pytest.mark.slow), 0.3])
def test_one_outlier_of_a_curve_is_discounted_and_named(row: int, factor: float) -> None:
    n = 100 * 2.0 ** np.arange(12)
    error = Power(0.05, 2.0, 0.5).error(n=n) * noise("normal", 12, 0.01, 5)
    error[row] *= factor
    if row == 11 and factor < 1:
        with pytest.raises(NoFit, match=r"a cliff, or a wrong row.*'errsrc shape'"):
            auto(error, n=n)
        return
    found = auto(error, n=n)
    assert found.warnings[0] == (
        "1 of 12 rows is far from the law, and was left out of the fit: "
        f"n = {n[row]:.6g}, error = {error[row]:.6g}."
    )
    clean = auto(np.delete(error, row), n=np.delete(n, row))
    assert found.members[0].law == clean.members[0].law


@pytest.mark.full
def test_two_outliers_of_a_grid_leave_the_estimates() -> None:
    n, m = (x.ravel() for x in np.meshgrid(1e8 * 4.0 ** np.arange(5), 1e6 * 4.0 ** np.arange(4)))
    truth = Chinchilla(1.8, 400.0, 400.0, 0.34, 0.28)
    error = truth.error(n=n, m=m) * noise("t3", 20, 0.003, 2)
    error[[7, 13]] = 8.0, 11.0
    found = auto(error, n=n, m=m)
    assert found.warnings[0].startswith(
        "2 of 20 rows are far from the law, and were left out of the fit: n = "
    )
    laws = [one.law for one in found.members if isinstance(one.law, Chinchilla)]
    assert abs(laws[0].alpha - 0.34) < 0.08
    robust = fit(Chinchilla, error, n=n, m=m, objective="huber")
    assert abs(robust.law.alpha - 0.34) < 0.08
    assert "2 of 20 rows are far from the law, and were discounted" in robust.warnings[0]


def test_a_law_with_a_cliff_is_not_warned_of_the_cliff() -> None:
    n = np.array([25, 50, 75, 90, 100, 110, 120, 150.0])
    error = Cliff(0.0, 2.0, 0.3, 90.0, 5.0).error(n=n)
    assert not any("cliff at" in text for text in fit(Cliff, error, n=n, fixed={"c_inf": 0.0}).warnings)


@pytest.mark.full
def test_errors_that_do_rise_are_fitted_by_a_law_that_can_rise() -> None:
    error = 0.1 * DOUBLING**0.12 * noise("normal", 10, 0.01, 4)
    with pytest.raises(ValueError, match=r"Errors that do rise need a law that can rise: fit\(Broken\)"):
        auto(error, n=DOUBLING)
    for found in (fit(Broken, error, n=DOUBLING), fit(Broken, data={"n": DOUBLING, "error": error})):
        assert found.divergence_std < 0.02


def test_a_law_that_does_not_converge_at_a_cliff_names_the_cliff() -> None:
    n = 1000 * 2.0 ** np.arange(5)
    with pytest.raises(NoFit, match=r"did not converge.* a cliff at n = 16000, or a wrong row"):
        fit(Power, [0.33, 0.25, 0.19, 0.12, 1e-300], n=n)


FALLING_N = 1000 * 2.0 ** np.arange(8)
FALLING = 0.1 + 3 * FALLING_N**-0.4
"""A curve that falls by so little that one wrong row hides its fall."""


def test_a_diverged_last_run_does_not_hide_the_fall() -> None:
    error = FALLING * np.array([1, 1, 1, 1, 1, 1, 1, 15])
    assert never_falls(pose(Power, error, {"n": FALLING_N})) is None
    found = fit(Power, error, n=FALLING_N)
    assert found.warnings[0].startswith(
        "1 of 8 rows is far from the law, and was left out of the fit: n = 128000"
    )


def test_the_default_leaves_out_a_diverged_run_that_its_largest_law_can_follow() -> None:
    error = FALLING[:6] * np.array([1.01, 0.99, 1, 3, 0.99, 1.01])
    found = auto(error, n=FALLING_N[:6])
    assert found.warnings[0].startswith(
        "1 of 6 rows is far from the law, and was left out of the fit: n = 8000"
    )
    assert found.limits["n"].low < 0.4 < found.limits["n"].high


def test_a_message_names_the_row_or_the_peak_that_hides_the_fall() -> None:
    found = fit(Power, FALLING * np.array([1, 1, 1.1, 3, 1.1, 1, 1, 1]), n=FALLING_N)
    assert "Without the largest error, 0.547 at n = 8000, the error falls: this run may" in found.warnings[0]
    wide = FALLING * np.array([1, 1, 1.4, 3.2, 5, 3.2, 1.4, 1])
    match = r"The error rises from n = 2000 to n = 16000, from 0\.243 to 0\.812, and falls after that: "
    with pytest.raises(NoFit, match=match):
        fit(Power, wide, n=FALLING_N)


@pytest.mark.parametrize("law", ["auto", Chinchilla])
def test_a_grid_that_no_falling_law_describes_is_told_why(law: str | type[Law]) -> None:
    n, m = (x.ravel() for x in np.meshgrid(1e4 * 4.0 ** np.arange(5), 1e4 * 4.0 ** np.arange(3)))
    cliff = np.where(n > 1e6, 1e-20, 0.2 + 8 * n**-0.35 + 20 * m**-0.5)
    call = functools.partial(auto if law == "auto" else functools.partial(fit, law), n=n, m=m)
    with pytest.raises(NoFit, match=r"At m = 10000, the error falls from 0\.\d+ at n = 640000 to 1e-20"):
        call(cliff)
    diverged = np.where((n == 1e4) & (m == 1e4), 1e4, 0.2 + 8 * n**-0.35 + 20 * m**-0.5)
    assert steep_fall_of_grid({"n": n, "m": m}, diverged) is None
    rising = 0.1 + 5 * n**-0.4 + 0.1 * np.log(m / 1e4)
    with pytest.raises(NoFit, match=r"The error rises with m: exponent -0.*This law can only fall"):
        fit(Chinchilla, rising, n=n, m=m)


def test_errors_of_0_beyond_all_others_are_said_to_be_a_possible_cliff() -> None:
    table = {"n": FALLING_N, "error": FALLING.copy()}
    table["error"][5:] = 0
    found = fit(Power, data=table)
    assert found.warnings[0].startswith("A fit leaves out 3 rows whose error is 0, from n = 32000 on.")
    table["error"][6] = FALLING[6]
    table["error"][7] = FALLING[7]
    assert "The error is 0" not in " ".join(fit(Power, data=table).warnings)
