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
# # Fit, predict and plan from your own CSV
#
# **Claim.** From sixteen small trainings in a file, the joint law predicts the errors of larger ones, with
# intervals that include what sixteen trainings cannot determine. It also answers the inverse question: what
# does an error of 0.25 cost?

# %%
# %matplotlib inline
import tempfile
from pathlib import Path

import numpy as np

from errsrc import plots
from errsrc.cli import main
from errsrc.fitting import fit, judge, plan, small_cells
from errsrc.laws import Dense

# %% [markdown]
# This file stands in for yours. Each row is one trained model: data size n, model size m, test error. Here
# the errors come from a known law, with 2% noise between runs.

# %%
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "runs.csv"
grid = np.meshgrid([1e3, 2e3, 4e3, 8e3, 16e3, 32e3], [1e4, 4e4, 16e4, 64e4, 256e4], indexing="ij")
truth = Dense(eps0=0.9, alpha=0.5, beta=0.6, b=0.3, c_inf=0.5, eta=4.0, n_full=8e3, m_base=64e4)
rows = np.stack([x.ravel() for x in grid], 1)
noise = np.exp(0.02 * np.random.default_rng(1).standard_normal(len(rows)))
error = truth.error(n=rows[:, 0], m=rows[:, 1]) * noise
np.savetxt(path, np.column_stack([rows, error]), "%.6g", ",", header="n,m,error", comments="")
print(*path.read_text().splitlines()[:4], sep="\n")

# %% [markdown]
# From here on, use your own file. The law is fitted to the runs whose n and m are at most a quarter of the
# largest. The other runs are held out to judge the predictions.

# %%
runs = np.genfromtxt(path, delimiter=",", names=True)
n, m, error = runs["n"], runs["m"], runs["error"]
small = small_cells(0.25, n=n, m=m)
print(f"{small.sum()} of {len(runs)} runs are fitted")

# %% [markdown]
# One call fits the law. The error of random guessing is known (ten classes), so it is held fixed. The result
# says which parameters the points do not determine: here the floor, for which it gives an upper bound only.

# %%
result = fit(Dense, error[small], n=n[small], m=m[small], fixed={"eps0": 0.9})
for name, interval in result.intervals.items():
    print(f"{name:6} {interval}")
print(*result.warnings, sep="\n")

# %% [markdown]
# A prediction and its interval are for one new run, noise included. The held-out runs judge it.

# %%
judged = judge(result, error, small, n=n, m=m)
print(judged)
plots.extrapolation(judged).figure

# %% [markdown]
# A plan inverts the prediction: the cheapest n and m for an error, or the smallest error for a budget.

# %%
answer = plan(result, error=0.25)
print("n", answer.n, " m", answer.m, " flops", answer.cost, " floor", answer.floor)
print("for 1e12 flops:", plan(result, budget=1e12).error)

# %% [markdown]
# The same from the shell, which finds the columns n, m and error by their names:
# `errsrc fit runs.csv --law dense --eps0 0.9 --out fit.json`, then `errsrc plan fit.json --error 0.25`.

# %%
saved = Path(folder.name) / "fit.json"
codes = [
    main(["fit", str(path), "--law", "dense", "--eps0", "0.9", "--out", str(saved)]),
    main(["plan", str(saved), "--error", "0.25"]),
]

# %% [markdown]
# ## The claim holds
# The true parameters lie in their intervals, and so do most of the larger runs. The floor is reported as a
# bound. The law predicts that the planned n and m reach the target.

# %%
ahead = judged.held_out.prediction
actual = truth.error(**judged.held_out.inputs)
assert small.sum() == 16
assert np.all((ahead.low < actual) & (actual < ahead.high))
assert judged.held_out.coverage >= 0.8
assert abs(judged.held_out.divergence_mean) < 0.05
assert not result.intervals["c_inf"].determined
reached = result.predict(n=answer.n.estimate, m=answer.m.estimate)
assert abs(float(reached.predicted) - 0.25) < 1e-4
assert codes == [0, 0]
folder.cleanup()
