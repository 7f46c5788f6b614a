"""The command line: each command parses its arguments, makes one call to the library, and prints.

A command is a file: ``add`` gives it to argparse's subparsers, ``commands``, and ``run`` is called with its
``args`` as they were parsed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from errsrc.errors import EngineError, NoAnswer, StoreError

DESCRIPTION = """\
errsrc: where a learner's error comes from, and what it would take to remove it.

A scaling law tells how the test error of a trained model falls with its data and its size.
Train small models, fit a law to their errors, and predict the large ones before training them.
"""

EPILOG = """\
examples:
  errsrc fit runs.csv --out fit.json      columns n, m, error: one trained model a row
  errsrc predict fit.json larger.csv      the same rows, with predicted, low, high added
  errsrc plan fit.json --error 0.05       the cheapest n and m that reach an error
  errsrc budget setting.toml              noise, realizability, uncertainty, deficiency
  errsrc run grid.toml                    compute what is missing of a study; then status, export, report

Results go to stdout, all else to stderr.  Exit codes: 0 done; 1 the answer is no (no fit
converged, the error is out of reach); 2 bad input, named in one sentence.
'errsrc COMMAND --help' explains a command, its columns and, in brackets, its defaults.
"""


class _Parser(argparse.ArgumentParser):
    """argparse, with its refusals in one sentence as all others are."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        raise ValueError(f"{message}; '{self.prog} --help' explains.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 the answer is no, 2 bad input.

    Parameters
    ----------
    argv
        The arguments; those of the process by default.

    Examples
    --------
    >>> main(["plan", "fit.json", "--error", "0.1", "--budget", "1e18"])  # refused on stderr
    2
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        args = _parser().parse_args(arguments)
        args.run(args)
        if sys.stdout is not None:
            sys.stdout.flush()
        return 0
    except BrokenPipeError:  # the reader has had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if "--debug" in arguments:
            raise
        print(f"errsrc: {_sentence(error)}", file=sys.stderr)
        return 1 if isinstance(error, NoAnswer) else 2


def _parser() -> argparse.ArgumentParser:
    from errsrc.cli import budget, conjecture, demo, export, fit, plan, predict, report, run, status

    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser(prog="errsrc", description=DESCRIPTION, epilog=EPILOG, formatter_class=raw)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for command in (demo, fit, predict, plan, budget, conjecture, run, status, export, report):
        command.add(commands)
    for each in (parser, *commands.choices.values()):
        each.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _sentence(error: Exception) -> str:
    """Return what went wrong as one line."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{os.fsdecode(error.filename)}: {error.strerror}." if error.filename else f"{error.strerror}."
    elif not isinstance(
        error, (NoAnswer, EngineError, ModuleNotFoundError, OSError, StoreError, ValueError, TypeError)
    ):
        text = f"internal error, {type(error).__name__}: {text} (--debug shows where)."
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
