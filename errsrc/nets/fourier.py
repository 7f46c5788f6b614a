"""Networks made of sines: limited to a band, with Fourier features in front, or sines throughout.

The first two take angles, and are functions on the torus.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from errsrc import checks
from errsrc.nets.layers import affine
from errsrc.nets.mlp import MLP
from errsrc.nets.network import Head, Network, Weights

MOST_FEATURES = 2**20


@dataclass(frozen=True)
class FourierFeatures(Network):
    """An MLP on all Fourier features of angles up to a degree (Tancik et al. 2020, at integer frequencies).

    The features are sqrt 2 cos(k.x) and sqrt 2 sin(k.x) for one k of each pair k, -k in the box
    max |k_i| <= degree other than 0.  Without hidden layers it is linear in the Fourier basis of the box,
    and limited to this band; with them it is not.

    Attributes
    ----------
    dim
        Number of angles.
    degree
        The largest frequency, >= 1; of degree 1 in one dimension the features are points on the circle.
    sizes
        Hidden widths, and the number of outputs.
    activation
        As of an `MLP`.

    Examples
    --------
    >>> FourierFeatures(2, 3, (1,)).parameters, FourierFeatures(2, 3, (64, 1)).parameters
    (49, 3201)
    """

    dim: int
    degree: int
    sizes: tuple[int, ...]
    activation: str = "relu"

    def __post_init__(self) -> None:
        _check(self.dim, (self.degree,), "degree", "FourierFeatures")
        if not self.sizes:
            accepted = "hidden widths and the number of outputs"
            raise ValueError(checks.refusal("sizes", "FourierFeatures", accepted, self.sizes))
        MLP((1, *self.sizes), self.activation)

    @property
    def inputs(self) -> int:
        """Number of angles."""
        return self.dim

    @property
    def body(self) -> MLP:
        """The MLP on the features."""
        return MLP((_count(self.dim, self.degree), *self.sizes), self.activation)

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return the same for other numbers of angles and outputs."""
        return replace(self, dim=inputs, sizes=(*self.sizes[:-1], outputs))

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return those of the MLP."""
        return self.body.shapes()

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, outputs)."""
        return self.body(weights, _features(x, self.degree))

    def slopes(self, weights: Weights, x: Tensor, head: Head, out: Weights) -> Tensor:
        """Return losses and write slopes, see `Network.slopes`."""
        return self.body.slopes(weights, _features(x, self.degree), head, out)


@dataclass(frozen=True)
class FilterNetwork(Network):
    """A multiplicative filter network limited to a band, whatever its weights (Fathony et al. 2021).

    Of angles x: z_1 = g_1(x), z_l = (W_l z_(l-1) + b_l) g_l(x) unit by unit, and outputs W z_L + b.  The
    filters g_l are trained trigonometric polynomials of degree d_l, so that the frequencies of outputs lie
    in the box max |k_i| <= d_1 + ... + d_L (as those of Lindell et al. 2022, whose filters are single
    sines), to rounding.  Wide enough, it can be every function of this band.

    Attributes
    ----------
    dim
        Number of angles.
    degrees
        d_l, each >= 1.
    sizes
        Units of each layer, as many numbers as ``degrees``, and the number of outputs.

    Notes
    -----
    From as many examples on as the band has functions, at nodes in general position, only the teacher
    itself has no training error: the network generalises as far as its optimiser goes.

    Examples
    --------
    >>> network = FilterNetwork(1, (2, 1), (8, 8, 1))
    >>> grid = torch.arange(16, dtype=torch.float64)[:, None] * (2 * torch.pi / 16)
    >>> values = network(network.draw([0], dtype=torch.float64), grid)[0, :, 0]
    >>> (torch.fft.rfft(values).abs() > 1e-12).int().tolist()
    [1, 1, 1, 1, 0, 0, 0, 0, 0]
    """

    dim: int
    degrees: tuple[int, ...]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        where = "FilterNetwork"
        if not self.degrees:
            raise ValueError(checks.refusal("degrees", where, "one degree or more", self.degrees))
        _check(self.dim, self.degrees, "degrees", where)
        if len(self.sizes) != len(self.degrees) + 1:
            accepted = f"{len(self.degrees)} widths, one for each degree, and the number of outputs"
            raise ValueError(checks.refusal("sizes", where, accepted, self.sizes))
        for size in self.sizes:
            checks.integer(size, "sizes", where, 1)

    @property
    def inputs(self) -> int:
        """Number of angles."""
        return self.dim

    @property
    def degree(self) -> int:
        """The band limit, the sum of the filters' degrees."""
        return sum(self.degrees)

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return the same for other numbers of angles and outputs."""
        return replace(self, dim=inputs, sizes=(*self.sizes[:-1], outputs))

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return (out, in), (out,) of the filters, then of the layers after the first."""
        filters = [(width, _count(self.dim, d)) for width, d in zip(self.sizes, self.degrees, strict=False)]
        layers = list(zip(self.sizes[1:], self.sizes[:-1], strict=True))
        return tuple(shape for pair in (*filters, *layers) for shape in (pair, pair[:1]))

    def start(self) -> tuple[float, ...]:
        """Return standard deviations under which all units have mean square 1; biases 0."""
        return tuple(0.0 if len(shape) == 1 else shape[1] ** -0.5 for shape in self.shapes())

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, outputs)."""
        features = {degree: _features(x, degree) for degree in set(self.degrees)}
        pairs = list(zip(weights[::2], weights[1::2], strict=True))
        filters = [affine(*pair, features[degree]) for pair, degree in zip(pairs, self.degrees, strict=False)]
        h = filters[0]
        for pair, g in zip(pairs[len(filters) : -1], filters[1:], strict=True):
            h = affine(*pair, h) * g
        return affine(*pairs[-1], h)


@dataclass(frozen=True)
class SineNetwork(Network):
    """A network of sines, sin(w0 (W h + b)) in each hidden layer (SIREN; Sitzmann et al. 2020).

    It starts from their variances, normal in place of uniform: 1 / (3 inputs^2) for the first weights,
    2 / (w0^2 fan-in) for the others, 1 / (3 fan-in) for biases.  Frequencies of the first layer are then
    about w0 / sqrt(3 inputs), and gradients of the weights w0 times as large as without it.

    Attributes
    ----------
    sizes
        Inputs, hidden widths, outputs.
    w0
        > 0.

    Examples
    --------
    >>> SineNetwork((2, 64, 64, 1)).parameters
    4417
    """

    sizes: tuple[int, ...]
    w0: float = 30.0

    def __post_init__(self) -> None:
        MLP(self.sizes, "sine")
        checks.number(self.w0, "w0", "SineNetwork", 0, open_low=True)

    @property
    def inputs(self) -> int:
        """Length of an input vector."""
        return self.sizes[0]

    @property
    def body(self) -> MLP:
        """The MLP of sines whose hidden weights are w0 times these."""
        return MLP(self.sizes, "sine")

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return the same for other numbers of inputs and outputs."""
        return replace(self, sizes=(inputs, *self.sizes[1:-1], outputs))

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return those of the MLP."""
        return self.body.shapes()

    def start(self) -> tuple[float, ...]:
        """Return the standard deviations of the first weights and biases."""
        stds = []
        for layer, fan_in in enumerate(self.sizes[:-1]):
            stds += [math.sqrt(2 / fan_in) / self.w0 if layer else 3**-0.5 / fan_in, (3 * fan_in) ** -0.5]
        return tuple(stds)

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, outputs)."""
        return self.body(self._scaled(weights), x)

    def slopes(self, weights: Weights, x: Tensor, head: Head, out: Weights) -> Tensor:
        """Return losses and write slopes, see `Network.slopes`."""
        loss = self.body.slopes(self._scaled(weights), x, head, out)
        for slope in out[:-2]:
            slope *= self.w0
        return loss

    def _scaled(self, weights: Weights) -> Weights:
        """Return hidden weights and biases times w0, the last layer's as they are."""
        return (*(self.w0 * w for w in weights[:-2]), *weights[-2:])


def _check(dim: int, degrees: Sequence[int], name: str, where: str) -> None:
    checks.integer(dim, "dim", where, 1)
    for degree in degrees:
        checks.integer(degree, name, where, 1)
        if dim * math.log2(2 * degree + 1) > math.log2(MOST_FEATURES):
            accepted = f"one with at most {MOST_FEATURES:,} frequencies in {dim} dimensions"
            raise ValueError(checks.refusal(name, where, accepted, degree))


def _count(dim: int, degree: int) -> int:
    """Return the number of features, (2 degree + 1)^dim - 1."""
    return int((2 * degree + 1) ** dim - 1)


@functools.lru_cache(maxsize=64)
def _frequencies(dim: int, degree: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return one frequency of each pair k, -k in the box, without 0, (features / 2, dim)."""
    axis = torch.arange(-degree, degree + 1, device=device, dtype=dtype)
    box = torch.cartesian_prod(*[axis] * dim).view(-1, dim)  # in order, so that -k is as far from the end
    return box[len(box) // 2 + 1 :]


def _features(x: Tensor, degree: int) -> Tensor:
    """Return sqrt 2 cos(k.x), then sqrt 2 sin(k.x), (..., features), for angles (..., dim)."""
    angle = x @ _frequencies(x.shape[-1], degree, x.device, x.dtype).T
    return torch.cat([torch.cos(angle), torch.sin(angle)], -1) * math.sqrt(2)
