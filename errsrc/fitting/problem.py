"""A law's fit as a batched least-squares problem in scaled units."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from errsrc.fitting.minimiser import BatchSolution, minimise
from errsrc.fitting.sobol_points import scrambled_sobol
from errsrc.laws.derivatives import compiled
from errsrc.laws.law import Array, Law, Parameter, power_value

OBJECTIVES = ("divergence", "log", "huber", "absolute")

PRIOR_MEDIAN, PRIOR_WIDTH = 0.4, 0.5
"""The weak prior on exponents, where a problem asks for it: log-normal, by its median and its width."""
LARGEST_BATCH = 4_000_000
"""Residuals that are worked on at once: members times points, some 200 MB."""
CEILING_MEDIAN, CEILING_WIDTH = 10.0, 1.0
"""The same of a ceiling, in units of the largest error seen: out of sight unless the points show it."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What `fit`, its refits and its profiles all minimise.

    Inputs and errors are divided by `scales`; at their geometric means, the same data in
    other units is the same problem.  A free parameter's coordinate z is its logarithm
    where it is positive, itself where it is real.  Arrays of several coordinates have
    shape (members, free), predictions (members, points).

    Attributes
    ----------
    law
        The class to fit.
    measured
        {"error" and inputs: (points,) float64} in natural units, sorted by inputs and error.
    inputs, error, weights
        The same in scaled units; weights have mean 1.
    objective
        One of `OBJECTIVES`: squares of (e^ - e) / e, of ln(e^ / e), Huber losses of the
        latter, or squares of e^ - e.
    huber_delta
        The Huber threshold, in ln error.
    scales
        {"error" or input: the number its natural units were divided by}.
    constants
        The law's unit fields (n_full, m_base) in natural units.
    fixed
        Parameters not fitted, in scaled units.
    limits
        {parameter: (low, high)} in scaled units, inside the law's own bounds.
    prior
        The residual scale against which the weak priors on exponents and ceilings are held;
        0 for none.
    """

    law: type[Law]
    measured: dict[str, Array]
    inputs: dict[str, Array]
    error: Array
    weights: Array
    objective: str
    huber_delta: float
    scales: dict[str, float]
    constants: dict[str, float]
    fixed: dict[str, float]
    limits: dict[str, tuple[float, float]]
    prior: float = 0.0

    @property
    def free(self) -> tuple[Parameter, ...]:
        """The parameters to fit, in the law's order."""
        return tuple(p for p in self.law.parameters() if p.name not in self.fixed)

    @property
    def exponents(self) -> set[str]:
        """The positive parameters that are exponents: named by others' units, or the law's slopes."""
        units = [power for p in self.law.parameters() for _, power in p.unit]
        powers = {power.lstrip("-") for power in units if isinstance(power, str)} | set(self.law.slopes)
        return {p.name for p in self.law.parameters() if p.log and p.name in powers}

    def bounds(self) -> tuple[Array, Array]:
        """Return the lower and upper bounds of z, (free,) each.

        They are stated in scaled units; in others only those that do not depend on the
        unit remain: of parameters without one, and 0.
        """
        scaled = any(s != 1.0 for s in self.scales.values())
        ends = np.empty((len(self.free), 2))
        for j, p in enumerate(self.free):
            low, high = self.limits.get(p.name, p.bounds)
            if p.unit and not scaled:
                low, high = (0.0 if p.log or p.bounds[0] == 0 else -np.inf), np.inf
            with np.errstate(divide="ignore"):
                ends[j] = np.log([low, high]) if p.log else (low, high)
        return ends[:, 0], ends[:, 1]

    def starts(self, count: int, seed: int) -> Array:
        """Return (count, free) starts: a scrambled Sobol design over the parameters' start ranges."""
        ends = np.array([np.log(p.start) if p.log else p.start for p in self.free])
        lower, upper = self.bounds()
        ends = np.clip(ends, lower[:, None], upper[:, None])
        power_of_two = 1 << max(count - 1, 0).bit_length()
        unit = scrambled_sobol(power_of_two, len(self.free), np.random.default_rng(seed))[:count]
        return ends[:, 0] + unit * (ends[:, 1] - ends[:, 0])

    def values(self, z: Array) -> dict[str, Array]:
        """Return every parameter in scaled units, (members, 1) each."""
        free = {p.name: np.exp(z[:, [j]]) if p.log else z[:, [j]] for j, p in enumerate(self.free)}
        one = np.ones((len(z), 1))
        return {
            p.name: free[p.name] if p.name in free else self.fixed[p.name] * one
            for p in self.law.parameters()
        }

    def error_at(self, z: Array, inputs: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return scaled errors at scaled inputs of z (members, free); slopes in z (members, points, free)."""
        values = self.values(z)
        points = [inputs[name] for name in self.law.inputs]
        code = compiled(self.law)
        error, *slopes = code(*points, *(values[p.name] for p in self.law.parameters()))
        error = np.broadcast_to(error, (len(z), np.broadcast(*points).size))
        gradient = np.empty((*error.shape, len(self.free)))
        slope = {p.name: s for p, s in zip(self.law.parameters(), slopes, strict=True)}
        for j, p in enumerate(self.free):
            gradient[..., j] = slope[p.name] * values[p.name] if p.log else slope[p.name]
        return error, gradient

    def residuals(self, z: Array, error: Array) -> tuple[Array, Array]:
        """Return the residuals against `error` (rows broadcast) and their Jacobian, without weights."""
        predicted, gradient = self.error_at(z, self.inputs)
        if self.objective == "absolute":
            return predicted - error, gradient
        if self.objective == "divergence":
            return predicted / error - 1, gradient / np.asarray(error)[..., None]
        return np.log(predicted / error), gradient / predicted[..., None]

    def solve(
        self,
        z: Array,
        error: Array | None = None,
        weights: Array | None = None,
        frozen: NDArray[np.bool_] | None = None,
        iterations: int = 300,
        tolerance: float = 1e-10,
    ) -> BatchSolution:
        """Minimise from the starts z, (members, free).

        Parameters
        ----------
        error, weights
            Of each member, (members, points); by default the problem's own.
        frozen
            Coordinates that stay, bool (members, free).
        iterations, tolerance
            See `errsrc.fitting.minimiser.minimise`.
        """
        most = max(LARGEST_BATCH // len(self.error), 1)
        if len(z) > most:  # in parts, for memory; members do not see each other

            def part(rows: Any, at: slice) -> Any:
                return None if rows is None else rows[at]

            slices = [slice(k, k + most) for k in range(0, len(z), most)]
            parts = [
                self.solve(z[at], part(error, at), part(weights, at), part(frozen, at), iterations, tolerance)
                for at in slices
            ]
            return BatchSolution(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

        def residuals(trial: Array, rows: NDArray[np.intp]) -> tuple[Array, Array]:
            return self.residuals(trial, self.error if error is None else error[rows])

        lower, upper = self.bounds()
        loss = self.weights[None, :] if weights is None else weights
        huber = self.huber_delta if self.objective == "huber" else None
        pull = None
        if self.prior > 0:
            ceiling = CEILING_MEDIAN * self.error.max()
            held = [(p.name in self.exponents, p.name in self.law.ceilings) for p in self.free]
            centre = [np.log(ceiling if top else PRIOR_MEDIAN) for _, top in held]
            width = [PRIOR_WIDTH if slope else CEILING_WIDTH if top else np.inf for slope, top in held]
            pull = (np.array(centre), (self.prior / np.array(width)) ** 2)
        return minimise(
            residuals,
            z,
            lower,
            upper,
            loss,
            huber=huber,
            pull=pull,
            frozen=frozen,
            iterations=iterations,
            tolerance=tolerance,
        )

    def shift(self, z: Array, sign: float = 1.0) -> Array:
        """Return natural coordinates of scaled ones (members, free) (sign = 1), or the reverse (sign = -1).

        Only coordinates whose unit has a power of an input or of the error move, by that
        power times the logarithm of the scale; exponents are the same in both.
        """
        values = {name: v[:, 0] for name, v in self.values(z).items()}
        out = np.array(z, dtype=np.float64)
        for j, p in enumerate(self.free):
            for quantity, power in p.unit:
                moved = sign * power_value(power, values) * np.log(self.scales[quantity])
                out[:, j] = out[:, j] + moved if p.log else out[:, j] * np.exp(moved)
        return out

    def natural(self) -> Self:
        """Return the same problem in natural units, in which z are the coordinates people read."""
        s = self.scales
        fixed = {p.name: self.fixed[p.name] for p in self.law.parameters() if p.name in self.fixed}
        for p in self.law.parameters():
            if fixed.get(p.name):
                for quantity, power in p.unit:
                    fixed[p.name] *= s[quantity] ** power_value(power, self.fixed)
        return dataclasses.replace(
            self,
            inputs={name: x * s[name] for name, x in self.inputs.items()},
            error=self.error * s["error"],
            scales=dict.fromkeys(s, 1.0),
            fixed=fixed,
        )

    def law_at(self, z: Array) -> Law:
        """Return the law, in natural units, at the scaled coordinates z (free,)."""
        natural = self.natural()
        values = natural.values(self.shift(z[None, :]))
        return self.law(**{name: float(v[0, 0]) for name, v in values.items()}, **self.constants)
