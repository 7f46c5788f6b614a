"""Recovery of a known law: noisy grids drawn from it, fitted, and compared with what they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.fitting.one_law import fit
from errsrc.laws.law import Law
from errsrc.rng import generator
from errsrc.sweeps import Kind

AXES = ("n", "m", "depth", "width", "density")


@dataclass(frozen=True)
class Recovery:
    """One grid of errors drawn from a law, as a cell.

    Attributes
    ----------
    law
        The truth.
    noise
        Standard deviation of ln(error), normal and independent from point to point.
    seed
        Seed of the noise.
    n, m, depth, width, density
        Axes of the grid, in natural units: each input of the law, and no other.
    held
        Parameters that the fit is told, and does not estimate; errors are cut off at a held ``eps0``.
    level
        Coverage of the intervals.
    """

    law: Law
    noise: float
    seed: int = 0
    n: tuple[float, ...] = ()
    m: tuple[float, ...] = ()
    depth: tuple[float, ...] = ()
    width: tuple[float, ...] = ()
    density: tuple[float, ...] = ()
    held: tuple[str, ...] = ()
    level: float = 0.9

    def __post_init__(self) -> None:
        if self.law.error_inputs:
            accepted = "a law whose inputs are sizes alone"
            raise ValueError(checks.refusal("law", "Recovery", accepted, type(self.law).__name__))
        checks.number(self.noise, "noise", "Recovery", 0, open_low=True)
        checks.integer(self.seed, "seed", "Recovery", 0)
        checks.number(self.level, "level", "Recovery", 0, 1, open_low=True, open_high=True)
        for axis in AXES:
            values = checks.positive_array(np.array(getattr(self, axis), dtype=float), axis, "Recovery")
            if (axis in self.law.inputs) != bool(len(values)):
                inputs = f"the inputs of {type(self.law).__name__}, {', '.join(self.law.inputs)}"
                raise ValueError(checks.refusal(axis, "Recovery", f"among {inputs}", getattr(self, axis)))
        for name in self.held:
            checks.choice(name, "held", "Recovery", tuple(self.law.params))


def recover(cells: Sequence[Recovery]) -> list[dict[str, Any]]:
    """Draw the cells, fit and compare: of each parameter its estimate, ``.low``, ``.high`` and ``.covered``.

    ``.covered`` says whether the interval holds the truth; its mean over seeds is to be the level.
    """
    return [_recovered(cell) for cell in cells]


def _recovered(cell: Recovery) -> dict[str, Any]:
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
    """Return the share of grids whose interval holds the truth, by law and parameter.

    ``rows`` are cells of this kind as `errsrc.sweeps.Store.rows` gives them.
    """
    held: dict[str, dict[str, list[bool]]] = {}
    for row in rows:
        for name, covered in row.items():
            if name.endswith(".covered"):
                held.setdefault(row["law.kind"], {}).setdefault(name.removesuffix(".covered"), []).append(
                    covered
                )
    return {law: {name: sum(v) / len(v) for name, v in shares.items()} for law, shares in held.items()}


KIND = Kind("recovery", Recovery, recover, packages=("numpy", "scipy"))
"""The kind of study whose cells are grids drawn from a known law."""
