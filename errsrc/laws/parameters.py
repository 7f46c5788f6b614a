"""Declarations of a law's parameters: accepted values, units, and the ranges that a fit searches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any

from errsrc.checks import Number, Rule


@dataclass(frozen=True)
class Parameter:
    """Declaration of a parameter of a law, as a fit uses it.

    Attributes
    ----------
    name : str
        Name of the field.
    log : bool
        True if a fit searches the logarithm of the parameter, as for all parameters > 0.
    start : tuple of float
        Range (low, high) of a fit's random starts, in scaled units.  In scaled units, the errors and each
        input have geometric mean 1.
    bounds : tuple of float
        Range (low, high) of a fit's search, in scaled units.
    unit : tuple of (str, float or str)
        Unit of the parameter, as (quantity, power) pairs.  A quantity is "error" or the name of an input; a
        power is a number, the name of an exponent, or that name with "-" before it.  In ``a * n**-alpha`` the
        unit of ``a`` is ``(("error", 1), ("n", "alpha"))``.
    """

    name: str
    log: bool
    start: tuple[float, float]
    bounds: tuple[float, float]
    unit: tuple[tuple[str, float | str], ...]

    @property
    def signed(self) -> bool:
        """Whether the parameter may be negative."""
        return not self.log and self.bounds[0] < 0


def positive(
    start: tuple[float, float],
    bounds: tuple[float, float] = (1e-9, 1e6),
    unit: Mapping[str, float | str] | None = None,
    default: Any = MISSING,
) -> Any:
    """Declare a parameter > 0, such as an amplitude or an exponent.

    A fit searches the logarithm of the parameter.  The law itself also accepts the value 0, at which a term
    of the law vanishes.

    Parameters
    ----------
    start : tuple of float
        Range (low, high) of a fit's random starts, in scaled units (see `Parameter`).
    bounds : tuple of float
        Range (low, high) of a fit's search, in scaled units.
    unit : dict of str to float or str, optional
        Unit of the parameter, as {quantity: power} (see `Parameter`).  By default, the parameter has no unit.
    default : float, optional
        Default value of the field.  If it is left out, the field has no default value.
    """
    return _declare(Number(at_least=0), True, start, bounds, unit, default)


def floor(
    start: tuple[float, float],
    bounds: tuple[float, float] = (0.0, 1e6),
    unit: Mapping[str, float | str] | None = None,
    default: Any = MISSING,
) -> Any:
    """Declare a parameter >= 0 that can be exactly 0, such as the limit of an error.

    Parameters
    ----------
    start, bounds : tuple of float
        Ranges (low, high) of a fit's random starts and of its search, in scaled units (see `Parameter`).
    unit : dict of str to float or str, optional
        Unit of the parameter, as {quantity: power} (see `Parameter`).  By default, the parameter has no unit.
    default : float, optional
        Default value of the field.  If it is left out, the field has no default value.
    """
    return _declare(Number(at_least=0), False, start, bounds, unit, default)


def real(
    start: tuple[float, float],
    bounds: tuple[float, float],
    unit: Mapping[str, float | str] | None = None,
    default: Any = MISSING,
) -> Any:
    """Declare a parameter that may be positive or negative.

    Parameters
    ----------
    start, bounds : tuple of float
        Ranges (low, high) of a fit's random starts and of its search, in scaled units (see `Parameter`).
    unit : dict of str to float or str, optional
        Unit of the parameter, as {quantity: power} (see `Parameter`).  By default, the parameter has no unit.
    default : float, optional
        Default value of the field.  If it is left out, the field has no default value.
    """
    return _declare(Number() if bounds[0] < 0 else Number(at_least=0), False, start, bounds, unit, default)


def _declare(
    rule: Rule,
    log: bool,
    start: tuple[float, float],
    bounds: tuple[float, float],
    unit: Mapping[str, float | str] | None,
    default: Any,
) -> Any:
    """Return the field of a parameter: `rule` says which values it accepts, the others how it is fitted."""
    behaviour = {"log": log, "start": start, "bounds": bounds, "unit": tuple((unit or {}).items())}
    return field(default=default, metadata={"rule": rule, "parameter": behaviour})


def power_value(power: float | str, values: Mapping[str, Any]) -> Any:
    """Return the value of a power that occurs in the unit of a parameter.

    Parameters
    ----------
    power : float or str
        A number, the name of an exponent, or "-" and the name of an exponent (see `Parameter`).
    values : dict of str to float or ndarray
        Values of the parameters by name.
    """
    if isinstance(power, str):
        return -values[power[1:]] if power.startswith("-") else values[power]
    return power
