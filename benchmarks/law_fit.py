"""How good are the fitter and the default estimator on published measurements? All in one run.

    python benchmarks/law_fit.py [--reference-starts 4500] [--out FILE.json]

(a) The fitter next to the published method for the Chinchilla form, on the same points, with one thread.
    The published method (Besiroglu et al. 2024) takes a grid of 4,500 starts, Huber losses of the
    log-sum-exp, and BFGS with numeric gradients.  Then the default estimator on the recommended splits of
    three published grids.
(b) The default estimator on 44 published learning curves: fitted part to held-out part.
(c) Coverage and mean interval score (Gneiting and Raftery 2007, eq. 43, of ln error) of its 90% intervals
    for the held-out points of all of these, next to a naive band: 1.645 standard deviations of the residuals.
(d) The pruning law on the published curves of pruned residual networks.

RMSLE is the root mean square of ln(predicted / measured).  The reference takes six core-minutes at its 4,500
starts, the rest one.  `sims/law_coverage.toml` measures the coverage of the parameters' intervals.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np
import scipy
from forecasts import LEVEL, Task, judged
from scipy.optimize import minimize
from scipy.special import huber, logsumexp

from errsrc.datasets import published, published_curves
from errsrc.fitting import auto, fit
from errsrc.laws import Chinchilla

DELTA = 1e-3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--reference-starts", type=int, default=4500, help="of its grid; fewer is extrapolated"
    )
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    figures = {
        "machine": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
        "a_fitter": fitter(options.reference_starts),
        "a_grids": grids(),
        "b_curves": learning_curves(),
        "d_pruning": pruning(),
    }
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def fitter(starts: int) -> dict[str, float]:
    """Time the published method and the fitter on the 240 Chinchilla points."""
    table = published("chinchilla_epoch")
    kept = ~table["outlier"]
    n, m, loss = (table[name][kept] for name in ("tokens", "params", "loss"))

    def objective(theta: np.ndarray) -> float:
        a, b, e, alpha, beta = theta
        terms = np.stack([a - alpha * np.log(m), b - beta * np.log(n), np.full(len(n), e)])
        return float(huber(DELTA, np.log(loss) - logsumexp(terms, axis=0)).sum())

    amplitude, exponent = np.arange(0, 30, 5), np.arange(0, 2.5, 0.5)
    chosen = list(itertools.product(amplitude, amplitude, np.arange(-1, 1.5, 0.5), exponent, exponent))
    stride = max(len(chosen) // starts, 1)
    begun = time.process_time()
    best = np.inf
    for k, start in enumerate(chosen[::stride][:starts]):
        best = min(best, minimize(objective, start, method="BFGS").fun)
        progress("a: reference start", k + 1, starts)
    seconds = (time.process_time() - begun) * len(chosen) / min(starts, len(chosen[::stride]))
    ours = fit(Chinchilla, loss, n=n, m=m, objective="huber", huber_delta=DELTA)  # once for the imports
    begun = time.process_time()
    ours = fit(Chinchilla, loss, n=n, m=m, objective="huber", huber_delta=DELTA)
    mine = time.process_time() - begun
    law = ours.law.params
    print(f"(a) reference: Huber sum {best:.9f}, {seconds:.0f} s of a core for 4,500 starts")
    print(f"    errsrc:    Huber sum {ours.value:.9f}, {mine:.2f} s: {seconds / mine:.0f} times faster")
    print("    " + ", ".join(f"{name} {value:.5g}" for name, value in law.items()), flush=True)
    return {
        "reference_objective": best,
        "reference_seconds": seconds,
        "objective": ours.value,
        "seconds": mine,
        "ratio": seconds / mine,
        **law,
    }


def grids() -> dict[str, dict[str, float]]:
    """Score the default estimator on the recommended splits of three grids over n and m."""
    scores = {}
    table = published("chinchilla_epoch")
    kept = ~table["outlier"]
    n, m, loss = (table[name][kept] for name in ("tokens", "params", "loss"))
    for most in (1e20, 3e20, 1e21):
        small = table["flops"][kept] <= most * 1.0001
        scores[f"chinchilla <= {most:.0e}"] = mean([score(small, loss, n=n, m=m)])
    table = published("olmo_ladder_final")
    sets = [name for name in table if name not in ("run", "role", "params", "tokens")]
    for role, name in (("target", "OLMo to 7B and 13B"),):
        rows = np.isin(table["role"], ["paper_train", role])
        small = table["role"][rows] == "paper_train"
        n, m = table["tokens"][rows], table["params"][rows]
        scores[name] = mean([score(small, table[s][rows], n=n, m=m) for s in sets])
    table = published("openlm_overtraining")
    results = []
    for data, loss_name in itertools.product(
        np.unique(table["dataset"]), [k for k in table if k.startswith("loss")]
    ):
        rows = (table["dataset"] == data) & ((table["params"] < 5e8) | (table["params"] >= 1e9))
        sizes = {"n": table["tokens"][rows], "m": table["params"][rows]}
        results.append(score(table["params"][rows] < 5e8, table[loss_name][rows], **sizes))
    scores["OpenLM to >= 1e9"] = mean(results)
    for name, values in scores.items():
        print(f"(a, c) {name:22} {line(values)}", flush=True)
    return scores


def learning_curves() -> dict[str, dict[str, float]]:
    """Score the default estimator on the published learning curves."""
    scores = {}
    begun = time.process_time()
    for name in ("curves_vision", "curves_language"):
        results = [score(fitted, error, n=n) for _, n, error, fitted in published_curves(name)]
        scores[name] = mean(results)
    seconds = time.process_time() - begun
    for name, values in scores.items():
        print(f"(b, c) {name:22} {line(values)}")
    print(f"(b) {seconds:.1f} core-seconds for all curves, intervals included", flush=True)
    scores["seconds"] = {"all": seconds}
    return scores


def pruning() -> dict[str, dict[str, float]]:
    """Fit each pruned network's mean error over seeds; predict ResNet-56 below density 0.107."""
    table = published("renda2020_unstructured")
    scores = {}
    for network, retrain in itertools.product(
        ("resnet20", "resnet56", "resnet50"), np.unique(table["retrain"])
    ):
        rows = (table["network"] == network) & (table["retrain"] == retrain)
        density = np.unique(table["density"][rows])
        error = np.array([1 - table["test_acc"][rows & (table["density"] == d)].mean() for d in density])
        values = {"fit": rmsle(auto(error, density=density).predict(density=density).predicted, error)}
        dense = density >= 0.107
        if not dense.all():
            values |= {f"held-out {k}": v for k, v in score(dense, error, density=density).items()}
        scores[f"{network} {retrain}"] = values
        print(f"(d) {network} {retrain}: " + ", ".join(f"{k} {v:.4f}" for k, v in values.items()), flush=True)
    return scores


def score(fitted: np.ndarray, error: np.ndarray, **sizes: np.ndarray) -> dict[str, float]:
    """Fit the default estimator to the fitted rows; score it on the others."""
    found = auto(error[fitted], level=LEVEL, **{name: x[fitted] for name, x in sizes.items()})
    scored = judged(Task("", "", error, sizes, fitted), found)
    return {
        "rmsle": scored.rmsle,
        "points": float((~fitted).sum()),
        "covered": scored.covered,
        "score": scored.score,
        "naive score": scored.naive,
    }


def rmsle(predicted: np.ndarray, measured: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.log(predicted / measured) ** 2)))


def mean(results: list[dict[str, float]]) -> dict[str, float]:
    """Average scores over tasks; coverage over points too ("pooled")."""
    out = {name: float(np.mean([r[name] for r in results])) for name in results[0] if name != "points"}
    out["median rmsle"] = float(np.median([r["rmsle"] for r in results]))
    points = np.array([r["points"] for r in results])
    out["pooled covered"] = float(points @ [r["covered"] for r in results] / points.sum())
    out["tasks"] = len(results)
    return out


def line(values: dict[str, float]) -> str:
    return (
        f"RMSLE mean {values['rmsle']:.4f} median {values['median rmsle']:.4f}; 90% intervals cover "
        f"{values['pooled covered']:.3f} of points ({values['covered']:.3f} mean of tasks), "
        f"score {values['score']:.4f} (naive {values['naive score']:.4f}); {values['tasks']} tasks"
    )


def progress(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty() or done % max(total // 10, 1) == 0:
        print(
            f"{what} {done}/{total}", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True
        )


if __name__ == "__main__":
    main()
