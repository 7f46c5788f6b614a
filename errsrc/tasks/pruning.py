"""Pruning: cells that train one network and prune it in rounds, until its error has doubled."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from errsrc import checks, records
from errsrc.fields import instance
from errsrc.sweeps import Kind
from errsrc.tasks.cells import common_cell, shared_seconds
from errsrc.tasks.devices import device_name
from errsrc.tasks.vision import VisionCell, device_images, require_images, training_member
from errsrc.training import PruningLevel, Rounds, prunable, prune


@dataclass(frozen=True)
class PruningCell(VisionCell):
    """Configuration of one network that is trained and then pruned.

    The fields are the fields of `VisionCell` and the field ``rounds``.

    Attributes
    ----------
    rounds
        Options of pruning.  The options also say when pruning ends.

    Examples
    --------
    >>> PruningCell("digits", "mlp", width=8, n=300, seed=0, depth=2).rounds.pruned_fraction
    0.2
    """

    rounds: Rounds = instance(Rounds, "an errsrc.training.Rounds", default_factory=Rounds)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rounds.rewind_step >= self.steps:
            accepted = f"an integer < {self.steps}, the steps of training"
            got = self.rounds.rewind_step
            raise ValueError(checks.refusal("rounds.rewind_step", "PruningCell", accepted, got))

    def batch(self) -> Self:
        """Return the key of the cell's batch, see `TrainedCell.batch`."""
        return replace(self, n=1, steps=self.rounds.rewind_step + 1)

    def work(self) -> float:
        """Return the relative work of training and pruning the cell, see `TrainedCell.work`.

        The result is the work of one training, times the largest possible number of trainings.
        """
        return super().work() * (1 + self.rounds.max_rounds)


def prune_cells(cells: Sequence[PruningCell]) -> list[dict[str, Any]]:
    """Train and prune a batch of cells at once, on a GPU if torch finds one, and test each network.

    If the environment variable ERRSRC_STATE names a folder, checkpoints are written there during training and
    after each round of pruning.  A batch that was interrupted continues from its checkpoints.

    Parameters
    ----------
    cells : sequence of PruningCell
        Cells that differ only in n, seed and steps.

    Returns
    -------
    list of dict
        The outcome of each cell, in the order of `cells`, with these entries:

        - "m", the number of parameters, and "prunable", the number of weights that may be pruned;
        - "error" and "loss" (in nats) of the unpruned network on the test set;
        - "last_density" and "last_error", after the last round;
        - "levels", 1 + the number of rounds;
        - "diverged", whether the last training failed;
        - "device", the name of the device;
        - "seconds", the time of the batch, shared among its cells in proportion to their steps;
        - "curve", with an array, float64 (levels,), for each field of `errsrc.training.PruningLevel`.

        A level is the unpruned network, or the network after a round.

    Raises
    ------
    ValueError
        If the cells differ in other fields, or if a cell needs more images than there are.
    """
    common = common_cell(cells, "prune_cells")
    start = time.perf_counter()
    data = device_images(common.dataset, common.validation, side=common.side)
    network = common.network()
    members = [training_member(cell, data) for cell in cells]
    pruned = prune(
        network,
        data.x,
        data.y,
        members,
        data.validation,
        common.recipe,
        common.rounds,
        data.test,
        _checkpoint_path(cells),
    )
    steps = [sum(level.steps for level in one.levels) for one in pruned]
    seconds = shared_seconds(time.perf_counter() - start, steps)
    return [
        {
            "m": network.parameters,
            "prunable": prunable(network),
            "error": one.levels[0].error,
            "loss": one.levels[0].loss,
            "last_density": one.levels[-1].density,
            "last_error": one.levels[-1].error,
            "levels": len(one.levels),
            "diverged": one.levels[-1].diverged,
            "device": device_name(data.x.device),
            "seconds": own_seconds,
            "curve": _curve(one.levels),
        }
        for one, own_seconds in zip(pruned, seconds, strict=True)
    ]


def _checkpoint_path(cells: Sequence[PruningCell]) -> Path | None:
    """Return the file for checkpoints of a batch, if there is a folder for them."""
    folder = os.environ.get("ERRSRC_STATE")
    name = hashlib.sha256(records.stored_repr(list(cells)).encode()).hexdigest()[:32]
    return Path(folder) / f"{name}.pt" if folder else None


def _curve(levels: Sequence[PruningLevel]) -> dict[str, Any]:
    """Return levels as columns, float64 (levels,) each."""
    names = [field.name for field in fields(PruningLevel)]
    return {name: np.array([getattr(level, name) for level in levels], dtype=np.float64) for name in names}


PRUNING = Kind(
    "pruning",
    PruningCell,
    prune_cells,
    group=PruningCell.batch,
    cost=PruningCell.work,
    require_data=require_images,
    packages=("numpy", "torch"),
)
"""The kind of study whose cells are networks that are trained and then pruned in rounds."""
