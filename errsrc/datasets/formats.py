"""Readers of image files.

A damaged file raises an error that names the file.  No code in a file is run.
"""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image


def idx(path: Path) -> NDArray[np.uint8]:
    """Return the array of an idx file of unsigned bytes (http://yann.lecun.com/exdb/mnist).

    Parameters
    ----------
    path : Path
        The file, plain or gzipped (.gz).

    Returns
    -------
    array
        uint8, of the shape that the file states.

    Raises
    ------
    ValueError
        If the file is not a complete idx file of unsigned bytes.
    """
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


def unpacked(archive: Path, names: Collection[str]) -> dict[str, bytes]:
    """Return a dict from the names of some files of a gzipped tar archive to their contents.

    Parameters
    ----------
    archive : Path
        The archive.
    names : collection of str
        Names of the files, without their folders.  Names that are not in the archive are left out.

    Raises
    ------
    ValueError
        If the file is not a complete gzipped tar archive.
    """
    files = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for entry in tar:
                name, file = entry.name.rpartition("/")[2], tar.extractfile(entry)
                if name in names and file is not None:
                    files[name] = file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error):
        wrong = f"The file {archive} is not a whole gzipped tar archive; put a fresh copy there."
        raise ValueError(wrong) from None
    return files


def pickled_batch(content: bytes, path: str, labels: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images and labels of a pickled CIFAR batch.

    Reading a pickle can call any function that the pickle names.  This function therefore reads only arrays
    and plain values, and raises ValueError for anything else.

    Parameters
    ----------
    content : bytes
        Content of the file.
    path : str
        Path of the file, for error messages.
    labels : str
        Key of the labels in the batch.

    Returns
    -------
    images, labels
        uint8 (N, pixels) and int64 (N,).

    Raises
    ------
    ValueError
        If the content is not a complete CIFAR batch.
    """
    wrong = f"The file {path} is not a whole CIFAR batch"
    try:
        batch = _Plain(io.BytesIO(content), encoding="latin1").load()
        x, y = np.asarray(batch["data"]), np.asarray(batch[labels])
    except Exception as error:  # whatever a broken pickle raises
        raise ValueError(f"{wrong} ({type(error).__name__}: {error}); put a fresh copy there.") from None
    if x.dtype != np.uint8 or x.ndim != 2 or y.dtype.kind not in "iu" or y.shape != x.shape[:1]:
        found = f"images {x.shape} of {x.dtype}, labels {y.shape} of {y.dtype}"
        raise ValueError(f"{wrong} ({found}); put a fresh copy there.")
    return x, y.astype(np.int64)


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return the function or class that a pickle of arrays or bytes names; refuse all others."""
        if (module, name) in (
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
        ):
            return np.empty(0).__reduce__()[0]
        known = {("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): _dtype, ("_codecs", "encode"): _latin}
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return known[module, name]


def _dtype(code: str, align: int, copy: int) -> np.dtype[Any]:
    """Return a dtype; numpy itself no longer takes the integers that old pickles have."""
    return np.dtype(code, bool(align), bool(copy))


def _latin(text: str, encoding: str) -> bytes:
    """Return bytes from the text as which Python 3 writes them in pickles that Python 2 can read."""
    return text.encode("latin1")


def binary_batch(
    content: bytes, path: str, labels: int, pixels: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images of a binary CIFAR batch, and the last label of each image.

    Parameters
    ----------
    content : bytes
        Content of the file: for each image its labels, then the values of its pixels, one byte each.
    path : str
        Path of the file, for error messages.
    labels, pixels : int
        Number of labels of an image, and number of values of its pixels.

    Returns
    -------
    images, labels
        uint8 (N, pixels) and int64 (N,).

    Raises
    ------
    ValueError
        If the content does not have a whole number of images.
    """
    if not content or len(content) % (labels + pixels):
        wrong = f"it has {len(content)} bytes, no multiple of {labels + pixels}"
        raise ValueError(f"The file {path} is not a whole CIFAR batch ({wrong}); put a fresh copy there.")
    table = np.frombuffer(content, np.uint8).reshape(-1, labels + pixels)
    return table[:, labels:], table[:, labels - 1].astype(np.int64)


def picture(path: Path, side: int) -> NDArray[np.uint8]:
    """Return the largest square in the middle of a picture, resized, in RGB.

    The picture is turned as its EXIF orientation says.  Transparent pixels are laid over white.  If a PNG
    file has 16 bits per channel, only the upper 8 bits are read.

    Parameters
    ----------
    path : Path
        The file, in any format that Pillow reads.
    side : int
        Height and width of the result, in pixels.

    Returns
    -------
    pixels
        uint8 (3, side, side).

    Raises
    ------
    ValueError
        If the file is not a complete picture, or if it has more than 8 bits per channel and is not PNG.
    """
    from PIL import Image, ImageOps

    mode = ""
    try:
        with Image.open(path) as image:
            is_png, mode = image.format == "PNG", image.mode
            if mode[0] not in "IF" or is_png:  # else a conversion would clip the pixels at 255
                image.draft("RGB", (2 * side, 2 * side))  # decodes a JPEG no larger than needed
                image.load()
                opaque = _over_white(_turned(_eight_bits(image)))
                square = ImageOps.fit(opaque, (side, side), Image.Resampling.BICUBIC)
                return np.asarray(square, dtype=np.uint8).transpose(2, 0, 1)
    except Exception as error:  # whatever a broken picture makes Pillow raise
        reason = " ".join(str(error).split())
        raise ValueError(
            f"The file {path} is not a whole picture ({reason}); put a fresh copy there."
        ) from None
    raise ValueError(
        f"The file {path} has pixels of more than 8 bits (mode {mode}), which are read from PNG files only; "
        "save it with 8 bits per channel."
    )


def shorter_side(path: Path) -> int:
    """Return the smaller of a picture's height and width in pixels, without decoding; 0 if it is unreadable.

    Parameters
    ----------
    path : Path
        The file.
    """
    try:
        from PIL import Image

        with Image.open(path) as image:
            return min(image.size)
    except Exception:  # whatever a broken picture makes Pillow raise, and a missing Pillow
        return 0


def _eight_bits(image: Image) -> Image:
    """Return a PNG file's grey pixels of 16 bits as 8 bits, and all other pictures as they are."""
    from PIL import Image

    transparent = image.info.get("transparency")
    if image.mode[0] != "I":
        if isinstance(transparent, tuple) and max(transparent) > 255:  # Pillow reads the upper bits alone
            image.info["transparency"] = tuple(value >> 8 for value in transparent)
        return image
    values = np.asarray(image.convert("I"))
    grey = Image.fromarray((values >> 8).astype(np.uint8))
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    grey.info["exif"] = image.info.get("exif", b"")
    return grey


def _turned(image: Image) -> Image:
    """Return a picture turned as its EXIF orientation says; unreadable EXIF data turn nothing."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # whatever broken EXIF data make Pillow raise
        return image


def _over_white(image: Image) -> Image:
    """Return a picture in RGB, its transparent pixels over white."""
    from PIL import Image

    if "transparency" not in image.info and image.mode not in ("LA", "La", "PA", "RGBA", "RGBa"):
        return image.convert("RGB")
    above = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above).convert("RGB")
