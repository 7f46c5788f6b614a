"""How properties are held: over examples drawn from a seed, and one sentence for the first that fails."""

from __future__ import annotations

import contextlib
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import hypothesis
import numpy as np
import torch
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.errors import Undersampled


class Violation(Exception):
    """A property does not hold; the message says at what values."""


def hold(subject: object, properties: Sequence[Callable[[Any], None]], case: Any) -> None:
    """Hold a case to each property.

    Parameters
    ----------
    subject
        Whose properties they are.
    properties
        Functions of a case that raise `Violation`; their names, read as words, say what holds.
    case
        What they are asked of.

    Raises
    ------
    AssertionError
        At the first property that does not hold: it is named, with the values that show it.
    """
    name = subject.__name__ if isinstance(subject, type) else type(subject).__name__
    for each in properties:
        claim = each.__name__.replace("_", " ")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Undersampled)
                each(case)
        except Violation as found:
            raise AssertionError(f"{name} fails '{claim}': {found}.") from found.__cause__
        except Exception as error:
            raise AssertionError(f"{name} fails '{claim}': {_raised(error)}.") from error


def explore(
    look: Callable[..., None], examples: int, seed: int, **strategies: st.SearchStrategy[Any]
) -> None:
    """Call a function with examples of its arguments, drawn from a seed; raise `Violation` for a small one.

    Parameters
    ----------
    look
        A function that raises where an example breaks what it looks at.
    examples
        How many are drawn, >= 1.
    seed
        Of the draws: the same one has the same examples.
    **strategies
        Of each argument.

    Raises
    ------
    Violation
        As `look`, for the smallest example found; whatever else it raised becomes one too.
    """

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
        report_multiple_bugs=False,
    )
    @hypothesis.given(st.fixed_dictionaries(strategies))
    def run(example: dict[str, Any]) -> None:
        try:
            look(**example)
        except (Violation, HypothesisException):
            raise
        except Exception as error:
            at = ", ".join(f"{name} = {value!r}" for name, value in example.items())
            raise Violation(f"{_raised(error)} at {at}") from error

    run()


def _raised(error: Exception) -> str:
    return f"{type(error).__name__} was raised, {' '.join(str(error).split()).rstrip('.')!r},"


def require(condition: object, found: str) -> None:
    """Raise `Violation`, with what was found, unless a condition is true."""
    if not condition:
        raise Violation(found)


def agree(
    one: tuple[str, ArrayLike],
    other: tuple[str, ArrayLike],
    at: str,
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    along: Mapping[str, ArrayLike] | None = None,
) -> None:
    """Raise `Violation` unless two arrays are equal, entry by entry, to ``atol + rtol * abs(other)``.

    Parameters
    ----------
    one, other
        What each is, in words, and its values; of one shape.
    at
        What they are values of.
    rtol, atol
        Relative and absolute tolerance.
    along
        Arrays of that shape by name, whose values at the worst entry are shown.

    Examples
    --------
    >>> agree(("the error", [1.0, 2.0]), ("the formula", [1.0, 2.5]), "Power()", along={"n": [10, 20]})
    Traceback (most recent call last):
        ...
    errsrc.testing.properties.Violation: the error is 2 and the formula is 2.5 at Power() and n = 20
    """
    (what, left), (that, right) = (one[0], np.asarray(one[1])), (other[0], np.asarray(other[1]))
    if left.shape != right.shape:
        raise Violation(f"{what} has the shape {left.shape} and {that} the shape {right.shape} at {at}")
    with np.errstate(invalid="ignore"):
        over = np.abs(left - right) - (atol + rtol * np.abs(right))
    over = np.where(np.isnan(over), np.inf, over)
    if not over.size or over.max() <= 0:
        return
    worst = np.unravel_index(over.argmax(), over.shape)
    values = [
        f"{name} = {np.broadcast_to(np.asarray(x), over.shape)[worst]:.6g}"
        for name, x in (along or {}).items()
    ]
    place = f" and {', '.join(values)}" if values else ""
    raise Violation(f"{what} is {left[worst]:.6g} and {that} is {right[worst]:.6g} at {at}{place}")


def refused(call: Callable[[], object], named: str, what: str) -> None:
    """Raise `Violation` unless a call raises ValueError or TypeError, in one line that holds ``named``.

    ``what`` is refused, in words.
    """
    try:
        call()
    except (ValueError, TypeError) as error:
        require(
            named in str(error) and "\n" not in str(error),
            f"{what} is refused with {str(error)!r}, which is not one line that holds {named!r}",
        )
        return
    raise Violation(f"{what} is not refused")


@contextlib.contextmanager
def own_chance() -> Iterator[None]:
    """Raise `Violation` if numpy's or torch's global generator is touched inside."""
    numpy, torches = pickle.dumps(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    yield
    same = numpy == pickle.dumps(np.random.get_state())  # noqa: NPY002
    require(same, "it draws from numpy's global generator")
    require(torch.equal(torches, torch.get_rng_state()), "it draws from torch's global generator")


def of_type(value: Any, name: str, where: str, kind: type | tuple[type, ...], accepted: str) -> None:
    """Refuse a value of another kind, by its name and what is accepted, see `errsrc.checks.refusal`."""
    if not isinstance(value, kind):
        raise TypeError(checks.refusal(name, where, accepted, value))


def check_draws(examples: int, seed: int, where: str) -> None:
    """Refuse numbers of examples and seeds that are none."""
    checks.integer(examples, "examples", where, 1)
    checks.integer(seed, "seed", where, 0)
