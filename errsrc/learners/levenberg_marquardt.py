"""Levenberg-Marquardt for many least-squares problems at once, each with its own damping."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

_FIRST, _LEAST, _MOST = 0.1, 1e-20, 1e12  # damping: initial, smallest and largest
_LOWERED = 0.5  # smallest factor by which a step that is taken multiplies the damping
_RAISED = 2.0  # factor by which a step that is not taken multiplies the damping; doubles with each such step
# largest trace of J'J, divided by the penalty, for which the normal equations lose at most half the digits
_WELL_CONDITIONED = 1e8

ResidualFunction = Callable[[Tensor], Tensor]
"""Function that maps points (E, P) to residuals (E, R)."""
JacobianFunction = Callable[[Tensor], Tensor]
"""Function that maps points (E, P) to the Jacobian of minus the residuals, (E, R, P).

This is the Jacobian of the predictions.
"""


class LevenbergMarquardt:
    """Levenberg-Marquardt iteration for E least-squares problems at once (Marquardt 1963).

    Each problem has R residuals r, which depend on P parameters, and minimises their mean square.  A step d
    minimises ||r - J d||^2 / R + damping ||d||^2, where J is the Jacobian of -r.  If the damping is small, d
    is computed by QR, because the normal equations square the condition number of J and would lose half the
    digits.  A step is taken if it lowers the loss.  The damping depends on how well J predicts this decrease,
    as in Nielsen 1999, but it falls more slowly than in that paper.

    Parameters
    ----------
    residuals : callable
        Function that maps points (E, P) to residuals r, (E, R).
    jacobian : callable
        Function that maps points (E, P) to the Jacobian J of -r, (E, R, P).
    point : Tensor of float64, (E, P)
        Points at which the problems start.

    Attributes
    ----------
    point : Tensor of float64, (E, P)
        Current point of each problem.
    loss : Tensor of float64, (E,)
        Mean squared residual of each problem, in squared units of the residuals.
    """

    def __init__(self, residuals: ResidualFunction, jacobian: JacobianFunction, point: Tensor) -> None:
        self._residuals, self._jacobian = residuals, jacobian
        self.point = point
        self._r, self._j = residuals(point), jacobian(point)
        self.loss = self._r.square().mean(1)
        self._damping = torch.full_like(self.loss, _FIRST)
        self._raise = torch.full_like(self.loss, _RAISED)

    def restart(self, problems: Tensor, point: Tensor) -> None:
        """Let some problems start again from other points.

        Parameters
        ----------
        problems : Tensor of int64, (K,)
            Indices of the problems.
        point : Tensor of float64, (K, P)
            The new points of these problems.
        """
        self.point[problems] = point
        self._r[problems], self._j[problems] = self._residuals(point), self._jacobian(point)
        self.loss[problems] = self._r[problems].square().mean(1)
        self._damping[problems], self._raise[problems] = _FIRST, _RAISED

    def lower_damping(self) -> None:
        """Set the damping to its smallest value, for points that are minima up to rounding errors."""
        self._damping.fill_(_LEAST)

    def keep(self, mask: Tensor) -> None:
        """Keep some problems and drop all others.

        Parameters
        ----------
        mask : Tensor of bool, (E,)
            True for the problems to keep.
        """
        self.point, self.loss = self.point[mask], self.loss[mask]
        self._r, self._j = self._r[mask], self._j[mask]
        self._damping, self._raise = self._damping[mask], self._raise[mask]

    def step(self) -> None:
        """Try one step of every problem, and take the step if it lowers the loss of the problem."""
        rows = self._j.shape[1]
        trial, predicted = self._proposed(self._damping * rows)
        residuals = self._residuals(trial)
        loss = residuals.square().mean(1)
        taken = loss < self.loss
        lowered = (1 - (2 * (self.loss - loss) * rows / predicted - 1) ** 3).clamp(_LOWERED, 2.0)
        self._damping = (self._damping * torch.where(taken, lowered, self._raise)).clamp(_LEAST, _MOST)
        self._raise = torch.where(taken, _RAISED, (2 * self._raise).clamp(max=64.0))
        self.point = torch.where(taken[:, None], trial, self.point)
        self._r = torch.where(taken[:, None], residuals, self._r)
        self.loss = torch.where(taken, loss, self.loss)
        self._j[taken] = self._jacobian(trial[taken])

    def _proposed(self, penalty: Tensor) -> tuple[Tensor, Tensor]:
        """Return the points after a step, (E, P), and the predicted decrease of the sums of squares, (E,)."""
        move, predicted = torch.empty_like(self.point), torch.empty_like(self.loss)
        well_conditioned = self._j.square().sum((1, 2)) <= _WELL_CONDITIONED * penalty
        for mask, solve in ((well_conditioned, by_normal_equations), (~well_conditioned, _by_qr)):
            if mask.all():
                move, predicted = solve(self._j, self._r, penalty)
            elif mask.any():
                move[mask], predicted[mask] = solve(self._j[mask], self._r[mask], penalty[mask])
        return self.point + move, predicted


def by_normal_equations(j: Tensor, r: Tensor, penalty: Tensor) -> tuple[Tensor, Tensor]:
    """Return the steps d that minimise ||r - J d||^2 + penalty ||d||^2, by the normal equations.

    Parameters
    ----------
    j : Tensor of float64, (E, R, P)
        The Jacobians J.
    r : Tensor of float64, (E, R)
        The residuals.
    penalty : Tensor of float64, (E,)
        Penalties, > 0.

    Returns
    -------
    steps : Tensor of float64, (E, P)
        The steps d.
    decreases : Tensor of float64, (E,)
        The sum ||r - J d||^2 + penalty ||d||^2 at d = 0, minus the sum at the step.
    """
    right = j.mT @ r.unsqueeze(2)
    matrix = j.mT @ j
    matrix.diagonal(dim1=1, dim2=2).add_(penalty[:, None])
    move = torch.cholesky_solve(right, torch.linalg.cholesky_ex(matrix)[0])[..., 0]
    return move, (move * right[..., 0]).sum(1)


def _by_qr(j: Tensor, r: Tensor, penalty: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same as `by_normal_equations`, by QR of J stacked on the root of the penalty."""
    members, rows, size = j.shape
    stacked = j.new_zeros(members, rows + size, size + 1)
    stacked[:, :rows, :size], stacked[:, :rows, size] = j, r
    stacked[:, rows:, :size].diagonal(dim1=1, dim2=2).copy_(penalty.sqrt()[:, None].expand(members, size))
    triangle = torch.from_numpy(np.linalg.qr(stacked.numpy(), mode="r"))
    right = triangle[:, :size, size:]
    move = torch.linalg.solve_triangular(triangle[:, :size, :size], right, upper=True)
    return move[..., 0], right[..., 0].square().sum(1)
