"""`errsrc.testing.check_basis`: a user's own basis passes, and a broken one is named with its property."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from outside.basis import Chebyshev

from errsrc.bases import Legendre, Slepian, Torus
from errsrc.testing import check_basis


def test_a_basis_of_ones_own() -> None:
    check_basis(Chebyshev())
    check_basis(Chebyshev(9, length=0.5))


@dataclass(frozen=True)
class WrongScale(Chebyshev):
    def values(self, x: Any) -> Any:
        return 1.001 * super().values(x)


@dataclass(frozen=True)
class UniformInputs(Chebyshev):
    """Orthonormal under the quadrature, which is not that of its inputs."""

    def place(self, u: Any) -> Any:
        return self.length * u

    def quadrature(self, order: int) -> Any:
        return Chebyshev(self.degree, self.length).quadrature(order)


@dataclass(frozen=True)
class CoarseQuadrature(Chebyshev):
    """Exact at its own order alone."""

    def quadrature(self, order: int) -> Any:
        return super().quadrature(order if order == self.order else 1)


@dataclass(frozen=True)
class UnnormalisedWeights(Chebyshev):
    def quadrature(self, order: int) -> Any:
        points, weights = super().quadrature(order)
        return points, 2 * weights


@dataclass(frozen=True)
class Unseeded(Chebyshev):
    def draw(self, count: int, rng: Any) -> Any:
        return super().draw(count, np.random.default_rng())


@dataclass(frozen=True)
class GlobalChance(Chebyshev):
    def draw(self, count: int, rng: Any) -> Any:
        np.random.random()  # noqa: NPY002
        return super().draw(count, rng)


@dataclass(frozen=True)
class OutsideTheDomain(Chebyshev):
    def fresh(self, count: int, rng: Any) -> Any:
        return super().fresh(count, rng) + self.length


@dataclass(frozen=True)
class FewDegrees(Chebyshev):
    @property
    def degrees(self) -> Any:
        return np.arange(self.size - 1)


@dataclass(frozen=True)
class RepeatedIndices(Chebyshev):
    @property
    def indices(self) -> Any:
        return np.zeros((self.size, 1), dtype=np.int64)


@dataclass(frozen=True)
class Float32(Chebyshev):
    def values(self, x: Any) -> Any:
        return super().values(x).astype(np.float32)


@dataclass(frozen=True)
class Centred(Chebyshev):
    """Its values depend on the other inputs."""

    def values(self, x: Any) -> Any:
        return super().values(np.clip(x + 1e-3 * (x - x[:1]), 0, self.length))


@dataclass(frozen=True)
class WrongSynthesis(Chebyshev):
    def synthesise(self, x: Any, coefficients: Any) -> Any:
        return super().synthesise(x, np.abs(coefficients))


@dataclass(frozen=True)
class OtherFamilies(Slepian):
    """Its nested bases have other bandwidths, so other functions."""

    @property
    def nested(self) -> Any:
        return (OtherFamilies(2 * self.bandwidth, 1), self)


@dataclass(frozen=True)
class Reordered(Legendre):
    """Its index does not belong to the same function in the smaller bases."""

    def values(self, x: Any) -> Any:
        return super().values(x)[:, ::-1]


@dataclass(frozen=True)
class Sines(Torus):
    """Sines come first."""

    def values(self, x: Any) -> Any:
        out = super().values(x)
        out[:, 1::2], out[:, 2::2] = out[:, 2::2].copy(), out[:, 1::2].copy()
        return out


@dataclass(frozen=True)
class AcceptsAll(Chebyshev):
    def check_inputs(self, x: Any) -> Any:
        return np.nan_to_num(np.asarray(x, dtype=np.float64))


@dataclass(frozen=True)
class NoDefault(Legendre):
    scale: float = field(kw_only=True)


QUADRATURE = "functions are orthonormal under the quadrature"
SEED = "a seed determines the inputs"
SIZES = "size indices and degrees agree"
NESTED = "nested bases are parts of each other"
BROKEN = [
    (WrongScale(), QUADRATURE, r"a mean of products is 1.002 and the identity's is 1 at quadrature\(4\)"),
    (UniformInputs(), "functions are orthonormal under the inputs drawn", "over 20,000 draws is"),
    (CoarseQuadrature(), QUADRATURE, r"at quadrature\(5\)"),
    (UnnormalisedWeights(), "the quadrature lies in the domain", "the sum of the weights is 2 and"),
    (Unseeded(), SEED, "a second draw is"),
    (GlobalChance(), SEED, "numpy's global generator"),
    (OutsideTheDomain(), "inputs lie in the domain", r"fresh\(1\) has .*, which inside\(\) excludes"),
    (FewDegrees(), SIZES, r"degrees are int64 of shape \(4,\), though the size is 5"),
    (RepeatedIndices(), SIZES, "the indices of 5 functions are 1 different ones"),
    (Float32(), "values have a column for each function", r"are float32 of shape \(0, 5\)"),
    (Centred(), "values are functions of the input", "a value in reverse is"),
    (WrongSynthesis(), "synthesis is the sum of the functions", "a synthesised value is"),
    (OtherFamilies(), NESTED, "have other domains or families"),
    (Reordered(), NESTED, "and that of the same index is"),
    (Sines(), "trigonometric functions are cosines and sines", "and the cosine or sine is"),
    (AcceptsAll(), "bad inputs are refused in one sentence", "inputs that are not finite is not refused"),
    (NoDefault(scale=2.0), "a basis is frozen hashable and has defaults", "TypeError was raised .* 'scale'"),
]


@pytest.mark.parametrize(("basis", "claim", "seen"), BROKEN, ids=[type(one).__name__ for one, *_ in BROKEN])
def test_a_wrong_basis_is_named_with_its_property(basis: Any, claim: str, seen: str) -> None:
    with pytest.raises(AssertionError, match=seen) as caught:
        check_basis(basis)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{type(basis).__name__} fails '{claim}': ")
    assert text.endswith(".")


def test_bad_arguments_are_refused_in_one_sentence() -> None:
    with pytest.raises(TypeError, match="'basis' parameter of check_basis must be a basis, such as"):
        check_basis(Torus)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'draws' parameter of check_basis must be an integer >= 100"):
        check_basis(Torus(), draws=10)
