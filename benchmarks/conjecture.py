"""Are learners that are given the band exact where they should be, and can the searches tell?

    python benchmarks/conjecture.py [--examples 16000] [--networks 2000] [--draws 50]
                                    [--only exact,limit,claims] [--out benchmarks/results/conjecture.json]

*exact*: relative errors |f^ - f| / |f| of least squares in a known band, noiseless, random nodes, at n / M of
1, 1.1, 1.5 and 4: the median and the largest over draws, and how often the error is at most 1e-9. On the
circle, tori of two and three dimensions, the interval (Legendre), the sphere and the Boolean cube.

*limit*: below n = M, the relative squared error of the minimum-norm fit, a ratio of expectations with its 95%
interval, next to 1 - n / M.

*claims*: the search for counterexamples. The true claim, with and without noise, in both precisions, over the
given number of examples. For networks, where the claim is about starts that arrived, over fewer examples:
how many were tested, and the largest ratio of error to bound. False versions of the claim, each with the
example that refutes it and how many examples it took to find. Last, a claim that is stated as a function, as
users state their own: the terms of exact budgets are not negative, and they sum to the total.

One core; the claims take 8 minutes, 5 of them for networks. With `--networks 10000`, networks take 25
minutes. `--seed` draws other examples.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from errsrc.bases import Basis, Cube, Legendre, Sphere, Torus
from errsrc.conjecture import Claim, OwnSearch, Region, Search, draw_errors, search, search_own
from errsrc.learners import BandLeastSquares, Ridge
from errsrc.records import text
from errsrc.results import mean_interval
from errsrc.settings import BandTeacher, Gaussian, LinearTeacher
from errsrc.sources import budget
from errsrc.sources.terms import TERMS

BANDS: tuple[Basis, ...] = (
    Torus(50),
    Torus(3, 2),
    Torus(3, 3),
    Legendre(40),
    Sphere(9),
    Cube(12, 3),
)
RATIOS = (1.0, 1.1, 1.5, 4.0)

NETWORKS = Region(domains=("network",), most=30)

CLAIMS = {
    "true": (Claim(), Region()),
    "true, noise, both precisions": (Claim(), Region(noise=1.0, precisions=("float64", "float32"))),
    "true, certified networks": (Claim(), NETWORKS),
    "false: from n = 0.9 M": (Claim(threshold=0.9), Region()),
    "false: whatever the condition number": (Claim(heeds_condition=False), Region(designs=("clustered",))),
    "false: a spectrum that only decays": (Claim(), Region(tail=0.01)),
    "false: float32 as exact as float64": (Claim(precision="float64"), Region(precisions=("float32",))),
    "false: noise grows by the condition number": (Claim(noise_gain="condition"), Region(noise=1.0)),
    "false: networks from n = P on": (Claim(threshold=0.45), replace(NETWORKS, oversampling=1.0)),
}


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--examples", type=int, default=16_000)
    parser.add_argument("--networks", type=int, default=2_000)
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="exact,limit,claims")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    figures: dict[str, Any] = {"python": platform.python_version(), "numpy": np.__version__}
    for name in options.only.split(","):
        figures[name] = {
            "exact": lambda: exact(options.draws),
            "limit": lambda: limit(40 * options.draws),
            "claims": lambda: claims(options.examples, options.networks, options.seed),
        }[name]()
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def exact(draws: int) -> dict[str, Any]:
    """Return errors of each band at each ratio."""
    out = {}
    print(f"{'band':<28}{'M':>6}{'n / M':>7}{'n':>6}{'median':>11}{'largest':>11}{'exact':>8}")
    for basis in BANDS:
        for ratio in RATIOS:
            n = round(ratio * basis.size)
            found = draw_errors(BandTeacher(basis), BandLeastSquares(basis), n, draws)
            row = {"n": n, "median": float(np.median(found)), "largest": float(found.max())}
            row["exact"] = float((found <= 1e-9).mean())
            out[f"{text(basis)}, n = {ratio:g} M"] = row
            print(
                f"{text(basis):<28}{basis.size:>6}{ratio:>7g}{n:>6}{row['median']:>11.1e}"
                f"{row['largest']:>11.1e}{row['exact']:>8.0%}",
                flush=True,
            )
    return out


def limit(draws: int) -> dict[str, Any]:
    """Return the relative squared error below n = M, beside the information limit."""
    out = {}
    for basis in (Torus(50), Torus(3, 2), Cube(8, 2)):
        for ratio in (0.25, 0.5, 0.9):
            n = round(ratio * basis.size)
            squared = draw_errors(BandTeacher(basis), BandLeastSquares(basis), n, draws) ** 2
            found, expected = mean_interval(squared, 0.95), 1 - n / basis.size
            out[f"{text(basis)}, n = {n}"] = [found.estimate, found.low, found.high, expected]
            print(f"{text(basis):<28} n = {n:>3}: {found}, 1 - n / M = {expected:.3f}", flush=True)
    return out


OWN = st.tuples(st.integers(1, 20), st.integers(1, 40), st.floats(1e-3, 2.0), st.floats(1e-3, 100.0))
"""Dimension, number of examples, standard deviation of the noise, and ridge."""


def sums(example: tuple[int, int, float, float]) -> tuple[float, float]:
    """Return how far the terms of an exact budget are from terms >= 0 with the right sum, and the bound."""
    dim, n, noise, ridge = example
    found = budget(LinearTeacher(dim, channel=Gaussian(noise)), Ridge(ridge), n, draws=2)
    terms = [getattr(found, name).lower.estimate for name in TERMS]
    return max(abs(sum(terms) - found.total.estimate), -min(terms)), 1e-9 * found.total.estimate


def claims(examples: int, networks: int, seed: int) -> dict[str, Any]:
    """Return what became of each claim."""
    out = {}
    for name, (claim, region) in CLAIMS.items():
        start = time.perf_counter()
        wanted = networks if "networks" in name else examples
        found = search(claim, region, examples_wanted=wanted, seed=seed)
        out[name] = row(name, found, time.perf_counter() - start)
    start, name = time.perf_counter(), "true, stated as a function"
    own = search_own(sums, OWN, examples_wanted=examples, seed=seed)
    out[name] = row(name, own, time.perf_counter() - start)
    return out


def row(name: str, found: Search | OwnSearch, seconds: float) -> dict[str, Any]:
    """Return the figures of a search, and print them."""
    row = {
        "verdict": found.verdict,
        "tested": found.tested,
        "not tested": found.untested,
        "worst": found.worst,
        "seconds": seconds,
    }
    if found.counterexample is not None and found.outcome is not None:
        shown = found.counterexample
        row["by"] = f"{shown if isinstance(found, OwnSearch) else text(shown)}: {found.outcome.status}"
    worst = f"worst error / bound {row['worst']:.2g}"
    print(f"{name}: {row['verdict']} after {row['tested']:,} tested, {row['not tested']:,} not; {worst}")
    print(f"  {row.get('by', '')}", flush=True)
    return row


if __name__ == "__main__":
    main()
