"""The interface of all cells of trained networks, their batches, and their outcomes."""

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
    """Base of cells that train one network; the fields of a subclass include n, seed and steps."""

    @abc.abstractmethod
    def network(self) -> Network:
        """Return the cell's architecture."""

    @property
    def parameters(self) -> int:
        """m: number of trained parameters of the network, biases included."""
        return self.network().parameters

    @abc.abstractmethod
    def batch(self) -> Self:
        """Return a copy with fixed n and steps; a batch is cells whose copies differ at most in the seed."""

    @abc.abstractmethod
    def work(self) -> float:
        """Return the work of training the cell, relative to other cells of its kind."""


def common_cell(cells: Sequence[TrainedCell], where: str) -> Any:
    """Return one cell that stands for a batch: a copy of any of its cells, with fixed n, seed and steps.

    Parameters
    ----------
    cells : sequence of TrainedCell
        One cell or more, all of one class.
    where : str
        Name of the function that is given the cells, for the message.

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
    """Return each cell's share of the time that a batch took, in seconds, by its steps.

    Parameters
    ----------
    seconds : float
        Wall time of the batch.
    steps : sequence of int
        Steps that each cell took.
    """
    return [seconds * own / sum(steps) for own in steps]


def outcome(result: Any) -> dict[str, Any]:
    """Return a result as a sweep takes it, see `errsrc.sweeps.Kind`: all fields except the cell.

    Parameters
    ----------
    result
        A dataclass with a field "cell".
    """
    names = [field.name for field in dataclasses.fields(result) if field.name != "cell"]
    return {name: getattr(result, name) for name in names}
