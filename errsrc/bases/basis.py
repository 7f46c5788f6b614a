"""The interface of a basis: orthonormal functions on a domain.  Their span is called a band."""

from __future__ import annotations

import abc
import dataclasses
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.bases.memory import check_memory
from errsrc.fields import Checked

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Basis(Checked, abc.ABC):
    """M functions on a domain, orthonormal under a distribution of inputs, in order of degree.

    The span of the functions is a *band*: settings draw teachers from it, and learners fit functions in it.

    A subclass is a frozen dataclass.  Its fields are plain numbers and strings, and each field has a default.
    A subclass must define `size`, `dim`, `place`, `values` and `quadrature`.  All other methods have a
    default.  A subclass overrides a default that is wrong or slow for it.  `errsrc.testing.check_basis` tests
    whether a subclass does what the docstrings of this class say.

    Examples
    --------
    Cosines on [0, 1]; the first is constant:

    >>> @dataclass(frozen=True)
    ... class Cosines(Basis):
    ...     degree: int = 2
    ...
    ...     @property
    ...     def size(self):
    ...         return self.degree + 1
    ...
    ...     @property
    ...     def dim(self):
    ...         return 1
    ...
    ...     def place(self, u):
    ...         return u
    ...
    ...     def values(self, x):
    ...         k = np.arange(self.size)
    ...         return np.where(k > 0, np.sqrt(2), 1) * np.cos(np.pi * x * k)
    ...
    ...     def quadrature(self, order):  # the midpoint rule
    ...         points = (np.arange(order + 1)[:, None] + 0.5) / (order + 1)
    ...         return points, np.full(order + 1, 1 / (order + 1))
    >>> Cosines()(np.array([[0.0], [0.5]])).round(3)
    array([[ 1.   ,  1.414,  1.414],
           [ 1.   ,  0.   , -1.414]])
    """

    size_field: ClassVar[str] = "degree"
    """Name of the field that sets the number of functions M.

    The smallest value of the field is 0 if its name is "degree", and 1 otherwise.
    """

    trigonometric: ClassVar[bool] = False
    """Whether the functions are sines and cosines, which fast transforms can sum (`errsrc.bases.nonuniform`).

    If True, inputs must be angles in radians, and `indices` must be frequencies (M, dim).  The first
    frequency is 0, and its function is the constant 1.  After it, each frequency k is followed by -k: the
    function of k is sqrt(2) cos(k.x), and the function of -k is sqrt(2) sin(k.x).
    """

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """M, the number of functions."""

    @property
    @abc.abstractmethod
    def dim(self) -> int:
        """Number of columns of an input."""

    @abc.abstractmethod
    def place(self, u: Array) -> Array:
        """Map points of the unit cube to inputs.

        If the points are uniformly distributed in the cube, the inputs have the distribution under which the
        functions are orthonormal.

        Parameters
        ----------
        u : ndarray of float64, (N, cube_dim)
            Points of the unit cube [0, 1]^cube_dim.

        Returns
        -------
        x : ndarray of float64, (N, dim)
            Inputs.
        """

    @abc.abstractmethod
    def values(self, x: Array) -> Array:
        """Return the values of the functions at inputs; unlike `__call__`, do not check the inputs.

        Parameters
        ----------
        x : ndarray of float64, (N, dim)
            Inputs in the domain.

        Returns
        -------
        values : ndarray of float64, (N, M)
            Values of the functions, one column for each function.
        """

    @abc.abstractmethod
    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return points and weights that integrate products of two functions exactly.

        Parameters
        ----------
        order : int
            The attribute `order` of the basis that the two functions belong to.  If they belong to two bases,
            give the larger order.

        Returns
        -------
        points : ndarray of float64, (Q, dim)
            Inputs at which the products are evaluated.
        weights : ndarray of float64, (Q,)
            Weights with the sum 1.  The mean of a function g over the inputs' distribution is ``weights @
            g(points)``.
        """

    @property
    def indices(self) -> NDArray[np.int64]:
        """Index of each function, int64 (M, ...).  The index identifies the function within the `family`.

        By default, the index of a function is its position: 0, ..., M - 1.
        """
        return np.arange(self.size)[:, None]

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Degree of each function, int64 (M,), larger for functions that oscillate faster.

        By default, the degree is the sum of the absolute values of the entries of the function's index.
        """
        return np.abs(self.indices).reshape(self.size, -1).sum(1)

    @property
    def order(self) -> int:
        """The argument with which `quadrature` integrates squares of the functions exactly.

        By default, the order is the largest degree.
        """
        return int(self.degrees.max())

    @property
    def nested(self) -> tuple[Self, ...]:
        """Bases of the same family from small to large; the last basis is this one.

        Each basis contains the functions of the basis before.  By default, the other bases are those with
        smaller values of the `size_field`.  If this basis has no such field, the list has only this basis.
        """
        if not hasattr(self, self.size_field):
            return (self,)
        smallest = 0 if self.size_field == "degree" else 1
        sizes = range(smallest, getattr(self, self.size_field) + 1)
        return tuple(replace(self, **{self.size_field: size}) for size in sizes)

    @property
    def domain(self) -> tuple[Any, ...]:
        """A tuple that identifies the inputs and their distribution; equal tuples have the same distribution.

        By default, the tuple has the name of the class and the values of all fields except the `size_field`.
        Two bases then have different domains if their classes or any of these values differ.
        """
        names = [field.name for field in dataclasses.fields(self) if field.name != self.size_field]
        return (type(self).__name__, *(getattr(self, name) for name in names))

    @property
    def family(self) -> tuple[Any, ...]:
        """A tuple that identifies the family of the basis.

        In bases of one family, equal indices belong to the same function.
        """
        return (type(self).__name__, self.domain)

    @property
    def cube_dim(self) -> int:
        """Dimension of the unit cube that `place` maps to the domain; 0 if there is no such map."""
        return self.dim

    @property
    def continuous_dim(self) -> int:
        """Number of coordinates of an input that vary continuously; 0 if independent inputs can be equal."""
        return self.cube_dim

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Draw independent inputs from the distribution under which the functions are orthonormal.

        Parameters
        ----------
        count : int
            Number of inputs.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        x : ndarray of float64, (count, dim)
            Inputs.
        """
        return self.place(rng.uniform(size=(count, self.cube_dim)))

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs at which a predictor is tested; the default method calls `draw`.

        A basis on real data returns test examples from this method.  If the basis has fewer than `count` test
        examples, the method returns all of them.

        Parameters
        ----------
        count : int
            Number of inputs.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        x : ndarray of float64, (count, dim)
            Inputs.  There are fewer rows if the basis has fewer test examples.
        """
        return self.draw(count, rng)

    def check_data(self) -> None:
        """Raise an error if the basis needs data that are not on this machine; the default does nothing."""

    def synthesise(self, x: Array, coefficients: Array) -> Array:
        """Return ``values(x) @ coefficients``, computed in blocks of rows that fit into memory.

        Parameters
        ----------
        x : ndarray of float64, (N, dim)
            Inputs in the domain.
        coefficients : ndarray of float64, (M,) or (M, outputs)
            Coefficients of one function, or of one function for each output.

        Returns
        -------
        values : ndarray of float64, (N,) or (N, outputs)
            Values of the functions with these coefficients.
        """
        block = max(1, 2**24 // self.size)
        parts = [self._checked_values(x[i : i + block]) @ coefficients for i in range(0, len(x), block)]
        return np.concatenate(parts) if parts else np.zeros((0, *coefficients.shape[1:]))

    @property
    def accepted_inputs(self) -> str:
        """Description of a valid input for error messages, such as "angles in radians"."""
        return "numbers"

    def inside(self, x: Array) -> NDArray[np.bool_]:
        """Return whether each point lies in the domain; the default method returns True for every point.

        Parameters
        ----------
        x : ndarray of float64, (N, dim)
            Points with finite coordinates.

        Returns
        -------
        inside : ndarray of bool, (N,)
            True for each point that lies in the domain.
        """
        return np.ones(len(x), dtype=bool)

    def check_inputs(self, x: Any) -> Array:
        """Check that inputs are points of the domain, and return them as float64.

        Parameters
        ----------
        x : array_like, (N, dim)
            Inputs.

        Returns
        -------
        x : ndarray of float64, (N, dim)
            The same inputs.

        Raises
        ------
        ValueError
            If `x` is not an array of numbers of shape (N, dim), if a number is not finite, or if a point is
            outside the domain.
        """
        array = np.asarray(x)
        where, accepted = type(self).__name__, f"{self.accepted_inputs} of shape (N, {self.dim})"
        if array.dtype.kind not in "iuf" or array.ndim != 2 or array.shape[1] != self.dim:
            raise ValueError(checks.refusal("x", where, accepted, f"<{array.dtype} of shape {array.shape}>"))
        if not np.isfinite(array).all():
            raise ValueError(checks.refusal("x", where, "finite", "<nan or inf>"))
        array = array.astype(np.float64, copy=False)
        outside = ~self.inside(array)
        if outside.any():
            raise ValueError(checks.refusal("x", where, accepted, f"<{array[outside][0].tolist()}>"))
        return array

    def __call__(self, x: Any) -> Array:
        """Return the values of the functions at inputs.

        Parameters
        ----------
        x : array_like, (N, dim)
            Inputs.

        Returns
        -------
        values : ndarray of float64, (N, M)
            Values of the functions, one column for each function.

        Raises
        ------
        ValueError
            If `check_inputs` does not accept the inputs, if the result is larger than half of the machine's
            memory, or if `values` does not return finite numbers of shape (N, M).
        """
        x = self.check_inputs(x)
        check_memory(len(x), self.size, type(self).__name__)
        return self._checked_values(x)

    def _checked_values(self, x: Array) -> Array:
        """Return `values`; raise ValueError for values of another shape, or that are not finite."""
        values, shape = self.values(x), (len(x), self.size)
        got = f"<shape {np.shape(values)}>" if np.shape(values) != shape else ""
        with np.errstate(all="ignore"):
            if not got and not np.isfinite(np.sum(values)):  # a sum is cheaper than a test of each number
                got = "<nan or inf>"
        if got:
            accepted = f"a method that returns finite numbers, of shape {shape} at {len(x)} inputs"
            refused = checks.refusal("values", type(self).__name__, accepted, got)
            raise ValueError(f"{refused} Test the basis with errsrc.testing.check_basis.")
        return values


BASIS = checks.Instance(Basis, "a basis, such as errsrc.bases.Torus(3)")
"""The validation rule for fields and arguments that must be a basis."""


@dataclass(frozen=True, eq=False)
class BandFunction:
    """A function in a band, given by its coefficients.

    Attributes
    ----------
    basis : Basis
        The basis of the band.
    coefficients : ndarray of float64, (M,) or (M, outputs)
        Coefficients of one function, or of one function for each output.

    Examples
    --------
    >>> from errsrc.bases import Torus
    >>> f = BandFunction(Torus(1), np.array([1.0, np.sqrt(0.5), 0.0]))  # 1 + cos x
    >>> f(np.array([[0.0], [np.pi]])).round(9) + 0.0
    array([2., 0.])
    """

    basis: Basis
    coefficients: Array

    def __call__(self, x: Array) -> Array:
        """Return the function's values at inputs.

        Parameters
        ----------
        x : array_like, (N, dim)
            Inputs.

        Returns
        -------
        values : ndarray of float64, (N,) or (N, outputs)
            The function's values.

        Raises
        ------
        ValueError
            If `Basis.check_inputs` of the basis does not accept the inputs.
        """
        return self.basis.synthesise(self.basis.check_inputs(x), self.coefficients)

    def distance(self, other: BandFunction) -> float:
        """Return the mean squared difference between this function and another function over the domain.

        The differences are summed over outputs.  By Parseval's identity, the result is the sum of squared
        differences of the coefficients.

        Parameters
        ----------
        other : BandFunction
            A function whose basis has the same `Basis.family` as the basis of this function.

        Returns
        -------
        distance : float
            The mean squared difference, in the squared unit of the functions' values.

        Raises
        ------
        ValueError
            If the bases of the two functions are of different families.
        """
        if self.basis == other.basis:
            return float(((self.coefficients - other.coefficients) ** 2).sum())
        mine, theirs = shared_positions(self.basis, other.basis)
        common = ((self.coefficients[mine] - other.coefficients[theirs]) ** 2).sum()
        only_mine = np.delete(self.coefficients, mine, axis=0)
        only_theirs = np.delete(other.coefficients, theirs, axis=0)
        return float(common + ((only_mine**2).sum() + (only_theirs**2).sum()))

    def relative_error(self, estimate: object) -> float | None:
        """Return an estimate's root mean square error, relative to the root mean square of this function.

        Parameters
        ----------
        estimate : object
            An estimate of this function, of any type.

        Returns
        -------
        error : float or None
            The relative error.  It is None if the estimate is not a `BandFunction`, or if its basis has
            another `Basis.family`: Parseval's identity then does not apply.
        """
        if not isinstance(estimate, BandFunction) or estimate.basis.family != self.basis.family:
            return None
        return float(np.sqrt(self.distance(estimate) / (self.coefficients**2).sum()))


def shared_positions(one: Basis, other: Basis) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions of the functions that two bases share.

    Parameters
    ----------
    one, other : Basis
        Bases with equal `Basis.family`.  In such bases, equal indices belong to the same function.

    Returns
    -------
    positions, other_positions : ndarray of intp, (S,)
        Positions of the S shared functions in each basis: function ``positions[i]`` of `one` is function
        ``other_positions[i]`` of `other`.

    Raises
    ------
    ValueError
        If the bases are of different families.
    """
    if one.family != other.family:
        accepted = f"a basis of the family of {one!r}"
        raise ValueError(checks.refusal("other", "shared_positions", accepted, other))
    if one == other:
        return np.arange(one.size), np.arange(one.size)
    position = {tuple(row): k for k, row in enumerate(other.indices.reshape(other.size, -1).tolist())}
    found = [position.get(tuple(row), -1) for row in one.indices.reshape(one.size, -1).tolist()]
    positions = np.array(found, dtype=np.intp)
    return np.flatnonzero(positions >= 0), positions[positions >= 0]
