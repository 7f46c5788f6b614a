"""Regression on random features of the inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from errsrc import checks
from errsrc.bases import Basis
from errsrc.fields import choice, flag, instance, integer, number
from errsrc.learners.gradient_descent import learned_share
from errsrc.learners.spectral import SpectralLearner, rounding_cutoff, truncated_inverse
from errsrc.rng import seed_of
from errsrc.settings import FunctionClass
from errsrc.settings.features import ACTIVATIONS, WEIGHTS, FeatureSpan, check_features
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class RandomFeatures(SpectralLearner):
    """Linear regression on m random features, by ridge regression or by gradient descent.

    Feature j of an input x is act(w_j' x) / sqrt(m), with standard normal weights w_j.  If a basis is given,
    the scaled basis functions at x replace the coordinates of x (see `errsrc.settings.FeatureSpan`).

    Let Z be the n x m matrix of the features of the examples.  Without `steps`, the coefficients minimise |y
    - Z c|^2 + ridge |c|^2; for ridge 0, they are the solution of smallest norm.  With `steps`, the
    coefficients are the result of full-batch gradient descent from 0.  A step is c <- c + learning_rate / n
    (Z'(y - Z c) - ridge c); this is gradient descent on the same objective, divided by 2 n.

    If the setting has closed forms for the class of these features, and `fixed` is false, each draw of a
    budget has its own features, which are derived from the seed.  The terms are then means over features and
    inputs.  Otherwise all draws have the features of `seed`.

    Parameters
    ----------
    m : int
        Number of features, >= 1.
    seed : int
        Seed of the features, >= 0.
    fixed : bool
        Whether all draws of a budget have the features of `seed`.
    activation : str
        The function act of the features: "linear", "relu", "erf" or "square".
    ridge : float
        The penalty, >= 0, not divided by n.
    steps : int, optional
        Number of steps of gradient descent, >= 0; None for its limit after infinitely many steps.
    learning_rate : float
        Learning rate, > 0.  It must be below 2 n / (d^2 + ridge), where d is the largest singular value of Z.
        For larger rates the descent would not converge.
    basis : Basis or None
        Basis whose functions the features combine; None for features of the inputs themselves.
    decay : float
        The variance of a basis function of degree k in the features is proportional to max(k, 1)^-decay.
        Without a basis, the decay must be 0.
    weights : str
        "normal" for normal weights; "fourier" for random Fourier features sqrt(2 / m) cos(k_j' x + b_j) with
        frequencies of a `Torus`.

    Notes
    -----
    The terms of the budget have closed forms, given inputs and features, in these cases: a linear teacher of
    normal inputs (`LinearTeacher`) and features without a basis, or a teacher in a band (`BandTeacher`) and
    features of a basis with the same domain.  All four activations have closed forms for linear teachers.
    For teachers in a band, "linear" features have them for every basis, "square" features for the bases of
    errsrc, and "relu" and "erf" features for a `Cube` of at most 14 bits.

    The learner computes the result of gradient descent from a formula.  Therefore the cost does not grow with
    the number of steps.  No feature of an even activation, such as "square", is correlated with a linear
    teacher.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((20, 4))
    >>> learner = RandomFeatures(m=4)
    >>> bool(np.allclose(learner.fit(x, x[:, 1], np.random.default_rng(0))(x), x[:, 1]))
    True

    Random features of a kernel with known eigenfunctions, and a teacher from the same kernel:

    >>> from errsrc.bases import Torus
    >>> from errsrc.settings import BandTeacher
    >>> from errsrc.sources import budget
    >>> kernel = {"basis": Torus(8), "decay": 2.0}
    >>> found = budget(BandTeacher(**kernel), RandomFeatures(10, ridge=0.01, **kernel), n=12)
    >>> print(found.status.partition(";")[0])
    Random inputs: exact given inputs and features
    """

    m: int = integer(100, at_least=1)
    seed: int = integer(0, at_least=0)
    fixed: bool = flag(False)
    activation: str = choice("linear", ACTIVATIONS)
    ridge: float = number(0.0, at_least=0)
    steps: int | None = integer(None, at_least=0)
    learning_rate: float = number(0.1, above=0)
    basis: Basis | None = instance(Basis, "a basis of errsrc.bases", None)
    decay: float = number(0.0, at_least=-100, at_most=100)
    weights: str = choice("normal", WEIGHTS)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_features(self, "RandomFeatures")

    @property
    def function_class(self) -> FunctionClass:
        """The functions that the features of `seed` span."""
        return FeatureSpan(self.m, self.seed, self.activation, self.basis, self.decay, self.weights)

    def feature_map(self, x: Array) -> Array:
        """Return the features of inputs x (N, dim), float64 (N, m)."""
        return self.function_class.features(x)

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return the gains of singular values d (p,), for an objective of n = shape[0] examples.

        The gains are d / (d^2 + ridge), or 1 / d for ridge 0.  With `steps` = t and the learning rate r,
        these gains are multiplied by 1 - (1 - r (d^2 + ridge) / n)^t.

        Raises
        ------
        ValueError
            If gradient descent would not converge.
        """
        if self.steps is None and not self.ridge:
            return truncated_inverse(d, rounding_cutoff(shape))
        square = d**2 + self.ridge
        limit = np.divide(d, square, out=np.zeros_like(d), where=square > 0)
        if self.steps is None:
            return limit
        progress = self.learning_rate * square / shape[0]
        if progress[0] >= 2:
            accepted = f"below {2 * self.learning_rate / progress[0]:.2g} for these examples"
            raise ValueError(checks.refusal("learning_rate", "RandomFeatures", accepted, self.learning_rate))
        return limit * learned_share(progress, self.steps)

    def inverts_singular_values(self, shape: tuple[int, int]) -> bool:
        """Return whether ridge is 0 and steps is None, see `Learner.inverts_singular_values`."""
        return self.steps is None and not self.ridge

    def at_horizon(self) -> Self | None:
        """Return the learner for infinitely many steps, or None if `steps` is None."""
        return None if self.steps is None else replace(self, steps=None)

    def in_draw(self, rng: np.random.Generator) -> Self:
        """Return a copy with features of its own, or the learner itself if `fixed`; see `Learner.in_draw`."""
        if self.fixed:
            return self
        return replace(self, seed=seed_of(self.seed, "draw", int(rng.integers(2**63))), fixed=True)
