"""Coverage of intervals of pruned networks whose levels have correlated noise, with and without clusters.

Claim:    If each network is a cluster, 90% intervals of the parameters of the joint pruning law, and of
          errors at densities below the smallest measured one, contain the truth about 90% of the time.
Command:  nice python sims/pruning_clusters.py --repetitions 12
Cost:     144 fits, 196 s of one core
Outcome:  With clusters yes, for forecasts; the share of 90% has a standard error of 9 points for a parameter
          and of about 6 for forecasts. Error rises far ("far"): parameters 67% to 100% with clusters, 33%
          to 67% without; forecasts 93% and 95%, without clusters 92% and 93%. Error rises by 5% in the median
          network ("early"): parameters 58% to 100%, without clusters 33% to 92%; forecasts 98% and 88%,
          without 76% and 67%. Error rises by 4% at most ("none"): only 10% to 15% of the intervals of
          parameters have two finite ends, and the fit says that parameters are not determined; forecasts 88%
          and 85%, without clusters 38% and 53%. In the cases "none" the forecasts held 42% and 35% until
          forecasts took all plausible slopes into account (`plausible_refits`). The lowest shares of
          parameters with clusters are those of eps_up in "early" (58% and 75%) and of gamma in "far" (67%)

A grid has 12 networks (depth 1 and 2, width 8, 16 and 32, n 1,000 and 4,000), each pruned 20 times to
80% of its weights. "far", "early" and "none" differ in the true law, and therefore in how far the error
has risen at the smallest density. The noise of ln error is autoregressive from level to level (standard
deviation 3%, correlation 0.8). In the cases "levels" the networks have no other noise. In the cases
"networks" each network also has an offset of ln error (standard deviation 2%) and an offset of ln
density (10%): some networks tolerate pruning better than the law says. Errors before pruning are those
of the law. Forecasts are compared with another network of the same sizes at density 0.8^28; the smallest
measured density is 0.8^20.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errsrc.fitting import fit
from errsrc.laws import Dense, JointPruning

Array = NDArray[np.float64]

DENSE = Dense(eps0=0.9, alpha=0.4, beta=0.5, b=0.5, c_inf=0.3, eta=4.0, n_full=4e3, m_base=3200.0)
LEVELS, FORECAST = 21, 28
LEVEL_NOISE, CORRELATION = 0.03, 0.8
PARAMETERS = ("eps_up", "gamma", "p", "phi", "psi")
SEED = 0


class Case(NamedTuple):
    """A true law, and the standard deviations of the offsets of a network."""

    name: str
    law: JointPruning
    error_offset: float
    density_offset: float


CASES = tuple(
    Case(f"{rise}, {effects}", law, *offsets)
    for effects, offsets in (("levels", (0.0, 0.0)), ("networks", (0.02, 0.1)))
    for rise, law in (
        ("far", JointPruning(eps_up=0.9, gamma=0.8, p=1.0, phi=0.4, psi=1.1)),
        ("early", JointPruning(eps_up=0.9, gamma=0.8, p=0.05, phi=0.4, psi=1.1)),
        ("none", JointPruning(eps_up=0.9, gamma=0.4, p=0.01, phi=0.4, psi=1.1)),
    )
)


class Coverage(NamedTuple):
    """Shares of the intervals that contain the truth, and the median width of forecasts in ln error."""

    parameters: Array
    determined: float  # share of the parameters whose interval has two finite ends
    forecasts: float
    width: float


def networks() -> dict[str, Array]:
    """Return the sizes of the networks, and their errors before pruning."""
    depth, width, n = (x.ravel() for x in np.meshgrid([1.0, 2.0], [8.0, 16.0, 32.0], [1e3, 4e3]))
    return {"depth": depth, "width": width, "eps_np": DENSE.error(n=n, m=100 * width)}


def measured(case: Case, levels: Array, rng: np.random.Generator) -> tuple[dict[str, Any], Array]:
    """Return (inputs, error) of one sample of each network at density 0.8^level, network by network."""
    each = networks()
    count = len(each["depth"])
    inputs = {name: np.repeat(x, len(levels)) for name, x in each.items()}
    density = np.tile(0.8**levels, count)
    noise = rng.standard_normal((count, len(levels)))
    for k in range(1, len(levels)):
        step = CORRELATION ** float(levels[k] - levels[k - 1])
        noise[:, k] = step * noise[:, k - 1] + np.sqrt(1 - step**2) * noise[:, k]
    offset = case.error_offset * rng.standard_normal(count)
    shift = case.density_offset * rng.standard_normal(count)
    truth = np.minimum(density * np.exp(np.repeat(shift, len(levels))), 1.0)
    error = case.law.error(density=truth, **inputs)
    error = error * np.exp(np.repeat(offset, len(levels)) + LEVEL_NOISE * noise.ravel())
    return {"density": density, **inputs}, error


def covered(case: Case, seed: int, clusters: bool) -> Coverage:
    """Fit one grid, and say which intervals contain the truth."""
    rng = np.random.default_rng((SEED, seed))
    inputs, error = measured(case, np.arange(LEVELS, dtype=float), rng)
    labels = np.repeat(np.arange(len(error) // LEVELS), LEVELS)
    found = fit(JointPruning, error, clusters=labels if clusters else None, **inputs)
    new, truth = measured(case, np.array([float(FORECAST)]), rng)
    forecast = found.predict(**new)
    inside = [
        found.intervals[name].low <= getattr(case.law, name) <= found.intervals[name].high
        for name in PARAMETERS
    ]
    hits = (forecast.low <= truth) & (truth <= forecast.high)
    width = np.log(forecast.high / forecast.low)
    determined = float(np.mean([math.isfinite(x.high - x.low) for x in found.intervals.values()]))
    return Coverage(np.array(inside, dtype=float), determined, float(hits.mean()), float(np.median(width)))


def line(case: Case, repetitions: int, clusters: bool) -> str:
    """Return the coverage of one case, with or without clusters, as one line of the table."""
    runs = [covered(case, seed, clusters) for seed in range(repetitions)]
    parameters, determined = (np.mean(x, axis=0) for x in list(zip(*runs, strict=True))[:2])
    hits = np.array([one.forecasts for one in runs])
    spread = hits.std(ddof=1) / np.sqrt(len(runs)) if len(runs) > 1 else np.nan
    width = np.median([one.width for one in runs])
    shares = "".join(f"{x:7.0%}" for x in parameters)
    return (
        f"{case.name:15} {'yes' if clusters else 'no':8}{shares}{determined:11.0%}"
        f"{hits.mean():10.0%} +- {spread:3.0%}{width:7.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=32, help="grids of each case (default: 32)")
    options = parser.parse_args()
    print(f"{options.repetitions} grids of each case, 90% intervals; width: ln (high / low) of forecasts")
    names = "".join(f"{name:>7}" for name in PARAMETERS)
    print(f"{'case':15} clusters{names} determined{'forecasts':>17}  width")
    for case in CASES:
        for clusters in (False, True):
            print(line(case, options.repetitions, clusters), flush=True)
    print(f"{time.process_time():.0f} s of CPU", file=sys.stderr)


if __name__ == "__main__":
    main()
