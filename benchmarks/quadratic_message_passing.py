"""The risk of message passing on quadratic networks, next to the Bayes-optimal risk.

    python benchmarks/quadratic_message_passing.py [--parts chains more continued] [--out FILE]

limit:     the risk at d = 25, 50 (and 100 for kappa = m / d = 0.5), divided by the limit of large d
           (`errsrc.theory.quadratic_networks`); a line in 1 / d extrapolates the ratio
chains:    the risk at d = 12, 24, 48 on the teachers and data of benchmarks/quadratic_bayes.py, over the
           posterior variance that its chains measured there (results/quadratic_bayes.json)
more:      the same for narrow networks and for little noise, with chains that are run here
continued: the cells and draws of narrow networks, with and without Hamiltonian chains that start at the
           learner's estimate; the errors of the ratios are those of paired draws
threshold: the share of noiseless teachers found to a relative squared error of 1e-4, and where it is one half

Rows of FILE that are there are not computed again.  Cost: 15 minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from quadratic_bayes import chain_variances
from quadratic_bayes import measured as chain_rows

from errsrc.learners import QuadraticMessagePassing
from errsrc.nets import QuadraticNetwork
from errsrc.rng import generator
from errsrc.settings import Clean, Gaussian, NetworkTeacher
from errsrc.theory import quadratic_networks

RESULTS = Path(__file__).parent / "results"
TEACHERS = {25: 20, 50: 8, 100: 2}
DIMS = {0.1: (25, 50), 0.5: (25, 50, 100)}
SHARES = {0.0: (0.5, 0.75, 0.9), 0.001: (0.75, 1.0), 0.01: (1.0,), 0.25: (1.0,)}  # n over degrees of freedom
FOUND, THRESHOLD_SHARES = 1e-4, (0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.3, 1.5)
EXTRAPOLATED = (
    0.05  # smallest limit, relative to the teacher's variance, from which on ratios are extrapolated
)
NARROW = 0.1
MORE = (  # d, kappa, alpha, noise
    *((d, NARROW, alpha, 0.25) for d in (20, 50) for alpha in (0.0725, 0.125)),
    *((24, 0.5, alpha, noise) for noise in (0.01, 0.001) for alpha in (0.25, 0.5)),
)
TRANSITIONS = 60  # of the chains that start at the estimate
LARGEST = 3400  # largest number of examples at d = 100

Row = dict[str, float]
Cell = tuple[int, float, float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=["chains", "more", "continued", "threshold", "limit"])
    parser.add_argument("--out", type=Path, help="add the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = Table(options.out)
    parts = {
        "chains": against_chains,
        "more": against_more_chains,
        "continued": continued,
        "threshold": thresholds,
        "limit": against_the_limit,
    }
    for part in options.parts:
        parts[part](table)


class Table:
    """The rows, which are printed and written one by one."""

    def __init__(self, out: Path | None) -> None:
        self.out = out
        self.rows: dict[str, Row] = json.loads(out.read_text()) if out and out.exists() else {}

    def row(self, key: str, compute) -> Row:
        """Return the row of a key; compute it if it is new."""
        if key not in self.rows:
            begun = time.process_time()
            self.rows[key] = compute()
            self.rows[key]["seconds"] = round(time.process_time() - begun, 1)
        print(key, ", ".join(f"{name} {value:.4g}" for name, value in self.rows[key].items()), flush=True)
        if self.out:
            self.out.write_text(json.dumps(self.rows, indent=1) + "\n")
        return self.rows[key]


def fitted(
    network: QuadraticNetwork, noise: float, n: int, rng: np.random.Generator, transitions: int = 0
) -> tuple[float, bool]:
    """Return the risk of the learner for one teacher and one sample, and whether the learner converged."""
    channel = Gaussian(math.sqrt(noise)) if noise else Clean()
    setting = NetworkTeacher(network, 1.0, channel=channel)
    teacher, x = setting.teacher(rng), setting.inputs(n, rng)
    y = channel.label(teacher(x), rng)
    found = QuadraticMessagePassing(network, noise, transitions=transitions).fit(x, y, rng).function
    return float(teacher.squared_distance(found)), found.converged


def measured(dim: int, kappa: float, noise: float, share: float) -> Row:
    """Return the mean risk of the learner at a multiple of the degrees of freedom."""
    network = QuadraticNetwork(dim, round(kappa * dim))
    n, teachers = round(share * network.degrees_of_freedom), TEACHERS[dim]
    rows = []
    for k in range(teachers):
        rng = generator(0, "message passing", f"{dim} {kappa:g} {noise:g} {share:g}", k)
        rows.append(fitted(network, noise, n, rng))
    risks = np.array([risk for risk, _ in rows])
    limit = float(quadratic_networks(n, dim, network.width, noise=noise))
    prior = 2 * (1 + dim / network.width)
    return {
        "n": n,
        "teachers": teachers,
        "relative_limit": limit / prior,
        "risk": float(risks.mean()),
        "relative_risk": float(risks.mean()) / prior,
        "std_error": float(risks.std(ddof=1)) / math.sqrt(teachers),
        "found": float((risks <= FOUND * prior).mean()),
        "converged": float(np.mean([converged for _, converged in rows])),
        **({"ratio": float(risks.mean()) / limit} if limit else {}),
        "dim": dim,
    }


def against_the_limit(table: Table) -> None:
    """Compare the risk with the limit of large d."""
    for kappa, dims in DIMS.items():
        for noise, shares in SHARES.items():
            for share in shares:
                rows = []
                for dim in dims:
                    width = round(kappa * dim)
                    if dim == 100 and share * QuadraticNetwork(dim, width).degrees_of_freedom > LARGEST:
                        continue
                    key = f"limit: kappa={kappa:g} noise={noise:g} n={share:g}dof d={dim}"
                    rows.append(table.row(key, lambda d=dim: measured(d, kappa, noise, share)))  # noqa: B023
                key = f"limit: kappa={kappa:g} noise={noise:g} n={share:g}dof extrapolated"
                if min(row["relative_limit"] for row in rows) >= EXTRAPOLATED:
                    table.row(key, lambda: extrapolated(rows))  # noqa: B023


def extrapolated(rows: list[Row]) -> Row:
    """Return the ratio at 1 / d = 0 of a line through the ratios, by weighted least squares."""
    x = np.array([[1.0, 1 / row["dim"]] for row in rows])
    weight = np.array([row["risk"] / row["ratio"] / row["std_error"] for row in rows])
    covariance = np.linalg.inv((x * weight[:, None] ** 2).T @ x)
    line = covariance @ (x * weight[:, None] ** 2).T @ np.array([row["ratio"] for row in rows])
    return {"ratio": float(line[0]), "ratio_error": math.sqrt(covariance[0, 0])}


def against_chains(table: Table) -> None:
    """Compare the risk with the posterior variance that chains measured, on the same draws."""
    chains = json.loads((RESULTS / "quadratic_bayes.json").read_text())
    for key, chain in chains.items():
        if "dim" in chain:
            table.row(f"chains: {key}", lambda key=key, chain=chain: beside_chains(key, chain))


def against_more_chains(table: Table) -> None:
    """Compare the risk with the posterior variance that chains measure in further cells."""
    for dim, kappa, alpha, noise in MORE:
        key = f"kappa={kappa:g} noise={noise:g} alpha={alpha:g} d={dim}"

        def compared(
            key: str = key, cell: tuple[int, float, float, float] = (dim, kappa, alpha, noise)
        ) -> Row:
            chain = chain_rows(*cell)
            return beside_chains(key, chain) | {"limit": chain["limit"]}

        table.row(f"chains: {key}", compared)


def beside_chains(key: str, chain: Row) -> Row:
    """Return the mean risk of the learner over the draws of one row of chains."""
    kappa, noise, alpha = (float(part.split("=")[1]) for part in key.split()[:3])
    dim = int(chain["dim"])
    network, risks = QuadraticNetwork(dim, round(kappa * dim)), []
    for number in range(1, int(chain["draws"]) + 1):  # draw 0 chose the chains' steps
        rng = generator(0, "quadratic bayes", f"{dim} {kappa:g} {alpha:g} {noise:g}", number)
        risks.append(fitted(network, noise, int(chain["n"]), rng)[0])
    mean, error = float(np.mean(risks)), float(np.std(risks, ddof=1)) / math.sqrt(len(risks))
    ratio = mean / chain["measured"]
    return {
        "risk": mean,
        "chains": chain["measured"],
        "ratio": ratio,
        "ratio_error": ratio * math.hypot(error / mean, chain["std_error"] / chain["measured"]),
    }


def continued(table: Table) -> None:
    """Compare the risk with and without chains that start at the estimate, on the same draws."""
    for dim, kappa, alpha, noise in (cell for cell in MORE if cell[1] == NARROW):
        key = f"kappa={kappa:g} noise={noise:g} alpha={alpha:g} d={dim}"

        def compared(cell: Cell = (dim, kappa, alpha, noise)) -> Row:
            dim, kappa, alpha, noise = cell
            chain, variances = chain_variances(*cell)
            network, risks = QuadraticNetwork(dim, round(kappa * dim)), []
            for number in range(1, len(variances) + 1):
                rngs = (
                    generator(0, "quadratic bayes", f"{dim} {kappa:g} {alpha:g} {noise:g}", number)
                    for _ in range(2)
                )
                each = zip(rngs, (0, TRANSITIONS), strict=True)
                risks.append([fitted(network, noise, int(chain["n"]), rng, many)[0] for rng, many in each])
            plain, continued = np.array(risks).T
            row = {"draws": len(risks), "chains": float(variances.mean()), "limit": chain["limit"]}
            for name, risk in {"plain": plain, "continued": continued}.items():
                ratio = risk.mean() / variances.mean()
                error = (risk - ratio * variances).std(ddof=1) / variances.mean() / math.sqrt(len(risks))
                row |= {name: float(risk.mean()), f"{name}_ratio": ratio, f"{name}_ratio_error": error}
            saved = (plain - continued) / plain.mean()
            return row | {
                "saved": float(saved.mean()),
                "saved_error": float(saved.std(ddof=1)) / math.sqrt(len(risks)),
            }

        table.row(f"continued: {key}", compared)


def thresholds(table: Table) -> None:
    """Find the number of noiseless examples from which on half of the teachers are found."""
    for kappa in DIMS:
        for dim in (25, 50):
            rows = [
                table.row(
                    f"threshold: kappa={kappa:g} n={share:g}dof d={dim}",
                    lambda share=share: measured(dim, kappa, 0.0, share),  # noqa: B023
                )
                for share in THRESHOLD_SHARES
            ]
            found = [row["found"] for row in rows]
            if max(found) >= 0.5:
                table.row(f"threshold: kappa={kappa:g} d={dim}", lambda: {"half": half(found)})  # noqa: B023


def half(found: list[float]) -> float:
    """Return the multiple of the degrees of freedom at which the share found crosses one half, by a line."""
    above = next(k for k, share in enumerate(found) if share >= 0.5)
    if above == 0:
        return THRESHOLD_SHARES[0]
    low, high = found[above - 1], found[above]
    step = (0.5 - low) / (high - low)
    return THRESHOLD_SHARES[above - 1] + step * (THRESHOLD_SHARES[above] - THRESHOLD_SHARES[above - 1])


if __name__ == "__main__":
    main()
