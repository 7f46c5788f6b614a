"""Levenberg-Marquardt over many least-squares problems at once, each with its own damping."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

_FIRST, _LEAST, _MOST = 0.1, 1e-20, 1e12  # damping
_LOWERED, _RAISED = 0.5, 2.0  # by at most this factor after a step that was taken; doubled after each refusal
_MILD = 1e8  # trace of J'J over the penalty up to which the normal equations lose at most half the digits

ResidualFunction = Callable[[Tensor], Tensor]
"""Maps points (E, P) to residuals (E, R)."""
JacobianFunction = Callable[[Tensor], Tensor]
"""Maps points (E, P) to the derivatives (E, R, P) of minus the residuals, the predictions' Jacobian."""


class LevenbergMarquardt:
    """Minimisers of E mean squares of R residuals r in P numbers (Marquardt 1963).

    A step d has the least ||r - J d||^2 / R + damping ||d||^2.  It comes from QR where the normal equations,
    which square J's condition number, would lose half the digits: where the damping is small.  It is taken if
    it lowers the loss.  How well J predicts the gain moves the damping (Nielsen 1999, but lowered slowly).

    Parameters
    ----------
    residuals, linearised
        Functions of points: r, and the derivatives J.

    Attributes
    ----------
    point, loss
        Where each problem stands, (E, P), and its mean squared residual, (E,).
    """

    def __init__(self, residuals: ResidualFunction, linearised: JacobianFunction, point: Tensor) -> None:
        self._residuals, self._linearised = residuals, linearised
        self.point = point
        self._r, self._j = residuals(point), linearised(point)
        self.loss = self._r.square().mean(1)
        self._damping = torch.full_like(self.loss, _FIRST)
        self._raise = torch.full_like(self.loss, _RAISED)

    def put(self, places: Tensor, point: Tensor) -> None:
        """Begin anew from points (K, P) at places, int64 (K,)."""
        self.point[places] = point
        self._r[places], self._j[places] = self._residuals(point), self._linearised(point)
        self.loss[places] = self._r[places].square().mean(1)
        self._damping[places], self._raise[places] = _FIRST, _RAISED

    def ease(self) -> None:
        """Lower the damping to the least, where the points are at their minima but for rounding."""
        self._damping.fill_(_LEAST)

    def keep(self, mask: Tensor) -> None:
        """Drop the problems outside ``mask``, bool (E,)."""
        self.point, self.loss = self.point[mask], self.loss[mask]
        self._r, self._j = self._r[mask], self._j[mask]
        self._damping, self._raise = self._damping[mask], self._raise[mask]

    def step(self) -> None:
        """Try a step of every problem."""
        rows = self._j.shape[1]
        trial, foreseen = self._proposed(self._damping * rows)
        residuals = self._residuals(trial)
        loss = residuals.square().mean(1)
        taken = loss < self.loss
        lowered = (1 - (2 * (self.loss - loss) * rows / foreseen - 1) ** 3).clamp(_LOWERED, 2.0)
        self._damping = (self._damping * torch.where(taken, lowered, self._raise)).clamp(_LEAST, _MOST)
        self._raise = torch.where(taken, _RAISED, (2 * self._raise).clamp(max=64.0))
        self.point = torch.where(taken[:, None], trial, self.point)
        self._r = torch.where(taken[:, None], residuals, self._r)
        self.loss = torch.where(taken, loss, self.loss)
        self._j[taken] = self._linearised(trial[taken])

    def _proposed(self, penalty: Tensor) -> tuple[Tensor, Tensor]:
        """Return where steps lead, (E, P), and what the sums of squares are foreseen to fall by, (E,)."""
        move, foreseen = torch.empty_like(self.point), torch.empty_like(self.loss)
        mild = self._j.square().sum((1, 2)) <= _MILD * penalty
        for mask, solve in ((mild, by_normal_equations), (~mild, _by_qr)):
            if mask.all():
                move, foreseen = solve(self._j, self._r, penalty)
            elif mask.any():
                move[mask], foreseen[mask] = solve(self._j[mask], self._r[mask], penalty[mask])
        return self.point + move, foreseen


def by_normal_equations(j: Tensor, r: Tensor, penalty: Tensor) -> tuple[Tensor, Tensor]:
    """Return the steps (E, P) and what they lower ||r - J d||^2 + penalty ||d||^2 by, (E,).

    Of ``j`` (E, R, P), ``r`` (E, R) and ``penalty`` (E,).
    """
    right = j.mT @ r.unsqueeze(2)
    matrix = j.mT @ j
    matrix.diagonal(dim1=1, dim2=2).add_(penalty[:, None])
    move = torch.cholesky_solve(right, torch.linalg.cholesky_ex(matrix)[0])[..., 0]
    return move, (move * right[..., 0]).sum(1)


def _by_qr(j: Tensor, r: Tensor, penalty: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same from the triangle of J over the root of the penalty."""
    members, rows, size = j.shape
    stacked = j.new_zeros(members, rows + size, size + 1)
    stacked[:, :rows, :size], stacked[:, :rows, size] = j, r
    stacked[:, rows:, :size].diagonal(dim1=1, dim2=2).copy_(penalty.sqrt()[:, None].expand(members, size))
    triangle = torch.from_numpy(np.linalg.qr(stacked.numpy(), mode="r"))
    right = triangle[:, :size, size:]
    move = torch.linalg.solve_triangular(triangle[:, :size, :size], right, upper=True)
    return move[..., 0], right[..., 0].square().sum(1)
