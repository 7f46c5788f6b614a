# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: -all
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
# ---

# %% [markdown]
# # A simulation of your own as a study
#
# **Claim.** Any function of a frozen dataclass becomes a study. The study can be interrupted and extended,
# computes each cell once, and its rows go straight into a fit. Here the error of linear interpolation from n
# random samples of a smooth function in one dimension falls about as n^-4, as theory says (4 / dimension).

# %%
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from errsrc.fitting import fit
from errsrc.laws import Power
from errsrc.sweeps import Factor, Kind, Store, Study, run, serial

# %% [markdown]
# A cell holds everything that its result depends on. The function maps a batch of cells to results; all
# randomness comes from the cell's seed.


# %%
@dataclass(frozen=True)
class Interpolation:
    n: int
    seed: int = 0
    waves: int = 3


computed = []


def interpolate(cells):
    out = []
    for cell in cells:
        computed.append(cell)
        rng = np.random.default_rng([cell.seed, cell.n])
        phases = rng.uniform(0, 2 * np.pi, cell.waves)

        def teacher(x, phases=phases):
            return sum(np.sin((k + 1) * x + phase) for k, phase in enumerate(phases))

        x = np.sort(rng.uniform(0, 2 * np.pi, cell.n))
        fresh = rng.uniform(0, 2 * np.pi, 4000)
        guess = np.interp(fresh, x, teacher(x), period=2 * np.pi)
        out.append({"error": float(np.mean((guess - teacher(fresh)) ** 2))})
    return out


kind = Kind("interpolation", Interpolation, interpolate)
SIZES = (256, 512, 1024, 2048, 4096, 8192)
study = Study(
    kind,
    Interpolation(n=1),
    (Factor.of("n", SIZES), Factor.of("seed", range(60))),
)
print(len(study), "cells, the last of them", study[-1])

# %% [markdown]
# The engine `serial` computes in this process, which functions defined in a notebook need. Functions of a
# module can run in processes (`local`, the default) or on a cluster (`dask`). An interruption loses only the
# cell that was being computed: here it comes in the middle of the 101st cell.


# %%
def interrupted(function, batches):
    for place, answers in enumerate(serial(function, batches)):
        if place == 100:
            raise KeyboardInterrupt
        yield answers


folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "interpolation.db"
with Store(path, write=True) as store:
    try:
        run(study, store, interrupted, progress=False)
    except KeyboardInterrupt:
        print(f"stopped with {store.count()} rows")
    print(run(study, store, serial, progress=False))

# %% [markdown]
# Add more values: only the new cells are computed.

# %%
larger = Study(kind, study.base, (Factor.of("n", (*SIZES, 16_384)), study.factors[1]))
with Store(path, write=True) as store:
    print(run(larger, store, serial, progress=False))
    columns = store.columns(larger)

# %%
law = fit(Power, columns["error"], n=columns["n"], objective="log", fixed={"c_inf": 0.0})
alpha = law.intervals["alpha"]
print("alpha", alpha)
law.plot()

# %%
assert len(computed) == len(larger) + 1  # the one in the middle of which it was stopped
assert len(set(computed)) == len(larger) == len(columns["error"])
assert 3.7 < alpha.low < alpha.high < 4.3
folder.cleanup()
