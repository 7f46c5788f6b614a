"""The formulas in sympy against the numbers."""

import inspect

import numpy as np
import pytest
import sympy
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.special import zeta

from errsrc import theory
from errsrc.theory import (
    exponents,
    formulas,
    kernel_regression,
    least_squares,
    memorising,
    random_features,
    zipf_asymptote,
)
from errsrc.theory.spectrum import learned
from theory.spectra import noises, sizes, spectra, values


def value(formula, arrays=None, **numbers):
    """The number that a formula stands for; arrays of M numbers count from 1."""
    arrays = arrays or {}
    names = [*map(sympy.IndexedBase, arrays), *(sympy.Symbol(name, positive=True) for name in numbers)]
    padded = [np.concatenate([[np.nan], x]) for x in arrays.values()]
    with np.errstate(divide="ignore", invalid="ignore"):  # every piece is evaluated, then one is chosen
        return float(sympy.lambdify(names, formula, "numpy")(*padded, *map(np.asarray, numbers.values())))


@pytest.mark.full
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


@pytest.mark.full
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


def test_the_transform_of_a_flow_is_ridge_regression_at_one_ridge():
    """The transform at z = z', times z^2, is the risk of ridge regression with the ridge n z."""
    e, c = np.array([2.0, 1.0, 0.3, 0.1]), np.array([0.5, 1.0, 2.0, 0.2])
    n, m, z, noise = 3.0, 2.0, 0.07, 0.4
    g = learned(n, m, e, n * z).scale
    at = {"n": n, "m": m, "M": 4, "noise": noise, "g": g, "g'": g, "z": z, "z'": z}
    found = value(formulas.gradient_flow(), {"eigenvalues": e, "target": c}, **at)
    assert z**2 * found == pytest.approx(float(random_features(n, m, e, c, ridge=n * z, noise=noise)))


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
    curves.remove("quadratic_networks")  # an integral over a density that a fixed point determines
    curves = [name for name in curves if not name.startswith("committee")]  # a fixed point
    curves.remove("one_pass_sgd")  # an inverse transform, whose notes have the equation
    curves.remove("largest_learning_rate")
    measured = {"intrinsic_dimension", "text_exponents"}
    assert len(curves) >= 6
    for name in sorted(set(curves) - measured):
        formula = getattr(formulas, name)()
        assert isinstance(formula, sympy.Expr)
        assert r"\frac" in sympy.latex(formula) or r"\sum" in sympy.latex(formula)
