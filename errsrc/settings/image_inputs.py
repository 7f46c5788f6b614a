"""Images of an image set as inputs: their pixels, or their principal components."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.datasets.image_sets import IMAGE_SETS, check_files, images
from errsrc.settings.setting import Array

RANK = 1e-10
"""A principal component with at most this share of the largest variance counts as one without variance."""

_WITH_VARIANCE = {"digits": 61}  # components; in the other sets, all components have a variance above 0
_BLOCK = 4096  # images that are converted to float64 at once


@dataclass(frozen=True, eq=False)
class ImageInputs:
    """The images of an image set as rows of numbers.

    Attributes
    ----------
    dataset : str
        Name of the image set.
    x : ndarray of float32 or float64, (N, dim)
        The training images.
    y : ndarray of int64, (N,)
        Classes of the training images.
    test : ndarray, (N', dim)
        The test images.
    """

    dataset: str
    x: NDArray[Any]
    y: NDArray[np.int64]
    test: NDArray[Any]

    def draw(self, count: int, rng: np.random.Generator, where: str) -> Array:
        """Draw training images without repetition, float64 (count, dim).

        Parameters
        ----------
        count : int
            Number of images, >= 1.
        rng : numpy.random.Generator
            Source of randomness.
        where : str
            Name of the calling class, for error messages.

        Raises
        ------
        ValueError
            If `count` is more than the number of training images.
        """
        if count > len(self.x):
            accepted = f"an integer <= {len(self.x)}, the training images of {self.dataset}"
            raise ValueError(checks.refusal("n", where, accepted, count))
        return self.x[rng.choice(len(self.x), count, replace=False)].astype(np.float64)

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Return `count` random test images, float64 (count, dim); all test images if there are fewer.

        Parameters
        ----------
        count : int
            Number of images, >= 1.
        rng : numpy.random.Generator
            Source of randomness.
        """
        return self.test[rng.choice(len(self.test), min(count, len(self.test)), replace=False)].astype(
            np.float64
        )


def most_components(dataset: str) -> int:
    """Return the number of components whose variance is not 0, without reading images.

    Parameters
    ----------
    dataset : str
        A name in ``errsrc.datasets.IMAGE_SETS``.
    """
    return _WITH_VARIANCE.get(dataset, IMAGE_SETS[dataset].inputs)


@functools.lru_cache(maxsize=8)
def training_images(dataset: str) -> int:
    """Return the number of training images, without computing their components.

    Parameters
    ----------
    dataset : str
        A name in ``errsrc.datasets.IMAGE_SETS``.

    Raises
    ------
    FileNotFoundError, ValueError
        If files are missing or damaged.
    """
    return len(check_files(dataset))


@functools.lru_cache(maxsize=1)
def pixels(dataset: str) -> ImageInputs:
    """Return the pixels of the images, float32, centred and scaled by the training images.

    Parameters
    ----------
    dataset : str
        A name in ``errsrc.datasets.IMAGE_SETS``.
    """
    data = images(dataset)
    x, test = data.scaled()
    return ImageInputs(dataset, x, data.train_y, test)


@functools.lru_cache(maxsize=4)
def principal_components(dataset: str, count: int, where: str) -> ImageInputs:
    """Return the first principal components of the images, float64, whitened by the training images.

    On the training images, each component has mean 0 and variance 1, and components are uncorrelated.  Test
    images go through the same linear map.

    Parameters
    ----------
    dataset : str
        A name in ``errsrc.datasets.IMAGE_SETS``.
    count : int
        Number of components, >= 1, in descending order of their variance before the whitening.
    where : str
        Name of the calling class, for error messages.

    Raises
    ------
    ValueError
        If fewer than `count` components of the training images have a variance above 0.
    """
    data = pixels(dataset)
    mean = data.x.mean(0, dtype=np.float64)
    covariance = np.zeros((len(mean), len(mean)))
    for start in range(0, len(data.x), _BLOCK):
        part = data.x[start : start + _BLOCK] - mean
        covariance += part.T @ part / len(data.x)
    variances, directions = np.linalg.eigh(covariance)
    variances, directions = variances[::-1], directions[:, ::-1]
    rank = int((variances > RANK * variances[0]).sum())
    if count > rank:
        accepted = f"an integer <= {rank}, the number of components of {dataset} whose variance is not 0"
        raise ValueError(checks.refusal("components", where, accepted, count))
    kept = directions[:, :count]
    largest = kept[np.abs(kept).argmax(0), np.arange(count)]
    whiten = kept * np.sign(largest) / np.sqrt(variances[:count])  # an eigenvector has no sign of its own
    x, test = (
        np.concatenate([(each[k : k + _BLOCK] - mean) @ whiten for k in range(0, len(each), _BLOCK)])
        for each in (data.x, data.test)
    )
    return ImageInputs(dataset, x, data.y, test)
