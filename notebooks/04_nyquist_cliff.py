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
# # The Nyquist cliff, and breaking it
#
# **Claim.** A learner that is given the band of a band-limited teacher is exact from n = M noiseless examples
# on, where the data leaves nothing undetermined. A learner that is given only smoothness is not exact, and
# all its error there is learning deficiency. Four things break the cliff: a tail outside the band, noise,
# clustered nodes, and a wrong band. A search for counterexamples finds each of them.

# %%
# %matplotlib inline
import numpy as np

from errsrc.bases import Torus
from errsrc.conjecture import Claim, Region, draw_errors, search, threshold
from errsrc.learners import BandLeastSquares, KernelRidge
from errsrc.plots import cliff
from errsrc.settings import BandTeacher, Clustered, Gaussian
from errsrc.sources import budget

band = Torus(3, dim=2)  # frequencies up to 3 in each of two angles
setting, given = BandTeacher(band), BandLeastSquares(band)
print(band.size)

# %% [markdown]
# ## The cliff
# Median relative error over 10 draws of teacher and nodes. For comparison: kernel ridge regression with a
# periodic kernel.

# %%
ratios = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 8.0)
ordinary = KernelRidge("periodic", length=0.5, ridge=1e-10)
found = {
    "given the band": threshold(setting, given, ratios=ratios, draws=10),
    "kernel ridge": threshold(setting, ordinary, ratios=ratios, draws=10),
}
for name, one in found.items():
    print(f"{name}: {one}")
cliff(found).figure

# %% [markdown]
# ## Where the error comes from
# At n = M the posterior of the teacher has width 0: uncertainty is 0 to rounding, and all remaining error of
# kernel ridge regression is deficiency.

# %%
for n in (24, 49, 98):
    one = budget(setting, ordinary, n, draws=16)
    print(n, one.uncertainty, one.deficiency)

# %% [markdown]
# ## Breaking it
# If one of its conditions fails, even 4 M examples do not make the learner exact (1e-9).

# %%
broken = {
    "a tail of 1e-4 of the energy": (BandTeacher(band, beyond=Torus(6, dim=2), tail=1e-4), given),
    "noise of 0.01": (BandTeacher(band, channel=Gaussian(0.01)), given),
    "nodes in five clusters": (BandTeacher(band, nodes=Clustered(5, 0.002)), given),
    "a band one too small": (setting, BandLeastSquares(Torus(2, dim=2))),
}
left = {
    name: float(np.median(draw_errors(setting, learner, 4 * band.size, 10)))
    for name, (setting, learner) in broken.items()
}
print(left)

# %% [markdown]
# ## A search that tries to refute it
# The claim states its conditions: the error is at most 100 x condition number x rounding, plus the label
# noise times the gain of the nodes. Without one of these conditions the claim is false, and a search finds a
# small counterexample.

# %%
true = search(Claim(), Region(most=25), examples_wanted=150)
false = {
    "from 0.8 M on": search(Claim(threshold=0.8), Region(most=25), examples_wanted=150),
    "whatever the condition number": search(
        Claim(heeds_condition=False), Region(most=25, designs=("clustered",)), examples_wanted=150
    ),
    "whatever the tail": search(Claim(), Region(most=25, tail=0.01), examples_wanted=150),
}
print(f"the claim: {true.verdict}, {true.tested} examples tested, worst error / bound {true.worst:.2g}")
for name, one in false.items():
    print(f"{name}: {one.verdict} at n = {one.counterexample.n}: {one.outcome.status}")

# %% [markdown]
# ## The claim holds

# %%
assert found["given the band"].n_star.estimate == band.size
assert found["given the band"].medians[-1] < 1e-13
assert np.isinf(found["kernel ridge"].n_star.estimate)
exact = budget(setting, ordinary, band.size, draws=16)
assert exact.uncertainty.upper.estimate < 1e-20 < 0.05 < exact.deficiency.lower.estimate
assert min(left.values()) > 1e-9  # what counts as exact
assert true.verdict == "supported"
assert all(one.verdict == "refuted" for one in false.values())
