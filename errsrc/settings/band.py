"""Band-limited teachers: random functions in the span of a basis, or almost."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from errsrc import checks
from errsrc.bases import BandFunction, Basis, Torus, shared_positions
from errsrc.results import Interval
from errsrc.settings.channels import Channel, Clean, Gaussian
from errsrc.settings.classes import AllFunctions, Band, FunctionClass
from errsrc.settings.nodes import Nodes, Uniform
from errsrc.settings.setting import Array, GaussianSetting, Quadrature, Setting


@dataclass(frozen=True)
class _BandWorld:
    """Inputs of a world in a basis, and what its risk is measured on."""

    basis: Basis = field(default=Torus())
    nodes: Nodes = field(default=Uniform(), kw_only=True)

    @property
    def target_variance(self) -> float:
        """1."""
        return 1.0

    def _check(self) -> None:
        where = type(self).__name__
        if not isinstance(self.basis, Basis):
            raise TypeError(checks.refusal("basis", where, "a basis of errsrc.bases", self.basis))
        if not isinstance(self.nodes, Nodes):
            raise TypeError(checks.refusal("nodes", where, "a design of errsrc.settings.nodes", self.nodes))
        if not self.basis.cube_dim and self.nodes != Uniform():
            accepted = f"Uniform(): inputs of {type(self.basis).__name__} are given"
            raise ValueError(checks.refusal("nodes", where, accepted, self.nodes))

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw nodes, float64 (count, dim)."""
        if isinstance(self.nodes, Uniform):
            return self.basis.draw(count, rng)
        return self.basis.place(self.nodes.points(count, self.basis.cube_dim, rng))

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs to test at, uniform whatever the nodes are."""
        return self.basis.fresh(count, rng)


@dataclass(frozen=True)
class BandTeacher(_BandWorld, GaussianSetting):
    """A random function in a band, with independent normal coefficients (DESIGN: exact setting 2).

    In the orthonormal basis of the band; the variance of a function of degree k is in proportion to
    max(k, 1)^-decay, and the target variance is 1 in all.  Labelled inputs lie as the design of nodes
    says; the risk is the mean over the whole domain, uniformly, by Parseval or an exact quadrature.

    Attributes
    ----------
    basis
        The band.
    decay
        Decay of the coefficients' variances.
    outputs
        Number of outputs, all alike; None for labels (n,).
    beyond
        A larger basis of the same family: the teacher has a tail outside the band, in its further functions,
        and is only *almost* band-limited.
    tail
        Share of the variance in this tail, in [0, 1].
    tail_decay
        Decay of the tail's variances by degree, within the tail.
    nodes
        The design of the labelled inputs.
    channel
        `Clean` or `Gaussian`.

    Examples
    --------
    The share of the variance at frequencies 2 and 3, which a student of degree 1 cannot express:

    >>> print(BandTeacher(Torus(3)).realizability(Band(Torus(1))))
    0.571429
    >>> almost = BandTeacher(Torus(3), beyond=Torus(9), tail=0.01)
    >>> print(almost.realizability(Band(Torus(3))))
    0.01
    """

    decay: float = 0.0
    outputs: int | None = None
    beyond: Basis | None = None
    tail: float = 0.0
    tail_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check()
        where = "BandTeacher"
        checks.number(self.decay, "decay", where, -100, 100)
        checks.number(self.tail, "tail", where, 0, 1)
        checks.number(self.tail_decay, "tail_decay", where, -100, 100)
        if self.outputs is not None:
            checks.integer(self.outputs, "outputs", where, 1)
        if self.beyond is None:
            if self.tail:
                accepted = "0 without a basis beyond the band"
                raise ValueError(checks.refusal("tail", where, accepted, self.tail))
            return
        larger = isinstance(self.beyond, Basis) and self.beyond.family == self.basis.family
        if not larger or len(shared_positions(self.basis, self.beyond)[0]) < self.basis.size:
            accepted = f"a basis that holds all of {self.basis!r}"
            raise ValueError(checks.refusal("beyond", where, accepted, self.beyond))
        if self.beyond.size == self.basis.size:
            raise ValueError(checks.refusal("beyond", where, "larger than the band", self.beyond))

    @property
    def whole(self) -> Basis:
        """The basis that teachers are in: the band, or the larger one of the tail."""
        return self.basis if self.beyond is None else self.beyond

    @cached_property
    def variances(self) -> Array:
        """Prior variances of the coefficients in `whole`, float64 (M,), which sum to 1."""
        degrees = np.maximum(self.whole.degrees, 1).astype(np.float64)
        inside = np.ones(len(degrees), dtype=bool)
        if self.beyond is not None:
            inside[:] = False
            inside[shared_positions(self.basis, self.beyond)[1]] = True
        out = np.where(inside, degrees**-self.decay, degrees**-self.tail_decay)
        out[inside] *= (1 - self.tail) / out[inside].sum()
        if self.beyond is not None:
            out[~inside] *= self.tail / out[~inside].sum()
        return out

    @property
    def output_stds(self) -> Array:
        """Standard deviations of the outputs, their squares summing to 1, float64 (outputs,)."""
        count = self.outputs or 1
        return np.full(count, count**-0.5)

    def teacher(self, rng: np.random.Generator) -> BandFunction:
        """Draw a teacher from the prior."""
        shape = () if self.outputs is None else (self.outputs,)
        raw = rng.standard_normal((self.whole.size, *shape)) * self.output_stds[0]
        return BandFunction(self.whole, (raw.T * np.sqrt(self.variances)).T)

    def roots(self, *points: Array) -> list[Array]:
        """Return the basis, scaled by the coefficients' standard deviations."""
        return [self.whole(x) * np.sqrt(self.variances) for x in points]

    def quadrature(self, function_class: FunctionClass, rng: np.random.Generator, count: int) -> Quadrature:
        """Return the basis's own quadrature, exact for members of a band; a uniform sample for others."""
        if not isinstance(function_class, Band):
            points = self.fresh(count, rng)
            return Quadrature(points, np.full(len(points), 1 / len(points)), exact=False)
        order = max(self.whole.order, function_class.basis.order)
        return Quadrature(*self.whole.quadrature(order), exact=True)

    def basis_of(self, function_class: FunctionClass) -> Basis | None:
        """Return the basis of a class of this domain's functions, or None for all functions.

        Raises
        ------
        ValueError
            For a class of another domain's.
        """
        if isinstance(function_class, Band) and function_class.basis.domain == self.basis.domain:
            return function_class.basis
        if isinstance(function_class, AllFunctions):
            return None
        accepted = f"a band on the domain of {self.basis!r}, or all functions"
        raise ValueError(checks.refusal("function_class", "BandTeacher", accepted, function_class))

    def frame(self, function_class: FunctionClass, points: Array) -> Array | None:
        """Return the basis of a band."""
        basis = self.basis_of(function_class)
        return None if basis is None else basis(points)

    def dimension(self, function_class: FunctionClass) -> float:
        """Return M, or inf for all functions."""
        basis = self.basis_of(function_class)
        return np.inf if basis is None else basis.size

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return the prior variance outside the band (Parseval).

        Across families, that of each function less its projection on the band, by exact quadrature.
        """
        basis = self.basis_of(function_class)
        if basis is None:
            return Interval(0.0, 0.0, 0.0, 0.95)
        outside = np.ones(self.whole.size)
        if basis.family == self.whole.family:
            outside[shared_positions(basis, self.whole)[1]] = 0.0
        else:
            points, weights = self.whole.quadrature(max(basis.order, self.whole.order))
            inner = basis(points).T @ (weights[:, None] * self.whole(points))
            outside = np.maximum(1 - (inner**2).sum(0), 0.0)
        value = float(self.variances @ outside)
        return Interval(value, value, value, 0.95)


@dataclass(frozen=True)
class SparseTeacher(_BandWorld, Setting):
    """A random function with few coefficients other than 0, at unknown places in a band.

    The places are drawn uniformly without repetition; the coefficients are normal, of equal variance, and
    the target variance is 1.

    Attributes
    ----------
    basis
        The band that the places lie in.
    sparsity
        K, the number of coefficients, from 1 to the band's size.
    pairs
        Whether a cosine of a torus comes with its sine: K frequencies, k and -k being two, K even.
    nodes
        The design of the labelled inputs.
    channel
        `Clean` or `Gaussian`.
    """

    sparsity: int = 1
    pairs: bool = False
    channel: Channel = field(default=Clean(), kw_only=True)

    def __post_init__(self) -> None:
        self._check()
        checks.integer(self.sparsity, "sparsity", "SparseTeacher", 1, self.basis.size)
        if self.pairs and (self.sparsity % 2 or not isinstance(self.basis, Torus)):
            accepted = "False but for a Torus and an even sparsity"
            raise ValueError(checks.refusal("pairs", "SparseTeacher", accepted, self.pairs))
        if not isinstance(self.channel, (Clean, Gaussian)):
            accepted = "Clean() or Gaussian(...)"
            raise ValueError(checks.refusal("channel", "SparseTeacher", accepted, self.channel))

    @property
    def noise(self) -> float:
        """Label variance."""
        return self.channel.noise_std**2 if isinstance(self.channel, Gaussian) else 0.0

    def teacher(self, rng: np.random.Generator) -> BandFunction:
        """Draw a teacher."""
        coefficients = np.zeros(self.basis.size)
        if self.pairs:  # places 2 j + 1 and 2 j + 2 are those of a frequency
            chosen = rng.choice((self.basis.size - 1) // 2, self.sparsity // 2, replace=False)
            places = np.concatenate([2 * chosen + 1, 2 * chosen + 2])
        else:
            places = rng.choice(self.basis.size, self.sparsity, replace=False)
        coefficients[places] = rng.standard_normal(self.sparsity) / np.sqrt(self.sparsity)
        return BandFunction(self.basis, coefficients)

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return the share of the band that a smaller one lacks."""
        if isinstance(function_class, Band) and function_class.basis.family == self.basis.family:
            held = len(shared_positions(function_class.basis, self.basis)[0])
            lacking = (self.basis.size - held) / (self.basis.size - self.pairs)  # the constant is no pair
            return Interval(lacking, lacking, lacking, 0.95)
        return super().realizability(function_class)
