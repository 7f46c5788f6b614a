"""Residual networks of square images, with the published depths and widths.

The output for an image depends only on the weights and on this image, not on other images or on running
averages.  Therefore channels are normalised in groups (Wu and He 2018, arXiv 1803.08494) instead of over the
batch, with the same number of parameters.  There are 4 groups, or 2 or 1 if 4 does not divide the number of
channels.  Scales are stored as differences from 1.  The stored scales and the shifts are initially 0.  Scales
and shifts are never pruned, because they are tensors of one axis.
"""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from errsrc import checks
from errsrc.fields import integer
from errsrc.nets.layers import affine, as_images, convolution, strided_side
from errsrc.nets.network import ImageNetwork, Weights

GROUPS = 4
"""Number of groups of channels that are normalised separately, if 4 divides the number of channels."""

STEM_CHANNELS = 16
"""Number of output channels of a wide residual network's first convolution, for all widths."""


class _TensorSpec(NamedTuple):
    """Shape of a tensor, and side of the image after a product with it; 0 for scales, shifts and biases."""

    shape: tuple[int, ...]
    side: int = 0


@dataclass(frozen=True)
class Residual(ImageNetwork, abc.ABC):
    """Base of residual networks with three stages of blocks.

    From each stage to the next, the side of the images is halved and the number of channels is doubled.

    Attributes
    ----------
    side
        Side of an image in pixels, >= 8.
    width
        Number of channels in the first stage, >= 1.
    classes
        Number of outputs, >= 1.
    depth
        Depth as the papers count it: 6 k + 2 for a `Resnet` and 6 k + 4 for a `WRN`, with k blocks in each of
        the three stages.
    channels
        Number of channels of an image, >= 1.
    """

    side: int = integer(at_least=8)
    width: int = integer(at_least=1)
    classes: int = integer(at_least=1)
    depth: int = integer()
    channels: int = integer(3, at_least=1)

    layers_outside_blocks: ClassVar[int] = 2
    """Number of layers that the depth counts although they are in no block."""

    def __post_init__(self) -> None:
        super().__post_init__()
        outside = self.layers_outside_blocks
        if self.depth < 6 + outside or (self.depth - outside) % 6:
            first = ", ".join(str(6 * k + outside) for k in (1, 2, 3))
            accepted = f"6 k + {outside} for an integer k >= 1 ({first}, ...)"
            raise ValueError(checks.refusal("depth", type(self).__name__, accepted, self.depth))

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape (channels, side, side) of an image."""
        return (self.channels, self.side, self.side)

    @property
    def blocks(self) -> int:
        """Number of blocks in a stage."""
        return (self.depth - self.layers_outside_blocks) // 6

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of all weight tensors.

        Kernels of 3 x 3 pixels have the shape (out, 9 in), kernels of one pixel (out, in), and scales and
        shifts (channels,).  The last two tensors are the matrix (out, in) and the biases (out,) of the last
        layer.
        """
        return tuple(spec.shape for spec in self._tensor_specs())

    def applications(self) -> tuple[int, ...]:
        """Return how often each weight tensor is applied to one image.

        A kernel is applied once for each output pixel, and the last matrix once.  Scales, shifts and biases
        count as 0.
        """
        return tuple(spec.side**2 for spec in self._tensor_specs())

    def _tensor_specs(self) -> list[_TensorSpec]:
        """Return the shape of each tensor and the side of its images."""
        last = [_TensorSpec((self.classes, 4 * self.width), 1), _TensorSpec((self.classes,))]
        return [*self._convolution_specs(), *last]

    @abc.abstractmethod
    def _convolution_specs(self) -> list[_TensorSpec]:
        """Return the specs of all tensors before the last layer."""


@dataclass(frozen=True)
class Resnet(Residual):
    """The residual network for small images of He et al. 2016 (arXiv 1512.03385, section 4.2).

    The network consists of a 3 x 3 convolution, three stages of k blocks, the mean over pixels, and a linear
    layer.  A block has two 3 x 3 convolutions.  Normalisation follows each convolution.  The depth is 6 k +
    2.  At the start of the second and third stage, the shortcut takes every second pixel and sets the new
    channels to zero (option A of the paper).  Therefore shortcuts have no parameters.

    Examples
    --------
    >>> [Resnet(side=32, width=16, classes=10, depth=depth).parameters for depth in (20, 56, 110)]
    [269722, 853018, 1727962]
    """

    def _convolution_specs(self) -> list[_TensorSpec]:
        side, channels = self.side, self.width
        specs = [_TensorSpec((channels, 9 * self.channels), side), *_norm_specs(channels)]
        for stage in range(3):
            out = self.width * 2**stage
            side = strided_side(side) if stage else side
            for _ in range(self.blocks):
                specs += [_TensorSpec((out, 9 * channels), side), *_norm_specs(out)]
                specs += [_TensorSpec((out, 9 * out), side), *_norm_specs(out)]
                channels = out
        return specs

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, classes), see `Network`."""
        members = len(weights[0])
        x = as_images(x, members, self.image_shape, self.channels_last)
        x = torch.relu(_normalised(convolution(weights[0], x), *weights[1:3]))
        for block in range(3 * self.blocks):
            kernel, *norm, last_kernel, scale, shift = weights[3 + 6 * block : 9 + 6 * block]
            stride = 2 if block and block % self.blocks == 0 else 1
            branch = torch.relu(_normalised(convolution(kernel, x, stride), *norm))
            branch = _normalised(convolution(last_kernel, branch), scale, shift)
            x = torch.relu(branch + (x if stride == 1 else _zero_padded_shortcut(x, members)))
        return _classified(weights, x)


@dataclass(frozen=True)
class WRN(Residual):
    """The wide residual network of Zagoruyko and Komodakis 2016 (arXiv 1605.07146).

    Normalisation and ReLU come before each 3 x 3 convolution of a block, and once more before the last layer.
    The depth must be 6 k + 4 for an integer k.  The first convolution has 16 output channels.  ``width`` is
    16 times the widening factor in the paper: WRN-28-10 has depth 28 and width 160.  If a block changes the
    number of channels, its shortcut is a 1 x 1 convolution.

    Examples
    --------
    >>> WRN(side=32, width=160, classes=10, depth=28).parameters
    36479194
    """

    layers_outside_blocks: ClassVar[int] = 4

    def _convolution_specs(self) -> list[_TensorSpec]:
        side, channels = self.side, STEM_CHANNELS
        specs = [_TensorSpec((channels, 9 * self.channels), side)]
        for stage in range(3):
            out = self.width * 2**stage
            side = strided_side(side) if stage else side
            for _ in range(self.blocks):
                specs += [*_norm_specs(channels), _TensorSpec((out, 9 * channels), side)]
                specs += [*_norm_specs(out), _TensorSpec((out, 9 * out), side)]
                specs += [_TensorSpec((out, channels), side)] if channels != out else []
                channels = out
        return specs + _norm_specs(channels)

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, classes), see `Network`."""
        x = as_images(x, len(weights[0]), self.image_shape, self.channels_last)
        x = convolution(weights[0], x)
        first = 1
        for block in range(3 * self.blocks):
            stride = 2 if block and block % self.blocks == 0 else 1
            scale, shift, kernel, *norm, last_kernel, shortcut = weights[first : first + 7]
            normalised = torch.relu(_normalised(x, scale, shift))
            branch = torch.relu(_normalised(convolution(kernel, normalised, stride), *norm))
            same_channels = 9 * kernel.shape[1] == kernel.shape[2]
            x = convolution(last_kernel, branch) + (
                x if same_channels else convolution(shortcut, normalised, stride)
            )
            first += 6 if same_channels else 7
        return _classified(weights, torch.relu(_normalised(x, *weights[first : first + 2])))


def _norm_specs(channels: int) -> list[_TensorSpec]:
    """Return the specs of a normalisation's scales and shifts."""
    return [_TensorSpec((channels,)), _TensorSpec((channels,))]


def _normalised(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Return x (B, E channels, ...) with mean 0 and variance 1 in each group, times 1 + scale, plus shift."""
    groups = scale.numel() // scale.shape[1] * math.gcd(scale.shape[1], GROUPS)
    return functional.group_norm(x, groups, 1 + scale.flatten(), shift.flatten())


def _zero_padded_shortcut(x: Tensor, members: int) -> Tensor:
    """Return every second pixel of x (B, E channels, ...), and double each member's channels by zeros."""
    x = x[:, :, ::2, ::2].unflatten(1, (members, -1))
    return functional.pad(x, (0, 0, 0, 0, 0, x.shape[2])).flatten(1, 2)


def _classified(weights: Weights, x: Tensor) -> Tensor:
    """Return the last layer's outputs (E, B, classes) for the means over pixels of x (B, E channels, ...)."""
    means = x.mean((2, 3)).unflatten(1, (len(weights[0]), -1))
    return affine(weights[-2], weights[-1], means.transpose(0, 1))
