"""Functions to test properties with random examples and to report the first failure in one sentence."""

from __future__ import annotations

import contextlib
import dataclasses
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import hypothesis
import numpy as np
import torch
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.errors import Undersampled
from errsrc.settings.strategies import quiet_settings


class Violation(Exception):
    """Raised if a property does not hold; the message has the values that break the property."""


def hold(subject: object, properties: Sequence[Callable[[Any], None]], case: Any) -> None:
    """Test several properties of a case.

    Parameters
    ----------
    subject : object
        The law, setting, learner or basis that is tested.  The message has the name of its class.
    properties : sequence of callables
        Functions that take the case and raise `Violation`.  The words of a function's name state the
        property.
    case : object
        The subject, with the data that the properties need, such as a `LearnerCase`.

    Raises
    ------
    AssertionError
        If a property does not hold.  The message names the first such property and the values that break it.
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
    test: Callable[..., None], examples: int, seed: int, **strategies: st.SearchStrategy[Any]
) -> None:
    """Call a test with random arguments; raise `Violation` for the smallest arguments that fail.

    Parameters
    ----------
    test : callable
        A function that raises an error if its arguments break a property.
    examples : int
        Number of calls with different arguments, >= 1.
    seed : int
        Seed of the arguments.
    **strategies : Hypothesis strategies
        A strategy for each argument of the test.

    Raises
    ------
    Violation
        If the test raises any error.  The message is about the smallest arguments that fail.
    """

    @hypothesis.seed(seed)
    @quiet_settings(examples, Phase.generate, Phase.shrink)
    @hypothesis.given(st.fixed_dictionaries(strategies))
    def run(example: dict[str, Any]) -> None:
        try:
            test(**example)
        except (Violation, HypothesisException):
            raise
        except Exception as error:
            at = ", ".join(f"{name} = {value!r}" for name, value in example.items())
            raise Violation(f"{_raised(error)} at {at}") from error

    run()


def _raised(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__} was raised" + (f" ({text})" if text else "")


def require_frozen(one: Any) -> None:
    """Raise `Violation` if a field of a dataclass can be set.

    Parameters
    ----------
    one : dataclass
        The object; its fields are set to the values that they have.

    Raises
    ------
    Violation
        If a field can be set.
    """
    for field in dataclasses.fields(one):
        try:
            setattr(one, field.name, getattr(one, field.name))
        except dataclasses.FrozenInstanceError:
            continue
        require(False, f"{field.name} of {one!r} can be set")


def require(condition: object, found: str) -> None:
    """Raise `Violation` unless a condition is true.

    Parameters
    ----------
    condition : object
        The condition.
    found : str
        The message of the `Violation`.
    """
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
    """Raise `Violation` unless two arrays agree.

    Each entry of the two arrays may differ by at most ``atol + rtol * abs(other)``.

    Parameters
    ----------
    one, other : (str, array_like)
        A description in words, and the array.  Both arrays must have the same shape.
    at : str
        Where the values were computed, in words, for the message.
    rtol, atol : float
        Relative and absolute tolerance.
    along : mapping of str to array_like, optional
        Other arrays of the same shape; the keys are their names.  The message shows their values at the entry
        where the two arrays differ most.

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
    """Raise `Violation` unless a call raises ValueError or TypeError with a suitable message.

    Parameters
    ----------
    call : callable
        A function without arguments that makes the call.
    named : str
        Text that the error message must contain.  The error message must have only one line.
    what : str
        A description in words of the bad value that the call must refuse, for the message.
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
def global_generators_unused() -> Iterator[None]:
    """Raise `Violation` if numpy's or torch's global generator is used inside the context.

    Yields
    ------
    None
        Nothing; the generators are compared when the context ends.
    """
    numpy, torches = pickle.dumps(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    yield
    same = numpy == pickle.dumps(np.random.get_state())  # noqa: NPY002
    require(same, "it draws from numpy's global generator")
    require(torch.equal(torches, torch.get_rng_state()), "it draws from torch's global generator")


def check_draws(examples: int, seed: int, where: str) -> None:
    """Raise an error if the number of examples or the seed of a check is out of range.

    Parameters
    ----------
    examples : int
        Number of examples, >= 1.
    seed : int
        Seed, >= 0.
    where : str
        Name of the check, for error messages.
    """
    checks.Integer(at_least=1)(examples, "examples", where)
    checks.SEED(seed, "seed", where)
