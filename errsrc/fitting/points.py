"""From measured points to a least-squares problem: the checks of the data, and the scaled units."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.fitting.problem import OBJECTIVES, Problem
from errsrc.laws.law import Array, Law


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
) -> Problem:
    """Check the data of a fit and return it as a `Problem` in scaled units.

    Parameters
    ----------
    law, error, fixed, constants, weights, bounds, objective, huber_delta
        See `errsrc.fitting.fit`; error and weights (points,).
    inputs
        {name: (points,) or one number} of each of the law's inputs.

    Raises
    ------
    ValueError, TypeError
        For what is out of range or of another shape, inputs that are not the law's, and fewer points than
        free parameters.
    """
    where = f"fit({law.__name__})"
    checks.choice(objective, "objective", where, OBJECTIVES)
    delta = checks.number(huber_delta, "huber_delta", where, 0.0, open_low=True)
    if set(inputs) != set(law.inputs):
        raise TypeError(checks.refusal("inputs", where, f"exactly {', '.join(law.inputs)}", sorted(inputs)))
    e = np.atleast_1d(checks.positive_array(error, "error", where))
    columns = {
        name: np.atleast_1d(checks.positive_array(inputs[name], name, where, law.at_most.get(name)))
        for name in law.inputs
    }
    if e.ndim != 1:
        raise ValueError(checks.refusal("error", where, "a one-dimensional array", f"<shape {e.shape}>"))
    for name, x in columns.items():
        if x.shape not in (e.shape, (1,)):
            raise ValueError(
                checks.refusal(name, where, f"an array of {len(e)} numbers", f"<shape {x.shape}>")
            )
        columns[name] = np.broadcast_to(x, e.shape)
    w = np.ones(len(e)) if weights is None else checks.positive_array(weights, "weights", where)
    if w.shape != e.shape:
        raise ValueError(
            checks.refusal("weights", where, f"an array of {len(e)} numbers", f"<shape {w.shape}>")
        )

    order = np.lexsort((w, e, *reversed(columns.values())))  # so that the order of rows changes nothing
    e, w = e[order], w[order]
    columns = {name: x[order] for name, x in columns.items()}
    units = {field: float(columns[name].max()) for name, field in law.references.items()}
    for name, value in (constants or {}).items():
        if name not in units:
            raise ValueError(checks.refusal("constants", where, f"among {sorted(units)}", name))
        units[name] = checks.number(value, name, where, 0.0, open_low=True)
    references = {name: units[field] for name, field in law.references.items()}
    relative = {name: x / references.get(name, 1.0) for name, x in columns.items()}
    scales = {"error": _geometric_mean(e)}
    for name, x in relative.items():
        scales[name] = scales["error"] if name in law.error_inputs else _geometric_mean(x)
    held = _scaled_fixed(law, dict(fixed or {}), scales, where)
    if "eps0" in held and e.max() > held["eps0"] * scales["error"] * (1 + 1e-12):
        eps0 = held["eps0"] * scales["error"]
        raise ValueError(checks.refusal("error", where, f"numbers <= eps0 = {eps0:g}", float(e.max())))
    _check_varied(law, columns, held, where)
    problem = Problem(
        law=law,
        measured={"error": e, **columns},
        inputs={name: x / scales[name] for name, x in relative.items()},
        error=e / scales["error"],
        weights=w / w.mean(),
        objective=objective,
        huber_delta=delta,
        scales=scales,
        constants=units,
        fixed=held,
        limits=_scaled_limits(law, dict(bounds or {}), scales, where),
    )
    distinct = len(np.unique(np.column_stack(list(columns.values())), axis=0))
    if distinct < len(problem.free) or len(e) <= len(problem.free):
        accepted = f"measured at more points than the {len(problem.free)} free parameters"
        raise ValueError(checks.refusal("error", where, accepted, f"<{min(distinct, len(e))} points>"))
    return problem


def _geometric_mean(x: Array) -> float:
    return float(np.exp(np.log(x).mean()))


def _scaled_fixed(
    law: type[Law], fixed: dict[str, float], scales: dict[str, float], where: str
) -> dict[str, float]:
    """Return fixed parameters in scaled units; refuse one whose unit hangs on a free exponent."""
    known = {p.name: p for p in law.parameters()}
    out = {}
    for name, value in fixed.items():
        if name not in known:
            hint = checks.nearest(name, known)
            raise ValueError(checks.refusal("fixed", where, f"among {', '.join(known)}", name) + hint)
        p = known[name]
        out[name] = checks.number(value, name, where, None if p.signed else 0.0)
        for quantity, power in p.unit:
            exponent = power
            if isinstance(power, str):
                exponent = fixed.get(power.lstrip("-"), math.nan) * (-1 if power.startswith("-") else 1)
            if out[name] and math.isnan(float(exponent)):
                accepted = f"fixed together with {power.lstrip('-')}, on which its unit depends"  # type: ignore[union-attr]
                raise ValueError(checks.refusal(name, where, accepted, value))
            if out[name]:
                out[name] /= scales[quantity] ** float(exponent)
    return out


def _scaled_limits(
    law: type[Law], bounds: dict[str, tuple[float, float]], scales: dict[str, float], where: str
) -> dict[str, tuple[float, float]]:
    """Return bounds in scaled units; refuse those of a parameter whose unit hangs on an exponent."""
    known = {p.name: p for p in law.parameters()}
    out = {}
    for name, (low, high) in bounds.items():
        if name not in known or any(isinstance(power, str) for _, power in known[name].unit):
            usable = [p.name for p in law.parameters() if all(not isinstance(u, str) for _, u in p.unit)]
            raise ValueError(checks.refusal("bounds", where, f"among {', '.join(usable)}", name))
        scale = math.prod(scales[quantity] ** float(power) for quantity, power in known[name].unit)
        least, most = known[name].bounds
        out[name] = (max(low / scale, least), min(high / scale, most))
        if not out[name][0] < out[name][1]:
            accepted = f"(low, high) with low < high for {name}"
            raise ValueError(checks.refusal("bounds", where, accepted, (low, high)))
    return out


def _check_varied(law: type[Law], columns: dict[str, Array], held: dict[str, float], where: str) -> None:
    """Refuse inputs that never vary, or only together, where free parameters describe what each does."""
    needed: list[str] = []
    for p in law.parameters():
        for quantity, power in p.unit:
            exponent = power.lstrip("-") if isinstance(power, str) else None
            if quantity not in columns or (exponent in held) or (exponent is None and p.name in held):
                continue
            if np.ptp(columns[quantity]) == 0:
                got = f"<{float(columns[quantity][0]):g} in every row>"
                raise ValueError(checks.refusal(quantity, where, "at least two different sizes", got))
            if quantity not in needed:
                needed.append(quantity)
    for one, other in itertools.combinations(needed, 2):  # sizes that rise together can't be told apart
        if np.corrcoef(np.log(columns[one]), np.log(columns[other]))[0, 1] > 1 - 1e-9:
            got = "<one is a power of the other>"
            raise ValueError(checks.refusal(other, where, f"varied apart from {one}", got))
