"""Residual networks on square images, of depth and width as published.

A network here is a function of its weights, whose output for an image depends on no other image and on no
running state.  So normalisation is by group (Wu and He 2018, arXiv 1803.08494) and not by batch: in 4 groups
of channels, or 2 or 1 where 4 do not divide them, with as many parameters as by batch.  A scale is stored as
what it exceeds 1 by; scales and shifts begin at 0 and are tensors of one axis, which are never pruned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from errsrc import checks
from errsrc.nets.layers import affine, as_images, convolution, half
from errsrc.nets.network import Network, Weights

GROUPS = 4
"""Groups of channels that are normalised apart, where they divide the channels."""

STEM = 16
"""Channels of a wide residual network's first convolution, whatever its width."""

Layer = tuple[tuple[int, ...], int]
"""A tensor's shape, and the side of the image that it makes (0: no product)."""


@dataclass(frozen=True)
class Residual(Network):
    """What residual networks share: three stages of k blocks, each at half the side and twice the channels.

    Attributes
    ----------
    side, channels
        Of the images, whose vectors are channel by channel, row by row.
    width
        Channels of the first stage.
    classes
        Number of outputs.
    depth
        As published: convolutions along the main path and the last, linear layer.
    """

    side: int
    width: int
    classes: int
    depth: int
    channels: int = 3

    beyond: ClassVar[int] = 2
    """Layers that are in no block."""

    def __post_init__(self) -> None:
        where = type(self).__name__
        checks.integer(self.side, "side", where, 8)
        for name in ("width", "classes", "channels"):
            checks.integer(getattr(self, name), name, where, 1)
        checks.integer(self.depth, "depth", where)
        if self.depth < 6 + self.beyond or (self.depth - self.beyond) % 6:
            first = [6 * k + self.beyond for k in (1, 2, 3)]
            accepted = f"6 k + {self.beyond} for a whole k >= 1 ({', '.join(map(str, first))}, ...)"
            raise ValueError(checks.refusal("depth", where, accepted, self.depth))

    @property
    def image(self) -> tuple[int, ...]:
        """Channels of side x side places."""
        return (self.channels, self.side, self.side)

    @property
    def blocks(self) -> int:
        """Blocks of a stage."""
        return (self.depth - self.beyond) // 6

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return kernels (out, 9 in), scales and shifts (channels,), in order; then (out, in), (out,)."""
        return tuple(shape for shape, _ in self._layers())

    def places(self) -> tuple[int, ...]:
        """Return how many places of an image each tensor is applied at."""
        return tuple(side**2 for _, side in self._layers())

    def _layers(self) -> list[Layer]:
        raise TypeError(f"{type(self).__name__} must define _layers()")

    def _head(self) -> list[Layer]:
        return [((self.classes, 4 * self.width), 1), ((self.classes,), 0)]


@dataclass(frozen=True)
class Resnet(Residual):
    """The residual network for small images of He et al. 2016 (arXiv 1512.03385, section 4.2).

    A 3 x 3 convolution; three stages of k blocks of two of them, normalisation after each; global average
    and a linear layer: depth 6 k + 2.  Where a stage begins, the shortcut takes every second place and
    zeros for the new channels (option A), and so has no parameters.

    Examples
    --------
    >>> [Resnet(side=32, width=16, classes=10, depth=depth).parameters for depth in (20, 56, 110)]
    [269722, 853018, 1727962]
    """

    def _layers(self) -> list[Layer]:
        side, inside = self.side, self.width
        layers = [((inside, 9 * self.channels), side), *_norm(inside)]
        for stage in range(3):
            out = self.width * 2**stage
            side = half(side) if stage else side
            for _ in range(self.blocks):
                layers += [((out, 9 * inside), side), *_norm(out), ((out, 9 * out), side), *_norm(out)]
                inside = out
        return layers + self._head()

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, classes)."""
        members = len(weights[0])
        x = as_images(x, members, self.image)
        x = torch.relu(_normed(convolution(weights[0], x), *weights[1:3]))
        for block in range(3 * self.blocks):
            kernel, *norm, kernel_last, gain, shift = weights[3 + 6 * block : 9 + 6 * block]
            stride = 2 if block and block % self.blocks == 0 else 1
            branch = torch.relu(_normed(convolution(kernel, x, stride), *norm))
            branch = _normed(convolution(kernel_last, branch), gain, shift)
            x = torch.relu(branch + (x if stride == 1 else _doubled(x, members)))
        return _pooled(weights, x)


@dataclass(frozen=True)
class WRN(Residual):
    """The wide residual network of Zagoruyko and Komodakis 2016 (arXiv 1605.07146).

    Normalisation and ReLU come before each convolution, and once at the end: depth 6 k + 4.  The first
    convolution has 16 channels; ``width`` is 16 times the widening factor, so that WRN-28-10 has depth 28
    and width 160.  A shortcut between other numbers of channels is a 1 x 1 convolution.

    Examples
    --------
    >>> WRN(side=32, width=160, classes=10, depth=28).parameters
    36479194
    """

    beyond: ClassVar[int] = 4

    def _layers(self) -> list[Layer]:
        side, inside = self.side, STEM
        layers: list[Layer] = [((inside, 9 * self.channels), side)]
        for stage in range(3):
            out = self.width * 2**stage
            side = half(side) if stage else side
            for _ in range(self.blocks):
                layers += [*_norm(inside), ((out, 9 * inside), side), *_norm(out), ((out, 9 * out), side)]
                layers += [((out, inside), side)] if inside != out else []
                inside = out
        return layers + _norm(inside) + self._head()

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, classes)."""
        x = as_images(x, len(weights[0]), self.image)
        x = convolution(weights[0], x)
        first = 1
        for block in range(3 * self.blocks):
            stride = 2 if block and block % self.blocks == 0 else 1
            gain, shift, kernel, *norm, kernel_last, shortcut = weights[first : first + 7]
            ready = torch.relu(_normed(x, gain, shift))
            branch = torch.relu(_normed(convolution(kernel, ready, stride), *norm))
            same = 9 * kernel.shape[1] == kernel.shape[2]
            x = convolution(kernel_last, branch) + (x if same else convolution(shortcut, ready, stride))
            first += 6 if same else 7
        return _pooled(weights, torch.relu(_normed(x, *weights[first : first + 2])))


def _norm(channels: int) -> list[Layer]:
    return [((channels,), 0), ((channels,), 0)]


def _normed(x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """Return x (B, E channels, ...), each group to mean 0 and variance 1, times 1 + gain, plus shift."""
    groups = gain.numel() // gain.shape[1] * math.gcd(gain.shape[1], GROUPS)
    return functional.group_norm(x, groups, 1 + gain.flatten(), shift.flatten())


def _doubled(x: Tensor, members: int) -> Tensor:
    """Return every second place of x (B, E channels, ...), with as many channels of 0 after a member's."""
    x = x[:, :, ::2, ::2].unflatten(1, (members, -1))
    return functional.pad(x, (0, 0, 0, 0, 0, x.shape[2])).flatten(1, 2)


def _pooled(weights: Weights, x: Tensor) -> Tensor:
    """Return the last layer of the means over places of x (B, E channels, ...), (E, B, classes)."""
    means = x.mean((2, 3)).unflatten(1, (len(weights[0]), -1))
    return affine(weights[-2], weights[-1], means.transpose(0, 1))
