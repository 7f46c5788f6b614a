"""A learner whose predictor is projected on a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lstsq

from errsrc import checks
from errsrc.bases import BandFunction, Basis, Torus
from errsrc.bases.basis import BASIS
from errsrc.errors import Diverged
from errsrc.fields import declare, integer
from errsrc.learners.learner import LEARNER, BatchLearner, Fitted, Learner, check_examples
from errsrc.learners.network import NetworkStudent
from errsrc.settings import Band, FunctionClass
from errsrc.settings.setting import Array


@dataclass(frozen=True, eq=False)
class LowPassFit(BandFunction):
    """The projection of another learner's predictor on a band.

    Attributes
    ----------
    basis : Basis
        The basis of the band.
    coefficients : ndarray of float64, (M,) or (M, outputs)
        Coefficients of the projection.
    diverged : bool
        Whether the training of the other learner's predictor diverged.
    """

    diverged: bool


@dataclass(frozen=True)
class LowPass(BatchLearner):
    """A learner that fits another learner and projects its predictor on a band.

    The projection uses only values of the predictor, not the labels.  By default, the values are taken at the
    points of a quadrature.  The order of the quadrature is `oversampling` times the order of the basis.  The
    projection is then exact if the order of the predictor is at most (2 oversampling - 1) times the order of
    the basis.  On a torus, higher frequencies of the predictor are aliased into the band.  If `sample` > 0,
    the projection is the least-squares fit in the band to the predictor's values at random inputs.  The
    squared error of this fit is about M / sample times the predictor's energy outside the band.  `fit`
    returns a predictor whose ``function`` is an ``errsrc.learners.low_pass.LowPassFit``.

    Parameters
    ----------
    learner : Learner
        The learner whose predictor is projected.
    basis : Basis
        The basis of the band.
    oversampling : int
        Order of the quadrature, divided by the order of the basis, >= 1.  This number has no effect for a
        basis on images.
    sample : int
        Number of random inputs at which the predictor is evaluated, >= M, or 0 to use the quadrature.  The
        number of points of a quadrature grows exponentially with the dimension.

    Examples
    --------
    >>> from errsrc.learners import Neighbours
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(0, 2 * np.pi, (200, 1))
    >>> at = np.linspace(0, 2 * np.pi, 100)[:, None]
    >>> for learner in (Neighbours(1), LowPass(Neighbours(1), Torus(1))):
    ...     f = learner.fit(x, np.sin(x[:, 0]), rng)
    ...     print(f"{np.abs(f(at) - np.sin(at[:, 0])).max():.3f}")
    0.043
    0.011
    """

    learner: Learner = declare(LEARNER, NetworkStudent())
    basis: Basis = declare(BASIS, Torus())
    oversampling: int = integer(4, at_least=1)
    sample: int = integer(0, at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sample and self.sample < self.basis.size:
            accepted = f"0, or an integer >= M = {self.basis.size}"
            raise ValueError(checks.refusal("sample", "LowPass", accepted, self.sample))

    @property
    def function_class(self) -> FunctionClass:
        """All functions in the band."""
        return Band(self.basis)

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return a copy whose `learner` is resized to `dim` inputs and `outputs` outputs."""
        return replace(self, learner=self.learner.resized(dim, outputs))

    def fit_many(
        self, xs: Sequence[Array], ys: Sequence[NDArray[Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Fitted]:
        """Fit `learner` to all data sets in one call, and project each of its predictors on the band.

        Raises
        ------
        Diverged
            If `learner` raises this error.  The error's attribute ``best`` is the list of all projected
            predictors.
        """
        data = [check_examples(x, y, "LowPass") for x, y in zip(xs, ys, strict=True)]
        inputs = [self.basis.check_inputs(x) for x, _ in data]
        try:
            fitted = self.learner.fit_many(inputs, [y for _, y in data], rngs)
        except Diverged as error:
            raise Diverged(str(error), best=self._projected(error.best, rngs)) from None
        return self._projected(fitted, rngs)

    def _projected(self, fitted: Sequence[Fitted], rngs: Sequence[np.random.Generator]) -> list[Fitted]:
        """Return the projections of predictors on the band."""
        basis, out = self.basis, []
        if not self.sample and fitted:
            points, weights = basis.quadrature(self.oversampling * max(basis.order, 1))
            adjoint = basis(points).T
        for one, rng in zip(fitted, rngs, strict=True):
            if self.sample:
                points = basis.draw(self.sample, rng)
                coefficients: Array = lstsq(basis(points), one(points))[0]
            else:
                coefficients = adjoint @ (one(points).T * weights).T
            out.append(Fitted(self, LowPassFit(basis, coefficients, one.diverged), one.dim))
        return out
