"""Networks made of sines and cosines.

`FourierFeatures` is an MLP on Fourier features, `FilterNetwork` is limited to a frequency band, and
`SineNetwork` has sines as activations.  The inputs of the first two are angles.  Therefore these networks are
functions on the torus.
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
from errsrc.checks import Integer, Tuple
from errsrc.fields import choice, declare, integer, number
from errsrc.nets.layers import ACTIVATIONS, affine
from errsrc.nets.mlp import LAYER_SIZES, MLP
from errsrc.nets.network import Network, OutputLoss, Weights

MAX_FREQUENCIES = 2**20
"""Largest number of frequencies that a network may have."""


@dataclass(frozen=True)
class FourierFeatures(Network):
    """An MLP on all Fourier features of angles up to a degree (Tancik et al. 2020, arXiv 2006.10739).

    The features are sqrt 2 cos(k.x) and sqrt 2 sin(k.x).  Here k is a vector of integers with k != 0 and max
    |k_i| <= ``degree``; only one k of each pair k, -k is used.  Without hidden layers, the network is a
    linear combination of the features and a constant.  The constant and the features are the Fourier basis of
    a band.  With hidden layers, the frequencies of the network are not limited.

    Attributes
    ----------
    dim
        Number of angles, >= 1.
    degree
        Largest frequency, >= 1.  For one angle and degree 1, the two features are a point on a circle.
    sizes
        Number of units in each hidden layer, then the number of outputs, each >= 1.
    activation
        "relu", "tanh", "gelu", "sine" or "linear".

    Examples
    --------
    >>> FourierFeatures(2, 3, (1,)).parameters, FourierFeatures(2, 3, (64, 1)).parameters
    (49, 3201)
    """

    dim: int = integer(at_least=1)
    degree: int = integer(at_least=1)
    sizes: tuple[int, ...] = declare(Tuple(Integer(at_least=1), at_least=1))
    activation: str = choice("relu", tuple(ACTIVATIONS))

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_frequencies(self.dim, (self.degree,), "degree", "FourierFeatures")

    @property
    def inputs(self) -> int:
        """Number of angles."""
        return self.dim

    @property
    def mlp(self) -> MLP:
        """The MLP that takes the features."""
        return MLP((_feature_count(self.dim, self.degree), *self.sizes), self.activation)

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return a copy with `inputs` angles and `outputs` outputs, see `Network.resized`."""
        return replace(self, dim=inputs, sizes=(*self.sizes[:-1], outputs))

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of the weights of `mlp`."""
        return self.mlp.shapes()

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, outputs) for angles in radians, see `Network`."""
        return self.mlp(weights, _features(x, self.degree))

    def gradients(self, weights: Weights, x: Tensor, output_loss: OutputLoss, out: Weights) -> Tensor:
        """Return the losses, and write their gradients to `out`; see `Network.gradients`."""
        return self.mlp.gradients(weights, _features(x, self.degree), output_loss, out)


@dataclass(frozen=True)
class FilterNetwork(Network):
    """A multiplicative filter network, whose outputs lie in a frequency band for all weights.

    For angles x, the first of L layers is z_1 = g_1(x).  Layer l is z_l = (W_l z_(l-1) + b_l) g_l(x),
    multiplied unit by unit.  The outputs are W z_L + b (Fathony et al. 2021).  The filters g_l are trained
    trigonometric polynomials of degree d_l.  Therefore all frequencies k of the outputs satisfy max |k_i| <=
    d_1 + ... + d_L, up to rounding errors.  Lindell et al. 2022 (arXiv 2112.04645) limit the band in the same
    way, with filters of a single sine.  A network that is wide enough contains every function of the band.

    Attributes
    ----------
    dim
        Number of angles, >= 1.
    degrees
        Degrees d_1, ..., d_L of the filters, each >= 1.
    sizes
        Number of units in each of the L layers, then the number of outputs, each >= 1.

    Notes
    -----
    Suppose that the teacher is in the band and that the labels are free of noise.  Suppose also that the
    inputs are in general position and at least as many as the basis functions of the band.  Then only the
    teacher has zero training error, and the optimiser alone limits generalisation.

    Examples
    --------
    >>> network = FilterNetwork(1, (2, 1), (8, 8, 1))
    >>> grid = torch.arange(16, dtype=torch.float64)[:, None] * (2 * torch.pi / 16)
    >>> values = network(network.draw([0], dtype=torch.float64), grid)[0, :, 0]
    >>> (torch.fft.rfft(values).abs() > 1e-12).int().tolist()
    [1, 1, 1, 1, 0, 0, 0, 0, 0]
    """

    dim: int = integer(at_least=1)
    degrees: tuple[int, ...] = declare(Tuple(Integer(at_least=1), at_least=1))
    sizes: tuple[int, ...] = declare(LAYER_SIZES)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_frequencies(self.dim, self.degrees, "degrees", "FilterNetwork")
        if len(self.sizes) != len(self.degrees) + 1:
            accepted = f"{len(self.degrees)} widths, one for each degree, and the number of outputs"
            raise ValueError(checks.refusal("sizes", "FilterNetwork", accepted, self.sizes))

    @property
    def inputs(self) -> int:
        """Number of angles."""
        return self.dim

    @property
    def degree(self) -> int:
        """Largest frequency of the outputs: the sum of the filters' degrees."""
        return sum(self.degrees)

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return a copy with `inputs` angles and `outputs` outputs, see `Network.resized`."""
        return replace(self, dim=inputs, sizes=(*self.sizes[:-1], outputs))

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes (out, in) and (out,) of each filter, then of each affine map W_2, ..., W_L, W."""
        counts = (_feature_count(self.dim, degree) for degree in self.degrees)
        filters = list(zip(self.sizes[:-1], counts, strict=True))
        layers = list(zip(self.sizes[1:], self.sizes[:-1], strict=True))
        return tuple(shape for pair in (*filters, *layers) for shape in (pair, pair[:1]))

    def initial_stds(self) -> tuple[float, ...]:
        """Return the standard deviation of each tensor: 1 / sqrt(fan-in) for matrices and 0 for biases.

        The initial values of all units then have mean square 1.
        """
        return tuple(0.0 if len(shape) == 1 else shape[1] ** -0.5 for shape in self.shapes())

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, outputs) for angles in radians, see `Network`."""
        features = {degree: _features(x, degree) for degree in set(self.degrees)}
        pairs = list(zip(weights[::2], weights[1::2], strict=True))
        filters = [affine(*pair, features[degree]) for pair, degree in zip(pairs, self.degrees, strict=False)]
        h = filters[0]
        for pair, g in zip(pairs[len(filters) : -1], filters[1:], strict=True):
            h = affine(*pair, h) * g
        return affine(*pairs[-1], h)


@dataclass(frozen=True)
class SineNetwork(Network):
    """A network with hidden layers sin(w0 (W h + b)) (SIREN; Sitzmann et al. 2020, arXiv 2006.09661).

    Initial weights are normal, while the paper uses uniform weights.  The variances are the same as in the
    paper.  They are 1 / (3 inputs^2) in the first layer, 2 / (w0^2 fan-in) in the other layers, and 1 / (3
    fan-in) for biases.  The frequencies of the first layer are then about w0 / sqrt(3 inputs).  The factor w0
    makes the gradients with respect to hidden layers' weights w0 times as large.

    Attributes
    ----------
    sizes
        Number of inputs, then of units in each hidden layer, then of outputs, each >= 1.
    w0
        Factor in front of each hidden layer's weights and biases, > 0.

    Examples
    --------
    >>> SineNetwork((2, 64, 64, 1)).parameters
    4417
    """

    sizes: tuple[int, ...] = declare(LAYER_SIZES)
    w0: float = number(30.0, above=0)

    @property
    def inputs(self) -> int:
        """Length of an input vector."""
        return self.sizes[0]

    @property
    def mlp(self) -> MLP:
        """The MLP of sines with hidden weights and biases that are w0 times the values of this network."""
        return MLP(self.sizes, "sine")

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return a copy with `inputs` inputs and `outputs` outputs, see `Network.resized`."""
        return replace(self, sizes=(inputs, *self.sizes[1:-1], outputs))

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of the weights of `mlp`."""
        return self.mlp.shapes()

    def initial_stds(self) -> tuple[float, ...]:
        """Return the standard deviations of the initial weights and biases."""
        stds = []
        for layer, fan_in in enumerate(self.sizes[:-1]):
            stds += [math.sqrt(2 / fan_in) / self.w0 if layer else 3**-0.5 / fan_in, (3 * fan_in) ** -0.5]
        return tuple(stds)

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, outputs), see `Network`."""
        return self.mlp(self._scaled(weights), x)

    def gradients(self, weights: Weights, x: Tensor, output_loss: OutputLoss, out: Weights) -> Tensor:
        """Return the losses, and write their gradients to `out`; see `Network.gradients`."""
        loss = self.mlp.gradients(self._scaled(weights), x, output_loss, out)
        for gradient in out[:-2]:
            gradient *= self.w0
        return loss

    def _scaled(self, weights: Weights) -> Weights:
        """Return the weights and biases of the MLP: those of hidden layers times w0."""
        return (*(self.w0 * w for w in weights[:-2]), *weights[-2:])


def _check_frequencies(dim: int, degrees: Sequence[int], name: str, where: str) -> None:
    """Raise ValueError for a degree with more than `MAX_FREQUENCIES` frequencies."""
    for degree in degrees:
        if dim * math.log2(2 * degree + 1) > math.log2(MAX_FREQUENCIES):
            accepted = f"one with at most {MAX_FREQUENCIES:,} frequencies in {dim} dimensions"
            raise ValueError(checks.refusal(name, where, accepted, degree))


def _feature_count(dim: int, degree: int) -> int:
    """Return the number of features, (2 degree + 1)^dim - 1."""
    return int((2 * degree + 1) ** dim - 1)


@functools.lru_cache(maxsize=64)
def _frequencies(dim: int, degree: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return one frequency k of each pair k, -k with max |k_i| <= degree and k != 0, (features / 2, dim)."""
    axis = torch.arange(-degree, degree + 1, device=device, dtype=dtype)
    box = torch.cartesian_prod(*[axis] * dim).view(-1, dim)  # sorted: k and -k are symmetric about the middle
    return box[len(box) // 2 + 1 :]


def _features(x: Tensor, degree: int) -> Tensor:
    """Return sqrt 2 cos(k.x), then sqrt 2 sin(k.x), (..., features), for angles (..., dim)."""
    angle = x @ _frequencies(x.shape[-1], degree, x.device, x.dtype).T
    return torch.cat([torch.cos(angle), torch.sin(angle)], -1) * math.sqrt(2)
