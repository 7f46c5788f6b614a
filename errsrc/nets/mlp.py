"""Multilayer perceptrons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from errsrc import checks
from errsrc.nets.layers import ACTIVATIONS, PULLBACKS, affine
from errsrc.nets.network import Head, Network, Weights


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
                slope = PULLBACKS[self.activation](slope, zs[layer - 1], h[layer])
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
                slope = PULLBACKS[self.activation](
                    weights[2 * layer].mT @ slope, zs[layer - 1].repeat(1, 1, outputs), below
                )
        found = torch.cat(parts, 1)  # (E, P, outputs * B)
        if outputs > 1:
            found = found.unflatten(2, (outputs, count)).transpose(2, 3).flatten(2)
        return found.mT
