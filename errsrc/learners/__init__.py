"""Learners: how do labelled examples become a predictor?

A learner is a frozen dataclass with a method ``fit(x, y, rng)``, which returns a predictor: a function of
inputs.  A user's own learner is a subclass of `Learner` that defines ``_fit``, or of `LinearLearner` if its
predictions are linear in the labels.
"""

from typing import TYPE_CHECKING

from errsrc.extras import require

require(__name__, "torch", "sklearn")

from errsrc.exports import exported_names
from errsrc.learners.band import BandFit as BandFit
from errsrc.learners.band import BandLeastSquares as BandLeastSquares
from errsrc.learners.estimator import EstimatorLearner as EstimatorLearner
from errsrc.learners.estimator import as_estimator as as_estimator
from errsrc.learners.estimator import as_learner as as_learner
from errsrc.learners.estimator import from_estimator as from_estimator
from errsrc.learners.forest import Forest as Forest
from errsrc.learners.gaussian_process import GaussianProcess as GaussianProcess
from errsrc.learners.gradient_descent import GradientDescent as GradientDescent
from errsrc.learners.kernel_ridge import KernelRidge as KernelRidge
from errsrc.learners.learner import BatchLearner as BatchLearner
from errsrc.learners.learner import Fitted as Fitted
from errsrc.learners.learner import Learner as Learner
from errsrc.learners.learner import LinearLearner as LinearLearner
from errsrc.learners.learner import indicators as indicators
from errsrc.learners.low_pass import LowPass as LowPass
from errsrc.learners.matrix_pencil import MatrixPencil as MatrixPencil
from errsrc.learners.memory import Memory as Memory
from errsrc.learners.minimum_norm import MinimumNorm as MinimumNorm
from errsrc.learners.neighbours import Neighbours as Neighbours
from errsrc.learners.network import NetworkStudent as NetworkStudent
from errsrc.learners.network_class import NetworkClass as NetworkClass
from errsrc.learners.network_selection import NetworkSelection as NetworkSelection
from errsrc.learners.parity import ParityElimination as ParityElimination
from errsrc.learners.parity import ParityFit as ParityFit
from errsrc.learners.quadratic_message_passing import MessagePassingFit as MessagePassingFit
from errsrc.learners.quadratic_message_passing import QuadraticMessagePassing as QuadraticMessagePassing
from errsrc.learners.random_features import RandomFeatures as RandomFeatures
from errsrc.learners.reduced_rank import ReducedRank as ReducedRank
from errsrc.learners.ridge import Ridge as Ridge
from errsrc.learners.selection import BandSelection as BandSelection
from errsrc.learners.selection import SelectedFit as SelectedFit
from errsrc.learners.sparse import SparseFit as SparseFit
from errsrc.learners.sparse import SparseRecovery as SparseRecovery
from errsrc.learners.synonyms import SynonymClustering as SynonymClustering
from errsrc.learners.synonyms import SynonymFit as SynonymFit
from errsrc.learners.tuned import Tuned as Tuned
from errsrc.learners.tuned import TunedFit as TunedFit
from errsrc.moved import moved_names

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)

ALL: dict[str, type[Learner]] = {
    "ridge": Ridge,
    "minimum-norm": MinimumNorm,
    "gradient-descent": GradientDescent,
    "random-features": RandomFeatures,
    "reduced-rank": ReducedRank,
    "band-least-squares": BandLeastSquares,
    "band-selection": BandSelection,
    "sparse-recovery": SparseRecovery,
    "matrix-pencil": MatrixPencil,
    "kernel-ridge": KernelRidge,
    "gaussian-process": GaussianProcess,
    "neighbours": Neighbours,
    "memory": Memory,
    "forest": Forest,
    "network-student": NetworkStudent,
    "network-class": NetworkClass,
    "network-selection": NetworkSelection,
    "parity-elimination": ParityElimination,
    "quadratic-message-passing": QuadraticMessagePassing,
    "synonym-clustering": SynonymClustering,
    "low-pass": LowPass,
    "tuned": Tuned,
}
"""Every learner, by the name that selects it in a TOML spec."""
