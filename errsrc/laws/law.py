"""The base class of all laws.

A law is a frozen dataclass of plain numbers.  Each of its parameters declares the unit that it is measured in
(`positive`, `floor`, `real`).  From these units, a fit derives coordinates in which its result does not
depend on the units of the data.  Therefore a law needs no code of its own for fits, intervals, predictions
and plans.
"""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import Number, PositiveArray, Rule
from errsrc.fields import rules
from errsrc.laws.parameters import Parameter, power_value

if TYPE_CHECKING:  # sympy takes longer to import than a fit takes to run
    import sympy

Array = NDArray[np.float64]

LETTERS = {
    "eps0": r"\varepsilon_0",
    "eps_np": r"\varepsilon_{np}",
    "eps_up": r"\varepsilon_{up}",
    "c_inf": r"c_\infty",
    "n_cliff": r"n_c",
    "density": "d",
    "depth": "l",
    "width": "w",
}
"""LaTeX symbols of the inputs and parameters that have other names in the literature than here."""


CONSTANT = Number(above=0)
"""Validation rule for fields that are not parameters; each such field is the unit of an input."""


@dataclass(frozen=True)
class Law(abc.ABC):
    """Base class of all laws: an error as a function of sizes, with named parameters.

    A subclass is a frozen dataclass.  It declares its parameters with `positive`, `floor` and `real`, names
    its `inputs`, and defines `error` in numpy and `formula` in sympy.  `errsrc.testing.check_law` tests that
    `error` and `formula` agree, and tests everything else that a fit relies on.  Any other field is a
    constant > 0 that states the unit of an input (see `references`).

    Attributes
    ----------
    inputs : tuple of str
        Names of the inputs.  All inputs are numbers > 0.
    error_inputs : tuple of str
        Names of the inputs that are themselves errors, and therefore have the unit of the error.
    at_most : dict of str to float
        The largest accepted value of an input, for inputs that have a limit.  Fits and forecasts accept no
        larger values.  The method `error` accepts all values > 0.
    shared_units : dict of str to str
        The inputs that have the unit of another input, as {input: the other input}.  For example, ``{"u":
        "n"}`` if n counts tokens and u counts the different tokens among them.  A fit divides such inputs by
        one common scale, so that their ratio keeps its value.
    dimensionless : tuple of str
        Names of the inputs that have no unit, such as a density or a number of epochs.  A fit takes their
        values as they are.
    references : dict of str to str
        The inputs that are counted in units of a constant of the law, as {input: name of the constant}.
    slopes : tuple of str
        Names of the exponents that do not occur as a power in the unit of any parameter.  Fits recognise all
        other exponents by the units in which they occur.  `errsrc.auto` has a weak prior on exponents.
    ceilings : tuple of str
        Names of the parameters that are upper plateaus.  The measured points need not reach these plateaus.
    places : tuple of str
        Names of the parameters that say where the error leaves a plateau or falls off a cliff.  If the points
        do not determine one of `slopes`, forecasts of a law with places take all plausible values of the
        undetermined parameters into account (`errsrc.fitting.intervals.plausible_refits`).
    priors : dict of str to (float, float)
        Weak log-normal priors of parameters > 0 that `errsrc.auto` uses: the median in scaled units, and the
        standard deviation of the logarithm.
    largest_error_name : str or None
        Name of the parameter that is an upper bound on the error, such as the error of a random guess; or
        None.
    data_exponent_name, model_exponent_name : str or None
        Names of the parameters that are the exponents of the data size n and of the model size m; or None.
    """

    inputs: ClassVar[tuple[str, ...]] = ()
    error_inputs: ClassVar[tuple[str, ...]] = ()
    at_most: ClassVar[Mapping[str, float]] = {}
    shared_units: ClassVar[Mapping[str, str]] = {}
    dimensionless: ClassVar[tuple[str, ...]] = ()
    references: ClassVar[Mapping[str, str]] = {}
    slopes: ClassVar[tuple[str, ...]] = ()
    ceilings: ClassVar[tuple[str, ...]] = ()
    places: ClassVar[tuple[str, ...]] = ()
    priors: ClassVar[Mapping[str, tuple[float, float]]] = {}
    largest_error_name: ClassVar[str | None] = None
    data_exponent_name: ClassVar[str | None] = "alpha"
    model_exponent_name: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        """Check every field by its rule, and convert integers to floats."""
        where, declared = type(self).__name__, rules(type(self))
        for f in fields(self):
            value = declared.get(f.name, CONSTANT)(getattr(self, f.name), f.name, where)
            object.__setattr__(self, f.name, value)

    @abc.abstractmethod
    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error of the law, without noise.

        Parameters
        ----------
        **inputs : array_like
            Values of the inputs: numbers > 0, of shapes that broadcast.  The names of the arguments must be
            those in the class attribute `inputs`.

        Returns
        -------
        ndarray of float64
            The error, of the shape that the inputs broadcast to.

        Raises
        ------
        TypeError
            If an input is missing or unknown, or if an input is not a number.
        ValueError
            If an input is not finite or not > 0.
        """

    @classmethod
    @abc.abstractmethod
    def formula(cls) -> sympy.Expr:
        """Return the error as a sympy expression.

        The symbols are ``symbol(name)`` for each input and each parameter.  If the law counts an input in
        units of a constant (`references`), the symbol stands for the input divided by this constant.  Write
        the formula independently of `error`, because tests compare the two.
        """

    @classmethod
    @functools.cache
    def parameters(cls) -> tuple[Parameter, ...]:
        """Return the declarations of the parameters, in the order of the fields."""
        return tuple(
            Parameter(f.name, **f.metadata["parameter"]) for f in fields(cls) if "parameter" in f.metadata
        )

    @classmethod
    def constants(cls) -> tuple[str, ...]:
        """Return the names of the fields that are units of inputs; these fields are never fitted."""
        return tuple(f.name for f in fields(cls) if "parameter" not in f.metadata)

    @property
    def params(self) -> dict[str, float]:
        """Values of the parameters by name."""
        return {p.name: getattr(self, p.name) for p in self.parameters()}

    @property
    def data_exponent(self) -> float | None:
        """Exponent of the data size n, or None if the law has no such exponent.

        The name of this exponent differs between laws: it is alpha in Rosenfeld et al. 2020 and beta in
        Hoffmann et al. 2022.
        """
        return getattr(self, self.data_exponent_name or "", None)

    @property
    def model_exponent(self) -> float | None:
        """Exponent of the model size m, or None if the law has no such exponent."""
        return getattr(self, self.model_exponent_name or "", None)

    @classmethod
    def equation(cls) -> str:
        """Return the law as a line of text."""
        return f"error = {cls.formula()}"

    @classmethod
    def latex(cls) -> str:
        r"""Return the formula in LaTeX, with the symbols of the literature and without dollar signs.

        Examples
        --------
        >>> from errsrc.laws import Power
        >>> print(Power.latex())
        a n^{- \alpha} + c_\infty
        """
        import sympy

        formula = cls.formula()
        names = {s: LETTERS[s.name] for s in formula.free_symbols if s.name in LETTERS}
        return str(sympy.latex(formula, symbol_names=names))

    def complaint(self) -> str | None:
        """Return a sentence that says why a fit that ends at these parameters has failed, or None.

        None means that the fit has not failed.  A subclass may override this method, for parameters that are
        all in range but make no sense together.
        """
        return None

    def input_arrays(self, inputs: Mapping[str, ArrayLike]) -> list[Array]:
        """Return the inputs as arrays, in the units in which the law counts them.

        For example, a law may count n in units of its constant n_full: then n is divided by n_full.  The
        class attribute `references` names the constant for each such input.

        Parameters
        ----------
        inputs : dict of str to array_like
            Values of the inputs by name: numbers > 0, of any shapes.  The names must be those in the class
            attribute `inputs`.

        Returns
        -------
        list of ndarray of float64
            The arrays, each of the shape that was given, in the order of the class attribute `inputs`.

        Raises
        ------
        TypeError
            If an input is missing or unknown, or if an input is not a number.
        ValueError
            If an input is not finite or not > 0.
        """
        arrays = checked_inputs(inputs, self.inputs, f"{type(self).__name__}.error")
        return [array / self.reference(name) for name, array in arrays.items()]

    def reference(self, name: str) -> float:
        """Return the unit in which the law counts an input: 1 if `references` does not name the input.

        Parameters
        ----------
        name : str
            Name of the input.
        """
        return float(getattr(self, self.references[name])) if name in self.references else 1.0

    def rescaled(self, scales: Mapping[str, float]) -> Self:
        """Return the same law in other units, in which numbers are multiplied by the factors `scales`.

        If ``law.error(n=x) == y`` for a law whose ``references`` is empty, then ``law.rescaled({"n": s,
        "error": t}).error(n=s * x) == t * y``.

        Parameters
        ----------
        scales : dict of str to float
            The factor, > 0, by which numbers are multiplied, for "error" and for each input.  Names that are
            left out have the factor 1.  If the law divides an input by a constant such as n_full, give the
            factor of this ratio.  An input in `shared_units` needs the same factor as the input that it
            shares the unit with.  An input in `dimensionless` needs the factor 1.

        Raises
        ------
        ValueError
            If inputs that share a unit have different factors, or if an input without a unit has a factor
            other than 1.
        """
        factors = {name: scales.get(name, 1.0) for name in ("error", *self.inputs)}
        for name, other in self.shared_units.items():
            factors[name] = factors[other]
        factors |= dict.fromkeys(self.dimensionless, 1.0)
        for name, scale in scales.items():
            if scale != factors.get(name, scale):
                accepted = f"{factors[name]:g} for {name}, by the units that the class declares"
                raise ValueError(checks.refusal("scales", f"{type(self).__name__}.rescaled", accepted, scale))
        values = self.params
        new = dict(values)
        for p in self.parameters():
            for quantity, power in p.unit:
                new[p.name] *= factors[quantity] ** power_value(power, values)
        constants = {name: getattr(self, name) for name in self.constants()}
        return type(self)(**new, **constants)


@dataclass(frozen=True)
class LawClass(Rule):
    """The rule for arguments that must be a subclass of `Law` with a complete definition."""

    accepted: ClassVar[str] = "a subclass of errsrc.laws.Law, as errsrc.laws.Power is"

    def __call__(self, value: Any, name: str, where: str) -> type[Law]:
        """Return `value` itself."""
        if not (isinstance(value, type) and issubclass(value, Law)):
            raise TypeError(checks.refusal(name, where, self.accepted, value))
        for accepted, faulty in _faults(value):
            if faulty:
                got = f"<{value.__name__}: {', '.join(sorted(faulty))}>"
                raise TypeError(checks.refusal(name, where, f"a law {accepted}", got))
        return value


LAW = LawClass()
"""The validation rule for arguments that must be the class of a law."""


@functools.cache
def _faults(law: type[Law]) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return pairs: a requirement on the definition of a law, and the names that violate the requirement."""
    parameters = {p.name for p in law.parameters()}
    units = {quantity for p in law.parameters() for quantity, _ in p.unit}
    powers = {power for p in law.parameters() for _, power in p.unit}
    exponents = {power.lstrip("-") for power in powers if isinstance(power, str)}
    largest = {law.largest_error_name} if law.largest_error_name else set()
    named = {*exponents, *law.slopes, *law.ceilings, *law.places, *largest}
    partners = set(law.shared_units.values())
    with_own_scale = {*law.error_inputs, *law.references, *law.dimensionless}
    faults = (
        ("that defines error and formula", set(law.__abstractmethods__)),
        ("that names its inputs in `inputs`", set() if law.inputs else {"none"}),
        (
            "that is a dataclass of parameters declared by positive, floor or real",
            set() if parameters else {"no parameters"},
        ),
        (
            "whose fields are parameters (positive, floor, real) or constants in `references`",
            set(law.constants()) - set(law.references.values()),
        ),
        ("whose parameters have units of error and of its inputs", units - {"error", *law.inputs}),
        (
            "whose `shared_units` and `dimensionless` are inputs",
            {*law.shared_units, *partners, *law.dimensionless} - set(law.inputs),
        ),
        (
            "whose `shared_units` name one input for all that share a unit, without errors, references and "
            "inputs in `dimensionless`",
            (partners & set(law.shared_units)) | ((partners | set(law.shared_units)) & with_own_scale),
        ),
        ("whose parameters have no units of inputs in `dimensionless`", units & set(law.dimensionless)),
        ("whose exponents, slopes, ceilings and places are parameters", named - parameters),
    )
    return tuple((accepted, frozenset(faulty)) for accepted, faulty in faults)


def checked_inputs(
    inputs: Mapping[str, ArrayLike],
    names: tuple[str, ...],
    where: str,
    at_most: Mapping[str, float] | None = None,
) -> dict[str, Array]:
    """Return inputs as float64 arrays in a given order.

    Parameters
    ----------
    inputs : dict of str to array_like
        Numbers > 0 by name, of any shapes.
    names : tuple of str
        Names of the required inputs, in the order of the result.
    where : str
        Name of the function for error messages.
    at_most : dict of str to float, optional
        The largest accepted value of an input, for inputs that have a limit.

    Returns
    -------
    dict of str to ndarray of float64
        The inputs by name, as arrays of the shapes that were given.

    Raises
    ------
    TypeError
        If an input is missing or unknown, or if an input is not a number.
    ValueError
        If an input is not finite, not > 0, or too large.
    """
    if set(inputs) != set(names):
        hint = _renamed_inputs(inputs, names)
        raise TypeError(checks.refusal("inputs", where, f"exactly {', '.join(names)}", sorted(inputs)) + hint)
    limits = at_most or {}
    return {name: PositiveArray(limits.get(name))(inputs[name], name, where) for name in names}


def _renamed_inputs(inputs: Mapping[str, object], names: tuple[str, ...]) -> str:
    """Return a sentence on inputs that were passed under the names of their columns."""
    known = {
        "params": "m",
        "parameters": "m",
        "n_params": "m",
        "tokens": "n",
        "samples": "n",
        "examples": "n",
    }
    found = [(name, known[name]) for name in inputs if known.get(name) in names and name not in names]
    if not found:
        return ""
    return f" Pass {', '.join(f'{right}=... instead of {name}=...' for name, right in found)}."


def symbol(name: str) -> sympy.Symbol:
    """Return the positive sympy symbol that stands for an input or a parameter in every formula.

    Parameters
    ----------
    name : str
        Name of the input or parameter.
    """
    import sympy

    return sympy.Symbol(name, positive=True)
