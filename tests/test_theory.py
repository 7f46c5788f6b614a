"""Known learning curves: limits, invariances, second derivations, and what is refused."""

import inspect

import numpy as np
import pytest
import sympy
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar
from scipy.special import zeta
from scipy.stats import chi2

from errsrc import theory
from errsrc.settings import LinearTeacher, TableTeacher
from errsrc.theory import (
    exponents,
    formulas,
    kernel_regression,
    least_squares,
    memorising,
    memorising_zipf,
    random_features,
    zipf_asymptote,
)
from errsrc.theory.spectrum import learned

sizes = st.floats(0.5, 300)
values = st.floats(1e-4, 1e2)
spectra = st.integers(1, 8).flatmap(
    lambda count: st.tuples(
        *(st.lists(values, min_size=count, max_size=count).map(np.array) for _ in range(2))
    )
)
ridges = st.one_of(st.just(0.0), st.floats(1e-6, 1e2))
noises = st.one_of(st.just(0.0), st.floats(1e-3, 10))
POWER = np.arange(1.0, 3001)


# Kernel regression


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


@given(sizes, spectra, ridges, noises, st.floats(0.01, 100))
@settings(deadline=None)
def test_units_of_inputs_and_of_labels_are_free(n, spectrum, ridge, noise, unit):
    e, c = spectrum
    one = kernel_regression(n, e, c, ridge=ridge, noise=noise)
    scaled = kernel_regression(n, unit * e, c, ridge=unit * ridge, noise=noise)
    assert float(scaled.excess) == pytest.approx(float(one.excess), rel=1e-6, abs=1e-12)
    louder = kernel_regression(n, e, unit * c, ridge=ridge, noise=unit * noise)
    assert float(louder.excess) == pytest.approx(unit * float(one.excess), rel=1e-6, abs=1e-12)


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


# Random features


@given(sizes, sizes, spectra, ridges, noises)
@settings(deadline=None)
def test_random_features_as_they_were_published(n, m, spectrum, ridge, noise):
    """The omniscient estimate by nested roots, with all its differences, beside the form without them."""
    e, c = spectrum
    assume(min(abs(n - m), abs(n - len(e)), abs(m - len(e))) > 0.5)
    assume(ridge == 0 or ridge > 1e-3)  # elsewhere the differences lose their digits
    found = random_features(n, m, e, c, ridge=ridge, noise=noise)
    if ridge == 0 and len(e) <= min(n, m):
        assert float(found) == pytest.approx(noise * len(e) / (n - len(e)), rel=1e-9)
        return

    def z(g):
        return (e / (e + g)).sum()

    def gap(log_g):
        g = np.exp(log_g)
        kappa = g * (1 - z(g) / m)  # from m = z + m kappa / g
        return z(g) + ridge / kappa - n if kappa > 0 else np.inf

    start = np.log(brentq(lambda g: z(g) - m, 1e-12, 1e9, xtol=1e-16)) if len(e) > m else -30.0
    if ridge == 0:
        g = brentq(lambda g: z(g) - min(n, m), 1e-12, 1e9, xtol=1e-16)
        kappa = 0.0 if m < n else g * (1 - n / m)
    else:
        g = np.exp(brentq(gap, start + 1e-12, 30.0, xtol=1e-14))
        kappa = g * (1 - z(g) / m)
    q = ((e / (e + g)) ** 2).sum()
    inflation = 1 / (1 - (q * (m - 2 * z(g)) + z(g) ** 2) / (n * (m - q)))
    missed = g / (e + g) - kappa * e / (e + g) ** 2 * m / (m - q)
    expected = inflation * (missed @ c + noise) - noise
    assert float(found) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("n", "m"), [(10, 40), (40, 10), (200, 100), (100, 2000)])
def test_without_ridge_and_noise_it_is_that_of_maloney_roberts_and_sully(n, m):
    e, weight = POWER**-1.5, 0.7
    found = random_features(n, m, e, weight * e)
    few, many = min(n, m), max(n, m)
    g = brentq(lambda g: (e / (e + g)).sum() - few, 1e-12, 10, xtol=1e-18)
    assert float(found) == pytest.approx(weight * few * g / (1 - few / many), rel=1e-9)
    assert found == pytest.approx(random_features(m, n, e, weight * e), rel=1e-12)


@given(sizes, spectra, ridges, noises)
@settings(deadline=None)
def test_many_random_features_are_the_kernel(n, spectrum, ridge, noise):
    e, c = spectrum
    assume(abs(n - len(e)) > 0.01)
    kernel = kernel_regression(n, e, c, ridge=ridge, noise=noise).excess
    found = random_features(n, 1e12, e, c, ridge=ridge, noise=noise)
    assert float(found) == pytest.approx(float(kernel), rel=1e-4, abs=1e-9)


def test_at_the_best_ridge_more_features_and_more_data_are_better():
    """Simon et al. 2023; without ridge the error peaks at n = m."""
    e = POWER[:300] ** -1.5
    assert random_features(50, 50, e, e) == np.inf

    def best(n, m):
        def log_excess(log_ridge):
            return float(np.log(random_features(n, m, e, e, ridge=np.exp(log_ridge), noise=0.1)))

        return minimize_scalar(log_excess, bounds=(-10, 5), method="bounded").fun

    for pairs in ([(50, m) for m in (10, 30, 50, 100, 1000)], [(n, 50) for n in (10, 30, 50, 100, 1000)]):
        assert (np.diff([best(*pair) for pair in pairs]) < 0).all()


# Least squares


@pytest.mark.parametrize("dim", [1, 4, 30])
def test_least_squares_near_and_far_from_the_threshold(dim):
    n = np.arange(1, 4 * dim + 4)
    clean = least_squares(n, dim, target=3.0)
    np.testing.assert_allclose(clean, 3 * np.maximum(1 - n / dim, 0))
    noisy = least_squares(n, dim, target=3.0, noise=0.5) - clean
    assert (np.isinf(noisy) == (abs(n - dim) <= 1)).all()
    large = least_squares(np.array([50_000, 200_000]), 100_000, noise=0.5)
    theory = kernel_regression([50_000, 200_000], np.ones(100_000), np.full(100_000, 1e-5), noise=0.5)
    np.testing.assert_allclose(large, theory.excess, rtol=1e-4)


def test_least_squares_in_one_dimension_is_an_integral():
    """noise / chi-squared of n degrees of freedom, averaged over its density."""
    for n in (3, 5, 12):
        mean = quad(lambda v, n=n: chi2.pdf(v, n) / v, 0, np.inf)[0]
        assert float(least_squares(n, 1, noise=2.0)) == pytest.approx(2 * mean, rel=1e-6)


def test_what_is_outside_is_noise_to_the_learner_and_missed():
    n = np.array([3, 20])
    expected = 0.4 + least_squares(n, 8, noise=0.3 + 0.4)
    np.testing.assert_allclose(least_squares(n, 8, noise=0.3, outside=0.4), expected)


# Memory


def test_memory_is_a_sum_over_items():
    p = TableTeacher(items=40, decay=0.7).probabilities
    found = memorising([[1, 7], [30, 500]], p)
    assert found.shape == (2, 2)
    assert float(found[0, 1]) == pytest.approx(sum(x * (1 - x) ** 7 for x in p), rel=1e-12)
    assert float(memorising(3, [1.0])) == 0


@pytest.mark.parametrize("decay", [0.3, 1.0, 2.5])
def test_infinitely_many_items(decay):
    """Against the sum over 10^6 items, with bounds on the rest; then the asymptote."""
    i = np.arange(1.0, 1e6 + 1)
    p = i ** -(1 + decay) / zeta(1 + decay)
    n = np.array([1.0, 30.0, 3000.0])
    found = memorising_zipf(n, decay)
    for size, value in zip(n, found, strict=True):
        head = (p * (1 - p) ** size).sum()
        rest = zeta(1 + decay, 1e6 + 1) / zeta(1 + decay)
        assert head + rest * (1 - p[-1]) ** size <= value * (1 + 1e-7)
        assert value <= (head + rest) * (1 + 1e-7)
    np.testing.assert_allclose(memorising_zipf(1e9, decay), zipf_asymptote(1e9, decay), rtol=1e-3)


# Formulas


def value(formula, arrays=None, **numbers):
    """The number that a formula stands for; arrays of M numbers count from 1."""
    arrays = arrays or {}
    names = [*map(sympy.IndexedBase, arrays), *(sympy.Symbol(name, positive=True) for name in numbers)]
    padded = [np.concatenate([[np.nan], x]) for x in arrays.values()]
    with np.errstate(divide="ignore", invalid="ignore"):  # every piece is evaluated, then one is chosen
        return float(sympy.lambdify(names, formula, "numpy")(*padded, *map(np.asarray, numbers.values())))


@given(sizes, spectra, st.floats(1e-2, 1e2), noises)
@settings(deadline=None, max_examples=20)
def test_kernel_regression_is_its_formula_at_the_root_of_its_equation(n, spectrum, ridge, noise):
    e, c = spectrum
    found = kernel_regression(n, e, c, ridge=ridge, noise=noise)
    arrays = {"eigenvalues": e, "target": c}
    at = {"n": n, "M": len(e), "kappa": float(found.kappa), "ridge": ridge, "noise": noise}
    sides = [value(side, arrays, **at) for side in formulas.effective_ridge().args]
    assert sides[0] == pytest.approx(sides[1], rel=1e-9)
    assert float(found.excess) == pytest.approx(value(formulas.kernel_regression(), arrays, **at), rel=1e-6)


@given(sizes, sizes, spectra, st.floats(1e-2, 1e2), noises)
@settings(deadline=None, max_examples=20)
def test_random_features_are_their_formula_at_the_root_of_its_equation(n, m, spectrum, ridge, noise):
    e, c = spectrum
    assume(min(abs(n - m), abs(n - len(e)), abs(m - len(e))) > 0.5)  # elsewhere differences lose their digits
    arrays = {"eigenvalues": e, "target": c}
    g = learned(n, m, e, ridge).scale
    at = {"n": n, "m": m, "M": len(e), "g": g, "ridge": ridge, "noise": noise}
    sides = [value(side, arrays, **at) for side in formulas.scale().args]
    assert sides[0] == pytest.approx(sides[1], rel=1e-4)
    found = random_features(n, m, e, c, ridge=ridge, noise=noise)
    expected = value(formulas.random_features(), arrays, **at)
    assert float(found) == pytest.approx(expected, rel=1e-4, abs=1e-6 * (1 + noise))


@given(st.integers(1, 100), st.integers(1, 100), values, values, values)
@example(5, 4, 1.0, 1.0, 1.0)
@example(4, 4, 1.0, 1.0, 1.0)
@example(4, 5, 1.0, 1.0, 1.0)
@settings(deadline=None, max_examples=20)
def test_least_squares_is_its_formula(n, dim, target, noise, outside):
    at = {"n": n, "dim": dim, "target": target, "noise": noise, "outside": outside}
    found = least_squares(n, dim, target=target, noise=noise, outside=outside)
    assert float(found) == pytest.approx(value(formulas.least_squares(), **at))


@given(st.floats(0.5, 1e6), st.floats(0.1, 3), st.lists(st.floats(0.01, 1), min_size=1, max_size=6))
@settings(deadline=None, max_examples=20)
def test_memory_is_its_formula(n, decay, weights):
    assert float(zipf_asymptote(n, decay)) == pytest.approx(
        float(formulas.zipf_asymptote().subs({formulas.N: n, formulas.DECAY: decay}).evalf())
    )
    p = np.array(weights) / sum(weights)
    at = {"n": n, "M": len(p)}
    assert float(memorising(n, p)) == pytest.approx(value(formulas.memorising(), {"probabilities": p}, **at))
    whole = formulas.memorising_zipf()
    item = whole.function.subs({formulas.INDEX: 3, formulas.DECAY: 1, formulas.N: 5})
    p = 1 / (9 * zeta(2))  # of the third item
    assert float(item) == pytest.approx(p * (1 - p) ** 5)


def test_exponents_are_limits_of_the_formulas():
    """Of memory; and of kernel regression in its first regime, where the unlearned tail is all there is."""
    n, decay = formulas.N, formulas.DECAY
    asymptote = formulas.zipf_asymptote()
    slope = sympy.simplify(-n * sympy.diff(asymptote, n) / asymptote)
    assert float(slope.subs(decay, 0.7)) == pytest.approx(exponents.zipf(0.7))
    b, k, variance = sympy.symbols("b k sigma", positive=True)
    balance = sympy.solve(sympy.Eq(k ** (1 - b), variance * k / n), k)[0]  # missed tail and noise, k learned
    best = -sympy.simplify(sympy.diff(sympy.log(variance * balance / n), n) * n)
    assert float(best.subs(b, 1.7)) == pytest.approx(exponents.optimal_ridge(1.5, 1.7))


def test_every_curve_has_its_formula():
    curves = [name for name, _ in inspect.getmembers(theory, inspect.isfunction)]
    assert len(curves) >= 6
    for name in curves:
        formula = getattr(formulas, name)()
        assert isinstance(formula, sympy.Expr)
        assert r"\frac" in sympy.latex(formula) or r"\sum" in sympy.latex(formula)


# Exponents


def slope(n, errors):
    return -np.polyfit(np.log(n), np.log(errors), 1)[0]


@pytest.mark.parametrize(("a", "b"), [(1.5, 2.0), (2.0, 3.0), (1.5, 2.5), (1.2, 4.5), (1.5, 8.0)])
def test_exponents_of_kernel_regression_are_those_of_its_curves(a, b):
    i = np.arange(1.0, 50_001)
    n = np.array([100.0, 200.0])
    curve = kernel_regression(n, i**-a, i**-b).excess
    assert slope(n, curve) == pytest.approx(exponents.ridgeless(a, b), abs=0.05)

    def best(n):
        def log_excess(log_ridge):
            return float(
                np.log(kernel_regression(n, i**-a, i**-b, ridge=np.exp(log_ridge), noise=1.0).excess)
            )

        return np.exp(minimize_scalar(log_excess, bounds=(-8, 8), method="bounded").fun)

    n = np.array([1e5, 2e5])
    assert slope(n, [best(size) for size in n]) == pytest.approx(exponents.optimal_ridge(a, b), abs=0.02)


@given(st.floats(0.1, 5), st.floats(0.1, 5), st.integers(1, 6))
def test_a_gaussian_process_is_a_power_law_spectrum(teacher_nu, student_nu, dim):
    """A Matern kernel's Fourier transform falls as |k|^-(dim + 2 nu), and |k| is i^(1 / dim)."""
    decays = ((dim + 2 * nu) / dim for nu in (student_nu, teacher_nu))
    expected = exponents.ridgeless(*decays)
    assert exponents.gaussian_process(teacher_nu, student_nu, dim) == pytest.approx(expected)


@pytest.mark.parametrize("decay", [0.3, 1.0, 2.5])
def test_the_exponent_of_memory_is_that_of_its_curve(decay):
    n = np.array([1e6, 1e7])
    for curve in (memorising_zipf, zipf_asymptote):
        assert slope(n, curve(n, decay)) == pytest.approx(exponents.zipf(decay), abs=0.01)


def test_local_fits():
    assert exponents.local_fit(1, 1) == 4
    assert exponents.local_fit(3, 1) == pytest.approx(4 / 3)
    assert exponents.local_fit(2, 1, power=1.0) == 1
    assert exponents.local_fit(2, 0, smoothness=0.5) == exponents.gaussian_process(0.5, 3.0, 2)


# What is refused

E, C = [1.0, 0.5], [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernel_regression(0, E, C), "'n' parameter of kernel_regression must be .* > 0. Got 0.0"),
        (lambda: kernel_regression(np.nan, E, C), "'n' parameter"),
        (lambda: kernel_regression(3, [1.0, -1.0], C), "'eigenvalues' .* >= 0. Got -1.0"),
        (lambda: kernel_regression(3, [0.0, 0.0], C), r"'eigenvalues' .* \(M,\), one of them > 0"),
        (lambda: kernel_regression(3, [E], C), r"'eigenvalues' .* \(M,\)"),
        (lambda: kernel_regression(3, [], []), "'eigenvalues'"),
        (lambda: kernel_regression(3, E, [1.0]), r"'target' .* shape \(2,\).* Got <shape \(1,\)>"),
        (lambda: kernel_regression(3, E, [1.0, np.inf]), "'target' .* Got inf"),
        (lambda: kernel_regression(3, E, C, ridge=-1.0), "'ridge' .* >= 0. Got -1.0"),
        (lambda: kernel_regression(3, E, C, noise=np.nan), "'noise'"),
        (lambda: random_features(3, -2, E, C), "'m' parameter of random_features"),
        (lambda: random_features([3, 4], [1, 2, 3], E, C), r"'m' .* broadcasts with n's \(2,\)"),
        (lambda: random_features(3, 2, E, C, noise=-1), "'noise'"),
        (lambda: least_squares(2.5, 4), "'n' parameter of least_squares must be integers >= 1. Got 2.5"),
        (lambda: least_squares(2, 0), "'dim'"),
        (lambda: least_squares(2, 4, outside=-1.0), "'outside'"),
        (lambda: memorising(2, [0.5, 0.4]), r"'probabilities' .* sum 1. Got <shape \(2,\), sum 0.9>"),
        (lambda: memorising(0, [1.0]), "'n' parameter of memorising"),
        (lambda: memorising_zipf(3, 0.0), "'decay' parameter of memorising_zipf"),
        (lambda: exponents.ridgeless(1.0, 2.0), "'eigenvalue_decay' parameter of ridgeless .* > 1"),
        (lambda: exponents.optimal_ridge(2.0, 0.5), "'target_decay' parameter of optimal_ridge"),
        (lambda: exponents.gaussian_process(0.0, 1.0, 1), "'teacher_nu'"),
        (lambda: exponents.local_fit(0, 1), "'dim'"),
        (lambda: exponents.local_fit(1, 0, smoothness=0.0), "'smoothness'"),
        (lambda: exponents.zipf(-1.0), "'decay'"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("bad", ["ab", [[1.0], [1.0, 2.0]], [True, False], None])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(TypeError, match="'eigenvalues' parameter of kernel_regression must be an array"):
        kernel_regression(3, bad, C)


def test_a_linear_teacher_has_the_spectrum_that_theory_takes():
    setting = LinearTeacher(5, input_decay=1.0, weight_decay=0.5)
    target = setting.weight_variances * setting.eigenvalues
    assert target.sum() == pytest.approx(setting.target_variance)
    start = kernel_regression(1e-9, setting.eigenvalues, target, noise=setting.noise)
    assert float(start.excess) == pytest.approx(setting.target_variance, rel=1e-6)
