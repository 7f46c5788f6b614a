"""The properties that every law must have.

Each property is a function that takes a `LawCase` and raises `Violation` if the property does not hold.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import FrozenInstanceError, dataclass, replace
from typing import Any

import numpy as np
import sympy
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.fitting import fit, plan
from errsrc.laws import Law
from errsrc.laws.derivatives import compiled, lambdified_error
from errsrc.laws.law import Array, symbol
from errsrc.rng import generator
from errsrc.testing.properties import agree, check_draws, explore, hold, refused, require


@dataclass(frozen=True, eq=False)
class LawCase:
    """A law, with the inputs and the seed for the tests of its properties.

    Attributes
    ----------
    law : type of Law
        The class of the law.
    points : dict of str to ndarray of float64, shape (points,)
        Inputs; the keys are their names.  The errors at these inputs determine the parameters.
    examples, seed : int
        Number of random sets of parameters, and their seed.
    """

    law: Any
    points: Mapping[str, Any]
    examples: int
    seed: int

    @property
    def units(self) -> dict[str, float]:
        """Scale of each input that has a unit and a largest value: the geometric mean of its points."""
        with_unit = [name for name in self.law.at_most if name not in self.law.dimensionless]
        return {name: float(np.exp(np.log(self.points[name]).mean())) for name in with_unit}

    def drawn(self) -> st.SearchStrategy[Law]:
        """Return a strategy that draws laws whose parameters the points determine, see `laws`."""
        return laws(self.law).map(lambda one: one.rescaled(self.units))

    @property
    def middle(self) -> Law:
        """The law whose parameters are in the middle of the ranges in which a fit starts."""
        values = {}
        for p in self.law.parameters():
            low, high = p.start
            values[p.name] = float(np.sqrt(low * high)) if p.log else (low + high) / 2
        return self.law(**values).rescaled(self.units)

    @property
    def constants(self) -> dict[str, float]:
        """A dict with the value 1 for each of the law's constants."""
        return {name: 1.0 for name in self.law.constants()}

    def scales(self, scale: float, unit: float) -> dict[str, float]:
        """Return a factor for each input; the factor stands for a change of the input's unit.

        Parameters
        ----------
        scale : float
            The k-th input gets the factor ``scale^k``, or ``scale^-k`` if the input has a largest value.
            Inputs that share a unit get the same factor.  Inputs without a unit get the factor 1.
        unit : float
            The factor for inputs that are errors.
        """
        bounded = self.law.at_most
        factors = {
            name: unit if name in self.law.error_inputs else scale ** (-k if name in bounded else k)
            for k, name in enumerate(self.law.inputs, 1)
        }
        factors |= {name: factors[other] for name, other in self.law.shared_units.items()}
        return factors | dict.fromkeys(self.law.dimensionless, 1.0)

    def moved(self, scales: Mapping[str, float]) -> dict[str, Any]:
        """Return the inputs `points`, multiplied by factors.

        Parameters
        ----------
        scales : mapping of str to float
            A factor for each input, as the method `scales` returns them.
        """
        return {name: scales[name] * x for name, x in self.points.items()}


@st.composite
def laws(draw: st.DrawFn, law: type[Law]) -> Law:
    """Return a strategy that draws laws of one class.

    The parameters are drawn from the ranges in which a fit starts, for inputs of about 1.

    Parameters
    ----------
    law : type of Law
        The class of the laws.  Its constants must have defaults.

    Examples
    --------
    >>> from hypothesis import find
    >>> from errsrc.laws import Power
    >>> find(laws(Power), lambda law: law.alpha > 0.5).alpha > 0.5
    True
    """
    values = {}
    for p in law.parameters():
        low, high = p.start
        share = draw(st.floats(0.1, 0.9))
        values[p.name] = low * (high / low) ** share if p.log else low + share * (high - low)
    return law(**values)


def design(law: type[Law]) -> dict[str, Array]:
    """Return inputs at which the errors of most laws determine the parameters.

    The geometric mean of each input is about 1, unless the input has a largest value.

    Parameters
    ----------
    law : type of Law
        The class of the law.

    Returns
    -------
    dict of str to ndarray of float64, shape (points,)
        Inputs; the keys are their names.  A single input has 30 sizes over six decades.  Two inputs are a 7 x
        7 grid over three decades.  More inputs are a grid of 18 sizes of the first input over three decades
        and three sizes of each other input.  If an input has a largest value, its sizes end at this value.
        An input that is an error itself, such as eps_np, is computed from the second input.

    Examples
    --------
    >>> from errsrc.laws import Dense
    >>> {name: x.shape for name, x in design(Dense).items()}
    {'n': (49,), 'm': (49,)}
    """
    names = [name for name in law.inputs if name not in law.error_inputs]
    if len(names) == 1:
        sides: list[Any] = [np.geomspace(1e-3, 1e3, 30)]
    elif len(names) == 2:
        sides = [np.geomspace(0.02, 50, 7)] * 2
    else:
        few = [np.array([0.5, 1.0, 2.0]) * 1.1**k for k in range(len(names) - 1)]
        sides = [0.7 ** np.arange(-9, 9), *few]
    axes = [axis.ravel() for axis in np.meshgrid(*sides)]
    level = 0.4 / (1 + 0.2 * axes[min(1, len(axes) - 1)])
    for name, most in law.at_most.items():
        axes[names.index(name)] *= most / axes[names.index(name)].max()
    return dict(zip(names, axes, strict=True)) | {name: level for name in law.error_inputs}


def error_and_formula_are_the_same_law(case: LawCase) -> None:
    """The law's `error`, in numpy, and its `formula`, in sympy, agree to 1e-10."""
    points, law = case.points, case.law

    def check(one: Law) -> None:
        written = lambdified_error(law)(*(points[name] for name in law.inputs), *one.params.values())
        written = np.broadcast_to(written, one.error(**points).shape)
        agree(("error()", one.error(**points)), ("formula()", written), repr(one), rtol=1e-10, along=points)

    explore(check, case.examples, case.seed, one=case.drawn())


def the_compiled_gradient_is_the_derivative_of_the_error(case: LawCase) -> None:
    """The compiled gradient agrees with fourth-order finite differences of `error`."""
    points, law = case.points, case.law

    def check(one: Law) -> None:
        _, *slopes = compiled(law)(*(points[name] for name in law.inputs), *one.params.values())
        for p, slope in zip(law.parameters(), slopes, strict=True):
            value = one.params[p.name]
            step = 1e-3 * max(abs(value), 0.1 if not p.log else 0.0)
            if not p.signed and value - 2 * step < 0:
                continue  # too close to 0 for central differences
            at = {k: replace(one, **{p.name: value + k * step}).error(**points) for k in (-2, -1, 1, 2)}
            difference = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * step)
            agree(
                (f"the compiled slope in {p.name}", np.broadcast_to(slope, difference.shape)),
                ("that of error()", difference),
                repr(one),
                rtol=1e-5,
                atol=1e-7 * float(np.max(np.abs(difference))) + 1e-9,
                along=points,
            )

    explore(check, case.examples, case.seed, one=case.drawn())


def the_compiled_gradient_agrees_with_sympy(case: LawCase) -> None:
    """At one point, the compiled gradient agrees to 1e-11 with the derivative that sympy computes.

    Sympy evaluates the derivative to 40 digits.  The test is skipped if the formula contains functions that
    sympy does not define.
    """
    law, chance = case.law, generator(case.seed, "testing", "gradient")
    formula = law.formula()
    if any(hasattr(type(f), "numpy") for f in formula.atoms(sympy.Function)):
        return
    values = {p.name: float(np.mean(p.start)) * chance.uniform(0.8, 1.2) for p in law.parameters()}
    at = {name: float(chance.uniform(0.5, 2.0)) for name in law.inputs}
    exact = {symbol(name): sympy.Float(value, 40) for name, value in {**values, **at}.items()}
    _, *slopes = compiled(law)(*at.values(), *values.values())
    for p, slope in zip(law.parameters(), slopes, strict=True):
        digits = float(sympy.diff(formula, symbol(p.name)).subs(exact).evalf(40))
        name = f"the compiled slope in {p.name}"
        agree((name, float(slope)), ("sympy's", digits), f"{law(**values)!r} and {at}", rtol=1e-11)


def the_units_of_the_parameters_are_correct(case: LawCase) -> None:
    """If parameters and inputs are converted to other units, the law gives the same errors, converted too."""

    def check(one: Law, scale: float, unit: float) -> None:
        scales = case.scales(scale, unit)
        agree(
            ("the rescaled law's error", one.rescaled({**scales, "error": unit}).error(**case.moved(scales))),
            ("the rescaled error", unit * one.error(**case.points)),
            f"{one!r}, with inputs in units {scales} and errors in {unit!r} as large",
            rtol=1e-7,
            along=case.points,
        )

    units = {"scale": st.floats(1e-3, 1e9), "unit": st.floats(1e-3, 1e3)}
    explore(check, case.examples, case.seed, one=case.drawn(), **units)


def a_fit_recovers_the_law(case: LawCase) -> None:
    """A fit to errors that the law computed finds the law's parameters, to 1e-6.

    If the points do not determine the parameters, the fit must reproduce the errors and have a warning.
    """
    points, law = case.points, case.law

    def check(one: Law) -> None:
        error = one.error(**points)
        found = fit(law, error, constants=case.constants, **points)
        again = found.law.error(**points)
        agree(("the fit's error", again), ("the law's", error), repr(one), rtol=1e-6, along=points)
        if found.condition >= 1e6:
            warned = any("determined" in warning for warning in found.warnings)
            require(warned, f"no warning says that parameters of {one!r} are not determined by its points")
            return
        for p in law.parameters():
            fitted, truth = (getattr(each, p.name) for each in (found.law, one))
            atol = 0.0 if p.log else 1e-6
            agree((f"the fitted {p.name}", fitted), ("the law's", truth), repr(one), rtol=1e-6, atol=atol)

    explore(check, max(1, case.examples // 2), case.seed, one=case.drawn())


def a_fit_does_not_depend_on_the_order_of_rows_or_on_units(case: LawCase) -> None:
    """Fits to the same errors, in another order of rows or in other units, agree.

    The errors have 1% noise.  Predictions must agree to 1e-6, and estimates of the noise to 1e-5.
    """
    points, law, chance = case.points, case.law, generator(case.seed, "testing", "order")
    one = case.middle
    truth = one.error(**points)
    error = truth * np.exp(0.01 * chance.standard_normal(truth.shape))
    first = fit(law, error, **points)
    order, scales = chance.permutation(len(error)), case.scales(1e3, 10.0)
    shuffled = fit(law, error[order], **{name: x[order] for name, x in points.items()})
    moved = fit(law, 10 * error, **case.moved(scales))
    here, at = first.law.error(**points), repr(one)
    for name, there in {
        "the fit to shuffled rows": shuffled.law.error(**points),
        "the fit in other units": moved.law.error(**case.moved(scales)) / 10,
    }.items():
        agree((name, there), ("the fit to the rows as they are", here), at, rtol=1e-6, along=points)
    agree(("the noise in other units", moved.noise), ("the noise", first.noise), at, rtol=1e-5)


def a_plan_inverts_predictions(case: LawCase) -> None:
    """A plan's sizes have the target error, and neighbouring sizes of equal cost have no smaller error.

    Only laws in n, or in n and m, are tested, around 1e4 examples and 1e8 parameters.
    """
    law = case.law
    if law.inputs not in (("n",), ("n", "m")):
        return
    low = {p.name: max(p.start[0], 0.1) for p in law.parameters() if not p.log}
    scales = {"n": 1e4, "m": 1e8}
    points = case.moved(scales)
    one = replace(case.middle, **low).rescaled(scales)
    truth = one.error(**points)
    found = fit(law, truth, constants=case.constants, **points)
    target = float(np.quantile(truth, 0.3))
    answer, at = plan(found, error=target), repr(one)
    sizes = {"n": answer.n.estimate} | ({"m": answer.m.estimate} if answer.m is not None else {})
    asked = ("the error asked for", target)
    agree(("the error where the plan says", found.law.error(**sizes)), asked, at, rtol=1e-6)
    agree(("the plan's own error", answer.error.estimate), asked, at, rtol=1e-6)
    back = plan(found, budget=answer.cost.estimate).error.estimate
    agree(("the error that the plan's cost buys", back), asked, at, rtol=1e-3)
    if answer.m is not None:
        for factor in (0.8, 1.25):
            m = answer.m.estimate * factor
            n = answer.cost.estimate / (6 * m)
            cheaper = float(found.law.error(n=n, m=m)) < target * (1 - 1e-9)
            require(not cheaper, f"n = {n:.6g} and m = {m:.6g} reach a lower error at the plan's cost, {at}")


def a_law_is_frozen_hashable_and_of_finite_numbers(case: LawCase) -> None:
    """A law is frozen and hashable, and its parameters are finite floats.

    Integers are converted to floats.  Numbers that are not finite raise an error.
    """
    law = case.law
    one = law(**{p.name: 1 if p.bounds[1] > 1 else 0.5 for p in law.parameters()})
    require(hash(one) == hash(replace(one)) and one == replace(one), f"a copy of {one!r} is not equal to it")
    floats = all(isinstance(value, float) for value in one.params.values())
    require(floats, f"the parameters of {one!r} are not all floats")
    first = law.parameters()[0].name
    try:
        setattr(one, first, 1.0)
    except FrozenInstanceError:
        pass
    else:
        require(False, f"{first} of {one!r} can be set")
    for value in (np.nan, np.inf):
        wrong: dict[str, Any] = {first: value}
        refused(functools.partial(replace, one, **wrong), f"{first!r}", f"{first} = {value}")


def bad_inputs_are_refused_in_one_sentence(case: LawCase) -> None:
    """`Law.error` raises ValueError or TypeError for missing or unknown inputs, and for values out of range.

    Values must be finite numbers > 0.  The message must be one line that names the input.
    """
    law = case.law
    one = case.middle
    first = law.inputs[0]
    rest: dict[str, ArrayLike] = {name: x[:1] for name, x in case.points.items()}
    refused(lambda: one.error(), "'inputs'", "error() without inputs")
    refused(lambda: one.error(**rest, unheard_of=1.0), "'inputs'", "an input of an unknown name")
    for value in (0.0, -1.0, np.nan, np.inf, "1"):
        wrong: dict[str, Any] = {**rest, first: value}
        refused(functools.partial(one.error, **wrong), f"{first!r}", f"{first} = {value!r}")


LAW_PROPERTIES: tuple[Callable[[LawCase], None], ...] = (
    a_law_is_frozen_hashable_and_of_finite_numbers,
    bad_inputs_are_refused_in_one_sentence,
    error_and_formula_are_the_same_law,
    the_compiled_gradient_is_the_derivative_of_the_error,
    the_compiled_gradient_agrees_with_sympy,
    the_units_of_the_parameters_are_correct,
    a_fit_recovers_the_law,
    a_fit_does_not_depend_on_the_order_of_rows_or_on_units,
    a_plan_inverts_predictions,
)
"""The properties of every law, in the order in which `check_law` tests them."""


def check_law(
    law: type[Law],
    *,
    points: Mapping[str, ArrayLike] | None = None,
    properties: Sequence[Callable[[LawCase], None]] | None = None,
    examples: int = 40,
    seed: int = 0,
) -> None:
    """Test whether a law has the properties that every law must have.

    Parameters
    ----------
    law : type of Law
        The class of the law, a subclass of `errsrc.laws.Law` whose constants have defaults.
    points : dict of str to array_like, shape (points,), optional
        Inputs > 0; the keys are their names.  By default the inputs are ``design(law)``.  The test draws
        random parameters of the law, from the ranges in which a fit starts.  The law's errors at the given
        inputs must determine these parameters.
    properties : sequence of callable, optional
        The properties to test; by default all `LAW_PROPERTIES`.
    examples : int
        Number of random sets of parameters for each property, >= 1.  Properties of fits are tested with half
        as many sets.
    seed : int
        Seed of the parameters, >= 0.

    Raises
    ------
    AssertionError
        If a property does not hold.  The message is one sentence that names the property and the values that
        break it.
    TypeError, ValueError
        If `law` is not a law, if `points` are not the law's inputs, or if a number is out of range.

    Examples
    --------
    >>> from errsrc.laws import Power
    >>> check_law(Power, examples=5)
    """
    if not (isinstance(law, type) and issubclass(law, Law)):
        raise TypeError(checks.refusal("law", "check_law", "a subclass of errsrc.laws.Law", law))
    check_draws(examples, seed, "check_law")
    given = design(law) if points is None else points
    if set(given) != set(law.inputs):
        accepted = f"arrays of exactly {', '.join(law.inputs)}"
        raise ValueError(checks.refusal("points", "check_law", accepted, sorted(given)))
    most = law.at_most
    arrays = {
        name: checks.PositiveArray(most.get(name))(given[name], name, "check_law") for name in law.inputs
    }
    hold(law, LAW_PROPERTIES if properties is None else properties, LawCase(law, arrays, examples, seed))
