"""Recovery of a known law: noisy grids are drawn from it, a law is fitted, and both are compared."""

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

AXES = ("n", "m", "depth", "width", "density")
"""Fields of a cell that are axes of its grid."""

_SIZES = Tuple(Number(above=0))


@dataclass(frozen=True)
class RecoveryCell(Checked):
    """One grid of errors drawn from a law; a cell of a study of kind "recovery".

    Attributes
    ----------
    law
        The law that the errors are drawn from; its inputs are sizes.
    noise
        Standard deviation of ln(error), > 0: normal, and independent from point to point.
    seed
        Seed of the noise, >= 0.
    n, m, depth, width, density
        Axes of the grid, in natural units: values for each input of the law, and for nothing else.
    held
        Parameters of the law that the fit knows and does not estimate.  If ``eps0`` is held, larger errors
        are replaced by ``eps0``.
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
        For each parameter NAME of each cell's law: the estimate as NAME, the ends of its interval as NAME.low
        and NAME.high, and as NAME.covered whether the interval holds the true value.
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
    """Return the share of grids whose interval contains the true value, by law and parameter.

    Parameters
    ----------
    rows : iterable of mappings
        Rows of cells of this kind, as `errsrc.sweeps.Store.rows` returns them.

    Returns
    -------
    dict of str to dict of str to float
        {law: {parameter: share}}.  Each share should equal the level, the nominal coverage of the intervals.
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
