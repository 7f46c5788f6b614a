"""Exponents b of errors that fall as n^-b."""

from __future__ import annotations

import math

from errsrc import checks


def ridgeless(eigenvalue_decay: float, target_decay: float) -> float:
    """Return b of kernel regression without noise and ridge, of power-law spectra.

    Parameters
    ----------
    eigenvalue_decay
        Eigenvalues of the kernel are i^-eigenvalue_decay, > 1.
    target_decay
        Squared coefficients of the target are i^-target_decay, > 1.

    Returns
    -------
    float
        min(target_decay - 1, 2 eigenvalue_decay) (Bordelon, Canatar and Pehlevan 2020, arXiv 2002.02561;
        Spigler, Geiger and Wyart 2020, arXiv 1905.10843): the first where the target's unlearned tail
        dominates; a smoother target has what is left over of its learned part.

    Raises
    ------
    ValueError, TypeError
        For decays that are not > 1.

    Examples
    --------
    >>> ridgeless(1.5, 2.0), ridgeless(1.5, 8.0)
    (1.0, 3.0)
    """
    for name, value in (("eigenvalue_decay", eigenvalue_decay), ("target_decay", target_decay)):
        checks.number(value, name, "ridgeless", 1, open_low=True)
    return min(target_decay - 1.0, 2.0 * eigenvalue_decay)


def optimal_ridge(eigenvalue_decay: float, target_decay: float) -> float:
    """Return b of kernel regression from noisy labels at the best ridge for each n.

    Parameters and errors are those of `ridgeless`.  With its b_0 it is b_0 / (1 + b_0) (Cui et al. 2021,
    arXiv 2105.15004): with k functions learned, what is missed, k^-b_0, balances the noise's k / n.  For a
    target_decay of at most 1 + 2 eigenvalue_decay that is (target_decay - 1) / target_decay.

    Examples
    --------
    >>> optimal_ridge(1.5, 2.0), optimal_ridge(1.5, 8.0)
    (0.5, 0.75)
    """
    for name, value in (("eigenvalue_decay", eigenvalue_decay), ("target_decay", target_decay)):
        checks.number(value, name, "optimal_ridge", 1, open_low=True)
    noiseless = ridgeless(eigenvalue_decay, target_decay)
    return noiseless / (1 + noiseless)


def gaussian_process(teacher_nu: float, student_nu: float, dim: int) -> float:
    """Return b of a kernel interpolator that learns a draw of a Gaussian process, both Matern kernels.

    Parameters
    ----------
    teacher_nu, student_nu
        Smoothness of the teacher's and of the student's kernel, > 0; 1/2 is Laplace, exp(-r / length).
    dim
        Dimension of the inputs' domain (of a sphere, that of its surface).

    Returns
    -------
    float
        min(2 teacher_nu, 2 (dim + 2 student_nu)) / dim: Spigler, Geiger and Wyart 2020 (arXiv 1905.10843):
        min(alpha_T - dim, 2 alpha_S) / dim, with alpha = dim + 2 nu the decay of a Matern kernel's
        Fourier transform.  It is `ridgeless` of the decays alpha / dim.

    Raises
    ------
    ValueError, TypeError
        For smoothness not > 0, or dim < 1.

    Notes
    -----
    The second term is that of a domain without boundary, a sphere or a torus.  Smooth teachers reach their
    exponent late, and from below: a Laplace student of a Matern 3/2 teacher on the circle has 2.6 at n of 25
    to 400 and 2.87 at 400 to 1,600, where this says 3 (``benchmarks/theory.py``).

    Examples
    --------
    >>> gaussian_process(0.5, 0.5, 2), gaussian_process(10.0, 0.5, 2)
    (0.5, 3.0)
    """
    where = "gaussian_process"
    checks.number(teacher_nu, "teacher_nu", where, 0, open_low=True)
    checks.number(student_nu, "student_nu", where, 0, open_low=True)
    checks.integer(dim, "dim", where, 1)
    return min(2.0 * teacher_nu, 2.0 * (dim + 2.0 * student_nu)) / dim


def local_fit(dim: int, order: int, *, smoothness: float = math.inf, power: float = 2.0) -> float:
    """Return b of polynomials fitted between the nearest examples, without noise.

    Parameters
    ----------
    dim
        Dimension of the inputs' domain.
    order
        Of the polynomials: 0 for the nearest neighbour, 1 for piecewise linear functions.
    smoothness
        Of the target, > 0: derivatives that it has (a Gaussian process of a Matern kernel has nu).
    power
        Of the error that is averaged: 2 for squared loss.

    Returns
    -------
    float
        power min(order + 1, smoothness) / dim, examples being n^(-1 / dim) apart; for smooth targets and
        squared loss 2 / dim for the nearest neighbour and 4 / dim for piecewise linear functions, as Sharma
        and Kaplan 2020 (arXiv 2004.10802) have it for networks.

    Raises
    ------
    ValueError, TypeError
        For dim < 1, order < 0, smoothness or power not > 0.

    Examples
    --------
    >>> local_fit(3, 0), local_fit(4, 1), local_fit(2, 0, smoothness=0.5)
    (0.6666666666666666, 1.0, 0.5)
    """
    checks.integer(dim, "dim", "local_fit", 1)
    checks.integer(order, "order", "local_fit", 0)
    if smoothness != math.inf:
        checks.number(smoothness, "smoothness", "local_fit", 0, open_low=True)
    checks.number(power, "power", "local_fit", 0, open_low=True)
    return power * min(order + 1.0, smoothness) / dim


def zipf(decay: float) -> float:
    """Return b of a memorising learner of items of probabilities i^-(1 + decay).

    decay / (1 + decay), decay > 0 (Hutter 2021, arXiv 2102.04074).

    Examples
    --------
    >>> zipf(1.0)
    0.5
    """
    checks.number(decay, "decay", "zipf", 0, open_low=True)
    return decay / (1 + decay)
