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
# # Pruning and its invariant
#
# **Claim.** The error of a magnitude-pruned network stays on a plateau and then rises as a law of its
# density. Networks of other depths and widths follow the same curve in the invariant depth^phi width^psi
# density. The law fitted to four networks therefore predicts the errors of two unseen ones; a law in density
# alone does not.

# %%
# %matplotlib inline
import numpy as np

from errsrc import plots
from errsrc.fitting import fit, judge
from errsrc.laws import JointPruning, Pruning, plateau
from errsrc.tasks import PruningCell, prune_cells
from errsrc.training import Recipe, Rounds

# %% [markdown]
# ## Real prunings
# MLPs with one and two hidden layers of 8, 16 and 32 units are trained on 740 images of digits. Each round
# prunes 40% of the remaining weights, rewinds the rest and trains again. There are four seeds of each
# network, trained at once. (`sims/pruning_small.toml` and `sims/pruning_grid.toml` are studies with
# Fashion-MNIST.)

# %%
SHAPES = [(depth, width) for depth in (1, 2) for width in (8, 16, 32)]
rounds = Rounds(pruned_fraction=0.4, max_rounds=6, error_factor=20.0)
points = {name: [] for name in ("depth", "width", "density", "error", "eps_np")}
for depth, width in SHAPES:
    cells = [
        PruningCell(
            "digits",
            "mlp",
            width,
            n=740,
            seed=seed,
            validation=397,
            steps=300,
            recipe=Recipe(learning_rate=0.032 / width**0.5),
            depth=depth,
            rounds=rounds,
        )
        for seed in range(4)
    ]
    curves = [outcome["curve"] for outcome in prune_cells(cells)]
    density, error = (np.concatenate([curve[name] for curve in curves]) for name in ("density", "error"))
    level = plateau(density, error)
    sizes = {"depth": depth, "width": width, "eps_np": level}
    for name, column in {"density": density, "error": error, **sizes}.items():
        points[name] += np.broadcast_to(column, error.shape).tolist()
    last = error[density == density.min()].mean()
    print(f"depth {depth}, width {width:2}: plateau {level:.3f}, at density {density.min():.3f} {last:.2f}")
points = {name: np.array(column) for name, column in points.items()}

# %% [markdown]
# ## One network
# Rosenfeld et al. 2021, equation 1: the dense plateau, the slope gamma, and the plateau of a network with
# almost no weights.

# %%
inputs = {name: points[name] for name in JointPruning.inputs}
error = points["error"]
middle = (points["depth"] == 1) & (points["width"] == 16)
one = fit(Pruning, error[middle], density=points["density"][middle])
for name, interval in one.intervals.items():
    print(f"{name:7} {interval}")
print(f"divergence +- {one.divergence_std:.1%}, between seeds {one.seed_noise:.1%}")

# %% [markdown]
# ## All networks, and two unseen ones
# Equation 2, with the invariant. The law is fitted to four networks and predicts the other two from their
# plateaus. For comparison: the same law with phi = psi = 0, a function of density and plateau alone.

# %%
joint = fit(JointPruning, error, **inputs)
for name, interval in joint.intervals.items():
    print(f"{name:7} {interval}")
plots.invariant(joint).figure

# %%
held = ((points["depth"] == 1) & (points["width"] == 32)) | ((points["depth"] == 2) & (points["width"] == 8))
seen = {name: column[~held] for name, column in inputs.items()}
parts = {
    "with the invariant": fit(JointPruning, error[~held], **seen),
    "by density alone": fit(JointPruning, error[~held], fixed={"phi": 0.0, "psi": 0.0}, **seen),
}
judged = {name: judge(part, error, ~held, **inputs).held_out for name, part in parts.items()}
spread = {name: np.sqrt(np.mean(np.log1p(cells.divergence) ** 2)) for name, cells in judged.items()}
for name, cells in judged.items():
    off = f"{cells.divergence_mean:+.0%} +- {cells.divergence_std:.0%}"
    print(f"{name}: off by {off}, a spread of {spread[name]:.2f} in ln error")

# %% [markdown]
# ## The claim holds

# %%
assert one.divergence_std < 2 * one.seed_noise
assert joint.law.psi > 0  # a wider network bears more pruning
assert joint.divergence_std < 3 * joint.seed_noise
assert spread["with the invariant"] < 0.5 * spread["by density alone"]
