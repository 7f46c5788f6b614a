"""Real inputs: a network trained on a real image set, which then labels the real images."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from errsrc import checks
from errsrc.bases import KERNELS, Basis, Mercer, mercer
from errsrc.datasets.image_sets import IMAGE_SETS, check_files, images
from errsrc.nets import Network as Architecture
from errsrc.results import Interval
from errsrc.rng import generator
from errsrc.settings.channels import Channel, Clean
from errsrc.settings.classes import FunctionClass
from errsrc.settings.network import (
    NetworkFunction,
    channel_noise,
    check_loss,
    constant_risk,
    expressed,
    holds,
)
from errsrc.settings.setting import Array, Setting
from errsrc.training import Member, Recipe, train

TEACHERS = 4
"""Teachers over which the constants of a setting are averaged: each is a training."""


@dataclass(frozen=True)
class ImageTeacher(Setting):
    """A network trained on labelled images, which labels all images anew: noiseless and realizable.

    The construction of Rosenfeld's thesis (arXiv 2108.07686), made a prior: each teacher is trained anew, on
    a random subset of the training images, from random weights.  Students get training images, drawn
    without repetition, and are tested on test images, which no teacher was trained on: the same ones in all
    draws, so that intervals over draws are for these images.

    Attributes
    ----------
    dataset
        A name in `errsrc.datasets.IMAGE_SETS`.
    architecture
        The teacher's network.
    teacher_n, teacher_steps
        Training images and steps of a teacher.
    recipe
        How a teacher is trained; its loss is "log", on the images' own classes.
    loss
        "squared", of the teacher's outputs, its logits; "log" or "zero-one", of its classes.
    channel
        `Clean` or `Gaussian` for outputs; `Flips` or `Softmax` for classes.
    """

    dataset: str
    architecture: Architecture
    teacher_n: int
    teacher_steps: int = 2000
    recipe: Recipe = field(default_factory=Recipe)
    loss: str = "squared"
    channel: Channel = field(default=Clean(), kw_only=True)

    def __post_init__(self) -> None:
        where = "ImageTeacher"
        checks.choice(self.dataset, "dataset", where, tuple(IMAGE_SETS))
        if not isinstance(self.architecture, Architecture):
            accepted = "a network of errsrc.nets"
            raise TypeError(checks.refusal("architecture", where, accepted, self.architecture))
        shape = IMAGE_SETS[self.dataset]
        if (self.architecture.inputs, self.architecture.outputs) != (shape.inputs, shape.classes):
            accepted = f"a network of {shape.inputs} inputs and {shape.classes} outputs for {self.dataset}"
            raise ValueError(checks.refusal("architecture", where, accepted, self.architecture))
        checks.integer(self.teacher_n, "teacher_n", where, 1)
        checks.integer(self.teacher_steps, "teacher_steps", where, 1)
        check_loss(self.loss, self.channel, shape.classes, where)
        if self.recipe.loss != "log":
            raise ValueError(checks.refusal("recipe", where, "one of the log loss", self.recipe))
        self.recipe.check_network(self.architecture, where)

    @property
    def noise(self) -> float:
        """The channel's least risk; see `errsrc.settings.NetworkTeacher`."""
        return channel_noise(self.channel, self.loss, self.architecture.outputs, _values(self))

    @property
    def target_variance(self) -> float:
        """See `Setting.target_variance`; a mean over `TEACHERS` teachers."""
        return constant_risk(self.channel, self.loss, _values(self)) - self.noise * (self.loss != "squared")

    @property
    def images(self) -> int:
        """Number of training images: the most inputs that there are."""
        return len(_resident(self.dataset).x)

    @property
    def test_images(self) -> int:
        """Number of images that students are tested on."""
        return len(_resident(self.dataset).test)

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw training images without repetition, float64 (count, pixels), centred and scaled.

        Raises
        ------
        ValueError
            For more than there are.
        """
        x = _resident(self.dataset).x
        if count > len(x):
            accepted = f"an integer <= {len(x)}, the training images of {self.dataset}"
            raise ValueError(checks.refusal("n", "ImageTeacher", accepted, count))
        return x[rng.choice(len(x), count, replace=False)].astype(np.float64)

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Return test images (count, pixels) without repetition, or all where that is more."""
        x = _resident(self.dataset).test
        return x[rng.choice(len(x), min(count, len(x)), replace=False)].astype(np.float64)

    def teacher(self, rng: np.random.Generator) -> NetworkFunction:
        """Train a teacher, in float32."""
        return self.teachers([rng])[0]

    def teachers(self, rngs: Sequence[np.random.Generator]) -> list[NetworkFunction]:
        """Train teachers, all at once, see `teacher`.

        Raises
        ------
        ValueError
            For more images a teacher than there are, and where a training diverges.
        """
        data = _resident(self.dataset)
        if self.teacher_n > len(data.x):
            accepted = f"an integer <= {len(data.x)}, the training images of {self.dataset}"
            raise ValueError(checks.refusal("teacher_n", "ImageTeacher", accepted, self.teacher_n))
        members = [
            Member(
                rng.choice(len(data.x), self.teacher_n, replace=False),
                self.teacher_steps,
                int(rng.integers(2**62)),
            )
            for rng in rngs
        ]
        x, y = torch.from_numpy(data.x), torch.from_numpy(data.y)
        trained = train(self.architecture, x, y, members, None, self.recipe)
        if any(one.diverged for one in trained):
            raise ValueError(
                checks.refusal("recipe", "ImageTeacher", "one whose training converges", self.recipe)
            )
        return [NetworkFunction(self.architecture, tuple(w[None] for w in one.weights)) for one in trained]

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return 0 for all functions, and for networks that can be the teacher (`errsrc.nets.embeds`)."""
        if holds(function_class, self.architecture) and expressed(self.loss, self.channel):
            return Interval(0.0, 0.0, 0.0, 0.95)
        return super().realizability(function_class)


@dataclass(frozen=True)
class ImageBasis(Basis):
    """The top M eigenfunctions of a kernel on real images: a band on their manifold.

    Made by `errsrc.bases.eigenfunctions` from images without their labels, a random part of the training
    images of which none is ever drawn as a labelled input: these come from the rest of the training images,
    without repetition.  Fresh inputs are test images.  Under the images that it was estimated from the basis
    is orthonormal exactly, and these are its quadrature; under others nearly.

    Attributes
    ----------
    dataset
        A name in `errsrc.datasets.IMAGE_SETS`.
    count
        M.
    landmarks, unlabelled
        Images that eigenfunctions are sums of kernels at, and images that they are orthonormal on.
    kernel, length
        See `errsrc.bases.kernel`; length 0 is the median distance of landmarks.
    seed
        Of the choice of images.
    """

    size_field: ClassVar[str] = "count"

    dataset: str = "digits"
    count: int = 50
    landmarks: int = 300
    unlabelled: int = 600
    kernel: str = "rbf"
    length: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        where = "ImageBasis"
        checks.choice(self.dataset, "dataset", where, tuple(IMAGE_SETS))
        checks.integer(self.unlabelled, "unlabelled", where, 1)
        checks.integer(self.landmarks, "landmarks", where, 1, self.unlabelled)
        checks.integer(self.count, "count", where, 1, self.landmarks)
        checks.choice(self.kernel, "kernel", where, KERNELS)
        checks.number(self.length, "length", where, 0)
        checks.integer(self.seed, "seed", where, 0)

    @property
    def size(self) -> int:
        """M, the number of eigenfunctions."""
        return self.count

    @property
    def order(self) -> int:
        """0: the quadrature is one for all."""
        return 0

    @property
    def domain(self) -> tuple[Any, ...]:
        """The images."""
        return ("images", self.dataset, self.unlabelled, self.seed)

    @property
    def family(self) -> tuple[Any, ...]:
        """Functions of other landmarks or kernels are others."""
        return (*super().family, self.landmarks, self.kernel, self.length)

    @property
    def dim(self) -> int:
        """Pixels, of each channel."""
        return IMAGE_SETS[self.dataset].inputs

    @property
    def cube_dim(self) -> int:
        """0: images are given, not placed."""
        return 0

    @property
    def split(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Training images without labels, (unlabelled,), and those that may be drawn with them, (others,)."""
        data = _resident(self.dataset)
        if self.unlabelled >= len(data.x):
            accepted = f"an integer < {len(data.x)}, the training images of {self.dataset}"
            raise ValueError(checks.refusal("unlabelled", "ImageBasis", accepted, self.unlabelled))
        order = generator(self.seed, "settings", "image-basis", "split").permutation(len(data.x))
        return order[: self.unlabelled], order[self.unlabelled :]

    @property
    def mercer(self) -> Mercer:
        """The eigenfunctions, with the kernel's length and eigenvalues."""
        return _mercer(self)

    def place(self, u: Array) -> Array:
        """Raise TypeError: images are drawn, and points u (N, 0) cannot be placed among them."""
        raise TypeError("Images are drawn by ImageBasis.draw; they cannot be placed.")

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Draw images to be labelled, without repetition, float64 (count, pixels).

        Raises
        ------
        ValueError
            For more than there are beside those of the basis.
        """
        pool = self.split[1]
        if count > len(pool):
            accepted = f"an integer <= {len(pool)}, the training images not used for the basis"
            raise ValueError(checks.refusal("n", "ImageBasis", accepted, count))
        return _resident(self.dataset).x[rng.choice(pool, count, replace=False)].astype(np.float64)

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Return test images (count, pixels) without repetition, or all where that is more."""
        x = _resident(self.dataset).test
        return x[rng.choice(len(x), min(count, len(x)), replace=False)].astype(np.float64)

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return the images that the basis was estimated from."""
        x = _resident(self.dataset).x[self.split[0]].astype(np.float64)
        return x, np.full(len(x), 1 / len(x))

    def values(self, x: Array) -> Array:
        """Return the eigenfunctions."""
        return self.mercer(x)


def ready(cells: Iterable[Any]) -> None:
    """Refuse cells whose ``setting`` is of images that are not on this machine, see `errsrc.sweeps.Kind`."""
    worlds = {getattr(cell.setting, "basis", cell.setting) for cell in cells}
    for dataset in {one.dataset for one in worlds if isinstance(one, (ImageTeacher, ImageBasis))}:
        check_files(dataset)


@functools.lru_cache(maxsize=4)
def _mercer(basis: ImageBasis) -> Mercer:
    rng = generator(basis.seed, "settings", "image-basis", "landmarks")
    x, _ = basis.quadrature(0)
    return mercer(x, basis.count, basis.landmarks, rng, basis.kernel, basis.length)


@dataclass(frozen=True, eq=False)
class _Resident:
    """Images as float32 (N, pixels), centred and scaled by the training images; their own classes."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    test: NDArray[np.float32]


@functools.lru_cache(maxsize=1)
def _resident(dataset: str) -> _Resident:
    data = images(dataset)
    x, test = data.scaled()
    return _Resident(x, data.train_y, test)


@functools.lru_cache(maxsize=8)
def _values(setting: ImageTeacher) -> Array:
    """Return values of a few teachers at all test images, (TEACHERS, N, outputs)."""
    rng = generator(0, "settings", "constants")
    x = _resident(setting.dataset).test.astype(np.float64)
    return np.stack([teacher(x) for teacher in setting.teachers(rng.spawn(TEACHERS))])
