"""Real images as inputs: teachers trained on an image set, and a basis of functions of images."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, MISSING, dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from errsrc import checks
from errsrc.bases import KERNELS, Basis, Mercer, mercer
from errsrc.datasets.image_sets import IMAGE_SETS, check_files
from errsrc.fields import choice, instance, integer, number
from errsrc.nets import Network
from errsrc.rng import generator
from errsrc.settings.channels import Channel, Clean
from errsrc.settings.image_inputs import pixels, training_images
from errsrc.settings.network import (
    NetworkFunction,
    NetworkSetting,
    channel_noise,
    check_loss,
    constant_risk,
)
from errsrc.settings.setting import LOSSES, Array, Setting
from errsrc.training import Member, Recipe, train

_TEACHERS = 4  # number of teachers that a setting's constants are averaged over; each must be trained


@dataclass(frozen=True)
class ImageTeacher(NetworkSetting):
    """A setting whose teachers are networks that are trained on labelled images and then label all images.

    Rosenfeld's thesis (arXiv 2108.07686) constructs a noiseless, realizable problem in this way.  Here the
    construction defines a prior over teachers: each teacher is trained separately, on a random subset of the
    training images, from random weights.  With the channel `Clean` the labels have no noise; a student with
    the teacher's architecture can express the teacher.

    Students get training images, drawn without repetition.  Students are tested on test images, which no
    teacher was trained on.  All draws use the same set of test images.  Intervals over draws therefore do not
    include the uncertainty about other test images.

    Parameters
    ----------
    dataset : str
        A name in ``errsrc.datasets.IMAGE_SETS``.
    architecture : Network
        The teacher's network.  The network must have an input for each value of an image, and an output for
        each class.
    teacher_n : int
        Number of training images of a teacher, >= 1.
    teacher_steps : int
        Number of training steps of a teacher, >= 1.
    recipe : Recipe
        How a teacher is trained.  The recipe's loss must be "log", because a teacher is trained on the
        classes of the images.
    loss : str
        Loss of the students: "squared" if their labels are the teacher's outputs (logits); "log" or
        "zero-one" if their labels are classes.
    channel : Channel
        The label channel: `Clean` or `Gaussian` for the squared loss, `Flips` or `Softmax` for labels that
        are classes.
    """

    dataset: str = choice(MISSING, tuple(IMAGE_SETS))
    architecture: Network = instance(Network, "a network of errsrc.nets")
    teacher_n: int = integer(at_least=1)
    teacher_steps: int = integer(2000, at_least=1)
    recipe: Recipe = instance(Recipe, "a Recipe of errsrc.training", default_factory=Recipe)
    loss: str = choice("squared", LOSSES)
    _: KW_ONLY
    channel: Channel = instance(Channel, "a channel of errsrc.settings", Clean())

    def __post_init__(self) -> None:
        super().__post_init__()
        where, shape = "ImageTeacher", IMAGE_SETS[self.dataset]
        if (self.architecture.inputs, self.architecture.outputs) != (shape.inputs, shape.classes):
            accepted = f"a network of {shape.inputs} inputs and {shape.classes} outputs for {self.dataset}"
            raise ValueError(checks.refusal("architecture", where, accepted, self.architecture))
        check_loss(self.loss, self.channel, shape.classes, where)
        if self.recipe.loss != "log":
            raise ValueError(checks.refusal("recipe", where, "a recipe of the log loss", self.recipe))
        self.recipe.check_network(self.architecture, where)

    @property
    def noise(self) -> float:
        """The smallest possible risk under the label channel, see `errsrc.settings.NetworkTeacher.noise`.

        If the risk depends on the teacher, it is estimated by a mean over 4 teachers at all test images.
        """
        return channel_noise(self.channel, self.loss, self.architecture.outputs, _values(self))

    @property
    def target_variance(self) -> float:
        """The `Setting.target_variance`, estimated from 4 teachers at all test images."""
        return constant_risk(self.channel, self.loss, _values(self)) - self.noise * (self.loss != "squared")

    @property
    def pool_size(self) -> int:
        """Number of training images."""
        return training_images(self.dataset)

    @property
    def test_pool_size(self) -> int:
        """Number of test images."""
        return len(pixels(self.dataset).test)

    def check_data(self) -> None:
        """Raise an error if the image set is not on this machine or too small, see `Setting.check_data`."""
        self._check_teacher_n(len(check_files(self.dataset)))

    def _check_teacher_n(self, images_there: int) -> None:
        """Raise ValueError if a teacher needs more training images than there are."""
        if self.teacher_n > images_there:
            accepted = f"an integer <= {images_there}, the training images of {self.dataset}"
            raise ValueError(checks.refusal("teacher_n", "ImageTeacher", accepted, self.teacher_n))

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw training images without repetition, float64 (count, pixels), centred and scaled.

        Raises
        ------
        ValueError
            If `count` is more than the number of training images.
        """
        return pixels(self.dataset).draw(count, rng, "ImageTeacher")

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Return `count` random test images, float64 (count, pixels); all test images if there are fewer."""
        return pixels(self.dataset).fresh(count, rng)

    def teacher(self, rng: np.random.Generator) -> NetworkFunction:
        """Train a teacher, in float32; see `Setting.teacher`."""
        return self.teachers([rng])[0]

    def teachers(self, rngs: Sequence[np.random.Generator]) -> list[NetworkFunction]:
        """Train a teacher for each generator, all at once; see `Setting.teachers`.

        Raises
        ------
        ValueError
            If `teacher_n` is more than the number of training images, or if a training diverges.
        """
        data = pixels(self.dataset)
        self._check_teacher_n(len(data.x))
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
                checks.refusal("recipe", "ImageTeacher", "a recipe whose training converges", self.recipe)
            )
        return [NetworkFunction(self.architecture, tuple(w[None] for w in one.weights)) for one in trained]


@dataclass(frozen=True)
class ImageBasis(Basis):
    """A basis of functions of real images: the M eigenfunctions of a kernel with the largest eigenvalues.

    The module `errsrc.bases.eigenfunctions` estimates the functions from a random part of the training
    images, without labels.  The same images, with equal weights, are the quadrature of the basis.  The basis
    is exactly orthonormal on these images, and nearly orthonormal on other images.  Labelled inputs are
    drawn, without repetition, from the other training images.  Fresh inputs are test images.

    Parameters
    ----------
    dataset : str
        A name in ``errsrc.datasets.IMAGE_SETS``.
    count : int
        M, the number of eigenfunctions, from 1 to `landmarks`.
    landmarks : int
        Number of landmarks, from 1 to `unlabelled`.  Landmarks are images; each eigenfunction is a weighted
        sum of kernels that are centred at the landmarks.
    unlabelled : int
        Number of images that the eigenfunctions are estimated from; less than the number of training images.
    kernel : str
        A kernel of `errsrc.bases.kernel`.
    length : float
        Length scale of the kernel, >= 0.  With 0, the length scale is the median distance between landmarks.
    seed : int
        Seed of the random choice of the unlabelled images and of the landmarks, >= 0.
    """

    size_field: ClassVar[str] = "count"

    dataset: str = choice("digits", tuple(IMAGE_SETS))
    count: int = integer(50, at_least=1)
    landmarks: int = integer(300, at_least=1)
    unlabelled: int = integer(600, at_least=1)
    kernel: str = choice("rbf", KERNELS)
    length: float = number(0.0, at_least=0)
    seed: int = integer(0, at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.Integer(1, self.unlabelled)(self.landmarks, "landmarks", "ImageBasis")
        checks.Integer(1, self.landmarks)(self.count, "count", "ImageBasis")

    @property
    def size(self) -> int:
        """M, the number of eigenfunctions."""
        return self.count

    @property
    def order(self) -> int:
        """The number 0, because the quadrature of images has no order."""
        return 0

    @property
    def domain(self) -> tuple[Any, ...]:
        """The fields that determine on which images the basis is orthonormal, see `Basis.domain`."""
        return ("images", self.dataset, self.unlabelled, self.seed)

    @property
    def family(self) -> tuple[Any, ...]:
        """The domain, and the fields of the landmarks and of the kernel, see `Basis.family`."""
        return (*super().family, self.landmarks, self.kernel, self.length)

    @property
    def dim(self) -> int:
        """Number of values of an image: pixels times colour channels."""
        return IMAGE_SETS[self.dataset].inputs

    @property
    def cube_dim(self) -> int:
        """The number 0, because no map takes points of a cube to images."""
        return 0

    @property
    def split(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of the training images, split into two arrays.

        The basis is estimated from the images of the first array, (unlabelled,).  Labelled inputs are drawn
        from the images of the second array, which has all other training images.
        """
        data = pixels(self.dataset)
        self._check_unlabelled(len(data.x))
        order = generator(self.seed, "settings", "image-basis", "split").permutation(len(data.x))
        return order[: self.unlabelled], order[self.unlabelled :]

    @property
    def mercer(self) -> Mercer:
        """The eigenfunctions, with their eigenvalues and the length scale of the kernel."""
        return _mercer(self)

    def place(self, u: Array) -> Array:
        """Raise TypeError, because no map takes points of a cube to images."""
        raise TypeError("Images are drawn by ImageBasis.draw; they cannot be placed.")

    def check_data(self) -> None:
        """Raise an error if the image set is not on this machine or too small, see `Setting.check_data`."""
        self._check_unlabelled(len(check_files(self.dataset)))

    def _check_unlabelled(self, images_there: int) -> None:
        """Raise ValueError if the basis leaves no training image to be labelled."""
        if self.unlabelled >= images_there:
            accepted = f"an integer < {images_there}, the training images of {self.dataset}"
            raise ValueError(checks.refusal("unlabelled", "ImageBasis", accepted, self.unlabelled))

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs of labelled examples: images without repetition, float64 (count, pixels).

        Raises
        ------
        ValueError
            If `count` is more than the number of training images that the basis was not estimated from.
        """
        pool = self.split[1]
        if count > len(pool):
            accepted = f"an integer <= {len(pool)}, the training images not used for the basis"
            raise ValueError(checks.refusal("n", "ImageBasis", accepted, count))
        return pixels(self.dataset).x[rng.choice(pool, count, replace=False)].astype(np.float64)

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Return `count` random test images, float64 (count, pixels); all test images if there are fewer."""
        return pixels(self.dataset).fresh(count, rng)

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return the images that the basis was estimated from, (Q, pixels), and their weights 1 / Q, (Q,).

        The `order` has no effect.
        """
        x = pixels(self.dataset).x[self.split[0]].astype(np.float64)
        return x, np.full(len(x), 1 / len(x))

    def values(self, x: Array) -> Array:
        """Return the eigenfunctions at the images."""
        return self.mercer(x)


def ready(cells: Iterable[Any]) -> None:
    """Raise an error if the settings of a study's cells need data that are not on this machine.

    The function also raises an error if a cell needs more labelled inputs than its setting has.

    A study calls this function before it computes any cell, see ``require_data`` of `errsrc.sweeps.Kind`.

    Parameters
    ----------
    cells : iterable of cells
        The cells (independent computations) of the study, each with a field ``setting``; a field ``n`` is a
        number of labelled examples.

    Raises
    ------
    FileNotFoundError, ValueError
        If files are missing or damaged, see `Setting.check_data`; if ``n`` is too large, see
        `Setting.check_pool`.
    """
    sizes: dict[Setting, set[int]] = {}
    for cell in cells:
        sizes.setdefault(cell.setting, set()).update([cell.n] if hasattr(cell, "n") else [])
    for setting, examples in sizes.items():
        setting.check_data()
        if examples:
            setting.check_pool(max(examples), "budget")


@functools.lru_cache(maxsize=4)
def _mercer(basis: ImageBasis) -> Mercer:
    rng = generator(basis.seed, "settings", "image-basis", "landmarks")
    x, _ = basis.quadrature(0)
    return mercer(x, basis.count, basis.landmarks, rng, basis.kernel, basis.length)


@functools.lru_cache(maxsize=8)
def _values(setting: ImageTeacher) -> Array:
    """Return the values of 4 teachers at all test images, (4, N, outputs)."""
    rng = generator(0, "settings", "constants")
    x = pixels(setting.dataset).test.astype(np.float64)
    return np.stack([teacher(x) for teacher in setting.teachers(rng.spawn(_TEACHERS))])
