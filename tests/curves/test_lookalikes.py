"""What verdicts say of decays that look like power laws, of floors, peaks and falls to rounding."""

from __future__ import annotations

import numpy as np
import pytest

from errsrc.curves import curve_shape
from errsrc.laws import Power

N = 100 * 2.0 ** np.arange(8)


def measured(curve: np.ndarray, noise: float, seed: int, runs: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = np.repeat(N, runs)
    return n, np.repeat(curve, runs) * np.exp(noise * rng.standard_normal(len(n)))


@pytest.mark.full
@pytest.mark.parametrize("noise", [0.01, 0.05])
@pytest.mark.parametrize("seed", range(3))
def test_a_logarithmic_decay_is_named_next_to_the_power_law(noise: float, seed: int) -> None:
    found = curve_shape(*measured(1 / np.log(N), noise, seed))
    assert found.verdict == "not decided" or "A decay like 1/ln n" in found.status


def test_a_precise_power_law_has_no_lookalike() -> None:
    found = curve_shape(*measured(2 * N**-0.5, 0.02, 1))
    assert found.verdict == "power law"
    assert "would look the same" not in found.status
    assert "log-periodic" not in found.status
    assert "throughout" in found.status or "; without a floor the exponent is 0.50" in found.status


@pytest.mark.full
def test_an_exponent_above_a_floor_says_so_with_the_floor() -> None:
    found = curve_shape(*measured(Power(0.1, 2.0, 0.5).error(n=N), 0.02, 1))
    assert found.verdict == "power law"
    assert " above a floor of 0.1" in found.status
    assert "; the exponents between cells, of the error with the floor, are smaller" in found.status
    assert "7 of 7 intervals contain 0.5" in found.status
    assert found.floor is not None
    assert max(one.high for one in found.local_exponents) < found.exponent.low
    above = found.exponents_above_floor
    assert all(one.low < found.exponent.estimate < one.high for one in above)
    assert str(above[0]) in str(found).splitlines()[1]
    assert found.columns()["exponent_above_floor"][:-1].tolist() == [one.estimate for one in above]


def test_a_peak_is_named() -> None:
    n = 50 * 2.0 ** (np.arange(24) / 2)
    error = n**-0.5 * (1 + 6 * np.exp(-((np.log(n / 1600) / 0.4) ** 2)))
    found = curve_shape(n, error)
    assert found.verdict == "peak"
    assert "at n = 1600 (" in found.status
    assert found.threshold is not None
    assert found.threshold.estimate == 1600


def test_a_fall_to_rounding_by_steps_is_a_cliff() -> None:
    found = curve_shape([64, 128, 256, 512, 1024, 2048], [0.3, 0.1, 0.02, 1e-9, 1e-12, 1e-13])
    assert found.verdict == "cliff"
    assert found.threshold is not None
    assert (found.threshold.low, found.threshold.high) == (256, 512)
    assert found.status.startswith("The error falls from 0.02 at n = 256 to 1e-09 at n = 512, faster than")


def test_subnormal_errors_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'error' parameter of curve_shape must be .*use a smaller unit"):
        curve_shape(N, 1e-310 * N**-0.1)
