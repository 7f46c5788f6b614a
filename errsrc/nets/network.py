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
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from errsrc import checks
from errsrc.rng import seed_of

Weights = tuple[Tensor, ...]

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
        >>> from errsrc.nets import MLP
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
