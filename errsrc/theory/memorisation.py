"""A learner that only memorises: the learning curve of Hutter 2021 (arXiv 2102.04074).

The learner knows the labels of the items that it has seen, and guesses the labels of all other items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import beta, betainc, gamma, zeta

from errsrc import checks
from errsrc.checks import NonNegativeArray, Number, PositiveArray
from errsrc.theory.spectrum import Array

HEAD = 10_000
"""Number of items that `memorising_zipf` sums one by one; an integral approximates the rest of the sum."""


@checks.arguments(n=PositiveArray(), probabilities=NonNegativeArray(), examples=Number(at_least=1))
def memorising(n: ArrayLike, probabilities: ArrayLike, examples: float = 1) -> Array:
    """Return the expected probability that a new item is not among the n items that a learner has seen.

    A learner may need several examples of an item, for example if the items are the tasks of
    `errsrc.settings.MultitaskParity`.  The function then returns the probability that the learner has seen
    too few examples of the new item.

    The excess risk of a memorising learner is this probability times the risk of a guess.  For the 0-1 error
    and equally likely classes, the risk of a guess is 1 - 1 / classes.  For squared loss and a target of mean
    0, the risk of a guess is the mean square of the target.

    Parameters
    ----------
    n : array_like
        Numbers n of items that the learner has seen, > 0, of any shape S.
    probabilities : array_like, shape (M,)
        Probabilities p_i >= 0 of the items.  The sum of the probabilities must be 1.
    examples : float
        Number of examples of an item that the learner needs, >= 1.  An incomplete beta function interpolates
        between integers.

    Returns
    -------
    ndarray of float64, shape S
        Sum over i of p_i (1 - p_i)^n for one example (Hutter 2021, arXiv 2102.04074).  In general, the sum
        over i of p_i times the probability that fewer than `examples` of n items are item i.

    Raises
    ------
    TypeError, ValueError
        If an n is not > 0, if a probability is negative, or if the sum of the probabilities is not 1.

    Examples
    --------
    >>> memorising([1, 2, 10], [0.5, 0.5])
    array([0.5       , 0.25      , 0.00097656])
    """
    p = np.asarray(probabilities)
    if p.ndim != 1 or abs(p.sum() - 1) > 1e-9:
        accepted = "an array of shape (M,) and sum 1"
        got = f"<shape {p.shape}, sum {p.sum():.6g}>"
        raise ValueError(checks.refusal("probabilities", "memorising", accepted, got))
    if examples == 1:
        return _unseen(np.asarray(n), p)
    sizes = np.asarray(n, dtype=np.float64)[..., None]
    enough = np.maximum(sizes - examples + 1, 1e-300)
    too_few = np.where(sizes < examples, 1.0, betainc(enough, examples, 1 - np.minimum(p, 1.0)))
    return np.asarray(too_few @ p)


@checks.arguments(n=PositiveArray(), decay=Number(above=0))
def memorising_zipf(n: ArrayLike, decay: float) -> Array:
    """Return the value of `memorising` for infinitely many items with probabilities that follow a power law.

    Item i has the probability p_i = i^-(1 + decay) / Z, with Z = zeta(1 + decay) (Hutter 2021, arXiv
    2102.04074).

    Parameters
    ----------
    n : array_like
        Numbers n of items that the learner has seen, > 0, of any shape S.
    decay : float
        Decay of the probabilities, > 0: the probability of item i is proportional to i^-(1 + decay).

    Returns
    -------
    ndarray of float64, shape S
        The probability that a new item has not been seen, to a relative precision of about 1e-8.

    Raises
    ------
    TypeError, ValueError
        If an n or the decay is not > 0.

    Notes
    -----
    The result is the sum of p_i (1 - p_i)^n over all items i.  The first `HEAD` terms are summed one by one.
    The rest of the sum is replaced by the integral over i from HEAD + 1/2 to infinity.  An incomplete beta
    function gives this integral.

    Examples
    --------
    >>> memorising_zipf([100, 10_000], 1.0).round(5)
    array([0.06884, 0.00691])
    """
    sizes, z, power = np.asarray(n), float(zeta(1 + decay)), 1 + decay
    exponent = decay / power
    items = np.arange(1, HEAD + 1, dtype=np.float64)
    rest = beta(exponent, sizes + 1) * betainc(exponent, sizes + 1, (HEAD + 0.5) ** -power / z)
    return _unseen(sizes, items**-power / z) + z ** (-1 / power) / power * rest


@checks.arguments(n=PositiveArray(), decay=Number(above=0))
def zipf_asymptote(n: ArrayLike, decay: float) -> Array:
    """Return the limit of `memorising_zipf` for large n, a power law in n.

    The limit is Z^(-1 / (1 + decay)) Gamma(b) / (1 + decay) n^-b (Hutter 2021, arXiv 2102.04074).  Here b =
    decay / (1 + decay) and Z = zeta(1 + decay).

    Parameters
    ----------
    n : array_like
        Numbers n of items that the learner has seen, > 0, of any shape S.
    decay : float
        Decay of the probabilities, > 0: the probability of item i is proportional to i^-(1 + decay).

    Returns
    -------
    ndarray of float64, shape S
        Approximate probability, for large n, that a new item has not been seen.

    Raises
    ------
    TypeError, ValueError
        If an n or the decay is not > 0.

    Examples
    --------
    >>> zipf_asymptote([100, 10_000], 1.0).round(5)
    array([0.0691 , 0.00691])
    """
    sizes, z, power = np.asarray(n), float(zeta(1 + decay)), 1 + decay
    exponent = decay / power
    return np.asarray(z ** (-1 / power) * gamma(exponent) / power * sizes**-exponent)


def _unseen(sizes: Array, p: Array) -> Array:
    """Return the sum over items of p (1 - p)^n for each n."""
    out = np.empty(sizes.shape)
    with np.errstate(divide="ignore"):  # an item of probability 1
        logs = np.log1p(-np.minimum(p, 1.0))
    for place in np.ndindex(sizes.shape):
        out[place] = p @ np.exp(sizes[place] * logs)
    return out
