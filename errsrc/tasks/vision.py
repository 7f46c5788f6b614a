"""Image classification: cells that train one network each, with a given data size, model size and seed."""

from __future__ import annotations

import functools
import math
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, dataclass, replace
from operator import attrgetter
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc import checks
from errsrc.checks import Choice, Integer
from errsrc.datasets.image_sets import (
    IMAGE_SETS,
    Shape,
    balanced_order,
    check_dataset,
    check_files,
    images,
    shape_of,
)
from errsrc.fields import choice, instance, integer
from errsrc.nets import CNN, MLP, WRN, ModuleNetwork, Network, Resnet
from errsrc.rng import generator, seed_of
from errsrc.sweeps import Kind
from errsrc.tasks.cells import TrainedCell, common_cell, outcome, shared_seconds
from errsrc.tasks.devices import device, device_name
from errsrc.training import Member, Recipe, losses, train

VISION_FAMILIES: dict[str, Callable[[int, int, Shape], Network]] = {
    "mlp": lambda width, depth, shape: MLP((shape.inputs, *[width] * depth, shape.classes)),
    "cnn": lambda width, depth, shape: CNN(
        shape.side, width, shape.classes, blocks=depth - 1, channels=shape.channels
    ),
    "resnet": lambda width, depth, shape: Resnet(shape.side, width, shape.classes, depth, shape.channels),
    "wrn": lambda width, depth, shape: WRN(shape.side, width, shape.classes, depth, shape.channels),
}
"""Functions of width, depth and image shape that return an architecture, by the name of the family."""

_TEST_IMAGES_AT_ONCE = 1000

_GRID_SIZES = (500, 781, 1562, 3125, 6250, 12_500, 25_000, 50_000)
_GRID_WIDTHS = (8, 16, 31, 62, 125, 250)
_GRIDS: dict[str, tuple[int, tuple[int, ...], tuple[int, ...]]] = {  # validation images, widths, data sizes
    "fashion-mnist": (5000, _GRID_WIDTHS, _GRID_SIZES),
    "digits": (397, _GRID_WIDTHS, (22, 45, 90, 180, 360, 720)),
    "glyphs": (4960, (4, 8, 15, 31, 62, 125, 250), _GRID_SIZES),
}


@dataclass(frozen=True)
class VisionCell(TrainedCell):
    """Configuration of one trained network of image classification.

    Attributes
    ----------
    dataset
        A name in `errsrc.datasets.IMAGE_SETS`, or the path of a folder, see `errsrc.datasets.images`.
    family
        "mlp", "cnn", "resnet" or "wrn", see `errsrc.nets`; or "module", for the ``torch.nn.Module`` that
        `module` names.
    width
        Width of the network, >= 1.  For an "mlp", the number of units in each hidden layer.  For a "cnn", the
        number of channels of the first layer.  For a "resnet" or "wrn", the number of channels of the first
        stage.
    n
        Number of images on which the network is trained, >= 1.  The validation images are not counted.
    seed
        Seed of the choice of training images, of the initial weights and of the order of examples, >= 0.
        Cells of the same width, depth and seed have nested training sets.  Cells of another width or depth
        have other training sets.  Therefore the luck of one training set does not affect a whole row of a
        grid.
    validation
        Number of images of the data set's training part that are held out, >= 1.  The held-out images decide
        when training stops and which weights are kept.  They are not counted in n.  All cells of a data set
        with the same ``validation`` have the same held-out images.
    steps
        Largest number of training steps, >= 1.
    recipe
        Options of training, with the loss "log".
    depth
        Depth of the network.  For an "mlp", the number of hidden layers.  For a "cnn", 1 + the number of
        blocks.  For a residual network, the depth as in the papers: 6 k + 2 for a "resnet" and 6 k + 4 for a
        "wrn".
    side
        Side in pixels to which the images of a folder are resized; 0 for a named data set.
    module
        For the family "module": a function or class that makes a ``torch.nn.Module``, such as
        "mylab.models:SmallViT", see `errsrc.nets.ModuleNetwork`.
    """

    dataset: str
    family: str = choice(MISSING, (*VISION_FAMILIES, "module"))
    width: int = integer(at_least=1)
    n: int = integer(at_least=1)
    seed: int = integer(at_least=0)
    validation: int = integer(5000, at_least=1)
    steps: int = integer(12_000, at_least=1)
    recipe: Recipe = instance(Recipe, "an errsrc.training.Recipe", default_factory=Recipe)
    depth: int = integer(1, at_least=1, at_most=10_000)
    side: int = 0
    module: str = ""

    def __post_init__(self) -> None:
        where = type(self).__name__
        check_dataset(self.dataset, self.side, where)
        super().__post_init__()
        if (self.family == "module") != bool(self.module):
            accepted = "given for the family 'module', and for no other family"
            raise ValueError(checks.refusal("module", where, accepted, self.module))
        shape = IMAGE_SETS.get(self.dataset, Shape(self.side, 1, 3))
        self.recipe.check_network(self._architecture(shape), where)

    def network(self) -> Network:
        """Return the architecture of the network that the cell trains.

        For a folder of images, this method counts the classes, but reads no image.
        """
        return self._architecture(shape_of(self.dataset, self.side))

    @property
    def image_folder(self) -> tuple[str, int] | None:
        """The path of the cell's folder of images, and the side of a picture; None for a named data set."""
        return (self.dataset, self.side) if self.side else None

    def _architecture(self, shape: Shape) -> Network:
        if self.module:
            images_of = (shape.channels, shape.side, shape.side)
            return ModuleNetwork(self.module, shape.inputs, shape.classes, self.width, self.depth, images_of)
        return VISION_FAMILIES[self.family](self.width, self.depth, shape)

    def batch(self) -> Self:
        """Return the key of the cell's batch, see `TrainedCell.batch`."""
        return replace(self, n=1, steps=1)

    def work(self) -> float:
        """Return the relative work of training the cell.

        The formula was fitted to the measured times of the cells of the default grid.
        """
        return (3000.0 + self.n) * (20_000 + self.network().multiply_adds)


@dataclass(frozen=True, eq=False)
class VisionResult:
    """The results of the training of one cell's network.

    Attributes
    ----------
    cell
        The configuration of the training.
    m
        Number of parameters of the network, biases included.
    error, loss
        Error rate, and cross-entropy in nats, on the test set.
    error_se, loss_se
        Standard errors of ``error`` and ``loss``.  They account only for the finite size of the test set.
    validation_error, validation_loss
        Error rate and cross-entropy in nats on the validation images, at the best evaluation.  The validation
        images choose this evaluation.  Therefore both numbers are biased low: do not report them.
    steps_taken
        Number of training steps taken.
    best_step
        The step whose weights were kept.
    seconds
        Wall time of the cell in seconds: the time of its batch, shared among its cells in proportion to their
        steps.
    diverged
        True if the training failed.  Leave such a cell out of fits, and report that you left it out.
    digest
        Digest of the images, see `errsrc.datasets.Images`.
    device
        Name of the device that trained the network.
    curve
        Learning curve: a dict of arrays (evaluations,), see `errsrc.training.Trained`.
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


@checks.arguments(dataset=Choice(tuple(_GRIDS)), seeds=Integer(at_least=1, at_most=1000))
def vision_grid(dataset: str = "fashion-mnist", seeds: int = 3) -> tuple[VisionCell, ...]:
    """Return the default grid of a data set: MLP widths x data sizes x seeds.

    Data sizes and widths about double from one value to the next.  Therefore n and m are at most a quarter of
    their largest values, except in cells with one of the two largest data sizes or widths.  In the grid of
    the glyphs, the m of three widths is at most a sixteenth of the largest.  The learning rate is
    0.016 / sqrt(width): all widths then need about the same number of steps if n is the same.

    Parameters
    ----------
    dataset : str
        "fashion-mnist", "digits" or "glyphs".
    seeds : int
        Number of seeds, 1 to 1000.

    Raises
    ------
    ValueError
        If the data set has no default grid, or if the number of seeds is out of range.

    Examples
    --------
    >>> len(vision_grid(seeds=2))
    96
    """
    validation, widths, sizes = _GRIDS[dataset]
    return tuple(
        VisionCell(
            dataset,
            "mlp",
            width=width,
            n=n,
            seed=seed,
            validation=validation,
            recipe=Recipe(learning_rate=0.016 / math.sqrt(width)),
        )
        for width in widths
        for n in sizes
        for seed in range(seeds)
    )


@dataclass(frozen=True, eq=False)
class DeviceImages:
    """An image set as tensors on the training device.

    Attributes
    ----------
    x, y
        Scaled pixels, float32 (N, inputs), and labels, int64 (N,), of all training images; see
        `errsrc.datasets.Images`.
    validation
        Pixels and labels of the training images that are held out.  Training keeps the weights that are best
        on these images.
    test
        Pixels and labels of the test images, on which the trained network is measured.
    rows
        Rows of ``x`` that are not held out for validation, int64 (rows,).
    digest
        Digest of the images.
    """

    x: Tensor
    y: Tensor
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    rows: NDArray[np.int64]
    digest: str


@functools.lru_cache(maxsize=1)
def device_images(dataset: str, validation: int, folder: str | None = None, side: int = 0) -> DeviceImages:
    """Return an image set as tensors on the training device, with some training images held out.

    Parameters
    ----------
    dataset : str
        Name of the set, or path of a folder, see `errsrc.datasets.images`.
    validation : int
        Number of training images that are held out for validation, >= 1.
    folder : str, optional
        Folder with the files of a named set.
    side : int
        Side in pixels to which the images of a folder are resized.

    Raises
    ------
    ValueError
        If no training image would be left.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* passed over in ")  # `require_images` has said so
        data = images(dataset, folder, side)
    held, rows = _split(data.train_y, dataset, validation)
    train_x, test_x = (torch.from_numpy(part).to(device()) for part in data.scaled())
    train_y, test_y = (torch.from_numpy(part).to(device()) for part in (data.train_y, data.test_y))
    return DeviceImages(
        train_x,
        train_y,
        (train_x[held], train_y[held]),
        (test_x, test_y),
        rows,
        data.digest,
    )


def _split(
    labels: NDArray[np.int64], dataset: str, validation: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of training images that are for validation, and all other rows."""
    order = balanced_order(labels, generator(0, "vision", dataset, "validation"))
    if validation >= len(order):
        accepted = f"an integer <= {len(order) - 1}"
        raise ValueError(
            f"{checks.refusal('validation', 'VisionCell', accepted, validation)} The image set {dataset} has "
            f"{len(labels):,} training images; about 1/5 of them is a good number."
        )
    held = np.sort(order[:validation])
    return held, np.setdiff1d(np.arange(len(labels)), held)


def training_member(cell: VisionCell, data: DeviceImages) -> Member:
    """Return the `Member` with which `errsrc.training.train` trains the network of a cell.

    Parameters
    ----------
    cell : VisionCell
        The configuration of the training.
    data : DeviceImages
        The images of the cell's data set.

    Raises
    ------
    ValueError
        If there are fewer than n training images.
    """
    shape = (cell.width,) if cell.depth == 1 else (cell.width, cell.depth)
    order = balanced_order(data.y.cpu().numpy()[data.rows], generator(cell.seed, "vision", "subset", *shape))
    _check_n(cell, len(order), len(data.y))
    seed = seed_of(cell.seed, "vision", cell.family, *shape, cell.n)
    return Member(data.rows[order[: cell.n]], cell.steps, seed)


def _check_n(cell: VisionCell, largest: int, count: int) -> None:
    """Raise ValueError if n is above `largest`; the data set has `count` training images."""
    if cell.n > largest:
        accepted = f"an integer <= {largest} ({cell.dataset})"
        raise ValueError(
            f"{checks.refusal('n', 'VisionCell', accepted, cell.n)} Of {count:,} training images, "
            f"{cell.validation:,} are for validation, and each class gives equally many of the others."
        )


def train_vision_cells(cells: Sequence[VisionCell], folder: str | None = None) -> list[VisionResult]:
    """Train a batch of cells at once, on a GPU if torch finds one, and test each network.

    Parameters
    ----------
    cells : sequence of VisionCell
        Cells that differ only in n, seed and steps.
    folder : str, optional
        Folder with the image files, see `errsrc.datasets.images`.

    Returns
    -------
    list of VisionResult
        The results, in the order of `cells`.  Up to rounding, the result of a cell does not depend on the
        other cells.

    Raises
    ------
    ValueError
        If the cells differ in other fields, or if a cell needs more images than there are.
    """
    common = common_cell(cells, "train_vision_cells")
    start = time.perf_counter()
    data = device_images(common.dataset, common.validation, folder, common.side)
    network = common.network()
    members = [training_member(cell, data) for cell in cells]
    trained = train(network, data.x, data.y, members, data.validation, common.recipe)
    seconds = shared_seconds(time.perf_counter() - start, [one.steps for one in trained])
    results = []
    for cell, one, own_seconds in zip(cells, trained, seconds, strict=True):
        test_losses, error = _test_losses(network, one.weights, *data.test)
        count = len(test_losses)
        results.append(
            VisionResult(
                cell=cell,
                m=network.parameters,
                error=error,
                error_se=math.sqrt(error * (1 - error) / count),
                loss=float(test_losses.mean()),
                loss_se=float(test_losses.std()) / math.sqrt(count),
                validation_error=float(one.curve["error"][one.best_evaluation]),
                validation_loss=float(one.curve["loss"][one.best_evaluation]),
                steps_taken=one.steps,
                best_step=one.best_step,
                seconds=own_seconds,
                diverged=one.diverged,
                digest=data.digest,
                device=device_name(data.x.device),
                curve=one.curve,
            )
        )
    return results


@torch.no_grad()
def _test_losses(network: Network, weights: Sequence[Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, float]:
    """Return one member's cross-entropies in nats on test images, float64 (N,), and its error rate."""
    stacked = tuple(w[None] for w in weights)
    outputs = torch.cat([network(stacked, part)[0] for part in x.split(_TEST_IMAGES_AT_ONCE)])
    test_losses = losses(outputs[:, None], y[:, None]).double()  # one example for each of N "members"
    return test_losses, float((outputs.argmax(1) != y).double().mean())


def vision_outcomes(cells: Sequence[VisionCell]) -> list[dict[str, Any]]:
    """Train a batch of cells and return each `VisionResult` as a dict, see `errsrc.sweeps.Kind`.

    Parameters
    ----------
    cells : sequence of VisionCell
        Cells that differ only in n, seed and steps.
    """
    return [outcome(result) for result in train_vision_cells(cells)]


def require_images(cells: Iterable[VisionCell]) -> None:
    """Raise an error if some cells lack images on this machine, see `errsrc.sweeps.Kind`.

    Parameters
    ----------
    cells : iterable of VisionCell
        Cells of a study.

    Raises
    ------
    FileNotFoundError
        If the images are not on this machine.  The message says what to install or where to put the files.
    ValueError
        If a cell has more images for training and validation than its data set.

    Warns
    -----
    UserWarning
        See `errsrc.datasets.images`.
    """
    largest_n: dict[tuple[str, int], dict[int, VisionCell]] = {}
    for cell in sorted(cells, key=attrgetter("n")):
        if cell.module:
            cell.parameters  # noqa: B018  # raises ValueError for a module that cannot be trained
        largest_n.setdefault((cell.dataset, cell.side), {})[cell.validation] = cell
    for (dataset, side), by_validation in largest_n.items():
        labels = check_files(dataset, side)
        for validation, cell in by_validation.items():
            _, rows = _split(labels, dataset, validation)
            _, counts = np.unique(labels[rows], return_counts=True)
            largest = len(counts) * int(counts.min())  # the length of the balanced order
            _check_n(cell, largest, len(labels))


VISION = Kind(
    "vision",
    VisionCell,
    vision_outcomes,
    group=VisionCell.batch,
    cost=VisionCell.work,
    require_data=require_images,
    packages=("numpy", "torch"),
)
"""The kind of study whose cells are networks trained on images."""
