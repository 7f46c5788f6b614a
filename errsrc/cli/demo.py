"""errsrc demo: train networks, predict the large ones from the small ones, and report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

DESCRIPTION = """\
Train image classifiers for a grid of data sizes n and model sizes m, the small ones first.  Fit
the joint scaling law to the small networks and predict the errors of the large ones, with
intervals.  Then train the large ones too, and compare.  This takes some minutes on 2 cores.

The command writes into DIR:
  report.html      the results on one page, and its figures as PNG
  cells.db         a row for each trained network; 'errsrc export' writes them as CSV
  predictions.csv  the predictions, written before the large networks are trained
  results.csv      predicted and measured errors
  fit.json         the fit, for 'errsrc plan' and 'errsrc predict'

If you stop the command, start it again: it trains only the networks that are missing.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument(
        "--out", default="out/demo", metavar="DIR", help="folder for the results (default: out/demo)"
    )
    parser.add_argument(
        "--dataset",
        choices=("fashion-mnist", "digits", "glyphs"),
        help="the images (default: fashion-mnist, or digits if the files of fashion-mnist are not found); "
        "glyphs are drawn with matplotlib's fonts",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="K",
        help="networks trained for each n and m (default: 6 for digits, otherwise 3)",
    )
    parser.add_argument(
        "--workers", type=int, default=2, metavar="N", help="number of training processes (default: 2)"
    )
    parser.add_argument(  # its name in version 0.1.0
        "--processes", type=int, default=argparse.SUPPRESS, dest="workers", help=argparse.SUPPRESS
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(args: argparse.Namespace) -> None:
    """Train, fit, compare, and print the comparison."""
    from errsrc.demo import SEEDS, find_images, run_demo
    from errsrc.report import holdout_verdict
    from errsrc.tasks import vision_grid

    out = Path(args.out)
    try:
        data = find_images(args.dataset)
        seeds = SEEDS[data.name] if args.seeds is None else args.seeds
        result = run_demo(out, data, vision_grid(data.name, seeds), args.workers)
    except KeyboardInterrupt:
        again = f"the finished networks are in {out / 'cells.db'}, and the same command computes the rest."
        print(f"Stopped: {again}", file=sys.stderr)
        raise
    if args.json:
        from errsrc.cli.stores import print_json

        print_json({**result.as_dict(), "report": out / "report.html"})
    else:
        print(f"{result}\n\n{holdout_verdict(result)}\n{out / 'report.html'}")
