"""Scaling laws, a file each: formulas only.

`errsrc.fitting` fits a law to measured points, predicts with it and plans with it; `errsrc.curves` decides
which shape a learning curve has.
"""

from __future__ import annotations

from errsrc.laws.broken import Broken
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.cliff import Cliff
from errsrc.laws.dense import Dense
from errsrc.laws.envelope import Envelope
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.joint_pruning import plateau as plateau
from errsrc.laws.law import Law
from errsrc.laws.m4 import M4
from errsrc.laws.power import Power
from errsrc.laws.pruning import Pruning

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
"""Every law, by the name that specs, fit files and the command line use."""
