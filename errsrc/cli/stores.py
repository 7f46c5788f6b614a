"""Functions of the commands on studies, which find a study and its store, and compute missing cells."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from errsrc.errors import NoAnswer

if TYPE_CHECKING:
    from errsrc.sweeps import RunSummary, Store, Study


def study_and_store(args: Namespace) -> tuple[Study, Path]:
    """Import the user's modules that a command names, and return the study and the path of its store.

    Parameters
    ----------
    args : Namespace
        The arguments of the command, with ``study``, ``store``, ``kinds`` and ``modules``.  If the study is
        no TOML file, this function raises ValueError.
    """
    from errsrc.studies import load
    from errsrc.studies.files import files_of

    spec, path = files_of(args.study, args.store)
    import_named(args)
    return load(spec), path


def maybe_study(args: Namespace) -> tuple[Study | None, Path]:
    """Return a study and the path of its store, or None and the path if the arguments name a store.

    Parameters
    ----------
    args : Namespace
        The arguments of the command, see `study_and_store`.
    """
    if Path(args.study).suffix != ".toml" and args.store is None:
        return None, Path(args.study)
    return study_and_store(args)


def add_module_arguments(parser: ArgumentParser) -> None:
    """Add the options that name modules of the user.

    Parameters
    ----------
    parser : ArgumentParser
        The parser of the command.
    """
    add = functools.partial(parser.add_argument, action="append", default=[], metavar="MODULE")
    add(
        "--kinds", help="import a module of your own that defines kinds of studies, such as mylab.experiments"
    )
    add("--modules", help="import a module of your own that defines settings, learners, networks or laws")


def import_named(args: Namespace) -> None:
    """Import the modules that the options ``--kinds`` and ``--modules`` name.

    Parameters
    ----------
    args : Namespace
        The arguments of the command.
    """
    if args.kinds or args.modules:
        from errsrc.studies import import_own

        import_own(args.modules, args.kinds)


def compute(
    store: Store,
    study: Study,
    engine: Callable[..., Any],
    retry: bool = False,
    goal: Mapping[str, Any] | None = None,
) -> Any:
    """Compute the missing cells of a study; if interrupted, say that the same command computes the rest.

    SIGTERM, which batch queues send when the time is up, stops the computation in the same way as Ctrl-C.

    Parameters
    ----------
    store : Store
        The study's store, open for writing.
    study : Study
        The study.
    engine : callable
        The engine that computes the cells, see `errsrc.sweeps.run`.
    retry : bool
        Whether to compute again the cells that failed in an earlier run.
    goal : dict, optional
        Arguments of `errsrc.studies.targets.compute_until`.  If given, that function chooses the cells to
        compute.

    Returns
    -------
    RunSummary or TargetedRun
        The outcome.
    """
    from errsrc.studies.changes import warn_of_changes

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    warn_of_changes(study, store)
    try:
        if goal:
            from errsrc.studies.targets import compute_until

            return compute_until(study, store, engine=engine, retry=retry, **goal)
        from errsrc.sweeps import run

        return run(study, store, engine, retry=retry)
    except KeyboardInterrupt:
        count = f"{len(study) - len(store.missing(study)):,} of {len(study):,} cells are finished"
        then = "continues" if goal else "computes the rest"
        print(f"Stopped: {count}, in {store.path}; the same command {then}.", file=sys.stderr)
        raise


def print_warnings(sentences: Iterable[str]) -> None:
    """Print warnings on standard error, each as one line.

    Parameters
    ----------
    sentences : iterable of str
        The warnings.
    """
    for said in sentences:
        print(f"errsrc: warning: {said}", file=sys.stderr)


def print_sizes(study: Study) -> None:
    """Print different model sizes of a study on standard error, and warn if too few sizes are small.

    Parameters
    ----------
    study : Study
        The study, of which no cell need be computed.
    """
    from errsrc.studies.planned_sizes import planned_sizes

    found = planned_sizes(study)
    if len(found.m) > 1:
        print(f"errsrc: m, the number of parameters: {found.line()}.", file=sys.stderr, flush=True)
    print_warnings(found.few)


class Computed(NamedTuple):
    """A study after its missing cells were computed.

    Attributes
    ----------
    study, store
        The study, and the path of its store.
    cells, rows, curves
        The finished cells, and their rows and curves as `errsrc.sweeps.Store` returns them.
    summary
        The numbers of cells that were computed by this command, and the cells that failed.
    """

    study: Study
    store: Path
    cells: list[Any]
    rows: list[dict[str, Any]]
    curves: Any
    summary: RunSummary


def compute_study(args: Namespace, kinds: Sequence[str]) -> Computed:
    """Compute the missing cells of a study on this machine.

    Parameters
    ----------
    args : Namespace
        The arguments that `add_study_arguments` added to the parser.
    kinds : sequence of str
        The kinds of studies that the command accepts.

    Raises
    ------
    ValueError
        If the kind of the study is not one of `kinds`.
    """
    from errsrc.sweeps import Store, local

    study, path = study_and_store(args)
    if study.kind.name not in kinds:
        accepted = " or ".join(map(repr, kinds))
        raise ValueError(f"{args.study} is a study of kind {study.kind.name!r}, and not of kind {accepted}.")
    with Store(path, write=True) as store:
        summary = compute(store, study, functools.partial(local, workers=args.workers), args.retry)
        rows, curves = store.rows(study), store.curves(study)
    places = [place for place, key in enumerate(study.cell_keys()) if key not in summary.failed]
    cells = [study[place] for place in places]
    return Computed(study, path, cells, rows, curves, summary)


def add_study_arguments(parser: ArgumentParser, kinds: str) -> None:
    """Add the arguments of a command that computes a study.

    Parameters
    ----------
    parser : ArgumentParser
        The parser of the command.
    kinds : str
        The kinds of studies that the command accepts, for its help.
    """
    parser.add_argument("study", metavar="STUDY.toml", help=f"a study of kind {kinds}")
    parser.add_argument("--store", metavar="FILE", help="the file of finished cells (default: STUDY.db)")
    parser.add_argument("--retry", action="store_true", help="also compute the cells that failed before")
    parser.add_argument(
        "--workers", type=int, metavar="N", help="number of processes (default: one per core)"
    )
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON instead of a table")
    add_module_arguments(parser)


def print_json(value: Any) -> None:
    """Print a value as JSON, with null for numbers that are not finite.

    Parameters
    ----------
    value
        Any value that `errsrc.results.json_value` takes.
    """
    from errsrc.results import json_value

    print(json.dumps(json_value(value), indent=1, allow_nan=False))


def raise_if_failed(summary: RunSummary) -> None:
    """Raise an error if cells failed.

    Parameters
    ----------
    summary : RunSummary
        The outcome of the run.

    Raises
    ------
    ValueError
        If the first failed cell failed because of bad input.
    NoAnswer
        If the first failed cell failed for another reason.
    """
    if summary.failed:
        first = next(iter(summary.failed.values()))
        bad = first.startswith(("ValueError", "TypeError"))
        raise ValueError(str(summary)) if bad else NoAnswer(str(summary), summary)


def check_target(target: str, spec: Path, store: Path) -> None:
    """Raise ValueError if a file to be written belongs to the study.

    Parameters
    ----------
    target : str
        The file to be written.
    spec : Path
        The study's TOML file.
    store : Path
        The study's store; files that SQLite keeps next to the store belong to it too.
    """
    beside = [Path(os.path.realpath(store) + suffix) for suffix in ("", "-wal", "-shm", "-journal", ".lock")]
    for own in (spec, store, *beside):
        if Path(target).resolve() == own.resolve() or (
            os.path.exists(target) and own.exists() and os.path.samefile(target, own)
        ):
            raise ValueError(f"{target} belongs to the study itself: write to another file.")
