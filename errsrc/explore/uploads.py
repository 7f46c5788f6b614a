"""Tables that a user drops into the app: a fitted law, or one sentence that says what is wrong."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from errsrc import datasets
from errsrc.errors import NoAnswer
from errsrc.explore.computations import FittedTable, fitted_table, named_columns
from errsrc.fitting.approaches import LAWS as LAWS
from errsrc.tables import DataTable, read_table

T = TypeVar("T")

EXAMPLE = "chinchilla_epoch"
"""The published table that is shown until the user drops one."""


def example_table(law: str = "chinchilla", budgets: Sequence[float] = ()) -> FittedTable:
    """Return a law fitted to a published table: the runs of Hoffmann et al. 2022, without their outliers.

    Parameters
    ----------
    law : str
        Name of a law in n and m, or "auto".
    budgets : sequence of float
        Budgets that are added to the positions of the slider.
    """
    where = Path(datasets.__file__).parent / "tables" / f"{EXAMPLE}.csv"
    columns = {"n": "tokens", "m": "params", "error": "loss"}
    source = "240 runs of Hoffmann et al. 2022, read off by Besiroglu et al. 2024 (arXiv 2404.10102)"
    return fitted_table(where, law, columns=columns, where="outlier=0", source=source, budgets=budgets)


def fit_upload(
    name: str,
    content: bytes,
    law: str,
    columns: Mapping[str, str],
    sentence: Callable[[Exception], str] = str,
    where: Sequence[str] = (),
    budgets: Sequence[float] = (),
) -> FittedTable | str:
    """Return a law that is fitted to a dropped table, or a sentence that says why there is none.

    Parameters
    ----------
    name : str
        Name of the file.
    content : bytes
        Its content.
    law : str
        Name of a law in n and m, or "auto".
    columns : dict of str to str
        Names of the columns of "n", "m", "error" and "flops".
    sentence : callable
        Turns an error into the sentence that the page shows.
    where : sequence of str
        Conditions that rows must meet, such as "State=finished".
    budgets : sequence of float
        Budgets that are added to the positions of the slider.

    Returns
    -------
    FittedTable or str
        The fit, or the sentence.
    """
    shown = Path(name).name

    def use(path: Path) -> FittedTable:
        return fitted_table(path, law, columns=columns, where=where, source=shown, budgets=budgets)

    return _with_file(name, content, sentence, use)


def read_upload(
    name: str,
    content: bytes,
    sentence: Callable[[Exception], str] = str,
    given: Mapping[str, str] | None = None,
) -> tuple[DataTable, dict[str, str]] | str:
    """Return the table that a user dropped into the page, with its probable columns, or a sentence.

    Parameters
    ----------
    name : str
        Name of the file.
    content : bytes
        Its content.
    sentence : callable
        Turns an error into the sentence that the page shows.
    given : dict of str to str, optional
        Columns that are known, as for `named_columns`.

    Returns
    -------
    tuple of DataTable and dict, or str
        The table, and the result of `named_columns`; or the sentence.
    """

    def read(path: Path) -> tuple[DataTable, dict[str, str]]:
        table = read_table(path)
        return table, named_columns(table, given)

    return _with_file(name, content, sentence, read)


def _with_file(
    name: str, content: bytes, sentence: Callable[[Exception], str], use: Callable[[Path], T]
) -> T | str:
    """Return what a function makes of a file with a given content, or the sentence of its error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(name).name or "table")
        try:
            path.write_bytes(content)
            return use(path)
        except (NoAnswer, ModuleNotFoundError, OSError, TypeError, ValueError) as error:
            return sentence(error).replace(f"{folder}{os.sep}", "")
