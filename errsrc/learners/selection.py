"""The learner that is told a bound on the band: it chooses the band from the data."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from errsrc import checks
from errsrc.bases import Basis, Torus, shared_positions
from errsrc.bases.memory import check_memory
from errsrc.learners.band import BandFit, BandLeastSquares
from errsrc.learners.learner import Learner, indicators
from errsrc.learners.spectral import rounding_cutoff
from errsrc.settings import Band, FunctionClass
from errsrc.settings.setting import Array

VANISHED = 1e-12
"""A residual, relative to the labels, that is rounding alone."""


@dataclass(frozen=True, eq=False)
class SelectedFit(BandFit):
    """A function in a band that was chosen from data, with what speaks for it.

    Attributes
    ----------
    sizes
        int64 (C,): M of each band compared, the smallest first.
    residuals
        float64 (C,): root mean square of what each leaves of the labels, relative to theirs.
    validation
        float64 (C,): mean squared error of each in predicting the labels left out one by one, relative to
        the labels' mean square.
    vanished
        Whether the band was chosen because its residual vanishes; by ``validation`` otherwise.
    """

    sizes: NDArray[np.int64]
    residuals: Array
    validation: Array
    vanished: bool


@dataclass(frozen=True)
class BandSelection(Learner):
    """Least squares in the band that the data choose, among those of lower degree within a bound.

    Chosen is the smallest band whose residual vanishes though it has fewer functions than there are examples,
    which in general position happens only where it holds the function and labels have no noise; where there
    is none, the one that predicts labels best that are left out one by one.  A predictor's ``function`` is a
    `SelectedFit`, whose status says which band it is, and by what.

    Attributes
    ----------
    bound
        The largest band; the others are its ``nested``.

    Notes
    -----
    All bands are compared by one QR decomposition, in which each is the beginning of the next: the label left
    out is missed by the residual over one less the leverage (Allen 1974).  Cost: n min(n, M)^2.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(0, 2 * np.pi, (20, 1))
    >>> f = BandSelection(Torus(50)).fit(x, np.cos(3 * x[:, 0]), np.random.default_rng(0))
    >>> f.function.basis
    Torus(degree=3, dim=1, shape='box')
    >>> f.function.status[:75]
    'M = 7 within a bound of 101: the first of 10 bands whose residual vanishes,'
    """

    bound: Basis = field(default=Torus())

    def __post_init__(self) -> None:
        if not isinstance(self.bound, Basis):
            raise TypeError(checks.refusal("bound", "BandSelection", "a basis of errsrc.bases", self.bound))

    @property
    def function_class(self) -> FunctionClass:
        """The bound."""
        return Band(self.bound)

    def _fit(self, x: Array, y: Array, rng: np.random.Generator) -> SelectedFit:
        labels = indicators(y)
        bands, residuals, validation = self._compare(x, labels.reshape(len(x), -1))
        vanished = np.flatnonzero(residuals <= VANISHED)
        place = int(vanished[0]) if len(vanished) else int(validation.argmin())
        sizes = np.array([band.size for band in bands])
        fit = BandLeastSquares(bands[place]).fit(x, labels, rng).function
        known = {each.name: getattr(fit, each.name) for each in dataclasses.fields(BandFit)}
        known["status"] = self._status(len(x), place, sizes, residuals, validation)
        return SelectedFit(
            **known, sizes=sizes, residuals=residuals, validation=validation, vanished=bool(len(vanished))
        )

    def _compare(self, x: Array, labels: Array) -> tuple[list[Basis], Array, Array]:
        """Return the bands that examples determine, their relative residuals and errors left out."""
        n, norm = len(x), float(np.linalg.norm(labels)) or 1.0
        check_memory(n, self.bound.size, "BandSelection")
        bands = list(itertools.takewhile(lambda band: band.size < max(n, 2), self.bound.nested))
        columns: list[int] = []
        ends = []
        for band in bands:
            columns += np.setdiff1d(shared_positions(band, bands[-1])[1], columns).tolist()
            ends.append(len(columns))
        features = bands[-1](x)[:, columns]
        q, r = qr(features, mode="economic")
        sound = np.abs(np.diag(r)) > rounding_cutoff(features.shape) * np.abs(r).max()
        left, leverage = labels.copy(), np.zeros(n)
        residuals, validation, start = [], [], 0
        for end in ends:
            part = q[:, start:end]
            left -= part @ (part.T @ labels)
            leverage += (part**2).sum(1)
            start = end
            free = 1 - leverage
            judged = end < n and bool(sound[:end].all()) and bool((free > rounding_cutoff((n, end))).all())
            residuals.append(float(np.linalg.norm(left)) / norm if judged else np.inf)
            missed = np.linalg.norm(left / free[:, None]) if judged else np.inf
            validation.append(float(missed / norm) ** 2)
        return bands, np.array(residuals), np.array(validation)

    def _status(
        self, n: int, place: int, sizes: NDArray[np.int64], residuals: Array, validation: Array
    ) -> str:
        chosen = f"M = {sizes[place]} within a bound of {self.bound.size}"
        if residuals[place] == np.inf:
            return f"{chosen}: the smallest band, since n = {n} examples leave nothing to choose by."
        if residuals[place] <= VANISHED:
            before = f"; the band before leaves {residuals[place - 1]:.2g}" if place else ""
            return (
                f"{chosen}: the first of {len(sizes)} bands whose residual vanishes, {residuals[place]:.1g} "
                f"of the labels at n = {n} examples{before}."
            )
        rivals = np.delete(validation, place)
        rival = f", {rivals.min():.3g} by the next best" if np.isfinite(rivals).any() else ""
        beyond = ", or the function lies beyond the bound" if sizes[-1] == self.bound.size else ""
        return (
            f"{chosen}: the best of {len(sizes)} bands by labels left out, which it misses by "
            f"{validation[place]:.3g} of their mean square{rival}; no band of fewer than n = {n} functions "
            f"fits without residual, so labels have noise or their band is larger{beyond}."
        )
