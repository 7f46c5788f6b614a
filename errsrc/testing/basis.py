"""The properties that every basis must have.

Each property is a function that takes a `BasisCase` and raises `Violation` if the property does not hold.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.bases import Basis, shared_positions
from errsrc.bases.basis import BASIS, Array
from errsrc.rng import generator
from errsrc.testing.properties import agree, global_generators_unused, hold, refused, require, require_frozen

STANDARD_ERRORS = 6.0
"""Largest distance of a mean over draws from its expectation; a normal mean exceeds it once in 5e8 times."""

ROUNDING = 1e-9
"""Largest error of a number that would be exact without rounding."""


@dataclass(frozen=True, eq=False)
class BasisCase:
    """A basis, with the number of inputs and the seed for the tests of its properties.

    Attributes
    ----------
    basis : Basis
        The basis.
    draws : int
        Number of random inputs over which the tests compute means.
    seed : int
        Seed of all random numbers in the tests.
    """

    basis: Basis
    draws: int
    seed: int

    def rng(self, *path: str | int) -> np.random.Generator:
        """Return the random generator for one purpose; each call returns the generator in its first state.

        Parameters
        ----------
        *path : str or int
            Names that identify the purpose.
        """
        return generator(self.seed, "testing", "basis", *path)

    def inputs(self, count: int = 7) -> Array:
        """Return random inputs (count, dim), which are the same at each call.

        Parameters
        ----------
        count : int
            Number of inputs.
        """
        return self.basis.draw(count, self.rng("inputs"))


def a_basis_is_frozen_hashable_and_has_defaults(case: BasisCase) -> None:
    """A basis can be made without arguments, and its fields cannot be changed.

    A study's TOML file, its spec, can then describe the basis by a table.
    """
    basis: Any = case.basis
    kind = type(basis)
    require(kind() == kind(), f"{kind()!r} is not equal to a copy")
    copy = dataclasses.replace(basis)
    require(basis == copy and hash(basis) == hash(copy), f"a copy of {basis!r} is not equal to it")
    require_frozen(basis)


def size_indices_and_degrees_agree(case: BasisCase) -> None:
    """Each of the M functions has its own index, int64, and a degree >= 0, int64."""
    basis = case.basis
    require(basis.size >= 1, f"size is {basis.size!r}")
    for name, array in {"indices": basis.indices, "degrees": basis.degrees}.items():
        fits = array.dtype == np.int64 and array.ndim >= 1 and len(array) == basis.size
        require(fits, f"{name} are {array.dtype} of shape {array.shape}, though the size is {basis.size}")
    require(basis.degrees.ndim == 1, f"degrees have shape {basis.degrees.shape}")
    require((basis.degrees >= 0).all(), f"a degree is {basis.degrees.min()}")
    distinct = len(np.unique(basis.indices.reshape(basis.size, -1), axis=0))
    require(distinct == basis.size, f"the indices of {basis.size} functions are {distinct} different ones")
    require(basis.order >= 0, f"order is {basis.order!r}")


def inputs_lie_in_the_domain(case: BasisCase) -> None:
    """Inputs are float64 (count, dim), finite, and in the domain; `fresh` may return fewer than count."""
    basis = case.basis
    inputs = {f"draw({count})": basis.draw(count, case.rng("draw")) for count in (1, 7)}
    inputs |= {f"fresh({count})": basis.fresh(count, case.rng("fresh")) for count in (1, 7)}
    if basis.cube_dim:
        inputs["place() of 7 points"] = basis.place(case.rng("place").random((7, basis.cube_dim)))
    for name, x in inputs.items():
        fits = x.dtype == np.float64 and x.ndim == 2 and x.shape[1] == basis.dim and len(x) >= 1
        require(fits, f"{name} is {x.dtype} of shape {x.shape}, though dim is {basis.dim}")
        require(np.isfinite(x).all(), f"{name} is not finite")
        outside = x[~basis.inside(x)]
        require(not len(outside), f"{name} has {outside[:1].tolist()}, which inside() excludes")
        basis.check_inputs(x)
    for count in (1, 7):
        found = len(inputs[f"draw({count})"]), len(inputs[f"fresh({count})"])
        require(found[0] == count and found[1] <= count, f"draw and fresh of {count} inputs return {found}")


def a_seed_determines_the_inputs(case: BasisCase) -> None:
    """Equal generators give equal inputs, and the global generators of numpy and torch are not used."""
    with global_generators_unused():
        first, second = (
            {"draw": case.basis.draw(6, case.rng("x")), "fresh": case.basis.fresh(6, case.rng("x"))}
            for _ in range(2)
        )
    for name, x in first.items():
        agree((f"a second {name}", second[name]), ("the first", x), "one state of the generator")


def values_have_a_column_for_each_function(case: BasisCase) -> None:
    """Values at N inputs are finite and float64 (N, M), also for N = 0."""
    basis = case.basis
    for count in (0, 1, 7):
        values = basis(case.inputs()[:count])
        fits = (
            values.dtype == np.float64 and values.shape == (count, basis.size) and np.isfinite(values).all()
        )
        got = f"values of {basis.size} functions at {count} inputs are {values.dtype} of shape {values.shape}"
        require(fits, f"{got}, or not finite")


def values_are_functions_of_the_input(case: BasisCase) -> None:
    """The values at an input do not depend on the other inputs of a call, and the call changes no input."""
    basis, x = case.basis, case.inputs()
    kept, values = x.copy(), case.basis(x)
    basis(x)
    agree(("an input after the call", x), ("that before", kept), "7 inputs")
    for name, part in {"in reverse": slice(None, None, -1), "of the first two": slice(2)}.items():
        asked = (f"a value {name}", basis(x[part]))
        agree(asked, ("that among all seven", values[part]), "7 inputs", rtol=ROUNDING, atol=ROUNDING)


def the_quadrature_lies_in_the_domain(case: BasisCase) -> None:
    """The points are float64 (Q, dim) and in the domain; the weights are float64 (Q,), and their sum is 1."""
    basis = case.basis
    points, weights = basis.quadrature(basis.order)
    fits = points.shape == (len(weights), basis.dim) and weights.shape == (len(points),)
    require(fits, f"points have shape {points.shape} and weights {weights.shape}, though dim is {basis.dim}")
    basis.check_inputs(points)
    agree(("the sum of the weights", weights.sum()), ("that of a mean", 1.0), repr(basis), atol=ROUNDING)


def functions_are_orthonormal_under_the_quadrature(case: BasisCase) -> None:
    """The mean product of two functions is 1 if they are the same function, and 0 otherwise.

    The property must hold under the quadrature of the basis's own order, and under quadratures of larger
    orders.
    """
    basis = case.basis
    for order in (basis.order, basis.order + 1, basis.order + 4):
        points, weights = basis.quadrature(order)
        values = basis(points)
        products = values.T @ (weights[:, None] * values)
        where = f"quadrature({order})"
        exact = np.eye(basis.size)
        agree(("a mean of products", products), ("the identity's", exact), where, atol=ROUNDING)


def functions_are_orthonormal_under_the_inputs_drawn(case: BasisCase) -> None:
    """The mean product of two functions over random inputs is 1 if they are the same function, otherwise 0.

    A mean may differ by up to `STANDARD_ERRORS` standard errors.
    """
    basis = case.basis
    values = basis(basis.draw(case.draws, case.rng("means")))
    count = len(values)
    products, squares = values.T @ values / count, (values**2).T @ values**2 / count
    errors = np.sqrt(np.maximum(squares - products**2, ROUNDING) / count)
    off = np.abs(products - np.eye(basis.size)) / errors
    i, j = np.unravel_index(off.argmax(), off.shape)
    seen = f"the mean of the product of functions {i} and {j} over {count:,} draws is {products[i, j]:.4g}"
    require(off[i, j] <= STANDARD_ERRORS, f"{seen}, {off[i, j]:.3g} standard errors off {float(i == j):g}")


def synthesis_is_the_sum_of_the_functions(case: BasisCase) -> None:
    """``synthesise(x, c)`` equals ``values(x) @ c``, for one output and for several outputs."""
    basis, x = case.basis, case.inputs()
    for outputs in ((), (2,)):
        c = case.rng("coefficients").standard_normal((basis.size, *outputs))
        made, summed = basis.synthesise(x, c), basis(x) @ c
        scale = ROUNDING * float(np.abs(c).sum())
        agree(("a synthesised value", made), ("the sum", summed), f"{len(c)} coefficients", atol=scale)
        empty = basis.synthesise(x[:0], c)
        require(empty.shape == (0, *outputs), f"values at no input have shape {empty.shape}")


def nested_bases_are_parts_of_each_other(case: BasisCase) -> None:
    """Each basis in `nested` is a part of the next basis, and equal indices belong to the same function."""
    basis, x = case.basis, case.inputs()
    nested = basis.nested
    require(nested[-1] == basis, f"the last of the nested bases is {nested[-1]!r}")
    sizes = [one.size for one in nested]
    require(sizes == sorted(set(sizes)), f"the nested bases have the sizes {sizes}")
    for small, large in [*itertools.pairwise(nested), *((one, basis) for one in nested[:-1])]:
        same = small.domain == large.domain and small.family == large.family
        require(same, f"{small!r} and {large!r} have other domains or families")
        mine, theirs = shared_positions(small, large)
        require(len(mine) == small.size, f"{large!r} has {len(mine)} of the functions of {small!r}")
        values = (f"a value of {small!r}", small(x)[:, mine])
        agree(values, ("that of the same index", large(x)[:, theirs]), repr(large), rtol=1e-8, atol=1e-8)


def trigonometric_functions_are_cosines_and_sines(case: BasisCase) -> None:
    """The functions of a trigonometric basis are cosines and sines of the frequencies in its indices.

    Other bases are not tested.
    """
    basis, x = case.basis, case.inputs()
    if not basis.trigonometric:
        return
    k = basis.indices
    require(k.shape == (basis.size, basis.dim), f"frequencies have shape {k.shape}")
    require(not k[0].any() and (k[1::2] == -k[2::2]).all(), "frequencies are not 0, and k and -k in turn")
    require(np.abs(k).max() <= basis.order, f"a frequency is above the order {basis.order}")
    expected = np.ones((len(x), basis.size))
    expected[:, 1::2] = np.sqrt(2) * np.cos(x @ k[1::2].T)
    expected[:, 2::2] = np.sqrt(2) * np.sin(x @ k[1::2].T)
    agree(("a value", basis(x)), ("the cosine or sine", expected), repr(basis), atol=ROUNDING)


def bad_inputs_are_refused_in_one_sentence(case: BasisCase) -> None:
    """Inputs raise an error if their shape or dtype is wrong, or if they are not finite or not in the domain.

    The message must be one line that names the argument.
    """
    basis, x = case.basis, case.inputs(4)
    wrong: dict[str, NDArray[Any]] = {
        "inputs that are not finite": np.full_like(x, np.nan),
        "an input (dim,)": x[0],
        "inputs with a coordinate too many": np.concatenate([x, x[:, :1]], axis=1),
        "inputs that are strings": x.astype(str),
    }
    outside = 1e6 + np.zeros_like(x)
    if not basis.inside(outside).any():
        wrong["inputs outside the domain"] = outside
    for what, other in wrong.items():
        named = f"The 'x' parameter of {type(basis).__name__} must be"
        refused(functools.partial(basis, other), named, what)


def a_basis_survives_pickling(case: BasisCase) -> None:
    """A pickled and unpickled basis equals the original, and its values are equal bit for bit."""
    again = pickle.loads(pickle.dumps(case.basis))
    require(again == case.basis, f"the pickled basis is {again!r}")
    x = case.inputs()
    agree(("the pickled basis's value", again(x)), ("the basis's", case.basis(x)), "7 inputs")


BASIS_PROPERTIES: tuple[Callable[[BasisCase], None], ...] = (
    a_basis_is_frozen_hashable_and_has_defaults,
    size_indices_and_degrees_agree,
    inputs_lie_in_the_domain,
    a_seed_determines_the_inputs,
    values_have_a_column_for_each_function,
    values_are_functions_of_the_input,
    the_quadrature_lies_in_the_domain,
    functions_are_orthonormal_under_the_quadrature,
    functions_are_orthonormal_under_the_inputs_drawn,
    synthesis_is_the_sum_of_the_functions,
    nested_bases_are_parts_of_each_other,
    trigonometric_functions_are_cosines_and_sines,
    bad_inputs_are_refused_in_one_sentence,
    a_basis_survives_pickling,
)
"""The properties of every basis, in the order in which `check_basis` tests them."""


@checks.arguments(basis=BASIS, draws=checks.Integer(at_least=100), seed=checks.SEED)
def check_basis(
    basis: Basis,
    *,
    properties: Sequence[Callable[[BasisCase], None]] | None = None,
    draws: int = 20_000,
    seed: int = 0,
) -> None:
    """Test whether a basis has the properties that every basis must have.

    Parameters
    ----------
    basis : Basis
        The basis, with at most a few hundred functions.
    properties : sequence of callable, optional
        The properties to test; by default all `BASIS_PROPERTIES`.
    draws : int
        Number of random inputs over which products of functions are averaged, >= 100.
    seed : int
        Seed of all random numbers, >= 0.

    Raises
    ------
    AssertionError
        If a property does not hold.  The message is one sentence that names the property and the values that
        break it.
    TypeError, ValueError
        If `basis` is not a basis, or if a number is out of range.

    Examples
    --------
    >>> from errsrc.bases import Legendre
    >>> check_basis(Legendre(3), draws=1000)
    """
    hold(basis, BASIS_PROPERTIES if properties is None else properties, BasisCase(basis, draws, seed))
