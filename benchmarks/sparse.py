"""How many examples does it take to recover a function of few coefficients at unknown places?

    python benchmarks/sparse.py [--draws 100] [--out benchmarks/results/sparse.json]

Exact means a relative squared error of at most 1e-18, by Parseval, over fresh draws of teachers and nodes.

Strides: K frequencies among 10,001 (k and -k are two, as in a band's size) from n nodes at equal strides, of
the golden section or 1/M of a turn, by `MatrixPencil`. The table shows the condition numbers of the
amplitudes' equations and of the matrix that gives the frequencies, and how often a wrong function was
certified.

Random nodes: K coefficients among M = 10,001, normal or all of one size with random signs, by
`SparseRecovery`. For comparison: orthogonal matching pursuit of K steps (scikit-learn), and the lasso
(scikit-learn's least-angle path; it counts as exact if any support along the path gives the teacher).

One core, about 15 minutes.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lars_path, orthogonal_mp

from errsrc.bases import BandFunction, Torus
from errsrc.errors import Undersampled
from errsrc.learners import MatrixPencil, SparseRecovery
from errsrc.rng import generator
from errsrc.settings import SparseTeacher, Stride
from errsrc.settings.nodes import GOLDEN

BAND = Torus(5000)
STEPS = {"golden section": GOLDEN, "1/M": 1 / BAND.size}
EXACT = 1e-18


def strides(draws: int, sparsity: int, n: int, step: float) -> dict[str, float]:
    """Return how the matrix pencil does on K frequencies from n nodes."""
    band = BAND if sparsity > 1 else Torus(0)
    setting = SparseTeacher(band, sparsity, pairs=sparsity > 1, nodes=Stride(step))
    learner = MatrixPencil(BAND, sparsity, step)
    exact, fits, start = [], [], time.perf_counter()
    for draw in range(draws):
        rng = generator(draw, "sparse", "strides", sparsity, n)
        teacher, x = setting.teacher(rng), setting.inputs(n, rng)
        fits.append(learner.fit(x, teacher(x), rng).function)
        exact.append(fits[-1].distance(teacher) <= EXACT * (teacher.coefficients**2).sum())
    found = [f for f, right in zip(fits, exact, strict=True) if right]
    return {
        "exact": float(np.mean(exact)),
        "certified": float(np.mean([f.certified for f in fits])),
        "certified and wrong": sum(f.certified and not right for f, right in zip(fits, exact, strict=True)),
        "median condition": float(np.median([f.condition for f in found])) if found else math.inf,
        "median sensitivity": float(np.median([f.sensitivity for f in found])) if found else math.inf,
        "largest sensitivity of exact": max((f.sensitivity for f in found), default=math.inf),
        "seconds": (time.perf_counter() - start) / draws,
    }


def recovery(x: np.ndarray, y: np.ndarray, sparsity: int) -> BandFunction:
    return SparseRecovery(BAND, sparsity).fit(x, y, np.random.default_rng(0)).function


def pursuit(x: np.ndarray, y: np.ndarray, sparsity: int) -> BandFunction:
    features = BAND(x)
    scales = np.linalg.norm(features, axis=0)
    return BandFunction(BAND, orthogonal_mp(features / scales, y, n_nonzero_coefs=sparsity) / scales)


def lasso(x: np.ndarray, y: np.ndarray, sparsity: int) -> BandFunction:
    """Return the least squares on the first support of the path that leaves no residual, or on the last."""
    features = BAND(x)
    scales = np.linalg.norm(features, axis=0)
    path = lars_path(features / scales, y, method="lasso", max_iter=len(y) // 2)[2]
    coefficients = np.zeros(BAND.size)
    for column in path.T[sparsity:]:
        support = np.flatnonzero(column)
        coefficients[:] = 0.0
        coefficients[support] = np.linalg.lstsq(features[:, support], y, rcond=None)[0]
        left = y - features[:, support] @ coefficients[support]
        if np.linalg.norm(left) <= 1e-9 * np.linalg.norm(y):
            break
    return BandFunction(BAND, coefficients)


LEARNERS: dict[str, Callable[[np.ndarray, np.ndarray, int], BandFunction]] = {
    "recovery": recovery,
    "pursuit": pursuit,
    "lasso": lasso,
}


def random_nodes(draws: int, sparsity: int, n: int, sizes: str) -> dict[str, float]:
    """Return how often each learner is exact on K coefficients from n random nodes, and its time."""
    setting = SparseTeacher(BAND, sparsity)
    out: dict[str, float] = dict.fromkeys(LEARNERS, 0.0) | {f"{name}, s": 0.0 for name in LEARNERS}
    out["certified and wrong"] = 0
    for draw in range(draws):
        rng = generator(draw, "sparse", "random", sparsity, n)
        teacher, x = setting.teacher(rng), setting.inputs(n, rng)
        if sizes == "equal":
            teacher = BandFunction(BAND, np.sign(teacher.coefficients) / math.sqrt(sparsity))
        y, scale = teacher(x), (teacher.coefficients**2).sum()
        for name, learn in LEARNERS.items():
            start = time.perf_counter()
            f = learn(x, y, sparsity)
            out[f"{name}, s"] += (time.perf_counter() - start) / draws
            exact = f.distance(teacher) <= EXACT * scale
            out[name] += exact / draws
            if name == "recovery":
                out["certified and wrong"] += f.certified and not exact
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    warnings.simplefilter("ignore", (Undersampled, ConvergenceWarning, RuntimeWarning))
    versions = {"python": platform.python_version(), "numpy": np.__version__, "sklearn": sklearn.__version__}
    figures: dict[str, object] = {"machine": versions, "draws": options.draws, "M": BAND.size}

    print(f"strides: K of {BAND.size} frequencies, matrix pencil")
    print(
        f"{'step':<16}{'K':>4}{'n':>5}{'exact':>8}{'certified':>11}{'wrong':>7}{'condition':>11}{'sensitivity':>13}"
    )
    rows = []
    for step in STEPS:
        for sparsity in (1, 2, 4, 8, 16, 32):
            three_halves = math.ceil(1.5 * sparsity) + sparsity % 2
            for n in sorted({three_halves, 2 * sparsity, 2 * sparsity + 1, 2 * sparsity + 2, 3 * sparsity}):
                row = strides(options.draws, sparsity, n, STEPS[step])
                rows.append({"step": step, "K": sparsity, "n": n, **row})
                print(
                    f"{step:<16}{sparsity:4d}{n:5d}{row['exact']:8.0%}{row['certified']:11.0%}"
                    f"{row['certified and wrong']:7d}{row['median condition']:11.2g}"
                    f"{row['median sensitivity']:13.2g}",
                    flush=True,
                )
    figures["strides"] = rows

    print(f"\nrandom nodes: K coefficients of M = {BAND.size}; share exact, and seconds a fit")
    names = "".join(f"{name:>20}" for name in LEARNERS)
    print(f"{'sizes':<8}{'K':>4}{'n/K':>5}{'n/(K ln(M/K))':>15}{names}")
    rows = []
    curves = [("normal", 10, (*range(2, 13), 14, 16, 20)), ("equal", 10, (6, 8, 10, 11, 12, 14, 16))]
    curves += [("normal", sparsity, (4, 6, 8, 10, 12)) for sparsity in (5, 20)]
    for sizes, sparsity, ratios in curves:
        for ratio in ratios:
            row = random_nodes(options.draws, sparsity, ratio * sparsity, sizes)
            scaled = ratio / math.log(BAND.size / sparsity)
            case = {"sizes": sizes, "K": sparsity, "n": ratio * sparsity, "n/(K ln(M/K))": scaled}
            rows.append(case | row)
            shown = "".join(f"{row[name]:12.0%}{row[f'{name}, s']:8.3f}" for name in LEARNERS)
            print(f"{sizes:<8}{sparsity:4d}{ratio:5d}{scaled:15.2f}{shown}", flush=True)
    figures["random nodes"] = rows
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
