"""Activations, and matrix products and convolutions of many members at once, each with its own weights."""

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
    "square": torch.square,
}
"""Activation functions, which are applied to each unit, by name."""

ANALYTIC_ACTIVATIONS = ("tanh", "sine", "gelu", "linear", "square")
"""Names of the activations that are analytic functions."""

ACTIVATION_GRADIENTS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "relu": lambda gradient, z, h: torch.ops.aten.threshold_backward(gradient, h, 0),
    "tanh": lambda gradient, z, h: torch.ops.aten.tanh_backward(gradient, h),
    "gelu": lambda gradient, z, h: torch.ops.aten.gelu_backward(gradient, z),
    "sine": lambda gradient, z, h: gradient * torch.cos(z),
    "linear": lambda gradient, z, h: gradient,
    "square": lambda gradient, z, h: 2 * gradient * z,
}
"""Functions of (gradient, z, h), by name of the activation that maps z to h.

The argument ``gradient`` is the gradient of a loss with respect to h.  The function returns the gradient with
respect to z.
"""


def affine(matrix: Tensor, bias: Tensor, x: Tensor) -> Tensor:
    """Return x matrix^T + bias, (E, B, out), for each of E members (matrices with their biases).

    Parameters
    ----------
    matrix : tensor (E, out, in)
        The members' matrices.
    bias : tensor (E, out)
        The members' biases.
    x : tensor
        Inputs (E, B, in), or (B, in) for the same inputs in all members.
    """
    if x.dim() == 2:  # one product for all members
        stacked = functional.linear(x, matrix.flatten(0, 1), bias.flatten())
        return stacked.unflatten(1, bias.shape).transpose(0, 1)
    # with the matrix on the left, this product and its gradient by the matrix are fast for narrow layers
    return torch.baddbmm(bias.unsqueeze(2), matrix, x.mT).mT


def as_images(x: Tensor, members: int, image_shape: tuple[int, ...], channels_last: bool = False) -> Tensor:
    """Return input vectors as images for E members (sets of weights), (B, E * channels, side, side).

    Image b has the channels of all E members along its second axis: all channels of the first member, then
    all channels of the second, and so on.

    Parameters
    ----------
    x : tensor
        Input vectors (E, B, inputs), or (B, inputs) for the same inputs in all members.
    members : int
        Number of members E.
    image_shape : (int, int, int)
        Shape (channels, side, side) of an image.
    channels_last : bool
        Whether the channels of a pixel lie next to each other in memory.
    """
    x = x.expand(members, *x.shape[-2:]).transpose(0, 1)
    images = x.reshape(len(x), -1, *image_shape[1:])
    return images.contiguous(memory_format=torch.channels_last) if channels_last else images


def convolution(kernels: Tensor, x: Tensor, stride: int = 1, bias: Tensor | None = None) -> Tensor:
    """Return images convolved with the kernels of E members (sets of weights), (B, E out, side, side).

    Parameters
    ----------
    kernels : tensor
        Kernels of 3 x 3 pixels, of shape (E, out, 9 in), or kernels of one pixel, of shape (E, out, in).
        Kernels of 3 x 3 pixels are applied with one pixel of zeros around the images.
    x : tensor (B, E in, side, side)
        Images.  All channels of the first member come first, then all channels of the second, and so on; see
        `as_images`.
    stride : int
        Distance in pixels from one output to the next.
    bias : tensor (E, out), optional
        Numbers that are added to the output channels.
    """
    members = len(kernels)  # each member is a group of channels
    channels = x.shape[1] // members
    size = 1 if kernels.shape[2] == channels else 3
    kernels = kernels.flatten(0, 1).unflatten(1, (channels, size, size))
    flat_bias = None if bias is None else bias.flatten()
    return functional.conv2d(x, kernels, flat_bias, stride, padding=size // 2, groups=members)


def strided_side(side: int) -> int:
    """Return the side in pixels of an image after a `convolution` of stride 2.

    Parameters
    ----------
    side : int
        Side of the image before the convolution, in pixels.
    """
    return (side + 1) // 2
