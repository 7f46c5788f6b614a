"""Do other weights of the averaged laws, or stronger priors, improve forecasts over n and m?

    python benchmarks/remedies.py [--only NAME] [--family WORD] [--out FILE.json]

Each remedy changes the default estimator in one way.  It is fitted to the small sizes of the published grids
of `forecasts.py`, and predicts the large ones.  It is also fitted to a quarter of the largest n and m of
errsrc's own grids on Fashion-MNIST (nine experiments) and glyphs, where eps0 is given, and predicts the other
cells.  The cells are means of runs.  The script prints RMSLE, coverage and mean interval score of each family
in `forecasts.json` (the default estimator) and with the remedy.

- `coupled`: only the coupled laws, with a narrower prior on k than the default's, log-normal with median 0.47
  and a standard deviation of ln k of 0.25.  The median is that of the published grids.
- `additive`: only the laws that add the terms of n and m.
- `priors`: all weak priors, on exponents and k, count twice.  When the default
  weighs the laws, it counts each point as half a point (`SHARPNESS`).  This remedy also does so when it fits
  the parameters of each law.

Seven core-minutes.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import corners
import forecasts
import numpy as np
from forecasts import Score, Task

from errsrc.errors import NoFit
from errsrc.fitting import auto, several_laws
from errsrc.laws import Chinchilla, Coupled, CoupledDense, Dense
from errsrc.laws.coupled import COUPLING_PRIOR

NAMES = ("n", "m")
NARROW = (0.47, 0.25)
RESULTS = Path(__file__).parent / "results"


@contextlib.contextmanager
def coupled() -> Iterator[None]:
    """Average the coupled laws alone, with the prior `NARROW` on k."""
    laws = mock.patch.dict(several_laws.AVERAGED_LAWS, {NAMES: (Coupled, CoupledDense)})
    with laws, mock.patch.dict(COUPLING_PRIOR, {"k": NARROW}):
        yield


@contextlib.contextmanager
def additive() -> Iterator[None]:
    """Average the additive laws alone."""
    with mock.patch.dict(several_laws.AVERAGED_LAWS, {NAMES: (Chinchilla, Dense)}):
        yield


@contextlib.contextmanager
def priors() -> Iterator[None]:
    """Divide the variance of the residuals, to which priors are compared, by the SHARPNESS of weights."""
    scales = several_laws._noise_scales

    def wider(posed: list[Any], seed: int) -> tuple[float, float]:
        robust, spread = scales(posed, seed)
        return robust, spread / math.sqrt(several_laws.SHARPNESS[NAMES])

    with mock.patch.object(several_laws, "_noise_scales", wider):
        yield


REMEDIES = {"none": contextlib.nullcontext, "coupled": coupled, "additive": additive, "priors": priors}


def tasks(word: str) -> Iterator[tuple[Task, dict[str, float]]]:
    """Yield the tasks of families whose names contain a word, with what the fit knows of each."""
    for task, fixed in corners.own_tasks():
        if task.family in ("own vision", "own glyphs") and word in task.family:
            yield task, fixed
    for task in forecasts.grids():
        enough = task.fitted.sum() >= corners.FEWEST and not task.fitted.all()
        if enough and word in task.family:
            yield task, {}


def scored(word: str) -> dict[str, dict[str, float]]:
    """Return the mean scores of each family, and of the families of published grids together."""
    scores = collections.defaultdict(list)
    both = collections.defaultdict(list)
    for task, fixed in tasks(word):
        small = {name: x[task.fitted] for name, x in task.sizes.items()}
        try:
            found = auto(task.error[task.fitted], level=forecasts.LEVEL, fixed=fixed, **small)
        except (NoFit, ValueError):
            continue
        families = [task.family] + ["to 7B and 13B"] * task.name.endswith("7B and 13B")
        for family in families:
            scores[family].append(forecasts.judged(task, found))
            place = corners.judged(task, found).get("both")
            if place is not None:
                both[family].append(place)
    out: dict[str, dict[str, float]] = {}
    for family, values in scores.items():
        out[family] = dict(zip(Score._fields, np.mean(values, axis=0).tolist(), strict=True))
        out[family]["tasks"] = len(values)
        if both[family]:
            covered, error = np.mean(both[family], axis=0).tolist()
            out[family] |= {"both, covered": covered, "both, error": error}
    published = [v for k, v in out.items() if not k.startswith(("own", "to "))]
    out["mean of families"] = {key: float(np.mean([v[key] for v in published])) for key in Score._fields}
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=REMEDIES, help="compute one remedy")
    parser.add_argument("--family", default="", metavar="WORD", help="families whose names contain this word")
    parser.add_argument("--out", type=Path, default=RESULTS / "remedies.json", help="add the figures to this")
    options = parser.parse_args()
    for name in [options.only] if options.only else REMEDIES:
        with REMEDIES[name]():
            found = scored(options.family)
        print(name)
        for family, row in found.items():
            place = ""
            if "both, error" in row:
                place = f", both sizes larger {row['both, covered']:.0%} ({row['both, error']:+.1%})"
            numbers = f"RMSLE {row['rmsle']:.4f}, covered {row['covered']:.1%}, score {row['score']:.4f}"
            print(f"  {family[:44]:44} {numbers}{place}")
        kept = json.loads(options.out.read_text()) if options.out.exists() else {}
        options.out.write_text(json.dumps(kept | {name: found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
