"""errsrc fit: a scaling law, fitted to a CSV file."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
from pathlib import Path
from typing import Any

from errsrc.fitting import files
from errsrc.fitting.csv_columns import SIZES, to_fit
from errsrc.fitting.csv_table import read
from errsrc.fitting.one_law import Fit, fit
from errsrc.fitting.several_laws import AveragedFit, auto
from errsrc.laws import ALL
from errsrc.laws.derivatives import equation
from errsrc.laws.law import Law

LAWS = ("auto", *(name for name in ALL if name != "joint-pruning"))

DESCRIPTION = """\
Fit a scaling law to measured errors and print its parameters, each with an interval.

FILE.csv is UTF-8 text: a header line, then one trained model per row.  Rows with equal sizes are
repetitions with other seeds.  All numbers must be > 0.  The columns, by their default names:
  n        number of training examples, or of tokens
  m        number of parameters of the model
  error    test error of the model, or its loss
and for pruned networks (--law pruning):
  density  share of the weights that are left, 1 if no weight is removed
  depth, width
           sizes of the network before pruning, if the file has several networks
  eps_np   error of the unpruned network (default: estimated from the rows near density 1)
Other columns are ignored.

laws:
  auto        several laws, averaged by how well they fit the points (the default)
  dense       law in n and m, from the error eps0 of a random guess down to a floor
  chinchilla  E + A m^-alpha + B n^-beta
  power       c_inf + a n^-alpha
  envelope    power law in n, from the error of a random guess down to a floor
  m4, broken  other laws in n
  cliff       power law in n that ends in a fall faster than any power of n
  pruning     one pruned network, or several that differ in depth, width and n
"""

EXAMPLES = """\
examples:
  errsrc fit runs.csv
  errsrc fit runs.csv --law dense --eps0 0.9 --out fit.json
  errsrc fit runs.csv --law chinchilla --n tokens --m params --error loss --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add = parser.add_argument
    add("file", metavar="FILE.csv", help="the measured errors")
    add("--law", choices=LAWS, default="auto", metavar="LAW", help="a law (default: auto)")
    for name in (*SIZES, "error"):
        add(f"--{name}", metavar="COL", help=f"the column of {name} (default: {name})")
    add("--weight", metavar="COL", help="a column of relative weights (default: equal weights)")
    add("--eps0", type=float, metavar="X", help="error of a random guess, if it is known")
    add("--n-full", type=float, metavar="N", help="unit of n (default: the largest n in the file)")
    add("--m-base", type=float, metavar="M", help="unit of m (default: the largest m in the file)")
    add("--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (default: 0.9)")
    add("--out", metavar="fit.json", help="write the fit to this file, for predict and plan")
    add("--json", action="store_true", help="print one JSON object instead of a table")


def run(args: argparse.Namespace) -> None:
    """Fit, write the fit if asked to, print it."""
    _check_out(args.out, args.file)
    table = read(args.file)
    asked = {name: getattr(args, name) for name in (*SIZES, "error") if getattr(args, name) is not None}
    points = to_fit(table, args.law, asked)
    error = table.numbers(asked.get("error", "error"))
    options: dict[str, Any] = {"level": args.level, "fixed": dict(points.fixed)}
    if args.weight is not None:
        options["weights"] = table.numbers(args.weight)
    if args.eps0 is not None:
        _refuse_unknown(points.law, "eps0", "--eps0")
        options["fixed"]["eps0"] = args.eps0
    units = {"n_full": args.n_full, "m_base": args.m_base}
    options["constants"] = {name: value for name, value in units.items() if value is not None}
    for name in options["constants"]:
        _refuse_unknown(points.law, name, "--" + name.replace("_", "-"))
    options |= points.inputs
    if points.law is None or "density" in points.inputs:  # pruned networks have one law: auto's own
        result: Fit | AveragedFit = auto(error, **options)
    else:
        result = fit(points.law, error, **options)
    notes = points.warnings
    if points.law is None and set(points.inputs) == {"n", "m"} and args.eps0 is None:
        notes = (*notes, "The dense law is not averaged: it needs --eps0, the error of a random guess.")
    result = dataclasses.replace(result, warnings=(*notes, *result.warnings))
    summary = files.fit_summary(result) | ({} if args.law == "auto" else {"law": args.law})
    if args.out is not None:
        files.save_fit(result, args.out, points.notes)
    print(json.dumps(summary, allow_nan=False) if args.json else _readable(result, args.level))


def _refuse_unknown(law: type[Law] | None, name: str, option: str) -> None:
    if law is not None and name not in {field.name for field in dataclasses.fields(law)}:
        raise ValueError(f"The {law.__name__} law has no {name}: leave {option} out.")


def _check_out(out: str | None, file: str) -> None:
    """Refuse, before any work, a place that the fit could not be written to, or the points themselves."""
    if out is None:
        return
    path = Path(out).resolve()
    if path.is_dir():
        raise ValueError(f"--out {out}: that is a folder; name a file.")
    if not path.parent.is_dir():
        raise ValueError(f"--out {out}: there is no folder {path.parent}.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"--out {out}: no permission to write there.")
    if path.exists() and Path(file).exists() and path.samefile(file):
        raise ValueError(f"--out {out}: that is the file of the points, which would be lost.")


def _readable(result: Fit | AveragedFit, level: float) -> str:
    """Return the fit as a table for people."""
    lead = result if isinstance(result, Fit) else result.members[0]
    lines = [("law", f"{files.fit_summary(lead)['law']}: {equation(type(lead.law))}")]
    for size, unit in lead.law.references.items():
        lines.append(("", f"{size} counts in units of {unit} = {lead.law.reference(size):g}"))
    if isinstance(result, AveragedFit):
        shares = zip(result.members, result.weights, strict=True)
        shown = ", ".join(f"{files.fit_summary(f)['law']} {w:.0%}" for f, w in shares)
        lines.insert(0, ("average of", f"{shown}; the first is shown"))
    lines.append(("points", str(len(lead.error))))
    lines.append(("", f"{100 * level:.6g}% intervals:"))
    for name, value in lead.law.params.items():
        lines.append((name, str(lead.intervals.get(name, f"{value:g} (held)"))))
    noise = "" if math.isnan(lead.seed_noise) else f"; seed noise {lead.seed_noise:.3g}"
    spread = f"mean {lead.divergence_mean:.3g}, std {lead.divergence_std:.3g}{noise}"
    lines.append(("divergence", f"{spread} (relative to the error)"))
    lines += [("warning", warning) for warning in result.warnings]
    return "\n".join(f"{name:<11} {text}".rstrip() for name, text in lines)
