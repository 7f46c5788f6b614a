"""Which pruned network reaches an error with the fewest weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.errors import Unreachable
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.intervals import interval_of
from errsrc.laws.law import Array
from errsrc.results import Interval

DENSITIES = 400
"""Densities between one weight and all of them at which a pruned network's error is looked at."""


@dataclass(frozen=True)
class PrunedPlan:
    """Of several networks the one that needs the fewest weights for an error, and how far to prune it.

    Attributes
    ----------
    network
        Its index among those asked about.
    density, remaining
        How much of it is left, and how many weights that is, with intervals for one new run.
    remaining_by_network
        The same count for every network, (networks,) float64: inf where it does not reach the error at all.
    chance_by_network
        Share of the draws in which each network is the one, (networks,) float64.
    warnings
        What the reader must know, a sentence each.
    """

    network: int
    density: Interval
    remaining: Interval
    remaining_by_network: Array
    chance_by_network: Array
    warnings: tuple[str, ...]


def fewest_weights(
    forecast: Forecast, error: float, weights: ArrayLike, *, level: float = 0.9, **networks: ArrayLike
) -> PrunedPlan:
    """Return which network, pruned how far, reaches an error with the fewest weights left.

    The question of optimal pruning (Rosenfeld et al. 2021, arXiv 2006.10621, section 6): rather than a
    small network as it is, or the largest one pruned, it is one that is pruned until its error has just
    begun to rise.

    Parameters
    ----------
    forecast
        A fit of `JointPruning`, or a `ChainedFit` one.
    error
        The target, in the units of the fitted errors.
    weights
        (networks,): how many prunable weights each has at density 1, >= 1.
    level
        Coverage of the intervals.
    **networks
        The forecast's other inputs but the density, each (networks,) or a number.

    Raises
    ------
    Unreachable
        If none of the networks reaches the error; ``best`` is the least error, an Interval.
    ValueError, TypeError
        For a bad target or sizes, and a forecast without density among its inputs.

    Examples
    --------
    A wide network pruned harder needs fewer weights here than a narrow one:

    >>> from errsrc.laws import JointPruning

    >>> from errsrc.fitting import fit
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
    target = checks.number(error, "error", "fewest_weights", 0.0, open_low=True)
    checks.number(level, "level", "fewest_weights", 0.0, 1.0, open_low=True, open_high=True)
    count = np.atleast_1d(checks.positive_array(weights, "weights", "fewest_weights"))
    if (count < 1).any():
        accepted = "an array of finite numbers >= 1"
        raise ValueError(checks.refusal("weights", "fewest_weights", accepted, float(count.min())))
    own = [name for name in forecast.input_names if name != "density"]
    if set(networks) != set(own):
        accepted = f"exactly {', '.join(own)}"
        raise TypeError(checks.refusal("networks", "fewest_weights", accepted, sorted(networks)))
    others = {}
    for name, value in networks.items():
        array = checks.positive_array(value, name, "fewest_weights")
        if array.shape not in ((), count.shape):
            accepted = f"a number, or one for each of {len(count)} networks"
            raise ValueError(checks.refusal(name, "fewest_weights", accepted, f"<shape {array.shape}>"))
        others[name] = np.repeat(np.broadcast_to(array, count.shape), DENSITIES)
    density = np.geomspace(1.0 / count, 1.0, DENSITIES).T  # (networks, grid): from one weight on
    centre, draws = forecast.curves(density=density.ravel(), **others)
    logs = np.concatenate([centre[None], draws])
    deviations = np.concatenate([[0.0], forecast.run_deviates()])[:, None]
    logs = (logs + deviations * forecast.run_spread(logs)).reshape(len(logs), len(count), DENSITIES)
    reached = logs <= np.log(target)  # nan is not
    if not reached[0].any():
        best = interval_of(np.exp(np.nanmin(logs, axis=(1, 2))), level)
        raise Unreachable(f"No network of these reaches an error of {target:g}: the least is {best}.", best)
    first = reached.argmax(2)  # of the grid; the error is reached between it and the one before
    last = np.maximum(first - 1, 0)
    here, before = (np.take_along_axis(logs, k[:, :, None], 2)[:, :, 0] for k in (first, last))
    with np.errstate(all="ignore"):
        share = np.clip(np.nan_to_num((np.log(target) - here) / (before - here)), 0.0, 1.0)
    which = np.arange(len(count))
    between = density[which, first] * (density[which, last] / density[which, first]) ** share
    least_density = np.where(reached.any(2), between, np.inf)
    remaining = least_density * count
    winners = remaining.argmin(1)
    rows = np.arange(len(winners))
    none = float(np.mean(~np.isfinite(remaining[1:].min(1))))
    warnings = list(forecast.warnings)
    if none > 0.01:
        warnings.append(f"In {none:.0%} of the draws no network reaches the error.")
    return PrunedPlan(
        network=int(winners[0]),
        density=interval_of(least_density[:, winners[0]], level),
        remaining=interval_of(remaining[rows, winners], level),
        remaining_by_network=remaining[0],
        chance_by_network=np.bincount(winners[1:], minlength=len(count)) / (len(winners) - 1),
        warnings=tuple(warnings),
    )
