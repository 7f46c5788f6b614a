"""Compute-optimal exponents of one-pass descent on random features, in all seven phases.

Claim:    For power-law spectra, the smallest risk at compute f = m t falls as f^-p, and the best number of
          features m grows as f^q; `errsrc.theory.exponents.one_pass_compute` returns p and q (Paquette,
          Paquette, Xiao and Pennington 2024, arXiv 2405.15074).
Command:  python sims/one_pass.py [--out FILE.json] [--figure FILE.png]
Cost:     6 s of CPU time on one core, 10 s more with --figure
Outcome:  From f = 1e6 to 1e8, the slopes differ from p by at most 0.053 and from q by at most 0.153.  From
          1e14 to 1e16 for a > 1, and from 1e26 to 1e28 for a < 1, they differ by at most 0.0031 and 0.0023.
          For a < 1 the limit is reached later, because the learning rate follows its power of m only for
          large m (CPU, numpy 2.4, 2026-11-30)

The inputs have variances i^-a, and the target's squared coefficients are i^-b.  For a > 1 there are 1e24
inputs; for a < 1 there are 4 m inputs.  The batch is 1, there is no label noise, and the learning rate is a
quarter of the largest stable learning rate.  For a > 1, that of very large m is taken for all m.  The risk is
`errsrc.theory.one_pass_sgd`.  At each f, the best m is found by a bounded search in log m.  A slope is
that of log risk, or of log m, between log f and log(100 f).  There are eight pairs of a and b, two of them in
phase Ia.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize_scalar

from errsrc.theory import largest_learning_rate, one_pass_sgd
from errsrc.theory.exponents import one_pass_compute

SPECTRA = ((1.5, 2.2), (2.0, 2.5), (2.0, 3.4), (1.5, 4.0), (0.6, 1.4), (0.4, 2.0), (0.7, 3.0), (0.55, 3.0))
INPUTS, SHARE = 1e24, 0.25
SINGLE, WIDTH = 400, 0.01  # inputs before this one are not grouped; width of the groups of log i


def spectrum(a: float, b: float, inputs: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return variances, target and counts of inputs; many inputs of a similar variance count as one group."""
    ends = np.arange(min(inputs, SINGLE) + 1) + 0.5
    if inputs > SINGLE:
        groups = max(2, round(np.log(inputs / SINGLE) / WIDTH))
        ends = np.concatenate([ends, np.geomspace(ends[-1], inputs + 0.5, groups)[1:]])
    counts = np.diff(ends)
    i = np.where(counts > 1.001, np.sqrt(ends[1:] * ends[:-1]), (ends[1:] + ends[:-1]) / 2)
    return i**-a, counts * i**-b, counts


def best(a: float, b: float, compute: float) -> tuple[float, float]:
    """Return the best m and its risk."""

    def log_risk(log_m: float) -> float:
        m = float(np.exp(log_m))
        e, c, counts = spectrum(a, b, INPUTS if a > 1 else 4 * m)
        rate = SHARE * largest_learning_rate(1e20 if a > 1 else m, e, counts=counts)
        return float(np.log(one_pass_sgd(m, np.round(compute / m), e, c, learning_rate=rate, counts=counts)))

    middle = one_pass_compute(a, b).features * np.log(compute)
    ends = max(0.5, middle - 1), middle + 5
    found = minimize_scalar(log_risk, bounds=ends, method="bounded", options={"xatol": 0.02})
    return float(np.exp(found.x)), float(np.exp(found.fun))


def compared(a: float, b: float) -> dict[str, Any]:
    """Return the exponents of theory, and those between pairs of compute."""
    start, theory = time.process_time(), one_pass_compute(a, b)
    row: dict[str, Any] = {"a": a, "b": b, "phase": theory.phase}
    row |= {"theory": {"risk": theory.risk, "features": theory.features}, "measured": []}
    for compute in (1e6, 1e14 if a > 1 else 1e26):
        pairs = [best(a, b, each) for each in (compute, 100 * compute)]
        (m, risk), (more, less) = pairs
        row["measured"].append(
            {
                "compute": compute,
                "m": m,
                "risk": float(np.log(risk / less) / np.log(100)),
                "features": float(np.log(more / m) / np.log(100)),
            }
        )
    return row | {"seconds": time.process_time() - start}


def figure(path: Path) -> None:
    """Draw the risk over compute for several m, and the line of the best m, for one spectrum of each kind."""
    fig, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for ax, (a, b) in zip(axes, ((2.0, 2.5), (2.0, 3.4), (1.5, 4.0)), strict=True):
        e, c, counts = spectrum(a, b, INPUTS)
        rate, theory = SHARE * largest_learning_rate(1e20, e, counts=counts), one_pass_compute(a, b)
        compute = np.geomspace(1e2, 1e9, 50)
        curves = []
        for m, color in zip(
            3.0 ** np.arange(1, 9), plt.get_cmap("viridis")(np.linspace(0, 0.9, 8)), strict=True
        ):
            steps = np.round(compute / m)
            curve = one_pass_sgd(m, steps, e, c, learning_rate=rate, counts=counts)
            curves.append(curve)
            used = steps >= 1
            ax.loglog(m * steps[used], curve[used], color=color, label=f"m = {m:,.0f}")
        least = np.min(curves, 0)
        middle = len(compute) // 2
        line = least[middle] * (compute / compute[middle]) ** -theory.risk
        ax.loglog(compute, line, "k--", label="power of f")
        dashed = f"$f^{{-{theory.risk:.3g}}}$"
        ax.set_title(f"phase {theory.phase}: a = {a:g}, b = {b:g}, dashed: {dashed}", fontsize="medium")
        ax.set_xlabel("compute f = m t")
    axes[0].set_ylabel("excess risk")
    axes[-1].legend(frameon=False, fontsize=8)
    fig.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file, after each row")
    parser.add_argument("--figure", type=Path, help="draw curves of three phases to this file")
    options = parser.parse_args()
    found: dict[str, Any] = {"rows": []}
    for a, b in SPECTRA:
        row = compared(a, b)
        found["rows"].append(row)
        theory, (early, late) = row["theory"], row["measured"]
        print(
            f"{row['phase']:4} a = {a:4}  b = {b:3}"
            f"  risk {theory['risk']:.3f}: {early['risk']:.3f}, {late['risk']:.3f}"
            f"  features {theory['features']:.3f}: {early['features']:.3f}, {late['features']:.3f}",
            flush=True,
        )
        found["seconds"] = sum(one["seconds"] for one in found["rows"])
        if options.out:
            options.out.write_text(json.dumps(found, indent=1) + "\n")
    if options.figure:
        figure(options.figure)


if __name__ == "__main__":
    main()
