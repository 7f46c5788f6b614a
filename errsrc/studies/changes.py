"""Changes of a user's modules and images after cells were computed: such cells keep their old results."""

from __future__ import annotations

import calendar
import collections
import os
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from errsrc.datasets.image_sets import folder_digest
from errsrc.errors import ChangedFiles
from errsrc.records import own_modules
from errsrc.studies.kinds import own_modules_of
from errsrc.sweeps import Store, Study

MARGIN = 86_400
"""Images may have been read up to this many seconds before the first cell was finished."""


def changes(
    study: Study,
    store: Store,
    cells: Sequence[Any] | None = None,
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> tuple[str, ...]:
    """Return warnings about finished cells whose module or images have changed since.

    The rows of a store have a digest of the file of each module of the user, and of the images.  This
    function compares these digests with the files of today.  It does not see changes in other files that a
    module of the user imports.

    Parameters
    ----------
    study : Study
        The grid of cells.
    store : Store
        The open store.
    cells, rows : sequences, optional
        The finished cells of the study and their rows; by default the function reads them.

    Returns
    -------
    tuple of str
        A sentence for each module and each folder of images that has changed; empty if nothing has changed.
    """
    old = _old_modules(study, store)
    if hasattr(study.kind.cell, "image_folder"):
        if cells is None or rows is None:
            missing = set(store.missing(study))
            cells = [study[place] for place in range(len(study)) if place not in missing]
            rows = store.rows(study)
        old += _old_images(cells, rows)
    return tuple(
        f"{what} changed since {count:,} of the finished cells {'was' if count == 1 else 'were'} computed. "
        f"errsrc keeps their results, and does not compute them again. To compute all cells anew, delete "
        f"{store.path}, or name another file with --store NEW.db."
        for what, count in old.items()
    )


def warn_of_changes(study: Study, store: Store) -> None:
    """Warn of finished cells whose module or images have changed since, see `changes`.

    Parameters
    ----------
    study : Study
        The grid of cells.
    store : Store
        The open store.

    Warns
    -----
    ChangedFiles
        For each module and each folder of images that has changed.
    """
    for said in changes(study, store):
        warnings.warn(said, ChangedFiles, stacklevel=2)


def _old_modules(study: Study, store: Store) -> collections.Counter[str]:
    """Return the number of cells that were computed with another file, for each changed module."""
    found: collections.Counter[str] = collections.Counter()
    kinds, modules = own_modules_of(study)
    if not kinds and not modules:
        return found
    now = own_modules.digests()
    for count, versions in store.versions(study):
        for name in (*kinds, *modules):
            if versions.get(name, now[name]) != now[name]:
                found[f"{_file_of(name)} has"] += count
    return found


def _file_of(name: str) -> str:
    """Return the path of a module's file, relative to the working directory if the file is in it."""
    file = Path(own_modules.imported_modules()[name].__file__ or name)
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)


def _old_images(cells: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> collections.Counter[str]:
    """Return the number of cells that were computed with other images, for each changed folder."""
    found: collections.Counter[str] = collections.Counter()
    if not rows:
        return found
    first = min(row["finished"] for row in rows)
    since = calendar.timegm(time.strptime(first, "%Y-%m-%dT%H:%M:%SZ")) - MARGIN
    now: dict[tuple[str, int], str | None] = {}
    for cell, row in zip(cells, rows, strict=True):
        if cell.image_folder is None:
            continue
        name, side = cell.image_folder
        if (name, side) not in now:
            now[name, side] = folder_digest(name, side, since)
        if now[name, side] not in (None, row.get("digest")):
            found[f"The images of {os.path.normpath(name)} have"] += 1
    return found
