"""errsrc run: compute the missing cells of a study."""

from __future__ import annotations

import argparse
import contextlib
import functools
from collections.abc import Iterator
from typing import Any

from errsrc.cli.numbers import sizes
from errsrc.errors import NoAnswer

DESCRIPTION = """\
Compute the missing cells of a study, on this machine or on a cluster.

A study is a grid of cells.  A cell is one computation, such as the training of one network.
STUDY.toml names the kind of the cells, the values that all cells share, the values that vary,
and the seeds.  'errsrc new' writes one, and 'errsrc kinds' lists the fields of each kind.

Each finished cell is saved in STUDY.db at once.  You can stop the command at any time: you lose
only the cells that are being computed.  Give the same command again to compute the rest.  After
you add values or seeds to a study, the command computes only the new cells.  Finished cells are
not computed again if you change your own module or images; the command warns of this.  The command first
checks the values of all cells.  A cell with a refused value counts as failed; all other cells are
computed.  Before the first training, the command prints the number of parameters m of each width.
A size is small if it is at most a quarter of the largest.  The command warns if there are too few
small sizes, because 'errsrc report' first fits its law to these.

Keep STUDY.db on a local disk of the machine that runs the command (--store names another place).
On a network file system such as NFS, only processes of one machine may use the file while the
study runs; the command warns about this.  If the file is deleted, moved or replaced during the
run, the run stops at once and the exit code is 1.

With --until "interval < 3%", the command computes only as many cells as an answer needs.  It
starts with the smallest sizes, fits the default average of laws, computes the cells that narrow
the answer's interval most for their cost, and repeats this until half the interval's width is
at most 3% of the answer.  The answer is the error of the largest cell, or what --predict,
--exponent or --frontier name.  The command says why it stopped and what it skipped; if the
interval is wider than asked, the exit code is 1.  The cells may differ only in n, in the model
size and in the seed.
"""

EXAMPLES = """\
examples:
  errsrc run grid.toml
  errsrc run grid.toml --until "interval < 3%"
  errsrc run grid.toml --until "interval < 0.02" --exponent n
  errsrc run own.toml --kinds mylab.experiments
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    from errsrc.cli.stores import add_module_arguments

    add = parser.add_argument
    add("study", metavar="STUDY.toml", help="the study")
    add("--store", metavar="FILE", help="the file of finished cells (default: STUDY.db)")
    add("--retry", action="store_true", help="also compute the cells that failed before")
    add(
        "--engine",
        choices=("local", "dask", "torchrun"),
        default="local",
        help="what computes the cells: this machine, Dask workers, or torchrun (default: local)",
    )
    add(
        "--workers",
        type=int,
        metavar="N",
        help="processes (default: one per core), or SLURM jobs (default: 1)",
    )
    add("--memory", type=float, metavar="GIB", help="largest memory of a worker, in GiB (default: no limit)")
    add("--seconds", type=float, metavar="S", help="longest time of one cell (default: no limit)")
    add(
        "--scheduler",
        metavar="ADDR",
        help="for dask: the address of a scheduler, or the word slurm (default: workers on this machine)",
    )
    add("--gpu", type=float, metavar="SHARE", help="for dask: share of a GPU that one batch of cells uses")
    add(
        "--until",
        metavar="GOAL",
        help="stop when half the width of the answer's interval is at most the goal: 'interval < 3%%', or "
        "'interval < 0.02' for an exponent",
    )
    question = parser.add_mutually_exclusive_group()
    question.add_argument(
        "--predict",
        type=sizes,
        metavar="n=N,m=M",
        help="for --until: the error of a run of these sizes (default: of the largest cell)",
    )
    question.add_argument("--exponent", metavar="INPUT", help="for --until: the exponent of n or m")
    question.add_argument(
        "--frontier", type=float, metavar="C", help="for --until: the best m at C = 6 n m operations"
    )
    add("--level", type=float, metavar="P", help="for --until: coverage of the interval (default: 0.9)")
    add("--json", action="store_true", help="print the outcome as JSON")
    add_module_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Run the study and print the outcome; raise NoAnswer if cells failed or a goal is not reached."""
    from errsrc.cli.stores import compute, print_json, print_sizes, print_warnings, study_and_store
    from errsrc.studies.trained import best_early, unconverged
    from errsrc.sweeps import Store

    goal = _goal(args)
    study, path = study_and_store(args)
    with _engine(args) as engine:
        if engine is None:  # this process only computes what rank 0 broadcasts
            return
        print_sizes(study)
        with Store(path, write=True) as store:
            summary = compute(store, study, engine, args.retry, goal)
            if hasattr(study.base, "steps"):  # other kinds may have a million rows
                rows = store.rows(study)
                print_warnings([*unconverged(rows), *best_early(rows)])
    if args.json:
        print_json({"store": path, **summary.as_dict()})
    else:
        print(summary)
    if goal and not summary.reached:
        raise NoAnswer(f"The interval is wider than asked. {summary.reason}", summary)
    if not goal and summary.failed:
        one = len(summary.failed) == 1
        said = "1 cell failed" if one else f"{len(summary.failed):,} cells failed"
        again = f"with --retry {'it is' if one else 'they are'} tried again."
        if all(text.startswith(("ValueError", "TypeError")) for text in summary.failed.values()):
            again = "correct the refused values in the study, or your module; then run again with --retry."
        raise NoAnswer(f"{said}; {again}", summary)


def _goal(args: argparse.Namespace) -> dict[str, Any]:
    """Return the goal, question and level for `compute_until`; an empty dict without --until."""
    given = [name for name in ("predict", "exponent", "frontier", "level") if getattr(args, name) is not None]
    if args.until is None:
        if given:
            raise ValueError(f"--{given[0]} applies only with --until.")
        return {}
    if args.scheduler == "slurm":
        raise ValueError(
            "--until does not apply to --scheduler slurm, because each step would queue new jobs: start a "
            "scheduler with workers, and name its address."
        )
    question = args.predict
    for name in ("exponent", "frontier"):
        question = {name: getattr(args, name)} if name in given else question
    return {"until": args.until, "question": question, "level": 0.9 if args.level is None else args.level}


@contextlib.contextmanager
def _engine(args: argparse.Namespace) -> Iterator[Any]:
    """Yield the engine that the arguments name; in ranks > 0 of torchrun yield None once rank 0 is done."""
    from errsrc import checks  # imports numpy, which the help does not need
    from errsrc.sweeps import dask, local

    options = {"workers": args.workers, "seconds": args.seconds}
    if args.memory is not None:
        checks.Number(at_least=1 / 16, at_most=1e6)(args.memory, "memory", "run")
    options["memory"] = None if args.memory is None else int(args.memory * 2**30)
    resources = None if args.gpu is None else {"GPU": args.gpu}
    for name in _REFUSED[args.engine]:
        if getattr(args, name) is not None:
            raise ValueError(f"--{name} does not apply to --engine {args.engine}.")
    if args.engine == "local":
        yield functools.partial(local, **options)
    elif args.engine == "dask":
        yield functools.partial(dask, scheduler=args.scheduler, resources=resources, **options)
    else:
        from errsrc.studies.torchrun import torchrun_engine

        with torchrun_engine() as engine:
            yield engine
