"""Starters: small studies with comments, which ``errsrc new`` writes into a folder."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path

import numpy as np

from errsrc.checks import Choice
from errsrc.exports import exported_names

STARTERS: dict[str, tuple[str, ...]] = {
    "vision": (
        "errsrc run grid.toml",
        "errsrc report grid.toml",
        "errsrc status own_grid.toml --modules own_model",
        "errsrc run own_grid.toml --modules own_model",
        "errsrc report own_grid.toml --modules own_model",
    ),
    "language": ("errsrc run grid.toml", "errsrc report grid.toml"),
    "budget": ("errsrc budget budget.toml", "errsrc budget own_budget.toml --modules own_setting"),
    "conjecture": ("errsrc conjecture threshold.toml", "errsrc conjecture claims.toml"),
    "own": ("errsrc run grid.toml --kinds experiment", "errsrc report grid.toml --kinds experiment"),
}
"""The commands to give next in the folder of a starter, by the name of the starter."""

OWN_FILES = ("own_model.py", "own_grid.toml")
"""The files of the starter "vision" that a folder of images gets."""

SIDE = 32
"""Largest side in pixels to which a starter resizes the pictures of a folder; it enlarges none."""

FEWEST_IMAGES = 32
"""Smallest number of training images, without those for validation, for which a starter is written."""

TEXT_BYTES = 300_000
"""Size of the text of the starter "language", in bytes."""

__dir__ = exported_names(__name__)


def next_commands(name: str, with_images: bool = False) -> tuple[str, ...]:
    """Return the commands to give next in the folder of a starter.

    Parameters
    ----------
    name : str
        One of `STARTERS`.
    with_images : bool
        Whether the starter was written for a folder of images.
    """
    commands = STARTERS[name]
    return tuple(one for one in commands if "own_model" in one) if with_images else commands


def write_starter(name: str, folder: Path, images: Path | None = None) -> list[Path]:
    """Write the files of a starter into a folder, and return their paths, modules first.

    The folder is created if it does not exist.  No file is ever overwritten.

    Parameters
    ----------
    name : str
        One of `STARTERS`.
    folder : Path
        The folder.
    images : Path, optional
        For the starter "vision": a folder of images with the layout ``train/CLASS/*.png`` and
        ``test/CLASS/*.png``.  Only `OWN_FILES` are then written.  Their study trains on these images, with
        values of ``validation`` and n that suit their number.

    Raises
    ------
    ValueError
        If there is no such starter, if the folder has a file of the same name, or if there are too few
        images.  Nothing is written then.
    OSError
        If a file cannot be written, or if there is no such folder of images.
    """
    Choice(tuple(STARTERS))(name, "kind", "errsrc new")
    if images is not None and name != "vision":
        raise ValueError(f"--images does not apply to {name}, only to vision.")
    source = resources.files("errsrc.studies") / "starter_files" / name
    texts = {file.name.removesuffix(".txt"): file.read_text(encoding="utf-8") for file in source.iterdir()}
    if images is not None:
        texts = {file: texts[file] for file in OWN_FILES}
        texts["own_grid.toml"] = _with_images(texts["own_grid.toml"], images, folder)
    if name == "language":
        texts["text.txt"] = _text()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: name a folder, which may be new.")
    taken = sorted(file for file in texts if (folder / file).exists())
    if taken:
        raise ValueError(f"{folder / taken[0]} exists, and is not overwritten: name another folder.")
    contents = {file: text.encode() for file, text in texts.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        with (folder / file).open("xb") as opened:
            opened.write(content)
    return [folder / file for file in _in_order_of_editing(texts)]


def _in_order_of_editing(files: Iterable[str]) -> list[str]:
    """Return names of files in the order in which a user edits them: modules before the studies of them."""
    return sorted(files, key=lambda file: (not file.endswith(".py"), file))


def _with_images(text: str, images: Path, folder: Path) -> str:
    """Return the text of a study that trains on the images of a folder, as seen from the study's folder."""
    from errsrc.datasets.image_sets import check_files, picture_side

    counts = np.bincount(check_files(os.path.join(images, ""), SIDE))
    classes, smallest = len(counts), int(counts.min())
    if classes < 2:
        raise ValueError(f"The folder {images} has images of one class only: two or more are needed.")
    validation = classes * max(1, round(smallest / 5))
    largest, fewest = classes * smallest - validation, max(FEWEST_IMAGES, 4 * classes)
    if largest < fewest:
        raise ValueError(
            f"The folder {images} has too few training images: {smallest} in its smallest class, of which "
            f"{validation // classes} are for validation. The largest n would be {largest}, and must be at "
            f"least {fewest}."
        )
    side = min(SIDE, picture_side(os.path.join(images, "")) or SIDE)
    place = images.expanduser()
    relative = os.path.relpath(place.parent.resolve() / place.name, folder.resolve())
    named = relative if os.sep in relative else os.path.join(os.curdir, relative)  # never the name of a set
    try:
        path = json.dumps(named.encode().decode(), ensure_ascii=False)
    except UnicodeEncodeError:
        raise ValueError(f"The path of the images must be text in UTF-8. Got {named!a} instead.") from None
    sizes = ", ".join(str(largest // part) for part in (16, 8, 4, 2, 1))
    text = re.sub(r"# Your own images:.*\n(#.*\n)*\n", "", text)
    for pattern, line in {
        r"dataset = .*": f"dataset = {path}      # relative to the folder in which you give the command\n"
        f"side = {side}".ljust(28)
        + "# in pixels; pictures of another size are resized to it",
        r"validation = \d+ *": f"validation = {validation}".ljust(28),
        r"n = \[.*?\] *# ": f"n = [{sizes}]".ljust(28)
        + f"# at most {largest}, as {smallest} images of each class are used; ",
        r"steps = \d+ ": "steps = 1000",
    }.items():
        text = re.sub(rf"^{pattern}", line.replace("\\", r"\\"), text, flags=re.MULTILINE)
    return text


def _text() -> str:
    """Return a text to train on, which every installation has: the docstrings of errsrc."""
    paragraphs: list[str] = []
    size = 0
    for paragraph in _docstrings():
        paragraphs.append(paragraph)
        size += len(paragraph.encode()) + 2
        if size > TEXT_BYTES:
            break
    return "\n\n".join(paragraphs) + "\n"


def _docstrings() -> Iterator[str]:
    root = Path(str(resources.files("errsrc")))
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                text = ast.get_docstring(node)
                if text:
                    yield text
