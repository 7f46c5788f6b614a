"""Networks of patches: convolutions whose patches do not overlap, in a tree."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from errsrc.fields import choice, integer
from errsrc.nets.layers import ACTIVATIONS, ANALYTIC_ACTIVATIONS, affine
from errsrc.nets.network import Network, Weights


@dataclass(frozen=True)
class PatchNetwork(Network):
    """A convolutional network of strings whose patches do not overlap, so that its layers form a tree.

    The input has a vector for each of patch^levels positions, one vector after another.  Each of the layers
    divides the positions into patches of neighbours, and maps each patch to one vector of `width` units.  The
    map is the same for all patches of a layer.  An activation follows each layer.  After the last layer one
    position is left; an affine map gives the outputs.

    Attributes
    ----------
    channels
        Number of coordinates of each position of the input, >= 1.
    patch
        Number of positions in a patch, >= 2.
    levels
        Number of layers, >= 1.
    width
        Number of units of each position after a layer, >= 1.
    classes
        Number of outputs, >= 1.
    activation
        "relu", "tanh", "gelu", "sine", "linear" or "square".

    Examples
    --------
    >>> PatchNetwork(channels=8, patch=2, levels=3, width=32, classes=4).inputs
    64
    """

    channels: int = integer(at_least=1)
    patch: int = integer(at_least=2)
    levels: int = integer(at_least=1)
    width: int = integer(at_least=1)
    classes: int = integer(at_least=1)
    activation: str = choice("relu", tuple(ACTIVATIONS))

    @property
    def inputs(self) -> int:
        """Length of an input vector, channels x patch^levels."""
        return int(self.channels * self.patch**self.levels)

    @property
    def analytic(self) -> bool:
        """Whether the activation is analytic."""
        return self.activation in ANALYTIC_ACTIVATIONS

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes (out, in) of the weights and (out,) of the biases of each layer."""
        first, later = (self.width, self.patch * self.channels), (self.width, self.patch * self.width)
        above = (later, (self.width,)) * (self.levels - 1)
        return (first, (self.width,), *above, (self.classes, self.width), (self.classes,))

    def applications(self) -> tuple[int, ...]:
        """Return how often each weight tensor is applied to one input: once for each patch of its layer."""
        patches = [self.patch ** (self.levels - layer) for layer in range(1, self.levels + 1)]
        return tuple(count for layer in (*patches, 1) for count in (layer, layer))

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, classes), see `Network`."""
        for layer in range(0, len(weights) - 2, 2):
            patches = x.reshape(*x.shape[:-2], -1, weights[layer].shape[2])  # the patches of all examples
            x = ACTIVATIONS[self.activation](affine(weights[layer], weights[layer + 1], patches))
        return affine(weights[-2], weights[-1], x)
