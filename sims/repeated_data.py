"""Classifiers that see their data several times, and the law of repeated data.

Claim:    Repeated data count for less than new data, and after many repetitions the loss rises. The law
          `finite-data` describes both; a law of n and m alone does not.
Command:  python sims/repeated_data.py
Cost:     72 trainings, 61 s of one core
Outcome:  324 points, 1 to 128 passes over u = 1,024 to 32,768 examples, 118 to 3,466 parameters. Standard
          deviation of the divergence: `chinchilla` of n and m 7.6%; `finite-data` with P = 0 6.4%, r_n 8.1
          [5.8, 12.2]; with the overfitting 3.6%, P 0.0041 [0.0039, 0.0043], and then r_n > 50: in this grid
          the rise of the loss explains what P = 0 takes for a smaller worth of repeated data. Seeds differ
          by 0.8%, so that the law lacks a part. Free exponents of the repetitions and of m / u instead of 1
          improve the fit by less than 0.1 points (not in this script). Fitted to u <= 8,192, the larger u are
          predicted by +0.9% +- 3.2%, all within their 90% intervals, which are too wide (CPU, torch 2.13)

The labels are drawn from the class probabilities of a random network, so that the smallest possible loss is
above 0. The learning rate is constant: the losses along one training are those of trainings of any length.
Points of fewer than 8,192 examples (256 steps) are left out: there the loss depends on the number of steps.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from errsrc.fitting import Fit, fit
from errsrc.laws import Chinchilla, FiniteData
from errsrc.nets import MLP
from errsrc.training import Member, Recipe, train

Points = dict[str, NDArray[np.float64]]

TEACHER = MLP((16, 64, 10), "tanh")
WIDTHS = (4, 8, 16, 32, 64, 128)
UNIQUE = (1024, 2048, 4096, 8192, 16_384, 32_768)
SMALLEST_N, LARGEST_N = 8192, 131_072
VALIDATION = 20_000
RECIPE = Recipe(
    learning_rate=2e-3,
    batch=32,
    evaluation_interval=32,
    patience=1e9,
    min_steps=LARGEST_N // 32,
)


def labelled(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs, and labels that are drawn from the class probabilities of a random network."""
    chance = torch.Generator().manual_seed(0)
    shapes = TEACHER.shapes()
    weights = tuple(2 * torch.randn((1, *s), generator=chance) / s[-1] ** 0.5 for s in shapes)
    x = torch.randn((count, 16), generator=chance)
    probabilities = TEACHER(weights, x)[0].softmax(1)
    return x, torch.multinomial(probabilities, 1, generator=chance)[:, 0]


def grid() -> Points:
    """Train all networks, and return the losses after 1, 2, 4, ... passes, one row a point."""
    x, y = labelled(VALIDATION + 2 * max(UNIQUE))
    held_out = (x[:VALIDATION], y[:VALIDATION])
    x, y = x[VALIDATION:], y[VALIDATION:]
    rows = []
    for width in WIDTHS:
        network = MLP((16, width, 10))
        starts = [(u, seed) for u in UNIQUE for seed in (0, 1)]
        members = [
            Member(np.arange(u) + seed * max(UNIQUE), LARGEST_N // RECIPE.batch, 100 * width + seed)
            for u, seed in starts
        ]
        for (u, _), trained in zip(starts, train(network, x, y, members, held_out, RECIPE), strict=True):
            n = RECIPE.batch * trained.curve["step"]
            passes = 2 ** np.arange(int(np.log2(LARGEST_N / u)) + 1)
            passes = passes[u * passes >= SMALLEST_N]
            at = np.searchsorted(n, u * passes)  # the first evaluation after so many passes
            rows += [(n[k], u, network.parameters, trained.curve["loss"][k]) for k in at]
    return dict(zip(("n", "u", "m", "error"), np.array(rows, dtype=float).T, strict=True))


def described(found: Fit) -> str:
    """Return the law of a fit, and its mean and standard deviation of the divergence."""
    values = ", ".join(f"{name} {interval}" for name, interval in found.intervals.items())
    return f"divergence {found.divergence_mean:+.1%} +- {found.divergence_std:.1%}; {values}"


def main() -> None:
    points = grid()
    error, sizes = points["error"], {name: points[name] for name in ("n", "u", "m")}
    print(f"{len(error)} points, losses {error.min():.3f} to {error.max():.3f}")
    seen = {"n": sizes["n"], "m": sizes["m"]}
    print("chinchilla of n and m:", described(fit(Chinchilla, error, **seen)))
    print("finite-data, P = 0:", described(fit(FiniteData, error, fixed={"P": 0}, **sizes)))
    whole = fit(FiniteData, error, **sizes)
    print("finite-data:", described(whole), *whole.warnings, sep="\n  ")
    few = sizes["u"] <= UNIQUE[-3]
    for fixed in ({"P": 0.0}, {}):
        small = fit(FiniteData, error[few], fixed=fixed, **{name: x[few] for name, x in sizes.items()})
        ahead = small.predict(**{name: x[~few] for name, x in sizes.items()})
        miss = ahead.predicted / error[~few] - 1
        inside = np.mean((ahead.low <= error[~few]) & (error[~few] <= ahead.high))
        print(f"u > {UNIQUE[-3]} {fixed}: {miss.mean():+.1%} +- {miss.std():.1%}, {inside:.0%} in 90%")


if __name__ == "__main__":
    main()
