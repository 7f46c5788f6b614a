"""Exponents b of errors that fall as n^-b, and exponents of the best use of compute."""

from __future__ import annotations

import math
from dataclasses import dataclass

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


@dataclass(frozen=True)
class OnePassExponents:
    """Exponents of the best use of compute by one-pass SGD on random features, see `one_pass_compute`.

    Attributes
    ----------
    phase : str
        Name of the phase in Paquette et al. 2024: "Ia", "Ib", "Ic", "II", "III", "IVa" or "IVb".
    risk : float
        The exponent p: the smallest excess risk falls as f^-p, where f is the compute.
    features : float
        The exponent q: the best number of features grows as f^q, and the number of steps as f^(1 - q).
    """

    phase: str
    risk: float
    features: float


@checks.arguments(eigenvalue_decay=Number(above=0), target_decay=Number(above=1))
def one_pass_compute(eigenvalue_decay: float, target_decay: float) -> OnePassExponents:
    """Return the phase and the compute-optimal exponents of one-pass SGD on random features, without noise.

    The compute f is the number of features m times the number of steps.  For each f, m is chosen so that the
    risk of `errsrc.theory.one_pass_sgd` is smallest.  The batch is constant.  The learning rate is a constant
    share of the largest stable learning rate.  For an eigenvalue_decay above 1 there are many more inputs
    than features; for smaller decays, the number of inputs is a constant multiple of m.

    Parameters
    ----------
    eigenvalue_decay : float
        a, the decay of the inputs' variances, > 0: variance i is proportional to i^-a.
    target_decay : float
        b, the decay of the target's squared coefficients, > 1: squared coefficient i is proportional to i^-b.

    Returns
    -------
    OnePassExponents
        The phase, and the exponents of the risk and of the number of features.

    Raises
    ------
    TypeError, ValueError
        If a decay is not a number in its range.

    Notes
    -----
    These are the exponents of Paquette, Paquette, Xiao and Pennington 2024 (arXiv 2405.15074),
    who state them without a proof for a < 1/2.  The paper's decays are alpha = a / 2 and beta = (b - a) / 2.
    Let m be the number of features and t the number of steps.  For a < 1 the learning rate must fall as h =
    m^(a - 1); for a > 1 let h = 1.  Let T = h t.  Up to constants, the risk is the largest of four terms:

    - m^-min(b - 1, a): what m features cannot express.
    - T^-((b - 1) / a): what is not learned yet.
    - T^-((a - 1) / a) / m, for a > 1 and b > a + 1: what the features distort.
    - h T^-((2 a - 1) / a), for a > 1/2 and b > 2 a: the noise of the gradients.

    The phase says which two terms are equal at the best m.  In Ia, Ib and Ic these are the first two, in II
    the second and the third, in III the third and the fourth, in IVa the first and the fourth, and in IVb the
    second and the fourth.  On the line between two phases, the exponents of both are the same, except for
    `features` on the line a = 2 - sqrt(2) between IVa and IVb: there the noise does not depend on m, and
    every exponent between the two is optimal.

    Examples
    --------
    >>> one_pass_compute(1.5, 2.0)
    OnePassExponents(phase='Ia', risk=0.4, features=0.4)
    >>> one_pass_compute(2.0, 6.0)
    OnePassExponents(phase='III', risk=0.75, features=0.5)
    """
    a, b = eigenvalue_decay, target_decay
    w = b - a  # the decay of the teacher's squared weights
    if a > 1:
        if w <= 1:
            return OnePassExponents("Ia", (b - 1) / (a + 1), 1 / (a + 1))
        if w <= a:
            return OnePassExponents("II", (b - 1) / b, w / b)
        return OnePassExponents("III", (2 * a - 1) / (2 * a), 0.5)
    if w <= 1:
        return OnePassExponents("Ib", (b - 1) / 2, 0.5)
    if a <= 0.5:
        below = a**2 + (2 - a) * (b - 1)
        return OnePassExponents("Ic", a * (b - 1) / below, (b - 1) / below)
    if a > 2 - math.sqrt(2):
        return OnePassExponents("IVa", a / 2, 0.5)
    below = 2 * w - a - a * w
    return OnePassExponents("IVb", (1 - a) * (b - 1) / below, (w - a) / below)
