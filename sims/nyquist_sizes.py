"""How many random nodes a learner in a known band needs before it is exact, by the size of the band.

Claim:    At random nodes of one angle, least squares in a known band of M functions is not exact from n = M
          on.  The n / M that it needs grows with M.
Command:  python sims/nyquist_sizes.py [--out benchmarks/results/nyquist_sizes.json]
Cost:     3 minutes of one core
Outcome:  The relative error is at most 1e-9 in 90% of 40 draws from n / M = 1.04, 1.12, 1.22, 1.29, 1.35 on
          for M = 25, 51, 101, 201, 401: 0.68 + 0.113 ln M, off by at most 0.02.  The smallest singular value
          of the basis at the nodes, divided by sqrt n, falls with M: at n = 1.1 M from 3e-3 to 1e-11, at 2 M
          from 0.11 to 0.003, at 4 M from 0.48 to 0.24 (CPU, numpy 2.4, 2026-11-30)

In exact arithmetic M different nodes determine a function of the band.  In float64 the relative error is
about 1e-16 times the condition number of the matrix of the M basis functions at the n nodes.  An arc of the
circle with fewer nodes than the band has degrees of freedom there makes the smallest singular value
exponentially small in this deficit (Remez's inequality).  If n / M is fixed, the largest deficit among random
nodes is proportional to ln n.  This argument is not a proof.  It says that the condition number grows as a
power of n, and that a fixed error needs an n / M that grows with ln M.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from errsrc.bases import Torus
from errsrc.conjecture import draw_errors
from errsrc.learners import BandLeastSquares
from errsrc.settings import BandTeacher

DEGREES = (12, 25, 50, 100, 200)
DRAWS, EXACT, SHARE = 40, 1e-9, 0.9
RATIOS = (1.1, 1.5, 2.0, 4.0)


def share_exact(degree: int, n: int) -> float:
    """Return the share of draws whose relative error is at most `EXACT`."""
    basis = Torus(degree)
    return float(np.mean(draw_errors(BandTeacher(basis), BandLeastSquares(basis), n, DRAWS) <= EXACT))


def needed(degree: int) -> int:
    """Return the smallest n, to 1% of M, at which at least `SHARE` of the draws are exact."""
    size = Torus(degree).size
    low, high = size - 1, 2 * size
    while high - low > max(1, size // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if share_exact(degree, middle) >= SHARE else (middle, high)
    return high


def smallest(degree: int, ratio: float, rng: np.random.Generator) -> float:
    """Return the median smallest singular value of B / sqrt n, where B has the basis at n random nodes."""
    basis = Torus(degree)
    n = int(np.ceil(ratio * basis.size))
    values = []
    for _ in range(DRAWS // 4):
        nodes = basis.place(rng.uniform(size=(n, 1)))
        values.append(np.linalg.svd(basis.values(nodes), compute_uv=False)[-1] / np.sqrt(n))
    return float(np.median(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    rng, found = np.random.default_rng(0), []
    for degree in DEGREES:
        size, n = Torus(degree).size, needed(degree)
        values = {f"{ratio:g} M": smallest(degree, ratio, rng) for ratio in RATIOS}
        found.append({"M": size, "n / M": n / size, "smallest singular value": values})
        at = ", ".join(f"{value:.1e} at n = {name}" for name, value in values.items())
        print(f"M = {size}: exact in 90% of draws from {n / size:.2f} M on; smallest value {at}", flush=True)
    sizes, ratios = np.array([(row["M"], row["n / M"]) for row in found]).T
    slope, start = np.polyfit(np.log(sizes), ratios, 1)
    miss = abs(start + slope * np.log(sizes) - ratios).max()
    print(f"n / M = {start:.2f} + {slope:.3f} ln M, off by at most {miss:.2f}")
    if options.out:
        options.out.write_text(
            json.dumps(
                {"rows": found, "line": {"start": start, "slope": slope, "largest miss": miss}}, indent=1
            )
            + "\n"
        )


if __name__ == "__main__":
    main()
