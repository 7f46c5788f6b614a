"""Gaussian linear teachers: one output, or a matrix of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.results import Interval, mean_interval
from errsrc.settings.classes import AllFunctions, FunctionClass, Linear, RankK
from errsrc.settings.setting import Array, GaussianSetting, Predictor, Quadrature

REALIZABILITY_DRAWS = 4096


@dataclass(frozen=True)
class LinearTeacher(GaussianSetting):
    """f(x) = W x with Gaussian inputs and a Gaussian prior (DESIGN: exact settings 1 and 3).

    Inputs are independent normal with variances ``eigenvalues``, the spectrum of their covariance in its
    own basis.  Entries W_ji of the teacher are independent normal; column i has variance in proportion to
    i^-weight_decay, row j to j^-output_decay, and rows beyond ``rank`` are 0.  The scale makes the
    target variance 1.

    Attributes
    ----------
    dim
        Number of inputs.
    input_decay
        Input i has variance i^-input_decay, i = 1 ... dim.
    spectrum
        These variances themselves, in place of a power: ``dim`` of them, each > 0.
    weight_decay, output_decay
        Decay of the prior along inputs and outputs.
    outputs
        Number of outputs; None for labels (n,).
    rank
        The most rows of W that are not 0; None for no limit.
    channel
        `Clean` or `Gaussian`; noise is independent in each output.

    Examples
    --------
    >>> setting = LinearTeacher(dim=3, outputs=2)
    >>> setting.teacher(np.random.default_rng(0))(np.zeros((5, 3))).shape
    (5, 2)
    >>> print(LinearTeacher(4).realizability(Linear()))
    0
    """

    dim: int
    input_decay: float = 0.0
    spectrum: tuple[float, ...] = ()
    weight_decay: float = 0.0
    outputs: int | None = None
    output_decay: float = 0.0
    rank: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        where = "LinearTeacher"
        checks.integer(self.dim, "dim", where, 1)
        for name in ("input_decay", "weight_decay", "output_decay"):
            checks.number(getattr(self, name), name, where)
        if self.outputs is not None:
            checks.integer(self.outputs, "outputs", where, 1)
        if self.rank is not None:
            checks.integer(self.rank, "rank", where, 1, self.outputs or 1)
        if self.spectrum:
            values = checks.positive_array(self.spectrum, "spectrum", where)
            if values.shape != (self.dim,) or self.input_decay:
                accepted = f"{self.dim} variances (dim), without input_decay"
                raise ValueError(checks.refusal("spectrum", where, accepted, self.spectrum))

    @property
    def eigenvalues(self) -> Array:
        """Variances of the inputs, float64 (dim,)."""
        if self.spectrum:
            return np.array(self.spectrum)
        return np.arange(1, self.dim + 1, dtype=np.float64) ** -self.input_decay

    @property
    def weight_variances(self) -> Array:
        """Prior variance of each input's weight, summed over outputs, float64 (dim,)."""
        raw = np.arange(1, self.dim + 1, dtype=np.float64) ** -self.weight_decay
        return raw / (raw * self.eigenvalues).sum()

    @property
    def output_stds(self) -> Array:
        """Standard deviations of the outputs, their squares summing to 1, float64 (outputs,)."""
        rows = np.arange(1, (self.outputs or 1) + 1, dtype=np.float64)
        variances = np.where(rows <= (self.rank or len(rows)), rows**-self.output_decay, 0.0)
        return np.sqrt(variances / variances.sum())

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs, float64 (count, dim)."""
        return rng.standard_normal((count, self.dim)) * np.sqrt(self.eigenvalues)

    @property
    def target_variance(self) -> float:
        """1."""
        return 1.0

    def matrix(self, rng: np.random.Generator) -> Array:
        """Draw a teacher's W, float64 (outputs or 1, dim)."""
        w = rng.standard_normal((len(self.output_stds), self.dim))
        return w * self.output_stds[:, None] * np.sqrt(self.weight_variances)

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher from the prior."""
        w = self.matrix(rng)
        return lambda x: x @ (w[0] if self.outputs is None else w.T)

    def roots(self, *points: Array) -> list[Array]:
        """Return x sqrt(weight variances)."""
        return [x * np.sqrt(self.weight_variances) for x in points]

    def quadrature(self, function_class: FunctionClass, rng: np.random.Generator, count: int) -> Quadrature:
        """Return the principal axes, exact for linear functions."""
        if isinstance(function_class, AllFunctions):
            return super().quadrature(function_class, rng, count)
        return Quadrature(np.eye(self.dim), self.eigenvalues, exact=True)

    def frame(self, function_class: FunctionClass, points: Array) -> Array | None:
        """Return the inputs, scaled to unit variance, for all linear maps."""
        if isinstance(function_class, (Linear, RankK)):
            return points / np.sqrt(self.eigenvalues)
        return super().frame(function_class, points)

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return 0 for linear maps; for those of rank k the mean Eckart-Young tail.

        That is E of the squared singular values of W C^1/2 beyond the k-th (C the covariance of the
        inputs): Monte Carlo over `REALIZABILITY_DRAWS` teachers, a 95% interval, where it is not 0.
        """
        full = min(self.dim, int(np.count_nonzero(self.output_stds)))
        if isinstance(function_class, RankK) and function_class.rank < full:
            rng = np.random.default_rng(0)
            draws = [
                tail(self.matrix(rng) * np.sqrt(self.eigenvalues), function_class.rank)
                for _ in range(REALIZABILITY_DRAWS)
            ]
            return mean_interval(np.array(draws), 0.95)
        if isinstance(function_class, (Linear, RankK)):
            return Interval(0.0, 0.0, 0.0, 0.95)
        return super().realizability(function_class)


def tail(matrix: NDArray[np.float64], rank: int) -> float:
    """Return a matrix's, (p, q), squared singular values beyond the first ``rank``, summed.

    What the best approximation of that rank leaves (Eckart and Young 1936).
    """
    return float((np.linalg.svd(matrix, compute_uv=False)[rank:] ** 2).sum())
