"""Band-limited functions of a million coefficients: time, memory and error of the fast least squares.

    python benchmarks/nyquist.py [--only large growth dense] [--size 1000000] [--out FILE.json]

Uniform random nodes on the circle and on the torus of dim 2, flat spectrum, no noise, a box of about --size
frequencies. Labels come from the non-uniform transform; `large` also states their own error, against sums in
extended precision at 32 of the nodes. Error is the distance of the coefficients from the truth, relative to
the truth's norm.

`large`   n = 4 M and n = M ln M, and 4 M jittered nodes (one in each of n equal intervals), on two threads.
Cost is
          stated in raw transforms: one call of finufft's type 1, planning and sorting included, of the same
          nodes and frequencies at precision 1e-9, timed before and after the fit in the same process (median
          of four). Peak memory is that of a separate process, which also makes the labels.
`growth`  n = 4 M from 10,000 to 4 x --size, one thread; the exponent is the slope of log time in log n.
`dense`   M = 4,001 (--dense) and n = 4 M: the same fit by the singular value decomposition of the matrix, as
for small
          bands, and by the Cholesky factor of its normal equations, the fastest dense way. One thread for
          all.

Five minutes on two cores, 3 GiB.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import finufft
import numpy as np
import scipy
from scipy.linalg import cho_factor, cho_solve, lstsq
from threadpoolctl import threadpool_limits

from errsrc.bases import Torus
from errsrc.bases.nonuniform import synthesise
from errsrc.bases.toeplitz import ToeplitzSolution, solve
from errsrc.rng import generator

THREADS = 2
TOLERANCE = 1e-9
CASES = ((1, "4 M"), (1, "M ln M"), (1, "4 M jittered"), (2, "4 M"), (2, "M ln M"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="sections to run")
    parser.add_argument("--size", type=int, default=1_000_000, help="M, about")
    parser.add_argument("--dense", type=int, default=4_001, help="M beside the dense solutions")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file, beside other sections")
    options = parser.parse_args()
    figures = json.loads(options.out.read_text()) if options.out and options.out.exists() else {}
    figures["machine"] = {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "finufft": finufft.__version__,
    }
    for name in options.only:
        print(f"\n{name}")
        figures[name] = SECTIONS[name](options)
        if options.out:
            options.out.write_text(json.dumps(figures, indent=1) + "\n")


def large(options: argparse.Namespace) -> dict[str, object]:
    print(
        "dim nodes              M          n  transform      fit  ratio  iterations  condition    error   GiB"
    )
    rows: dict[str, object] = {}
    for dim, design in CASES:
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            row = alone.submit(one_large, dim, options.size, design).result()
        rows[f"dim {dim}, {design}"] = row
        print(
            f"{dim:3} {design:<13}{row['M']:8} {row['n']:10} {row['transform_seconds']:9.2f}s"
            f" {row['seconds']:7.1f}s {row['ratio']:6.1f} {row['iterations']:11} {row['condition']:10.3g}"
            f" {row['error']:8.1e} {row['gib']:5.1f}",
            flush=True,
        )
    return rows


def growth(options: argparse.Namespace) -> dict[str, object]:
    rows: dict[str, object] = {}
    for dim in (1, 2):
        sizes = np.geomspace(10_000, 4 * options.size, 6)
        points = []
        for target in sizes:
            basis = torus(dim, target / 4)
            x, y, truth = world(basis, 4 * basis.size, "4 M")
            seconds, found = timed(basis, x, y, repeats=3 if target < 1e6 else 1)
            points.append({"n": len(x), "seconds": seconds, "error": error(found, truth)})
            print(f"dim {dim} n {len(x):8} {seconds:8.3f}s {points[-1]['error']:8.1e}", flush=True)
        logs = np.log([[point["n"], point["seconds"]] for point in points])
        slope = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])
        rows[f"dim {dim}"] = {"exponent": slope, "points": points}
        print(f"dim {dim} time grows as n^{slope:.2f}")
    return rows


def dense(options: argparse.Namespace) -> dict[str, object]:
    basis = torus(1, options.dense)
    x, y, truth = world(basis, 4 * basis.size, "4 M")
    seconds, found = timed(basis, x, y, repeats=5)
    rows: dict[str, object] = {
        "M": basis.size,
        "n": len(x),
        "fast": {"seconds": seconds, "error": error(found, truth)},
    }
    for name, way in (("svd", by_svd), ("normal equations", by_normal_equations)):
        with threadpool_limits(1):
            start = time.perf_counter()
            coefficients = way(basis(x), y)
            taken = time.perf_counter() - start
        away = float(np.linalg.norm(coefficients - truth) / np.linalg.norm(truth))
        rows[name] = {"seconds": taken, "error": away, "ratio": taken / seconds}
    print(f"M = {basis.size}, n = {len(x)}: fast {seconds:.3f}s, error {rows['fast']['error']:.1e}")
    for name in ("svd", "normal equations"):
        row = rows[name]
        print(f"dense by {name}: {row['seconds']:.1f}s, {row['ratio']:.0f} times, error {row['error']:.1e}")
    return rows


SECTIONS = {"large": large, "growth": growth, "dense": dense}


def one_large(dim: int, size: float, design: str) -> dict[str, object]:
    """Fit one large world beside raw transforms of its size."""
    basis = torus(dim, size)
    m = basis.size
    x, y, truth = world(basis, int(m * np.log(m)) if design == "M ln M" else 4 * m, design)
    angles = [np.ascontiguousarray(angle) for angle in x.T]
    strengths = y.astype(np.complex128)
    raw = {1: finufft.nufft1d1, 2: finufft.nufft2d1}[dim]
    shape = (2 * basis.degree + 1,) * dim

    def transform() -> float:
        start = time.perf_counter()
        raw(*angles, strengths, shape if dim > 1 else shape[0], eps=1e-9, nthreads=THREADS)
        return time.perf_counter() - start

    around = [transform(), transform()]
    seconds, found = timed(basis, x, y, threads=THREADS)
    around += [transform(), transform()]
    return {
        "M": m,
        "n": len(x),
        "transform_seconds": float(np.median(around)),
        "seconds": seconds,
        "ratio": seconds / float(np.median(around)),
        "iterations": found.iterations,
        "condition": found.condition,
        "converged": found.converged,
        "residual": found.residual,
        "error": error(found, truth),
        "labels_error": labels_error(basis, x, y, truth),
        "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        / 2 ** (30 if sys.platform == "darwin" else 20),
    }


def torus(dim: int, size: float) -> Torus:
    """Return the box of about that many frequencies."""
    return Torus(max(1, round((size ** (1 / dim) - 1) / 2)), dim)


def world(basis: Torus, n: int, design: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return nodes, labels and the coefficients that made them."""
    rng = generator(0, "nyquist", str(basis), n)
    x = rng.uniform(0, 2 * np.pi, (n, basis.dim))
    if "jittered" in design:
        x = 2 * np.pi * (np.arange(n)[:, None] + rng.permutation(x) / (2 * np.pi)) / n
    truth = rng.standard_normal(basis.size)
    return x, synthesise(basis, x, truth, THREADS), truth


def timed(
    basis: Torus, x: np.ndarray, y: np.ndarray, repeats: int = 1, threads: int = 1
) -> tuple[float, ToeplitzSolution]:
    """Return the median seconds of a fit, and the fit."""
    taken = []
    for _ in range(repeats):
        with threadpool_limits(threads):
            start = time.perf_counter()
            found = solve(basis, x, y, tolerance=TOLERANCE, threads=threads)
            taken.append(time.perf_counter() - start)
    return float(np.median(taken)), found


def error(found: ToeplitzSolution, truth: np.ndarray) -> float:
    return float(np.linalg.norm(found.coefficients - truth) / np.linalg.norm(truth))


def labels_error(basis: Torus, x: np.ndarray, y: np.ndarray, truth: np.ndarray) -> float:
    """Return the labels' relative error at 32 nodes, against sums in extended precision."""
    sums = []
    for node in x[:32].astype(np.longdouble):
        angle = basis.indices[1::2] @ node
        sums.append(truth[0] + np.sqrt(2) * (truth[1::2] @ np.cos(angle) + truth[2::2] @ np.sin(angle)))
    exact = np.array(sums, dtype=np.float64)
    return float(np.linalg.norm(y[:32] - exact) / np.linalg.norm(exact))


def by_svd(features: np.ndarray, y: np.ndarray) -> np.ndarray:
    return lstsq(features, y, lapack_driver="gelsd", check_finite=False)[0]


def by_normal_equations(features: np.ndarray, y: np.ndarray) -> np.ndarray:
    return cho_solve(cho_factor(features.T @ features, check_finite=False), features.T @ y)


if __name__ == "__main__":
    main()
