"""Names of columns: those that other people's tables use, and hints at the column that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Collection

from errsrc import checks
from errsrc.tables.cells import plain_number

SYNONYMS: dict[str, tuple[str, ...]] = {
    "n": (
        "tokens",
        "samples",
        "examples",
        "n_train",
        "train_size",
        "dataset_size",
        "samples_seen",
        "d",
        "step",
    ),
    "m": ("params", "parameters", "n_params", "num_params", "model_size", "width"),
    "error": (
        *("loss", "val_loss", "val/loss", "test_loss", "eval/loss", "err", "test_error"),
        *("accuracy", "acc", "acc1", "top1", "val_acc", "val/acc", "test_acc"),
    ),
}
"""Names that other people's tables give to the columns n, m and error; messages suggest them."""
WORDS: dict[str, tuple[str, ...]] = {
    "n": ("tokens", "samples", "examples"),
    "m": ("params", "parameters"),
    "flops": ("flops", "flop", "compute"),
    "error": ("loss", "error", "err", "nll", "perplexity", "ppl", "bpb", "accuracy", "acc"),
}
"""Words in names of columns that probably hold n, m, flops or the error; messages suggest such columns."""


def nearest_column(name: str, role: str, columns: Collection[str]) -> str:
    """Return a hint at the column that was probably meant, such as " (did you mean 'loss'?)"; "" for none.

    Parameters
    ----------
    name : str
        The name that no column has.
    role : str
        The input, or "error", that the column was expected to hold; "" if the user named the column.
    columns : collection of str
        Names of the columns.
    """
    same = [other for other in columns if other.strip().lower() == name.lower()]
    known = [other for other in columns if other.strip().lower() in SYNONYMS.get(role, ())]
    words = set(WORDS.get(role, ()))
    similar = [other for other in columns if words & set(re.split("[^a-z]+", other.lower()))]
    similar.sort(key=lambda other: "train" in other.lower() and role == "error")
    for other in (*same, *known, *similar):
        return f" (did you mean {shortened(other)!r}?)"
    return checks.nearest(name, columns)


def advice_on_layout(columns: Collection[str]) -> str:
    """Return a sentence on tables that are wide, have no header, or are separated by blanks; otherwise "".

    Parameters
    ----------
    columns : collection of str
        Names of the columns.
    """
    names = list(columns)
    if any(" - " in name for name in names):
        return " This looks like an export with a column for each run: pass --melt (melt=True)."
    if all(plain_number(name) == plain_number(name) for name in names):
        return " The first line holds numbers: add a header line."
    if len(names) == 1 and len(names[0].split()) > 1:
        return " Separate the columns by commas, tabs, semicolons or |."
    return ""


def shortened(text: str, length: int = 60) -> str:
    """Return a text from a file, short enough for a message.

    Parameters
    ----------
    text : str
        The text.
    length : int
        Largest number of characters.
    """
    return text if len(text) <= length else text[: length - 3] + "..."
