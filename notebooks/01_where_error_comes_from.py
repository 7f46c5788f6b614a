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
# # Where does my error come from?
#
# **Claim.** In a setting of five lines, each learner's risk is the sum of four terms, each at least 0: noise,
# realizability, uncertainty and deficiency. The largest of the last three says what would help. Of three
# learners, one needs a larger class, one needs more data, and one needs a better way of learning.

# %%
# %matplotlib inline
import itertools
from dataclasses import dataclass

import numpy as np

from errsrc import plots
from errsrc.bases import Torus
from errsrc.fitting import fit
from errsrc.laws import Chinchilla
from errsrc.learners import BandLeastSquares, KernelRidge, LinearLearner, Neighbours, RandomFeatures
from errsrc.results import mean_interval
from errsrc.settings import BandTeacher, Gaussian, GaussianSetting, LinearTeacher
from errsrc.sources import TERMS, budget, budget_grid

# %% [markdown]
# ## A setting in five lines
# The teacher is the height of the tide at a harbour, measured at random times of a month. Its four periods
# are known from astronomy (M2, S2, K1 and O1; in hours); its amplitudes and phases are unknown. A setting
# defines how inputs are drawn, and a root B of the prior covariance B B' of the teacher's values at these
# inputs.

# %%
PERIODS = np.array([12.42, 12.00, 23.93, 25.82])


@dataclass(frozen=True)
class Tide(GaussianSetting):
    def inputs(self, count, rng):
        return rng.uniform(0, 720, (count, 1))

    def roots(self, *times):
        turns = [2 * np.pi * t / PERIODS for t in times]
        return [np.hstack([np.cos(turn), np.sin(turn)]) / 2 for turn in turns]


setting = Tide(channel=Gaussian(0.1))

# %% [markdown]
# There are three learners. The first averages measurements that are close in time. The second knows how
# smooth a tide is. The third knows the periods, as tide tables do: ridge regression on eight waves, defined
# here.


# %%
@dataclass(frozen=True)
class Harmonic(LinearLearner):
    ridge: float = 0.01

    def features(self, x, at):
        return setting.roots(at)[0]

    def coefficients(self, x, labels):
        waves = self.features(x, x)
        return np.linalg.solve(waves.T @ waves + self.ridge * np.eye(8), waves.T @ labels)


learners = {
    "nearest neighbour": Neighbours(1),
    "smooth": KernelRidge("rbf", length=3.0, ridge=0.01),
    "harmonic analysis": Harmonic(),
}
SIZES = (8, 16, 32, 64, 128, 256, 512)
tides = {name: [budget(setting, one, n, draws=16) for n in SIZES] for name, one in learners.items()}
for name, found in tides.items():
    print(f"{name}: {found[4]}\n")

# %% [markdown]
# After 128 measurements the data leaves almost nothing undetermined. The remaining error of the first two
# learners is deficiency: they do not need more measurements, they need to know the periods.

# %%
plots.terms(tides["smooth"]).figure

# %%
plots.shares(tides["smooth"]).figure

# %% [markdown]
# ## Three learners, three answers
# Smooth periodic functions and n = 100 noisy examples. The three learners are: least squares in a class that
# is too small, the learner that makes the best use of the data, and nearest neighbours.

# %%
band, noise, n = Torus(8), 0.5, 100  # M = 17
smooth = BandTeacher(band, decay=2.0, channel=Gaussian(noise))
best = noise**2 * float((np.maximum(band.degrees, 1) ** -2.0).sum())  # noise over prior variance, at degree 1
answers = {
    "larger class": budget(smooth, BandLeastSquares(Torus(1)), n),
    "more data": budget(smooth, BandLeastSquares(band, ridge=best, decay=2.0), n),
    "better learner": budget(smooth, Neighbours(1), n),
}
for name, one in answers.items():
    print(f"{name}: {one}\n")

# %% [markdown]
# ## Checked by a plain simulation
# Without closed forms: draw 400 tides, measure them, learn, and compare the risks.

# %%
rng = np.random.default_rng(0)
risks = []
for _ in range(400):
    times, fresh, amplitudes = setting.inputs(64, rng), setting.inputs(64, rng), rng.standard_normal(8)
    heights = setting.roots(times)[0] @ amplitudes + 0.1 * rng.standard_normal(64)
    learned = learners["smooth"].fit(times, heights, rng)(fresh)
    risks.append(np.mean((learned - setting.roots(fresh)[0] @ amplitudes) ** 2) + 0.1**2)
stated, simulated = tides["smooth"][3].total, mean_interval(risks, 0.999)
print(f"stated {stated}, simulated {simulated}")

# %% [markdown]
# ## The terms of a scaling law
# In regression on random features, the number of examples n, the number of features m and the training time
# are axes of one exact world. Here an additive law E + A m^-alpha + B n^-beta is fitted to total risks alone,
# at the best training time of each n and m. Are its terms those of the budget? (`sims/exact_terms.py` asks
# this at larger sizes.)

# %%
sizes, steps = [8, 16, 32, 64], [1, 10, 30, 100, 300, 1000, 3000, 10_000]
features = LinearTeacher(400, input_decay=1.2, weight_decay=0.6, channel=Gaussian(0.05))
students = [RandomFeatures(m, steps=t, learning_rate=0.2) for m in sizes for t in steps]
grid = budget_grid(features, students, sizes, draws=16)
models, data_sizes = np.repeat(sizes, len(sizes)).astype(float), np.tile(sizes, len(sizes)).astype(float)
best = [
    min((grid[k * len(steps) + t, size] for t in range(len(steps))), key=lambda one: one.total.estimate)
    for k in range(len(sizes))
    for size in sizes
]
total, outside, rest = (
    np.array([sum(getattr(one, name).lower.estimate for name in names) for one in best])
    for names in (TERMS, ["realizability"], ["uncertainty", "deficiency"])
)
law = fit(Chinchilla, total, n=data_sizes, m=models).law
model, data = law.A * models**-law.alpha / outside, law.B * data_sizes**-law.beta / rest
print(f"model term over realizability: {model.min():.2f} to {model.max():.2f}")
print(f"data term over uncertainty + deficiency: {data.min():.2f} to {data.max():.2f}")

# %% [markdown]
# The law's terms are those of the budget only roughly: uncertainty plus deficiency at one n depends on m.
#
# Training time moves deficiency: what infinitely many steps would remove is "not yet", what stays is "never".
# Where "not yet" is negative, training to the end makes the risk larger, and it is better to stop early.

# %%
place = 2 * len(steps)  # m = 32, n = 64
for t, one in zip(steps, (grid[place + t, 64] for t in range(len(steps))), strict=True):
    print(f"{t:6} steps: not yet {one.not_yet}, never {one.never}")

# %% [markdown]
# ## The claim holds

# %%
for one in (*itertools.chain(*tides.values()), *answers.values()):
    parts = [getattr(one, name).lower.estimate for name in TERMS]
    assert min(parts) > -1e-12
    assert abs(sum(parts) - one.total.estimate) < 1e-9
assert simulated.low < stated.high
assert stated.low < simulated.high
largest = {
    name: max(TERMS[1:], key=lambda term, one=one: getattr(one, term).lower.estimate)
    for name, one in answers.items()
}
assert list(largest.values()) == ["realizability", "uncertainty", "deficiency"]
assert tides["harmonic analysis"][-1].deficiency.lower.estimate < 1e-9  # the ridge is the right one
assert tides["smooth"][-1].deficiency.lower.low > 10 * tides["smooth"][-1].uncertainty.lower.high
assert 0.5 < model.min() < model.max() < 2
assert 0.5 < data.min() < data.max() < 2
assert grid[place, 64].not_yet.low > 0
assert grid[place + 3, 64].not_yet.high < 0
