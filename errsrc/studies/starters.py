"""Starters: small studies with comments, which ``errsrc new`` writes into a folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from errsrc.checks import Choice
from errsrc.exports import exported_names

STARTERS: dict[str, tuple[str, ...]] = {
    "vision": (
        "errsrc run grid.toml",
        "errsrc report grid.toml",
        "errsrc run own_grid.toml --modules own_model",
        "errsrc report own_grid.toml --modules own_model",
    ),
    "language": ("errsrc run grid.toml", "errsrc report grid.toml"),
    "budget": ("errsrc budget budget.toml", "errsrc budget own_budget.toml --modules own_setting"),
    "conjecture": ("errsrc conjecture threshold.toml", "errsrc conjecture claims.toml"),
    "own": ("errsrc run grid.toml --kinds experiment", "errsrc report grid.toml --kinds experiment"),
}
"""The commands to give next in the folder of a starter, by the name of the starter."""

TEXT_BYTES = 300_000
"""Size of the text of the starter "language", in bytes."""

__dir__ = exported_names(__name__)


def write_starter(name: str, folder: Path) -> list[Path]:
    """Write the files of a starter into a folder, and return their paths.

    The folder is created if it does not exist.  No file is ever overwritten.

    Parameters
    ----------
    name : str
        One of `STARTERS`.
    folder : Path
        The folder.

    Raises
    ------
    ValueError
        If there is no such starter, or if the folder has a file of the same name.  Nothing is written then.
    OSError
        If a file cannot be written.
    """
    Choice(tuple(STARTERS))(name, "kind", "errsrc new")
    source = resources.files("errsrc.studies") / "starter_files" / name
    texts = {file.name.removesuffix(".txt"): file.read_text(encoding="utf-8") for file in source.iterdir()}
    if name == "language":
        texts["text.txt"] = _text()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: name a folder, which may be new.")
    taken = sorted(file for file in texts if (folder / file).exists())
    if taken:
        raise ValueError(f"{folder / taken[0]} exists, and is not overwritten: name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        with (folder / file).open("x", encoding="utf-8") as opened:
            opened.write(text)
    return sorted(folder / file for file in texts)


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
