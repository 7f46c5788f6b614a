"""errsrc demo: networks trained, the large ones predicted from the small ones, and a report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Train networks on images over a grid of data sizes n and model sizes m: the small ones first.
Fit the joint scaling law to those, predict the error of the large ones with intervals, then
train these too and compare.  Takes some minutes on 2 cores.

Written into DIR: report.html, the figures as PNG, cells.db (a row a trained network, as they
come; 'errsrc export' makes it a table), predictions.csv (before the large cells are trained),
results.csv, and fit.json for 'errsrc plan' and 'errsrc predict'.  Started again after an
interruption, it goes on from there.
"""


def add(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    raw = argparse.RawDescriptionHelpFormatter
    text = "train small networks, predict large ones, see the prediction come true"
    parser = commands.add_parser("demo", help=text, description=DESCRIPTION, formatter_class=raw)
    parser.add_argument(
        "--out", default="out/demo", metavar="DIR", help="folder for the results (default: out/demo)"
    )
    parser.add_argument(
        "--dataset",
        choices=("fashion-mnist", "digits"),
        help="the images (default: fashion-mnist, or digits where that is not found)",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="K",
        help="runs of each cell (default: 3; of digits, whose test is small, 6)",
    )
    parser.add_argument(
        "--processes", type=int, default=2, metavar="P", help="training processes (default: 2)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Train, fit, compare, and print the comparison."""
    from errsrc.demo import SEEDS, demo, find_images  # here, for torch and matplotlib take seconds to load
    from errsrc.report import verdict
    from errsrc.tasks import vision_grid

    out = Path(args.out)
    try:
        data = find_images(args.dataset)
        seeds = SEEDS[data.name] if args.seeds is None else args.seeds
        result = demo(out, data, vision_grid(data.name, seeds), args.processes)
    except KeyboardInterrupt:
        again = f"finished cells are in {out / 'cells.db'}, and the same command goes on from there."
        print(f"Stopped: {again}", file=sys.stderr)
        raise
    print(f"{result}\n\n{verdict(result)}\n{out / 'report.html'}")
