"""Kernel regression: limits, invariances and second derivations."""

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from errsrc.settings import LinearTeacher
from errsrc.theory import (
    kernel_regression,
)
from theory.spectra import POWER, noises, ridges, sizes, spectra


@pytest.mark.full
@given(sizes, spectra, st.floats(1e-6, 1e2))
@settings(deadline=None)
def test_the_effective_ridge_is_the_fixed_point_of_its_equation(n, spectrum, ridge):
    """A dense iteration from above, which falls to the only fixed point, beside Brent's method."""
    e, c = spectrum
    found = kernel_regression(n, e, c, ridge=ridge)
    kappa = ridge + e.sum()
    for _ in range(20_000):
        kappa, last = ridge + (kappa * e / (n * e + kappa)).sum(), kappa
        if last - kappa <= 1e-15 * kappa:
            break
    else:
        assume(False)  # next to no ridge and n next to the rank: the iteration has not come to rest
    assert float(found.kappa) == pytest.approx(kappa, rel=1e-9)


def test_two_eigenvalues_make_a_cubic():
    kappa = sympy.symbols("kappa", positive=True)
    ridge, n, e, count = sympy.Rational(1, 10), 7, (1, sympy.Rational(1, 20)), (3, 12)
    equation = ridge + sum(k * kappa * x / (n * x + kappa) for x, k in zip(e, count, strict=True)) - kappa
    (root,) = [r for r in sympy.Poly(sympy.together(equation).as_numer_denom()[0]).nroots(40) if r > 0]
    learned = [n * x / (n * x + root) for x in e]
    gamma = sum(k * share**2 for share, k in zip(learned, count, strict=True)) / n
    missed = sum(k * (1 - share) ** 2 for share, k in zip(learned, count, strict=True))
    excess = (missed + gamma / 2) / (1 - gamma)
    spectrum = np.repeat(np.array(e, dtype=np.float64), count)
    found = kernel_regression(n, spectrum, np.ones(15), ridge=0.1, noise=0.5)
    assert float(found.kappa) == pytest.approx(float(root), rel=1e-13)
    assert float(found.gamma) == pytest.approx(float(gamma), rel=1e-13)
    assert float(found.excess) == pytest.approx(float(excess), rel=1e-13)


@pytest.mark.full
@given(sizes, spectra, st.floats(1e-3, 1e2), noises)
@settings(deadline=None)
def test_one_over_one_minus_gamma_is_the_slope_of_the_effective_ridge(n, spectrum, ridge, noise):
    """d kappa / d ridge, by differences, in place of the sum of squares."""
    e, c = spectrum
    step = 1e-4 * ridge
    above, below = (kernel_regression(n, e, c, ridge=ridge + s).kappa for s in (step, -step))
    found = kernel_regression(n, e, c, ridge=ridge, noise=noise)
    slope = (above - below) / (2 * step)
    assert float(1 / (1 - found.gamma)) == pytest.approx(slope, rel=1e-3)
    missed = ((1 - found.learnability) ** 2 * c).sum()
    assert float(found.excess + noise) == pytest.approx((missed + noise) * slope, rel=1e-3, abs=1e-9)


@pytest.mark.full
@given(sizes, spectra, ridges, noises)
@settings(deadline=None)
def test_learnability_is_conserved_and_errors_are_no_less_than_zero(n, spectrum, ridge, noise):
    e, c = spectrum
    found = kernel_regression(n, e, c, ridge=ridge, noise=noise)
    learned = found.learnability.sum()
    if found.kappa > 0:
        assert learned == pytest.approx(n * (1 - ridge / found.kappa), rel=1e-6, abs=1e-9 * n)
    assert learned <= min(n, len(e)) * (1 + 1e-9)
    assert ((found.learnability >= 0) & (found.learnability <= 1)).all()
    assert found.excess >= 0
    assert found.kappa >= ridge
    assert found.excess >= kernel_regression(n, e, c, ridge=ridge).excess


@pytest.mark.full
@given(sizes, spectra, ridges, noises, st.floats(0.01, 100))
@settings(deadline=None)
def test_units_of_inputs_and_of_labels_are_free(n, spectrum, ridge, noise, unit):
    e, c = spectrum
    one = kernel_regression(n, e, c, ridge=ridge, noise=noise)
    scaled = kernel_regression(n, unit * e, c, ridge=unit * ridge, noise=noise)
    assert float(scaled.excess) == pytest.approx(float(one.excess), rel=1e-6, abs=1e-12)
    louder = kernel_regression(n, e, unit * c, ridge=ridge, noise=unit * noise)
    assert float(louder.excess) == pytest.approx(unit * float(one.excess), rel=1e-6, abs=1e-12)


@pytest.mark.full
@given(sizes, spectra, st.floats(1e-2, 10), st.floats(0.1, 10))
@settings(deadline=None)
def test_at_the_bayes_ridge_the_risk_is_sollichs(n, spectrum, noise, variance):
    """Sollich 1999 (cond-mat/9909041): u = v sum of e / (1 + n v e / (noise + u)), of its own kernel."""
    e, _ = spectrum
    ridge = noise / variance
    found = kernel_regression(n, e, variance * e, ridge=ridge, noise=noise)
    u = float(found.excess)
    assert u == pytest.approx((variance * e / (1 + n * variance * e / (noise + u))).sum(), rel=1e-6)
    for other in (0.8, 1.25):
        worse = kernel_regression(n, e, variance * e, ridge=other * ridge, noise=noise).excess
        assert worse >= found.excess * (1 - 1e-12)


@pytest.mark.parametrize("n", [2, 6, 9, 10, 11, 40])
def test_equal_eigenvalues_without_ridge(n):
    e = np.full(10, 0.3)
    clean = kernel_regression(n, e, np.full(10, 0.1))
    assert float(clean.excess) == pytest.approx(max(0.0, 1 - n / 10), abs=1e-12)
    noisy = kernel_regression(n, e, np.zeros(10), noise=2.0)
    expected = 2 * min(n, 10) / abs(n - 10) if n != 10 else np.inf
    assert float(noisy.excess) == pytest.approx(expected, rel=1e-9)


@pytest.mark.full
@given(spectra, st.integers(0, 300), noises)
@settings(deadline=None)
def test_a_finite_rank_is_learned_from_as_many_examples(spectrum, more, noise):
    """A Nyquist threshold: no error without noise, noise K / (n - K) with it; what is outside is missed."""
    e, c = spectrum
    n = len(e) + more
    e, c = np.append(e, 0.0), np.append(c, 0.0)
    found = kernel_regression(n, e, c, noise=noise)
    assert found.kappa == 0
    expected = (noise * len(e[:-1]) / more if more else np.inf) if noise else 0.0
    assert float(found.excess) == pytest.approx(expected)
    c[-1] = 1.0
    outside = kernel_regression(n, e, c, noise=noise).excess
    assert outside == (np.inf if more == 0 else pytest.approx(expected + n / more, rel=1e-9))


@pytest.mark.full
@given(spectra, st.floats(0.5, 7.9), noises)
@settings(deadline=None)
def test_a_small_ridge_tends_to_none(spectrum, n, noise):
    e, c = spectrum
    assume(abs(n - len(e)) > 0.1)
    none = kernel_regression(n, e, c, noise=noise).excess
    small = kernel_regression(n, e, c, ridge=1e-13 * e.min(), noise=noise).excess
    assert float(small) == pytest.approx(float(none), rel=1e-6, abs=1e-12)


def test_a_curve_is_its_points():
    n = np.array([[3.0, 50.0], [7.0, 1000.0]])
    e, c = POWER**-1.5, POWER**-2
    together = kernel_regression(n, e, c, ridge=0.1, noise=0.2)
    assert together.learnability.shape == (2, 2, 3000)
    for place in np.ndindex(2, 2):
        alone = kernel_regression(n[place], e, c, ridge=0.1, noise=0.2)
        for name in ("excess", "kappa", "gamma", "learnability"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(together, name)[place])


@pytest.mark.parametrize("scale", [1e-280, 1e-150, 1e150, 1e280])
def test_far_from_one_the_root_is_still_found(scale):
    e = POWER[:50] ** -3
    one, other = (kernel_regression([1e-6, 10, 49.999], s * e, e, ridge=0.0).excess for s in (1, scale))
    np.testing.assert_allclose(other, one, rtol=1e-6)


def test_a_linear_teacher_has_the_spectrum_that_theory_takes():
    setting = LinearTeacher(5, input_decay=1.0, weight_decay=0.5)
    target = setting.weight_variances * setting.eigenvalues
    assert target.sum() == pytest.approx(setting.target_variance)
    start = kernel_regression(1e-9, setting.eigenvalues, target, noise=setting.noise)
    assert float(start.excess) == pytest.approx(setting.target_variance, rel=1e-6)
