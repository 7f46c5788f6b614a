"""The learner that knows a bound on the band, and chooses a band from the data."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from errsrc.bases import Basis, Torus, shared_positions
from errsrc.bases.basis import BASIS
from errsrc.bases.memory import check_memory
from errsrc.fields import declare
from errsrc.learners.band import BandFit, BandLeastSquares
from errsrc.learners.learner import Learner, indicators
from errsrc.learners.spectral import rounding_cutoff
from errsrc.learners.uniqueness import IDENTIFIED
from errsrc.settings import Band, FunctionClass
from errsrc.settings.setting import Array

VANISHED = 1e-12
"""Largest relative residual that counts as zero, see `BandFit.residual`."""


@dataclass(frozen=True, eq=False)
class SelectedFit(BandFit):
    """A function in a band that was chosen from data, with a comparison of all candidate bands.

    A `SelectedFit` has the attributes of `BandFit`, and the following attributes about the C bands that were
    compared.

    Attributes
    ----------
    sizes : ndarray of int64, (C,)
        Number of functions M of each band, in ascending order.
    residuals : ndarray of float64, (C,)
        Root mean square of the residuals of the fit in each band, divided by the root mean square of the
        labels.
    validation : ndarray of float64, (C,)
        Leave-one-out error of each band: the mean squared error of predicting each label from all other
        examples, divided by the mean square of the labels.
    determined : bool
        Whether the examples determine the function in the chosen band.  If the band was chosen because its
        fit has no residual, the inputs must also distinguish all functions of the largest band from the
        functions of the chosen band.  On a grid, for example, the inputs may not do so: a function outside
        the chosen band can then have the same labels.
    vanished : bool
        True if the band was chosen because its fit has no residual (up to rounding), False if it was chosen
        because it has the smallest leave-one-out error.
    """

    sizes: NDArray[np.int64]
    residuals: Array
    validation: Array
    vanished: bool


@dataclass(frozen=True)
class BandSelection(Learner):
    """Least squares in a band that is chosen from the data.

    The candidates are a largest band, `bound`, and the smaller bands inside it.  The learner compares only
    the candidates with fewer functions than there are examples.  It fits each candidate to the examples, and
    chooses the smallest band whose fit has no residual (up to rounding).  At inputs in general position, the
    residual is zero only if the target function is in the band and the labels have no noise.  If all fits
    have a residual, the learner chooses the band with the smallest leave-one-out error.  A predictor's
    ``function`` is a `SelectedFit`, whose status names the band and the reason for the choice.

    Parameters
    ----------
    bound : Basis
        The basis of the largest band.  The candidates are the bases in ``bound.nested``; the last of them is
        `bound` itself.

    Notes
    -----
    One QR decomposition compares all bands, because the functions of a band are the first functions of the
    next larger band.  The leave-one-out error of a label is its residual divided by one minus its leverage
    (Allen 1974).  Cost: n min(n, M)^2 operations.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(0, 2 * np.pi, (20, 1))
    >>> f = BandSelection(Torus(50)).fit(x, np.cos(3 * x[:, 0]), np.random.default_rng(0))
    >>> f.function.basis
    Torus(degree=3, dim=1, shape='box')
    >>> f.function.status[:75]
    'M = 7 within a bound of 101: the first of 10 bands whose residual vanishes,'
    """

    bound: Basis = declare(BASIS, Torus())

    @property
    def function_class(self) -> FunctionClass:
        """All functions in the largest band."""
        return Band(self.bound)

    def _fit(self, x: Array, y: Array, rng: np.random.Generator) -> SelectedFit:
        labels = indicators(y)
        compared = self._compare(x, labels.reshape(len(x), -1))
        vanished = np.flatnonzero(compared.residuals <= VANISHED)
        chosen = int(vanished[0]) if len(vanished) else int(compared.validation.argmin())
        fit = BandLeastSquares(compared.bands[chosen]).fit(x, labels, rng).function
        of_fit = {each.name: getattr(fit, each.name) for each in dataclasses.fields(BandFit)}
        of_fit["status"] = self._status(len(x), chosen, compared)
        same = self._same_outside(x, compared.bands[chosen]) if len(vanished) else 0
        if same:
            of_fit["determined"] = False
            of_fit["status"] += (
                f" At these inputs, {same:,} functions outside the band equal functions in it."
            )
        return SelectedFit(
            **of_fit,
            sizes=compared.sizes,
            residuals=compared.residuals,
            validation=compared.validation,
            vanished=bool(len(vanished)),
        )

    def _same_outside(self, x: Array, band: Basis) -> int:
        """Return how many functions of `bound` outside a band equal a function in the band at the inputs."""
        features = self.bound(x)
        inside = shared_positions(band, self.bound)[1]
        q, outside = qr(features[:, inside], mode="economic")[0], np.delete(features, inside, axis=1)
        left = outside - q @ (q.T @ outside)
        left -= q @ (q.T @ left)  # twice, so that it is orthogonal up to rounding
        return int((np.linalg.norm(left, axis=0) <= IDENTIFIED * np.linalg.norm(outside, axis=0)).sum())

    def _compare(self, x: Array, labels: Array) -> _Comparison:
        """Return the bands of at most n - 1 functions, their relative residuals and leave-one-out errors."""
        n, norm = len(x), float(np.linalg.norm(labels)) or 1.0
        check_memory(n, self.bound.size, "BandSelection")
        bands = list(itertools.takewhile(lambda band: band.size < max(n, 2), self.bound.nested))
        columns, ends = _joint_columns(bands)
        features = bands[-1](x)[:, columns]
        q, r = qr(features, mode="economic")
        independent = np.abs(np.diag(r)) > rounding_cutoff(features.shape) * np.abs(r).max()
        left, leverage = labels.copy(), np.zeros(n)
        residuals, validation, start = [], [], 0
        for end in ends:
            part = q[:, start:end]
            left -= part @ (part.T @ labels)
            leverage += (part**2).sum(1)
            start = end
            free = 1 - leverage
            overdetermined = end < n and bool(independent[:end].all())
            judged = overdetermined and bool((free > rounding_cutoff((n, end))).all())
            residuals.append(float(np.linalg.norm(left)) / norm if judged else np.inf)
            left_out = np.linalg.norm(left / free[:, None]) if judged else np.inf
            validation.append(float(left_out / norm) ** 2)
        return _Comparison(bands, np.array(residuals), np.array(validation))

    def _status(self, n: int, chosen: int, compared: _Comparison) -> str:
        """Return in a sentence which band was chosen, and why."""
        sizes, residuals, validation = compared.sizes, compared.residuals, compared.validation
        band = f"M = {sizes[chosen]} within a bound of {self.bound.size}"
        if residuals[chosen] == np.inf:
            return f"{band}: the smallest band, since n = {n} examples leave nothing to choose by."
        if residuals[chosen] <= VANISHED:
            before = f"; the band before leaves {residuals[chosen - 1]:.2g}" if chosen else ""
            return (
                f"{band}: the first of {len(sizes)} bands whose residual vanishes, {residuals[chosen]:.1g} "
                f"of the labels at n = {n} examples{before}."
            )
        rivals = np.delete(validation, chosen)
        rival = f", {rivals.min():.3g} by the next best" if np.isfinite(rivals).any() else ""
        at_bound = ", or the function is outside the bound" if sizes[-1] == self.bound.size else ""
        return (
            f"{band}: the best of {len(sizes)} bands by labels left out, which it misses by "
            f"{validation[chosen]:.3g} of their mean square{rival}; no band of fewer than n = {n} functions "
            f"fits without residual, so labels have noise or their band is larger{at_bound}."
        )


@dataclass(frozen=True, eq=False)
class _Comparison:
    """Bands, with the relative residual and the relative leave-one-out error of each, (C,)."""

    bands: Sequence[Basis]
    residuals: Array
    validation: Array

    @property
    def sizes(self) -> NDArray[np.int64]:
        """M of each band, (C,)."""
        return np.array([band.size for band in self.bands])


def _joint_columns(bands: Sequence[Basis]) -> tuple[list[int], list[int]]:
    """Return the last band's functions ordered so that each band comes first, and the end of each band."""
    columns: list[int] = []
    ends = []
    for band in bands:
        columns += np.setdiff1d(shared_positions(band, bands[-1])[1], columns).tolist()
        ends.append(len(columns))
    return columns, ends
