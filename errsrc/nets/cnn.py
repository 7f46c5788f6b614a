"""Small convolutional networks without normalisation."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from errsrc.fields import choice, integer
from errsrc.nets.layers import ACTIVATIONS, ANALYTIC_ACTIVATIONS, affine, as_images, convolution, strided_side
from errsrc.nets.network import ImageNetwork, Weights


@dataclass(frozen=True)
class CNN(ImageNetwork):
    """A small convolutional network of square images.

    The first two layers are 3 x 3 convolutions of stride 2, with ``width`` and 2 ``width`` channels.  The
    next ``blocks`` layers are 3 x 3 convolutions of stride 1, with 2 ``width`` channels.  An activation
    follows each convolution.  The last layer is an affine map from all pixels and channels to the classes.

    Attributes
    ----------
    side
        Side of an image in pixels, >= 4.
    width
        Number of output channels of the first convolution, >= 1.
    classes
        Number of outputs, >= 1.
    activation
        "relu", "tanh", "gelu", "sine" or "linear".
    blocks
        Number of convolutions of stride 1, >= 0.
    channels
        Number of channels of an image, >= 1.

    Examples
    --------
    >>> CNN(side=28, width=4, classes=10).parameters
    4266
    >>> CNN(side=28, width=4, classes=10, blocks=2).parameters
    5434
    """

    side: int = integer(at_least=4)
    width: int = integer(at_least=1)
    classes: int = integer(at_least=1)
    activation: str = choice("relu", tuple(ACTIVATIONS))
    blocks: int = integer(0, at_least=0)
    channels: int = integer(1, at_least=1)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape (channels, side, side) of an image."""
        return (self.channels, self.side, self.side)

    @property
    def analytic(self) -> bool:
        """Whether the activation is analytic."""
        return self.activation in ANALYTIC_ACTIVATIONS

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes (out, in) of kernels and (out,) of biases for each layer.

        A kernel of 3 x 3 pixels has in = 9 x input channels.
        """
        pixels = strided_side(strided_side(self.side)) ** 2
        first, second = self.width, 2 * self.width
        return (
            (first, 9 * self.channels), (first,), (second, 9 * first), (second,),
            *((second, 9 * second), (second,)) * self.blocks,
            (self.classes, second * pixels), (self.classes,),
        )  # fmt: skip

    def applications(self) -> tuple[int, ...]:
        """Return how often each weight tensor is applied to one image.

        The tensors of a convolution are applied once for each output pixel.  The tensors of the last layer
        are applied once.
        """
        side = strided_side(self.side)
        first, last = side**2, strided_side(side) ** 2
        return (first, first, *[last] * (2 + 2 * self.blocks), 1, 1)

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, classes), see `Network`."""
        members = len(weights[0])
        x = as_images(x, members, self.image_shape, self.channels_last)
        for layer in range(0, len(weights) - 2, 2):
            x = convolution(weights[layer], x, 2 if layer < 4 else 1, weights[layer + 1])
            x = ACTIVATIONS[self.activation](x)
        x = x.reshape(len(x), members, -1).transpose(0, 1)
        return affine(weights[-2], weights[-1], x)
