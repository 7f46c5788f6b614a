"""Limited-memory BFGS over many problems at once, each with its own line search and end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_MEMORY = 20  # pairs of steps and slope changes
_TRIALS = 30  # points looked at along one direction
_DESCENT, _CURVATURE = 1e-4, 0.9  # the two constants of the weak Wolfe conditions

Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Losses (K,) and slopes (K, P) at points (K, P) of the problems with numbers (K,), int64."""


class LBFGS:
    """Minimisers of E functions of P numbers (Nocedal and Wright 2006, algorithm 7.4).

    Steps satisfy the weak Wolfe conditions by bisection (Lewis and Overton 2013, algorithm 2.6).  What
    one problem does is never read by another.  A problem is ``stuck`` when not even steepest descent
    lowers its loss, to rounding: at a minimum, or where its loss is not finite.

    Parameters
    ----------
    objective
        The functions, see `Objective`.

    Attributes
    ----------
    point, loss, slope
        Where each problem stands: (E, P), (E,), (E, P).
    stuck
        bool (E,).
    """

    def __init__(self, objective: Objective, point: Tensor) -> None:
        members, size = point.shape
        self._objective = objective
        self.point = point
        self._numbers = torch.arange(members, device=point.device)
        self.loss, self.slope = objective(point, self._numbers)
        self.stuck = ~torch.isfinite(self.loss)
        self._moves = point.new_zeros(_MEMORY, members, size)
        self._changes = point.new_zeros(_MEMORY, members, size)
        self._weight = point.new_zeros(_MEMORY, members)  # 1 / (move . change); 0: no such pair
        self._scale = point.new_ones(members)
        self._taken = 0

    def keep(self, mask: Tensor) -> None:
        """Drop the problems outside ``mask``, bool (E,); the others keep their numbers."""
        self.point, self.loss, self.slope = self.point[mask], self.loss[mask], self.slope[mask]
        self.stuck, self._scale, self._numbers = self.stuck[mask], self._scale[mask], self._numbers[mask]
        self._moves, self._changes = self._moves[:, mask], self._changes[:, mask]
        self._weight = self._weight[:, mask]

    @property
    def raw(self) -> Tensor:
        """The points themselves, (E, P)."""
        return self.point

    def state(self) -> dict[str, Any]:
        """Return all that changes from step to step."""
        return {name: value for name, value in vars(self).items() if name != "_objective"}

    def restore(self, state: dict[str, Any], live: Tensor) -> None:
        """Go back to a `state`, in which the problems have the numbers ``live``, int64 (members,)."""
        vars(self).update(state, _numbers=live)

    def step(self) -> None:
        """Move every problem that is not stuck to a point of lower loss."""
        direction = -self._inverse(self.slope)
        down = (direction * self.slope).sum(1)
        fresh = ~(torch.isfinite(down) & (down < 0)) | ~(self._weight > 0).any(0)
        self._weight[:, fresh] = 0
        direction[fresh] = -self.slope[fresh]
        down[fresh] = -self.slope[fresh].square().sum(1)
        reach = torch.where(fresh, (1 / down.abs().sqrt()).clamp(max=1.0), 1.0)
        point, loss, slope, moved = self._search(direction, down, reach)
        self.stuck |= ~moved & fresh
        self._weight[:, ~moved] = 0  # the next step is along the slope
        move, change = point - self.point, slope - self.slope
        along, squared = (move * change).sum(1), change.square().sum(1)
        curved = moved & (along > torch.finfo(along.dtype).eps * squared)
        place = self._taken % _MEMORY
        self._taken += 1
        self._moves[place], self._changes[place] = move, change
        self._weight[place] = torch.where(curved, 1 / along, 0.0)
        self._scale = torch.where(curved, along / squared, self._scale)
        self.point, self.loss, self.slope = point, loss, slope

    def _inverse(self, slope: Tensor) -> Tensor:
        """Return the inverse Hessian's estimate times the slopes: the two-loop recursion."""
        places = [(self._taken - 1 - k) % _MEMORY for k in range(min(self._taken, _MEMORY))]
        result = slope.clone()
        shares = {}
        for place in places:
            shares[place] = self._weight[place] * (self._moves[place] * result).sum(1)
            result -= shares[place][:, None] * self._changes[place]
        result *= self._scale[:, None]
        for place in reversed(places):
            share = shares[place] - self._weight[place] * (self._changes[place] * result).sum(1)
            result += share[:, None] * self._moves[place]
        return result

    def _search(
        self, direction: Tensor, down: Tensor, reach: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return points, losses and slopes along the directions, and which problems moved."""
        point, loss, slope = self.point.clone(), self.loss.clone(), self.slope.clone()
        moved = torch.zeros_like(self.stuck)
        low, high = torch.zeros_like(reach), torch.full_like(reach, torch.inf)
        resolved = -down * reach > torch.finfo(loss.dtype).eps * loss.abs()  # what the slope promises
        open_ = (~self.stuck & resolved).nonzero().flatten()
        for _ in range(_TRIALS):
            if not len(open_):
                break
            t = reach[open_]
            trial = self.point[open_] + t[:, None] * direction[open_]
            its_loss, its_slope = self._objective(trial, self._numbers[open_])
            lower = its_loss <= self.loss[open_] + _DESCENT * t * down[open_]  # False for NaN
            flat = (its_slope * direction[open_]).sum(1) >= _CURVATURE * down[open_]
            good = open_[lower]  # the best so far: a longer step that is low enough too
            point[good], loss[good], slope[good] = trial[lower], its_loss[lower], its_slope[lower]
            moved[good] = True
            low[good] = t[lower]
            high[open_[~lower]] = t[~lower]
            open_ = open_[~(lower & flat)]
            bounded = torch.isfinite(high[open_])
            reach[open_] = torch.where(bounded, (low[open_] + high[open_]) / 2, 2 * low[open_])
        return point, loss, slope, moved
