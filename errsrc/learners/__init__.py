"""Learners: maps from labelled examples to predictors, from least squares to networks."""

from errsrc.learners.estimator import as_estimator as as_estimator
from errsrc.learners.kernel import KernelRidge as KernelRidge
from errsrc.learners.learner import Learner as Learner
from errsrc.learners.linear import FourierLeastSquares as FourierLeastSquares
from errsrc.learners.linear import GradientDescent as GradientDescent
from errsrc.learners.linear import MinimumNorm as MinimumNorm
from errsrc.learners.linear import ReducedRank as ReducedRank
from errsrc.learners.linear import Ridge as Ridge
from errsrc.learners.local import Forest as Forest
from errsrc.learners.local import Neighbours as Neighbours

ALL: dict[str, type[Learner]] = {
    "minimum-norm": MinimumNorm,
    "ridge": Ridge,
    "gradient-descent": GradientDescent,
    "fourier-least-squares": FourierLeastSquares,
    "reduced-rank": ReducedRank,
    "kernel-ridge": KernelRidge,
    "neighbours": Neighbours,
    "forest": Forest,
}
"""Learners by the name that specs have for them."""
