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
# **Claim.** Real images have bands too: the top M eigenfunctions of a kernel, estimated from unlabelled
# images. A learner that is given such a band learns a teacher in it exactly from M labelled images; three
# learners that are not given the band do not. Real labels, and a network trained on them, lie in no such
# band: their energy outside falls slowly with M, and the error of least squares in a band does not fall below
# that energy.

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
# The images are scikit-learn's digits, 8 x 8 pixels. 600 of them, without their labels, give the basis; the
# others are labelled. (`ImageBasis("fashion-mnist", ...)` uses Fashion-MNIST; its figures are in
# `sims/nyquist_images.toml` and `sims/nyquist_images.py`.)

# %%
band = ImageBasis("digits", count=50, landmarks=300, unlabelled=600)
setting = BandTeacher(band)
length = band.mercer.length
print(f"M = {band.size}, a Gaussian kernel of length {length:.1f}")

# %%
ratios = (0.5, 0.8, 1.0, 1.5, 2.0, 4.0, 8.0)
learners = {
    "given the band": BandLeastSquares(band),
    "kernel ridge, the same kernel": KernelRidge("rbf", length, ridge=1e-8),
    "nearest neighbour": Neighbours(1),
    "network": NetworkStudent(MLP((64, 64, 1)), Recipe(loss="squared", batch=32), steps=600),
}
found = {name: threshold(setting, one, ratios=ratios, draws=5) for name, one in learners.items()}
for name, one in found.items():
    print(f"{name}: {one}")
plots.cliff(found).figure

# %% [markdown]
# At n = M the uncertainty is 0 up to rounding: all error of the other learners is deficiency.

# %%
at_m = budget(setting, learners["kernel ridge, the same kernel"], band.size, draws=16)
print(at_m)

# %% [markdown]
# ## Real labels
# The targets are the digits' own classes, as ten indicators, and the outputs of a network trained on them.
# The table shows the share of their energy outside the top M eigenfunctions, by Parseval on the images that
# gave the basis, and the error of least squares in that band on test images, learned from all labelled
# images.

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
# The energy never reaches 0, so no learner limited to a band becomes exact. A larger band can express more,
# but it needs more examples: M of them before it learns anything.

# %% [markdown]
# ## The claim holds

# %%
given, *others = found.values()
assert given.n_star.estimate == band.size
assert given.squared(400).high < 1e-20
assert all(np.isinf(one.n_star.estimate) for one in others)
assert at_m.uncertainty.upper.estimate < 1e-20 < 0.01 < at_m.deficiency.lower.low
for name in targets:
    tail = np.array(outside[name])
    assert np.all(tail[1:] > 0.3 * tail[:-1])  # falling, and slowly
    assert np.all(np.diff(tail) < 0)
    predicted = tail * (1 + np.array(SIZES) / (len(labelled) - np.array(SIZES)))
    assert np.all(np.abs(np.log(error[name] / predicted)) < np.log(2))
