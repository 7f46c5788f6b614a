"""Recovery of a known law: fit the law to noisy errors drawn from it, and compare the parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.checks import Choice, Number, Tuple
from errsrc.fields import Checked, declare, instance, integer, number
from errsrc.fitting.one_law import fit
from errsrc.laws.law import Law
from errsrc.rng import generator
from errsrc.sweeps import Kind

AXES = ("n", "m", "depth", "width", "density", "u")
"""Names of the fields of a cell that are axes of its grid."""

_SIZES = Tuple(Number(above=0))


@dataclass(frozen=True)
class RecoveryCell(Checked):
    """A grid of errors that are drawn with noise from a law; a cell of a study of the kind "recovery".

    Attributes
    ----------
    law
        The law from which the errors are drawn.  All its inputs must be sizes.
    noise
        Standard deviation of the noise of ln(error), > 0.  The noise is normal, and independent at each
        point.
    seed
        Seed of the noise, >= 0.
    n, m, depth, width, density, u
        Axes of the grid: the values of each input of the law.  An axis must be empty if the law has no such
        input.
    held
        Names of the parameters that the fit fixes at their true values.  If ``eps0`` is fixed, errors above
        ``eps0`` are replaced by ``eps0``.
    level
        Coverage of the intervals, in (0, 1).
    """

    law: Law = instance(Law, "a law")
    noise: float = number(above=0)
    seed: int = integer(0, at_least=0)
    n: tuple[float, ...] = declare(_SIZES, ())
    m: tuple[float, ...] = declare(_SIZES, ())
    depth: tuple[float, ...] = declare(_SIZES, ())
    width: tuple[float, ...] = declare(_SIZES, ())
    density: tuple[float, ...] = declare(_SIZES, ())
    held: tuple[str, ...] = ()
    level: float = number(0.9, above=0, below=1)
    u: tuple[float, ...] = declare(_SIZES, ())

    def __post_init__(self) -> None:
        super().__post_init__()
        where, law = type(self).__name__, type(self.law).__name__
        if self.law.error_inputs:
            raise ValueError(checks.refusal("law", where, "a law whose inputs are sizes alone", law))
        for axis in AXES:
            if (axis in self.law.inputs) != bool(getattr(self, axis)):
                accepted = f"among the inputs of {law}, {', '.join(self.law.inputs)}"
                raise ValueError(checks.refusal(axis, where, accepted, getattr(self, axis)))
        for name in self.held:
            Choice(tuple(self.law.params))(name, "held", where)


def compute_recoveries(cells: Sequence[RecoveryCell]) -> list[dict[str, Any]]:
    """Draw errors from the law of each cell, fit a law to them, and compare the parameters.

    Parameters
    ----------
    cells : sequence of RecoveryCell
        The cells.

    Returns
    -------
    list of dict
        A row for each cell, with four columns for each fitted parameter.  For a parameter alpha, "alpha" is
        the estimate, "alpha.low" and "alpha.high" are the ends of its interval, and "alpha.covered" says
        whether the interval contains the true value.
    """
    return [_recovered(cell) for cell in cells]


def _recovered(cell: RecoveryCell) -> dict[str, Any]:
    law = cell.law
    axes = np.meshgrid(*(np.array(getattr(cell, name)) for name in law.inputs), indexing="ij")
    sizes = {name: axis.ravel() for name, axis in zip(law.inputs, axes, strict=True)}
    truth = law.error(**sizes)
    noise = generator(cell.seed, "recovery").standard_normal(truth.shape)
    error = truth * np.exp(cell.noise * noise)
    fixed = {name: law.params[name] for name in cell.held}
    found = fit(
        type(law),
        np.minimum(error, fixed.get("eps0", np.inf)),
        fixed=fixed,
        constants={name: getattr(law, name) for name in law.constants()},
        objective="log",
        level=cell.level,
        **sizes,
    )
    out: dict[str, Any] = {}
    for name, interval in found.intervals.items():
        out[name] = interval.estimate
        out |= {f"{name}.low": interval.low, f"{name}.high": interval.high}
        out[f"{name}.covered"] = interval.low <= law.params[name] <= interval.high
    return out


def coverage(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the share of cells in which a parameter's interval contains the true value.

    Parameters
    ----------
    rows : iterable of mappings
        Rows of cells of the kind "recovery", as `errsrc.sweeps.Store.rows` returns them.

    Returns
    -------
    dict of str to dict of str to float
        {law: {parameter: share}}.  If the intervals are right, each share is close to their level.
    """
    covered: dict[str, dict[str, list[bool]]] = {}
    for row in rows:
        for name, value in row.items():
            if name.endswith(".covered"):
                parameter = name.removesuffix(".covered")
                covered.setdefault(row["law.kind"], {}).setdefault(parameter, []).append(value)
    return {
        law: {parameter: sum(values) / len(values) for parameter, values in parameters.items()}
        for law, parameters in covered.items()
    }


KIND = Kind("recovery", RecoveryCell, compute_recoveries, packages=("numpy", "scipy"))
"""The kind of study whose cells are grids drawn from a known law."""
