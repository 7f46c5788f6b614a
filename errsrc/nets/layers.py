"""Layers of stacked networks: activations, products and convolutions with each member's own weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "sine": torch.sin,
    "linear": lambda z: z,
}
PULLBACKS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {  # of slope, input and output
    "relu": lambda slope, z, h: torch.ops.aten.threshold_backward(slope, h, 0),
    "tanh": lambda slope, z, h: torch.ops.aten.tanh_backward(slope, h),
    "gelu": lambda slope, z, h: torch.ops.aten.gelu_backward(slope, z),
    "sine": lambda slope, z, h: slope * torch.cos(z),
    "linear": lambda slope, z, h: slope,
}


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
