"""The command line: each command parses its arguments, makes one library call, and prints the result.

Each command has a line in `COMMANDS`, and a module of this package with the same name.  The module defines
``add_arguments(parser)``, ``run(args)``, ``DESCRIPTION`` and, optionally, ``EXAMPLES``.  The help of the
command shows DESCRIPTION above the options and EXAMPLES below them.  A module is imported only when the user
runs its command.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import re
import sys
import warnings
from collections.abc import Container, Iterator, Sequence
from typing import Any, NoReturn

import errsrc
from errsrc.errors import ChangedFiles, EngineError, NetworkFileSystem, NoAnswer, StoreError, StoreWriteError
from errsrc.extras import required_by

COMMANDS = {
    "demo": "train small networks, predict larger ones, then check the predictions",
    "fit": "fit a scaling law to the errors in a table",
    "compare": "judge several scaling laws on the same points",
    "shape": "decide whether a learning curve is a power law, has a cliff, a peak or another shape",
    "predict": "predict the errors of new runs with a fit",
    "plan": "find the sizes that reach a given error, or the smallest error within a budget",
    "frontier": "find the compute-optimal sizes at many budgets, and their exponents",
    "design": "find the next runs that narrow a prediction's interval most for their cost",
    "budget": "split a learner's error into its four sources",
    "conjecture": "test whether a learner becomes exact at a finite number of examples",
    "explore": "play with theory and with the law of a table in the browser, or write an offline page",
    "new": "write a small study with comments, to start from",
    "kinds": "list the kinds of studies, their fields, defaults and accepted values",
    "run": "compute the missing cells (single computations) of a study",
    "status": "show how much of a study is finished",
    "export": "write the finished cells of a study as CSV",
    "report": "write one HTML page about a study",
}
"""The commands, each with the line that the help of errsrc shows."""

DESCRIPTION = """\
errsrc shows where the error of a trained model comes from, and what would reduce it.

A scaling law predicts the test error of a model from the number of its training examples and of
its parameters.  Train small models, fit a law to their errors, and predict the errors of larger
models before you train them.
"""

EXAMPLES = """\
examples:
  errsrc fit runs.csv --out fit.json      fit a law; columns n, m, error, one trained model per row
  errsrc predict fit.json larger.csv      print the rows with predicted errors and intervals
  errsrc plan fit.json --error 0.05       find the cheapest n and m that reach the error 0.05
  errsrc frontier runs.csv --budget 1e23  find the compute-optimal m and n, and their exponents
  errsrc budget STUDY.toml                split the error of a learner into its four sources
  errsrc run STUDY.toml                   compute a study; then use status, export and report

Results go to standard output, all messages to standard error.
Exit codes: 0 done; 1 the answer is no (no fit converged, no size reaches the given error, a claim
is refuted, some computations of a study failed, an interval stays wider than asked, or the file
of a study could no longer be written); 2 bad input, explained in one sentence; 130 stopped by
Ctrl-C.
'errsrc COMMAND --help' explains a command and its options.
"""


class _Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are one sentence, like all other error messages of errsrc."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def add_debug(self) -> None:
        """Add the option that every command has, after the others."""
        self.add_argument("--debug", action="store_true", help="show the traceback of an error")

    def error(self, message: str) -> NoReturn:
        """Raise ValueError for arguments that do not parse."""
        raise ValueError(f"{message}; '{self.prog} --help' shows the usage.")


class _CommandParser(_Parser):
    """The parser of a command, which imports the command's module when it is first used."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Add the description and the arguments of the command, then parse `args`."""
        command = importlib.import_module(f"errsrc.cli.{self.prog.split()[-1]}")
        self.description, self.epilog = command.DESCRIPTION, getattr(command, "EXAMPLES", None)
        command.add_arguments(self)
        self.add_debug()
        self.set_defaults(run=command.run, options=frozenset(self._option_string_actions))
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:  # the parser of errsrc would name its own help
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, without the name of the program.  The default is the arguments of this process.

    Returns
    -------
    int
        The exit code: 0 for success, 1 if there is no answer or the answer is no, 2 for bad input, 130 after
        Ctrl-C.

    Raises
    ------
    Exception
        Any exception, if the arguments contain ``--debug``.  Without ``--debug`` the message of an exception
        is printed to standard error as one sentence.

    Examples
    --------
    The command accepts only one goal, and prints the error message to standard error:

    >>> main(["plan", "fit.json", "--error", "0.1", "--budget", "1e18"])
    2
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    options: frozenset[str] = frozenset()
    try:
        args = _parser().parse_args(arguments)
        options = args.options
        with required_by(f"errsrc {args.command}"), _warnings_shown():
            args.run(args)
        if sys.stdout is not None:
            sys.stdout.flush()
        return 0
    except BrokenPipeError:  # the reader has stopped reading, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if "--debug" in arguments:
            raise
        print(f"errsrc: {one_sentence(error, options)}", file=sys.stderr)
        return 1 if isinstance(error, (NoAnswer, StoreWriteError)) else 2


@contextlib.contextmanager
def _warnings_shown() -> Iterator[None]:
    """Print warnings for users as one line on standard error, like those of results."""
    with warnings.catch_warnings():
        for shown in (NetworkFileSystem, ChangedFiles):
            warnings.simplefilter("always", shown)
        default = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **options: Any) -> None:
            if issubclass(category, UserWarning):
                print(f"errsrc: warning: {for_shell(str(message))}", file=sys.stderr)
            else:
                default(message, category, *where, **options)

        warnings.showwarning = show
        yield


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="errsrc", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"errsrc {errsrc.__version__}")
    parser.add_debug()
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True, parser_class=_CommandParser
    )
    for name, line in COMMANDS.items():
        commands.add_parser(name, help=line)
    return parser


PARAMETERS = {
    "fixed": "--fix",
    "huber_delta": "--delta",
    "weights": "--weight",
    "budgets": "--budget",
    "test_size": "--test-size",
    "path": "The file",
    "fit": "The file",
    "inputs": "The columns",
    "question": "--predict, --exponent or --frontier",
}
"""What the user types for a parameter of a function, where this is not the option of the same name."""

COLUMNS = (
    *("n", "m", "u", "depth", "width", "density", "layers", "remaining"),
    *("error", "flops", "eps_np"),
)
"""Parameters that are columns in the commands that read a table of runs."""


def _typed(parameter: str, options: Container[str]) -> str:
    """Return what the user of a command types for a parameter of a function, for the start of a sentence."""
    same = "--" + parameter.replace("_", "-")
    if parameter in PARAMETERS:
        return PARAMETERS[parameter]
    if parameter in COLUMNS and ("--where" in options or "--column" in options):
        return f"The values of {parameter}"
    if same in options:
        return same
    return f"--fix {parameter}" if "--fix" in options else parameter


def for_shell(message: str, options: Container[str] = ()) -> str:
    """Return a message in which options of the command replace the equivalent arguments of functions.

    Parameters
    ----------
    message : str
        A message of the library.
    options : container of str
        The options of the command, such as "--level".  Messages about function parameters are changed only if
        the options contain "--level", which only commands that fit or use a law have.

    Examples
    --------
    >>> for_shell("The 'fixed' parameter of auto must be a dict or None. Got 1 instead.", {"--level"})
    '--fix must be a dict. Got 1 instead.'
    >>> for_shell("Pass accuracy=True (--accuracy), which takes 1 - accuracy as the error.")
    'Pass --accuracy, which takes 1 - accuracy as the error.'
    >>> for_shell("A column for each run: pass --melt (melt=True).")
    'A column for each run: pass --melt.'
    """
    argument = r"\b[a-z_]\w*=(?:'[^']*'|\{[^{}]*\}|[^\s'{}(),]+)"
    text = re.sub(rf"{argument}(?:, {argument})* \((--[^()]+)\)", r"\1", message)
    text = re.sub(rf"(--[\w-]+) \({argument}\)", r"\1", text)
    if "--level" not in options:
        return text
    function = r"(?:[a-z_]\w*(?:\(\w+\))?|\w+\.(?!toml )\w+)"  # a study's file has keys, not arguments

    def sentence(found: re.Match[str]) -> str:
        accepted = found[2].removesuffix(" or None").removeprefix("an array of ")
        return f"{_typed(found[1], options)} must be {accepted}. Got "

    text = re.sub(rf"The '(\w+)' parameter of {function} must be (.*?)\. Got ", sentence, text)
    words = "|".join(name for name in PARAMETERS if "_" in name)
    return re.sub(rf"\b({words})\b", lambda found: PARAMETERS[found[1]], text)


def one_sentence(error: Exception, options: Container[str] = ()) -> str:
    """Return the message of an error as one line of printable characters.

    Parameters
    ----------
    error : Exception
        The error.
    options : container of str
        The options of the command, see `for_shell`.
    """
    text = str(error)
    if isinstance(error, FileNotFoundError):
        from errsrc import checks  # imports numpy, which the help does not need

        error = checks.missing_file(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{os.fsdecode(error.filename)}: {error.strerror}." if error.filename else f"{error.strerror}."
    elif isinstance(error, MemoryError):
        text = f"There is not enough memory: {text or 'use fewer or smaller values'}."
    elif not isinstance(
        error, (NoAnswer, EngineError, ModuleNotFoundError, OSError, StoreError, ValueError, TypeError)
    ):
        text = f"internal error, {type(error).__name__}: {text} (--debug shows where)."
    line = for_shell(" ".join(text.split()), options)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
