"""Image sets as numpy arrays: Fashion-MNIST from files on this machine, and scikit-learn's digits."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.rng import generator

IMAGE_SETS = {"fashion-mnist": (28, 10), "digits": (8, 10)}
"""Image sets by name, each with the side of its square images in pixels and its number of classes."""

_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")
_DIGITS_TEST = 600


@dataclass(frozen=True, eq=False)
class Images:
    """A labelled image set.

    Attributes
    ----------
    name, source
        The set, and the folder or package that it was read from.
    train_x, test_x
        uint8 (N, side, side), 0 black to ``white``.
    train_y, test_y
        int64 (N,), 0 to ``classes`` - 1.
    classes, white
        Number of classes; the pixel value of full white.
    """

    name: str
    source: str
    train_x: NDArray[np.uint8]
    train_y: NDArray[np.int64]
    test_x: NDArray[np.uint8]
    test_y: NDArray[np.int64]
    classes: int
    white: int


def images(name: str, folder: str | os.PathLike[str] | None = None) -> Images:
    """Return an image set by name, "fashion-mnist" or "digits".

    Parameters
    ----------
    name
        "fashion-mnist" (Xiao et al. 2017, arXiv 1708.07747): 60,000 training and 10,000 test images of
        28 x 28 pixels, from idx files, gzipped or plain.  "digits": scikit-learn's 1,797 images of 8 x 8
        pixels, with a fixed class-balanced test set of 600, the same in every run.
    folder
        Where the idx files lie.  If None, the first of these that has them: the folder in the
        environment variable ERRSRC_DATA, the Debian package dataset-fashion-mnist, torchvision's
        FashionMNIST/raw under ./data, ~/data, ~/.cache or ~/.cache/torch.

    Raises
    ------
    FileNotFoundError
        No place has the files; the message says what to install or where to put them.
    ValueError
        An unknown name, or a file that is not what its name says.

    Examples
    --------
    >>> digits = images("digits")
    >>> digits.train_x.shape, digits.test_x.shape, digits.classes
    ((1197, 8, 8), (600, 8, 8), 10)
    """
    checks.choice(name, "name", "images", tuple(IMAGE_SETS))
    return _digits() if name == "digits" else _fashion(None if folder is None else Path(folder))


def balanced_order(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return rows of `labels` in a random order of which every beginning is class-balanced.

    The class counts of ``order[:n]`` differ by at most 1 for every n, so that subsets of several sizes
    are nested if they are beginnings of one order.  The order ends where the smallest class does.

    Parameters
    ----------
    labels
        int64 (N,).

    Returns
    -------
    order
        int64 (classes x size of the smallest class,), no row twice.

    Examples
    --------
    >>> y = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    >>> order = balanced_order(y, np.random.default_rng(0))
    >>> [np.bincount(y[order[:n]], minlength=3).tolist() for n in (3, 6)]
    [[1, 1, 1], [2, 2, 2]]
    """
    classes, counts = np.unique(labels, return_counts=True)
    rounds = counts.min()
    table = np.stack([rng.permutation(np.flatnonzero(labels == c))[:rounds] for c in classes], axis=1)
    return np.asarray(rng.permuted(table, axis=1).reshape(-1), dtype=np.int64)


def _digits() -> Images:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x, y = bunch.images.astype(np.uint8), bunch.target.astype(np.int64)
    test = np.sort(balanced_order(y, generator(0, "digits", "test"))[:_DIGITS_TEST])
    train = np.setdiff1d(np.arange(len(y)), test)
    return Images("digits", "scikit-learn", x[train], y[train], x[test], y[test], classes=10, white=16)


def _fashion(folder: Path | None) -> Images:
    places = [folder] if folder is not None else list(_places())
    for place in places:
        found = [_find(place, name) for name in _FILES]
        if all(found):
            train_x, train_y, test_x, test_y = (_read_idx(path) for path in found if path is not None)
            for x, y, path in ((train_x, train_y, found[0]), (test_x, test_y, found[2])):
                if x.ndim != 3 or x.shape[1] != x.shape[2] or y.shape != x.shape[:1] or y.max(initial=0) > 9:
                    raise ValueError(
                        f"The image file {path} does not fit its label file: images have shape {x.shape}, "
                        f"labels {y.shape}; put the four Fashion-MNIST idx files there again."
                    )
            return Images(
                name="fashion-mnist",
                source=str(place),
                train_x=train_x,
                train_y=train_y.astype(np.int64),
                test_x=test_x,
                test_y=test_y.astype(np.int64),
                classes=10,
                white=255,
            )
    raise FileNotFoundError(
        "Fashion-MNIST was not found: install the Debian package dataset-fashion-mnist, or put its four idx "
        f"files ({_FILES[0]}[.gz] and so on) in a folder and name that in ERRSRC_DATA "
        f"(looked in {', '.join(map(str, places))})."
    )


def _places() -> Iterator[Path]:
    """Yield the folders where Fashion-MNIST may lie, first choice first."""
    named = os.environ.get("ERRSRC_DATA")
    if named:
        yield Path(named)
    yield _DEBIAN
    for root in (
        Path("data"),
        Path.home() / "data",
        Path.home() / ".cache",
        Path.home() / ".cache" / "torch",
    ):
        yield root / "FashionMNIST" / "raw"


def _find(place: Path, name: str) -> Path | None:
    """Return the file `name` in the folder, plain or gzipped, or None."""
    return next((path for path in (place / name, place / f"{name}.gz") if path.is_file()), None)


def _read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the uint8 array in an idx file (http://yann.lecun.com/exdb/mnist: magic, sizes, bytes)."""
    wrong = f"The file {path} is not a whole idx file of unsigned bytes; put a fresh copy there."
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise ValueError(wrong) from None
    axes = data[3] if len(data) >= 4 and data[:3] == b"\0\0\x08" else 0
    head = 4 + 4 * axes
    shape = tuple(np.frombuffer(data[4:head], dtype=">u4").astype(int)) if len(data) >= head else ()
    if axes == 0 or len(shape) != axes or len(data) != head + int(np.prod(shape)):
        raise ValueError(wrong)
    return np.frombuffer(data, dtype=np.uint8, offset=head).reshape(shape)
