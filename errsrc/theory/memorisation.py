"""A learner that only remembers: the learning curve of Hutter 2021 (arXiv 2102.04074)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import beta, betainc, gamma, zeta

from errsrc import checks
from errsrc.theory.spectrum import Array, numbers

HEAD = 10_000
"""Items summed one by one before the rest is an integral."""


def memorising(n: ArrayLike, probabilities: ArrayLike) -> Array:
    """Return the expected probability that a new item is none of the n seen.

    Times the risk of a guess it is the excess risk of a memorising learner: 1 - 1 / classes for 0-1 error
    and equally likely classes, the mean square of a target of mean 0 for squared loss.

    Parameters
    ----------
    n
        Items seen, numbers > 0, of any shape S.
    probabilities : (M,)
        p_i >= 0 of the items, of sum 1.

    Returns
    -------
    float64 S
        Sum of p_i (1 - p_i)^n (Hutter 2021, arXiv 2102.04074).

    Raises
    ------
    ValueError, TypeError
        For n that are not > 0, and probabilities that are negative or do not sum to 1.

    Examples
    --------
    >>> memorising([1, 2, 10], [0.5, 0.5])
    array([0.5       , 0.25      , 0.00097656])
    """
    sizes = checks.positive_array(n, "n", "memorising")
    p = numbers(probabilities, "probabilities", "memorising")
    if p.ndim != 1 or abs(p.sum() - 1) > 1e-9:
        accepted = "an array of shape (M,) and sum 1"
        got = f"<shape {p.shape}, sum {p.sum():.6g}>"
        raise ValueError(checks.refusal("probabilities", "memorising", accepted, got))
    return _unseen(sizes, p)


def memorising_zipf(n: ArrayLike, decay: float) -> Array:
    """Return `memorising` for infinitely many items of probabilities i^-(1 + decay) / Z, Z = zeta(1 + decay).

    Parameters
    ----------
    n
        Items seen, numbers > 0, of any shape S.
    decay
        > 0.

    Returns
    -------
    float64 S
        To a relative precision of about 1e-8.

    Raises
    ------
    ValueError, TypeError
        For n or decay not > 0.

    Notes
    -----
    The first `HEAD` items are summed; for the rest the sum is the integral from HEAD + 1/2, an incomplete
    beta function in p.

    Examples
    --------
    >>> memorising_zipf([100, 10_000], 1.0).round(5)
    array([0.06884, 0.00691])
    """
    sizes, z = _zipf(n, decay, "memorising_zipf")
    power = 1 + decay
    exponent = decay / power
    items = np.arange(1, HEAD + 1, dtype=np.float64)
    rest = beta(exponent, sizes + 1) * betainc(exponent, sizes + 1, (HEAD + 0.5) ** -power / z)
    return _unseen(sizes, items**-power / z) + z ** (-1 / power) / power * rest


def zipf_asymptote(n: ArrayLike, decay: float) -> Array:
    """Return what `memorising_zipf` tends to: Z^(-1 / (1 + decay)) Gamma(b) / (1 + decay) n^-b.

    Parameters
    ----------
    n
        Items seen, numbers > 0, of any shape S.
    decay
        > 0; b = decay / (1 + decay), and Z = zeta(1 + decay).

    Returns
    -------
    float64 S
        Hutter 2021 (arXiv 2102.04074).

    Raises
    ------
    ValueError, TypeError
        For n or decay not > 0.

    Examples
    --------
    >>> zipf_asymptote([100, 10_000], 1.0).round(5)
    array([0.0691 , 0.00691])
    """
    sizes, z = _zipf(n, decay, "zipf_asymptote")
    power = 1 + decay
    exponent = decay / power
    return np.asarray(z ** (-1 / power) * gamma(exponent) / power * sizes**-exponent)


def _zipf(n: ArrayLike, decay: float, where: str) -> tuple[Array, float]:
    sizes = checks.positive_array(n, "n", where)
    checks.number(decay, "decay", where, 0, open_low=True)
    return sizes, float(zeta(1 + decay))


def _unseen(sizes: Array, p: Array) -> Array:
    out = np.empty(sizes.shape)
    with np.errstate(divide="ignore"):  # an item of probability 1
        logs = np.log1p(-np.minimum(p, 1.0))
    for place in np.ndindex(sizes.shape):
        out[place] = p @ np.exp(sizes[place] * logs)
    return out
