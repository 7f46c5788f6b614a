"""Excess risk of a learner that is given the band, compared with sigma^2 M / n.

Claim:    With noise there is no cliff to 0 but a rate: sigma^2 M / n on a grid. At random nodes the risk is
          very large near n = M, where the sampling operator is nearly singular, and falls to the grid's rate.
          A ridge of sigma^2 M, the ridge of the prior, removes the peak.
Command:  python sims/nyquist_noise.py [--out benchmarks/results/nyquist_noise.json]
Cost:     15 seconds of one core
Outcome:  M = 41, sigma^2 = 0.01, medians of 200 draws (grid; random nodes; random nodes with the ridge): at n
          = M 0.010 (the rate is 0.010), 1.6e11, 0.23; at 1.5 M 0.0073, 1.9, 0.078; at 2 M 0.0051, 0.029,
          0.023; at 5 M 0.0021, 0.0026, 0.0026; at 20 M all 0.0005 (CPU, numpy 2.4, 2026-11-25)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from errsrc.bases import Torus
from errsrc.conjecture import draw_errors
from errsrc.learners import BandLeastSquares
from errsrc.plots.style import BLUE, GREEN, GREY, STYLE, VERMILION, log
from errsrc.settings import BandTeacher, Gaussian, Jittered

BAND, STD, DRAWS = Torus(20), 0.1, 200
SIZES = (20, 30, 36, 39, 41, 43, 46, 52, 60, 82, 120, 205, 410, 820)
RIDGE = STD**2 * BAND.size

CASES = {
    "grid": (Jittered(0.0), 0.0),
    "random nodes": ((), 0.0),
    "random nodes, ridge": ((), RIDGE),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    print(f"{'n':>5}{'n / M':>8}{'sigma^2 M / n':>15}" + "".join(f"{name:>22}" for name in CASES))
    found: dict[str, list[float]] = {name: [] for name in CASES}
    for n in SIZES:
        for name, (nodes, ridge) in CASES.items():
            where = {"nodes": nodes} if nodes else {}
            setting = BandTeacher(BAND, channel=Gaussian(STD), **where)
            draws = draw_errors(setting, BandLeastSquares(BAND, ridge), n, DRAWS) ** 2
            found[name].append(float(np.median(draws)))
        rate = STD**2 * BAND.size / n
        row = "".join(f"{found[name][-1]:>22.2g}" for name in CASES)
        print(f"{n:>5}{n / BAND.size:>8.2f}{rate:>15.2g}{row}", flush=True)
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(figsize=(6.4, 4.0))
        for (name, values), colour in zip(found.items(), (GREEN, VERMILION, BLUE), strict=True):
            ax.plot(np.array(SIZES) / BAND.size, values, "o-", color=colour, markersize=3.5, label=name)
        rates = STD**2 * BAND.size / np.array(SIZES)
        ax.plot(np.array(SIZES) / BAND.size, rates, color=GREY, linestyle=":", label="sigma² M / n")
        ax.set(xlabel="n / M", ylabel="excess risk, median of draws")
        ax.legend()
        log(ax)
        ax.figure.savefig(Path(__file__).with_suffix(".png"), dpi=150, bbox_inches="tight")
    if options.out:
        options.out.write_text(
            json.dumps({"M": BAND.size, "n": SIZES, "draws": DRAWS, **found}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
