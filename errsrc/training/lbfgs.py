"""Limited-memory BFGS for many problems at once, each with its own line search and its own end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from errsrc.training.optimiser import Optimiser

_MEMORY = 20  # pairs of moves and gradient changes
_TRIALS = 30  # points that a line search tries
_DECREASE, _CURVATURE = 1e-4, 0.9  # the two constants of the weak Wolfe conditions

Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Function of K points (K, P) and of the indices of their problems, int64 (K,).

It returns the problems' losses at these points, (K,), and the gradients, (K, P).
"""

# Names of attributes in checkpoints; files of version 0.1.0 have them.
_CHECKPOINT_NAMES = {
    "point": "point",
    "_numbers": "_numbers",
    "loss": "loss",
    "slope": "gradient",
    "stuck": "stalled",
    "_moves": "_moves",
    "_changes": "_changes",
    "_weight": "_inverse_products",
    "_scale": "_scale",
    "_taken": "_steps",
}


class LBFGS(Optimiser):
    """L-BFGS for E functions of P variables at once (Nocedal and Wright 2006, algorithm 7.4).

    A problem is the minimisation of one function, its loss.  The problems are independent of each other.
    Bisection finds steps that satisfy the weak Wolfe conditions (Lewis and Overton 2013, algorithm 2.6).  A
    problem has stalled if even steepest descent does not lower its loss by more than rounding errors.  The
    point of a stalled problem is a minimum, or the loss is not finite.

    Parameters
    ----------
    objective : callable
        Function that computes the losses and their gradients, see `Objective`.
    point : tensor (E, P)
        The point at which each problem starts.

    Attributes
    ----------
    point, loss, gradient
        The current point of each problem (E, P), and the loss (E,) and its gradient (E, P) at this point.
    stalled
        Whether each problem has stalled, bool (E,).
    """

    def __init__(self, objective: Objective, point: Tensor) -> None:
        members, size = point.shape
        self._objective = objective
        self.point = point
        self._numbers = torch.arange(members, device=point.device)
        self.loss, self.gradient = objective(point, self._numbers)
        self.stalled = ~torch.isfinite(self.loss)
        self._moves = point.new_zeros(_MEMORY, members, size)
        self._changes = point.new_zeros(_MEMORY, members, size)
        self._inverse_products = point.new_zeros(_MEMORY, members)  # 1 / (move . change); 0 without a pair
        self._scale = point.new_ones(members)
        self._steps = 0

    @property
    def weights(self) -> Tensor:
        """The current point of each problem, (E, P)."""
        return self.point

    @property
    def averaged_weights(self) -> Tensor:
        """The current point of each problem, (E, P), because L-BFGS does not average."""
        return self.point

    def keep(self, mask: Tensor) -> None:
        """Keep the problems where `mask`, bool (E,), is True, and drop all others."""
        self.point, self.loss, self.gradient = self.point[mask], self.loss[mask], self.gradient[mask]
        self.stalled, self._scale = self.stalled[mask], self._scale[mask]
        self._numbers = self._numbers[mask]
        self._moves, self._changes = self._moves[:, mask], self._changes[:, mask]
        self._inverse_products = self._inverse_products[:, mask]

    def state(self) -> dict[str, Any]:
        """Return everything that a step changes, for a checkpoint."""
        return {name: getattr(self, attribute) for name, attribute in _CHECKPOINT_NAMES.items()}

    def restore(self, state: dict[str, Any], active: Tensor) -> None:
        """Go back to a saved state of the problems with the indices `active`, see `Optimiser.restore`."""
        for name, attribute in _CHECKPOINT_NAMES.items():
            setattr(self, attribute, state[name])
        self._numbers = active

    def take_steps(self, step: int, count: int, budget: Tensor, loss_sum: Tensor) -> None:
        """Take `count` steps and add the loss before each step to `loss_sum`, see `Optimiser.take_steps`."""
        for _ in range(count):
            loss_sum += self.loss
            self.step()

    def step(self) -> None:
        """Move every problem that has not stalled to a point of lower loss."""
        direction = -self._inverse_hessian_product(self.gradient)
        derivative = (direction * self.gradient).sum(1)
        has_descent = torch.isfinite(derivative) & (derivative < 0)
        steepest = ~has_descent | ~(self._inverse_products > 0).any(0)  # along the gradient, without memory
        self._inverse_products[:, steepest] = 0
        direction[steepest] = -self.gradient[steepest]
        derivative[steepest] = -self.gradient[steepest].square().sum(1)
        length = torch.where(steepest, (1 / derivative.abs().sqrt()).clamp(max=1.0), 1.0)
        point, loss, gradient, moved = self._line_search(direction, derivative, length)
        self.stalled |= ~moved & steepest
        self._inverse_products[:, ~moved] = 0  # the next step is along the gradient
        self._store_pair(point - self.point, gradient - self.gradient, moved)
        self.point, self.loss, self.gradient = point, loss, gradient

    def _store_pair(self, move: Tensor, change: Tensor, moved: Tensor) -> None:
        """Store a pair of a move and the gradient's change, where the curvature along it is positive."""
        product, squared = (move * change).sum(1), change.square().sum(1)
        curved = moved & (product > torch.finfo(product.dtype).eps * squared)
        place = self._steps % _MEMORY
        self._steps += 1
        self._moves[place], self._changes[place] = move, change
        self._inverse_products[place] = torch.where(curved, 1 / product, 0.0)
        self._scale = torch.where(curved, product / squared, self._scale)

    def _inverse_hessian_product(self, gradient: Tensor) -> Tensor:
        """Return the estimated inverse Hessian times the gradient: the two-loop recursion."""
        places = [(self._steps - 1 - k) % _MEMORY for k in range(min(self._steps, _MEMORY))]
        result = gradient.clone()
        first = {}
        for place in places:
            first[place] = self._inverse_products[place] * (self._moves[place] * result).sum(1)
            result -= first[place][:, None] * self._changes[place]
        result *= self._scale[:, None]
        for place in reversed(places):
            second = self._inverse_products[place] * (self._changes[place] * result).sum(1)
            result += (first[place] - second)[:, None] * self._moves[place]
        return result

    def _line_search(
        self, direction: Tensor, derivative: Tensor, length: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return points, losses and gradients along the directions, and which problems moved.

        ``derivative`` (E,) is that of the loss along the direction, and ``length`` (E,) the first trial.
        """
        point, loss, gradient = self.point.clone(), self.loss.clone(), self.gradient.clone()
        moved = torch.zeros_like(self.stalled)
        low, high = torch.zeros_like(length), torch.full_like(length, torch.inf)
        # the decrease that the derivative predicts is above rounding
        resolved = -derivative * length > torch.finfo(loss.dtype).eps * loss.abs()
        searching = (~self.stalled & resolved).nonzero().flatten()
        for _ in range(_TRIALS):
            if not len(searching):
                break
            t = length[searching]
            trial = self.point[searching] + t[:, None] * direction[searching]
            trial_loss, trial_gradient = self._objective(trial, self._numbers[searching])
            bound = self.loss[searching] + _DECREASE * t * derivative[searching]
            lower = trial_loss <= bound  # False for NaN
            flat = (trial_gradient * direction[searching]).sum(1) >= _CURVATURE * derivative[searching]
            good = searching[lower]  # the best point so far: a longer step that is low enough too
            point[good], loss[good], gradient[good] = trial[lower], trial_loss[lower], trial_gradient[lower]
            moved[good] = True
            low[good] = t[lower]
            high[searching[~lower]] = t[~lower]
            searching = searching[~(lower & flat)]
            bounded = torch.isfinite(high[searching])
            middle = (low[searching] + high[searching]) / 2
            length[searching] = torch.where(bounded, middle, 2 * low[searching])
        return point, loss, gradient, moved
