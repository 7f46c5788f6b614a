"""Any number of labelled images of characters, drawn from a seed with the fonts of matplotlib."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.checks import Choice, Integer
from errsrc.rng import generator

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The classes of the images, in order."""

FONTS = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-BoldOblique", "-Oblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-BoldOblique", "-Oblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-BoldItalic", "-Italic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "BolIta", "Italic")),
    *("cmb10", "cmr10", "cmss10", "cmtt10"),
)
"""The fonts of matplotlib that have a letter or digit of its usual form for each character."""

SIDE = 28
"""Height and width of an image, in pixels."""

_FINE = 4  # points of a rendered character per pixel of an image, in each direction
_EM = 22 * _FINE  # size of the font, in points of a rendered character
_ROOM = 40 * _FINE  # side of a rendered character with its margin
_BASELINE = 26 * _FINE  # from the upper edge
_BLOCK = 248  # images that share a random stream; a multiple of the number of classes


@checks.arguments(count=Integer(at_least=1), seed=Integer(at_least=0), part=Choice(("train", "test")))
def glyphs(count: int, seed: int = 0, part: str = "train") -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw labelled grey images of digits and letters, with random fonts, distortions, positions and noise.

    The 62 classes are 0 to 9, A to Z and a to z.  An image shows one character in one of 20 fonts.  The
    character is turned by up to 15 degrees, slanted by up to .2, scaled by .75 to 1.1 in each direction, and
    moved by up to 2 pixels.  Its brightness is .5 to 1 of white.  Each pixel has Gaussian noise with a
    standard deviation of .02 to .15 of white.  All these amounts are uniformly distributed.

    Parameters
    ----------
    count : int
        Number of images, >= 1.  Image i does not depend on `count`.
    seed : int
        Seed of all random choices, >= 0.
    part : str
        "train" or "test".  The images of the two parts are drawn independently.

    Returns
    -------
    x, y
        Pixels, uint8 (count, 1, 28, 28), from 0 (black) to 255 (white), and classes, int64 (count,).  Image i
        has class i % 62.

    Raises
    ------
    FileNotFoundError
        If matplotlib or one of its fonts is not installed.
    ValueError
        If an argument is out of range, or if the images would fill more than half of the machine's memory.

    Notes
    -----
    No classifier reaches an error of 0, because some characters look alike: O, o and 0, or l, I and 1, in
    some fonts, and c and C after a change of scale.

    The same seed gives the same images on one machine.  Another version of Pillow may render characters
    slightly differently; `Images.digest` then differs.

    Examples
    --------
    >>> x, y = glyphs(100)
    >>> x.shape, y[:3].tolist(), y[60:64].tolist()
    ((100, 1, 28, 28), [0, 1, 2], [60, 61, 0, 1])
    """
    checks.check_count(count, SIDE**2, "count", "glyphs")
    x = np.empty((count, 1, SIDE, SIDE), np.uint8)
    for block, start in enumerate(range(0, count, _BLOCK)):
        size = min(_BLOCK, count - start)
        x[start : start + size, 0] = _images(generator(seed, "glyphs", part, block))[:size]
    return x, glyph_classes(count)


def glyph_classes(count: int) -> NDArray[np.int64]:
    """Return the classes of the first images of `glyphs`, int64 (count,), without drawing the images.

    Parameters
    ----------
    count : int
        Number of images.
    """
    return np.arange(count, dtype=np.int64) % len(CHARACTERS)


def _images(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the images of a block, (_BLOCK, 28, 28)."""
    font = rng.integers(len(FONTS), size=_BLOCK)
    light, noise = rng.uniform(0.5, 1, _BLOCK), rng.uniform(0.02, 0.15, _BLOCK)
    first = (font * len(CHARACTERS) + glyph_classes(_BLOCK)) * _ROOM**2
    points = _shown_points(rng) + first.astype(np.int32)[:, None, None]
    pixels = _rendered().reshape(-1).take(points) * light.astype(np.float32)[:, None, None]
    deviation = (255 * noise).astype(np.float32)[:, None, None]
    pixels += rng.standard_normal(pixels.shape, dtype=np.float32) * deviation
    return np.asarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _shown_points(rng: np.random.Generator) -> NDArray[np.int32]:
    """Return which point of a rendered character each pixel shows, int32 (_BLOCK, 28, 28), for random maps.

    A point p of the rendered character is at M p + move in the image, and M = rotation x slant x scale.  A
    pixel at q therefore shows the point inverse(M) (q - move).
    """
    turn, slant = rng.uniform(-np.pi / 12, np.pi / 12, _BLOCK), rng.uniform(-0.2, 0.2, _BLOCK)
    scale = rng.uniform(0.75, 1.1, (2, _BLOCK))
    move = rng.uniform(-2, 2, (2, _BLOCK, 1))
    cos, sin = np.cos(turn), np.sin(turn)
    inverse = np.array([[cos - slant * sin, sin + slant * cos], [-sin, cos]]) / scale[:, None]
    across, down = (np.arange(SIDE) - (SIDE - 1) / 2 - move).astype(np.float32)  # (_BLOCK, 28) each
    x, y = (
        (row[0][:, None] * across)[:, None, :] + (row[1][:, None] * down)[:, :, None]
        for row in (_FINE * inverse).astype(np.float32)
    )
    for axis in (x, y):
        axis += (_ROOM - 1) / 2
        np.clip(np.rint(axis, out=axis), 0, _ROOM - 1, out=axis)
    return y.astype(np.int32) * _ROOM + x.astype(np.int32)


@functools.cache
def _rendered() -> NDArray[np.uint8]:
    """Return each character in each font at high resolution, (fonts, characters, _ROOM, _ROOM).

    Each value is a mean over the area of one pixel of an image.  Therefore a pixel can show the nearest
    value.
    """
    from PIL import Image, ImageDraw, ImageFilter, ImageFont

    found = np.zeros((len(FONTS), len(CHARACTERS), _ROOM, _ROOM), np.uint8)
    for k, path in enumerate(font_files()):
        font = ImageFont.truetype(str(path), _EM, layout_engine=ImageFont.Layout.BASIC)
        for c, character in enumerate(CHARACTERS):
            room = Image.new("L", (_ROOM, _ROOM))
            left, _, right, _ = font.getbbox(character, anchor="ls")
            at = (_ROOM - left - right) / 2, _BASELINE
            ImageDraw.Draw(room).text(at, character, fill=255, font=font, anchor="ls")
            found[k, c] = np.asarray(room.filter(ImageFilter.BoxBlur(_FINE / 2)))
    return found


def font_files() -> list[Path]:
    """Return the files of the fonts, in the order of `FONTS`.

    matplotlib itself is not imported.

    Raises
    ------
    FileNotFoundError
        If matplotlib or one of its fonts is not installed.
    """
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        raise FileNotFoundError(
            "The image set 'glyphs' is drawn with matplotlib's fonts: pip install matplotlib."
        )
    folder = Path(package.origin).parent / "mpl-data" / "fonts" / "ttf"
    paths = [folder / f"{name}.ttf" for name in FONTS]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise FileNotFoundError(
            f"The image set 'glyphs' is drawn with matplotlib's fonts, and {missing[0]} was not found: "
            "pip install --force-reinstall matplotlib."
        )
    return paths
