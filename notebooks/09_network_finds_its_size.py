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
# # A network that finds its own size
#
# **Claim.** A learner that knows only an upper bound on the size of the teacher network can be exact at
# finite n. It fits networks of the sizes 1, 2, ... and accepts the first one that has zero training error
# and more examples than degrees of freedom. The examples that it needs grow with the size of the teacher,
# not with the upper bound. Least squares in all functions of the family needs as many examples as the
# largest network has degrees of freedom.

# %%
# %matplotlib inline
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from errsrc.learners import NetworkClass, NetworkSelection, from_estimator
from errsrc.nets import MLP, QuadraticNetwork
from errsrc.settings import NetworkTeacher

DIM, RANK = 12, 2
largest, teacher_network = QuadraticNetwork(DIM, DIM), QuadraticNetwork(DIM, RANK)
setting = NetworkTeacher(teacher_network, 1.0)
small, large = teacher_network.degrees_of_freedom, largest.degrees_of_freedom
sure = teacher_network.separating_examples(largest)
print(
    f"degrees of freedom: teacher {small}, largest network {large}; certain for every teacher from n = {sure}"
)

# %% [markdown]
# ## Quadratic networks
# The teacher is a quadratic form of rank 2 in 12 inputs, without noise. The learners know only that the
# rank is at most 12. `network-selection` looks for the smallest size. `network-class` fits the largest
# network. The third learner is least squares in the products of two inputs. There are eight teachers for
# each n, each with its own examples.

# %%
SIZES, TEACHERS = (12, 18, small, small + 1, 28, 34, 46, 60, large - 1, large + 1, 96), 8
products = make_pipeline(PolynomialFeatures(2, include_bias=False), LinearRegression())
learners = {
    "network-selection": NetworkSelection(largest, starts=64),
    "network-class, largest size": NetworkClass(largest, starts=8),
    "least squares in products": from_estimator(products),
}
errors = {name: np.empty((len(SIZES), TEACHERS)) for name in learners}
accepted, found_sizes = (
    np.zeros((len(SIZES), TEACHERS), dtype=bool),
    np.zeros((len(SIZES), TEACHERS), dtype=int),
)
for i, n in enumerate(SIZES):
    for j in range(TEACHERS):
        rng = np.random.default_rng([i, j])
        teacher, x, fresh = setting.teacher(rng), setting.inputs(n, rng), setting.inputs(1000, rng)
        for name, learner in learners.items():
            predictor = learner.fit(x, teacher(x), rng)
            difference = predictor(fresh) - teacher(fresh)
            errors[name][i, j] = np.sqrt(np.square(difference).mean() / np.square(teacher(fresh)).mean())
            if name == "network-selection":
                accepted[i, j] = predictor.function.certified
                found_sizes[i, j] = predictor.function.size or 0

for i, n in enumerate(SIZES):
    medians = "  ".join(f"{name}: {np.median(errors[name][i]):.1e}" for name in learners)
    print(
        f"n = {n:3}  accepted {accepted[i].sum()} of {TEACHERS}, sizes {np.unique(found_sizes[i])}  {medians}"
    )

# %%
figure, ax = plt.subplots(figsize=(6.8, 4.4), layout="constrained")
for name, mark in zip(learners, "os^", strict=True):
    ax.loglog(SIZES, np.maximum(np.median(errors[name], axis=1), 1e-16), marker=mark, label=name)
for n, text in ((small, "teacher's degrees of freedom"), (large, "largest network's")):
    ax.axvline(n, color="0.6", linestyle="--", linewidth=1)
    ax.text(n, 3e-17, f" {text}", rotation=90, va="bottom", ha="right", fontsize=8, color="0.4")
ax.set(xlabel="examples n", ylabel="median relative error", title="quadratic teachers of rank 2 in 12 inputs")
ax.set_xticks((12, 24, 48, 96), ("12", "24", "48", "96"))
ax.minorticks_off()
figure.legend(loc="outside lower center", ncols=3, fontsize=9)
figure

# %% [markdown]
# The largest network finds the teacher before n reaches its degrees of freedom, although nothing makes its
# rank small. Its functions are the forms without negative eigenvalues. Here, these forms and the labels
# together leave only the teacher. But the learner cannot know this: below its degrees of freedom it has no
# certificate. Least squares has 91 coefficients: 78 products, 12 single inputs and a constant. It is exact
# from n = 91 on.

# %% [markdown]
# ## What is certain, and when
# An accepted function carries a certificate. It holds for almost every teacher as soon as n exceeds the
# degrees of freedom of the accepted size. It holds for every teacher of the family from a larger n on. Here
# are tanh networks 3-k-1 with k = 1, 2, 3; the learner knows k <= 5.

# %%
family = MLP((3, 5, 1), "tanh")
selection = NetworkSelection(family, starts=96)
rows = []
for k in (1, 2, 3):
    network = MLP((3, k, 1), "tanh")
    tanh_setting, parameters = NetworkTeacher(network, 2.0), network.parameters
    for n in (parameters, 2 * parameters, network.separating_examples(family)):
        rng = np.random.default_rng([k, n])
        teacher, x, fresh = (
            tanh_setting.teacher(rng),
            tanh_setting.inputs(n, rng),
            tanh_setting.inputs(1000, rng),
        )
        function = selection.fit(x, teacher(x), rng).function
        error = np.sqrt(np.square(function(fresh) - teacher(fresh)).mean() / teacher(fresh).var())
        rows.append((k, parameters, n, function.size, function.certificate, error))
        certificate = function.certificate or "none"
        print(f"k = {k}, n = {n:2}: size {function.size}, certificate: {certificate}, error {error:.0e}")

# %% [markdown]
# ## The claim holds

# %%
sizes = np.array(SIZES)
exact = errors["network-selection"] < 1e-6
assert not accepted[sizes <= small].any()  # too few examples for any size: nothing is accepted
assert exact[accepted].all()  # nothing wrong is accepted
assert exact[sizes >= 2 * small].mean() > 0.95
assert (found_sizes[sizes >= 2 * small] == RANK).mean() > 0.95
assert np.median(errors["least squares in products"][sizes == large - 1]) > 1e-3
assert np.median(errors["least squares in products"][sizes == 96]) < 1e-6
for k, parameters, n, size, certificate, error in rows:
    if n == parameters:
        assert size is None or size < k
    else:
        assert (size, error < 1e-6) == (k, True)
        assert certificate
