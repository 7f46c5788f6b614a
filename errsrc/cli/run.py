"""errsrc run: what is missing of a study is computed."""

from __future__ import annotations

import argparse
import contextlib
import functools
from collections.abc import Iterator
from typing import Any

from errsrc.errors import NoAnswer

DESCRIPTION = """\
Compute the cells of a study that are not finished yet, on this machine or on many.

STUDY.toml names a kind of cell, the values its cells share, what varies, and the seeds; 'pydoc
errsrc.studies' shows one.  Finished cells go into one file, STUDY.db beside it, as they come.
Ctrl-C, a kill or a power cut costs what was being computed; the same command goes on from
there.  Values added to a factor, or seeds, are computed beside what is there.
"""

EXAMPLES = """\
examples:
  errsrc run grid.toml
  errsrc run grid.toml --engine dask --scheduler tcp://host:8786
  errsrc run grid.toml --engine dask --scheduler slurm --workers 20
  torchrun --nproc-per-node 8 -m errsrc run large.toml --engine torchrun
  errsrc export grid.toml --csv grid.csv
"""

_REFUSED = {
    "local": ("scheduler", "gpu"),
    "dask": (),
    "torchrun": ("workers", "memory", "seconds", "scheduler", "gpu"),
}


def add(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    raw = argparse.RawDescriptionHelpFormatter
    text = "compute what is missing of a study"
    parser = commands.add_parser(
        "run", help=text, description=DESCRIPTION, epilog=EXAMPLES, formatter_class=raw
    )
    parser.add_argument("study", metavar="STUDY.toml", help="the study")
    parser.add_argument("--store", metavar="FILE", help="the file of finished cells (STUDY.db)")
    parser.add_argument("--retry", action="store_true", help="try again what failed in an earlier run")
    parser.add_argument("--engine", choices=("local", "dask", "torchrun"), default="local", help="(local)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes, or jobs (one a core, or 1 job)")
    parser.add_argument(
        "--memory", type=float, metavar="GB", help="the most that a worker may hold (no limit)"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="the most that a cell may take (no limit)")
    parser.add_argument(
        "--scheduler", metavar="ADDR", help="dask: its address, or slurm (workers on this machine)"
    )
    parser.add_argument(
        "--gpu", type=float, metavar="SHARE", help="dask: the share of a GPU that a batch takes"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Run the study and print what it came to; raise NoAnswer where cells failed."""
    from errsrc.cli.stores import compute, study_and_store
    from errsrc.sweeps import Store

    study, path = study_and_store(args.study, args.store)
    with _engine(args) as engine:
        if engine is None:  # this process follows another
            return
        with Store(path, write=True) as store:
            summary = compute(store, study, engine, args.retry)
    print(summary)
    if summary.failed:
        raise NoAnswer(f"{len(summary.failed):,} cells failed; with --retry they are tried again.", summary)


@contextlib.contextmanager
def _engine(args: argparse.Namespace) -> Iterator[Any]:
    """Hold the engine that is asked for, or None in a process of torchrun's that has followed the first."""
    from errsrc.sweeps import dask, local

    options = {"workers": args.workers, "seconds": args.seconds}
    options["memory"] = None if args.memory is None else int(args.memory * 2**30)
    resources = None if args.gpu is None else {"GPU": args.gpu}
    for name in _REFUSED[args.engine]:
        if getattr(args, name) is not None:
            raise ValueError(f"--{name} is not for --engine {args.engine}.")
    if args.engine == "local":
        yield functools.partial(local, **options)
    elif args.engine == "dask":
        yield functools.partial(dask, scheduler=args.scheduler, resources=resources, **options)
    else:
        from errsrc.sweeps.runner import failed
        from errsrc.training import distributed

        with distributed.join() as first:
            if first:
                yield functools.partial(distributed.lead, failed=failed)
                distributed.end()
            else:
                distributed.follow()
                yield None
