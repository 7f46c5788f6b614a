"""The posterior of a Gaussian setting's teacher, which has a closed form given the labelled examples."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import svd

from errsrc import checks
from errsrc.learners import Learner
from errsrc.rng import generator
from errsrc.settings import FunctionClass, GaussianSetting, RankK
from errsrc.settings.gaussian_setting import Quadrature, joint_roots
from errsrc.settings.linear import low_rank_residual
from errsrc.settings.setting import Array
from errsrc.sources.experiments import Experiment

RANDOM_POINTS = 64
"""Number of fresh inputs per draw at which functions are compared, if no exact quadrature is known."""


@dataclass(frozen=True, eq=False)
class TeacherSample:
    """A teacher, its labels, and an independent sample of the posterior given these labels.

    Attributes
    ----------
    values : ndarray of float64, (Q, outputs)
        Values of the teacher at the quadrature's points, times the square roots of the quadrature's weights.
    other : ndarray of float64, (Q, outputs)
        Values of the posterior sample at the same points, with the same factors.
    labels : ndarray of float64, (n, outputs)
        The labels.
    y : ndarray of float64, (n,) or (n, outputs)
        The labels in the shape in which learners get them.
    """

    values: Array
    other: Array
    labels: Array
    y: Array


@dataclass(frozen=True, eq=False)
class DesignTerms:
    """The terms of a budget for given inputs of the labelled examples.

    Attributes
    ----------
    realizability, uncertainty, deficiency : float
        The terms, in squared units of the labels, summed over outputs.
    """

    realizability: float
    uncertainty: float
    deficiency: float


class Posterior:
    """The posterior of a Gaussian setting's teacher given labelled examples, at the points of a quadrature.

    Let B_x and B_q be the matrices of `GaussianSetting.roots` at the examples' inputs and at the points.  The
    prior covariance between the values of an output at the points and at the inputs is std^2 B_q B_x', where
    std is the output's prior standard deviation.  Let B_x = U diag(d) V' be a singular value decomposition,
    and s the standard deviation of the noise divided by std.  Given the labels y of the output, the posterior
    mean at the points is B_q V diag(d / (d^2 + s^2)) U' y.  A square root of the posterior covariance is std
    B_q (I - V diag(1 - sqrt(s^2 / (d^2 + s^2))) V').

    The posterior covariance is never computed as the difference of two covariances.  A variance that is
    exactly 0 therefore comes out as the square of a rounding error, about 1e-30.

    *Weighted* values are values at the points times the square roots of the quadrature's weights.  A sum of
    squares of weighted values is a mean square over inputs.

    Parameters
    ----------
    setting : GaussianSetting
        The setting.
    function_class : FunctionClass
        The learner's class: a linear space, linear maps of limited rank, or all functions.
    x : ndarray of float64, (n, dim)
        Inputs of the labelled examples.
    quadrature : Quadrature
        Q points and weights, at which functions are compared.

    Notes
    -----
    The cost is a singular value decomposition of the n x R matrix B_x, and Q R min(n, R) multiplications.
    """

    def __init__(
        self, setting: GaussianSetting, function_class: FunctionClass, x: Array, quadrature: Quadrature
    ) -> None:
        self.setting, self.function_class, self.stds = setting, function_class, setting.output_stds
        self.x, self.points, self.has_exact_points = x, quadrature.points, quadrature.exact
        self.root = np.sqrt(quadrature.weights)[:, None]
        self.x_root, points_root = joint_roots(setting, x, quadrature.points)
        self.points_root = self.root * points_root  # so that plain sums of squares are means over inputs
        basis = setting.frame(function_class, quadrature.points)
        self.frame = None if basis is None else self.root * basis
        u, d, vt = svd(self.x_root, full_matrices=False, lapack_driver="gesvd")
        kept = d > max(self.x_root.shape) * np.finfo(float).eps * max(d[0], 1e-300)
        self.u, self.d, self.vt = u[:, kept], d[kept], vt[kept]

    def projected(self, values: Array) -> Array:
        """Return the projections of functions on the class: the functions of the class that are closest.

        Parameters
        ----------
        values : ndarray of float64, (Q, ...)
            Weighted values of the functions.

        Returns
        -------
        ndarray of float64, (Q, ...)
            Weighted values of the projections.
        """
        return values if self.frame is None else self.frame @ (self.frame.T @ values)

    def extended(self, values: Array, at: Array) -> Array | None:
        """Find the function of the class with given values at `points`; return its values at other inputs.

        Parameters
        ----------
        values : ndarray of float64, (Q, ...)
            Values of the function at `points`, each times the square root of the quadrature weight of the
            point.
        at : ndarray of float64, (N, dim)
            Other inputs.

        Returns
        -------
        ndarray of float64, (N, ...), or None
            Values of the function at the other inputs.  None for the class of all functions, because many
            functions have the given values.
        """
        basis = self.setting.frame(self.function_class, at)
        return None if basis is None or self.frame is None else basis @ (self.frame.T @ values)

    def gain(self, std: float) -> Array:
        """Return the matrix that maps the labels of an output to its posterior mean, float64 (Q, n).

        The posterior mean is a vector of weighted values.

        Parameters
        ----------
        std : float
            Prior standard deviation of the output.
        """
        shrunk = self.d / (self.d**2 + (self.setting.noise_std / std) ** 2)
        return ((self.points_root @ self.vt.T) * shrunk) @ self.u.T

    def mean(self, y: Array) -> Array:
        """Return the posterior mean given labels, as weighted values, float64 (Q, outputs).

        Parameters
        ----------
        y : ndarray of float64, (n, outputs)
            The labels.
        """
        out = np.zeros((len(self.root), y.shape[1]))
        for std in np.unique(self.stds[self.stds > 0]):
            out[:, self.stds == std] = self.gain(std) @ y[:, self.stds == std]
        return out

    def deviation(self, std: float) -> Array:
        """Return a matrix S, float64 (Q, R), such that S S^T is the posterior covariance of one output.

        This is the covariance of *weighted* values, see `Posterior`.

        Parameters
        ----------
        std : float
            Prior standard deviation of the output.
        """
        s = (self.setting.noise_std / std) ** 2
        along = self.points_root @ self.vt.T
        across = self.points_root - along @ self.vt
        return std * (across + (along * np.sqrt(s / (self.d**2 + s))) @ self.vt)

    def draw_teacher(self, experiment: Experiment, draw: int) -> TeacherSample:
        """Draw a teacher, its labels, and an independent sample of its posterior.

        Parameters
        ----------
        experiment : Experiment
            Gives the random generators of each draw.
        draw : int
            Index of the draw, from 0.
        """
        rng = experiment.rng(draw, "teacher")
        z = rng.standard_normal((self.x_root.shape[1], len(self.stds))) * self.stds
        labels = self.setting.channel.label(self.x_root @ z, experiment.rng(draw, "labels"))
        other = self.mean(labels)
        rng = experiment.rng(draw, "posterior")
        for output, std in enumerate(self.stds):
            if std > 0:
                root = self.deviation(std)
                other[:, output] += root @ rng.standard_normal(root.shape[1])
        y = labels if self.setting.outputs is not None else labels[:, 0]
        return TeacherSample(self.points_root @ z, other, labels, y)

    def check_membership(self, learner: Learner, values: Array, function: Callable[[Array], Array]) -> None:
        """Raise ValueError if a learner's predictions are not a function of its class.

        The check compares predictions at a few other inputs with the function of the class that has the same
        values at the points.

        Parameters
        ----------
        learner : Learner
            The learner.
        values : ndarray of float64, (Q, ...)
            The learner's predictions at the points, or the matrix that maps labels to these predictions.
        function : callable
            Maps other inputs (N, dim) to the predictions, or to the matrix that maps labels to predictions.

        Raises
        ------
        ValueError
            If the predictions are not a function of the class.  At random points, functions of the class fail
            this check, too, because the basis is not orthonormal there.  The message then says that the
            setting must define `quadrature`.
        """
        fresh = self.setting.inputs(8, generator(0, "budget", "class"))
        expected = self.extended(self.root * values, fresh)
        if expected is not None and not np.allclose(function(fresh), expected, rtol=1e-5, atol=1e-6):
            if not self.has_exact_points:
                accepted = f"one whose quadrature() gives exact points for {learner.function_class}"
                message = checks.refusal("setting", "budget", accepted, self.setting)
                raise ValueError(f"{message} Define quadrature for each class for which you define frame.")
            accepted = f"a learner whose predictions lie in its {learner.function_class}"
            raise ValueError(checks.refusal("learner", "budget", accepted, learner))

    @property
    def uncertainty(self) -> float:
        """Posterior variance of the teacher's projection on the class: mean over inputs, sum over outputs."""
        total = 0.0
        for std in self.stds[self.stds > 0]:
            root = self.deviation(std)
            total += sum_of_squares(root if self.frame is None else self.frame.T @ root)
        return total

    @property
    def realizability(self) -> float:
        """Prior variance of the teacher's part outside the class: mean over inputs, sum over outputs."""
        return self.setting.realizability(self.function_class).estimate

    def linear(self, smoother: Array) -> DesignTerms:
        """Return the terms of a learner whose predictions are linear in the labels.

        Parameters
        ----------
        smoother : ndarray of float64, (Q, n)
            The matrix that maps labels to predictions at the points.
        """
        hat, noise, deficiency = self.root * smoother, self.setting.noise_std, 0.0
        for std in self.stds:
            best = self.projected(self.gain(std)) if std > 0 else 0.0
            off = hat - best
            deficiency += std**2 * sum_of_squares(off @ self.x_root) + noise**2 * sum_of_squares(off)
        return DesignTerms(self.realizability, self.uncertainty, deficiency)


def posteriors(setting: GaussianSetting, experiment: Experiment) -> Iterator[tuple[Posterior, bool]]:
    """Yield the posterior given the inputs of each draw.

    Parameters
    ----------
    setting : GaussianSetting
        The setting.
    experiment : Experiment
        Gives the draws, and the learner with its class.

    Yields
    ------
    posterior : Posterior
        The posterior given the inputs of a draw.
    fixed : bool
        Whether all other draws have the same posterior.
    """
    posterior = None
    for draw in range(experiment.draws):
        learner = experiment.learner_of(draw)
        function_class = learner.function_class
        quadrature = setting.quadrature(function_class, experiment.rng(draw, "points"), RANDOM_POINTS)
        fixed = experiment.x is not None and quadrature.exact and learner is experiment.learner
        if posterior is None or not fixed:
            posterior = Posterior(setting, function_class, experiment.inputs(setting, draw), quadrature)
        yield posterior, fixed


@functools.singledispatch
def sampled_terms(
    function_class: FunctionClass, posterior: Posterior, teacher: TeacherSample, learned: Array, exact: bool
) -> DesignTerms:
    """Return the terms in one draw, for a learner whose predictor was fitted to the draw's data.

    If the learner's class is a linear space or all functions, the best function of the class given the data
    is the projection of the posterior mean.  Without closed forms, the uncertainty is estimated by half the
    mean squared distance between two functions: the projections of the teacher and of an independent sample
    of its posterior.

    Parameters
    ----------
    function_class : FunctionClass
        The learner's class.
    posterior : Posterior
        The posterior given the draw's inputs.
    teacher : TeacherSample
        The draw's teacher, its labels, and the posterior sample.
    learned : ndarray of float64, (Q, outputs)
        Weighted values of the fitted predictor.
    exact : bool
        Whether to use closed forms for realizability and uncertainty.
    """
    if exact:
        best = posterior.projected(posterior.mean(teacher.labels))
        deficiency = sum_of_squares(learned - best)
        return DesignTerms(posterior.realizability, posterior.uncertainty, deficiency)
    outside = sum_of_squares(teacher.values - posterior.projected(teacher.values))
    uncertainty = 0.5 * sum_of_squares(posterior.projected(teacher.values - teacher.other))
    return DesignTerms(outside, uncertainty, _remainder(teacher, learned, outside, uncertainty))


@sampled_terms.register
def _sampled_terms_of_rank(
    function_class: RankK, posterior: Posterior, teacher: TeacherSample, learned: Array, exact: bool
) -> DesignTerms:
    """Return the terms of a learner of linear maps of limited rank, which do not form a linear space."""
    mean = posterior.mean(teacher.labels)
    outside = low_rank_residual(teacher.values, function_class.rank)
    best = low_rank_residual(mean, function_class.rank)
    spread = posterior.uncertainty if exact else 0.5 * sum_of_squares(teacher.values - teacher.other)
    uncertainty = spread + best - outside
    deficiency = sum_of_squares(learned - mean) - best
    if not exact:
        deficiency = _remainder(teacher, learned, outside, uncertainty)
    return DesignTerms(outside, uncertainty, deficiency)


def _remainder(teacher: TeacherSample, learned: Array, outside: float, uncertainty: float) -> float:
    """Return the excess risk less the other terms."""
    return sum_of_squares(learned - teacher.values) - outside - uncertainty


def sum_of_squares(values: Array) -> float:
    """Return the sum of squares of an array of any shape.

    Parameters
    ----------
    values : ndarray of float64
        The array.
    """
    return float(np.vdot(values, values))
