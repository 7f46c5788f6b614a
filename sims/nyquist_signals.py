"""Recordings and photographs at random nodes: given a band, choosing a band, and ordinary learners.

Claim:    A recording lies in a band but for a tail, and the tail is slow. A learner that is given the band
          falls to tail (1 + M / (n - M)) and no further; only the low-passed recording has a cliff to
          rounding.
Command:  python sims/nyquist_signals.py [--out benchmarks/results/nyquist_signals.json]
          (tells how to install what is missing; flac decodes the sounds)
Cost:     2.5 minutes of one core
Outcome:  A record of N samples is a sum of N cosines, M of them in the band. It is mirrored, so that its ends
          make no jump (a window would change samples). M for tails of 0.1, 0.01, 1e-4: 125, 220, 861 of 1,024
          (ecg); 57, 138, 232 of 24,685 (bd_808, a drum); 75, 251, 1,423 of 1,915 (tabla_ke1); 576, 64,516,
          259,081 of 262,144 (camera, a photograph); 225, 2,304, 56,644 of 302,500 (cell, a micrograph). Given
          bands with tails 1e-3, 1e-5, 0.01, 0.1, 0.1, squared errors (medians of 5 draws) peak at n = M, at
          500 to 6e6. At 2 M they are 7 to 34 times the theory in one dimension and 1.7 times in two; from 4 M
          on they are within a third of the theory. Low-passed records are exact, under 1e-22, from 1.5 M on.
          At 4 M an ordinary learner (the best of kernels and neighbours on held-out nodes) has a smaller
          error than the one that is given the band, which the tail stops: 3.5e-4 against 1.5e-3 (ecg), 7.8e-6
          against 1.7e-5 (bd_808), 0.0036 against 0.014 (tabla_ke1), 0.082 against 0.14 (cell). On camera none
          gets under 0.11 up to 8 M. A learner that chooses its band goes down the spectrum as n grows, to
          1e-26 on ecg at 2.9 N, where its band holds the whole record. An error of 1% (1e-4 of the energy)
          takes about 956 nodes on the drum (0.04 N, 4 times its M for that tail), and over N by theory on the
          others. 10% takes about 0.02 N (drum), 0.04 N (cell), 0.6 N (tabla_ke1), 0.9 N (ecg), and N by
          theory (camera). Few nodes suffice where the recorder took many more samples than the sound needs
          (CPU, numpy 2.4, 2026-11-25)
"""

from __future__ import annotations

import argparse
import importlib
import io
import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from scipy.fft import dctn
from scipy.io import wavfile

from errsrc.bases import BandFunction, Torus
from errsrc.learners import BandLeastSquares, KernelRidge, Neighbours, Tuned
from errsrc.plots.style import BLUE, GREEN, GREY, ORANGE, STYLE, VERMILION, log

RECORDS = {"ecg": "pywt", "bd_808": "", "tabla_ke1": "", "camera": "skimage", "cell": "skimage"}
SHARES, TARGETS, RATIOS, DRAWS = (0.1, 1e-2, 1e-3, 1e-4, 1e-5), (1e-2, 1e-4), (0.5, 1, 1.5, 2, 4, 8), 5
SMOOTH = (KernelRidge("matern", length, 1.5, 1e-4) for length in (0.02, 0.1, 0.5))
ORDINARY = Tuned((Neighbours(1), Neighbours(3), *SMOOTH))
INSTALL = "apt-get install sonic-pi-samples flac; pip install PyWavelets scikit-image"
COLOURS = {"told": BLUE, "low-passed": GREEN, "chosen": ORANGE, "ordinary": VERMILION}


def recorded(name: str, package: str) -> BandFunction:
    """Return a record, one channel or a square, of mean 0 and variance 1, mirrored at its ends."""
    if package:
        samples = np.asarray(getattr(importlib.import_module(f"{package}.data"), name)(), dtype=float)
        samples = samples[(slice(min(samples.shape)),) * samples.ndim]
    else:
        command = ["flac", "-dcs", f"/usr/share/sonic-pi/samples/{name}.flac"]
        wave = wavfile.read(io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout))[1]
        samples = wave.reshape(len(wave), -1).mean(1)
    whole = Torus(len(samples) - 1, samples.ndim)
    cosines = dctn((samples - samples.mean()) / samples.std(), norm="forward")
    coefficients = np.sqrt(2) * cosines[tuple(np.abs(whole.indices).T)]
    coefficients[2::2] = 0.0  # sines
    return BandFunction(whole, coefficients)


def told(degree: int, x: np.ndarray, y: np.ndarray) -> BandFunction:
    """Return the fit in a band of cosines: each label counts at all mirror images of its node."""
    band = Torus(degree, x.shape[1])
    images = [np.where(kept, x, 2 * np.pi - x) for kept in itertools.product((True, False), repeat=band.dim)]
    ridge = 0.0 if len(x) >= (degree + 1) ** band.dim else 1e-4 * band.size  # as good as least norm
    learner = BandLeastSquares(band, ridge, weights="density")
    return learner.fit(np.concatenate(images), np.tile(y, len(images)), np.random.default_rng(0)).function


def chosen(x: np.ndarray, y: np.ndarray) -> BandFunction:
    """Return the fit in the band, of eight with M up to 3 n / 8, that predicts a held-out quarter best."""
    held, dim = len(x) // 4, x.shape[1]
    degrees = sorted({round(size ** (1 / dim)) - 1 for size in np.geomspace(4, 0.375 * len(x), 8)})
    fits = [told(degree, x[held:], y[held:]) for degree in degrees]
    return told(degrees[int(np.argmin([np.mean((fit(x[:held]) - y[:held]) ** 2) for fit in fits]))], x, y)


def left(fit: BandFunction, record: BandFunction) -> float:
    """Return the mean squared error, by Parseval; bands of one dimension begin with the smaller one."""
    one, other = fit.coefficients, record.coefficients
    k = min(len(one), len(other))
    return float(((one[:k] - other[:k]) ** 2).sum() + (one[k:] ** 2).sum() + (other[k:] ** 2).sum())


def errors(record: BandFunction, n: int, degree: int, rng: np.random.Generator) -> list[float]:
    x, at = (rng.uniform(0, np.pi, (count, record.basis.dim)) for count in (n, 2000))
    band = Torus(degree, record.basis.dim)
    y, low = record(x), BandFunction(band, record.coefficients[: band.size])
    found = [left(told(degree, x, y), record), left(told(degree, x, low(x)), low), left(chosen(x, y), record)]
    ordinary = np.nan if n > 1600 else np.mean((ORDINARY.fit(x, y, rng)(at) - record(at)) ** 2)
    return [*found, float(ordinary)]


def study(name: str, record: BandFunction, ax: plt.Axes) -> dict[str, Any]:
    """Print, draw and return the errors of all learners on a record."""
    rng, dim, b = np.random.default_rng(0), record.basis.dim, np.arange(record.basis.degree + 1)
    tails, m = 1 - np.cumsum(record.coefficients**2)[(2 * b + 1) ** dim - 1], (b + 1) ** dim
    least = {share: int((tails <= share).argmax()) for share in SHARES}
    print(f"{name}: N = {m[-1]}; M by tail:", {share: int(m[k]) for share, k in least.items()})
    degree = max(k for k in least.values() if m[k] <= 600)
    size = m[degree]
    n = np.array([round(ratio * size) for ratio in RATIOS])
    found = np.median([[errors(record, k, degree, rng) for k in n] for _ in range(DRAWS)], axis=0)
    theory = tails[degree] * (1 + size / np.where(n > size, n - size, np.nan))
    print(f"{'n / M':>7}{'n':>7}{'theory':>11}" + "".join(f"{each:>11}" for each in COLOURS))
    for row in zip(n / size, n, theory, *found.T, strict=True):
        print(f"{row[0]:>7.2g}{row[1]:>7}" + "".join(f"{each:>11.2g}" for each in row[2:]), flush=True)
    for target, ratio in itertools.product(TARGETS, (2, 3, 4)):
        needed = (tails * ratio / (ratio - 1) <= target).argmax()
        k = ratio * int(m[needed])
        xs = rng.uniform(0, np.pi, (DRAWS if k < min(m[-1], 20000) else 0, k, dim))
        seen = [left(told(needed, x, record(x)), record) for x in xs]
        outcome = f"measured {np.median(seen):.2g}" if seen else "not run"
        print(f"  {target:g}: n = {ratio} M = {k} = {k / m[-1]:.2g} N, {outcome}", flush=True)
    for (label, colour), curve in zip(COLOURS.items(), found.T, strict=True):
        ax.plot(n / size, curve, "o-", color=colour, markersize=3.5, label=label)
    ax.plot(n / size, theory, color=GREY, linestyle=":", label="tail (1 + M / (n - M))")
    ax.set(title=f"{name}, M = {size}", xlabel="n / M", ylim=(1e-6, 10))
    log(ax)
    columns = {"n / M": n / size, "n": n, "theory": theory} | dict(zip(COLOURS, found.T, strict=True))
    return {"M": int(size), "N": int(m[-1]), "tail": float(tails[degree])} | {
        key: [None if np.isnan(value) else float(value) for value in column]
        for key, column in columns.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    figures = {}
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(RECORDS), figsize=(15, 3.2), sharey=True, layout="constrained")
        for ax, (name, package) in zip(axes, RECORDS.items(), strict=True):
            try:
                figures[name] = study(name, recorded(name, package), ax)
            except (ImportError, OSError, subprocess.CalledProcessError):
                print(f"{name} is not installed; all records are after: {INSTALL}.")
        axes[0].set(ylabel="relative squared error, median")
        figure.legend(*axes[-1].get_legend_handles_labels(), loc="outside right center")
        figure.savefig(Path(__file__).with_suffix(".png"), dpi=150)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
