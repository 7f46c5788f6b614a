"""The Bayes-optimal risk of quadratic networks: chains in the posterior against the limit of large d.

    python benchmarks/quadratic_bayes.py [--dims 25 50 100] [--kappa 0.5] [--out FILE]

Each draw has a teacher with m = kappa d, n = alpha d^2 noisy labels at normal inputs, and two Hamiltonian
chains that start at the teacher. The teacher is a sample of the posterior, so both chains are stationary.
Half the mean squared distance of their ends, in closed form, is a lower bound of the posterior variance, and
reaches it if the chains are long enough: the value after half of the transitions is printed next to it.
Steps are chosen on another draw. The limit is `errsrc.theory.quadratic_networks`. A line in 1 / d
extrapolates the ratio of both. Large d have few draws (3 at d = 100), whose own spread says little about
their error: the standard deviation of a draw is taken to be proportional to 1 / d, and is pooled over all d.
One core: 23 minutes for the default, 7 minutes for d = 12, 24 and 48.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch

from errsrc.nets import QuadraticNetwork
from errsrc.rng import generator, seed_of
from errsrc.settings import Gaussian, NetworkTeacher
from errsrc.theory import quadratic_networks
from errsrc.training.hamiltonian import NetworkPosterior, choose_steps, leaps_of, run_chains

NOISES, ALPHAS = (0.25, 0.05), (0.125, 0.25, 0.5, 0.75, 1.0)
NUMBERS = 24_000  # draws times d^2, so that all dims have similar sampling errors
TRANSITIONS, MOST_LEAPS = 60, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dims", type=int, nargs="+", default=(25, 50, 100))
    parser.add_argument("--kappa", type=float, default=0.5)
    parser.add_argument("--out", type=Path, help="add the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures = json.loads(options.out.read_text()) if options.out and options.out.exists() else {}
    for noise in NOISES:
        for alpha in ALPHAS:
            rows = []
            for dim in options.dims:
                key = f"kappa={options.kappa:g} noise={noise:g} alpha={alpha:g} d={dim}"
                if key not in figures:
                    figures[key] = measured(dim, options.kappa, alpha, noise)
                rows.append(figures[key])
                written(key, figures, options.out)
            if len(rows) > 1:
                dims = ", ".join(str(dim) for dim in options.dims)
                key = f"kappa={options.kappa:g} noise={noise:g} alpha={alpha:g} extrapolated from d={dims}"
                figures[key] = extrapolated(rows)
                written(key, figures, options.out)


def written(key: str, figures: dict[str, dict[str, float]], out: Path | None) -> None:
    """Print a row, and write all rows to a file if one is given."""
    print(key, ", ".join(f"{name} {value:.4g}" for name, value in figures[key].items()), flush=True)
    if out:
        out.write_text(json.dumps(figures, indent=1) + "\n")


def measured(dim: int, kappa: float, alpha: float, noise: float) -> dict[str, float]:
    """Return the posterior variance of one size, and its ratio to the limit."""
    return chain_variances(dim, kappa, alpha, noise)[0]


def chain_variances(
    dim: int, kappa: float, alpha: float, noise: float
) -> tuple[dict[str, float], np.ndarray]:
    """Return the figures of `measured`, and one value for each draw; their mean is the posterior variance."""
    network = QuadraticNetwork(dim, round(kappa * dim))
    n, draws = round(alpha * dim**2), max(3, NUMBERS // dim**2)
    setting = NetworkTeacher(network, 1.0, channel=Gaussian(math.sqrt(noise)))
    teachers, xs, ys = [], [], []
    for number in range(draws + 1):
        rng = generator(0, "quadratic bayes", f"{dim} {kappa:g} {alpha:g} {noise:g}", number)
        teachers.append(setting.teacher(rng))
        xs.append(setting.inputs(n, rng))
        ys.append(setting.channel.label(teachers[-1](xs[-1]), rng)[:, None])
    x, y = torch.from_numpy(np.stack(xs)), torch.from_numpy(np.stack(ys))
    weights = (torch.cat([teacher.weights[0] for teacher in teachers]),)
    rng = torch.Generator().manual_seed(seed_of(0, "quadratic bayes", dim))
    begun = time.process_time()
    other = NetworkPosterior(network, (1.0,), x[:1], y[:1], math.sqrt(noise))
    step, _ = choose_steps(other, other.whitened((weights[0][:1],)), rng)
    leaps = leaps_of(step, MOST_LEAPS)
    posterior = NetworkPosterior(network, (1.0,), x[1:], y[1:], math.sqrt(noise)).repeated(2)
    z = weights[0][1:].flatten(1).repeat_interleave(2, 0)  # weights of the prior are whitened already
    halves = []
    for _ in range(2):
        path = run_chains(posterior, z, step.expand(2 * draws), leaps, TRANSITIONS // 2, rng)
        z = path.state
        forms = network.unflatten(z)[0]
        forms = forms.mT @ forms / network.width
        halves.append((forms[0::2] - forms[1::2]).square().sum((1, 2)).numpy() / dim)
    limit = float(quadratic_networks(n, dim, network.width, noise=noise))
    half, whole = halves
    figures = {
        "n": n,
        "draws": draws,
        "limit": limit,
        "measured": float(whole.mean()),
        "std_error": float(whole.std(ddof=1) / math.sqrt(draws)),
        "measured_after_half": float(half.mean()),
        "ratio": float(whole.mean()) / limit,
        "ratio_error": float(whole.std(ddof=1) / math.sqrt(draws)) / limit,
        "accepted": float(path.acceptance.mean()),
        "leaps": leaps,
        "seconds": round(time.process_time() - begun, 1),
        "dim": dim,
    }
    return figures, whole


def extrapolated(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the ratio at 1 / d = 0 of a line through the ratios, by weighted least squares."""
    dims, draws, errors = np.array([[row[k] for k in ("dim", "draws", "ratio_error")] for row in rows]).T
    scale = math.sqrt(np.average((errors * dims) ** 2 * draws, weights=draws - 1))  # std of a draw, times d
    lines = np.column_stack([np.ones(len(rows)), 1 / dims]) * (dims * np.sqrt(draws) / scale)[:, None]
    covariance = np.linalg.inv(lines.T @ lines)
    ratios = np.array([row["ratio"] for row in rows])
    line = covariance @ lines.T @ (ratios * dims * np.sqrt(draws) / scale)
    return {"ratio": float(line[0]), "ratio_error": math.sqrt(covariance[0, 0]), "slope": float(line[1])}


if __name__ == "__main__":
    main()
