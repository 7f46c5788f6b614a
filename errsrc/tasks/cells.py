"""The interface of cells that train networks, and functions for batches and outcomes of cells."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from errsrc import checks
from errsrc.fields import Checked
from errsrc.nets import Network


@dataclass(frozen=True)
class TrainedCell(Checked, abc.ABC):
    """Base of cells that train one network each.

    A *cell* is one computation of a study.  The fields of a subclass must include n, seed and steps.
    """

    @abc.abstractmethod
    def network(self) -> Network:
        """Return the architecture of the network that the cell trains."""

    @property
    def parameters(self) -> int:
        """Number m of trained parameters of the network, biases included."""
        return self.network().parameters

    @abc.abstractmethod
    def batch(self) -> Self:
        """Return the key of the cell's batch: a copy of the cell in which constants replace n and steps.

        Cells can be trained together, as one batch, if their keys are equal except for the seed.
        """

    @abc.abstractmethod
    def work(self) -> float:
        """Return the work of training the cell, relative to other cells of the same class."""


def common_cell(cells: Sequence[TrainedCell], where: str) -> Any:
    """Return a cell with the fields that a batch of cells shares; its n, seed and steps have no meaning.

    Parameters
    ----------
    cells : sequence of TrainedCell
        One cell or more, all of one class.
    where : str
        Name of the calling function, for the error message.

    Raises
    ------
    ValueError
        If the cells differ in fields other than n, seed and steps.
    """
    common = {replace(cell.batch(), seed=0) for cell in cells}  # type: ignore[call-arg]
    if len(common) != 1:
        accepted = "cells that differ only in n, seed and steps"
        raise ValueError(checks.refusal("cells", where, accepted, f"<{len(common)} batches>"))
    return common.pop()


def shared_seconds(seconds: float, steps: Sequence[int]) -> list[float]:
    """Return the time of each cell in seconds: the time of its batch, shared in proportion to the steps.

    Parameters
    ----------
    seconds : float
        Wall time of the batch.
    steps : sequence of int
        Number of training steps that each cell took.
    """
    return [seconds * own / sum(steps) for own in steps]


def outcome(result: Any) -> dict[str, Any]:
    """Return the fields of a result as a dict, without the field "cell".

    A study stores the outcome of each cell in this form, see `errsrc.sweeps.Kind`.

    Parameters
    ----------
    result
        A dataclass with a field "cell".
    """
    names = [field.name for field in dataclasses.fields(result) if field.name != "cell"]
    return {name: getattr(result, name) for name in names}
