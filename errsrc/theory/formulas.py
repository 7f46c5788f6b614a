"""The known learning curves as sympy expressions, which print as LaTeX and can be differentiated.

Each function here has the name of the function in `errsrc.theory` that computes the same curve as numbers.
The symbols have the names of that function's arguments, such as ``sympy.Symbol("n", positive=True)``.  The
entries of arrays are numbered from 1 to M.  Some curves contain an unknown that an equation determines.  A
separate function returns this equation.
"""

from __future__ import annotations

import sympy

N, M, RIDGE, NOISE = (sympy.Symbol(name, positive=True) for name in ("n", "M", "ridge", "noise"))
MODEL, KAPPA, SCALE, DECAY = (sympy.Symbol(name, positive=True) for name in ("m", "kappa", "g", "decay"))
INDEX = sympy.Symbol("i", integer=True, positive=True)
EIGENVALUES, TARGET, PROBABILITIES = map(sympy.IndexedBase, ("eigenvalues", "target", "probabilities"))


def least_squares() -> sympy.Expr:
    """Return the excess risk of `errsrc.theory.least_squares`, for labels with noise.

    The symbols are n, dim, target, noise and outside.

    Examples
    --------
    >>> enough, few, _ = least_squares().args
    >>> print(enough.expr)
    dim*(noise + outside)/(-dim + n - 1) + outside
    """
    dim, target, outside = (sympy.Symbol(name, positive=True) for name in ("dim", "target", "outside"))
    unlearnable, above, below = NOISE + outside, N - dim - 1, dim - N - 1
    return sympy.Piecewise(
        (outside + unlearnable * dim / above, above > 0),
        (outside + target * (1 - N / dim) + unlearnable * N / below, below > 0),
        (sympy.oo, True),
    )


def effective_ridge() -> sympy.Eq:
    """Return the equation that determines kappa in `errsrc.theory.kernel_regression`."""
    e = EIGENVALUES[INDEX]
    return sympy.Eq(KAPPA, RIDGE + _sum(KAPPA * e / (N * e + KAPPA)))


def kernel_regression() -> sympy.Expr:
    """Return the excess risk of `errsrc.theory.kernel_regression`.

    The symbols are n, M, noise, kappa, and the arrays eigenvalues and target.  The equation `effective_ridge`
    determines kappa.

    Examples
    --------
    >>> print(kernel_regression().subs(M, 1).doit().subs({KAPPA: 0}))
    noise/(n*(1 - 1/n))
    """
    learned = N * EIGENVALUES[INDEX] / (N * EIGENVALUES[INDEX] + KAPPA)
    gamma = _sum(learned**2) / N
    return (_sum((1 - learned) ** 2 * TARGET[INDEX]) + NOISE * gamma) / (1 - gamma)


def scale() -> sympy.Eq:
    """Return the equation that determines g in `errsrc.theory.random_features`."""
    learned = _sum(EIGENVALUES[INDEX] / (EIGENVALUES[INDEX] + SCALE))
    return sympy.Eq((N - learned) * (MODEL - learned) * SCALE, MODEL * RIDGE)


def random_features() -> sympy.Expr:
    """Return the excess risk of `errsrc.theory.random_features`.

    The symbols are n, m, M, noise, g, and the arrays eigenvalues and target.  The equation of
    `errsrc.theory.formulas.scale` determines g.
    """
    learned = EIGENVALUES[INDEX] / (EIGENVALUES[INDEX] + SCALE)
    total, kept = _sum(learned), _sum(learned * (1 - learned))
    a, b = N - total, MODEL - total
    missed = _sum((1 - learned) * (1 - learned * b / (b + kept)) * TARGET[INDEX])
    return (missed + NOISE) * N * (b + kept) / (a * b + kept * (a + b)) - NOISE


def gradient_flow() -> sympy.Expr:
    """Return the double Laplace transform, in time, of the excess risk of `errsrc.theory.gradient_flow`.

    The result is the number C in the notes of that function, for ridge 0.  The symbols are n, m, M and noise,
    the arrays eigenvalues and target, the variables z and z', and g and g'.  The numbers g and g' solve the
    equation of `errsrc.theory.formulas.scale`, for the ridges n z and n z'.
    """
    z, z_other, scale_other = sympy.symbols("z z' g'", positive=True)
    e, c = EIGENVALUES[INDEX], TARGET[INDEX]
    share, share_other = ((e / (e + g)) for g in (SCALE, scale_other))
    rr, qq = ((1 - _sum(share) / size) * (1 - _sum(share_other) / size) for size in (N, MODEL))
    hh = share / e * SCALE / z * share_other / e * scale_other / z_other  # of the two H
    own, spread, first, second = (_sum(hh * weight) for weight in (c, e * c, e, e**2))
    rest = 1 - qq * rr * second / MODEL
    through = rr * qq * (z * z_other * first**2 / (MODEL * N * rest) + second / N)
    constant = own + first * qq * rr * spread / (MODEL * rest)
    return (constant + through * NOISE / (z * z_other)) / (1 - through)


def feature_terms() -> sympy.Expr:
    """Return realizability plus uncertainty of `errsrc.theory.feature_terms`.

    The symbols are M, the arrays eigenvalues and target, and the numbers g and k in the notes of that
    function.  The number k has the symbol kappa.
    """
    share = EIGENVALUES[INDEX] / (EIGENVALUES[INDEX] + SCALE)
    target = TARGET[INDEX]
    return _sum((1 - share) * target + share * KAPPA * target / (target + KAPPA))


def memorising() -> sympy.Expr:
    """Return the probability of `errsrc.theory.memorising`.

    The symbols are n, M and the array probabilities.

    Examples
    --------
    >>> print(memorising())
    Sum((1 - probabilities[i])**n*probabilities[i], (i, 1, M))
    """
    p = PROBABILITIES[INDEX]
    return _sum(p * (1 - p) ** N)


def memorising_zipf() -> sympy.Expr:
    """Return the probability of `errsrc.theory.memorising_zipf`, an infinite sum.

    The symbols are n and decay.
    """
    p = INDEX ** -(1 + DECAY) / sympy.zeta(1 + DECAY)
    return sympy.Sum(p * (1 - p) ** N, (INDEX, 1, sympy.oo))


def zipf_asymptote() -> sympy.Expr:
    """Return the power law of `errsrc.theory.zipf_asymptote`.

    The symbols are n and decay.

    Examples
    --------
    The exponent of this power law is `errsrc.theory.exponents.zipf`:

    >>> formula = zipf_asymptote()
    >>> print(sympy.simplify(-N * sympy.diff(formula, N) / formula))
    decay/(decay + 1)
    """
    exponent = DECAY / (1 + DECAY)
    return sympy.zeta(1 + DECAY) ** (-1 / (1 + DECAY)) * sympy.gamma(exponent) / (1 + DECAY) * N**-exponent


def _sum(term: sympy.Expr) -> sympy.Expr:
    return sympy.Sum(term, (INDEX, 1, M))
