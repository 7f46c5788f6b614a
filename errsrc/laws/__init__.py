"""Scaling laws: one file a law; fitting and planning serve all of them."""

from __future__ import annotations

from errsrc.laws.broken import Broken
from errsrc.laws.chinchilla import Chinchilla
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
    "pruning": Pruning,
    "joint-pruning": JointPruning,
}
