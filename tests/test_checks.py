"""A check gives back a value in range, or refuses in one sentence; it never does anything else."""

import math
import pickle
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from amounts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from errsrc import checks
from errsrc.errors import NoAnswer, NoFit, Unreachable


def integer(value, name, where, low=None, high=None):
    return checks.Integer(low, high)(value, name, where)


def number(value, name, where, low=None, high=None, *, open_low=False, open_high=False):
    bounds = {"above" if open_low else "at_least": low, "below" if open_high else "at_most": high}
    return checks.Number(**bounds)(value, name, where)


def positive_array(value, name, where, high=None):
    return checks.PositiveArray(high)(value, name, where)


def choice(value, name, where, options):
    return checks.Choice(options)(value, name, where)


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no repr")


class ManyLines:
    def __repr__(self):
        return "one\ntwo\r\n\u2028three"


class BadArray:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array")


class EqualsNothing:
    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError("no ==")


ragged = [[1.0], [1.0, 2.0]]
inside_itself: list = []
inside_itself.append(inside_itself)

odd_objects = [
    Unshowable(),
    ManyLines(),
    BadArray(),
    EqualsNothing(),
    ragged,
    inside_itself,
    None,
    True,
    np.True_,
    object,
    lambda: None,
    b"1",
    "",
    "<not closed",
    "<looks\nmarked>",
    "\ud800",
    "1",
    10**400,
    -(10**400),
    10**5000,
    [1, 10**400],
    1j,
    np.array([1 + 1j]),
    Fraction(1, 2),
    Decimal("NaN"),
    float("nan"),
    -0.0,
    np.timedelta64(3, "s"),
    np.timedelta64("NaT"),
    np.datetime64("2020"),
    np.longdouble("1e4000"),
    np.array([], dtype=object),
    np.ma.masked,
    {1, 2},
    {"a": 1},
    Ellipsis,
]
anything = st.one_of(
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.from_type(type),
    hnp.array_dtypes().flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0))),
    hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, min_side=0)),
    hnp.arrays(hnp.scalar_dtypes(), ()).map(lambda array: array[()]),
    st.recursive(st.none() | st.integers() | st.floats(), st.lists, max_leaves=6),
)
some_time = settings(deadline=None, max_examples=examples(300))


def returned(check, *arguments, **options):
    """What the check returns, or None where it refused as every refusal must read."""
    try:
        return check(*arguments, **options)
    except (TypeError, ValueError) as error:
        said = str(error)
    sentence = r"The 'x' parameter of f must be .+\. Got .{0,80} instead\.( \(did you mean '\w+'\?\))?"
    assert re.fullmatch(sentence, said), said
    assert len(said.splitlines()) == 1
    return None


@pytest.mark.parametrize("value", odd_objects, ids=lambda value: type(value).__name__)
def test_odd_objects_are_refused_in_one_sentence(value):
    assert returned(positive_array, value, "x", "f") is None
    assert returned(choice, value, "x", "f", ("adam", "sgd")) is None
    if not (isinstance(value, int) and not isinstance(value, bool)):
        assert returned(integer, value, "x", "f") is None
    assert returned(number, value, "x", "f", 0.0, open_low=True) is None
    assert returned(integer, value, "x", "f", 0, 5) is None


@pytest.mark.full
@some_time
@given(anything, st.none() | st.integers(-5, 5), st.none() | st.integers(0, 10))
def test_integer_gives_an_int_in_range_or_one_sentence(value, low, width):
    high = None if low is None or width is None else low + width
    got = returned(integer, value, "x", "f", low, high)
    if got is not None:
        assert type(got) is int
        assert got == value
        assert low is None or got >= low
        assert high is None or got <= high


@pytest.mark.full
@some_time
@given(anything, st.none() | st.floats(-5, 5), st.booleans(), st.booleans())
def test_number_gives_a_finite_float_in_range_or_one_sentence(value, low, open_low, open_high):
    high = None if low is None else low + 1
    got = returned(number, value, "x", "f", low, high, open_low=open_low, open_high=open_high)
    if got is not None:
        assert type(got) is float
        assert math.isfinite(got)
        if low is not None:
            assert low < got if open_low else low <= got
            assert got < high if open_high else got <= high


@pytest.mark.full
@some_time
@given(anything)
def test_positive_array_gives_positive_floats_of_the_same_shape_or_one_sentence(value):
    got = returned(positive_array, value, "x", "f")
    if got is not None:
        assert type(got) is np.ndarray
        assert got.dtype == np.float64
        assert got.shape == np.shape(value)
        assert np.all(np.isfinite(got) & (got > 0))


@pytest.mark.full
@some_time
@given(anything | st.sampled_from(["adam", "sgd", "adm", "SGD"]))
def test_choice_gives_one_of_the_options_or_one_sentence(value):
    got = returned(choice, value, "x", "f", ("adam", "sgd"))
    assert got in (None, "adam", "sgd")
    assert (got is not None) == (isinstance(value, str) and value in ("adam", "sgd"))


@some_time
@given(st.integers(-(2**63), 2**63 - 1))
def test_every_integer_type_gives_the_same_int(value):
    for kind in (np.int8, np.uint8, np.int32, np.int64, np.uint64):
        if np.iinfo(kind).min <= value <= np.iinfo(kind).max:
            assert integer(kind(value), "x", "f") == value


def test_ends_of_a_range_belong_to_it_unless_open():
    assert integer(1, "x", "f", 1, 1) == 1
    assert number(0, "x", "f", 0.0, 1.0) == 0.0
    assert number(1, "x", "f", 0.0, 1.0, open_low=True) == 1.0
    for value, options in [(0, {"open_low": True}), (1, {"open_high": True})]:
        with pytest.raises(ValueError, match="parameter of f must be"):
            number(value, "x", "f", 0.0, 1.0, **options)


@pytest.mark.parametrize(
    ("check", "value", "kind"),
    [
        (integer, 1.0, TypeError),
        (integer, True, TypeError),
        (integer, "1", TypeError),
        (integer, np.timedelta64(1, "s"), TypeError),
        (number, True, TypeError),
        (number, "1", TypeError),
        (number, math.nan, ValueError),
        pytest.param(number, 10**400, ValueError, id="number-beyond-floats"),
        (positive_array, ["1"], TypeError),
        (positive_array, [True], TypeError),
        (positive_array, [1.0, None], TypeError),
        (positive_array, [1j], TypeError),
        (positive_array, ragged, TypeError),
        (positive_array, [1.0, 0.0], ValueError),
        (positive_array, [1.0, math.inf], ValueError),
        (positive_array, np.longdouble("1e4000"), ValueError),
    ],
)
def test_wrong_types_are_type_errors_and_wrong_values_are_value_errors(check, value, kind):
    with pytest.raises(kind, match=r"^The 'x' parameter of f must be"):
        check(value, "x", "f")


def test_refusals_read_as_promised():
    def said(check, *arguments, **options):
        with pytest.raises((TypeError, ValueError)) as caught:
            check(*arguments, **options)
        return str(caught.value)

    assert said(integer, np.int64(0), "n", "budget", 1) == (
        "The 'n' parameter of budget must be an integer >= 1. Got 0 instead."
    )
    assert said(integer, 2.5, "n", "budget") == (
        "The 'n' parameter of budget must be an integer. Got 2.5 instead."
    )
    assert said(number, np.float64(1.5), "level", "fit", 0.0, 1.0, open_low=True, open_high=True) == (
        "The 'level' parameter of fit must be a finite number > 0 and < 1. Got 1.5 instead."
    )
    assert said(positive_array, [1.0, -2.0, -3.0], "n", "fit") == (
        "The 'n' parameter of fit must be an array of finite numbers > 0. Got -2.0 instead."
    )
    assert said(choice, "adm", "optimiser", "Recipe", ("adam", "sgd")) == (
        "The 'optimiser' parameter of Recipe must be one of 'adam', 'sgd'. Got 'adm' instead."
        " (did you mean 'adam'?)"
    )
    assert checks.refusal("x", "f", "short", "a" * 1000).endswith(f"Got '{'a' * 76}... instead.")
    assert checks.refusal("x", "f", "an array", "<shape (3, 2)>").endswith("Got <shape (3, 2)> instead.")
    assert checks.refusal("x", "f", "shown", Unshowable()).endswith("Got <Unshowable> instead.")
    assert checks.refusal("x", "f", "small", 10**5000).endswith("Got <int> instead.")


def test_large_limits_are_printed_in_full():
    with pytest.raises(ValueError, match=r">= 1 and <= 123456789\. Got 0 instead"):
        integer(0, "n", "f", 1, 123_456_789)


def test_positive_array_keeps_what_it_was_given():
    given_array = np.array([[1, 2], [3, 4]])
    got = positive_array(given_array, "x", "f")
    got[0, 0] = 99.0
    assert given_array[0, 0] == 1
    assert positive_array(2, "x", "f").shape == ()
    assert positive_array([], "x", "f").shape == (0,)


def test_nearest_names_a_near_word_or_nothing():
    assert checks.nearest("chinchila", ["dense", "chinchilla"]) == " (did you mean 'chinchilla'?)"
    assert checks.nearest("zzz", ["dense", "chinchilla"]) == ""
    assert checks.nearest("", []) == ""


@pytest.mark.parametrize("kind", [NoFit, Unreachable])
def test_answers_no_carry_the_best_one_found_also_between_processes(kind):
    error = kind("the floor is 0.2", best=0.2)
    assert isinstance(error, NoAnswer)
    assert not isinstance(error, ValueError)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.best) == (kind, "the floor is 0.2", 0.2)
    assert kind("nothing was found").best is None


def test_a_non_negative_array_may_have_zeros_and_refuses_other_values():
    rule = checks.NonNegativeArray()
    np.testing.assert_array_equal(rule([0, 1.5], "x", "f"), [0.0, 1.5])
    sentence = "The 'x' parameter of f must be an array of finite numbers >= 0. Got "
    for value, got in (([1.0, -1.0], "-1.0"), ([np.nan], "nan"), (np.inf, "inf")):
        with pytest.raises(ValueError, match=re.escape(f"{sentence}{got} instead.")):
            rule(value, "x", "f")
    with pytest.raises(TypeError, match=re.escape(f"{sentence}<text, such as 'a'> instead.")):
        rule(["a"], "x", "f")
