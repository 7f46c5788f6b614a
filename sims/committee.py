"""Committee machines: where the examples determine two hidden units, and where learners find them.

Claim:    A committee machine with two hidden units of output sign has known thresholds in n / d (Aubin et al.
          2018, arXiv 1806.05451).  Below `specialised`, message passing does not tell the units apart.  With
          binary weights, the teacher is the only consistent one from `determined` on, but message passing
          finds it from `found` on: in between, the uncertainty is 0 and the deficiency is not.
Command:  python sims/committee.py [--out FILE.json] [--figure FILE.png]
Cost:     about 6 minutes of one core
Outcome:  Thresholds: 2.052 for the sum and normal weights; 1.546 (determined), 1.589 (specialised) and
          1.977 (found) for the sum and binary weights; 2, 2.467 and 3.041 for the product and binary
          weights. Published for the sum (poster in github.com/benjaminaubin/TheCommitteeMachine):
          specialised from about 2 on for normal weights; for binary weights determined from about 1.6 on,
          and found from 2 on. Message passing at d = 500 has the error 1/4 from n / d = 3.73 [3.68, 3.79]
          on for normal weights (theory 3.70), from 2.14 [2.08, 2.30] on for binary weights (theory 1.98)
          and from 3.69 [3.43, 3.94] on for the product (theory 3.04): the last two are late, because d is
          finite. Networks of width 2 and 16 at d = 100 have the error 1/4 from 12.9 [10.9, 24.7] and 20.2
          [18.7, 22.6] on for normal weights, and from 13.0 [10.0, 28.8] and 19.5 [19.1, 19.8] on for
          binary weights. They do not learn the product: at n / d = 32 their errors are 0.49 and 0.49.
          Counting: 0.885 [0.867, 0.902] at n / d = 0.5 (theory 0.891), 0.415 [0.392, 0.439] at 1 (0.444)
          and 0.083 [0.063, 0.103] at 1.5 (0.036): this agrees at 0.5 only; the count is at least 1, which
          makes it too large near the threshold at d = 6, 8 and 10 (CPU, torch 2.13, 2026-11-30)

The label is the sign of the sum of both units (-1, 0 or 1), or their product (-1 or 1).  Weights are standard
normal or binary, inputs are standard normal, labels have no noise.  The error is the share of wrong labels.
A learner that knows the sum of both weight vectors exactly, but not their difference, has the error 1/4 for
the sum.  So the n / d at which the mean error falls to 1/4 says when a learner tells the units apart.

- The curves and thresholds are `errsrc.theory.committee_machine` and `committee_thresholds`, for large d.
- Message passing is given the network and how its weights are drawn.  It starts at random estimates of
  standard deviation 0.1.
- Networks are MLPs with one hidden layer of 2 or 16 tanh units and an output for each class: Adam, at most
  4,000 steps of 64 examples, log loss.  A fifth of the examples decide when training stops, and which weight
  decay is used: 0, 0.3 or 3.
- Counting: all 4^d binary teachers that give the labels of n examples are counted, for d = 6, 8 and 10.  The
  logarithm of this number per input is extrapolated linearly in 1 / d, and compared with the theory.  In
  theory it is 0 at `determined`.

Intervals (95%) are from 1,000 resamples of the teachers.  Finished rows in --out are not computed again.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

from errsrc.learners import NetworkStudent, Tuned
from errsrc.nets import MLP
from errsrc.plots.style import BLUE, GREEN, STYLE, VERMILION
from errsrc.rng import generator
from errsrc.theory import committee_machine, committee_thresholds
from errsrc.theory.committee import orthant
from errsrc.training import Recipe

Array = np.ndarray
CASES = [("sum", "normal"), ("sum", "binary"), ("product", "binary")]
DIM, TEACHERS, FRESH = 100, 8, 20_000  # of the networks
RATIOS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # n / d of the networks
PASSED = 500  # d of message passing
PASSED_RATIOS = {
    ("sum", "normal"): (1.0, 2.0, 3.0, 4.0, 6.0, 8.0),
    ("sum", "binary"): (1.0, 1.5, 1.75, 2.0, 2.25, 2.5),
    ("product", "binary"): (2.0, 2.5, 2.75, 3.0, 3.25, 3.5, 4.0),
}
# of message passing: iterations, share of the new estimate, start, smallest probability, variance of an end
ITERATIONS, SHARE, START, SMALLEST, CERTAIN = 300, 0.6, 0.1, 1e-12, 2e-3
STEPS, WIDTHS = 4000, (2, 16)
DECAYS = (0.0, 0.3, 3.0)  # weight decays, of which the validation examples choose one
COUNTED = {6: 4000, 8: 2000, 10: 400}  # teachers, by d
COUNTED_RATIOS = (0.5, 1.0, 1.5)
GOAL, RESAMPLES = 0.25, 1000


def drawn(output: str, weights: str, dim: int, rng: np.random.Generator) -> Array:
    """Return a teacher's weights, (d, 2)."""
    w = rng.standard_normal((dim, 2))
    return np.sign(w) if weights == "binary" else w


def label(w: Array, x: Array, output: str) -> Array:
    """Return the labels of inputs."""
    units = np.sign(x @ w)
    return (units.prod(1) if output == "product" else np.sign(units.sum(1))).astype(int)


def probabilities(omega: Array, covariance: Array, output: str) -> dict[int, Array]:
    """Return the probability of each label and its derivatives, (3, N).

    The pre-activations of N inputs have the means omega (N, 2) and one covariance (2, 2).
    """
    found: dict[int, Array] = {}
    for one, two in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        signs = np.array([one, two])
        part = orthant(one * omega[:, 0], two * omega[:, 1], covariance * np.outer(signs, signs))
        part = part * np.array([1, one, two])[:, None]
        y = one * two if output == "product" else (one + two) // 2
        found[y] = found[y] + part if y in found else part
    return found


def posterior(precision: Array, field: Array, weights: str) -> tuple[Array, Array]:
    """Return the posterior means of the weights (d, 2), and their mean posterior covariance (2, 2)."""
    if weights == "normal":
        covariance = np.linalg.inv(np.eye(2) + precision)
        return field @ covariance, covariance
    teachers = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    logs = field @ teachers.T - np.einsum("ki,ij,kj->k", teachers, precision, teachers) / 2
    shares = np.exp(logs - logs.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    mean = shares @ teachers
    second = np.einsum("nk,ki,kj->ij", shares, teachers, teachers) / len(field)
    return mean, second - mean.T @ mean / len(field)


def message_passing(x: Array, y: Array, output: str, weights: str, rng: np.random.Generator) -> Callable:
    """Return the predictor that approximate message passing finds; inputs have the variance 1 / d."""
    n, dim = x.shape
    mean, covariance = START * rng.standard_normal((dim, 2)), np.eye(2) * (1 - START**2)
    g = np.zeros((n, 2))
    for _ in range(ITERATIONS):
        omega = x @ mean - g @ covariance
        parts = probabilities(omega, covariance, output)
        z = np.choose(y + 1, [parts.get(value, np.zeros((3, n)))[0] for value in (-1, 0, 1)])
        slopes = [
            np.choose(y + 1, [parts.get(v, np.zeros((3, n)))[1 + unit] for v in (-1, 0, 1)])
            for unit in (0, 1)
        ]
        g += SHARE * (np.stack(slopes, 1) / np.maximum(z, SMALLEST)[:, None] - g)
        precision = g.T @ g / dim
        new, spread = posterior(precision, mean @ precision + x.T @ g, weights)
        change = np.abs(new - mean).max()
        mean, covariance = mean + SHARE * (new - mean), covariance + SHARE * (spread - covariance)
        if change < 1e-3 or covariance.trace() < 2 * CERTAIN:
            break

    def predict(fresh: Array) -> Array:
        parts = probabilities(fresh @ mean, covariance, output)
        values = np.array(sorted(parts))
        return values[np.argmax([parts[value][0] for value in values], axis=0)]

    return predict


def passed(output: str, weights: str, ratio: float) -> list[float]:
    """Return the errors of message passing on PASSED inputs."""
    errors = []
    for k in range(TEACHERS):
        rng = generator(0, "committee", output, weights, PASSED, f"{ratio:g}", k)
        w = drawn(output, weights, PASSED, rng)
        x = rng.standard_normal((round(ratio * PASSED), PASSED)) / math.sqrt(PASSED)
        predict = message_passing(x, label(w, x, output), output, weights, rng)
        fresh = rng.standard_normal((FRESH, PASSED)) / math.sqrt(PASSED)
        errors.append(float((predict(fresh) != label(w, fresh, output)).mean()))
    return errors


def trained(output: str, weights: str, ratio: float, width: int) -> list[float]:
    """Return the errors of networks trained on DIM inputs."""
    rngs = [generator(0, "committee", output, weights, DIM, f"{ratio:g}", k) for k in range(TEACHERS)]
    ws = [drawn(output, weights, DIM, rng) for rng in rngs]
    xs = [rng.standard_normal((round(ratio * DIM), DIM)) for rng in rngs]
    values = (-1, 1) if output == "product" else (-1, 0, 1)
    ys = [np.searchsorted(values, label(w, x, output)) for w, x in zip(ws, xs, strict=True)]
    recipes = [
        Recipe("adam", learning_rate=0.003, weight_decay=decay, loss="log", batch=64) for decay in DECAYS
    ]
    network = MLP((DIM, width, len(values)), "tanh")
    learner = Tuned(tuple(NetworkStudent(network, recipe, steps=STEPS) for recipe in recipes))
    own = [
        generator(0, "committee", "student", output, weights, f"{ratio:g}", width, k) for k in range(TEACHERS)
    ]
    errors = []
    for fit, w, rng in zip(learner.fit_many(xs, ys, own), ws, rngs, strict=True):
        fresh = rng.standard_normal((FRESH, DIM))
        guess = np.argmax(fit(fresh), axis=1)
        errors.append(float((guess != np.searchsorted(values, label(w, fresh, output))).mean()))
    return errors


def counted(dim: int) -> list[list[float]]:
    """Return ln(number of consistent teachers) / d at COUNTED_RATIOS, for each teacher; binary, sum.

    A teacher whose units are exchanged is the same teacher.
    """
    units = 2.0 * (np.arange(2**dim)[:, None] >> np.arange(dim) & 1) - 1
    pairs = np.triu_indices(len(units))
    sizes = [round(ratio * dim) for ratio in COUNTED_RATIOS]
    rows = []
    for k in range(COUNTED[dim]):
        rng = generator(0, "committee", "counted", dim, k)
        positive = units @ rng.standard_normal((sizes[-1], dim)).T > 0  # (units, examples)
        labels = positive[rng.integers(len(units), size=2)].sum(0)
        (first, second), row = pairs, []
        for n, value in enumerate(labels, 1):
            agrees = positive[first, n - 1].astype(int) + positive[second, n - 1] == value
            first, second = first[agrees], second[agrees]
            if n in sizes:
                row.append(math.log(len(first)) / dim)
        rows.append(row)
    return rows


def extrapolated(entropies: dict[int, Array]) -> Array:
    """Return the logarithm of the count per input for large d at each ratio: a line in 1 / d."""
    means = np.array([rows.mean(0) for rows in entropies.values()])
    errors = np.array([rows.std(0).mean() / len(rows) ** 0.5 for rows in entropies.values()])
    return np.polyfit(1 / np.array(list(entropies)), means, 1, w=1 / errors)[1]


def reaches(ratios: list[float], errors: Array) -> float:
    """Return the n / d at which the mean error falls to GOAL, interpolated in log n; inf if it does not."""
    means = errors.mean(1)
    for place in range(1, len(ratios)):
        if means[place] <= GOAL < means[place - 1]:
            share = (means[place - 1] - GOAL) / (means[place - 1] - means[place])
            return math.exp(np.interp(share, [0, 1], np.log(ratios[place - 1 : place + 1])))
    return math.inf


def finite(value: float) -> float | None:
    """Return the number, or None if it is infinite."""
    return float(value) if math.isfinite(value) else None


def estimated(value: float, resampled: list[float]) -> list[float | None]:
    """Return a number and its 95% interval; None is beyond all sizes."""
    ends = [np.quantile(resampled, share, method="nearest") for share in (0.025, 0.975)]
    return [finite(number) for number in (value, *ends)]


def computed(rows: dict[str, Any], save: Callable[[], None]) -> None:
    """Add what is missing to the rows."""
    for output, weights in CASES:
        case = rows.setdefault(f"{output}, {weights} weights", {})
        if "thresholds" not in case:
            found = vars(committee_thresholds(output=output, weights=weights))
            case["thresholds"] = {name: finite(value) for name, value in found.items()}
        if "curve" not in case:
            ratios = np.geomspace(0.5, 32, 40)
            curve = committee_machine(ratios * 1000, 1000, output=output, weights=weights)
            case["curve"] = {
                "n/d": [float(f"{ratio:.5g}") for ratio in ratios],
                "smallest error": curve.smallest_error.round(5).tolist(),
                "message passing": curve.error.round(5).tolist(),
            }
            save()
        for ratio in PASSED_RATIOS[output, weights]:
            if f"{ratio:g}" not in case.setdefault("message passing", {}):
                case["message passing"][f"{ratio:g}"] = passed(output, weights, ratio)
                save()
        for width in WIDTHS:
            for ratio in RATIOS:
                if f"{ratio:g}" not in case.setdefault(f"network, width {width}", {}):
                    case[f"network, width {width}"][f"{ratio:g}"] = trained(output, weights, ratio, width)
                    save()
    for dim in COUNTED:
        counts = rows.setdefault("counted", {"n/d": COUNTED_RATIOS})
        if str(dim) not in counts:
            counts[str(dim)] = [[round(value, 5) for value in row] for row in counted(dim)]
            save()


def summarised(rows: dict[str, Any]) -> dict[str, Any]:
    """Return where each learner reaches the error GOAL, and the counts of teachers, with intervals."""
    rng = generator(0, "committee", "resamples")
    summary: dict[str, Any] = {}
    for output, weights in CASES:
        case = rows[f"{output}, {weights} weights"]
        curve = case["curve"]
        at = summary[f"{output}, {weights} weights"] = dict(case["thresholds"])
        for name, jump in (("smallest error", "determined"), ("message passing", "found")):
            crossing = finite(reaches(curve["n/d"], np.array(curve[name])[:, None]))
            at[f"{name}, theory"] = crossing if case["thresholds"][jump] is None else case["thresholds"][jump]
        for name in ("message passing", *(f"network, width {width}" for width in WIDTHS)):
            ratios = [float(ratio) for ratio in case[name]]
            errors = np.array(list(case[name].values()))
            again = [
                reaches(ratios, np.take_along_axis(errors, rng.integers(TEACHERS, size=errors.shape), 1))
                for _ in range(RESAMPLES)
            ]
            at[name] = estimated(reaches(ratios, errors), again)
    entropies = {int(dim): np.array(found) for dim, found in rows["counted"].items() if dim != "n/d"}
    again = [
        extrapolated(
            {dim: found[rng.integers(len(found), size=len(found))] for dim, found in entropies.items()}
        )
        for _ in range(RESAMPLES)
    ]
    ratios = np.array(COUNTED_RATIOS)
    theory = committee_machine(1000 * ratios, 1000, weights="binary").log_consistent + 2 * math.log(2)
    counts = zip(ratios, extrapolated(entropies), np.transpose(again), theory, strict=True)
    summary["ln(consistent) / d, sum, binary weights"] = {
        f"{ratio:g}": {"counted": estimated(value, list(values)), "theory": float(known)}
        for ratio, value, values, known in counts
    }
    return summary


def with_jump(ratios: list[float], errors: list[float], at: float | None) -> tuple[list[float], list[float]]:
    """Return a curve that falls to 0 exactly at a threshold."""
    if at is None:
        return ratios, errors
    before = int(np.searchsorted(ratios, at))
    x = [*ratios[:before], at, at, *ratios[before:]]
    return x, [*errors[:before], errors[before - 1], 0.0, *([0.0] * (len(ratios) - before))]


def draw(rows: dict[str, Any], path: Path) -> None:
    """Draw the errors over n / d."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), sharey=True, layout="constrained")
        for axis, (output, weights) in zip(axes, CASES, strict=True):
            case = rows[f"{output}, {weights} weights"]
            curve = case["curve"]
            at = case["thresholds"]
            smallest = with_jump(curve["n/d"], curve["smallest error"], at["determined"])
            axis.plot(*smallest, color="black", lw=2, label="smallest of any learner")
            reached = with_jump(curve["n/d"], curve["message passing"], at["found"])
            axis.plot(*reached, color=VERMILION, ls="--", label="message passing, large d")
            for name, colour, marker in (
                ("message passing", VERMILION, "D"),
                ("network, width 2", BLUE, "o"),
                ("network, width 16", GREEN, "s"),
            ):
                ratios = [float(ratio) for ratio in case[name]]
                errors = np.array(list(case[name].values()))
                dim = PASSED if name == "message passing" else DIM
                mean, spread = errors.mean(1), errors.std(1, ddof=1) / TEACHERS**0.5
                axis.errorbar(
                    ratios,
                    mean,
                    spread,
                    color=colour,
                    marker=marker,
                    ms=4,
                    lw=1 if name != "message passing" else 0,
                    elinewidth=1,
                    label=f"{name}, d = {dim}",
                )
            top = axis.get_xaxis_transform()
            for name, value in case["thresholds"].items():
                if value is not None:
                    axis.axvline(value, color="black", lw=0.7, ls=":")
                    if name != "specialised" or weights == "normal" or output == "product":
                        axis.text(value, 1.01, name, transform=top, fontsize=8, rotation=35)
            axis.set(xscale="log", xlabel="examples per input, n / d", xlim=(0.5, 34), ylim=(0, None))
            axis.set_xticks([0.5, 1, 2, 4, 8, 16, 32], ["0.5", "1", "2", "4", "8", "16", "32"])
            axis.minorticks_off()
            axis.set_title(f"{output}, {weights} weights", pad=38)
        axes[0].set_ylabel("share of wrong labels")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
        figure.savefig(path, dpi=110)
        plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the rows to this JSON file, and go on from it")
    parser.add_argument("--figure", type=Path, help="draw the errors to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    begun = time.process_time()
    rows = json.loads(options.out.read_text()) if options.out and options.out.exists() else {}

    def save() -> None:
        if options.out:
            options.out.write_text(json.dumps(rows, indent=1) + "\n")

    computed(rows, save)
    rows["n / d at an error of 1/4"] = summarised(rows)
    save()
    for name, found in rows["n / d at an error of 1/4"].items():
        print(name, found)
    print(f"{time.process_time() - begun:.0f} CPU seconds")
    if options.figure:
        draw(rows, options.figure)


if __name__ == "__main__":
    main()
