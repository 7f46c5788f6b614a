"""Do forecasts of one law hold where the sizes do not determine it?  Tables of 2 or 3 values of n and m.

    python benchmarks/undetermined.py [--tables N] [--seed SEED]

Errors are drawn from the law `dense` with 16 sets of parameters: pairs of exponents of n and m (0.3 and
0.3, 0.6 and 0.3, 0.3 and 0.7, 0.7 and 0.7), eta of 1 or 6, and noise of ln error of 0.03 or 0.07.  The
amplitude b is 0.3 or 1, and c_inf is 0 or 0.3, at random.  Each grid has 2 runs of each size; n rises by
factors of 2 and m by factors of 3.  The law `dense` is fitted with its eps0 held.

The script prints the share of new runs in their 90% intervals, and the mean interval score of ln error
(Gneiting and Raftery 2007, eq. 43), at 4 times the largest n, at 4 times the largest m, and at both.  It
compares three kinds of refits for tables whose exponents are not determined: refits from the best fit, and
`errsrc.fitting.intervals.open_refits` with a prior as narrow as that of published grids, and with
`OPEN_WIDTH`, which `errsrc.fit` uses.
"""

from __future__ import annotations

import argparse
import collections
import itertools
from unittest.mock import patch

import numpy as np
from forecasts import LEVEL, interval_scores

from errsrc.errors import NoFit
from errsrc.fitting import fit, intervals, one_law, problem
from errsrc.fitting.few_sizes import OpenLaw
from errsrc.laws import Dense
from errsrc.rng import generator

GRIDS = ((3, 2), (2, 3), (3, 3))
"""Numbers of values of n and of m."""
TRUTHS = tuple(itertools.product(((0.3, 0.3), (0.6, 0.3), (0.3, 0.7), (0.7, 0.7)), (1.0, 6.0), (0.03, 0.07)))
GUESS = 2 / 3
KINDS = ("best fit", "narrow prior", "wide prior")


def table(grid: tuple[int, int], truth: tuple, rng: np.random.Generator) -> tuple[dict, dict]:
    """Return the sizes and errors of a table, and of three larger runs."""
    (alpha, beta), eta, noise = truth
    n_values, m_values = 100.0 * 2.0 ** np.arange(grid[0]), 1000.0 * 3.0 ** np.arange(grid[1])
    n, m = (np.repeat(x.ravel(), 2) for x in np.meshgrid(n_values, m_values))
    b, c_inf = rng.choice([0.3, 1.0]), rng.choice([0.0, 0.3])
    law = Dense(GUESS, alpha, beta, b, c_inf, eta, n_full=float(n.max()), m_base=float(m.max()))
    sizes = {"n": n, "m": m}
    larger = {"n": n.max() * np.array([4.0, 1.0, 4.0]), "m": m.max() * np.array([1.0, 4.0, 4.0])}
    out = []
    for x in (sizes, larger):
        error = law.error(**x)
        error = error * np.exp(noise * rng.standard_normal(error.shape))
        out.append({**x, "error": np.minimum(error, 0.99 * GUESS)})
    return out[0], out[1]


def scored(measured: dict, larger: dict, kind: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Return which larger runs lie in their intervals, and the scores; None for a law that is determined."""
    refits = intervals.bootstrap if kind == "best fit" else intervals.open_refits
    width = problem.FEW_WIDTH if kind == "narrow prior" else problem.OPEN_WIDTH
    with patch.object(one_law, "open_refits", refits), patch.object(intervals, "OPEN_WIDTH", width):
        found = fit(Dense, **measured, fixed={"eps0": GUESS})
    if not any(isinstance(said, OpenLaw) for said in found.warnings):
        return None
    p = found.predict(n=larger["n"], m=larger["m"], level=LEVEL)
    inside = (larger["error"] >= p.low) & (larger["error"] <= p.high)
    return inside, interval_scores(np.log(p.low), np.log(p.high), np.log(larger["error"]))


def main() -> None:
    """Print the coverage and the score of each kind of refits, by grid."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=5, help="tables of each grid and truth")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    found = collections.defaultdict(list)
    for grid in GRIDS:
        for number, truth in itertools.product(range(args.tables), TRUTHS):
            rng = generator(args.seed, "undetermined", *grid, number, TRUTHS.index(truth))
            measured, larger = table(grid, truth, rng)
            for kind in KINDS:
                try:
                    judged = scored(measured, larger, kind)
                except NoFit:
                    break
                if judged is None:
                    break
                found[grid, kind].append(judged)
    for (grid, kind), values in found.items():
        inside, score = (np.mean(part, axis=0) for part in zip(*values, strict=True))
        shares = ", ".join(f"{share:.0%}" for share in inside)
        name = f"{grid[0]} n x {grid[1]} m, {len(values)} tables, {kind}"
        print(f"{name}: covered {shares} at larger n, m and both; score {score.mean():.3f}")


if __name__ == "__main__":
    main()
