"""A field or an argument is refused by the rule that it declares, in one sentence, and kept otherwise."""

import re
from dataclasses import dataclass

import numpy as np
import pytest

from errsrc.checks import Flag, Integer, Number, Tuple, arguments
from errsrc.fields import Checked, choice, declare, flag, instance, integer, number, rules
from errsrc.learners import Learner


@dataclass(frozen=True)
class Options(Checked):
    rate: float = number(4e-3, above=0)
    batch: int = integer(128, at_least=1)
    held: int | None = integer(None, at_least=0)
    optimiser: str = choice("adam", ("adam", "sgd"))
    compiled: bool = flag(False)
    name: str = instance(str, "a string", "x")
    sizes: tuple[int, ...] = declare(Tuple(Integer(at_least=1), at_least=2), (1, 1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": 0}, "The 'rate' parameter of Options must be a finite number > 0. Got 0 instead."),
        ({"batch": 0}, "The 'batch' parameter of Options must be an integer >= 1. Got 0 instead."),
        ({"batch": True}, "The 'batch' parameter of Options must be an integer >= 1. Got True instead."),
        ({"held": -1}, "The 'held' parameter of Options must be an integer >= 0 or None. Got -1 instead."),
        (
            {"optimiser": "adm"},
            "The 'optimiser' parameter of Options must be one of 'adam', 'sgd'. Got 'adm' instead. "
            "(did you mean 'adam'?)",
        ),
        ({"compiled": 1}, "The 'compiled' parameter of Options must be true or false. Got 1 instead."),
        (
            {"sizes": (2,)},
            "The 'sizes' parameter of Options must be a tuple of 2 or more values, each an integer >= 1. "
            "Got (2,) instead.",
        ),
        (
            {"sizes": (2, 0)},
            "The 'sizes' parameter of Options must be a tuple of 2 or more values, each an integer >= 1. "
            "Got (2, 0) instead.",
        ),
        (
            {"sizes": [2, 2]},
            "The 'sizes' parameter of Options must be a tuple of 2 or more values, each an integer >= 1. "
            "Got [2, 2] instead.",
        ),
        ({"name": 3}, "The 'name' parameter of Options must be a string. Got 3 instead."),
    ],
)
def test_a_field_is_refused_by_its_rule(given, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        Options(**given)
    assert str(caught.value) == message


def test_values_in_range_are_kept_and_numpy_scalars_become_plain():
    found = Options(rate=np.float64(0.5), batch=np.int64(3))
    assert (type(found.rate), type(found.batch)) == (float, int)
    assert found == Options(0.5, 3)
    assert type(Options(rate=1).rate) is int  # as given: equal, and shown as it was written


def test_rules_are_found_by_name():
    assert rules(Options)["batch"] == Integer(at_least=1)
    assert rules(Options)["held"].accepted == "an integer >= 0 or None"


def test_arguments_are_checked_by_name_and_converted():
    @arguments(n=Integer(at_least=1), level=Number(above=0, below=1), exact=Flag())
    def run(x, n, *, level=0.9, exact=True):
        return x, n, level, exact

    assert run(0, np.int64(2), level=0.5) == (0, 2, 0.5, True)
    with pytest.raises(ValueError, match=r"The 'level' parameter of run must be .* Got 1 instead"):
        run(0, 2, level=1)
    with pytest.raises(TypeError, match=r"run\(\) missing 1 required positional argument: 'n'"):
        run(0)
    with pytest.raises(TypeError, match="no parameter 'm'"):
        arguments(m=Integer())(lambda n: n)


def test_a_method_that_lacks_an_argument_is_refused_with_the_accepted_arguments():
    class NoRandomness(Learner):
        def _fit(self, x, y):
            return y.mean

    class OtherNames(Learner):
        def _fit(self, inputs, labels, chance, more=0):
            return labels.mean

    message = "The method _fit of NoRandomness must take (self, x, y, rng). Got (self, x, y) instead."
    with pytest.raises(TypeError, match=re.escape(message)):
        NoRandomness()
    OtherNames()
