"""Does `errsrc.design` choose good runs?  Ten published grids, of which it may run a quarter.

    python benchmarks/design.py [--out FILE.json]

In each grid the question is the error of the largest run: the best of those that cost at least 80% of the
most expensive one.  This run is held out; the others are the full grid.  The default estimator is fitted to
the cheapest runs, the first six or more that it accepts.  Then runs of the grid are added until 25% of the
flops of the full grid are spent, and the estimator is fitted again.  Three designs choose these runs:

- design: `errsrc.design`, called once, after the first fit;
- geometric: runs at even spaces in the order of their cost, the most expensive affordable run first, then
  the spaces are halved until the budget is spent;
- random: any affordable run; the mean of ten.

The table shows half the width of the 90% interval of ln error at the held-out run as a multiple of that of
the full grid, and whether the interval of the design contains the measured error.  One CPU-minute.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy

from errsrc.datasets import published
from errsrc.errors import NoFit
from errsrc.fitting import AveragedFit, auto, design
from errsrc.fitting.plans import training_flops

SHARE = 0.25
RANDOM = 10


class Grid(NamedTuple):
    """The runs of a table without the held-out run, from the cheapest to the most expensive."""

    name: str
    error: np.ndarray
    sizes: dict[str, np.ndarray]
    cost: np.ndarray
    target: dict[str, float]
    truth: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    found = [compared(grid) for grid in grids()]
    for key in ("design", "geometric", "random"):
        ratios = np.array([one[key] for one in found])
        print(
            f"{key:9} at most 1.25 on {(ratios <= 1.25).sum()} of {len(found)}, "
            f"geometric mean {np.exp(np.log(ratios).mean()):.2f}"
        )
    if options.out:
        machine = {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        }
        options.out.write_text(json.dumps({"machine": machine, "grids": found}, indent=1) + "\n")


def grids() -> Iterator[Grid]:
    """Yield the ten grids."""
    table = published("isoflops_openathena")
    for name in np.unique(table["experiment"]):
        rows = (table["experiment"] == name) & ~table["outlier"]
        yield _grid(f"isoFLOP {name}", table["loss"][rows], table["tokens"][rows], table["params"][rows])
    table = published("olmo_ladder_final")
    yield _grid("OLMo c4_en", table["c4_en"], table["tokens"], table["params"])
    table = published("openlm_overtraining")
    rows = table["dataset"] == "c4_original"
    yield _grid(
        "OpenLM c4_original", table["loss_c4_val"][rows], table["tokens"][rows], table["params"][rows]
    )


def _grid(name: str, error: np.ndarray, n: np.ndarray, m: np.ndarray) -> Grid:
    cost = training_flops(n, m)
    largest = np.flatnonzero(cost >= 0.8 * cost.max())
    held_out = largest[error[largest].argmin()]
    order = np.array([k for k in np.argsort(cost, kind="stable") if k != held_out])
    target = {"n": float(n[held_out]), "m": float(m[held_out])}
    return Grid(
        name, error[order], {"n": n[order], "m": m[order]}, cost[order], target, float(error[held_out])
    )


def compared(grid: Grid) -> dict[str, Any]:
    """Print and return the intervals of one grid."""
    first, start = started(grid)
    budget = SHARE * float(grid.cost.sum()) - float(grid.cost[:start].sum())
    left = np.arange(start, len(grid.error))
    candidates = {name: x[left] for name, x in grid.sizes.items()}
    planned = design(first, grid.target, candidates=candidates, budget=budget, runs=len(left))
    chosen = [number(grid, left, run.inputs) for run in planned.runs]
    full, _, full_inside = judged(grid, range(len(grid.error)))
    width, miss, inside = judged(grid, [*range(start), *chosen])
    geometric, _, _ = judged(grid, [*range(start), *bought(grid, evenly(left, grid, budget), budget)])
    rng = np.random.default_rng(0)
    random = [
        judged(grid, [*range(start), *bought(grid, rng.permutation(left), budget)])[0] for _ in range(RANDOM)
    ]
    everything = judged(grid, np.flatnonzero(grid.cost <= budget))[0]
    out = {
        "grid": grid.name,
        "runs": len(grid.error),
        "first runs": start,
        "runs of the design": len(chosen),
        "share of the flops": float((grid.cost[:start].sum() + grid.cost[chosen].sum()) / grid.cost.sum()),
        "half width at the start": judged(grid, range(start))[0],
        "half width expected": planned.half_widths[-1],
        "half width of the full grid": full,
        "design": width / full,
        "geometric": geometric / full,
        "random": float(np.mean(random)) / full,
        "best random": min(random) / full,
        "all affordable runs": everything / full,
        "miss of the design": miss,
        "inside": inside,
        "inside by the full grid": full_inside,
    }
    print(
        f"{grid.name[:42]:42} {start} of {len(grid.error):3} + {len(chosen):2} runs, "
        f"{out['share of the flops']:.0%} of the flops; full ±{full:.2%}; design {width / full:.2f}, "
        f"geometric {geometric / full:.2f}, random {out['random']:.2f} (best {out['best random']:.2f}), "
        f"all affordable {out['all affordable runs']:.2f}; {'inside' if inside else 'outside'}"
    )
    return out


def fitted(grid: Grid, rows: Sequence[int] | range | np.ndarray) -> AveragedFit:
    kept = np.array(sorted(rows))
    return auto(grid.error[kept], **{name: x[kept] for name, x in grid.sizes.items()})


def started(grid: Grid) -> tuple[AveragedFit, int]:
    """Return the fit of the cheapest runs, and their number."""
    for start in range(6, len(grid.error)):
        try:
            return fitted(grid, range(start)), start
        except (NoFit, ValueError):  # such as runs of one budget, whose n and m do not vary apart
            continue
    raise ValueError(f"no fit of {grid.name}")


def judged(grid: Grid, rows: Sequence[int] | range | np.ndarray) -> tuple[float, float, bool]:
    """Return half the interval at the held-out run, the miss, and whether the interval contains it."""
    found = fitted(grid, rows).predict(**grid.target)
    width = float(np.log(found.high / found.low)) / 2
    return (
        width,
        float(np.log(found.predicted / grid.truth)),
        bool(found.low <= grid.truth <= found.high),
    )


def number(grid: Grid, left: np.ndarray, sizes: Any) -> int:
    """Return the row of the grid that has these sizes."""
    same = (grid.sizes["n"][left] == sizes["n"]) & (grid.sizes["m"][left] == sizes["m"])
    return int(left[np.flatnonzero(same)[0]])


def evenly(left: np.ndarray, grid: Grid, budget: float) -> list[int]:
    """Return the affordable runs in the order of the geometric design."""
    affordable = left[grid.cost[left] <= budget]
    order: dict[int, None] = {}
    spaces = 1
    while len(order) < len(affordable):
        places = np.linspace(len(affordable) - 1, 0, spaces + 1).round().astype(int)
        order.update(dict.fromkeys(affordable[places].tolist()))
        spaces *= 2
    return list(order)


def bought(grid: Grid, order: Sequence[int] | np.ndarray, budget: float) -> list[int]:
    """Return the runs of an order that a budget pays for, each if it is still affordable."""
    out = []
    for k in order:
        if grid.cost[k] <= budget:
            out.append(int(k))
            budget -= float(grid.cost[k])
    return out


if __name__ == "__main__":
    main()
