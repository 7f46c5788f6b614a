"""Convolutional networks without normalisation."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from errsrc import checks
from errsrc.nets.layers import ACTIVATIONS, affine, as_images, convolution, half
from errsrc.nets.network import Network, Weights


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
