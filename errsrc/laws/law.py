"""What every law is: named parameters in natural units, an error, a formula.

A law is a frozen dataclass of plain numbers.  It declares its `inputs` and, for
each parameter, the *unit* it carries (`positive`, `real`).  From the units alone
the fitter derives scaled coordinates, in which a fit does not depend on the
units of its data, so that a new law is one file and one line in `errsrc.laws.ALL`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks

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
"""How the literature writes what has a longer name here."""


@dataclass(frozen=True)
class Parameter:
    """How a parameter behaves in a fit.

    Attributes
    ----------
    name
        The field's name.
    log
        True for a positive parameter (fitted in its logarithm), False for a real one or
        for a floor, which may be exactly 0 and is fitted as it is.
    start, bounds
        (low, high) of the random starts and of the search, in scaled units, where
        every input and the error have geometric mean 1.
    unit
        What the parameter is measured in: a tuple of (quantity, power), where
        quantity is "error" or an input's name and power a number or the name of an
        exponent, with "-" before it for its negative.  ``a`` of ``a n**-alpha`` has
        the unit ``(("error", 1), ("n", "alpha"))``.
    """

    name: str
    log: bool
    start: tuple[float, float]
    bounds: tuple[float, float]
    unit: tuple[tuple[str, float | str], ...]

    @property
    def signed(self) -> bool:
        """True where the parameter may be negative."""
        return not self.log and self.bounds[0] < 0


def positive(
    start: tuple[float, float],
    bounds: tuple[float, float] = (1e-9, 1e6),
    unit: Mapping[str, float | str] | None = None,
    default: Any = MISSING,
) -> Any:
    """Declare a parameter > 0.

    ``start``, ``bounds`` and ``unit`` are those of `Parameter`; a default is the field's.
    """
    return _declare(True, start, bounds, unit, default)


def floor(
    start: tuple[float, float],
    bounds: tuple[float, float] = (0.0, 1e6),
    unit: Mapping[str, float | str] | None = None,
    default: Any = MISSING,
) -> Any:
    """Declare a parameter >= 0 that may well be 0.

    ``start``, ``bounds`` and ``unit`` are those of `Parameter`; a default is the field's.
    """
    return _declare(False, start, bounds, unit, default)


def real(
    start: tuple[float, float],
    bounds: tuple[float, float],
    unit: Mapping[str, float | str] | None = None,
    default: Any = MISSING,
) -> Any:
    """Declare a parameter of either sign.

    ``start``, ``bounds`` and ``unit`` are those of `Parameter`; a default is the field's.
    """
    return _declare(False, start, bounds, unit, default)


def _declare(
    log: bool,
    start: tuple[float, float],
    bounds: tuple[float, float],
    unit: Mapping[str, float | str] | None,
    default: Any,
) -> Any:
    behaviour = {"log": log, "start": start, "bounds": bounds, "unit": tuple((unit or {}).items())}
    return field(default=default, metadata={"parameter": behaviour})


@dataclass(frozen=True)
class Law:
    """Base of all laws: parameters by name, the compiled formula, unit changes.

    A subclass is a frozen dataclass whose parameters are declared with `positive`
    or `real`; other fields are constants that state a unit (``n_full``).  It defines

    - `inputs`, the names of its inputs, all > 0 (and `error_inputs`, those measured in error);
    - `at_most`, {input: its largest value} where there is one: no fit takes and no forecast gives
      an error beyond it, though `error` itself is a function of all inputs > 0;
    - `slopes`, exponents of the error that no parameter's unit names, and `ceilings`, upper
      plateaus that the points need not reach;
    - `references`, {input: field} where an input counts in units of a constant field;
    - `error(**inputs)` in numpy and `formula()` in sympy, written independently.
    """

    inputs: ClassVar[tuple[str, ...]] = ()
    error_inputs: ClassVar[tuple[str, ...]] = ()
    at_most: ClassVar[Mapping[str, float]] = {}
    references: ClassVar[Mapping[str, str]] = {}
    slopes: ClassVar[tuple[str, ...]] = ()
    ceilings: ClassVar[tuple[str, ...]] = ()
    data_exponent_name: ClassVar[str] = "alpha"
    model_exponent_name: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        where = type(self).__name__
        free = {p.name: p for p in self.parameters()}
        for f in fields(self):
            signed = f.name in free and free[f.name].signed
            value = checks.number(getattr(self, f.name), f.name, where, None if signed else 0.0)
            object.__setattr__(self, f.name, value)

    @classmethod
    @functools.cache
    def parameters(cls) -> tuple[Parameter, ...]:
        """Return the declared parameters, in the order of the fields."""
        return tuple(Parameter(f.name, **f.metadata["parameter"]) for f in fields(cls) if f.metadata)

    @property
    def params(self) -> dict[str, float]:
        """The parameters' values by name, in natural units."""
        return {p.name: getattr(self, p.name) for p in self.parameters()}

    @property
    def data_exponent(self) -> float | None:
        """The exponent of n, whatever the law calls it (alpha in R20, beta in Chinchilla)."""
        return getattr(self, self.data_exponent_name, None)

    @property
    def model_exponent(self) -> float | None:
        """The exponent of m, whatever the law calls it; None for a law without m."""
        return getattr(self, self.model_exponent_name) if self.model_exponent_name else None

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the law's error at `inputs` (arrays that broadcast)."""
        raise TypeError(f"{type(self).__name__} must define error(**inputs)")

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the error as a sympy expression in the inputs' and the parameters' symbols."""
        raise TypeError(f"{cls.__name__} must define formula()")

    @classmethod
    def equation(cls) -> str:
        """Return the law as a line of text."""
        return f"error = {cls.formula()}"

    @classmethod
    def latex(cls) -> str:
        r"""Return the law as LaTeX, in the letters of the literature, without dollar signs.

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
        """Return why these parameters, though each allowed, are not an answer; None where they are."""
        return None

    def _checked(self, inputs: Mapping[str, ArrayLike]) -> list[Array]:
        """Return the inputs in the law's order and units; refuse missing, unknown or bad ones."""
        where = f"{type(self).__name__}.error"
        if set(inputs) != set(self.inputs):
            raise TypeError(
                checks.refusal("inputs", where, f"exactly {', '.join(self.inputs)}", sorted(inputs))
            )
        arrays = [checks.positive_array(inputs[name], name, where) for name in self.inputs]
        return [a / self.reference(name) for name, a in zip(self.inputs, arrays, strict=True)]

    def reference(self, name: str) -> float:
        """Return the unit in which the law counts the input `name` (1 where it counts it raw)."""
        return float(getattr(self, self.references[name])) if name in self.references else 1.0

    @classmethod
    def constants(cls) -> tuple[str, ...]:
        """Return the names of the fields that state a unit and are never fitted."""
        return tuple(f.name for f in fields(cls) if not f.metadata)

    def rescaled(self, scales: Mapping[str, float]) -> Self:
        """Return the same law for data measured in units `scales` times as large.

        `scales` maps "error" and the inputs to positive numbers; an input with a
        reference is scaled relative to it.  If ``law.error(n=x) == y`` for a law without
        references, then ``law.rescaled({"n": s, "error": t}).error(n=s * x) == t * y``.
        """
        values = self.params
        new = dict(values)
        for p in self.parameters():
            for quantity, power in p.unit:
                new[p.name] *= scales.get(quantity, 1.0) ** power_value(power, values)
        constants = {name: getattr(self, name) for name in self.constants()}
        return type(self)(**new, **constants)


def power_value(power: float | str, values: Mapping[str, Any]) -> Any:
    """Return the number that a unit's `power` stands for, given the parameters' `values`."""
    if isinstance(power, str):
        return -values[power[1:]] if power.startswith("-") else values[power]
    return power


def symbol(name: str) -> sympy.Symbol:
    """Return the positive sympy symbol of an input or a parameter by its name, the same everywhere."""
    import sympy

    return sympy.Symbol(name, positive=True)
