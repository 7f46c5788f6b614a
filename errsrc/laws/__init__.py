"""Scaling laws: their formulas, one file for each law.

A law gives the error of a learner as a function of its sizes.  `errsrc.fitting` fits laws to measured points,
and predicts and plans with the fitted laws.  `errsrc.curves` decides which shape a learning curve has.

A law of your own is a frozen dataclass with an error in numpy and a formula in sympy:

>>> from dataclasses import dataclass
>>> from errsrc.laws import Law, positive, symbol
>>> @dataclass(frozen=True)
... class Onset(Law):
...     inputs = ("n",)
...     a: float = positive((0.3, 3.0), unit={"error": 1})
...     onset: float = positive((0.05, 5.0), unit={"n": 1})
...     alpha: float = positive((0.2, 1.5))
...
...     def error(self, **inputs):
...         (n,) = self.input_arrays(inputs)
...         return self.a * (1 + n / self.onset) ** -self.alpha
...
...     @classmethod
...     def formula(cls):
...         n, a, onset, alpha = map(symbol, ("n", "a", "onset", "alpha"))
...         return a * (1 + n / onset) ** -alpha
>>> float(Onset(a=0.8, onset=100.0, alpha=0.5).error(n=300.0))
0.4

`errsrc.testing.check_law` tests such a law.  Fits, predictions, plans, figures and files accept the class as
it is.  To use the law by its name in TOML specs and on the command line, add it to `ALL` and run ``make
gradients``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from errsrc.exports import exported_names
from errsrc.laws.broken import Broken
from errsrc.laws.broken2 import Broken2
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.cliff import Cliff
from errsrc.laws.coupled import Coupled
from errsrc.laws.coupled_dense import CoupledDense
from errsrc.laws.dense import Dense
from errsrc.laws.envelope import Envelope
from errsrc.laws.finite_data import FiniteData
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.joint_pruning import plateau as plateau
from errsrc.laws.law import Law
from errsrc.laws.law import symbol as symbol
from errsrc.laws.layer_pruning import LayerPruning
from errsrc.laws.m4 import M4
from errsrc.laws.parameters import floor as floor
from errsrc.laws.parameters import positive as positive
from errsrc.laws.parameters import real as real
from errsrc.laws.power import Power
from errsrc.laws.pruning import Pruning
from errsrc.laws.sparse_training import SparseTraining
from errsrc.moved import moved_names

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)

ALL: dict[str, type[Law]] = {
    "dense": Dense,
    "power": Power,
    "envelope": Envelope,
    "chinchilla": Chinchilla,
    "coupled": Coupled,
    "coupled-dense": CoupledDense,
    "m4": M4,
    "broken": Broken,
    "broken2": Broken2,
    "cliff": Cliff,
    "pruning": Pruning,
    "joint-pruning": JointPruning,
    "layer-pruning": LayerPruning,
    "finite-data": FiniteData,
    "sparse-training": SparseTraining,
}
"""Every law, by its name in TOML specs and in fit files.

The commands choose `JointPruning` if a table has several pruned networks."""
