"""The conjecture as a claim about each single case (`Example`): one counterexample refutes the claim."""

from __future__ import annotations

import functools
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.checks import Instance
from errsrc.conjecture.relative_errors import COMPARED_INPUTS, relative_error
from errsrc.errors import Undersampled
from errsrc.fields import Checked, choice, flag, instance, integer, number
from errsrc.learners import BandLeastSquares, Learner
from errsrc.learners.recovered_network import ZERO_ERROR
from errsrc.results import Result
from errsrc.rng import generator
from errsrc.settings import BandTeacher, NetworkTeacher, Setting
from errsrc.settings.setting import Array

UNTESTED = {"float64": 1e-6, "float32": 1e-2}
"""Largest rounding bounds, by the learner's precision, at which an `Example` can support a claim."""

REFUTED_BELOW = 1e-2
"""Largest rounding bound at which an `Example` whose teachers are not networks can refute a claim."""


@dataclass(frozen=True)
class Claim(Checked):
    """The claim that a learner is exact at finite n, as an inequality with fixed constants.

    Let f be a teacher in a band of M functions, and f^ the predictor fitted to n labelled examples.  The
    claim is that for all n >= threshold * n_Nyq + offset::

        |f^ - f| / |f| <= c kappa eps + g sqrt(c_noise M / n) sigma / |f|

    Here |f| is the root mean square of f over the inputs, n_Nyq is the smallest n at which a learner can be
    exact, and eps is the machine epsilon of the learner's precision.  kappa is the condition number of the n
    x M matrix of the basis functions at the nodes.  sigma is the standard deviation of the noise, and the
    gain g is sqrt(n) divided by the smallest singular value of the same matrix.  With kappa instead of g the
    claim would be false: a band of one function with one node has kappa = 1, even if the function is nearly 0
    at the node.

    For a class of networks with P parameters, 2 P + 1 takes the place of n_Nyq.  The claim is then about
    predictors with zero training error.  Each such predictor states a bound of its own error, and the claim
    is that its relative error is at most c_class times this bound.  If no start of the training reaches zero
    training error, nothing is claimed.

    Parameters
    ----------
    c : float
        Constant of the rounding error, > 0.  The error of a direct least-squares solution is at most kappa
        eps times a low power of n and M.
    c_noise : float
        Constant of the noise, > 0.  If the claim were about the mean square over draws, 1 would be enough.
        But the constant must cover single draws: the square of a single normal coefficient exceeds 40 once in
        4e9 draws.
    c_class : float
        Factor of the fitted network's error bound, > 0.  The factor is needed because this bound is only a
        first-order approximation.
    threshold : float
        A number in (0, 1000].  The claim is about all n >= threshold * n_Nyq + offset.
    heeds_condition : bool
        Whether the bound depends on kappa and g.  If False, kappa and g are replaced by 1.  For a class of
        networks, c * eps then takes the place of the bound that the predictor states.
    noise_gain : str
        The factor of the noise term: "gain" for g, or "condition" for kappa instead of g.
    precision : str
        Precision that determines eps: "float64", "float32", or "" for the learner's own precision.
    offset : int
        Number of examples added to the threshold; negative for a smaller threshold.  For example, with
        threshold 1 and offset -1 the claim is about all n >= n_Nyq - 1.
    """

    c: float = number(100.0, above=0)
    c_noise: float = number(40.0, above=0)
    c_class: float = number(10.0, above=0)
    threshold: float = number(1.0, above=0, at_most=1000)
    heeds_condition: bool = flag(True)
    noise_gain: str = choice("gain", ("gain", "condition"))
    precision: str = choice("", ("", "float64", "float32"))
    offset: int = integer(0)

    def smallest(self, n_nyquist: int) -> int:
        """Return the smallest n that the claim is about: the threshold.

        Parameters
        ----------
        n_nyquist : int
            The Nyquist number of the setting.

        Returns
        -------
        int
            threshold * n_Nyq, rounded up, plus the offset; at least 1.
        """
        return max(1, math.ceil(self.threshold * n_nyquist) + self.offset)


@dataclass(frozen=True)
class Example(Checked):
    """A setting, a learner and a sample, about which a claim is made.

    An example is also a cell, one computation, of a study of the kind "example".

    Parameters
    ----------
    setting : Setting
        The setting.
    learner : Learner
        The learner.
    n : int
        Number of labelled examples, >= 1.
    claim : Claim
        The claim about the learner.
    seed : int
        Seed of the teacher, the inputs, the noise and the learner's random numbers, >= 0.
    """

    setting: Setting = instance(Setting, "a setting", BandTeacher())
    learner: Learner = instance(Learner, "a learner", BandLeastSquares())
    n: int = integer(7, at_least=1)
    claim: Claim = instance(Claim, "a Claim", Claim())
    seed: int = integer(0, at_least=0)


@dataclass(frozen=True, repr=False)
class Outcome(Result):
    """Whether an example supports or refutes its claim.

    Attributes
    ----------
    verdict : str
        "holds", "refuted", or "not tested".  An example is not tested if the claim says nothing about it, or
        if the part of the bound that allows for rounding is too large to test the claim, see `examine`.
    error : float
        The relative error |f^ - f| / |f| of the predictor f^ for the teacher f; nan if the example was not
        tested.
    bound : float
        Largest relative error that the claim allows; inf if the claim says nothing about the example.
    condition : float
        kappa, see `Claim`.
    status : str
        The result, as a sentence.
    """

    verdict: str
    error: float
    bound: float
    condition: float
    status: str

    @property
    def ratio(self) -> float:
        """Error divided by bound; a ratio above 1 refutes the claim."""
        return self.error / self.bound


@checks.arguments(example=Instance(Example, "an Example of errsrc.conjecture.claims"))
def examine(example: Example) -> Outcome:
    """Return whether an example supports or refutes its claim; each call gives the same result.

    Parameters
    ----------
    example : Example
        The example.

    Returns
    -------
    Outcome
        The verdict with the error and its bound.  The verdict is "not tested" if n is below the threshold, or
        if the setting's `n_nyquist`, its `sampling_matrix` or the effect of its noise is not known.  The
        verdict is also "not tested" if the part of the bound that allows for rounding is above `UNTESTED`,
        except if this part is at most `REFUTED_BELOW` and the error refutes the claim.  Network teachers need
        no `sampling_matrix`.  For them, the verdict is "not tested" if the training error is not zero, or if
        the bound is above `UNTESTED`.

    Raises
    ------
    ValueError, TypeError
        If the learner or the setting raises ValueError or TypeError.

    Examples
    --------
    >>> print(examine(Example(n=7)).verdict)
    holds
    >>> false = Claim(threshold=0.8)
    >>> print(examine(Example(n=6, claim=false)).verdict)
    refuted
    """
    base = example.setting.n_nyquist
    if base is None:
        return _not_tested(f"The smallest n of {type(example.setting).__name__} (n_nyquist) is not known.")
    smallest = example.claim.smallest(base)
    if example.n < smallest:
        return _not_tested(f"n = {example.n} is below {smallest}.")
    return _examine(example.setting, example)


@functools.singledispatch
def _examine(setting: Setting, example: Example) -> Outcome:
    """Examine an example whose teachers are linear in coefficients, by the matrix that samples them."""
    learner, claim = example.learner, example.claim
    teacher, x, y = _sample(example)
    matrix = setting.sampling_matrix(x)
    if matrix is None:
        return _not_tested(
            f"How well inputs determine a teacher of {type(setting).__name__} (sampling_matrix) is not known."
        )
    noise_std = setting.channel.noise_std
    if setting.noise > 0 and not noise_std:
        return _not_tested(f"The effect of the noise of {setting.channel} is not known.")
    d = np.linalg.svd(matrix, compute_uv=False)
    if len(matrix) < matrix.shape[1]:  # the singular values other than 0, also at repeated inputs
        d = d[d > matrix.shape[1] * np.finfo(np.float64).eps * d[0]]
    kappa, gain = (float(top / d[-1]) if d[-1] > 0 else math.inf for top in (d[0], math.sqrt(example.n)))
    bound = rounding_bound(claim, learner, kappa)
    is_loose = not bound <= UNTESTED[getattr(learner, "precision", "float64")]
    if is_loose and not bound <= REFUTED_BELOW:
        return _ill_conditioned(bound, kappa)
    if noise_std:
        amplified = (gain if claim.noise_gain == "gain" else kappa) if claim.heeds_condition else 1.0
        share = math.sqrt(claim.c_noise * matrix.shape[1] * (setting.output_dim or 1) / example.n)
        bound += amplified * share * noise_std / _norm(setting, teacher, example.seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Undersampled)
        fitted = learner.fit(x, y, generator(example.seed, "learner"))
    error = relative_error(setting, teacher, fitted, generator(example.seed, "fresh"))
    return _ill_conditioned(bound, kappa) if is_loose and error <= bound else _judged(error, bound, kappa)


@_examine.register
def _examine_network(setting: NetworkTeacher, example: Example) -> Outcome:
    """Examine an example of a network class: zero training error is claimed to mean the teacher is found."""
    teacher, x, y = _sample(example)
    found: Any = example.learner.fit(x, y, generator(example.seed, "learner")).function
    if not hasattr(found, "training_error") or not hasattr(found, "error_bound"):
        return _not_tested(f"Fits of {type(example.learner).__name__} come with no bound of their error.")
    if found.training_error > ZERO_ERROR:
        return _not_tested(f"No start reached zero training error: {found.status}")
    fresh = setting.fresh_of(teacher, COMPARED_INPUTS // 4, generator(example.seed, "fresh"))
    truth = teacher(fresh)
    size = float(np.linalg.norm(truth))
    bound = example.claim.c * float(np.finfo(np.float64).eps)
    if example.claim.heeds_condition:
        bound = example.claim.c_class * float(np.linalg.norm(found.error_bound(fresh))) / size
    if not bound <= UNTESTED["float64"]:
        return _ill_conditioned(bound, found.condition)
    return _judged(float(np.linalg.norm(found(fresh) - truth)) / size, bound, found.condition)


def _sample(example: Example) -> tuple[Any, Array, Array]:
    """Return the teacher, the inputs, and their labels."""
    setting = example.setting
    teacher = setting.teacher(generator(example.seed, "teacher"))
    x = setting.inputs_of(teacher, example.n, generator(example.seed, "inputs"))
    return teacher, x, setting.channel.label(teacher(x), generator(example.seed, "labels"))


def _norm(setting: Setting, teacher: Any, seed: int) -> float:
    """Return |f|: from the coefficients for a function in a band, otherwise from fresh inputs."""
    if hasattr(teacher, "coefficients"):
        return float(np.linalg.norm(teacher.coefficients))
    values = teacher(setting.fresh_of(teacher, COMPARED_INPUTS, generator(seed, "norm")))
    return float(np.linalg.norm(values)) / math.sqrt(len(values))


def _not_tested(status: str) -> Outcome:
    return Outcome("not tested", math.nan, math.inf, math.inf, status)


def _ill_conditioned(bound: float, kappa: float) -> Outcome:
    status = f"With condition number {kappa:.2g} the claim's bound is too large to test."
    return Outcome("not tested", math.nan, bound, kappa, status)


def _judged(error: float, bound: float, kappa: float) -> Outcome:
    verdict = "holds" if error <= bound else "refuted"
    status = f"Relative error {error:.2g}, bound {bound:.2g} at condition number {kappa:.2g}: {verdict}."
    return Outcome(verdict, error, bound, kappa, status)


def rounding_bound(claim: Claim, learner: Learner, kappa: float) -> float:
    """Return the part of a claim's bound that allows for rounding: c kappa eps, see `Claim`.

    Parameters
    ----------
    claim : Claim
        The claim.
    learner : Learner
        The learner.  If the claim has no precision, the learner's ``precision`` determines eps.  If the
        learner has no precision either, eps is the machine epsilon of float64.
    kappa : float
        Condition number of the matrix of the basis functions at the nodes.

    Returns
    -------
    float
        Largest relative error that rounding may cause, according to the claim.
    """
    precision = claim.precision or getattr(learner, "precision", "float64")
    return claim.c * (kappa if claim.heeds_condition else 1.0) * float(np.finfo(precision).eps)
