"""A law and its measured points as a least-squares problem in scaled units."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from errsrc.fitting.minimiser import BatchSolution, minimise
from errsrc.fitting.sobol_points import scrambled_sobol
from errsrc.laws.derivatives import compiled
from errsrc.laws.law import Array, Law
from errsrc.laws.parameters import Parameter, power_value

OBJECTIVES = ("divergence", "log", "huber", "absolute")
"""What a fit may minimise (see `errsrc.fitting.fit`)."""
PRIOR_MEDIAN, PRIOR_WIDTH = 0.4, 0.5
"""The weak prior on exponents: log-normal, by its median and the standard deviation of its logarithm."""
FEW_SIZES = 12
"""Largest number of different sizes of a table in n and m that are few.

Few sizes leave exponents to their prior, see `FEW_MEDIAN` and `errsrc.fitting.few_sizes`.  The number was
chosen on published grids.  Forecasts from OLMo's 12 small sizes have a better mean interval score with the
refits for few sizes, forecasts from 16 sizes and more (OLMo, OpenLM, isoFLOP experiments) a worse score."""
FEW_MEDIAN, FEW_WIDTH = 0.3, 0.4
"""The prior on exponents for few sizes: log-normal, as `PRIOR_MEDIAN` and `PRIOR_WIDTH`.

It was learned from 19 published grids.  The exponents of m and n have a geometric mean of 0.34 and a standard
deviation of their logarithms of 0.41 in fits of the law `chinchilla`, 0.28 and 0.37 in fits of the law
`coupled` (`python benchmarks/few_points.py --exponents`).  These are grids of language models, whose errors
have no largest value.  Where eps0 is given, errors such as those of image classifiers fall with larger
exponents.  `auto` then uses the wider prior, `PRIOR_MEDIAN` and `PRIOR_WIDTH`."""
OPEN_MEDIAN, OPEN_WIDTH = 0.4, 0.8
"""The prior on exponents that the points may not determine, for forecasts of a single law: log-normal.

It is used if the points leave an exponent open, and for all tables of few sizes (`FEW_SIZES`).
90% of its exponents are from 0.1 to 1.5.  `benchmarks/undetermined.py` compares it with a prior whose width
is `FEW_WIDTH`.  There, forecasts with either prior have about the same coverage and interval score."""
CEILING_MEDIAN, CEILING_WIDTH = 10.0, 1.0
"""The weak prior on ceilings, also log-normal, in units of the largest measured error.

The median is far above all points, so that a fit has a ceiling only where the points show it."""
LARGEST_BATCH = 4_000_000
"""Residuals (members times points) that are computed at once, some 200 MB."""


@dataclass(frozen=True, eq=False)
class Problem:
    """The least-squares problem of a fit, its refits and its profiles.

    Inputs and errors are divided by `scales`.  If the scales are the geometric means of the data, the same
    data in other units give the same problem.  The coordinate z of a positive parameter is its logarithm; the
    coordinate of any other parameter is the parameter itself.  Many vectors of coordinates are solved
    together, as the members of a batch.

    Attributes
    ----------
    law : type of Law
        The class to fit.
    measured : dict of str to ndarray of float64, shape (points,)
        "error" and the inputs in the given units, sorted by inputs and error.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs in scaled units.
    error : ndarray of float64, shape (points,)
        Errors in scaled units.
    weights : ndarray of float64, shape (points,)
        Weights of the points, of mean 1.
    objective : str
        One of `OBJECTIVES`.
    huber_delta : float
        Threshold of the Huber loss, in ln error.
    scales : dict of str to float
        {"error" or input: its scale}, the divisors of errors and inputs.
    constants : dict of str to float
        Constants of the law, such as n_full, in the given units.
    fixed : dict of str to float
        Parameters that are not fitted, in scaled units.
    limits : dict of str to (float, float)
        Bounds of parameters in scaled units, where they are narrower than the bounds of the law.
    prior : float
        Standard deviation of the residuals, by which the residuals are divided before the weak priors on
        exponents and ceilings are added; 0 for no priors.
    bounded : bool
        Whether parameters that have a unit are bounded.  The bounds of a law are stated in scaled units, so
        this is False for problems in other units.
    clusters : ndarray of intp, shape (points,), or None
        Number of the cluster of each point (`errsrc.fitting.clusters`); None for independent points.
    exponent_prior : (float, float) or None
        Median of the weak prior on exponents, and standard deviation of its logarithm.  None for
        `PRIOR_MEDIAN` and `PRIOR_WIDTH`, or `FEW_MEDIAN` and `FEW_WIDTH` for few sizes.
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
    bounded: bool = True
    clusters: NDArray[np.intp] | None = None
    exponent_prior: tuple[float, float] | None = None

    @property
    def free(self) -> tuple[Parameter, ...]:
        """The parameters to fit, in the order of the law."""
        return tuple(p for p in self.law.parameters() if p.name not in self.fixed)

    @functools.cached_property
    def few_sizes(self) -> bool:
        """Whether the law has several inputs, such as n and m, and at most `FEW_SIZES` different sizes.

        This is False for laws with an input that has a largest value, such as a density.
        """
        if len(self.law.inputs) < 2 or self.law.at_most:
            return False
        sizes = np.column_stack([self.measured[name] for name in self.law.inputs])
        return len(np.unique(sizes, axis=0)) <= FEW_SIZES

    @property
    def exponents(self) -> set[str]:
        """Names of the positive parameters that are exponents: powers in units of parameters, and slopes."""
        units = [power for p in self.law.parameters() for _, power in p.unit]
        powers = {power.lstrip("-") for power in units if isinstance(power, str)} | set(self.law.slopes)
        return {p.name for p in self.law.parameters() if p.log and p.name in powers}

    def of_rows(self, rows: NDArray[np.intp]) -> Self:
        """Return the problem of some of the points, in the same scaled units.

        Parameters
        ----------
        rows : ndarray of intp, shape (kept,)
            Positions of the points to keep.
        """
        weights, clusters = self.weights[rows], self.clusters
        return dataclasses.replace(
            self,
            measured={name: x[rows] for name, x in self.measured.items()},
            inputs={name: x[rows] for name, x in self.inputs.items()},
            error=self.error[rows],
            weights=weights / weights.mean(),
            clusters=None if clusters is None else np.unique(clusters[rows], return_inverse=True)[1].ravel(),
        )

    def bounds(self) -> tuple[Array, Array]:
        """Return the lower and the upper bounds of z, float64 (free,) each.

        The bounds of a law are stated in scaled units.  In natural units (`Problem.natural`) there are only
        two kinds of bounds: bounds of parameters without a unit, and bounds at 0.
        """
        ends = np.empty((len(self.free), 2))
        for j, p in enumerate(self.free):
            low, high = self.limits.get(p.name, p.bounds)
            if p.unit and not self.bounded:
                low, high = (0.0 if p.log or p.bounds[0] == 0 else -np.inf), np.inf
            with np.errstate(divide="ignore"):
                ends[j] = np.log([low, high]) if p.log else (low, high)
        return ends[:, 0], ends[:, 1]

    def starts(self, count: int, seed: int) -> Array:
        """Return random starts: a scrambled Sobol sequence over the start ranges of the parameters.

        Parameters
        ----------
        count : int
            Number of starts, >= 1.
        seed : int
            Seed of the scrambling.

        Returns
        -------
        ndarray of float64, shape (count, free)
            Scaled coordinates.
        """
        ends = np.array([np.log(p.start) if p.log else p.start for p in self.free])
        lower, upper = self.bounds()
        ends = np.clip(ends, lower[:, None], upper[:, None])
        power_of_two = 1 << max(count - 1, 0).bit_length()
        unit = scrambled_sobol(power_of_two, len(self.free), np.random.default_rng(seed))[:count]
        return ends[:, 0] + unit * (ends[:, 1] - ends[:, 0])

    def values(self, z: Array) -> dict[str, Array]:
        """Return the values of all parameters in scaled units.

        Parameters
        ----------
        z : ndarray of float64, shape (members, free)
            Scaled coordinates.

        Returns
        -------
        dict of str to ndarray of float64, shape (members, 1)
            Values by name, in the order of the law.
        """
        free = {p.name: np.exp(z[:, [j]]) if p.log else z[:, [j]] for j, p in enumerate(self.free)}
        one = np.ones((len(z), 1))
        return {
            p.name: free[p.name] if p.name in free else self.fixed[p.name] * one
            for p in self.law.parameters()
        }

    def error_at(self, z: Array, inputs: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return the errors that the law predicts, and their derivatives.

        Parameters
        ----------
        z : ndarray of float64, shape (members, free)
            Scaled coordinates.
        inputs : dict of str to ndarray of float64, shape (points,)
            Inputs in scaled units.

        Returns
        -------
        error : ndarray of float64, shape (members, points)
            Errors in scaled units.
        gradient : ndarray of float64, shape (members, points, free)
            The derivatives of the errors with respect to z.
        """
        values = self.values(z)
        points = [inputs[name] for name in self.law.inputs]
        error, *slopes = compiled(self.law)(*points, *(values[p.name] for p in self.law.parameters()))
        error = np.broadcast_to(error, (len(z), np.broadcast(*points).size))
        gradient = np.empty((*error.shape, len(self.free)))
        slope = {p.name: s for p, s in zip(self.law.parameters(), slopes, strict=True)}
        for j, p in enumerate(self.free):  # d / d ln p = p d / d p
            gradient[..., j] = slope[p.name] * values[p.name] if p.log else slope[p.name]
        return error, gradient

    def residuals(self, z: Array, error: Array) -> tuple[Array, Array]:
        """Return the residuals of the objective and their Jacobian, without weights.

        Parameters
        ----------
        z : ndarray of float64, shape (members, free)
            Scaled coordinates.
        error : ndarray of float64, shape (points,) or (members, points)
            Measured errors in scaled units.

        Returns
        -------
        residuals : ndarray of float64, shape (members, points)
            Relative, logarithmic or absolute residuals, as the objective requires.
        jacobian : ndarray of float64, shape (members, points, free)
            The derivatives of the residuals with respect to z.
        """
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
        centres: Array | None = None,
    ) -> BatchSolution:
        """Minimise the objective from many starts at once; each start is called a member of the batch.

        Parameters
        ----------
        z : ndarray of float64, shape (members, free)
            Starts, in scaled coordinates.
        error, weights : ndarray of float64, shape (members, points), optional
            Errors and weights of each member; by default the errors and weights of the problem.
        frozen : ndarray of bool, shape (members, free), optional
            Coordinates that keep their values.
        iterations : int
            Largest number of steps.
        tolerance : float
            See `errsrc.fitting.minimiser.minimise`.
        centres : ndarray of float64, shape (members, free), optional
            Centres of the weak priors of each member; by default the same centres for all members
            (`prior_centres`).

        Returns
        -------
        BatchSolution
            Where every member ended.
        """
        most = max(LARGEST_BATCH // len(self.error), 1)
        parts = []
        for first in range(0, len(z), most):  # members are independent
            rows = slice(first, first + most)
            part = self._solve(
                z[rows],
                None if error is None else error[rows],
                None if weights is None else weights[rows],
                None if frozen is None else frozen[rows],
                iterations,
                tolerance,
                None if centres is None else centres[rows],
            )
            parts.append(part)
        return BatchSolution(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _solve(
        self,
        z: Array,
        error: Array | None,
        weights: Array | None,
        frozen: NDArray[np.bool_] | None,
        iterations: int,
        tolerance: float,
        centres: Array | None,
    ) -> BatchSolution:
        """Minimise the objective from starts that are few enough to be worked on at once."""

        def residuals(trial: Array, rows: NDArray[np.intp]) -> tuple[Array, Array]:
            return self.residuals(trial, self.error if error is None else error[rows])

        lower, upper = self.bounds()
        pull = self._priors() if self.prior > 0 else None
        if pull is not None and centres is not None:
            pull = (centres, pull[1])
        return minimise(
            residuals,
            z,
            lower,
            upper,
            self.weights[None, :] if weights is None else weights,
            huber=self.huber_delta if self.objective == "huber" else None,
            pull=pull,
            frozen=frozen,
            iterations=iterations,
            tolerance=tolerance,
        )

    def prior_strengths(self) -> Array:
        """Return the strengths of the weak priors of z, (free,); 0 means no prior (`minimiser.minimise`)."""
        return self._priors()[1] if self.prior > 0 else np.zeros(len(self.free))

    def prior_centres(self) -> Array:
        """Return the centres of the weak priors of z, (free,)."""
        return self._priors()[0]

    def _priors(self) -> tuple[Array, Array]:
        """Return the centres of the weak priors in z and their strengths, 0 for none, (free,) each."""
        centre, width = [], []
        by_sizes = (FEW_MEDIAN, FEW_WIDTH) if self.few_sizes else (PRIOR_MEDIAN, PRIOR_WIDTH)
        usual, usual_width = self.exponent_prior or by_sizes
        for p in self.free:
            median, spread = usual, np.inf
            if p.name in self.law.priors:
                median, spread = self.law.priors[p.name]
            elif p.name in self.exponents:
                spread = usual_width
            elif p.name in self.law.ceilings:
                median, spread = CEILING_MEDIAN * self.error.max(), CEILING_WIDTH
            centre.append(np.log(median))
            width.append(spread)
        return np.array(centre), (self.prior / np.array(width)) ** 2

    @property
    def error_unit(self) -> float:
        """Unit of the errors in which the intervals of parameters are computed, in units of the given errors.

        The unit is the scale of the errors, so the computed numbers do not depend on the unit of the given
        errors.  The unit is 1 if the unit of a parameter contains the error to a power that is itself a
        fitted exponent.
        """
        powers = [power for p in self.law.parameters() for name, power in p.unit if self._is_error(name)]
        return 1.0 if any(isinstance(power, str) for power in powers) else self.scales["error"]

    def shift(self, z: Array, error_unit: float = 1.0) -> Array:
        """Convert scaled coordinates to natural units, in which nothing is divided by `scales`.

        The unit of a parameter can contain a power of an input or of the error.  The conversion then adds
        this power times the logarithm of the scale to the coordinate of a positive parameter.  Exponents have
        the same value in scaled and in natural units.

        Parameters
        ----------
        z : ndarray of float64, shape (members, free)
            Scaled coordinates.
        error_unit : float
            The unit in which the new problem measures errors, as a multiple of the unit of the given errors.

        Returns
        -------
        ndarray of float64, shape (members, free)
            The same parameters in natural units, as coordinates of `Problem.natural`.
        """
        growth = self._growth(error_unit)
        values = {name: v[:, 0] for name, v in self.values(z).items()}
        out = np.array(z, dtype=np.float64)
        for j, p in enumerate(self.free):
            for quantity, power in p.unit:
                moved = power_value(power, values) * np.log(growth[quantity])
                out[:, j] = out[:, j] + moved if p.log else out[:, j] * np.exp(moved)
        return out

    def natural(self, error_unit: float = 1.0) -> Self:
        """Return the same problem in natural units: inputs and errors are no longer divided by `scales`.

        Parameters
        ----------
        error_unit : float
            The unit in which the new problem measures errors, as a multiple of the unit of the given errors.
        """
        growth = self._growth(error_unit)
        fixed = {p.name: self.fixed[p.name] for p in self.law.parameters() if p.name in self.fixed}
        for p in self.law.parameters():
            if fixed.get(p.name):
                for quantity, power in p.unit:
                    fixed[p.name] *= growth[quantity] ** power_value(power, self.fixed)
        return dataclasses.replace(
            self,
            inputs={name: x * growth[name] for name, x in self.inputs.items()},
            error=self.error * growth["error"],
            scales={name: s / growth[name] for name, s in self.scales.items()},
            fixed=fixed,
            bounded=False,
        )

    def in_given_units(self, parameter: Parameter, value: float) -> float:
        """Return the value of a parameter in units of the given errors.

        Parameters
        ----------
        parameter : Parameter
            A parameter of the law.
        value : float
            The value of the parameter in natural units, the units of `Problem.natural`.
        """
        for quantity, power in parameter.unit:
            if self.scales[quantity] != 1.0:
                value *= self.scales[quantity] ** float(power)
        return float(value)

    def _growth(self, error_unit: float) -> dict[str, float]:
        """Return the factor by which each quantity grows from scaled to natural units."""
        return {name: s / error_unit if self._is_error(name) else s for name, s in self.scales.items()}

    def _is_error(self, quantity: str) -> bool:
        return quantity == "error" or quantity in self.law.error_inputs

    def law_at(self, z: Array) -> Law:
        """Return the law at scaled coordinates, with parameters in the units of the given points.

        Parameters
        ----------
        z : ndarray of float64, shape (free,)
            Scaled coordinates.
        """
        natural = self.natural()
        values = natural.values(self.shift(z[None, :]))
        return self.law(**{name: float(v[0, 0]) for name, v in values.items()}, **self.constants)
