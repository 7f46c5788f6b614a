"""From measured points to a least-squares problem: the checks of the points, and their scaled units."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import ERROR, Choice, Instance, Number, Optional, PositiveArray, Rule
from errsrc.fitting.problem import OBJECTIVES, Problem
from errsrc.laws import ALL
from errsrc.laws.law import LAW, Array, Law, checked_inputs

FAR_ABOVE = 1.2
"""No noise explains an error that is this many times the error of a random guess."""


class LawOrName(Rule):
    """The rule for arguments that must be a subclass of `Law`, or the name of a law in `errsrc.laws.ALL`."""

    accepted: ClassVar[str] = LAW.accepted + ", or the name of a law, such as 'chinchilla'"

    def __call__(self, value: Any, name: str, where: str) -> type[Law]:
        """Return the class of the law."""
        if isinstance(value, str):
            return ALL[Choice(tuple(ALL))(value, name, where)]
        if not isinstance(value, type):
            raise TypeError(checks.refusal(name, where, self.accepted, value))
        return LAW(value, name, where)


LAW_OR_NAME = LawOrName()
"""The rule of arguments that are a law."""
NUMBERS = Optional(Instance(Mapping, "a dict by the names of parameters"))
"""The rule of arguments that give numbers to parameters."""


def pose(
    law: type[Law],
    error: ArrayLike,
    inputs: Mapping[str, ArrayLike],
    fixed: Mapping[str, float] | None = None,
    constants: Mapping[str, float] | None = None,
    weights: ArrayLike | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    objective: str = "divergence",
    huber_delta: float = 1.0,
    clusters: NDArray[np.intp] | None = None,
) -> Problem:
    """Check the points of a fit, and return the fit as a least-squares problem in scaled units.

    Parameters
    ----------
    law : type of Law
        The class to fit.
    error : array_like, shape (points,)
        Measured errors, > 0.
    inputs : dict of str to array_like, shape (points,)
        Inputs of the law, > 0, each an array or a single number.
    fixed, constants : dict of str to float, optional
        Values of parameters that are not fitted, and constants of the law, in the given units.
    weights : array_like, shape (points,), optional
        Relative weights, > 0; all equal by default.
    bounds : dict of str to (float, float), optional
        {parameter: (low, high)}, the range in which the parameter is searched, in the given units.  Only
        parameters whose unit does not depend on an exponent can have bounds.
    objective : str
        One of `OBJECTIVES` (see `errsrc.fitting.fit`).
    huber_delta : float
        Threshold of the Huber loss in ln error, > 0.
    clusters : ndarray of intp, shape (points,), optional
        Number of the cluster of each point; None for independent points.

    Returns
    -------
    Problem
        The problem.  Its rows are sorted, therefore the order of the given rows does not matter.

    Raises
    ------
    TypeError, ValueError
        If an input is missing or unknown, if a value is out of range, if arrays have different lengths, if an
        input does not vary, or if there are too few points.
    """
    where = f"fit({law.__name__})"
    Choice(OBJECTIVES)(objective, "objective", where)
    delta = Number(above=0)(huber_delta, "huber_delta", where)
    columns = _columns(law, error, inputs, weights, where)
    if clusters is not None and clusters.shape != columns["error"].shape:
        accepted = f"an array of {len(columns['error'])} labels"
        raise ValueError(checks.refusal("clusters", where, accepted, f"<shape {clusters.shape}>"))
    order = np.lexsort([columns["weights"], columns["error"], *(columns[k] for k in reversed(law.inputs))])
    columns = {name: x[order] for name, x in columns.items()}
    e, w, sizes = columns["error"], columns["weights"], {name: columns[name] for name in law.inputs}

    units = _units(law, sizes, constants or {}, where)
    relative = {name: x / units.get(law.references.get(name, ""), 1.0) for name, x in sizes.items()}
    scales = _scales(law, e, relative)
    held = _scaled_fixed(law, fixed or {}, scales, where)
    largest = held.get(law.largest_error_name or "")
    check_largest(law, None if largest is None else largest * scales["error"], e, where)
    _check_varied(law, sizes, held, where)
    problem = Problem(
        law=law,
        measured={"error": e, **sizes},
        inputs={name: x / scales[name] for name, x in relative.items()},
        error=e / scales["error"],
        weights=w / w.mean(),
        objective=objective,
        huber_delta=delta,
        scales=scales,
        constants=units,
        fixed=held,
        limits=_scaled_limits(law, bounds or {}, scales, where),
        clusters=None if clusters is None else np.unique(clusters[order], return_inverse=True)[1].ravel(),
    )
    if not problem.free:
        accepted = "only some of the law's parameters, so that one is left to fit"
        raise ValueError(checks.refusal("fixed", where, accepted, sorted(held)))
    distinct = len(np.unique(np.column_stack(list(sizes.values())), axis=0))
    if distinct < len(problem.free) or len(e) <= len(problem.free):
        accepted = f"measured at more points than the {len(problem.free)} free parameters"
        raise ValueError(checks.refusal("error", where, accepted, f"<{min(distinct, len(e))} points>"))
    return problem


def _columns(
    law: type[Law], error: ArrayLike, inputs: Mapping[str, ArrayLike], weights: ArrayLike | None, where: str
) -> dict[str, Array]:
    """Return the inputs, "error" and "weights" as arrays of one length, (points,)."""
    sizes = checked_inputs(inputs, law.inputs, where, law.at_most)
    e = np.atleast_1d(ERROR(error, "error", where))
    if e.ndim != 1 or not len(e):
        accepted = "a one-dimensional array, not empty"
        raise ValueError(checks.refusal("error", where, accepted, f"<shape {e.shape}>"))
    w = np.ones(len(e)) if weights is None else PositiveArray()(weights, "weights", where)
    columns = {name: np.atleast_1d(x) for name, x in sizes.items()} | {"error": e, "weights": w}
    for name, x in columns.items():
        if x.shape != e.shape and (x.shape != (1,) or name == "weights"):
            accepted = f"an array of {len(e)} numbers"
            raise ValueError(checks.refusal(name, where, accepted, f"<shape {x.shape}>"))
    return {name: np.broadcast_to(x, e.shape) for name, x in columns.items()}


def _units(
    law: type[Law], sizes: Mapping[str, Array], constants: Mapping[str, float], where: str
) -> dict[str, float]:
    """Return the constants of the law: the given values, or by default the largest values of the inputs."""
    units = {constant: float(sizes[name].max()) for name, constant in law.references.items()}
    for name, value in constants.items():
        if name not in units:
            raise ValueError(checks.refusal("constants", where, f"among {sorted(units)}", name))
        units[name] = Number(above=0)(value, name, where)
    return units


def _scales(law: type[Law], error: Array, inputs: Mapping[str, Array]) -> dict[str, float]:
    """Return the geometric means by which error and inputs are divided; inputs of one unit share one."""
    scales = {"error": _geometric_mean(error)}
    for name in inputs:
        first = law.shared_units.get(name, name)
        same = [x for other, x in inputs.items() if law.shared_units.get(other, other) == first]
        if name in law.error_inputs:
            scales[name] = scales["error"]
        else:
            scales[name] = 1.0 if name in law.dimensionless else _geometric_mean(np.concatenate(same))
    return scales


def _geometric_mean(x: Array) -> float:
    return float(np.exp(np.log(x).mean()))


def _scaled_fixed(
    law: type[Law], fixed: Mapping[str, float], scales: Mapping[str, float], where: str
) -> dict[str, float]:
    """Return fixed parameters in scaled units; raise ValueError if a unit depends on a free exponent."""
    known = {p.name: p for p in law.parameters()}
    out = {}
    for name, value in fixed.items():
        if name not in known:
            hint = checks.nearest(name, known)
            raise ValueError(checks.refusal("fixed", where, f"among {', '.join(known)}", name) + hint)
        p = known[name]
        out[name] = Number(at_least=None if p.signed else 0)(value, name, where)
        for quantity, power in p.unit if out[name] else ():
            exponent = power
            if isinstance(power, str):
                named = power.lstrip("-")
                exponent = fixed.get(named, math.nan) * (-1 if power.startswith("-") else 1)
                if math.isnan(exponent):
                    accepted = f"fixed together with {named}, on which its unit depends"
                    raise ValueError(checks.refusal(name, where, accepted, value))
            out[name] /= scales[quantity] ** float(exponent)
    return out


def _scaled_limits(
    law: type[Law],
    bounds: Mapping[str, tuple[float, float]],
    scales: Mapping[str, float],
    where: str,
) -> dict[str, tuple[float, float]]:
    """Return bounds in scaled units; raise ValueError if the unit of a parameter depends on an exponent."""
    known = {p.name: p for p in law.parameters()}
    out = {}
    for name, (low, high) in bounds.items():
        if name not in known or any(isinstance(power, str) for _, power in known[name].unit):
            usable = [p.name for p in law.parameters() if all(not isinstance(u, str) for _, u in p.unit)]
            raise ValueError(checks.refusal("bounds", where, f"among {', '.join(usable)}", name))
        scale = math.prod(scales[quantity] ** float(power) for quantity, power in known[name].unit)
        smallest, largest = known[name].bounds
        out[name] = (max(low / scale, smallest), min(high / scale, largest))
        if not out[name][0] < out[name][1]:
            accepted = f"(low, high) with low < high for {name}"
            raise ValueError(checks.refusal("bounds", where, accepted, (low, high)))
    return out


def check_largest(law: type[Law], largest: float | None, error: Array, where: str) -> None:
    """Raise ValueError if a measured error is far above the largest error that the law allows.

    Some laws have a parameter that is their largest error, such as eps0.  Only a fixed value of this
    parameter is checked.  Errors up to `FAR_ABOVE` times the value pass, because they may be noise:
    `errsrc.fitting.noise.above_largest` judges them after the fit.

    Parameters
    ----------
    law : type of Law
        The law.
    largest : float or None
        The fixed value of `Law.largest_error_name`, in the units of the errors; None if it is not fixed.
    error : ndarray of float64, shape (points,)
        Measured errors.
    where : str
        Name of the calling function, for the message.
    """
    if largest is not None and error.max() > largest * FAR_ABOVE:
        accepted = f"numbers <= {law.largest_error_name} = {largest:g}"
        raise ValueError(checks.refusal("error", where, accepted, float(error.max())))


def _check_varied(law: type[Law], sizes: Mapping[str, Array], held: Mapping[str, float], where: str) -> None:
    """Raise ValueError if inputs do not vary independently, but a free parameter requires that they do."""
    needed: list[str] = []
    for p in law.parameters():
        for quantity, power in p.unit:
            exponent = power.lstrip("-") if isinstance(power, str) else None
            if quantity not in sizes or (exponent in held) or (exponent is None and p.name in held):
                continue
            if np.ptp(sizes[quantity]) == 0:
                got = f"<{float(sizes[quantity][0]):g} in every row>"
                raise ValueError(checks.refusal(quantity, where, "at least two different sizes", got))
            if quantity not in needed:
                needed.append(quantity)
    for one, other in itertools.combinations(needed, 2):  # their effects cannot be distinguished
        if np.corrcoef(np.log(sizes[one]), np.log(sizes[other]))[0, 1] > 1 - 1e-9:
            got = "<one is a power of the other>"
            raise ValueError(checks.refusal(other, where, f"varied apart from {one}", got))
