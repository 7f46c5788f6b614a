"""How often does `curve_shape` give the right verdict? Known shapes, drawn again and again.

    python benchmarks/shape.py [--repeats 200] [--out benchmarks/results/shape.json]
    python benchmarks/shape.py --decays --repeats 40 [--out benchmarks/results/shape_decays.json]

Eight sizes, n = 100 to 12,800 by doubling, with three seeds each unless a row says otherwise; errors are the
curve times exp(noise x standard normal). Each row is a curve, its noise, and how often each verdict came.
`wrong` is the share of draws that were given another shape than the curve has (not decided does not count as
wrong). For power laws `wrong` is the false-alarm rate, which must be at most 5%. For power laws the table
also shows how often the 95% interval of the exponent contains the truth, among the draws with that verdict.

One core, about 0.2 s a draw.
"""

from __future__ import annotations

import argparse
import json
import platform
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from errsrc.curves import curve_shape
from errsrc.curves.verdicts import VERDICTS
from errsrc.laws import Broken, Cliff, Law, Power
from errsrc.rng import generator

SIZES = 100 * 2.0 ** np.arange(8)


SAID = {"1/ln n": "1/ln n", "stretched": "stretched", "wave": "log-periodic"}
"""Words of the status that say which other decays would look the same."""


def one_over_log(n: np.ndarray) -> np.ndarray:
    """A decay slower than every power law."""
    return 1 / np.log(n)


def stretched(n: np.ndarray, stretch: float) -> np.ndarray:
    """A stretched exponential, which falls by a factor of about 10 over the sizes."""
    return np.exp(-2.3 * (n**stretch - 100**stretch) / (12800**stretch - 100**stretch))


def log_periodic(n: np.ndarray, amplitude: float) -> np.ndarray:
    """A power law with a wave in ln n, of a period of a factor 8 in n."""
    return n**-0.5 * (1 + amplitude * np.cos(2 * np.pi * np.log(n) / np.log(8)))


def interpolator(n: np.ndarray) -> np.ndarray:
    """Mean relative squared error of the minimum-norm interpolator of M = 1,000: 1 - n / M, then rounding."""
    return np.where(n < 1000, 1 - n / 1000, 1e-28)


@dataclass(frozen=True)
class Case:
    """A curve and how it is measured."""

    curve: Law | Callable[[np.ndarray], np.ndarray]
    truth: str
    noise: float
    seeds: int = 3
    sizes: int = 8

    def draw(self, repeat: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return n and error of one repeat."""
        n = np.repeat(SIZES[: self.sizes], self.seeds)
        error = self.curve.error(n=n) if isinstance(self.curve, Law) else self.curve(n)
        return n, error * np.exp(self.noise * generator(repeat, "shape", name).standard_normal(len(n)))


CASES = {
    "n^-0.5, noise 1%": Case(Power(0.0, 2.0, 0.5), "power law", 0.01),
    "n^-0.5, noise 5%": Case(Power(0.0, 2.0, 0.5), "power law", 0.05),
    "n^-0.5, noise 20%": Case(Power(0.0, 2.0, 0.5), "power law", 0.2),
    "n^-0.28, noise 5%, one seed": Case(Power(0.0, 1.0, 0.28), "power law", 0.05, 1),
    "n^-1, noise 5%, five sizes": Case(Power(0.0, 5.0, 1.0), "power law", 0.05, 3, 5),
    "n^-0.5 + low floor, noise 5%": Case(Power(0.01, 2.0, 0.5), "power law", 0.05),
    "n^-0.5 + high floor, noise 5%": Case(Power(0.1, 2.0, 0.5), "power law", 0.05),
    "n^-1 + high floor, noise 5%": Case(Power(0.01, 5.0, 1.0), "power law", 0.05),
    "n^-0.3 to n^-0.9, noise 5%": Case(Broken(0.0, 1.0, 0.3, 0.6, 1000.0, 0.4), "bend", 0.05),
    "n^-0.3 to n^-0.9, noise 5%, one seed": Case(Broken(0.0, 1.0, 0.3, 0.6, 1000.0, 0.4), "bend", 0.05, 1),
    "n^-0.1 to n^-0.5, noise 5%": Case(Broken(0.0, 1.0, 0.1, 0.4, 800.0, 0.2), "bend", 0.05),
    "n^-0.8 to n^-0.2, noise 5%": Case(Broken(0.0, 9.0, 0.8, -0.6, 1000.0, 0.2), "bend", 0.05),
    "n^-0.1 to n^-0.6, slowly, noise 5%, 20 seeds": Case(
        Broken(0.0, 1.0, 0.1, 0.5, 1500.0, 1.5), "bend", 0.05, 20
    ),
    "n^-0.5 exp(-(n / 4000)^0.8), noise 5%": Case(Cliff(0.0, 2.0, 0.5, 4000.0, 0.8), "cliff", 0.05),
    "n^-0.5 exp(-n / 1500), noise 20%": Case(Cliff(0.0, 2.0, 0.5, 1500.0, 1.0), "cliff", 0.2),
    "n^-0.5 exp(-n / 1500), noise 5%, one seed": Case(Cliff(0.0, 2.0, 0.5, 1500.0, 1.0), "cliff", 0.05, 1),
    "exp(-(n / 1500)^2) + floor 1e-3, noise 10%": Case(Cliff(1e-3, 0.7, 0.05, 1500.0, 2.0), "cliff", 0.1),
    "1 - n / 1000, then 1e-28, noise 10%": Case(interpolator, "cliff", 0.1),
    "1 - n / 1000, then 1e-28, noise 10%, one seed": Case(interpolator, "cliff", 0.1, 1),
    "1 / ln n, noise 1%": Case(one_over_log, "none", 0.01),
    "1 / ln n, noise 5%": Case(one_over_log, "none", 0.05),
    "stretched exponential n^0.1, noise 5%": Case(partial(stretched, stretch=0.1), "none", 0.05),
    "stretched exponential n^0.3, noise 5%": Case(partial(stretched, stretch=0.3), "none", 0.05),
    "stretched exponential n^0.3, noise 1%": Case(partial(stretched, stretch=0.3), "none", 0.01),
    "log-periodic, wave 5%, noise 5%": Case(partial(log_periodic, amplitude=0.05), "none", 0.05),
    "log-periodic, wave 20%, noise 5%": Case(partial(log_periodic, amplitude=0.2), "none", 0.05),
    "constant, noise 5%": Case(np.ones_like, "not decided", 0.05),
    "constant, noise 20%, one seed": Case(np.ones_like, "not decided", 0.2, 1),
}

COMPARED = ("n^-0.5, noise 5%", "n^-0.5, noise 20%", "n^-0.5 + high floor, noise 5%")
"""Power laws that are drawn next to decays of other shapes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=200, help="draws of each curve")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--decays", action="store_true", help="only the curves of the second table")
    options = parser.parse_args()
    figures: dict[str, object] = {
        "machine": {"python": platform.python_version(), "numpy": np.__version__},
        "repeats": options.repeats,
    }
    print(
        f"{'curve':<46}"
        + "".join(f"{verdict:>18}" for verdict in (*VERDICTS, *SAID, "wrong", "covered"))
        + "  seconds"
    )
    # Ctrl-C ends the pool at once: this process raises KeyboardInterrupt, and terminates its workers.
    with Pool(options.processes, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        names = [name for name, case in CASES.items() if not options.decays or case.truth == "none"]
        names += COMPARED if options.decays else []
        rows = list(zip(names, pool.imap(partial(rates, options.repeats), names), strict=True))
    for name, row in rows:
        figures[name] = row
        covered = f"{row['covered']:18.1%}" if "covered" in row else ""
        shares = "".join(f"{row[verdict]:18.1%}" for verdict in (*VERDICTS, *SAID, "wrong"))
        print(f"{name:<46}{shares}{covered or ' ' * 18}{row['seconds']:9.2f}")
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def rates(repeats: int, name: str) -> dict[str, float]:
    """Return the share of each verdict, of wrong ones, and of exponents in their interval."""
    case, start = CASES[name], time.process_time()
    found = [curve_shape(*case.draw(repeat, name)) for repeat in range(repeats)]
    out = {verdict: sum(one.verdict == verdict for one in found) / repeats for verdict in VERDICTS}
    out |= {key: sum(word in one.status for one in found) / repeats for key, word in SAID.items()}
    out["wrong"] = sum(one.verdict not in (case.truth, "not decided") for one in found) / repeats
    right = [one.exponent for one in found if one.verdict == case.truth]
    if case.truth == "power law" and isinstance(case.curve, Power) and right:
        truth = case.curve.alpha
        out["covered"] = sum(one.low <= truth <= one.high for one in right) / len(right)
    out["seconds"] = (time.process_time() - start) / repeats
    return out


if __name__ == "__main__":
    main()
