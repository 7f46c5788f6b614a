"""Can the exponent of a learning curve be known before any training? Predictions first, then measurements.

Claim:    The exponents of learning curves of two texts and two image sets follow from the data: for texts,
          alpha = gamma / (2 beta) from the entropies and correlations of bytes; for images, 2 / d for the
          nearest neighbour and 4 / d for networks from the intrinsic dimension d, and for kernel ridge
          regression the curve of theory from the kernel's spectrum and the labels' coefficients.
Command:  ./setup.sh sotu; ./setup.sh fashion-mnist
          python sims/exponents.py predict       (writes --out once)
          python sims/exponents.py measure       (goes on where it stopped)
          python sims/exponents.py compare
          python sims/exponents.py labels        (how often neighbours have other labels, at one n)
          python sims/exponents.py files         (what a byte at a distance says in new and in known files)
          python sims/exponents.py dimensions    (spread of the estimated dimension of normal points)
Cost:     predict 83 s, measure 6 minutes, labels 7 s, files 37 s, dimensions 40 s of one core
Outcome:  Predicted at 2026-11-30 14:46 UTC, then measured. Predicted over measured exponent: Fashion-MNIST,
          nearest neighbour 1.00, kernel ridge 0.86, networks 2.07; digits, nearest neighbour 0.39, kernel
          ridge 0.95, networks 0.84. State of the Union, n-grams 1.79, and 1.18 with beta from the distances
          that these n resolve; the largest transformer 2.06 and 1.35, up to n = 262,144 1.27 and 0.84.
          sympy, n-grams 4.52 and 9.11, transformer 3.75 and 7.55. Two predictions for images fail because
          of the labels: on the digits, the squared distance to the neighbour has the predicted exponent
          (0.99), and the share of other labels among neighbours grows as the squared distance to the power
          2.53; 2/d times this power is 0.98 times the measured exponent. On Fashion-MNIST, networks nearly
          have the predicted exponent if a network gives the classes (1.12). Correlations of code are not a
          power law, and those within a file say little about other files: a byte at distance 32 lowers the
          loss by 0.052 nats in known files of sympy and by -0.001 in new files, 0.0014 and 0.0006 for the
          State of the Union (CPU, numpy 2.4, torch 2.13)

The predictions use the default options of `text_exponents` and `intrinsic_dimension`. Two predictions were
written for each text: one with beta from all distances up to 64, and one with beta from the distances whose
correlation equals the sampling noise of some number of bytes between the smallest and the largest n. The
curves of networks, and those of transformers on the State of the Union, come from earlier studies.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sympy
import torch
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.special import stdtrit
from sklearn.neighbors import NearestNeighbors

from errsrc.bases import kernel, mercer
from errsrc.datasets import images, texts
from errsrc.results import Interval
from errsrc.rng import generator
from errsrc.tasks import LanguageCell
from errsrc.tasks.language import train_language_cells
from errsrc.theory import intrinsic_dimension, kernel_regression, text_exponents
from errsrc.training import Recipe

HERE = Path(__file__).parent
RESULTS = HERE.parent / "benchmarks" / "results"
CODE = HERE.parent / "data" / f"sympy-{sympy.__version__}"

SIZES = {"fashion-mnist": 125 * 2 ** np.arange(7), "digits": 32 * 2 ** np.arange(6)}
"""Numbers of examples of the learning curves of images."""
POOL = {"fashion-mnist": 8000, "digits": 1024}
"""Training images that the predictions are made from."""
FUNCTIONS = {"fashion-mnist": 1000, "digits": 300}
"""Eigenfunctions whose label coefficients are estimated."""
RIDGE = 0.03
DRAWS = {"fashion-mnist": 2, "digits": 10}
"""Training sets of each size."""
TESTED = 3000
"""Largest number of test images."""
TOKENS = (16_384, 4_194_304)
"""Numbers of training bytes of the learning curves of texts, the smallest and the largest."""
HIGHEST, SCORED = 7, 300_000
"""Highest order of the n-gram models, and number of bytes on which they are validated and tested."""
SKIPPED = (3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 64, 128)
"""Distances of bytes whose information about the next byte is measured, relative to the last distance."""
RATES = (0.0, 0.2, 0.4, 0.6, 0.8)
"""Entropy rates in nats a byte for which the exponents of texts are filed."""


def code_corpus() -> Path:
    """Return a folder with the Python files of the installed sympy as .txt files."""
    if not CODE.exists():
        package = Path(sympy.__file__).parent
        part = CODE.with_suffix(".part")
        for file in sorted(package.rglob("*.py")):
            target = part / file.relative_to(package).with_suffix(".txt")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
        part.rename(CODE)
    return CODE


def corpora() -> dict[str, str]:
    """Return the corpora by name."""
    return {"State of the Union": "sotu", f"sympy {sympy.__version__}": str(code_corpus())}


def ends(one: Interval) -> list[float]:
    """Return an interval as numbers for JSON."""
    return [round(float(value), 4) for value in (one.estimate, one.low, one.high)]


def predict_text(name: str) -> dict[str, Any]:
    """Return the predicted exponent of a corpus for several entropy rates."""
    data = texts(name)
    documents = [data.documents["train"][key] for key in sorted(data.documents["train"])]
    found = text_exponents(documents)
    print(f"\n{name}\n{found}", flush=True)
    p = np.bincount(np.concatenate(documents), minlength=256) / found.tokens
    resolved_from = ((1 - p @ p) / found.correlations) ** 2  # tokens whose sampling noise is the correlation
    inside = found.distance_used & (resolved_from >= TOKENS[0]) & (resolved_from <= TOKENS[1])
    t, norm = found.distances[inside], found.correlations[inside]
    local = -float(np.polyfit(np.log(t), np.log(norm), 1)[0]) if inside.sum() >= 3 else None
    rates = {}
    for rate in RATES:
        if rate < found.entropies[found.order_used].min():
            one = found.with_entropy_rate(rate)
            rates[f"{rate:g}"] = {
                "gamma": ends(one.gamma),
                "alpha": ends(one.alpha),
                "alpha, beta of resolved distances": (
                    round(one.gamma.estimate / (2 * local), 4) if local and local > 0 else None
                ),
            }
    fitted = found.with_entropy_rate(None) if found.order_used.sum() >= 4 else None
    return {
        "tokens": found.tokens,
        "digest": data.digest,
        "alpha": ends(found.alpha),
        "gamma": ends(found.gamma),
        "beta": ends(found.beta),
        "misses": [round(one, 4) for one in found.misses],
        "by entropy rate": rates,
        "fitted entropy rate": fitted and {"rate": ends(fitted.entropy_rate), "alpha": ends(fitted.alpha)},
        "beta of resolved distances": local and round(local, 4),
        "resolved distances": t.tolist(),
        "entropies": found.entropies.round(4).tolist(),
        "orders used": found.orders[found.order_used].tolist(),
        "held out": found.held_out.round(4).tolist(),
        "distances": found.distances.tolist(),
        "correlations": [float(f"{one:.4g}") for one in found.correlations],
        "distances used": found.distances[found.distance_used].tolist(),
    }


def image_data(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training inputs and centred one-hot labels, then those of the test set."""
    data = images(name)
    x, x_test = (part.reshape(len(part), -1).astype(np.float64) for part in (data.train_x, data.test_x))
    centre, scale = x.mean(0), float((x - x.mean(0)).std())
    hot, hot_test = (np.eye(data.classes)[y] - 1 / data.classes for y in (data.train_y, data.test_y))
    return (x - centre) / scale, hot, (x_test - centre) / scale, hot_test


def predict_images(name: str) -> dict[str, Any]:
    """Return the predicted exponents of an image set."""
    x, y, _, _ = image_data(name)
    rows = generator(0, "exponents", name, "pool").choice(len(x), POOL[name], replace=False)
    x, y = x[rows], y[rows]
    sizes = SIZES[name]
    found = intrinsic_dimension(x, smallest=int(sizes[0]))
    print(f"\n{name}\n{found}", flush=True)
    span = {"smallest": int(sizes[0]), "largest": int(sizes[-1])}
    basis = mercer(x, FUNCTIONS[name], min(2000, len(x)), generator(0, "exponents", name, "landmarks"))
    coefficients = basis(x).T @ y / len(x)
    gram = kernel(basis.landmarks, basis.landmarks, basis.name, basis.length)
    inverse, rotation = eigh(basis.weights.T @ gram @ basis.weights)  # of the kernel's operator in the span
    energy = ((rotation.T @ coefficients) ** 2).sum(1)
    total = float((y**2).sum(1).mean())
    tail = max(total - float(energy.sum()), 0.0) / (1 - len(energy) / len(x))  # of labels outside the span
    energy = np.maximum(energy - tail / len(x), 0)  # without the sampling error of the coefficients
    rest = 1 - float((1 / inverse).sum())  # of the kernel's trace
    curve = kernel_regression(sizes, 1 / inverse, energy, ridge=RIDGE + rest, noise=tail).excess + tail
    slope = -float(np.polyfit(np.log(sizes), np.log(curve), 1)[0])
    print("kernel ridge", (curve / total).round(4), f"exponent {slope:.3f}", flush=True)
    return {
        "images": len(x),
        "n": sizes.tolist(),
        "dimension": ends(found.dimension),
        "dimensions": {str(size): ends(one) for size, one in zip(found.sizes, found.dimensions, strict=True)},
        "nearest neighbour, 2/d": ends(found.exponent(0, **span)),
        "networks, 4/d": ends(found.exponent(1, **span)),
        "kernel ridge": {
            "exponent": round(slope, 4),
            "length": round(basis.length, 4),
            "ridge": RIDGE,
            "relative errors": (curve / total).round(5).tolist(),
        },
    }


def predict(out: Path) -> None:
    """Write the predictions."""
    if out.exists():
        raise SystemExit(f"{out} exists. Predictions are written once; delete the file to write them again.")
    found: dict[str, Any] = {}
    for name, corpus in corpora().items():
        found[name] = predict_text(corpus)
    for name in SIZES:
        found[name] = predict_images(name)
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    out.write_text(json.dumps({"written": now, "predictions": found}, indent=1) + "\n")


# Measurements


def slope(n: np.ndarray, error: np.ndarray) -> list[float]:
    """Return the exponent of a curve by least squares, with a 90% interval from the deviations."""
    x, y = np.log(n) - np.log(n).mean(), np.log(error)
    exponent = float(x @ y / (x @ x))
    rest = y - y.mean() - exponent * x
    half = float(stdtrit(len(n) - 2, 0.95) * np.sqrt(rest @ rest / (len(n) - 2) / (x @ x)))
    return [round(one, 4) for one in (-exponent, -exponent - half, -exponent + half)]


def by_rate(n: np.ndarray, loss: np.ndarray) -> dict[str, list[float]]:
    """Return the exponents of the loss above each entropy rate that is below the losses."""
    return {f"{rate:g}": slope(n, loss - rate) for rate in RATES if rate < loss.min()}


def grams(data: np.ndarray, order: int) -> np.ndarray:
    """Return the (order + 1)-grams of bytes as numbers; the newest byte is in the lowest bits."""
    code = np.zeros(len(data) - order, np.uint64)
    for back in range(order + 1):
        code |= data[order - back : len(data) - back].astype(np.uint64) << np.uint64(8 * back)
    return code


def ngram_curve(corpus: str) -> dict[str, Any]:
    """Return the losses of interpolated n-gram models (Witten and Bell 1991), trained on n bytes."""
    data = texts(corpus)
    parts = {}
    for part in ("train", "validation", "test"):
        own = [data.documents[part][key] for key in sorted(data.documents[part])]
        order = generator(0, "exponents", part).permutation(len(own))
        parts[part] = np.concatenate([own[place] for place in order])
    sizes = [size for size in (TOKENS[0] * 4 ** np.arange(5)).tolist() if size <= len(parts["train"])]
    cut = np.linspace(0, len(parts["train"]) - 1024, len(parts["train"]) // 1024).astype(int)
    cut = generator(0, "exponents", "passages").permutation(cut)  # passages of all documents, as for networks
    losses, orders = [], []
    for n in sizes:
        passages = np.stack([parts["train"][start : start + 1024] for start in cut[: n // 1024]])
        chances = {
            part: np.full(len(parts[part][:SCORED]) - HIGHEST, 1 / 256) for part in ("validation", "test")
        }
        found = []
        for order in range(HIGHEST + 1):
            codes, counts = np.unique(
                np.concatenate([grams(one, order) for one in passages]), return_counts=True
            )
            contexts, first = np.unique(codes >> np.uint64(8), return_index=True)
            total = np.add.reduceat(counts, first)
            different = np.diff(np.append(first, len(codes)))
            for part, below in chances.items():
                code = grams(parts[part][:SCORED], order)[HIGHEST - order :]
                seen = looked_up(codes, counts, code)
                context = code >> np.uint64(8)
                spread, all_seen = (
                    looked_up(contexts, different, context),
                    looked_up(contexts, total, context),
                )
                mixed = (seen + spread * below) / np.maximum(all_seen + spread, 1)
                chances[part] = np.where(all_seen > 0, mixed, below)
            found.append([-float(np.log(one).mean()) for one in chances.values()])
        best = int(np.argmin([one[0] for one in found]))
        losses.append(found[best][1])
        orders.append(best)
        print(f"{corpus}: n-grams, n = {n:,}: {losses[-1]:.4f} nats a byte, order {best}", flush=True)
    exponents = by_rate(np.array(sizes), np.array(losses))
    return {"n": sizes, "losses": losses, "orders": orders, "exponents": exponents}


def labels() -> dict[str, Any]:
    """Return how often the k-th neighbour has another label, at the largest n, with the exponents over k.

    The nearest of n examples is about as far as the k-th neighbour among k n examples.  If the squared
    distance to the k-th neighbour grows as k^a, and the share of other labels as the squared distance to the
    power q, the error of the nearest neighbour falls as n^-(a q).
    """
    found: dict[str, Any] = {}
    orders = 2 ** np.arange(6)
    for name in SIZES:
        x, y, x_test, y_test = image_data(name)
        x_test, n = x_test[:TESTED], int(SIZES[name][-1])
        own, wanted = y.argmax(1), y_test[:TESTED].argmax(1)
        squares, others = [], []
        for draw in range(DRAWS[name]):
            use = generator(0, "exponents", name, draw).permutation(len(x))[:n]
            near = NearestNeighbors(n_neighbors=int(orders[-1]), algorithm="brute").fit(x[use])
            distance, place = near.kneighbors(x_test)
            squares.append((distance[:, orders - 1] ** 2).mean(0))
            others.append((own[use][place[:, orders - 1]] != wanted[:, None]).mean(0))
        square, other = np.mean(squares, 0), np.mean(others, 0)
        power = float(np.polyfit(np.log(square), np.log(other), 1)[0])
        near_predicted = json.loads((RESULTS / "exponents_predicted.json").read_text())["predictions"][name][
            "nearest neighbour, 2/d"
        ][0]
        found[name] = {
            "n": n,
            "k": orders.tolist(),
            "squared distance": square.round(4).tolist(),
            "share of other labels": other.round(5).tolist(),
            "power of the squared distance": round(power, 4),
            "2/d times this power": round(near_predicted * power, 4),
        }
        print(name, found[name], flush=True)
    return found


def files() -> dict[str, Any]:
    """Return how much a byte at a distance lowers the loss, in new files and in files that are partly known.

    The model is an interpolated n-gram model of the last two bytes and of the byte at the distance.  It is
    trained on 80% of the bytes of a quarter of the files (sympy) or of a half (State of the Union).  "new
    files" tests it on other files, "known files" on other passages of the same files.
    """
    found: dict[str, Any] = {}
    for name, corpus in corpora().items():
        data = texts(corpus).documents["train"]
        step = 2 if corpus == "sotu" else 4
        documents = [data[key] for key in sorted(data)[::step]]
        order = generator(0, "exponents", "files").permutation(len(documents))
        documents = [documents[place] for place in order if len(documents[place]) > 300]
        passages = [d[at : at + 1024] for d in documents for at in range(0, len(d) - 200, 1024)]
        order = generator(0, "exponents", "files", "passages").permutation(len(passages))
        for split, parts in (
            ("new files", documents),
            ("known files", [passages[place] for place in order]),
        ):
            ends = np.cumsum([len(one) for one in parts])
            cut = int(np.searchsorted(ends, 0.8 * ends[-1]))
            train, test = parts[:cut], [one[:20_000] for one in parts[cut:]]
            chances = np.full(len(skipping(test, ())), 1 / 256)
            for back in ((), (1,), (1, 2)):
                chances = interpolated(train, test, back, chances)
            losses = [-float(np.log(interpolated(train, test, (1, 2, t), chances)).mean()) for t in SKIPPED]
            gains = [round(losses[-1] - loss, 4) for loss in losses]
            found.setdefault(name, {})[split] = dict(zip(map(str, SKIPPED), gains, strict=True))
            print(name, split, found[name][split], flush=True)
    return found


def skipping(documents: list[np.ndarray], back: tuple[int, ...]) -> np.ndarray:
    """Return each byte with some bytes before it as one number; the byte itself is in the lowest bits."""
    most, found = SKIPPED[-1], []
    for one in documents:
        data = one.astype(np.uint64)
        code = data[most:].copy()
        for place, distance in enumerate(back, 1):
            code |= data[most - distance : len(data) - distance][: len(code)] << np.uint64(8 * place)
        found.append(code)
    return np.concatenate(found)


def interpolated(
    train: list[np.ndarray], test: list[np.ndarray], back: tuple[int, ...], below: np.ndarray
) -> np.ndarray:
    """Return chances of test bytes given bytes before them, mixed with chances given fewer bytes."""
    codes, counts = np.unique(skipping(train, back), return_counts=True)
    contexts, first = np.unique(codes >> np.uint64(8), return_index=True)
    total, different = np.add.reduceat(counts, first), np.diff(np.append(first, len(codes)))
    code = skipping(test, back)
    context = code >> np.uint64(8)
    spread, seen = looked_up(contexts, different, context), looked_up(contexts, total, context)
    mixed = (looked_up(codes, counts, code) + spread * below) / np.maximum(seen + spread, 1)
    return np.where(seen > 0, mixed, below)


def looked_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the values of some keys, and 0 for other keys; `keys` is ascending."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)


def committed_transformers() -> dict[str, Any]:
    """Return the losses of the widest transformers of the committed grid (sims/language_grid.toml)."""
    with (RESULTS / "language_grid_cells.csv").open() as file:
        rows = list(csv.DictReader(file))
    out = {}
    for m in sorted({int(row["m"]) for row in rows}):
        own = [(float(row["n"]), float(row["measured"])) for row in rows if int(row["m"]) == m]
        n, loss = (np.array(column, dtype=float) for column in zip(*sorted(own), strict=True))
        out[f"m = {m}"] = {"n": n.tolist(), "losses": loss.tolist(), "exponents": by_rate(n, loss)}
    return out


def code_transformer(n: int, steps: int) -> dict[str, Any]:
    """Return the loss of a transformer of width 32 on code; the recipe is that of sims/language_grid.toml."""
    recipe = Recipe(learning_rate=0.008, batch=32, decay=0.3, evaluation_interval=25)
    cell = LanguageCell(
        str(code_corpus()), "transformer", 32, n=n, seed=0, context=64, heads=2, depth=2, validation=4096,
        steps=steps, recipe=recipe,
    )  # fmt: skip
    (found,) = train_language_cells([cell])
    print(
        f"transformer on code, n = {n:,}: {found.loss:.4f}, best step {found.best_step} of {steps}",
        flush=True,
    )
    return {"n": n, "loss": found.loss, "training loss": found.train_loss, "m": found.non_embedding,
            "best step": found.best_step, "steps": steps}  # fmt: skip


def image_curves(name: str) -> dict[str, Any]:
    """Return the errors of the nearest neighbour and of kernel ridge regression, and their exponents."""
    x, y, x_test, y_test = image_data(name)
    x_test, y_test = x_test[:TESTED], y_test[:TESTED]
    sizes, total = SIZES[name], float((y_test**2).sum(1).mean())
    predicted = json.loads((RESULTS / "exponents_predicted.json").read_text())["predictions"][name]
    length = predicted["kernel ridge"]["length"]
    curves: dict[str, list[list[float]]] = {
        "nearest neighbour": [],
        "kernel ridge": [],
        "squared distance": [],
    }
    for draw in range(DRAWS[name]):
        rows = generator(0, "exponents", name, draw).permutation(len(x))[: sizes[-1]]
        found = NearestNeighbors(n_neighbors=1, algorithm="brute")
        one: dict[str, list[float]] = {label: [] for label in curves}
        for n in sizes:
            use = rows[:n]
            distance, place = found.fit(x[use]).kneighbors(x_test)
            one["squared distance"].append(float((distance**2).mean()))
            one["nearest neighbour"].append(
                float(((y[use][place[:, 0]] - y_test) ** 2).sum(1).mean()) / total
            )
            gram = kernel(x[use], x[use], "rbf", length)
            gram[np.diag_indices(n)] += RIDGE
            weights = cho_solve(cho_factor(gram, lower=True, overwrite_a=True), y[use])
            left = kernel(x_test, x[use], "rbf", length) @ weights - y_test
            one["kernel ridge"].append(float((left**2).sum(1).mean()) / total)
        for label, errors in one.items():
            curves[label].append(errors)
        print(name, draw, {label: np.round(errors, 4).tolist() for label, errors in one.items()}, flush=True)
    out: dict[str, Any] = {"n": sizes.tolist()}
    for label, rows_of in curves.items():
        mean = np.mean(rows_of, axis=0)
        out[label] = {
            "errors": mean.round(5).tolist(),
            "exponent": slope(sizes, mean),
            "first half": slope(sizes[:4], mean[:4]),
            "second half": slope(sizes[-4:], mean[-4:]),
        }
    return out


def committed_networks(name: str) -> dict[str, Any]:
    """Return the error rates of the committed grids of networks, and their exponents at each size."""
    file = {"fashion-mnist": "vision_cells.csv", "digits": "digits_holdout.csv"}[name]
    with (RESULTS / file).open() as rows_of:
        rows = list(csv.DictReader(rows_of))
    out = {}
    cells: dict[tuple[float, float], list[float]] = {}
    for row in rows:
        cells.setdefault((float(row["m"]), float(row["n"])), []).append(float(row["measured"]))
    for m in sorted({size for size, _ in cells}):
        n = np.array(sorted(size for own, size in cells if own == m))
        error = np.array([np.mean(cells[m, size]) for size in n])
        out[f"m = {m:g}"] = {
            "n": n.tolist(),
            "errors": error.round(5).tolist(),
            "exponent": slope(n, error),
        }
    return out


def measure(out: Path) -> None:
    """Measure what is not in the file yet, and write each measurement when it is done."""
    found = json.loads(out.read_text()) if out.exists() else {}
    jobs: dict[str, Callable[[], Any]] = {
        "digits": lambda: image_curves("digits"),
        "digits, networks": lambda: committed_networks("digits"),
        "fashion-mnist, networks": lambda: committed_networks("fashion-mnist"),
        "State of the Union, transformers": committed_transformers,
        "State of the Union, n-grams": lambda: ngram_curve("sotu"),
        "sympy, n-grams": lambda: ngram_curve(str(code_corpus())),
        "fashion-mnist": lambda: image_curves("fashion-mnist"),
    }
    for n, steps in ((16_384, 1000), (65_536, 1500), (262_144, 2300), (1_048_576, 3500)):
        jobs[f"sympy, transformer, n = {n}"] = partial(code_transformer, n, steps)
    for name, job in jobs.items():
        if name not in found:
            found[name] = job()
            out.write_text(json.dumps(found, indent=1) + "\n")


def compare(predicted: Path, measured: Path, out: Path) -> None:
    """Print each prediction next to its measurement, and write both to a file."""
    filed, found = (json.loads(path.read_text()) for path in (predicted, measured))
    rows: dict[str, dict[str, Any]] = {}

    def add(label: str, value: float, exponent: list[float]) -> None:
        rows[label] = {"predicted": value, "measured": exponent, "ratio": round(value / exponent[0], 4)}

    for name in SIZES:
        one, curves = filed["predictions"][name], found[name]
        near = one["nearest neighbour, 2/d"][0]
        add(f"{name}: nearest neighbour, 2/d", near, curves["nearest neighbour"]["exponent"])
        add(f"{name}: squared distance to it, 2/d", near, curves["squared distance"]["exponent"])
        add(f"{name}: kernel ridge", one["kernel ridge"]["exponent"], curves["kernel ridge"]["exponent"])
        for m, curve in found[f"{name}, networks"].items():
            add(f"{name}: networks, {m}, 4/d", one["networks, 4/d"][0], curve["exponent"])
    four = filed["predictions"]["fashion-mnist"]["networks, 4/d"][0]
    add("fashion-mnist: networks on labels by a network, 4/d", four, relabelled())
    for name, one in filed["predictions"].items():
        if name in SIZES:
            continue
        resolved = one["by entropy rate"]["0"]["alpha, beta of resolved distances"]
        for label, curve in text_curves(name.split()[0], found).items():
            n, loss = np.array(curve["n"], dtype=float), np.array(curve["losses"])
            exponent = slope(n, loss)
            add(f"{name}: {label}", one["alpha"][0], exponent)
            add(f"{name}: {label}, beta of resolved distances", resolved, exponent)
            for rate in RATES[1:] if label == "n-grams" else ():
                own = one["by entropy rate"][f"{rate:g}"]["alpha, beta of resolved distances"]
                add(f"{name}: {label}, the same, entropy rate {rate:g}", own, slope(n, loss - rate))
            known = np.interp(-loss, -np.array(one["entropies"][1:]), np.arange(1, len(one["entropies"])))
            growth = 1 / (2 * one["beta of resolved distances"])
            add(f"{name}: {label}, growth of k with H_k = loss, 1 / (2 beta)", growth, slope(n, 1 / known))
    print(f"Predictions of {filed['written']}\n\npredicted  measured [90%]        ratio")
    for label, row in rows.items():
        middle, low, high = row["measured"]
        interval = f"{middle:.3f} [{low:.3f}, {high:.3f}]"
        print(f"{row['predicted']:9.3f}  {interval:20} {row['ratio']:5.2f}  {label}")
    out.write_text(json.dumps(rows, indent=1) + "\n")


def relabelled() -> list[float]:
    """Return the exponent of networks 784-128-128-10 on classes by a network (sims/budget_images.toml)."""
    with (RESULTS / "budget_images.csv").open() as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if (row["loss"], row["learner.architecture.sizes"]) == ("zero-one", "[784,128,128,10]")
        ]
    return slope(*(np.array([float(row[key]) for row in rows]) for key in ("n", "total")))


def text_curves(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Return the learning curves of a corpus by learner."""
    if name == "State":
        widest = found["State of the Union, transformers"]["m = 115008"]
        fewer = {key: widest[key][:3] for key in ("n", "losses")}
        curves = {"transformer, m = 115,008": widest, "transformer, n <= 262,144": fewer}
        return {"n-grams": found["State of the Union, n-grams"], **curves}
    cells = [one for label, one in found.items() if label.startswith("sympy, transformer")]
    if len(cells) < 3:
        return {"n-grams": found["sympy, n-grams"]}
    curve = {"n": [one["n"] for one in cells], "losses": [one["loss"] for one in cells]}
    return {"n-grams": found["sympy, n-grams"], f"transformer, m = {cells[0]['m']:,}": curve}


def dimensions() -> None:
    """Print mean and spread of the estimated dimension, and how often its interval covers the dimension."""
    for dim in (1, 2, 3, 5, 10):
        rng = generator(0, "exponents", "dimensions", dim)
        found = [intrinsic_dimension(rng.standard_normal((2000, dim)), smallest=2000) for _ in range(50)]
        values = np.array([one.dimension.estimate for one in found])
        inside = np.mean([one.dimension.low < dim < one.dimension.high for one in found])
        spread = values.std() / dim * np.sqrt(0.9 * 2000)  # relative to that of independent ratios
        print(f"d = {dim}: mean {values.mean():.3f}, spread {spread:.2f}, 90% interval covers {inside:.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("step", choices=("predict", "measure", "compare", "labels", "files", "dimensions"))
    parser.add_argument("--out", type=Path, default=RESULTS / "exponents_predicted.json")
    options = parser.parse_args()
    if options.step == "predict":
        predict(options.out)
    elif options.step == "compare":
        compare(options.out, RESULTS / "exponents_measured.json", RESULTS / "exponents.json")
    elif options.step in ("labels", "files"):
        found = labels() if options.step == "labels" else files()
        (RESULTS / f"exponents_{options.step}.json").write_text(json.dumps(found, indent=1) + "\n")
    elif options.step == "dimensions":
        dimensions()
    else:
        torch.set_num_threads(1)
        measure(RESULTS / "exponents_measured.json")


if __name__ == "__main__":
    main()
