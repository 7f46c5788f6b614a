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
# # The noiseless realizable case
#
# **Claim.** Where labels are exact and the student's class holds the teacher, an analytic network of P
# parameters is determined by 2P + 1 examples: from there on uncertainty is 0, realizability and noise are
# too, and all error of a trained student is learning deficiency, however slowly it falls.  A learner of the
# same class that looks for the solution itself finds it there.

# %%
# %matplotlib inline
from errsrc import plots
from errsrc.learners import NetworkClass, NetworkStudent
from errsrc.nets import MLP
from errsrc.settings import NetworkTeacher
from errsrc.sources import Effort, budget
from errsrc.training import Recipe

network = MLP((2, 4, 1), "tanh")
world = NetworkTeacher(network)
P = world.parameters
print(P, "parameters,", 2 * P + 1, "examples")

# %% [markdown]
# ## Trained students
# Two students, trained with Adam on all examples: one with the teacher's own architecture, one eight times as
# wide, which holds the teacher too.  Eight teachers, each with examples of its own.  Below 2P + 1 uncertainty
# lies between planted chains and the best of a portfolio of predictors; from there on it is 0 for all time.

# %%
SIZES = (8, 35, 140, 560)
recipe = Recipe("adam", learning_rate=0.01, decay=1.0, loss="squared", batch=64)
effort = Effort(starts=2, steps=100, chains=2, transitions=4, leaps=30)


def student(width):
    return NetworkStudent(MLP((2, width, 1), "tanh"), recipe, steps=1500, validation=0.0)


wider = [budget(world, student(32), n, draws=8, effort=effort) for n in SIZES]
own = [budget(world, student(4), n, draws=8, effort=effort) for n in SIZES[1:]]
print(wider[0], own[0], wider[1], sep="\n\n")

# %%
plots.shares(wider).figure

# %%
plots.terms(wider).figure

# %% [markdown]
# Nothing marks n = 35, where uncertainty ends, in what students do: their error falls slowly or not at all,
# and much of it is left on the training examples themselves.

# %%
for name, budgets in {"own width": own, "wider": wider}.items():
    for one in budgets[-3:]:
        print(f"{name:>9}  n = {one.n:3}  deficiency {one.deficiency}, left by the optimiser {one.optimiser}")

# %% [markdown]
# ## The solution is there
# Levenberg-Marquardt from many starts, until one has zero training error: the same class, the same examples.

# %%
searched = budget(world, NetworkClass(network), 2 * P + 1, draws=8, effort=effort)
print(searched)

# %% [markdown]
# ## The claim holds

# %%
certain = [*own, *wider[1:]]
for one in certain:
    assert one.noise.upper.estimate == one.realizability.upper.estimate == one.uncertainty.upper.estimate == 0
    assert one.deficiency.lower == one.deficiency.upper
    assert one.total.estimate > 1e-5
assert wider[0].uncertainty.lower.low > 0  # eight examples do not determine it
assert searched.total.high < 1e-20
assert wider[-1].total.high < wider[1].total.estimate
