"""What the commands on studies share: which study is meant, and where its finished cells are."""

from __future__ import annotations

import os
from pathlib import Path

from errsrc.sweeps import Study


def study_and_store(name: str, store: str | None = None) -> tuple[Study, Path]:
    """Return the study in a TOML file, and the path of its store."""
    path = Path(name)
    if path.suffix != ".toml":
        raise ValueError(f"{name} is not a study: its name must end in .toml.")
    from errsrc.studies import load  # here, for torch takes a second to load

    return load(path), path.with_suffix(".db") if store is None else Path(store)


def maybe_study(name: str, store: str | None = None) -> tuple[Study | None, Path]:
    """Return the study and its store, or None and the store where it is the store that is named."""
    if Path(name).suffix != ".toml" and store is None:
        return None, Path(name)
    return study_and_store(name, store)


def refuse_own(target: str, spec: Path, store: Path) -> None:
    """Refuse to write over a study, its store, or the files that SQLite and its driver keep beside it."""
    beside = [Path(os.path.realpath(store) + suffix) for suffix in ("", "-wal", "-shm", "-journal", ".lock")]
    for own in (spec, store, *beside):
        if Path(target).resolve() == own.resolve() or (
            os.path.exists(target) and own.exists() and os.path.samefile(target, own)
        ):
            raise ValueError(f"{target} belongs to the study itself: write the table to another file.")
