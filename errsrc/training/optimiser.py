"""The interface of optimisers: they take steps of all members of a call of `errsrc.training.train`."""

from __future__ import annotations

import abc
from typing import Any

from torch import Tensor


class Optimiser(abc.ABC):
    """The weights of E members, and the steps that change the weights of all members together."""

    stalled: Tensor
    """bool (E,): members whose loss no further step lowers."""

    @property
    @abc.abstractmethod
    def weights(self) -> Tensor:
        """The members' weights after the last step, (E, P)."""

    @property
    @abc.abstractmethod
    def averaged_weights(self) -> Tensor:
        """The weights that are evaluated and kept, (E, P): an average over steps, or `weights`."""

    @abc.abstractmethod
    def take_steps(self, step: int, count: int, budget: Tensor, loss_sum: Tensor) -> None:
        """Take steps, and add each step's training loss to a sum.

        Parameters
        ----------
        step : int
            Number of steps taken before.
        count : int
            Number of steps to take.
        budget : int64 tensor (E,)
            The largest number of steps of each member.
        loss_sum : tensor (E,)
            Each member's sum, which is changed.
        """

    @abc.abstractmethod
    def keep(self, mask: Tensor) -> None:
        """Drop the members where a mask is False.

        Parameters
        ----------
        mask : bool tensor (E,)
            The mask.
        """

    @abc.abstractmethod
    def state(self) -> dict[str, Any]:
        """Return all that changes from step to step, for a checkpoint."""

    @abc.abstractmethod
    def restore(self, state: dict[str, Any], active: Tensor) -> None:
        """Go back to a saved state.

        Parameters
        ----------
        state : dict
            What `state` returned.
        active : int64 tensor
            The numbers, among all members, of those that were left.
        """
