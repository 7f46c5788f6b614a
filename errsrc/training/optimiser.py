"""The interface of optimisers, which take steps of all networks of a call of `errsrc.training.train`."""

from __future__ import annotations

import abc
from typing import Any

from torch import Tensor


class Optimiser(abc.ABC):
    """Base of optimisers; an optimiser has the weights of E networks, and each step changes all of them."""

    stalled: Tensor
    """True for each member whose loss no further step lowers, bool (E,)."""

    @property
    @abc.abstractmethod
    def weights(self) -> Tensor:
        """The weights of all networks after the last step, (E, P)."""

    @property
    @abc.abstractmethod
    def averaged_weights(self) -> Tensor:
        """The weights that are evaluated and kept, (E, P): averages over steps, or `weights`."""

    @abc.abstractmethod
    def take_steps(self, step: int, count: int, budget: Tensor, loss_sum: Tensor) -> None:
        """Take steps, and add the training loss of each step to `loss_sum`.

        Parameters
        ----------
        step : int
            Number of steps that were taken before.
        count : int
            Number of steps to take.
        budget : int64 tensor (E,)
            The largest number of steps of each network.
        loss_sum : tensor (E,)
            Sum of the training losses of each network.  The method adds to this tensor.
        """

    @abc.abstractmethod
    def keep(self, mask: Tensor) -> None:
        """Keep the networks where a mask is True, and drop all others.

        Parameters
        ----------
        mask : bool tensor (E,)
            True for the networks to keep.
        """

    @abc.abstractmethod
    def state(self) -> dict[str, Any]:
        """Return everything that a step changes, for a checkpoint."""

    @abc.abstractmethod
    def restore(self, state: dict[str, Any], active: Tensor) -> None:
        """Go back to a saved state.

        Parameters
        ----------
        state : dict
            A state that the method `state` returned.
        active : int64 tensor
            Indices of the networks that the saved state contains, among all networks with which training
            began.
        """
