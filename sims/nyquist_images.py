"""Are real tasks band-limited? The energy of a trained network and of real labels outside a band of images.

Claim:    Neither a trained network nor real labels lie in a band of the images' kernel: the energy outside
          the top M eigenfunctions falls as a slow power of M. This tail predicts the error of least squares
          in a band (a floor) and of kernel ridge regression (a power law with about the tail's exponent). If
          the tail is removed from the task, only learners that are given the band fall off a cliff.
Command:  python sims/nyquist_images.py [--out benchmarks/results/nyquist_images.json]
Cost:     4 minutes of one core
Outcome:  Energy outside M = 30, 100, 300, 1,000, 2,000 functions: network .115, .069, .043, .023 to .026,
          .016 to .020, M^-0.47 to M^-0.42; labels .43, .36 to .37, .31 to .32, .25 to .28, .21 to .27,
          M^-0.17 to M^-0.12 (the first on the images that the basis is estimated from, the second on test
          images).
          Least squares in M = 100, 300, 1,000 functions ends at n = 16,000 at .070, .044, .027 (network) and
          .37, .33, .29 (labels); predicted are .070, .044, .026 and .36, .32, .28. At n = M = 1,000 it is at
          61 and 420, where there is no bound. Kernel ridge, n = 250 to 8,000: .088 to .016 (exponent 0.55
          with a floor, predicted .083 to .023: the theory learns nothing beyond M = 2,000) and .46 to .27
          (exponent 0.16, predicted .47 to .28). Exponents that are not predicted: neighbours .23 and .16,
          forest .26 and .16; a network student .60 and about .26, faster than this kernel's tail, and the
          best on labels from n = 4,000 on (.28, .24). Low-passed to M = 300: given the band, 1e-29 from n =
          500 on (given a larger band, M = 1,000: a cliff at 1,000); kernel ridge n^-2, .034 to 4e-5 and .080
          to 1e-4 (predicted .029 to 5e-5, .075 to 1e-4); all others fall slowly: network .21 to .013 and .36
          to .027, neighbours to .049 and .097. (One teacher, one draw at each n; CPU, numpy 2.4, torch 2.13,
          2026-11-25)

In which sense are real tasks band-limited? Not exactly, for this kernel: at M = 2,000, a tenth of the number
of images that the basis was estimated from, a fifth or more of the labels' energy is still outside, and 2% of
a network's. What remains is a matter of degree: 30 functions hold 57% of the labels' energy, 300 hold 96% of
the network's, and kernel ridge learns with n as slowly as the rest falls with M. A Nyquist learner would need
finitely many functions whose span contains its target. The inputs alone give the kernel's eigenfunctions, but
not the statement that nothing lies beyond M, which is false here; a learner that assumes it ends at the
tail's energy and is the worst of all near n = M. The network student is faster than the tail: a kernel that
is fixed before the labels are seen does not bound it. A low-passed task is band-limited, but it is another
task: at M = 300 it lacks 4% of the network's energy, disagrees with 11% of its classes and has 84.2% of the
real ones right instead of 87.0%; it lacks 31 to 32% of the labels' energy, and 17% of the classes are wrong.

Targets are centred and have variance 1 in all; errors are relative to the target's own energy at test images.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.linalg import eigh, lstsq

from errsrc.bases import kernel
from errsrc.curves import curve_shape
from errsrc.datasets.image_sets import images
from errsrc.learners import Forest, KernelRidge, Learner, Neighbours, NetworkStudent
from errsrc.nets import MLP
from errsrc.plots.nyquist import COLOURS, MARKERS
from errsrc.plots.style import DASHED, STYLE, log, png
from errsrc.rng import generator
from errsrc.settings import ImageBasis, ImageTeacher
from errsrc.theory import kernel_regression
from errsrc.training import Recipe

BASIS = ImageBasis("fashion-mnist", 2000, 2000, 20_000, length=38.8)
TEACHER = ImageTeacher("fashion-mnist", MLP((784, 32, 32, 10)), teacher_n=20_000, teacher_steps=1500)
BANDS, FITTED, LOW, TESTED = (30, 100, 300, 1000, 2000), (100, 300, 1000), 300, 3000
SIZES = 250 * 2 ** np.arange(7)
RIDGES = (1e-3, 3e-2, 1.0)
STUDENT = NetworkStudent(MLP((784, 128, 128, 10)), Recipe(loss="squared", batch=64), steps=2500)
ORDINARY = {  # with the largest n, and what is chosen among by examples held out
    "kernel ridge": (8000, [KernelRidge(length=BASIS.length, ridge=ridge) for ridge in RIDGES]),
    "neighbours": (8000, [Neighbours(1), Neighbours(4), Neighbours(16)]),
    "forest": (4000, [Forest(30, tried=0.05)]),
    "network": (8000, [STUDENT]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    data = images(BASIS.dataset)
    raw, raw_test = (part.reshape(len(part), -1).astype(np.float32) for part in (data.train_x, data.test_x))
    unlabelled, labelled = BASIS.split
    rows = [unlabelled, labelled[: SIZES[-1]], np.arange(TESTED)]
    sets = (raw, data.train_y), (raw, data.train_y), (raw_test, data.test_y)
    centre, scale = raw.mean(0), float((raw - raw.mean(0)).std())
    xs = [((x[own] - centre) / scale).astype(np.float64) for (x, _), own in zip(sets, rows, strict=True)]
    phi, teacher = [BASIS(x) for x in xs], TEACHER.teacher(generator(0, "nyquist images", "teacher"))
    hot = [np.eye(data.classes)[y[own]] for (_, y), own in zip(sets, rows, strict=True)]
    targets, tails = {}, {}
    for name, ys in {"network": [teacher(x) for x in xs], "labels": hot}.items():
        mean, size = ys[0].mean(0), np.sqrt(ys[0].var(0).sum())
        ys = [(y - mean) / size for y in ys]
        c = phi[0].T @ ys[0] / len(xs[0])
        kept = {m: [part[:, :m] @ c[:m] for part in phi] for m in BANDS}
        tails[name] = [[squares(ys[part] - kept[m][part]) for m in BANDS] for part in (0, 2)]
        whole, truth = (ys[2] * size + mean).argmax(1), data.test_y[rows[2]]
        print(f"{name}, {(whole == truth).mean():.3f} of its classes right: energy outside the band, on the")
        print("basis's images and on test images; share of classes that the band's part keeps, and has right")
        for k, m in enumerate(BANDS):
            part = (kept[m][2] * size + mean).argmax(1)
            shares = f"{(part == whole).mean():.3f}  {(part == truth).mean():.3f}"
            print(f"  M = {m:5,}  {tails[name][0][k]:.4f}  {tails[name][1][k]:.4f}  {shares}", flush=True)
        targets |= {name: ys, f"{name}, low-passed": kept[LOW]}
    predictions = {name: predicted(phi[0], target[0]) for name, target in targets.items()}
    measured = {f"band, M = {m:,}": measure(SIZES[-1], m, phi, targets) for m in FITTED}
    measured |= {label: measure(most, learners, xs, targets) for label, (most, learners) in ORDINARY.items()}
    figures = {
        "M": BANDS,
        "energy outside, on the basis's images and on test images": tails,
        "n": SIZES.tolist(),
    }
    for name in targets:
        figures[name] = rows_of = {}
        for label, errors in measured.items():
            found = curve_shape(SIZES[: len(errors[name])], errors[name], zero=1e-12)
            print(f"{name}, {label}:", *(f"{e:.2g}" for e in errors[name]))
            if label in predictions[name]:
                print("    predicted", *(f"{e:.2g}" for e in predictions[name][label]))
            print(f"    {found.verdict}, exponent {found.exponent}")
            rows_of[label] = {
                "errors": errors[name],
                "predicted": list(predictions[name].get(label, [])),
                "verdict": found.verdict,
                "exponent": found.exponent.estimate,
            }
    Path(__file__).with_suffix(".png").write_bytes(png(draw(tails, measured, predictions)))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def squares(values: np.ndarray) -> float:
    """Return the mean over inputs of squares summed over outputs."""
    return float((values**2).sum(1).mean())


def predicted(phi: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
    """Return relative errors over `SIZES`; energy outside a band acts as noise (errsrc.theory)."""
    c, total = phi.T @ target / len(phi), squares(target)

    def outside(coefficients: np.ndarray) -> float:
        return max(total - (coefficients**2).sum(), 0.0) / (1 - len(coefficients) / len(phi))

    out = {}
    for m in FITTED:
        tail = outside(c[:m])
        one = kernel_regression(SIZES, np.ones(m), (c[:m] ** 2).sum(1), noise=tail)
        out[f"band, M = {m:,}"] = (one.excess + tail) / total
    mercer = BASIS.mercer
    gram = kernel(mercer.landmarks, mercer.landmarks, mercer.name, mercer.length)
    inverse, rotation = eigh(mercer.weights.T @ gram @ mercer.weights)  # of the kernel's operator in the band
    energies, tail, rest = ((rotation.T @ c) ** 2).sum(1), outside(c), 1 - (1 / inverse).sum()
    curves = [kernel_regression(SIZES, 1 / inverse, energies, ridge=r + rest, noise=tail) for r in RIDGES]
    out["kernel ridge"] = (np.min([one.excess for one in curves], axis=0) + tail) / total
    return out


def measure(most: int, learner: int | list[Learner], xs: list, targets: dict) -> dict[str, list[float]]:
    """Return each target's relative errors at test images, over sizes up to ``most``."""
    out: dict[str, list[float]] = {name: [] for name in targets}
    parts = [slice(10 * k, 10 * k + 10) for k in range(len(targets))]
    for n in SIZES[most >= SIZES]:
        rng = generator(0, "nyquist images", int(n))
        rows = rng.choice(len(xs[1]), n, replace=False)
        x, y, held = xs[1][rows], np.hstack([target[1][rows] for target in targets.values()]), n // 4
        if isinstance(learner, int):  # least squares in the first so many functions
            q, r = np.linalg.qr(x[:, :learner])
            made = [xs[2][:, :learner] @ lstsq(r, q.T @ y[:, part])[0] for part in parts]
        elif learner[0].linear_in_labels:  # one fit for all targets, but each has its own choice
            left = [one.fit(x[held:], y[held:], rng)(x[:held]) - y[:held] for one in learner]
            best = [int(np.argmin([squares(each[:, part]) for each in left])) for part in parts]
            fitted = {k: learner[k].fit(x, y, rng)(xs[2]) for k in set(best)}
            made = [fitted[k][:, part] for k, part in zip(best, parts, strict=True)]
        else:
            made = [learner[0].fit(x, y[:, part], rng)(xs[2]) for part in parts]
        for (name, target), values in zip(targets.items(), made, strict=True):
            out[name].append(squares(values - target[2]) / squares(target[2]))
    return out


def draw(tails: dict, measured: dict, predictions: dict) -> Axes:
    """Draw the energy outside the band, and each target's curves, dashed as predicted."""
    with mpl.rc_context(STYLE):
        axes = Figure(figsize=(13, 7.4), layout="constrained").subplots(2, 3)
        for (name, (low, high)), colour in zip(tails.items(), COLOURS, strict=False):
            axes[0, 0].fill_between(BANDS, low, high, color=colour, alpha=0.3, linewidth=0)
            axes[0, 0].plot(BANDS, np.sqrt(np.multiply(low, high)), "o-", color=colour, label=name)
        axes[0, 0].set(xlabel="M, eigenfunctions in the band", ylabel="energy outside the band")
        log(axes[0, 0]).legend()
        for ax, name in zip(axes[:, 1:].T.flat, predictions, strict=True):
            lowest = 2e-5 if "low" in name else 1e-2  # errors below lie there
            for (label, errors), colour, marker in zip(measured.items(), COLOURS, MARKERS, strict=False):
                shown = np.maximum(errors[name], lowest)
                ax.plot(SIZES[: len(shown)], shown, color=colour, marker=marker, markersize=4, label=label)
                if label in predictions[name]:
                    theory = np.maximum(predictions[name][label], lowest)
                    ax.plot(SIZES, theory, color=colour, linestyle=DASHED, linewidth=1)
            ax.set(xlabel="n, labelled images", ylabel="relative squared error", title=name)
            ax.set_ylim(0.8 * lowest, 4)
            log(ax)
        axes[1, 0].legend(*axes[0, 1].get_legend_handles_labels(), loc="center", title="dashed: predicted")
        axes[1, 0].set_axis_off()
        return axes[0, 0]


if __name__ == "__main__":
    main()
