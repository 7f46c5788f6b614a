"""Numbers on the command line: with suffixes such as 70B, and lists separated by blanks or commas."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from errsrc.tables.cells import SUFFIXES


def number(text: str) -> float:
    """Return a number such as "1.4T" or "1e21"; raise ArgumentTypeError for other text.

    Parameters
    ----------
    text : str
        The number, possibly with a suffix of `SUFFIXES`.

    Examples
    --------
    >>> number("70B")
    70000000000.0
    """
    factor = SUFFIXES.get(text[-1:], 1.0)
    digits = text[:-1] if text[-1:] in SUFFIXES else text
    try:
        return float(digits) * factor
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, such as 1e21 or 70B") from None


def number_list(text: str) -> list[float]:
    """Return the numbers of a text such as "1e21,1e23".

    Parameters
    ----------
    text : str
        Numbers, separated by commas.
    """
    return [number(part.strip()) for part in text.split(",") if part.strip() or text.count(",") == 0]


def sizes(text: str) -> dict[str, float]:
    """Return the sizes of an argument such as "n=1e12,m=70B".

    Parameters
    ----------
    text : str
        The argument.
    """
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and sign for name, sign, _ in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE,NAME=VALUE, such as n=1e12,m=70B")
    found = {name.strip(): number(value.strip()) for name, _, value in pairs}
    if len(found) < len(pairs):
        raise argparse.ArgumentTypeError(f"{text!r} has a size twice")
    return found


class Numbers(argparse.Action):
    """Joins the lists of numbers of one option, as in "--budget 1e21,1e22 1e23"."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> None:
        """Store the numbers of all parts.

        Parameters
        ----------
        parser : ArgumentParser
            The parser.
        namespace : Namespace
            Where the numbers are stored.
        values : list of list of float
            The numbers of each part.
        option : str, optional
            The option.
        """
        parts: Sequence[Sequence[float]] = values
        setattr(namespace, self.dest, [value for part in parts for value in part])


LIST: dict[str, Any] = {"type": number_list, "nargs": "+", "action": Numbers}
"""The options of an argument that takes several numbers."""
