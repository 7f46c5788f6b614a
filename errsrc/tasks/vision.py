"""Image classification cells: one trained network at a data size, a model size and a seed."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc import checks
from errsrc.datasets.image_sets import (
    IMAGE_SETS,
    Shape,
    balanced_order,
    check_dataset,
    check_files,
    images,
    shape_of,
)
from errsrc.nets import CNN, MLP, WRN, Network, Resnet
from errsrc.rng import generator, seed_of
from errsrc.sweeps import Kind
from errsrc.tasks.devices import device, device_name
from errsrc.training import Member, Recipe, losses, train

FAMILIES = ("mlp", "cnn", "resnet", "wrn")
_AT_ONCE = 1000  # test images


@dataclass(frozen=True)
class VisionCell:
    """What identifies one trained network and all that it was trained with.

    Attributes
    ----------
    dataset, family, width
        A name in `errsrc.datasets.IMAGE_SETS`, or the path of a folder, see `errsrc.datasets.image_sets`;
        "mlp" (hidden layers of ``width`` units), "cnn" (``width`` channels in its first layer), "resnet" or
        "wrn" (``width`` channels in the first stage), see `errsrc.nets`.
    n, seed
        Training images, and the seed of which images, which initial weights and which order.  Cells
        of one width, depth and seed have nested training sets; another width or depth has sets of its
        own, so that the luck of a subset is not shared along a whole row of the grid.
    validation
        Images taken from the training set, the same in all cells of a data set, to stop training and
        choose the weights; not counted in n.
    steps
        The most steps of training.
    recipe
        How it is trained.
    depth
        Hidden layers of an MLP; 1 + the blocks of a CNN; of a residual network the published depth,
        6 k + 2 of "resnet" and 6 k + 4 of "wrn".
    side
        Side that a folder's images are resized to.
    """

    dataset: str
    family: str
    width: int
    n: int
    seed: int
    validation: int = 5000
    steps: int = 12_000
    recipe: Recipe = field(default_factory=Recipe)
    depth: int = 1
    side: int = 0

    def __post_init__(self) -> None:
        check_dataset(self.dataset, self.side, "VisionCell")
        checks.choice(self.family, "family", "VisionCell", FAMILIES)
        checks.integer(self.width, "width", "VisionCell", 1)
        checks.integer(self.n, "n", "VisionCell", 1)
        checks.integer(self.seed, "seed", "VisionCell", 0)
        checks.integer(self.validation, "validation", "VisionCell", 1)
        checks.integer(self.steps, "steps", "VisionCell", 1)
        checks.integer(self.depth, "depth", "VisionCell", 1)
        shape = IMAGE_SETS.get(self.dataset, Shape(self.side, 1, 3))
        self.recipe.check_network(_architecture(self, shape), "VisionCell")


@dataclass(frozen=True, eq=False)
class VisionResult:
    """One cell's outcome.

    Attributes
    ----------
    cell, m
        The cell, and its number of parameters, biases included.
    error, error_se, loss, loss_se
        Error rate and cross-entropy (nats) on the test set, with the standard errors that come from
        the finite test set alone.
    validation_error, validation_loss
        The same on the validation images, at the step they chose: optimistic, not for reports.
    steps_taken, best_step, seconds
        Steps of training taken, the step whose weights were kept, and this cell's share (by steps) of
        its batch's wall time.
    diverged
        The training failed: leave the cell out of fits and say so.
    digest, device
        Of the images, see `errsrc.datasets.Images`; what it was trained on.
    curve
        Learning curve, (looks,) each, see `errsrc.training.Trained`.
    """

    cell: VisionCell
    m: int
    error: float
    error_se: float
    loss: float
    loss_se: float
    validation_error: float
    validation_loss: float
    steps_taken: int
    best_step: int
    seconds: float
    diverged: bool
    digest: str
    device: str
    curve: dict[str, NDArray[np.float64]]


def vision_grid(dataset: str = "fashion-mnist", seeds: int = 3) -> tuple[VisionCell, ...]:
    """Return the default grid of a dataset, Fashion-MNIST or the digits: MLP widths x data sizes x seeds.

    Sizes and widths about double from one to the next, so that the cells with n and m at most a
    quarter of the largest are all but the last two of each axis.  The learning rate is
    0.016 / sqrt(width): every width then needs about the same number of steps at one n.

    Examples
    --------
    >>> len(vision_grid(seeds=2))
    96
    """
    checks.choice(dataset, "dataset", "vision_grid", ("fashion-mnist", "digits"))
    checks.integer(seeds, "seeds", "vision_grid", 1)
    if dataset == "fashion-mnist":
        cell = VisionCell(dataset, "mlp", width=8, n=500, seed=0)
        sizes: tuple[int, ...] = (500, 781, 1562, 3125, 6250, 12_500, 25_000, 50_000)
        widths: tuple[int, ...] = (8, 16, 31, 62, 125, 250)
    else:
        cell = VisionCell(dataset, "mlp", width=8, n=22, seed=0, validation=397)
        sizes, widths = (22, 45, 90, 180, 360, 720), (8, 16, 31, 62, 125, 250)
    return tuple(
        replace(cell, width=width, n=n, seed=seed, recipe=Recipe(learning_rate=0.016 / math.sqrt(width)))
        for width in widths
        for n in sizes
        for seed in range(seeds)
    )


@dataclass(frozen=True, eq=False)
class Resident:
    """An image set as training needs it.

    Attributes
    ----------
    x, y
        Scaled float32 pixels (N, inputs) and labels (N,) of the training images, see
        `errsrc.datasets.Images`; on the device.
    validation, test
        The same of those that choose the weights and those that test them.
    rows
        Rows of x that are not for validation.
    digest
        Of the images.
    """

    x: Tensor
    y: Tensor
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    rows: NDArray[np.int64]
    digest: str


@functools.lru_cache(maxsize=1)
def resident(dataset: str, validation: int, folder: str | None = None, side: int = 0) -> Resident:
    """Return an image set, `validation` of its training images set apart, and refuse as many as there are.

    ``dataset``, folder and side are those of `errsrc.datasets.image_sets`.
    """
    data = images(dataset, folder, side)
    order = balanced_order(data.train_y, generator(0, "vision", dataset, "validation"))
    if validation >= len(order):
        raise ValueError(
            checks.refusal("validation", "VisionCell", f"an integer <= {len(order) - 1}", validation)
        )
    held = np.sort(order[:validation])
    train_x, test_x = (torch.from_numpy(part).to(device()) for part in data.scaled())
    train_y, test_y = (torch.from_numpy(part).to(device()) for part in (data.train_y, data.test_y))
    return Resident(
        train_x,
        train_y,
        (train_x[held], train_y[held]),
        (test_x, test_y),
        np.setdiff1d(np.arange(len(data.train_y)), held),
        data.digest,
    )


def network(cell: VisionCell) -> Network:
    """Return a cell's architecture."""
    return _architecture(cell, shape_of(cell.dataset, cell.side))


def _architecture(cell: VisionCell, shape: Shape) -> Network:
    side, classes, channels = shape
    if cell.family == "mlp":
        return MLP((shape.inputs, *[cell.width] * cell.depth, classes))
    if cell.family == "cnn":
        return CNN(side, cell.width, classes, blocks=cell.depth - 1, channels=channels)
    return (Resnet if cell.family == "resnet" else WRN)(side, cell.width, classes, cell.depth, channels)


def member(cell: VisionCell, data: Resident) -> Member:
    """Return what a cell trains on, for how long, and from which seed; refuse more images than data has."""
    shape = (cell.width,) if cell.depth == 1 else (cell.width, cell.depth)
    order = balanced_order(data.y.cpu().numpy()[data.rows], generator(cell.seed, "vision", "subset", *shape))
    if cell.n > len(order):
        raise ValueError(
            checks.refusal("n", "VisionCell", f"an integer <= {len(order)} ({cell.dataset})", cell.n)
        )
    seed = seed_of(cell.seed, "vision", cell.family, *shape, cell.n)
    return Member(data.rows[order[: cell.n]], cell.steps, seed)


def train_cells(cells: Sequence[VisionCell], folder: str | None = None) -> list[VisionResult]:
    """Train a batch of cells that differ only in n, seed and steps, at once, and test each.

    On a GPU where torch finds one.

    Parameters
    ----------
    cells
        One width of one family on one data set, with one recipe.
    folder
        Where the image files lie, see `errsrc.datasets.image_sets`.

    Returns
    -------
    results
        In the order of `cells`.  A cell's result does not depend on the others, to rounding.

    Raises
    ------
    ValueError
        For cells that differ in more.
    """
    kinds = {replace(cell, n=1, seed=0, steps=1) for cell in cells}
    if len(kinds) != 1:
        raise ValueError(
            checks.refusal(
                "cells", "train_cells", "cells that differ only in n, seed and steps", f"<{len(kinds)} kinds>"
            )
        )
    kind = kinds.pop()
    start = time.perf_counter()
    data = resident(kind.dataset, kind.validation, folder, kind.side)
    net = network(kind)
    members = [member(cell, data) for cell in cells]
    trained = train(net, data.x, data.y, members, data.validation, kind.recipe)
    seconds = time.perf_counter() - start
    all_steps = sum(one.steps for one in trained)
    results = []
    for cell, one in zip(cells, trained, strict=True):
        with torch.no_grad():
            x, y = data.test
            weights = tuple(w[None] for w in one.weights)
            outputs = torch.cat([net(weights, part)[0] for part in x.split(_AT_ONCE)])
            each = losses(outputs[:, None], y[:, None]).double()
            error = float((outputs.argmax(1) != y).double().mean())
        results.append(
            VisionResult(
                cell=cell,
                m=net.parameters,
                error=error,
                error_se=math.sqrt(error * (1 - error) / len(y)),
                loss=float(each.mean()),
                loss_se=float(each.std()) / math.sqrt(len(y)),
                validation_error=float(one.curve["error"][one.best_evaluation]),
                validation_loss=float(one.curve["loss"][one.best_evaluation]),
                steps_taken=one.steps,
                best_step=one.best_step,
                seconds=seconds * one.steps / all_steps,
                diverged=one.diverged,
                digest=data.digest,
                device=device_name(x.device),
                curve=one.curve,
            )
        )
    return results


def outcomes(cells: Sequence[VisionCell]) -> list[dict[str, Any]]:
    """Train a batch and return each `VisionResult` as a sweep takes it, see `errsrc.sweeps.Kind`."""
    return [
        {field.name: getattr(result, field.name) for field in fields(result) if field.name != "cell"}
        for result in train_cells(cells)
    ]


def ready(cells: Iterable[VisionCell]) -> None:
    """Refuse cells of image sets that are not on this machine, see `errsrc.sweeps.Kind`."""
    for dataset, side in {(cell.dataset, cell.side) for cell in cells}:
        check_files(dataset, side)


def batch_of(cell: VisionCell) -> VisionCell:
    """Return what a cell has in common with those of its batch: all but n and steps."""
    return replace(cell, n=1, steps=1)


def work(cell: VisionCell) -> float:
    """Return the relative work of a cell, which fits the seconds of the default grid."""
    return (3000.0 + cell.n) * (20_000 + network(cell).multiply_adds)


def parameters(cell: VisionCell) -> int:
    """Return a cell's m: its number of trained parameters, biases included."""
    return network(cell).parameters


KIND = Kind(
    "vision",
    VisionCell,
    outcomes,
    group=batch_of,
    cost=work,
    ready=ready,
    packages=("numpy", "torch"),
)
"""The kind of study whose cells are networks trained on images."""
