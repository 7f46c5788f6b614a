"""A learner made band-limited: low-pass projection of its predictor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lstsq

from errsrc import checks
from errsrc.bases import BandFunction, Basis, Torus
from errsrc.errors import Diverged
from errsrc.learners.learner import Fitted, Learner, check_examples
from errsrc.learners.network import NetworkStudent
from errsrc.settings import Band, FunctionClass
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class LowPass(Learner):
    """Another learner, whose predictor is then projected on a band.

    The projection sees the predictor alone, not the labels again.  On the basis's own quadrature, of
    `oversampling` times its order, it is exact for predictors of up to (2 oversampling - 1) times the order:
    on a torus a predictor's frequencies from there on fold back into the band, and no others.  On a sample
    it is the band's least-squares fit to the predictor, off by about M / sample of the energy outside the
    band.

    Attributes
    ----------
    learner
        The other one.
    basis
        The band.
    oversampling
        Order of the quadrature over that of the basis, >= 1; for images there is only one quadrature.
    sample
        Number of uniform inputs to project on, >= M; 0 for the quadrature, whose size grows as a power of
        the dimension.

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

    learner: Learner = field(default=NetworkStudent())
    basis: Basis = field(default=Torus())
    oversampling: int = 4
    sample: int = 0

    def __post_init__(self) -> None:
        where = "LowPass"
        if not isinstance(self.learner, Learner):
            raise TypeError(checks.refusal("learner", where, "one of errsrc.learners", self.learner))
        if not isinstance(self.basis, Basis):
            raise TypeError(checks.refusal("basis", where, "a basis of errsrc.bases", self.basis))
        checks.integer(self.oversampling, "oversampling", where, 1)
        if checks.integer(self.sample, "sample", where, 0) and self.sample < self.basis.size:
            accepted = f"0, or an integer >= M = {self.basis.size}"
            raise ValueError(checks.refusal("sample", where, accepted, self.sample))

    @property
    def function_class(self) -> FunctionClass:
        """The band."""
        return Band(self.basis)

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return the same with the other learner suited."""
        return replace(self, learner=self.learner.resized(dim, outputs))

    def fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Fitted:
        """Return what is learned from labelled examples, see `Learner.fit` and `fit_many`."""
        return self.fit_many([x], [y], [rng])[0]

    def fit_many(
        self, xs: Sequence[Array], ys: Sequence[NDArray[Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Fitted]:
        """Return `fit` of each data set, all fitted by one call of the other learner's `fit_many`.

        Raises
        ------
        Diverged
            As the other learner does; its ``best`` is the list of all predictors, projected.
        """
        data = [check_examples(x, y, "LowPass") for x, y in zip(xs, ys, strict=True)]
        inner = [self.basis.check_inputs(x) for x, _ in data]
        try:
            fitted = self.learner.fit_many(inner, [y for _, y in data], rngs)
        except Diverged as error:
            raise Diverged(str(error), best=self._projected(error.best, rngs)) from None
        return self._projected(fitted, rngs)

    def _projected(self, fitted: Sequence[Fitted], rngs: Sequence[np.random.Generator]) -> list[Fitted]:
        """Return predictors in the band."""
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
            out.append(Fitted(self, BandFunction(basis, coefficients), one.dim))
        return out
