"""Band-limited teachers: random functions that lie exactly or almost in the span of a basis."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import cached_property

import numpy as np

from errsrc import checks
from errsrc.bases import BandFunction, Basis, Legendre, Slepian, Torus, shared_positions
from errsrc.fields import Checked, flag, instance, integer, number
from errsrc.results import ROUNDING, Interval
from errsrc.settings.channels import Channel, Clean, Gaussian
from errsrc.settings.classes import FunctionClass, Span
from errsrc.settings.coordinate_setting import CoordinateSetting
from errsrc.settings.features import FeatureSpan, coordinates
from errsrc.settings.gaussian_setting import Quadrature
from errsrc.settings.nodes import Nodes, Uniform
from errsrc.settings.setting import ZERO, Array, Setting


@dataclass(frozen=True)
class _BandInputs(Checked):
    """Inputs in the domain of a basis, and a target variance of 1."""

    basis: Basis = instance(Basis, "a basis of errsrc.bases", Torus())
    _: KW_ONLY
    nodes: Nodes = instance(Nodes, "a design of errsrc.settings.nodes", Uniform())

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.basis.cube_dim and not self.nodes.uniform:
            accepted = f"Uniform(): inputs of {type(self.basis).__name__} are given"
            raise ValueError(checks.refusal("nodes", type(self).__name__, accepted, self.nodes))

    @property
    def input_dim(self) -> int:
        """Number of coordinates of an input."""
        return self.basis.dim

    @property
    def target_variance(self) -> float:
        """Variance of the teachers' values, summed over outputs, which is 1."""
        return 1.0

    def check_data(self) -> None:
        """Raise if data that the basis needs are not on this machine, see `Setting.check_data`."""
        self.basis.check_data()

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs at the nodes of the design, see `Setting.inputs`."""
        if self.nodes.uniform:
            return self.basis.draw(count, rng)
        return self.basis.place(self.nodes.points(count, self.basis.cube_dim, rng))

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Draw test inputs, which are uniform for every design of nodes; see `Setting.fresh`."""
        return self.basis.fresh(count, rng)


@dataclass(frozen=True)
class BandTeacher(_BandInputs, CoordinateSetting):
    """A setting whose teachers are random functions in a band, with independent normal coefficients.

    The band is the span of an orthonormal basis.  The variance of a coefficient of degree k is proportional
    to max(k, 1)^-decay.  The target variance, summed over outputs, is 1.  The labelled inputs are called
    nodes; a design places them.  The risk is a mean over the uniform distribution on the whole domain.
    Parseval's identity or a quadrature gives the exact value of the risk.

    Parameters
    ----------
    basis : Basis
        The basis of the band.
    decay : float
        Decay of the coefficients' variances with the degree, from -100 to 100.
    outputs : int or None
        Number of outputs, all with the same prior.  None means one output and labels of the shape (n,).
    beyond : Basis or None
        A larger basis of the same family, such as a torus of a higher degree.  The teacher then also has a
        tail: a random combination of the functions of `beyond` that are not in the band.  Such a teacher is
        only *almost* band-limited.
    tail : float
        Share of the target variance that is in the tail, in [0, 1].
    tail_decay : float
        Decay of the variances of the tail's coefficients with the degree, from -100 to 100.
    nodes : Nodes
        The design of the labelled inputs.
    channel : Clean or Gaussian
        `Gaussian` adds normal noise to the values of the teacher; `Clean` does not.

    Examples
    --------
    A student of degree 1 cannot express the frequencies 2 and 3.  Their share of the target variance is:

    >>> from errsrc.settings import Band
    >>> print(BandTeacher(Torus(3)).realizability(Band(Torus(1))))
    0.571429
    >>> almost = BandTeacher(Torus(3), beyond=Torus(9), tail=0.01)
    >>> print(almost.realizability(Band(Torus(3))))
    0.01
    """

    decay: float = number(0.0, at_least=-100, at_most=100)
    outputs: int | None = integer(None, at_least=1)
    beyond: Basis | None = instance(Basis, "a basis of errsrc.bases", None)
    tail: float = number(0.0, at_least=0, at_most=1)
    tail_decay: float = number(0.0, at_least=-100, at_most=100)

    def __post_init__(self) -> None:
        super().__post_init__()
        where = "BandTeacher"
        if self.beyond is None:
            if self.tail:
                accepted = "0, unless 'beyond' is given"
                raise ValueError(checks.refusal("tail", where, accepted, self.tail))
            return
        larger = self.beyond.family == self.basis.family
        if not larger or len(shared_positions(self.basis, self.beyond)[0]) < self.basis.size:
            accepted = f"a basis that contains {self.basis!r}"
            raise ValueError(checks.refusal("beyond", where, accepted, self.beyond))
        if self.beyond.size == self.basis.size:
            raise ValueError(checks.refusal("beyond", where, "larger than the band", self.beyond))

    @property
    def whole(self) -> Basis:
        """The basis that contains the teachers: the band, or the larger basis of the tail."""
        return self.basis if self.beyond is None else self.beyond

    @cached_property
    def variances(self) -> Array:
        """Prior variances of the coefficients of the M functions of `whole`, float64 (M,); their sum is 1."""
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
        """Standard deviations of the outputs, float64 (outputs,); their squares sum to 1."""
        count = self.outputs or 1
        return np.full(count, count**-0.5)

    def teacher(self, rng: np.random.Generator) -> BandFunction:
        """Draw a teacher from the prior, see `Setting.teacher`."""
        shape = () if self.outputs is None else (self.outputs,)
        raw = rng.standard_normal((self.whole.size, *shape)) * self.output_stds[0]
        return BandFunction(self.whole, (raw.T * np.sqrt(self.variances)).T)

    def roots(self, *points: Array) -> list[Array]:
        """Return the functions of the basis `whole` at points, times their coefficients' standard deviations.

        See `GaussianSetting.roots`.
        """
        return [self.whole(x) * np.sqrt(self.variances) for x in points]

    @property
    def coordinate_variances(self) -> Array:
        """The `variances` of the coefficients, see `CoordinateSetting.coordinate_variances`."""
        return self.variances

    def has_span(self, function_class: FunctionClass) -> bool:
        """Return whether a class is the span of features of basis functions whose moments are known.

        The basis of the features must have the domain of this setting's basis.  See
        `FeatureSpan.exact_order` and `CoordinateSetting.has_span`.
        """
        return isinstance(function_class, FeatureSpan) and function_class.exact_order(self.whole) is not None

    def span(self, function_class: FunctionClass) -> Span | None:
        """Return an orthonormal basis of a class that features span, see `CoordinateSetting.span`."""
        return function_class.band_span(self.whole) if isinstance(function_class, FeatureSpan) else None

    def quadrature(self, function_class: FunctionClass, rng: np.random.Generator, count: int) -> Quadrature:
        """Return the exact quadrature of the basis for bands and features, otherwise a uniform sample.

        See `GaussianSetting.quadrature`, and `has_span` for the features that have an exact quadrature.
        """
        if isinstance(function_class, FeatureSpan):
            order = function_class.exact_order(self.whole)
            if order is not None:
                return Quadrature(*self.whole.quadrature(order), exact=True)
        band = function_class.band
        if band is None:
            points = self.fresh(count, rng)
            return Quadrature(points, np.full(len(points), 1 / len(points)), exact=False)
        order = max(self.whole.order, band.order)
        return Quadrature(*self.whole.quadrature(order), exact=True)

    def basis_of(self, function_class: FunctionClass) -> Basis | None:
        """Return the basis of a class of functions on this setting's domain.

        Parameters
        ----------
        function_class : FunctionClass
            A band on this domain, or the class of all functions.

        Returns
        -------
        Basis or None
            The basis of a band; None for the class of all functions.

        Raises
        ------
        ValueError
            If the class is a band on another domain, or neither a band nor the class of all functions.
        """
        band = function_class.band
        if band is not None and band.domain == self.basis.domain:
            return band
        if function_class.unrestricted:
            return None
        accepted = f"a band on the domain of {self.basis!r}, or all functions"
        raise ValueError(checks.refusal("function_class", "BandTeacher", accepted, function_class))

    def frame(self, function_class: FunctionClass, points: Array) -> Array | None:
        """Return orthonormal functions of a band or of the span of features, see `GaussianSetting.frame`."""
        span = self.span(function_class)
        if span is not None:
            return coordinates(span, function_class.features(points))
        basis = self.basis_of(function_class)
        return None if basis is None else basis(points)

    def dimension(self, function_class: FunctionClass) -> float:
        """Return the dimension of a band or of the span of features, or inf for the class of all functions.

        See `GaussianSetting.dimension`.
        """
        span = self.span(function_class)
        if span is not None:
            return len(span.root)
        basis = self.basis_of(function_class)
        return np.inf if basis is None else basis.size

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return the prior variance of the teacher's part outside the band of the class.

        If both bands have bases of the same family, the result is a sum of coefficient variances (Parseval).
        If not, an exact quadrature gives, for each basis function of the teacher, the share outside the band
        of the class.  For the span of features, see `variance_outside`.  See `Setting.realizability`.
        """
        span = self.span(function_class)
        if span is not None:
            value = self.variance_outside(span)
            return Interval(value, value, value, 0.95)
        basis = self.basis_of(function_class)
        if basis is None:
            return ZERO
        outside = np.ones(self.whole.size)
        if basis.family == self.whole.family:
            outside[shared_positions(basis, self.whole)[1]] = 0.0
        else:
            points, weights = self.whole.quadrature(max(basis.order, self.whole.order))
            inner = basis(points).T @ (weights[:, None] * self.whole(points))
            outside = np.maximum(1 - (inner**2).sum(0), 0.0)
        value = float(self.variances @ outside)
        return Interval(value, value, value, 0.95)

    @property
    def n_nyquist(self) -> int | None:
        """M, the number of basis functions of the band."""
        return self.basis.size

    def sampling_matrix(self, x: Array) -> Array | None:
        """Return the basis functions of the band at the inputs, see `Setting.sampling_matrix`."""
        return self.basis(x)

    def least_squares_diverges(self, function_class: FunctionClass, n: int) -> bool:
        """Return whether least squares over n uniform nodes (labelled inputs) has an infinite mean risk.

        Each column of the n x M feature matrix has the values of one of the M basis functions at the n nodes.
        Let s be the smallest singular value of this matrix.  Noise in the labels adds an error that grows as
        1 / s^2.  Therefore the mean risk is infinite if the mean of 1 / s^2 is infinite.

        With noise, the mean of 1 / s^2 is infinite in three cases.  The first case is |n - M| <= 1.  Among
        all positions of the n nodes, those at which the matrix loses its rank form a set of codimension at
        most |n - M| + 1 <= 2.  Therefore s is below a small number e with a probability of order e^2 or more.
        The second case is 2 <= n < M, if nodes vary in one or two coordinates.  With a probability of order
        e^2 or more, two of the nodes are closer than e, and s is then of order e.  The third case is M <= n
        <= 2 M - 1, if nodes vary in one coordinate and the functions are analytic.  All nodes are closer than
        e with a probability of order e^(n - 1).  Some function of the band has a zero of order M - 1 near
        these nodes, so s is of order e^(M - 1) or less.  The mean of 1 / s^2 is therefore infinite for n - 1
        <= 2 (M - 1).

        Without noise, the part of the teacher outside the band can act as noise.  The mean is then infinite
        only for M or M + 1 nodes that vary in two or more coordinates.  A function of the band can then be 0
        at all nodes although the nodes are far apart.  In one coordinate, s is small only if two nodes are
        close to each other.  Their labels are then close, too, and the mean stays finite.

        The same rules hold for the span of M features of basis functions.  But for features of one coordinate
        without noise, the mean can also be infinite if the method returns False.
        """
        size = self.dimension(function_class)
        if not self.nodes.uniform or min(n, size) < 2:
            return False
        varying = self.basis.continuous_dim  # number of coordinates; 0 where nodes can repeat
        if self.noise_std == 0:
            lacking = self.realizability(function_class).estimate
            return lacking > ROUNDING and varying >= 2 and 0 <= n - size <= 1
        of_features = isinstance(function_class, FeatureSpan)
        basis = self.whole if of_features else self.basis_of(function_class)
        analytic = isinstance(basis, (Torus, Legendre, Slepian))
        largest = 2 * size - 1 if varying == 1 and analytic else size + 1
        return bool(varying) and n <= largest and (n >= size - 1 or varying <= 2)


@dataclass(frozen=True)
class SparseTeacher(_BandInputs, Setting):
    """A setting whose teachers combine a few basis functions; learners do not know which functions.

    K basis functions are drawn uniformly without repetition.  Their coefficients are normal with equal
    variance, all other coefficients are 0, and the target variance is 1.

    Parameters
    ----------
    basis : Basis
        The basis of the band.
    sparsity : int
        K, the number of coefficients that are not 0, from 1 to the size of the basis.
    pairs : bool
        Whether the cosine and the sine of a frequency are chosen together.  If True, they count as two
        coefficients; K must then be even, and the basis must be a torus.
    nodes : Nodes
        The design of the labelled inputs.
    channel : Clean or Gaussian
        `Gaussian` adds normal noise to the values of the teacher; `Clean` does not.
    """

    sparsity: int = integer(1, at_least=1)
    pairs: bool = flag(False)
    _: KW_ONLY
    channel: Channel = instance((Clean, Gaussian), "Clean() or Gaussian(...)", Clean())

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.Integer(1, self.basis.size)(self.sparsity, "sparsity", "SparseTeacher")
        if self.pairs and (self.sparsity % 2 or not self.basis.trigonometric):
            accepted = "False, except for a Torus and an even sparsity"
            raise ValueError(checks.refusal("pairs", "SparseTeacher", accepted, self.pairs))

    @property
    def noise(self) -> float:
        """Variance of the label noise."""
        return self.channel.noise_std**2

    @property
    def output_dim(self) -> int:
        """Number of outputs, which is 1."""
        return 1

    def teacher(self, rng: np.random.Generator) -> BandFunction:
        """Draw a teacher, see `Setting.teacher`."""
        coefficients = np.zeros(self.basis.size)
        if self.pairs:  # positions 2 j + 1 and 2 j + 2 belong to one frequency
            chosen = rng.choice((self.basis.size - 1) // 2, self.sparsity // 2, replace=False)
            places = np.concatenate([2 * chosen + 1, 2 * chosen + 2])
        else:
            places = rng.choice(self.basis.size, self.sparsity, replace=False)
        coefficients[places] = rng.standard_normal(self.sparsity) / np.sqrt(self.sparsity)
        return BandFunction(self.basis, coefficients)

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return the share of the basis functions of this setting's band that are missing in a smaller band.

        The constant function does not count if `pairs` is True.  See `Setting.realizability`.
        """
        band = function_class.band
        if band is None or band.family != self.basis.family:
            return super().realizability(function_class)
        held = len(shared_positions(band, self.basis)[0])
        lacking = (self.basis.size - held) / (self.basis.size - self.pairs)  # the constant belongs to no pair
        return Interval(lacking, lacking, lacking, 0.95)

    @property
    def n_nyquist(self) -> int | None:
        """The number 2 K: with fewer examples, two teachers with K coefficients can have equal labels."""
        return 2 * self.sparsity
