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
# **Claim.** If labels are exact and the student's class contains the teacher, then 2P + 1 examples determine
# an analytic network of P parameters. From there on noise, realizability and uncertainty are 0, and all error
# of a trained student is learning deficiency, however slowly it falls. A learner that searches the same class
# for a solution finds the teacher.

# %%
# %matplotlib inline
from errsrc import plots
from errsrc.learners import NetworkClass, NetworkStudent
from errsrc.nets import MLP
from errsrc.settings import NetworkTeacher
from errsrc.sources import Effort, budget
from errsrc.training import Recipe

network = MLP((2, 4, 1), "tanh")
setting = NetworkTeacher(network)
P = setting.parameters
print(P, "parameters,", 2 * P + 1, "examples")

# %% [markdown]
# ## Trained students
# Two students are trained with Adam on all examples: one has the teacher's architecture, the other is eight
# times as wide and can express the teacher too. There are eight teachers, each with its own examples. Below
# 2P + 1 examples the uncertainty lies between planted chains and the best of a portfolio of predictors; from
# 2P + 1 on it is 0.

# %%
SIZES = (8, 35, 140, 560)
recipe = Recipe("adam", learning_rate=0.01, decay=1.0, loss="squared", batch=64)
effort = Effort(starts=2, steps=100, chains=2, transitions=4, leaps=30)


def student(width):
    return NetworkStudent(MLP((2, width, 1), "tanh"), recipe, steps=1500, validation=0.0)


wider = [budget(setting, student(32), n, draws=8, effort=effort) for n in SIZES]
own = [budget(setting, student(4), n, draws=8, effort=effort) for n in SIZES[1:]]
print(wider[0], own[0], wider[1], sep="\n\n")

# %%
plots.shares(wider).figure

# %%
plots.terms(wider).figure

# %% [markdown]
# The students' errors show no change at n = 35, where uncertainty ends. Their error falls slowly or not at
# all, and much of it remains on the training examples themselves.

# %%
for name, budgets in {"own width": own, "wider": wider}.items():
    for one in budgets[-3:]:
        print(f"{name:>9}  n = {one.n:3}  deficiency {one.deficiency}, left by the optimiser {one.optimiser}")

# %% [markdown]
# ## The solution is there
# Levenberg-Marquardt from many starts, in the same class and on the same examples, until one start has zero
# training error.

# %%
searched = budget(setting, NetworkClass(network), 2 * P + 1, draws=8, effort=effort)
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
