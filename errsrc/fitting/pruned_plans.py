"""The pruned network that reaches a given error with the fewest weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import LEVEL, Instance, Number, PositiveArray
from errsrc.errors import Unreachable
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.intervals import interval_of
from errsrc.laws.law import Array, checked_inputs
from errsrc.results import Interval, TabularResult, TextTable, percent

DENSITIES = 400
"""Number of densities at which the error of a network is computed, from a single weight up to density 1."""


@dataclass(frozen=True, repr=False)
class PrunedPlan(TabularResult):
    """The network that needs the fewest weights for an error, and how far to prune it.

    Attributes
    ----------
    network : int
        Index of the network in the given arrays.
    density : Interval
        Share of the weights of this network that remain.
    remaining : Interval
        Number of weights of this network that remain.
    remaining_by_network : ndarray of float64, shape (networks,)
        Number of remaining weights with which each network reaches the error; inf for a network that does not
        reach the error.
    chance_by_network : ndarray of float64, shape (networks,)
        Share of the draws in which each network needs the fewest weights.
    warnings : tuple of str
        Warnings about the plan, one sentence each.
    """

    network: int
    density: Interval
    remaining: Interval
    remaining_by_network: Array
    chance_by_network: Array
    warnings: tuple[str, ...]

    def headline(self) -> str:
        """Return the network, its density and its number of weights as one line."""
        return f"network {self.network}, density {self.density}, {self.remaining} weights"

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the networks as arrays by name: "network", "remaining" and "chance"."""
        shown = {"remaining": self.remaining_by_network, "chance": self.chance_by_network}
        return {"network": np.arange(len(self.remaining_by_network)), **shown}

    def content(self) -> list[str | TextTable]:
        """Return the plan, a table of all networks, and the warnings."""
        rows = [("network", "weights left", "share of draws in which it is the smallest")]
        each = zip(self.remaining_by_network, self.chance_by_network, strict=True)
        for number, (left, chance) in enumerate(each):
            reached = f"{left:,.0f}" if np.isfinite(left) else "does not reach the error"
            rows.append((str(number), reached, percent(chance)))
        level = f"{100 * self.density.level:.6g}% intervals, for one new run"
        found = f"network {self.network} at density {self.density}: {self.remaining} weights ({level})"
        return [found, TextTable(rows, "r", header=True), *(f"warning: {text}" for text in self.warnings)]


@checks.arguments(
    forecast=Instance(Forecast, "a fit of a law with density as an input"),
    error=Number(above=0),
    weights=PositiveArray(),
    level=LEVEL,
)
def fewest_weights(
    forecast: Forecast, error: float, weights: ArrayLike, *, level: float = 0.9, **networks: ArrayLike
) -> PrunedPlan:
    """Return the network that reaches a given error with the fewest weights, and how far to prune it.

    This is the question of optimal pruning (Rosenfeld et al. 2021, arXiv 2006.10621, section 6).  The best
    network is neither a small unpruned network nor the largest network.  It is a network that is pruned until
    its error has just begun to rise.

    Parameters
    ----------
    forecast : Forecast
        A fit of `errsrc.laws.JointPruning`, or a `ChainedFit`.
    error : float
        The error to reach, > 0, in the units of the fitted errors.
    weights : array_like, shape (networks,)
        Number of prunable weights of each network at density 1, >= 1.
    level : float
        Coverage of the intervals, in (0, 1).  The intervals are for one new run.
    **networks : array_like, shape (networks,)
        All inputs of the forecast except the density, > 0, each an array or a single number.

    Returns
    -------
    PrunedPlan
        The network, its density, and its number of weights.

    Raises
    ------
    Unreachable
        If none of the networks reaches the error.  ``best`` of the exception is the lowest error, an
        `Interval`.
    TypeError, ValueError
        If a value is out of range, if an input is missing or unknown, if arrays have different lengths, or if
        the forecast does not have the input density.

    Examples
    --------
    Here a wide network that is pruned further needs fewer weights than a narrow one:

    >>> from errsrc.fitting import fit
    >>> from errsrc.laws import JointPruning
    >>> sizes = {"density": np.tile(0.5 ** np.arange(9), 4), "depth": np.repeat([1, 2, 1, 2], 9)}
    >>> sizes["width"] = np.repeat([8, 8, 16, 32], 9)
    >>> eps_np = 0.5 * sizes["width"] ** -0.4
    >>> law = JointPruning(eps_up=0.9, gamma=0.8, p=1.0, phi=0.5, psi=1.2)
    >>> pruned = fit(JointPruning, law.error(eps_np=eps_np, **sizes), eps_np=eps_np, **sizes)
    >>> sizes = {"depth": 2, "width": [8, 16, 32], "eps_np": eps_np[[0, 18, 27]]}
    >>> found = fewest_weights(pruned, 0.2, [800, 1600, 3200], **sizes)
    >>> found.network, found.remaining_by_network.round()
    (2, array([ inf, 425., 275.]))
    """
    if "density" not in forecast.input_names:
        got = f"<a forecast in {', '.join(forecast.input_names)}>"
        raise ValueError(checks.refusal("forecast", "fewest_weights", "one with density as an input", got))
    count = np.atleast_1d(weights)
    if (count < 1).any():
        accepted = "an array of finite numbers >= 1"
        raise ValueError(checks.refusal("weights", "fewest_weights", accepted, float(count.min())))
    density, logs = _run_errors(forecast, count, networks)
    reached = logs <= np.log(error)  # nan does not reach it
    if not reached[0].any():
        best = interval_of(np.exp(np.nanmin(logs, axis=(1, 2))), level)
        raise Unreachable(f"No network of these reaches an error of {error:g}: the lowest is {best}.", best)
    smallest = _smallest_density(density, logs, reached, float(np.log(error)))
    remaining = smallest * count
    winners = remaining.argmin(1)
    rows = np.arange(len(winners))
    warnings = list(forecast.warnings)
    none = float(np.mean(~np.isfinite(remaining[1:].min(1))))
    if none > 0.01:
        warnings.append(f"In {none:.0%} of the draws no network reaches the error.")
    return PrunedPlan(
        network=int(winners[0]),
        density=interval_of(smallest[:, winners[0]], level),
        remaining=interval_of(remaining[rows, winners], level),
        remaining_by_network=remaining[0],
        chance_by_network=np.bincount(winners[1:], minlength=len(count)) / (len(winners) - 1),
        warnings=tuple(warnings),
    )


def _run_errors(forecast: Forecast, count: Array, networks: Mapping[str, ArrayLike]) -> tuple[Array, Array]:
    """Return a grid of densities of each network, and ln error of one run there.

    Parameters
    ----------
    forecast : Forecast
        What predicts the errors.
    count : ndarray of float64, shape (networks,)
        Number of weights of each network.
    networks : dict of str to array_like
        All inputs except the density.

    Returns
    -------
    density : ndarray of float64, shape (networks, densities)
        The densities of each network, from a single weight up to density 1.
    logs : ndarray of float64, shape (1 + draws, networks, densities)
        ln error of one run; row 0 is for the central curve, without the noise of a run.
    """
    names = tuple(name for name in forecast.input_names if name != "density")
    if set(networks) != set(names):
        accepted = f"exactly {', '.join(names)}"
        raise TypeError(checks.refusal("networks", "fewest_weights", accepted, sorted(networks)))
    others = {}
    for name, array in checked_inputs(networks, names, "fewest_weights").items():
        if array.shape not in ((), count.shape):
            accepted = f"a number, or one for each of {len(count)} networks"
            raise ValueError(checks.refusal(name, "fewest_weights", accepted, f"<shape {array.shape}>"))
        others[name] = np.repeat(np.broadcast_to(array, count.shape), DENSITIES)
    density = np.geomspace(1.0 / count, 1.0, DENSITIES).T
    centre, draws = forecast.curves(density=density.ravel(), **others)
    logs = np.concatenate([centre[None], draws])
    deviates = np.concatenate([[0.0], forecast.run_deviates()])[:, None]
    spread = forecast.run_spread(logs, {"density": density.ravel(), **others})
    logs = (logs + deviates * spread).reshape(len(logs), len(count), DENSITIES)
    return density, logs


def _smallest_density(density: Array, logs: Array, reached: Array, target: float) -> Array:
    """Return the smallest density at which each network reaches the target ln error, (1 + draws, networks).

    The density is interpolated between two densities of the grid: the first that reaches the target, and the
    density before.  The result is inf where no density reaches the target.
    """
    first = reached.argmax(2)
    last = np.maximum(first - 1, 0)
    here, before = (np.take_along_axis(logs, k[:, :, None], 2)[:, :, 0] for k in (first, last))
    with np.errstate(all="ignore"):
        share = np.clip(np.nan_to_num((target - here) / (before - here)), 0.0, 1.0)
    which = np.arange(density.shape[0])
    between = density[which, first] * (density[which, last] / density[which, first]) ** share
    return np.where(reached.any(2), between, np.inf)
