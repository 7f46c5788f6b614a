"""The files of a study: the TOML file that describes it, its finished cells, and dated predictions."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from errsrc import checks
from errsrc.checks import PATH, Optional
from errsrc.errors import NoAnswer
from errsrc.studies.finished import FinishedStudy, read_store
from errsrc.studies.kinds import import_own
from errsrc.studies.spec import load
from errsrc.sweeps import Store, local, run
from errsrc.sweeps.engines import Engine


@checks.arguments(path=PATH, store=Optional(PATH))
def load_study(
    path: str | os.PathLike[str],
    store: str | os.PathLike[str] | None = None,
    *,
    modules: str | Iterable[str] = (),
) -> FinishedStudy:
    """Read the finished cells of a study.

    Parameters
    ----------
    path : path
        The study's TOML file.
    store : path, optional
        The file of finished cells; by default STUDY.db next to STUDY.toml.
    modules : str or iterable of str
        Names of your own modules, such as "mylab.experiments", that define the study's kind or classes that
        the study names.  These modules are imported.  A name in the TOML file never makes errsrc import any
        other module.

    Returns
    -------
    FinishedStudy
        The finished cells.

    Raises
    ------
    ValueError
        If the TOML file does not describe a study, if no cell of the study is finished, or if a module cannot
        be imported.
    StoreError
        If the file of finished cells does not exist or cannot be read.
    OSError
        If the TOML file cannot be read.
    """
    spec, kept = files_of(path, store)
    import_own(modules)
    study = load(spec)
    with Store(kept) as opened:
        return read_store(study, opened, spec)


@checks.arguments(path=PATH, store=Optional(PATH))
def run_study(
    path: str | os.PathLike[str],
    store: str | os.PathLike[str] | None = None,
    engine: Engine = local,
    *,
    retry: bool = False,
    progress: bool = True,
    modules: str | Iterable[str] = (),
) -> FinishedStudy:
    """Compute the cells of a study that are not finished, and return all finished cells.

    Parameters
    ----------
    path : path
        The study's TOML file.
    store : path, optional
        The file of finished cells, created if it does not exist; by default STUDY.db next to STUDY.toml.
    engine : callable
        The engine that computes the cells: `errsrc.sweeps.local`, `errsrc.sweeps.dask`,
        `errsrc.sweeps.serial`, or a ``functools.partial`` of an engine with its options.
    retry : bool
        Whether to compute again the cells that failed in an earlier run.
    progress : bool
        Whether to show progress on stderr.
    modules : str or iterable of str
        Names of your own modules, such as "mylab.experiments", that define the study's kind or classes that
        the study names.  These modules are imported.  A name in the TOML file never makes errsrc import any
        other module.

    Returns
    -------
    FinishedStudy
        The finished cells.  Cells that failed are counted in its ``failures``.

    Raises
    ------
    NoAnswer
        If all cells failed.
    ValueError
        If the TOML file does not describe a study, if a class does not accept a value in the file, or if a
        module cannot be imported.
    StoreError
        If the file of finished cells cannot be written.
    EngineError
        If the engine cannot compute any cell.
    OSError
        If the TOML file cannot be read, or if data that a cell needs are not on this machine.
    """
    spec, kept = files_of(path, store)
    import_own(modules)
    study = load(spec)
    with Store(kept, write=True) as opened:
        summary = run(study, opened, engine, retry=retry, progress=progress)
        if not summary.kept + summary.finished:
            raise NoAnswer(str(summary), summary)
        return read_store(study, opened, spec)


def files_of(path: str | os.PathLike[str], store: str | os.PathLike[str] | None = None) -> tuple[Path, Path]:
    """Return the paths of a study's TOML file and of its file of finished cells.

    Parameters
    ----------
    path : path
        The study's TOML file.
    store : path, optional
        The file of finished cells; by default STUDY.db next to STUDY.toml.

    Returns
    -------
    spec : Path
        The TOML file.
    store : Path
        The file of finished cells.

    Raises
    ------
    ValueError
        If the name of the study's file does not end in .toml.

    Examples
    --------
    >>> files_of("sims/digits_grid.toml")[1].name
    'digits_grid.db'
    """
    spec = Path(path)
    if spec.suffix != ".toml":
        raise ValueError(f"{spec} is not a study: its name must end in .toml.")
    return spec, spec.with_suffix(".db") if store is None else Path(store)


def save_dated_csv(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write columns and the time of writing (UTC) to a CSV file, as evidence of when a prediction was made.

    Parameters
    ----------
    path : Path
        Path of the file.
    columns : mapping of str to (rows,) arrays
        The columns by name.  A column ``written`` with the time is added.
    """
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "written"])
        for row in zip(*(column.tolist() for column in columns.values()), strict=True):
            writer.writerow([*row, now])
