"""The conjecture as a claim about single examples, so that one can refute it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.conjecture.relative_errors import POINTS, nyquist, relative_error
from errsrc.errors import Undersampled
from errsrc.learners import BandLeastSquares, Learner, NetworkClass
from errsrc.learners.recovered_network import ZERO_ERROR
from errsrc.rng import generator
from errsrc.settings import BandTeacher, NetworkTeacher, Setting
from errsrc.settings.setting import Array

UNTESTED = {"float64": 1e-6, "float32": 1e-2}
"""Bounds of rounding, by the learner's precision, above which too little is claimed to be tested."""


@dataclass(frozen=True)
class Claim:
    """Exactness at finite n, with its constants fixed (DESIGN, section 4).

    For n >= ``threshold`` n_Nyq: |f^ - f| / |f| <= c kappa eps + g sqrt(c_noise M / n) sigma / |f|, where
    kappa is the condition number of the sampling operator on the band, eps the machine epsilon of the
    learner's precision, sigma the standard deviation of the noise, and g its gain: sqrt n over the smallest
    singular value of the basis at the nodes.  With kappa in the place of g the claim is false: one function
    at one node has kappa = 1, and the node may be near the function's zero.

    Of a network class: for n >= ``threshold`` (2 P + 1), where training error is zero the relative error is
    at most c_class times the certificate's bound; where no start arrives nothing is claimed.

    Attributes
    ----------
    c
        Constant of rounding.  The error of a direct least-squares solution is at most a low power of n and M
        times kappa eps.
    c_noise
        Constant of the noise.  The mean square of its effect has the constant 1; a single draw of one
        coefficient is above 40 once in 4e9.
    c_class
        Constant of the certificate's bound, which is of first order.
    threshold
        In units of n_Nyq.
    heeds_condition
        Whether kappa and g are in the bound.
    noise_gain
        "gain" for g, or "condition" for kappa in its place.
    precision
        Whose eps: "float64", "float32", or "" for the learner's own.
    """

    c: float = 100.0
    c_noise: float = 40.0
    c_class: float = 10.0
    threshold: float = 1.0
    heeds_condition: bool = True
    noise_gain: str = "gain"
    precision: str = ""

    def __post_init__(self) -> None:
        for name in ("c", "c_noise", "c_class"):
            checks.number(getattr(self, name), name, "Claim", 0, open_low=True)
        checks.number(self.threshold, "threshold", "Claim", 0, 1000, open_low=True)
        checks.choice(self.noise_gain, "noise_gain", "Claim", ("gain", "condition"))
        checks.choice(self.precision, "precision", "Claim", ("", "float64", "float32"))


@dataclass(frozen=True)
class Example:
    """One world, learner and sample; a cell of a study of kind "example".

    Attributes
    ----------
    setting, learner
        The world, and who learns.
    n
        Labelled examples.
    claim
        What is claimed of it.
    seed
        Of teacher, nodes, noise and the learner's own chance.
    """

    setting: Setting = field(default=BandTeacher())
    learner: Learner = field(default=BandLeastSquares())
    n: int = 7
    claim: Claim = field(default=Claim())
    seed: int = 0

    def __post_init__(self) -> None:
        checks.integer(self.n, "n", "Example", 1)
        checks.integer(self.seed, "seed", "Example", 0)


@dataclass(frozen=True)
class Outcome:
    """What became of a claim in one example.

    Attributes
    ----------
    verdict
        "holds", "refuted", or "not tested".
    error
        |f^ - f| / |f|.
    bound
        What the claim says of it; inf where it says nothing.
    condition
        kappa.
    status
        The same as a sentence.
    """

    verdict: str
    error: float
    bound: float
    condition: float
    status: str

    @property
    def ratio(self) -> float:
        """Of error to bound; above 1 the claim is refuted."""
        return self.error / self.bound


def examine(example: Example) -> Outcome:
    """Return what becomes of the claim in an example; the same one each time.

    Raises
    ------
    ValueError, TypeError
        For a world of which n_Nyq is not known, and as learner and setting raise them.

    Examples
    --------
    >>> print(examine(Example(n=7)).verdict)
    holds
    >>> false = Claim(threshold=0.8)
    >>> print(examine(Example(n=6, claim=false)).verdict)
    refuted
    """
    least = math.ceil(example.claim.threshold * nyquist(example.setting))
    if example.n < least:
        return Outcome("not tested", math.nan, math.inf, math.inf, f"n = {example.n} is below {least}.")
    if isinstance(example.setting, BandTeacher):
        return _in_band(example, example.setting)
    if isinstance(example.setting, NetworkTeacher) and isinstance(example.learner, NetworkClass):
        return _in_class(example, example.setting)
    accepted = "a band teacher, or a network teacher with the learner that is told its class"
    raise TypeError(checks.refusal("setting", "examine", accepted, example.setting))


def _in_band(example: Example, setting: BandTeacher) -> Outcome:
    """Examine a world in a band."""
    learner, claim = example.learner, example.claim
    teacher, x, y = _sample(example)
    d = np.linalg.svd(setting.basis(x), compute_uv=False)  # for n < M of what is not lost
    kappa, gain = (float(top / d[-1]) if d[-1] > 0 else math.inf for top in (d[0], math.sqrt(example.n)))
    bound = rounding(claim, learner, kappa)
    if not bound <= UNTESTED[getattr(learner, "precision", "float64")]:
        status = f"The condition number {kappa:.2g} leaves nothing to claim."
        return Outcome("not tested", math.nan, bound, kappa, status)
    if setting.noise_std:
        amplified = (gain if claim.noise_gain == "gain" else kappa) if claim.heeds_condition else 1.0
        share = math.sqrt(claim.c_noise * setting.basis.size * (setting.outputs or 1) / example.n)
        bound += amplified * share * setting.noise_std / float(np.linalg.norm(teacher.coefficients))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Undersampled)
        fitted = learner.fit(x, y, generator(example.seed, "learner"))
    return _judged(relative_error(setting, teacher, fitted, generator(example.seed, "fresh")), bound, kappa)


def _in_class(example: Example, setting: NetworkTeacher) -> Outcome:
    """Examine a world of a network class, where zero training error is claimed to be the teacher."""
    teacher, x, y = _sample(example)
    found: Any = example.learner.fit(x, y, generator(example.seed, "learner")).function
    if found.training_error > ZERO_ERROR:
        return Outcome("not tested", math.nan, math.inf, math.inf, f"No start arrived: {found.status}")
    fresh = setting.fresh(POINTS // 4, generator(example.seed, "fresh"))
    truth = teacher(fresh)
    size = float(np.linalg.norm(truth))
    bound = example.claim.c * float(np.finfo(np.float64).eps)
    if example.claim.heeds_condition:
        bound = example.claim.c_class * float(np.linalg.norm(found.error_bound(fresh))) / size
    if not bound <= UNTESTED["float64"]:
        status = f"The condition number {found.condition:.2g} leaves nothing to claim."
        return Outcome("not tested", math.nan, bound, found.condition, status)
    return _judged(float(np.linalg.norm(found(fresh) - truth)) / size, bound, found.condition)


def _sample(example: Example) -> tuple[Any, Array, Array]:
    """Return the teacher, the nodes, and their labels."""
    setting: Any = example.setting
    teacher = setting.teacher(generator(example.seed, "teacher"))
    x = setting.inputs(example.n, generator(example.seed, "inputs"))
    return teacher, x, setting.channel.label(teacher(x), generator(example.seed, "labels"))


def _judged(error: float, bound: float, kappa: float) -> Outcome:
    verdict = "holds" if error <= bound else "refuted"
    status = f"Relative error {error:.2g}, bound {bound:.2g} at condition number {kappa:.2g}: {verdict}."
    return Outcome(verdict, error, bound, kappa, status)


def rounding(claim: Claim, learner: Learner, kappa: float) -> float:
    """Return the part of a claim's bound that is rounding: c kappa eps, in the precision of the learner."""
    precision = claim.precision or getattr(learner, "precision", "float64")
    return claim.c * (kappa if claim.heeds_condition else 1.0) * float(np.finfo(precision).eps)
