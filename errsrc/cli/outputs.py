"""Functions that the commands share, which check output files before any work, and write figures."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FIGURES = (".png", ".svg", ".pdf")
"""Suffixes of the files of figures."""


def add_plot_argument(parser: ArgumentParser) -> None:
    """Add the option that names the file of the figure.

    Parameters
    ----------
    parser : ArgumentParser
        The parser of the command.
    """
    what = "write a figure of the result to this file, as .png, .svg or .pdf"
    parser.add_argument("--plot", metavar="FILE", help=what)


def print_result(found: Any, summary: Mapping[str, Any], as_json: bool) -> None:
    """Print a result of a table, or its JSON object.

    The result says which rows were left out, and whether the table mixes experiments.  Next to a JSON object,
    these sentences are printed to standard error.

    Parameters
    ----------
    found : Result
        A result from a table.
    summary : dict
        The JSON object.
    as_json : bool
        Whether to print the JSON object.
    """
    from errsrc.cli import for_shell
    from errsrc.fitting.mixtures import MixedRows

    if not as_json:
        print(for_shell(str(found)))
        return
    mixed = [text for text in found.warnings if isinstance(text, MixedRows)]
    for sentence in (*getattr(found, "left_out_sentences", ()), *mixed):
        print(f"errsrc: {for_shell(sentence)}", file=sys.stderr)
    print(json.dumps(summary, allow_nan=False))


def check_output(option: str, target: str | None, *inputs: str) -> None:
    """Raise ValueError if a file cannot be written, or would overwrite an input of the command.

    Parameters
    ----------
    option : str
        The option that names the file, such as "--out".
    target : str, optional
        The file to be written; None is accepted.
    *inputs : str
        Files that the command reads.
    """
    if target is None:
        return
    path = Path(target).resolve()
    if path.is_dir():
        raise ValueError(f"{option} {target}: that is a folder; name a file.")
    if not path.parent.is_dir():
        raise ValueError(f"{option} {target}: there is no folder {path.parent}.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"{option} {target}: no permission to write there.")
    for file in inputs:
        if path.exists() and Path(file).exists() and path.samefile(file):
            raise ValueError(
                f"{option} {target}: that is an input of the command, which would be overwritten."
            )


def check_plot(target: str | None, *inputs: str) -> None:
    """Raise ValueError if a figure cannot be written to a file, see `check_output`.

    Parameters
    ----------
    target : str, optional
        The file of the figure; None is accepted.
    *inputs : str
        Files that the command reads or writes.
    """
    if target is None:
        return
    if Path(target).suffix.lower() not in FIGURES:
        raise ValueError(f"--plot {target}: the name must end in .png, .svg or .pdf.")
    check_output("--plot", target, *inputs)
    for other in inputs:
        if Path(target).resolve() == Path(other).resolve():
            raise ValueError(f"--plot {target}: the command writes another result to this file.")


def write_plot(result: Any, target: str | None) -> None:
    """Draw a result, and write the figure to a file.

    Parameters
    ----------
    result : Result, or list of results
        The result, see `errsrc.plots.draw`.
    target : str, optional
        The file; nothing is written for None.
    """
    if target is not None:
        from errsrc import plots
        from errsrc.plots.style import write_figure

        write_figure(plots.draw(result), Path(target))
        print_written(target)


def print_written(target: str | Path) -> None:
    """Print to standard error that a file was written; standard output holds only results.

    Parameters
    ----------
    target : str or Path
        The file.
    """
    print(f"errsrc: wrote {target}", file=sys.stderr)
