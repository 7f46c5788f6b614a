"""What the commands on studies share: which study is meant, and where its finished cells are."""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errsrc.errors import NoAnswer

if TYPE_CHECKING:  # for a parser that is only asked for help
    from errsrc.sweeps import Store, Study, Summary


def study_and_store(name: str, store: str | None = None) -> tuple[Study, Path]:
    """Return the study in the TOML file ``name``, and the path of its store; refuse another file."""
    path = Path(name)
    if path.suffix != ".toml":
        raise ValueError(f"{name} is not a study: its name must end in .toml.")
    from errsrc.studies import load  # here, for torch takes a second to load

    return load(path), path.with_suffix(".db") if store is None else Path(store)


def maybe_study(name: str, store: str | None = None) -> tuple[Study | None, Path]:
    """Return the study and its store; None and the store where that is the file called ``name``."""
    if Path(name).suffix != ".toml" and store is None:
        return None, Path(name)
    return study_and_store(name, store)


def compute(store: Store, study: Study, engine: Callable[..., Any], retry: bool = False) -> Summary:
    """Compute what is missing of a study; where it is stopped, say that the same command goes on from there.

    A queue's "time is up" (SIGTERM) stops it as Ctrl-C does.  ``store``, ``engine`` and ``retry`` are
    those of `errsrc.sweeps.run`.
    """
    from errsrc.sweeps import run

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(study, store, engine, retry=retry)
    except KeyboardInterrupt:
        count = f"{len(study) - len(store.missing(study)):,} of {len(study):,} cells are finished"
        print(f"Stopped: {count}, in {store.path}; the same command goes on from there.", file=sys.stderr)
        raise


def add_study(parser: ArgumentParser, kinds: str, spec: str = "STUDY") -> None:
    """Add to a parser the arguments of a command on a study of some kinds, in a file shown as ``spec``."""
    parser.add_argument("study", metavar=f"{spec}.toml", help=f"the study, of kind {kinds}")
    parser.add_argument("--store", metavar="FILE", help=f"the file of finished cells ({spec}.db)")
    parser.add_argument("--retry", action="store_true", help="try again what failed in an earlier run")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (one a core)")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")


def refuse_failed(summary: Summary) -> None:
    """Raise NoAnswer where a summary has failed cells; ValueError where the first was given bad input."""
    if summary.failed:
        first = next(iter(summary.failed.values()))
        bad = first.startswith(("ValueError", "TypeError"))
        raise ValueError(str(summary)) if bad else NoAnswer(str(summary), summary)


def refuse_own(target: str, spec: Path, store: Path) -> None:
    """Refuse a target that is a study's spec, its store, or what SQLite and its driver keep beside that."""
    beside = [Path(os.path.realpath(store) + suffix) for suffix in ("", "-wal", "-shm", "-journal", ".lock")]
    for own in (spec, store, *beside):
        if Path(target).resolve() == own.resolve() or (
            os.path.exists(target) and own.exists() and os.path.samefile(target, own)
        ):
            raise ValueError(f"{target} belongs to the study itself: write to another file.")
