"""Scaling laws: one file a law; one fitter, one default estimator and one planner serve all of them.

- ``fit(Dense, error, n=n, m=m)``: one law, as published; parameters with intervals, and forecasts
- ``auto(error, n=n)``: the default estimator, several laws averaged
- ``plan(forecast, error=0.05)``: the cheapest n and m that reach an error
- ``fewest_weights(forecast, error, ...)``: which network, pruned how far, reaches an error with the fewest
- ``Chained(dense, pruned)``: pruned networks of sizes that were never trained
- ``holdout(Dense, error, n=n, m=m)``: fitted to small cells, judged on the large ones
- ``shape(n, error)``: power law, bend or cliff, decided by held-out cells
"""

from __future__ import annotations

from errsrc.laws.averaging import auto as auto
from errsrc.laws.broken import Broken
from errsrc.laws.chained import Chained as Chained
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.cliff import Cliff
from errsrc.laws.dense import Dense
from errsrc.laws.envelope import Envelope
from errsrc.laws.fitting import fit as fit
from errsrc.laws.fitting import seed_weights as seed_weights
from errsrc.laws.holdout import holdout as holdout
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.joint_pruning import plateau as plateau
from errsrc.laws.law import Law
from errsrc.laws.m4 import M4
from errsrc.laws.planning import fewest_weights as fewest_weights
from errsrc.laws.planning import plan as plan
from errsrc.laws.power import Power
from errsrc.laws.pruning import Pruning
from errsrc.laws.shape import shape as shape

ALL: dict[str, type[Law]] = {
    "dense": Dense,
    "power": Power,
    "envelope": Envelope,
    "chinchilla": Chinchilla,
    "m4": M4,
    "broken": Broken,
    "cliff": Cliff,
    "pruning": Pruning,
    "joint-pruning": JointPruning,
}
