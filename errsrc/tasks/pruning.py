"""Pruning cells: one network, trained and pruned level by level until its error has doubled."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from errsrc import checks, records
from errsrc.sweeps import Kind
from errsrc.tasks import vision
from errsrc.tasks.devices import device_name
from errsrc.tasks.vision import VisionCell
from errsrc.training import PruningLevel, Rounds, prunable, prune


@dataclass(frozen=True)
class PruningCell(VisionCell):
    """What identifies one pruned network: that of a `VisionCell`, and how it is pruned.

    Attributes
    ----------
    rounds
        How it is pruned, and when that ends.

    Examples
    --------
    >>> PruningCell("digits", "mlp", width=8, n=300, seed=0, depth=2).rounds.pruned_fraction
    0.2
    """

    rounds: Rounds = field(default_factory=Rounds)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rounds.rewind_step >= self.steps:
            accepted = f"an integer < {self.steps}, the steps of training"
            raise ValueError(
                checks.refusal("rounds.rewind_step", "PruningCell", accepted, self.rounds.rewind_step)
            )


def prune_cells(cells: Sequence[PruningCell]) -> list[dict[str, Any]]:
    """Train and prune cells that differ only in n, seed and steps, at once; return the outcome of each.

    An outcome has the unpruned network's "m", "prunable" weights, "error" and "loss" on the test set, the
    "last_density" and its "last_error", the number of "levels", whether a training "diverged", the
    "device", and "seconds", the cell's share (by steps) of the batch's wall time.  Its "curve" has a row a
    level: the fields of `errsrc.training.PruningLevel`, errors and losses on the test set.

    Where the environment variable ERRSRC_STATE names a folder, finished levels and the training of the
    next are kept there, and a batch that was interrupted goes on from them.

    Raises
    ------
    ValueError
        For cells that differ in more.
    """
    kinds = {replace(cell, n=1, seed=0, steps=cell.rounds.rewind_step + 1) for cell in cells}
    if len(kinds) != 1:
        accepted = "cells that differ only in n, seed and steps"
        raise ValueError(checks.refusal("cells", "prune_cells", accepted, f"<{len(kinds)} kinds>"))
    kind = kinds.pop()
    begin = time.perf_counter()
    data = vision.resident(kind.dataset, kind.validation, side=kind.side)
    network = vision.network(kind)
    members = [vision.member(cell, data) for cell in cells]
    folder = os.environ.get("ERRSRC_STATE")
    name = hashlib.sha256(records.stored_repr(list(cells)).encode()).hexdigest()[:32]
    pruned = prune(
        network,
        data.x,
        data.y,
        members,
        data.validation,
        kind.recipe,
        kind.rounds,
        data.test,
        Path(folder) / f"{name}.pt" if folder else None,
    )
    seconds = time.perf_counter() - begin
    steps = [sum(level.steps for level in one.levels) for one in pruned]
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
            "seconds": seconds * taken / sum(steps),
            "curve": {
                name: np.array([getattr(level, name) for level in one.levels], dtype=np.float64)
                for name in (figure.name for figure in fields(PruningLevel))
            },
        }
        for one, taken in zip(pruned, steps, strict=True)
    ]


def batch_of(cell: PruningCell) -> PruningCell:
    """Return what a cell has in common with those of its batch: all but n and steps."""
    return replace(cell, n=1, steps=cell.rounds.rewind_step + 1)


def work(cell: PruningCell) -> float:
    """Return the relative work of a cell, a training a level."""
    return vision.work(cell) * (1 + cell.rounds.max_rounds)


KIND = Kind(
    "pruning",
    PruningCell,
    prune_cells,
    group=batch_of,
    cost=work,
    ready=vision.ready,
    packages=("numpy", "torch"),
)
"""The kind of study whose cells are networks that are trained and pruned level by level."""
