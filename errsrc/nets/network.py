"""Stacked networks: E members of one architecture as one function of tensors with a leading member axis.

A network here is a frozen spec of plain numbers, not a container of weights.  It
says the shapes of one member's weights, draws them from a seed, and maps inputs to
outputs for all members at once with batched matrix products.  The weights are a
tuple of tensors of shape (E, ...), so that taking members out of a running batch is
an index, and a mask or an average of weights is a line of arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from errsrc import checks
from errsrc.rng import seed_of

Weights = tuple[Tensor, ...]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "sine": torch.sin,
    "linear": lambda z: z,
}
_PULLBACKS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {  # of slope, input and output
    "relu": lambda slope, z, h: torch.ops.aten.threshold_backward(slope, h, 0),
    "tanh": lambda slope, z, h: torch.ops.aten.tanh_backward(slope, h),
    "gelu": lambda slope, z, h: torch.ops.aten.gelu_backward(slope, z),
    "sine": lambda slope, z, h: slope * torch.cos(z),
    "linear": lambda slope, z, h: slope,
}

Head = Callable[[Tensor], tuple[Tensor, Tensor]]
"""From outputs (E, B, outputs) to losses (E,) and their slopes by the outputs (E, B, outputs)."""


@dataclass(frozen=True)
class Network:
    """What all networks share: drawing and counting weights from their shapes."""

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of one member's weights: (out, in, ...) then (out,) for each layer."""
        raise TypeError(f"{type(self).__name__} must define shapes()")

    @property
    def parameters(self) -> int:
        """Number of trained parameters of one member, biases included."""
        return sum(math.prod(shape) for shape in self.shapes())

    @property
    def inputs(self) -> int:
        """Length of an input vector; of an image channels x places."""
        if not self.image:
            raise TypeError(f"{type(self).__name__} must define inputs, or image")
        return math.prod(self.image)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.shapes()[-1][0]

    @property
    def positions(self) -> tuple[int, ...]:
        """Shape of what lies between examples and outputs, as (T,) of T predictions an example; mostly ()."""
        return ()

    @property
    def image(self) -> tuple[int, ...]:
        """Shape (channels, side, side) of the image that an input vector is, row by row; () of no image."""
        return ()

    def places(self) -> tuple[int, ...]:
        """Return how often each tensor is applied to an example: once, or at each place or token of it."""
        return (1,) * len(self.shapes())

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of matrices and convolutions for one example's outputs; attention comes on top."""
        pairs = zip(self.shapes(), self.places(), strict=True)
        return sum(math.prod(shape) * places for shape, places in pairs if len(shape) > 1)

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return the same network for other numbers of inputs and outputs; itself where it has no other."""
        return self

    def prior(self, weight_std: float, bias_std: float) -> tuple[float, ...]:
        """Return a standard deviation for each tensor: weight_std / sqrt(fan-in), and bias_std for biases.

        The prior under which the outputs of a wide network are a Gaussian process (Neal 1996).

        Examples
        --------
        >>> MLP((4, 16, 1)).prior(2.0, 0.5)
        (1.0, 0.5, 0.5, 0.5)
        """
        checks.number(weight_std, "weight_std", "prior", 0)
        checks.number(bias_std, "bias_std", "prior", 0)
        return tuple(
            float(bias_std if len(shape) == 1 else weight_std / math.sqrt(math.prod(shape[1:])))
            for shape in self.shapes()
        )

    def start(self) -> tuple[float, ...]:
        """Return the standard deviation of each tensor that training starts from.

        Variance 2 / fan-in (He et al. 2015), 1 / fan-in in the last layer; biases zero.
        """
        shapes = self.shapes()
        gains = [2.0] * (len(shapes) - 2) + [1.0, 1.0]
        return tuple(
            0.0 if len(shape) == 1 else math.sqrt(gain / math.prod(shape[1:]))
            for gain, shape in zip(gains, shapes, strict=True)
        )

    def draw(
        self,
        seeds: Sequence[int],
        stds: Sequence[float] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Weights:
        """Return weights (members, ...) on the CPU, each member's from its own seed alone.

        Parameters
        ----------
        seeds
            One a member, see `errsrc.rng`.
        stds
            Standard deviation of each tensor's normal entries, see `prior`.  Without it those that
            training starts from, see `start`.
        dtype
            float32 or float64; the two have other draws.

        Raises
        ------
        ValueError
            For standard deviations that are not one a tensor, or negative.
        """
        shapes = self.shapes()
        if stds is None:
            stds = self.start()
            drawn = [std > 0 for std in stds]  # no random numbers for biases that are zero
        else:
            if len(stds) != len(shapes):
                accepted = f"a number for each of {len(shapes)} tensors"
                raise ValueError(checks.refusal("stds", "draw", accepted, stds))
            stds = [checks.number(std, "stds", "draw", 0) for std in stds]
            drawn = [True] * len(shapes)
        members = []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed_of(seed, "weights"))
            members.append(
                [
                    torch.randn(shape, generator=generator, dtype=dtype) * std
                    if random
                    else torch.zeros(shape, dtype=dtype)
                    for shape, std, random in zip(shapes, stds, drawn, strict=True)
                ]
            )
        return tuple(torch.stack(layer) for layer in zip(*members, strict=True))

    def flatten(self, weights: Weights) -> Tensor:
        """Return the weights of E members as one tensor (E, parameters), a copy."""
        return torch.cat([w.flatten(1) for w in weights], 1)

    def unflatten(self, flat: Tensor) -> Weights:
        """Return the weights that ``flat`` (E, parameters) holds, as views of it."""
        weights, start = [], 0
        for shape in self.shapes():
            end = start + math.prod(shape)
            weights.append(flat[:, start:end].view(len(flat), *shape))
            start = end
        return tuple(weights)

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, outputs) for inputs x (E, B, inputs), or (B, inputs) for all; dtype as x."""
        raise TypeError(f"{type(self).__name__} must define how it is called")

    def slopes(self, weights: Weights, x: Tensor, head: Head, out: Weights) -> Tensor:
        """Return the losses (E,) of a head on the outputs, and write their slopes by the weights to ``out``.

        Without a graph of its own: ``out`` has the weights' shapes, contiguous.
        """
        leaves = tuple(w.detach().requires_grad_() for w in weights)
        with torch.enable_grad():
            outputs = self(leaves, x)
        loss, slope = head(outputs.detach())
        torch._foreach_copy_(out, torch.autograd.grad(outputs, leaves, slope))
        return loss


@dataclass(frozen=True)
class MLP(Network):
    """A multilayer perceptron: ``sizes`` are inputs, hidden widths, outputs; with one ``activation``.

    Examples
    --------
    >>> MLP((784, 8, 10)).parameters
    6370
    """

    sizes: tuple[int, ...]
    activation: str = "relu"

    def __post_init__(self) -> None:
        if len(self.sizes) < 2:
            raise ValueError(checks.refusal("sizes", "MLP", "two or more layer sizes", self.sizes))
        for size in self.sizes:
            checks.integer(size, "sizes", "MLP", 1)
        checks.choice(self.activation, "activation", "MLP", tuple(ACTIVATIONS))

    @property
    def inputs(self) -> int:
        """Length of an input vector."""
        return self.sizes[0]

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return the same for other numbers of inputs and outputs."""
        return replace(self, sizes=(inputs, *self.sizes[1:-1], outputs))

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return (out, in), (out,) for each layer."""
        pairs = zip(self.sizes[:-1], self.sizes[1:], strict=True)
        return tuple(shape for inside, out in pairs for shape in ((out, inside), (out,)))

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, outputs)."""
        layers = len(weights) // 2
        for layer in range(layers):
            x = affine(weights[2 * layer], weights[2 * layer + 1], x)
            if layer < layers - 1:
                x = ACTIVATIONS[self.activation](x)
        return x

    @torch.no_grad()
    def slopes(self, weights: Weights, x: Tensor, head: Head, out: Weights) -> Tensor:
        """Return losses and write slopes, see `Network.slopes`: backpropagation by hand, two to three times
        as fast as a graph, since all arrays stay (E, width, B) in memory.
        """
        layers = len(weights) // 2
        h, zs = [x.mT], []
        for layer in range(layers):
            z = torch.baddbmm(weights[2 * layer + 1].unsqueeze(2), weights[2 * layer], h[-1])
            zs.append(z)
            if layer < layers - 1:
                h.append(ACTIVATIONS[self.activation](z))
        loss, slope = head(zs[-1].mT)
        slope = slope.mT
        for layer in range(layers - 1, -1, -1):
            torch.bmm(slope, h[layer].mT, out=out[2 * layer])
            torch.sum(slope, 2, out=out[2 * layer + 1])
            if layer:
                slope = torch.bmm(weights[2 * layer].mT, slope)
                slope = _PULLBACKS[self.activation](slope, zs[layer - 1], h[layer])
        return loss

    @torch.no_grad()
    def jacobian(self, weights: Weights, x: Tensor) -> Tensor:
        """Return the outputs' derivatives (E, B * outputs, P) for inputs x (E, B, inputs); dtype as x.

        Parameters in the order of `flatten`; backpropagation by hand, of all outputs at once.
        """
        layers = len(weights) // 2
        h, zs = [x.mT], []
        for layer in range(layers):
            zs.append(torch.baddbmm(weights[2 * layer + 1].unsqueeze(2), weights[2 * layer], h[-1]))
            if layer < layers - 1:
                h.append(ACTIVATIONS[self.activation](zs[-1]))
        members, count, outputs = len(x), x.shape[1], self.outputs
        slope = torch.eye(outputs, dtype=x.dtype, device=x.device)
        slope = slope.repeat_interleave(count, 1).expand(members, -1, -1)  # (E, out, outputs * B)
        parts: list[Tensor] = []
        for layer in range(layers - 1, -1, -1):
            below = h[layer].repeat(1, 1, outputs)
            parts[:0] = [(slope.unsqueeze(2) * below.unsqueeze(1)).flatten(1, 2), slope]
            if layer:
                slope = _PULLBACKS[self.activation](
                    weights[2 * layer].mT @ slope, zs[layer - 1].repeat(1, 1, outputs), below
                )
        found = torch.cat(parts, 1)  # (E, P, outputs * B)
        if outputs > 1:
            found = found.unflatten(2, (outputs, count)).transpose(2, 3).flatten(2)
        return found.mT


def affine(matrix: Tensor, bias: Tensor, x: Tensor) -> Tensor:
    """Return x matrix^T + bias, (E, B, out), of (E, out, in), (E, out), and (E, B, in) or (B, in)."""
    if x.dim() == 2:  # one product for all members
        stacked = functional.linear(x, matrix.flatten(0, 1), bias.flatten())
        return stacked.unflatten(1, bias.shape).transpose(0, 1)
    # matrix on the left: both this product and its weight gradient are fast for narrow layers
    return torch.baddbmm(bias.unsqueeze(2), matrix, x.mT).mT


def as_images(x: Tensor, members: int, image: tuple[int, ...]) -> Tensor:
    """Return x (E, B, inputs), or (B, inputs) for all, as images (B, E channels, side, side).

    ``image`` is (channels, side, side).
    """
    x = x.expand(members, *x.shape[-2:]).transpose(0, 1)
    return x.reshape(len(x), -1, *image[1:])


def convolution(kernels: Tensor, x: Tensor, stride: int = 1, bias: Tensor | None = None) -> Tensor:
    """Return x (B, E in, side, side) convolved with each member's own kernels (E, out, in 9) or (E, out, in).

    3 x 3 with one pixel of padding, or 1 x 1, every ``stride`` pixels, and its bias (E, out) added;
    (B, E out, ...).
    """
    members = len(kernels)  # a member is a group of channels
    inside = x.shape[1] // members
    size = 1 if kernels.shape[2] == inside else 3
    flat = kernels.flatten(0, 1).unflatten(1, (inside, size, size))
    own = None if bias is None else bias.flatten()
    return functional.conv2d(x, flat, own, stride, padding=size // 2, groups=members)


def half(side: int) -> int:
    """Return the side after a convolution of stride 2, as `convolution` makes it."""
    return (side + 1) // 2


@dataclass(frozen=True)
class CNN(Network):
    """A small convolutional network on square images.

    Two 3 x 3 convolutions of stride 2 with ``width`` and ``2 width`` channels, then ``blocks`` of stride 1
    with ``2 width``, ``activation`` after each; then one linear layer from all places and channels to the
    classes (or outputs).  An image's vector is its ``channels`` one after another, row by row.

    Examples
    --------
    >>> CNN(side=28, width=4, classes=10).parameters
    4266
    >>> CNN(side=28, width=4, classes=10, blocks=2).parameters
    5434
    """

    side: int
    width: int
    classes: int
    activation: str = "relu"
    blocks: int = 0
    channels: int = 1

    def __post_init__(self) -> None:
        checks.integer(self.side, "side", "CNN", 4)
        checks.integer(self.width, "width", "CNN", 1)
        checks.integer(self.classes, "classes", "CNN", 1)
        checks.choice(self.activation, "activation", "CNN", tuple(ACTIVATIONS))
        checks.integer(self.blocks, "blocks", "CNN", 0)
        checks.integer(self.channels, "channels", "CNN", 1)

    @property
    def image(self) -> tuple[int, ...]:
        """Channels of side x side places."""
        return (self.channels, self.side, self.side)

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return (out, in), (out,) for each layer; a convolution's inputs are its channels x 9 places."""
        places = half(half(self.side)) ** 2
        first, second = self.width, 2 * self.width
        return (
            (first, 9 * self.channels), (first,), (second, 9 * first), (second,),
            *((second, 9 * second), (second,)) * self.blocks,
            (self.classes, second * places), (self.classes,),
        )  # fmt: skip

    def places(self) -> tuple[int, ...]:
        """Return how many places of an image each tensor is applied at."""
        first, last = half(self.side) ** 2, half(half(self.side)) ** 2
        return (first, first, *[last] * (2 + 2 * self.blocks), 1, 1)

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, classes)."""
        members = len(weights[0])
        x = as_images(x, members, self.image)
        for layer in range(0, len(weights) - 2, 2):
            x = convolution(weights[layer], x, 2 if layer < 4 else 1, weights[layer + 1])
            x = ACTIVATIONS[self.activation](x)
        x = x.reshape(len(x), members, -1).transpose(0, 1)
        return affine(weights[-2], weights[-1], x)
