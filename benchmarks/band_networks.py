"""How do networks learn a band-limited function? Does any of them fall off a cliff?

    python benchmarks/band_networks.py [--steps 12000] [--out benchmarks/results/band_networks.json]

The teachers are random functions in the band |k_i| <= 3 of two angles, M = 49, without noise, at n = M, 2 M,
4 M, 16 M and 64 M uniform nodes. Least squares in the band is exact from about n = M on. Figures are the
relative error sqrt(E |f^ - f|^2 / E |f|^2) on a grid, over all seeds; each seed has its own teacher and
nodes. The local exponents stand below them.

The first table is ordinary training: Adam, stopped early by a validation set of a fifth of the n examples,
with the learning rate (and w0 of sine networks) that has the smallest mean validation loss. "Low-passed" are
the same students, projected on the band. The second table is training to the end: L-BFGS in float64, on all
examples, without validation. Next to its relative error stands the median of the relative training error that
the optimiser reached.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from errsrc.bases import Torus
from errsrc.errors import Diverged
from errsrc.learners import BandLeastSquares, Fitted, Learner, LowPass, NetworkStudent
from errsrc.nets import MLP, FilterNetwork, FourierFeatures, Network, SineNetwork
from errsrc.rng import generator
from errsrc.settings import BandTeacher
from errsrc.training import Recipe

WORLD = BandTeacher(Torus(3, 2))
RATIOS = (1, 2, 4, 16, 64)
FILTERS = FilterNetwork(2, (1, 1, 1), (32, 32, 32, 1))
FEATURES = FourierFeatures(2, 3, (64, 64, 1), "tanh")
ORDINARY: dict[str, list[Network]] = {
    "MLP, relu": [MLP((2, 64, 64, 1), "relu")],
    "MLP, tanh": [MLP((2, 64, 64, 1), "tanh")],
    "MLP on the circles, tanh": [FourierFeatures(2, 1, (64, 64, 1), "tanh")],
    "sine network": [SineNetwork((2, 64, 64, 1), w0) for w0 in (5.0, 12.0)],
    "Fourier features, tanh": [FEATURES],
    "Fourier features, linear": [FourierFeatures(2, 3, (1,))],
    "filter network": [FILTERS],
}
RATES = (5e-4, 3e-3, 1.5e-2)
PROJECTED = ("MLP, tanh", "sine network", "Fourier features, tanh")
TO_THE_END: dict[str, Network] = {
    "MLP, tanh": MLP((2, 64, 1), "tanh"),
    "MLP on the circles, tanh": FourierFeatures(2, 1, (64, 1), "tanh"),
    "sine network": SineNetwork((2, 64, 1), 5.0),
    "Fourier features, tanh": FourierFeatures(2, 3, (32, 1), "tanh"),
    "Fourier features, linear": FourierFeatures(2, 3, (1,)),
    "filter network": FILTERS,
}
ADAM = Recipe(loss="squared", evaluation_interval=20, min_steps=500)
GRID = WORLD.basis.quadrature(32)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=12000, help="of Adam")
    parser.add_argument("--lbfgs", type=int, default=3000, help="steps of L-BFGS")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    data = [draw(ratio * WORLD.basis.size, seed) for ratio in RATIOS for seed in range(options.seeds)]
    figures: dict[str, object] = {
        "machine": {"python": platform.python_version(), "torch": torch.__version__},
        "steps": options.steps,
        "lbfgs": options.lbfgs,
        "seeds": options.seeds,
        "n": [ratio * WORLD.basis.size for ratio in RATIOS],
    }
    print("relative error at n / M =" + " " * 8 + "".join(f"{ratio:>10}" for ratio in RATIOS) + "  exponents")
    exact = fit(BandLeastSquares(WORLD.basis), data)
    figures["least squares in the band"] = show(
        "least squares in the band", errors(exact, data), options.seeds, 0.0
    )
    for name, networks in ORDINARY.items():
        start = time.perf_counter()
        students = [
            NetworkStudent(network, replace(ADAM, learning_rate=rate), options.steps)
            for network in networks
            for rate in RATES
        ]
        fitted = [fit(student, data) for student in students]
        chosen = choose(fitted, options.seeds)
        kept = [fitted[k][i] for i, k in enumerate(chosen)]
        row = show(name, errors(kept, data), options.seeds, time.perf_counter() - start)
        rates = [students[k].recipe.learning_rate for k in chosen[:: options.seeds]]
        figures[name] = row | {"learning rates": rates}
        if name in PROJECTED:
            start, label = time.perf_counter(), f"{name}, low-passed"
            projected: list[Fitted | None] = [None] * len(data)
            for k in set(chosen):
                own = [i for i, one in enumerate(chosen) if one == k]
                found = fit(LowPass(students[k], WORLD.basis), [data[i] for i in own])
                for i, one in zip(own, found, strict=True):
                    projected[i] = one
            figures[label] = show(label, errors(projected, data), options.seeds, time.perf_counter() - start)
        save(options.out, figures)
    print("\nL-BFGS in float64, without validation")
    recipe = Recipe("lbfgs", loss="squared", evaluation_interval=100)
    few = data[: 4 * options.seeds]
    for name, network in TO_THE_END.items():
        start, label = time.perf_counter(), f"{name}, to the end"
        fitted_all = fit(NetworkStudent(network, recipe, options.lbfgs, 0.0, precision="float64"), few)
        row = show(name, errors(fitted_all, few), options.seeds, time.perf_counter() - start)
        labels = [y for _, y, *_ in few]
        left = [
            f.function.trained[0].train_loss / (y**2).mean() for f, y in zip(fitted_all, labels, strict=True)
        ]
        medians = np.median(np.sqrt(left).reshape(-1, options.seeds), axis=1)
        print(f"{'  left on the examples':<33}" + "".join(f"{one:10.2g}" for one in medians))
        figures[label] = row | {"left on the examples": medians.tolist()}
        save(options.out, figures)


def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return nodes, labels, the teacher's values on the grid, and the learner's seed."""
    rng = generator(seed, "band-networks", str(n))
    x, teacher = WORLD.inputs(n, rng), WORLD.teacher(rng)
    return x, teacher(x), teacher(GRID), seed


def fit(learner: Learner, data: list[tuple[np.ndarray, np.ndarray, np.ndarray, int]]) -> list[Fitted]:
    """Return all predictors, those that diverged too."""
    rngs = [generator(seed, "band-networks", "fit", str(len(x))) for x, *_, seed in data]
    try:
        return learner.fit_many([x for x, *_ in data], [y for _, y, *_ in data], rngs)
    except Diverged as error:
        return list(error.best)


def choose(fitted: list[list[Fitted]], seeds: int) -> list[int]:
    """Return for each data set the candidate of the lowest mean validation loss over the seeds of its n."""
    losses = np.array([[_validation(one) for one in row] for row in fitted])
    means = losses.reshape(len(fitted), -1, seeds).mean(2)
    return [int(k) for k in np.repeat(means.argmin(0), seeds)]


def _validation(one: Fitted) -> float:
    (trained,) = one.function.trained
    return np.inf if trained.diverged else float(trained.curve["loss"][trained.best_evaluation])


def errors(fitted: list[Fitted], data: list[tuple[np.ndarray, np.ndarray, np.ndarray, int]]) -> np.ndarray:
    """Return mean squared errors and mean squares on the grid, float64 (2, data sets)."""
    squares = [((f(GRID) - values) ** 2).mean() for f, (_, _, values, _) in zip(fitted, data, strict=True)]
    return np.array([squares, [(values**2).mean() for _, _, values, _ in data]])


def show(name: str, squares: np.ndarray, seeds: int, seconds: float) -> dict[str, object]:
    """Print a row and return it."""
    means = squares.reshape(2, -1, seeds).mean(2)
    relative = np.sqrt(means[0] / means[1])
    ratios = np.array(RATIOS[: len(relative)])
    exponents = -np.diff(np.log(relative)) / np.diff(np.log(ratios))
    text = "".join(f"{one:10.2g}" for one in relative) + " " * 10 * (len(RATIOS) - len(relative))
    print(f"{name:<33}{text}  {' '.join(f'{one:.2f}' for one in exponents)}  {seconds:.0f} s", flush=True)
    return {"relative error": relative.tolist(), "exponents": exponents.tolist(), "seconds": seconds}


def save(out: Path | None, figures: dict[str, object]) -> None:
    """Write what there is so far."""
    if out:
        out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
