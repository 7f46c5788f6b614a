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
# # Nyquist on real images
#
# **Claim.** Real images have bands too: the top M eigenfunctions of a kernel on them, which unlabelled images
# tell.  A teacher in such a band is learned exactly from M labelled images, but by none of three learners
# that are not told it.  Real labels, and a network trained on them, lie in none: the energy outside falls
# slowly with M, and least squares in a band ends at what is outside.

# %%
# %matplotlib inline
from dataclasses import replace

import matplotlib as mpl
import numpy as np

from errsrc import plots
from errsrc.conjecture import threshold
from errsrc.datasets.image_sets import images
from errsrc.learners import BandLeastSquares, KernelRidge, Neighbours, NetworkStudent
from errsrc.nets import MLP
from errsrc.plots.style import FITTED, HELD_OUT, STYLE, axes, log
from errsrc.settings import BandTeacher, ImageBasis, ImageTeacher
from errsrc.sources import budget
from errsrc.training import Recipe

# %% [markdown]
# ## A band of images
# Scikit-learn's images of digits, 8 x 8 pixels: 600 of them, without their labels, give the basis; others are
# labelled.  (`ImageBasis("fashion-mnist", ...)` takes Fashion-MNIST; figures for it are in
# `sims/nyquist_images.toml` and `sims/nyquist_images.py`.)

# %%
band = ImageBasis("digits", count=50, landmarks=300, unlabelled=600)
world = BandTeacher(band)
length = band.mercer.length
print(f"M = {band.size}, a Gaussian kernel of length {length:.1f}")

# %%
ratios = (0.5, 0.8, 1.0, 1.5, 2.0, 4.0, 8.0)
learners = {
    "told the band": BandLeastSquares(band),
    "kernel ridge, the same kernel": KernelRidge("rbf", length, ridge=1e-8),
    "nearest neighbour": Neighbours(1),
    "network": NetworkStudent(MLP((64, 64, 1)), Recipe(loss="squared", batch=32), steps=600),
}
found = {name: threshold(world, one, ratios=ratios, draws=5) for name, one in learners.items()}
for name, one in found.items():
    print(f"{name}: {one}")
plots.cliff(found).figure

# %% [markdown]
# At n = M nothing is left to know, up to rounding: the other learners' error is deficiency.

# %%
at_m = budget(world, learners["kernel ridge, the same kernel"], band.size, draws=16)
print(at_m)

# %% [markdown]
# ## Real labels
# The digits' own classes, as ten indicators, and the outputs of a network that was trained on them: the share
# of their energy outside the top M eigenfunctions, by Parseval on the images that the basis was made from;
# and what least squares in that band leaves on test images, from all the labelled images that there are.

# %%
data = images("digits")
centre = data.train_x.reshape(-1, 64).mean(0)
scale = (data.train_x.reshape(-1, 64) - centre).std()
train, test = ((x.reshape(-1, 64) - centre) / scale for x in (data.train_x, data.test_x))
teacher = ImageTeacher("digits", MLP((64, 32, 10)), teacher_n=1000, teacher_steps=500)
network = teacher.teacher(np.random.default_rng(0))
targets = {
    "real labels": (np.eye(10)[data.train_y], np.eye(10)[data.test_y]),
    "trained network": (network(train), network(test)),
}
unlabelled, labelled = band.split
SIZES = (5, 10, 20, 50, 100, 200)
outside, error = {}, {}
for name, (y, y_test) in targets.items():
    mean, energy = y[unlabelled].mean(0), y[unlabelled].var(0).sum()
    outside[name], error[name] = [], []
    for size in SIZES:
        one = replace(band, count=size)
        c = one(train[unlabelled]).T @ (y[unlabelled] - mean) / len(unlabelled)
        left = (1 - (c**2).sum() / energy) / (1 - size / len(unlabelled))  # for c are fitted to these images
        outside[name].append(left)
        fitted = BandLeastSquares(one).fit(train[labelled], y[labelled] - mean, np.random.default_rng(0))
        error[name].append(((fitted(test) - y_test + mean) ** 2).sum(1).mean() / energy)
    print(name, np.round(outside[name], 3), np.round(error[name], 3))

# %%
with mpl.rc_context(STYLE):
    ax = axes(None, 6.0, 4.0)
    for name, colour in zip(targets, (FITTED, HELD_OUT), strict=True):
        ax.plot(SIZES, outside[name], "o-", color=colour, label=f"{name}: energy outside the band")
        ax.plot(SIZES, error[name], "s", color=colour, mfc="white", label=f"{name}: error in the band")
    ax.set(xlabel="M, eigenfunctions in the band", ylabel="share of the target's energy")
    log(ax).legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
ax.figure

# %% [markdown]
# There is no M at which they end, and so nothing to be exact about: what a larger band adds to what can be
# learned it takes from the examples, M of them before anything is learned at all.

# %% [markdown]
# ## The claim holds

# %%
told, *others = found.values()
assert told.n_star.estimate == band.size
assert told.squared(400).high < 1e-20
assert all(np.isinf(one.n_star.estimate) for one in others)
assert at_m.uncertainty.upper.high < 1e-20 < 0.01 < at_m.deficiency.lower.low
for name in targets:
    tail = np.array(outside[name])
    assert np.all(tail[1:] > 0.3 * tail[:-1])  # falling, and slowly
    assert np.all(np.diff(tail) < 0)
    predicted = tail * (1 + np.array(SIZES) / (len(labelled) - np.array(SIZES)))
    assert np.all(np.abs(np.log(error[name] / predicted)) < np.log(2))
