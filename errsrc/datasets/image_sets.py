"""Image sets as numpy arrays, from files on this machine or drawn on it.

An image set has a name, such as "cifar-10", or it is a folder that has a subfolder of pictures for each
class.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.datasets import formats
from errsrc.datasets.characters import CHARACTERS, font_files, glyph_classes, glyphs
from errsrc.datasets.characters import SIDE as GLYPH_SIDE
from errsrc.extras import require
from errsrc.rng import generator


class Shape(NamedTuple):
    """The size of an image set's images, and the number of classes.

    Attributes
    ----------
    side : int
        Height and width of an image, in pixels.
    classes : int
        Number of classes.
    channels : int
        Number of channels: 1 for grey images, 3 for colour images.
    """

    side: int
    classes: int
    channels: int = 1

    @property
    def inputs(self) -> int:
        """Number of values of an image: channels x side x side."""
        return self.channels * self.side**2


IMAGE_SETS = {
    "fashion-mnist": Shape(28, 10),
    "fashion-mnist-14": Shape(14, 10),
    "digits": Shape(8, 10),
    "cifar-10": Shape(32, 10, 3),
    "cifar-100": Shape(32, 100, 3),
    "glyphs": Shape(GLYPH_SIDE, len(CHARACTERS)),
    "glyphs-620k": Shape(GLYPH_SIDE, len(CHARACTERS)),
}
"""The shape of each named image set."""

_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")
_DIGITS_TEST = 600
_FASHION = ("fashion-mnist", "fashion-mnist-14")
_GLYPHS = {"glyphs": 62_000, "glyphs-620k": 620_000}  # training images
_GLYPHS_TEST = 12_400


class _Version(NamedTuple):
    """One of the two versions in which a CIFAR set is published."""

    archive: str
    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]


_CIFAR = {
    "cifar-10": (
        _Version(
            "cifar-10-python.tar.gz",
            "cifar-10-batches-py",
            tuple(f"data_batch_{i}" for i in range(1, 6)),
            ("test_batch",),
        ),
        _Version(
            "cifar-10-binary.tar.gz",
            "cifar-10-batches-bin",
            tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
            ("test_batch.bin",),
        ),
    ),
    "cifar-100": (
        _Version("cifar-100-python.tar.gz", "cifar-100-python", ("train",), ("test",)),
        _Version("cifar-100-binary.tar.gz", "cifar-100-binary", ("train.bin",), ("test.bin",)),
    ),
}
_HIDDEN, _NESTED, _NO_CLASS = "hidden", "in nested folders", "outside the folders of classes"
_OTHER_TYPES = "of other types"
_NAMED_FILES = 3  # number of files of each reason that a warning names
_ENDINGS = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True, eq=False)
class Images:
    """A labelled image set.

    Attributes
    ----------
    name, source
        Name of the set, and the folder, archive or package that it comes from.
    train_x, test_x
        Pixels of the images, uint8 (N, channels, side, side), from 0 (black) to ``white``.  There is one grey
        channel, or three channels for red, green and blue.
    train_y, test_y
        Classes of the images, int64 (N,), from 0 to ``classes`` - 1.
    classes, white
        Number of classes, and the pixel value that means white.
    passed_over
        Files of a folder that were not read: hidden files, files in nested folders, files outside the folders
        of classes, and files of other types.
    """

    name: str
    source: str
    train_x: NDArray[np.uint8]
    train_y: NDArray[np.int64]
    test_x: NDArray[np.uint8]
    test_y: NDArray[np.int64]
    classes: int
    white: int
    passed_over: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of all pixels and labels, hexadecimal; it does not depend on the format of the files."""
        found = hashlib.sha256()
        for array in (self.train_x, self.train_y, self.test_x, self.test_y):
            found.update(f"{array.dtype.str} {array.shape}\n".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()

    def scaled(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return training and test pixels, centred and scaled by the training images.

        Returns
        -------
        train, test
            float32 (N, channels x side x side), one channel after another.  For grey images, the mean image
            is subtracted, and all pixels are divided by their common standard deviation.  For colour images,
            the mean of each channel is subtracted, and the channel is divided by its standard deviation.  If
            a standard deviation is 0, pixels are not divided by it.
        """
        train, test = (x.reshape(*x.shape[:2], -1).astype(np.float32) for x in (self.train_x, self.test_x))
        if train.shape[1] == 1:
            centre = train.mean(0)
            train -= centre
            scale: Any = float(train.std()) or 1.0
        else:
            centre = train.mean((0, 2), dtype=np.float64).astype(np.float32)[:, None]
            train -= centre
            squares = np.einsum("ncp,ncp->c", train, train, dtype=np.float64)  # without a second large array
            scale = np.sqrt(squares * len(squares) / train.size).astype(np.float32)[:, None]
            scale[scale == 0] = 1.0
        test -= centre
        train /= scale
        test /= scale
        return train.reshape(len(train), -1), test.reshape(len(test), -1)


def images(
    name: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None, side: int = 0
) -> Images:
    """Return an image set by its name, or from a folder that has a subfolder for each class.

    Parameters
    ----------
    name
        The name of a set, or the path of a folder.

        - "fashion-mnist" (Xiao et al. 2017, arXiv 1708.07747) has 60,000 training and 10,000 test images of
          28 x 28 pixels.  Its idx files may be gzipped.
        - "fashion-mnist-14" has the same images with 14 x 14 pixels: each pixel is the mean of 2 x 2 pixels,
          rounded to a whole number.  Trainings of convolutional networks take about a third of the time.
        - "digits" has scikit-learn's 1,797 images of 8 x 8 pixels; 600 of them are a fixed, class-balanced
          test set.
        - "cifar-10" and "cifar-100" (Krizhevsky 2009) have 50,000 training and 10,000 test images of 32 x 32
          pixels in colour.  Their files may be the Python or the binary version, packed or unpacked.
        - "glyphs" has 62,000 training and 12,400 test images of 28 x 28 pixels, which
          `errsrc.datasets.glyphs` draws.  "glyphs-620k" has 620,000 training images and the same test images.
        - A folder has the layout of ImageNet: training images are in ``train/CLASS/*.png`` (or .jpg, .jpeg,
          ...), and test images in ``test/CLASS`` or ``val/CLASS``.  A `side` must be given.
    folder
        Folder with the files of a named set.  By default several folders are searched in this order: the
        folder in the environment variable ERRSRC_DATA, the Debian package dataset-fashion-mnist, ./data,
        ~/data, ~/.cache and ~/.cache/torch.  The files may be in torchvision's subfolders, such as
        ``FashionMNIST/raw``, ``cifar-10-batches-py`` or ``cifar-100-python``.
    side
        Height and width to which the pictures of a folder are resized, in pixels, >= 1.  The largest square
        in the middle of each picture is used, in RGB.  Photographs are turned as their EXIF orientation says.
        Transparent pixels are laid over white.

    Raises
    ------
    FileNotFoundError
        If the files were not found.  The message says what to install or where to put the files.
    ValueError
        If the name is unknown, if the content of a file does not fit its name, if a picture that is not PNG
        has more than 8 bits per channel, if there are no test images, or if a class has no training images.

    Warns
    -----
    UserWarning
        If files of a folder were passed over (see `Images.passed_over`), or if a class has no test images.

    Notes
    -----
    No code in a file is run: only arrays of numbers and plain values are read from a pickle.

    Examples
    --------
    >>> digits = images("digits")
    >>> digits.train_x.shape, digits.test_x.shape, digits.classes
    ((1197, 1, 8, 8), (600, 1, 8, 8), 10)
    """
    name = _folder_name(name)
    check_dataset(name, side, "images", "name")
    if _is_path(name, side):
        return _folder(_path(name), side)
    place = None if folder is None else Path(folder)
    if name == "digits":
        return _digits()
    if name in _GLYPHS:
        return _glyphs(name)
    found = _fashion(place, name) if name in _FASHION else _cifar(name, place)
    without = np.setdiff1d(np.arange(found.classes), found.train_y)
    if len(without) or not len(found.test_y):
        lacks = f"training images of class {without[0]}" if len(without) else "test images"
        raise ValueError(f"The {name} files in {found.source} have no {lacks}; put fresh copies there.")
    return found


def check_files(name: str, side: int = 0) -> NDArray[np.int64]:
    """Return the labels of the training images of a set, without decoding or drawing pictures.

    Parameters
    ----------
    name, side
        Arguments of `images`.

    Raises
    ------
    FileNotFoundError, ValueError
        If `images` would raise the error for the same arguments.

    Warns
    -----
    UserWarning
        See `images`.
    """
    check_dataset(name, side, "images", "name")
    if name in _GLYPHS:
        font_files()
        return glyph_classes(_GLYPHS[name])
    if not _is_path(name, side):
        return images(name).train_y
    listed = _listed(_path(name))
    listed.warn_of_files()
    return _labels(listed.train)


def picture_side(name: str | os.PathLike[str]) -> int:
    """Return the median of the shorter sides of a folder's training pictures, in pixels.

    The function reads the headers of at most 200 pictures, evenly spaced in the list of files.  The result is
    0 if none of these pictures can be read.

    Parameters
    ----------
    name
        The folder.
    """
    paths = [path for path, _ in _listed(_path(_folder_name(name))).train]
    chosen = paths[:: -(-len(paths) // 200)]
    sides = [side for path in chosen if (side := formats.shorter_side(path))]
    return int(np.median(sides)) if sides else 0


def folder_digest(name: str, side: int, since: float) -> str | None:
    """Return the digest of the images of a folder, see `Images`; None if no file has changed since a time.

    The result is None, too, if the folder cannot be read.

    Parameters
    ----------
    name, side
        Arguments of `images`.
    since : float
        Seconds since the epoch.  If no file and no folder in the folder has changed since this time, the
        function reads no picture.
    """
    root = _path(name)
    try:
        paths = (Path(where, one) for where, below, files in os.walk(root) for one in (*below, *files))
        if not any(path.lstat().st_ctime >= since for path in paths):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # `check_files` warns of them before a run
            return images(name, side=side).digest
    except (OSError, ValueError):
        return None


def _folder_name(name: str | os.PathLike[str]) -> str:
    """Return the name of an image set as text; a path object names a folder, also without a slash."""
    if isinstance(name, str) or not isinstance(name, os.PathLike):
        return name
    text = os.fspath(name)
    return text if os.sep in text else os.path.join(os.curdir, text)


def _path(name: str) -> Path:
    """Return the path of a folder of images; "~" is the home directory."""
    return Path(os.path.expanduser(name))


def _is_path(name: str, side: int) -> bool:
    """Return whether a name is a folder's: it has a slash, or a side is given and no set has this name."""
    return "/" in name or os.sep in name or (side != 0 and name not in IMAGE_SETS)


def check_dataset(name: str, side: int, where: str, parameter: str = "dataset") -> None:
    """Check the name and the side of an image set; its files are not read.

    Parameters
    ----------
    name, side
        Arguments of `images`.
    where : str
        Name of the calling function or class, for error messages.
    parameter : str
        Name of the caller's parameter for the image set, for error messages.

    Raises
    ------
    TypeError, ValueError
        If the name is unknown, if a side is given for a named set, or if no side is given for a path.
    """
    checks.Integer()(side, "side", where)
    is_folder = isinstance(name, str) and (
        _is_path(name, side) or (name not in IMAGE_SETS and Path(name, "train").is_dir())
    )
    if is_folder and side == 0:
        accepted = f"an integer >= 1, the side in pixels of the images of the folder {name}"
        said = checks.refusal("side", where, accepted, side)
        raise ValueError(f"{said} A folder needs a side; pictures of other sizes are resized: add side = 32.")
    if is_folder:
        checks.Integer(at_least=1)(side, "side", where)
    else:
        checks.Choice(tuple(IMAGE_SETS))(name, parameter, where)
        if side:
            accepted = f"0 for {name}, whose images have a side"
            raise ValueError(checks.refusal("side", where, accepted, side))


def shape_of(name: str, side: int = 0) -> Shape:
    """Return the shape of an image set without reading its images.

    For a path, the function counts the subfolders, because each subfolder is a class.

    Parameters
    ----------
    name, side
        Arguments of `images`.

    Examples
    --------
    >>> shape_of("cifar-100"), shape_of("cifar-100").inputs
    (Shape(side=32, classes=100, channels=3), 3072)
    """
    check_dataset(name, side, "shape_of", "name")
    return Shape(side, len(_classes(_path(name), "train")), 3) if _is_path(name, side) else IMAGE_SETS[name]


def balanced_order(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return row indices in a random order in which the first n rows are class-balanced, for every n.

    For every n, the class counts of the rows ``order[:n]`` differ by at most 1.  Use the beginnings of one
    order to get nested, balanced subsets of several sizes.  The order ends when the smallest class has no
    more rows.

    Parameters
    ----------
    labels : int64 (N,)
        Class of each row.
    rng : numpy Generator
        Source of randomness.

    Returns
    -------
    order
        Row indices, int64 (classes x size of the smallest class,), without repetitions.

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
    require("The image set 'digits'", "sklearn")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x, y = bunch.images.astype(np.uint8)[:, None], bunch.target.astype(np.int64)
    test = np.sort(balanced_order(y, generator(0, "digits", "test"))[:_DIGITS_TEST])
    train = np.setdiff1d(np.arange(len(y)), test)
    return Images("digits", "scikit-learn", x[train], y[train], x[test], y[test], classes=10, white=16)


def _glyphs(name: str) -> Images:
    train_x, train_y = glyphs(_GLYPHS[name])
    test_x, test_y = glyphs(_GLYPHS_TEST, part="test")
    return Images(name, "matplotlib's fonts", train_x, train_y, test_x, test_y, len(CHARACTERS), white=255)


def _places(folder: Path | None) -> Iterator[Path]:
    """Yield the folders that may have image sets, first choice first."""
    if folder is not None:
        yield folder
        return
    named = os.environ.get("ERRSRC_DATA")
    if named:
        yield Path(named)
    yield _DEBIAN
    yield from (Path("data"), Path.home() / "data", Path.home() / ".cache", Path.home() / ".cache" / "torch")


def _fashion(folder: Path | None, name: str) -> Images:
    places = [place for root in _places(folder) for place in (root, root / "FashionMNIST" / "raw")]
    for place in places:
        found = [_find(place, file) for file in _FILES]
        if all(found):
            train_x, train_y, test_x, test_y = (formats.idx(path) for path in found if path is not None)
            for x, y, path in ((train_x, train_y, found[0]), (test_x, test_y, found[2])):
                if y.ndim != 1 or x.shape != (len(y), 28, 28) or y.max(initial=0) > 9:
                    raise ValueError(
                        f"The image file {path} does not fit its label file: images have shape {x.shape}, "
                        f"labels {y.shape}; put the four Fashion-MNIST idx files there again."
                    )
            if name == "fashion-mnist-14":
                train_x, test_x = _halved(train_x), _halved(test_x)
            return Images(
                name=name,
                source=str(place),
                train_x=train_x[:, None],
                train_y=train_y.astype(np.int64),
                test_x=test_x[:, None],
                test_y=test_y.astype(np.int64),
                classes=10,
                white=255,
            )
    raise FileNotFoundError(
        "Fashion-MNIST was not found: install the Debian package dataset-fashion-mnist, or put its four idx "
        f"files ({_FILES[0]}[.gz] and so on) in a folder and name that in ERRSRC_DATA "
        f"(looked in {', '.join(map(str, places))})."
    )


def _halved(x: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the means of 2 x 2 pixels of images, rounded to whole numbers; halves are rounded up.

    Parameters
    ----------
    x
        Images, uint8 (N, side, side), with an even side.
    """
    wide = x.astype(np.uint16)
    sums = wide[:, ::2, ::2] + wide[:, 1::2, ::2] + wide[:, ::2, 1::2] + wide[:, 1::2, 1::2]
    return ((sums + 2) // 4).astype(np.uint8)


def _find(place: Path, name: str) -> Path | None:
    """Return the file `name` in the folder, plain or gzipped, or None."""
    return next((path for path in (place / name, place / f"{name}.gz") if path.is_file()), None)


def _cifar(name: str, folder: Path | None) -> Images:
    places = [place for place in _places(folder) if place != _DEBIAN]
    for place in places:
        for version in _CIFAR[name]:
            for source in (place / version.folder, place, place / version.archive):
                files = _contents(source, version)
                if files:
                    (train_x, train_y), (test_x, test_y) = (
                        _joined([_batch(files[one], f"{source / one}", name) for one in part])
                        for part in (version.train, version.test)
                    )
                    classes = IMAGE_SETS[name].classes
                    return Images(name, str(source), train_x, train_y, test_x, test_y, classes, white=255)
    first = _CIFAR[name][0]
    raise FileNotFoundError(
        f"{name.upper()} was not found: put {first.archive} (https://www.cs.toronto.edu/~kriz/cifar.html) "
        f"or the folder {first.folder} that it holds in a folder and name that in ERRSRC_DATA "
        f"(looked in {', '.join(map(str, places))})."
    )


def _contents(source: Path, version: _Version) -> dict[str, bytes]:
    """Return the content of a version's files by name; nothing if the folder or archive has none of them."""
    names = version.train + version.test
    if source.name == version.archive:
        files = formats.unpacked(source, names) if source.is_file() else {}
    else:
        files = {one: (source / one).read_bytes() for one in names if (source / one).is_file()}
    missing = [one for one in names if one not in files]
    if files and missing:
        raise FileNotFoundError(f"{source} has no {', '.join(missing)}; put a fresh copy there.")
    return files


def _batch(content: bytes, path: str, name: str) -> _Labelled:
    shape, fine = IMAGE_SETS[name], name == "cifar-100"
    if path.endswith(".bin"):  # in CIFAR-100 the superclass precedes the class
        x, y = formats.binary_batch(content, path, 2 if fine else 1, shape.inputs)
    else:
        x, y = formats.pickled_batch(content, path, "fine_labels" if fine else "labels")
    if not len(y) or x.shape[1] != shape.inputs or y.min() < 0 or y.max() >= shape.classes:
        found = f"images {x.shape}" + (f", labels {y.min()} to {y.max()}" if len(y) else "")
        raise ValueError(f"The file {path} is no {name.upper()} batch ({found}); put a fresh copy there.")
    return x.reshape(-1, shape.channels, shape.side, shape.side), y


def _joined(parts: Sequence[_Labelled]) -> _Labelled:
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def _classes(root: Path, part: str) -> list[str]:
    """Return the names of the classes in a part of an ImageNet-style folder, in order."""
    if not (root / part).is_dir():
        raise FileNotFoundError(_not_found(root, part))
    return sorted(one.name for one in (root / part).iterdir() if one.is_dir() and not _is_hidden(one))


def _not_found(root: Path, part: str) -> str:
    """Return the message for an ImageNet-style folder that is not there; it names the closest folder."""
    near = ""
    if not root.is_dir():
        beside = [*IMAGE_SETS]
        if root.parent.is_dir():
            beside += [str(root.parent / one.name) for one in root.parent.iterdir() if (one / part).is_dir()]
        near = checks.nearest(str(root), beside)
    return (
        f"There is no image folder {root / part}: put the training images of each class in "
        f"{root}/train/CLASS and its test images in {root}/test/CLASS (or val/CLASS), or name one of "
        f"{', '.join(IMAGE_SETS)}{near}."
    )


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _folder(root: Path, side: int) -> Images:
    listed = _listed(root)
    listed.warn_of_files()
    (train_x, train_y), (test_x, test_y) = (_pictures(part, side) for part in (listed.train, listed.test))
    classes = 1 + int(train_y.max())
    passed_over = tuple(str(path) for paths in listed.passed_over.values() for path in paths)
    return Images(str(root), str(root), train_x, train_y, test_x, test_y, classes, 255, passed_over)


_Pictures = list[tuple[Path, int]]
"""Pictures, each with its class."""


class _Listed(NamedTuple):
    """The files of an ImageNet-style folder.

    Attributes
    ----------
    root
        The folder.
    train, test
        The training and test pictures.
    passed_over
        The files that are not read, by the reason.
    """

    root: Path
    train: _Pictures
    test: _Pictures
    passed_over: dict[str, list[Path]]

    def warn_of_files(self) -> None:
        """Warn of files that are not read, and of classes without test images; name the first of each."""
        parts = []
        for reason, paths in self.passed_over.items():
            if paths:
                shown = ", ".join(str(path.relative_to(self.root)) for path in paths[:_NAMED_FILES])
                more = ", ..." if len(paths) > _NAMED_FILES else ""
                parts.append(f"{len(paths):,} {reason} ({shown}{more})")
        if parts:
            count = sum(map(len, self.passed_over.values()))
            files = "1 file was" if count == 1 else f"{count:,} files were"
            warnings.warn(f"{files} passed over in {self.root}: {'; '.join(parts)}.", stacklevel=4)
        tested = {y for _, y in self.test}
        untested = sorted({path.parent.name for path, y in self.train if y not in tested})
        if untested:
            shown = ", ".join(untested[:_NAMED_FILES]) + (", ..." if len(untested) > _NAMED_FILES else "")
            classes = "1 class has" if len(untested) == 1 else f"{len(untested):,} classes have"
            warnings.warn(f"{classes} no test images in {self.root}: {shown}.", stacklevel=4)


def _listed(root: Path) -> _Listed:
    """Return the files of an ImageNet-style folder."""
    classes = _classes(root, "train")
    test = next((part for part in ("test", "val") if (root / part).is_dir() and _classes(root, part)), "test")
    unknown = [name for name in _classes(root, test) if name not in classes]
    if unknown:
        raise ValueError(f"The folder {root / test / unknown[0]} is a class that {root / 'train'} lacks.")
    passed_over: dict[str, list[Path]] = {_HIDDEN: [], _NESTED: [], _NO_CLASS: [], _OTHER_TYPES: []}
    parts: dict[str, _Pictures] = {}
    for part in ("train", test):
        for path in sorted((root / part).iterdir()):
            if _is_hidden(path):
                passed_over[_HIDDEN] += _files_of(path)
            elif not path.is_dir():
                passed_over[_NO_CLASS].append(path)
        parts[part] = [
            (path, y)
            for y, name in enumerate(classes)
            if (root / part / name).is_dir()
            for path in _class_pictures(root / part / name, passed_over)
        ]
        if not parts[part]:
            endings = ", ".join(sorted(_ENDINGS))
            raise ValueError(f"The folders in {root / part} have no images ({endings}).")
    without = sorted(set(range(len(classes))).difference(y for _, y in parts["train"]))
    if without:
        raise ValueError(f"The folder {root / 'train' / classes[without[0]]} has no images.")
    return _Listed(root, parts["train"], parts[test], passed_over)


def _class_pictures(folder: Path, passed_over: dict[str, list[Path]]) -> list[Path]:
    """Return the pictures in the folder of a class, and add its other files to `passed_over`."""
    found = []
    for path in sorted(folder.iterdir()):
        if _is_hidden(path):
            passed_over[_HIDDEN] += _files_of(path)
        elif path.is_dir():
            passed_over[_NESTED] += _files_of(path)
        elif path.suffix.lower() in _ENDINGS:
            found.append(path)
        else:
            passed_over[_OTHER_TYPES].append(path)
    return found


def _files_of(path: Path) -> list[Path]:
    """Return the files in a folder and in all folders below it, or the file itself."""
    if not path.is_dir():
        return [path]
    return sorted(Path(where, name) for where, _, names in os.walk(path) for name in names)


def _pictures(found: _Pictures, side: int) -> _Labelled:
    with ThreadPoolExecutor() as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about metadata and palettes
        x = np.stack(list(pool.map(lambda one: formats.picture(one[0], side), found)))
    return x, _labels(found)


def _labels(found: _Pictures) -> NDArray[np.int64]:
    return np.array([y for _, y in found], dtype=np.int64)
