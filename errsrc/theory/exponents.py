"""Exponents b of errors that fall as n^-b."""

from __future__ import annotations

import math

from errsrc import checks
from errsrc.checks import Integer, Number


@checks.arguments(eigenvalue_decay=Number(above=1), target_decay=Number(above=1))
def ridgeless(eigenvalue_decay: float, target_decay: float) -> float:
    """Return the exponent of kernel regression on power-law spectra, without noise and without ridge.

    The exponent is min(target_decay - 1, 2 eigenvalue_decay) (Bordelon, Canatar and Pehlevan 2020, arXiv
    2002.02561; Spigler, Geiger and Wyart 2020, arXiv 1905.10843).  The first term comes from the
    eigenfunctions that are not learned yet; it dominates for rough targets.  The second term comes from the
    remaining error in the eigenfunctions that are learned; it dominates for smooth targets.

    Parameters
    ----------
    eigenvalue_decay : float
        Decay of the kernel's eigenvalues, > 1: eigenvalue i is proportional to i^-eigenvalue_decay.
    target_decay : float
        Decay of the target's squared coefficients, > 1: squared coefficient i is proportional to
        i^-target_decay.

    Returns
    -------
    float
        The exponent b of the error n^-b.

    Raises
    ------
    TypeError, ValueError
        If a decay is not a number > 1.

    Examples
    --------
    >>> ridgeless(1.5, 2.0), ridgeless(1.5, 8.0)
    (1.0, 3.0)
    """
    return min(target_decay - 1.0, 2.0 * eigenvalue_decay)


@checks.arguments(eigenvalue_decay=Number(above=1), target_decay=Number(above=1))
def optimal_ridge(eigenvalue_decay: float, target_decay: float) -> float:
    """Return the exponent of kernel regression on noisy labels, if each n has its best ridge.

    Let b_0 be the exponent that `ridgeless` returns.  With the best ridge, the exponent is b_0 / (1 + b_0)
    (Cui et al. 2021, arXiv 2105.15004).  If k eigenfunctions are learned, the error in all other
    eigenfunctions is about k^-b_0, and the error from the noise is about k / n.  With the best ridge, both
    errors are of the same size.

    Parameters
    ----------
    eigenvalue_decay : float
        Decay of the kernel's eigenvalues, > 1: eigenvalue i is proportional to i^-eigenvalue_decay.
    target_decay : float
        Decay of the target's squared coefficients, > 1: squared coefficient i is proportional to
        i^-target_decay.

    Returns
    -------
    float
        The exponent b of the error n^-b.  If target_decay <= 1 + 2 eigenvalue_decay, b is (target_decay - 1)
        / target_decay.

    Raises
    ------
    TypeError, ValueError
        If a decay is not a number > 1.

    Examples
    --------
    >>> optimal_ridge(1.5, 2.0), optimal_ridge(1.5, 8.0)
    (0.5, 0.75)
    """
    noiseless = ridgeless(eigenvalue_decay, target_decay)
    return noiseless / (1 + noiseless)


@checks.arguments(teacher_nu=Number(above=0), student_nu=Number(above=0), dim=Integer(at_least=1))
def gaussian_process(teacher_nu: float, student_nu: float, dim: int) -> float:
    """Return the exponent of a kernel interpolator of targets that are drawn from a Gaussian process.

    The process and the interpolator have Matern kernels.  The exponent is min(2 teacher_nu, 2 (dim + 2
    student_nu)) / dim (Spigler, Geiger and Wyart 2020, arXiv 1905.10843).  In the paper, the exponent is
    min(alpha_T - dim, 2 alpha_S) / dim.  Here alpha_T = dim + 2 teacher_nu and alpha_S = dim + 2 student_nu
    are the decays of the kernels' Fourier transforms.  The exponent is also ``ridgeless(alpha_S / dim,
    alpha_T / dim)``.

    Parameters
    ----------
    teacher_nu, student_nu : float
        Smoothness nu of the Matern kernels, > 0: `teacher_nu` of the process, `student_nu` of the
        interpolator.  Smoothness 1/2 gives the Laplace kernel, exp(-r / length).
    dim : int
        Dimension of the domain of the inputs, >= 1; for a sphere, the dimension of its surface.

    Returns
    -------
    float
        The exponent b of the error n^-b.

    Raises
    ------
    TypeError, ValueError
        If a smoothness is not > 0, or if dim < 1.

    Notes
    -----
    The second term of the minimum holds on a domain without boundary, such as a sphere or a torus.  For
    smooth targets, measured exponents approach the predicted exponent late and from below.  For example, the
    predicted exponent of a Laplace interpolator of a Matern 3/2 process on the circle is 3.  The measured
    exponent is 2.6 from n = 25 to 400, and 2.87 from n = 400 to 1,600 (``benchmarks/theory.py``).

    Examples
    --------
    >>> gaussian_process(0.5, 0.5, 2), gaussian_process(10.0, 0.5, 2)
    (0.5, 3.0)
    """
    return min(2.0 * teacher_nu, 2.0 * (dim + 2.0 * student_nu)) / dim


@checks.arguments(dim=Integer(at_least=1), order=Integer(at_least=0), power=Number(above=0))
def local_fit(dim: int, order: int, *, smoothness: float = math.inf, power: float = 2.0) -> float:
    """Return the exponent of a learner that fits a polynomial through the nearest examples, without noise.

    The exponent is power * min(order + 1, smoothness) / dim, because neighbouring examples are about
    n^(-1 / dim) apart.  For smooth targets and squared loss the exponent is 2 / dim for the nearest
    neighbour, and 4 / dim for piecewise linear functions.  Sharma and Kaplan 2020 (arXiv 2004.10802) find
    4 / dim for networks.

    Parameters
    ----------
    dim : int
        Dimension of the domain of the inputs, >= 1.
    order : int
        Order of the polynomials, >= 0: 0 for the nearest neighbour, 1 for piecewise linear functions.
    smoothness : float
        Number of derivatives of the target, > 0.  For a target drawn from a Gaussian process with a Matern
        kernel, this number is the kernel's smoothness nu.
    power : float
        Power of the error that is averaged, > 0: 2 for squared loss.

    Returns
    -------
    float
        The exponent b of the error n^-b.

    Raises
    ------
    TypeError, ValueError
        If dim < 1 or order < 0, or if smoothness or power is not > 0.

    Examples
    --------
    >>> local_fit(3, 0), local_fit(4, 1), local_fit(2, 0, smoothness=0.5)
    (0.6666666666666666, 1.0, 0.5)
    """
    if smoothness != math.inf:
        Number(above=0)(smoothness, "smoothness", "local_fit")
    return power * min(order + 1.0, smoothness) / dim


@checks.arguments(decay=Number(above=0))
def zipf(decay: float) -> float:
    """Return the exponent of a memorising learner if item i has a probability proportional to i^-(1 + decay).

    The exponent is decay / (1 + decay) (Hutter 2021, arXiv 2102.04074); see `errsrc.theory.memorising_zipf`.

    Parameters
    ----------
    decay : float
        Decay of the probabilities, > 0: the probability of item i is proportional to i^-(1 + decay).

    Returns
    -------
    float
        The exponent b of the error n^-b.

    Raises
    ------
    TypeError, ValueError
        If the decay is not > 0.

    Examples
    --------
    >>> zipf(1.0)
    0.5
    """
    return decay / (1 + decay)


@checks.arguments(gamma=Number(above=0), beta=Number(above=0))
def language(gamma: float, beta: float) -> float:
    """Return the exponent of a language model's loss above the entropy rate.

    The exponent is gamma / (2 beta) (Cagnetta, Raventos, Ganguli and Wyart 2026, arXiv 2602.07488).
    `errsrc.theory.text_exponents` measures gamma and beta on a corpus.

    Parameters
    ----------
    gamma : float
        Decay of the conditional entropies, > 0: given k tokens, the entropy of the next token above the
        entropy rate is proportional to k^-gamma.
    beta : float
        Decay of the correlations, > 0: the correlation of two tokens at a distance t is proportional to
        t^-beta.

    Returns
    -------
    float
        The exponent b of the loss n^-b, for n training tokens.

    Raises
    ------
    TypeError, ValueError
        If an exponent is not > 0.

    Examples
    --------
    >>> language(0.5, 1.0)
    0.25
    """
    return gamma / (2 * beta)
