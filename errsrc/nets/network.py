"""The interface of all networks, which compute the outputs of E members at once.

A network is a frozen dataclass of plain numbers: it describes an architecture and has no weights.  A member
is one set of weights for the architecture.  The network gives the shapes of one member's weights, draws
weights from seeds, and maps inputs to outputs for all members at once, with batched matrix products.  The
weights are a tuple of tensors of shape (E, ...).  Therefore members are selected by indexing the tensors, and
masks and averages of weights are plain arithmetic.

In the shapes of this package, E is the number of members, B the number of examples in a batch, and P the
number of parameters of one member.
"""

from __future__ import annotations

import abc
import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from errsrc import checks
from errsrc.checks import Number
from errsrc.fields import Checked
from errsrc.rng import seed_of

Weights = tuple[Tensor, ...]
"""Weights of E members: tensors of shape (E, ...), in the order of `Network.shapes`."""

OutputLoss = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Function of outputs (E, B, outputs) that returns two tensors.

The first tensor has the loss of each member, (E,).  The second has the gradients of these losses with respect
to the outputs, (E, B, outputs).
"""

STD = Number(at_least=0)
"""Validation rule for a standard deviation."""


@dataclass(frozen=True)
class Network(Checked, abc.ABC):
    """Base of all networks.

    A network is an architecture without weights.  A member is one set of weights.  All methods compute E
    members at once.  A subclass defines `shapes`, `inputs` and ``__call__``.  This class computes `gradients`
    and `jacobian` by automatic differentiation; a subclass may define faster versions.
    """

    @abc.abstractmethod
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of one set of weights: (out, in, ...) and (out,) for each layer, in order."""

    @property
    @abc.abstractmethod
    def inputs(self) -> int:
        """Length of an input vector."""

    @abc.abstractmethod
    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return the outputs of all members.

        Parameters
        ----------
        weights : tuple of tensors (E, ...)
            E sets of weights (members).
        x : tensor
            Inputs (E, B, inputs), or (B, inputs) for the same inputs in all members; float32 or float64.

        Returns
        -------
        tensor
            Outputs (E, B, *positions, outputs), with the dtype of `x`.  For most networks, `positions` is ()
            and the shape is (E, B, outputs).
        """

    @property
    def analytic(self) -> bool:
        """Whether the network is known to be an analytic function of its weights; False by default."""
        return False

    @property
    def source_digest(self) -> str:
        """A digest of the user's code that defines the network; empty for networks of `errsrc.nets`."""
        return ""

    @property
    def parameters(self) -> int:
        """Number of trained parameters of the network, biases included."""
        return sum(math.prod(shape) for shape in self._checked_shapes())

    @property
    def degrees_of_freedom(self) -> int:
        """Largest dimension of the set of functions that the network can express, as far as it is known.

        By default, the value is the number of parameters.  The value is smaller for a network whose functions
        do not change with some combinations of the weights, see `errsrc.nets.identifiable_dimension`.
        """
        return self.parameters

    def separating_examples(self, other: Network | None = None) -> int:
        """Return a number of inputs that is enough to distinguish two different functions of the networks.

        Let f be any function of this network, and g a different function of the other network.  At almost
        every set of this number of inputs, f and g differ at one input or more.  For networks that are
        analytic in their P and P' parameters the number is P + P' + 1 (Sontag 2002, arXiv math/0111135).

        Parameters
        ----------
        other : Network, optional
            The second network; by default, both functions are functions of this network.
        """
        return self.parameters + (other or self).parameters + 1

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self._checked_shapes()[-1][0]

    def _checked_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return `shapes`; raise TypeError where it is no method, or returns anything but shapes."""
        got: object = self.shapes
        if callable(got):
            got = self.shapes()
            if isinstance(got, tuple) and got and all(map(_is_shape, got)):
                return got
        accepted = "a method that returns a tuple of tuples of integers >= 1, as ((3, 2), (3,))"
        raise TypeError(checks.refusal("shapes", type(self).__name__, accepted, got))

    @property
    def positions(self) -> tuple[int, ...]:
        """Shape of the predictions for one example, without the axis of the outputs.

        The shape is (T,) if the network makes a prediction for each of T tokens, and () if it makes one
        prediction.
        """
        return ()

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape (channels, side, side) of the image in an input vector; () if inputs are not images."""
        return ()

    def applications(self) -> tuple[int, ...]:
        """Return how often each weight tensor is applied to one example.

        A tensor may be applied once for each pixel or token.  The default method returns 1 for each tensor.
        """
        return (1,) * len(self.shapes())

    @property
    def multiply_adds(self) -> int:
        """Number of multiply-adds for one example, counted over weight tensors of two or more axes.

        The products of queries, keys and values in attention do not count.
        """
        pairs = zip(self.shapes(), self.applications(), strict=True)
        return sum(math.prod(shape) * times for shape, times in pairs if len(shape) > 1)

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return a copy with `inputs` inputs and `outputs` outputs.

        A network whose sizes are fixed, such as a network of images, returns itself.

        Parameters
        ----------
        inputs : int
            Length of an input vector, >= 1.
        outputs : int
            Number of outputs, >= 1.
        """
        return self

    def of_size(self, size: int) -> Self:
        """Return a smaller network of the same class, such as a network of smaller width.

        This network can express all functions of the returned network.

        Parameters
        ----------
        size : int
            The size of the returned network, from 1 to the size of this network.

        Raises
        ------
        TypeError
            If the networks of this class are not ordered by size.
        """
        raise TypeError(f"Networks of the class {type(self).__name__} are not ordered by size.")

    @property
    def size(self) -> int:
        """The size of this network, such as its width, see `of_size`; by default 1."""
        return 1

    @checks.arguments(weight_std=STD, bias_std=STD)
    def prior_stds(self, weight_std: float, bias_std: float) -> tuple[float, ...]:
        """Return the standard deviation of each tensor under a Gaussian prior.

        The standard deviation is ``weight_std`` / sqrt(fan-in) for matrices and kernels, and ``bias_std`` for
        biases.  Under this prior the outputs of a wide network are a Gaussian process (Neal 1996, Bayesian
        Learning for Neural Networks).

        Parameters
        ----------
        weight_std : float
            Standard deviation of a weight times the square root of its fan-in, >= 0.
        bias_std : float
            Standard deviation of a bias, >= 0.

        Examples
        --------
        >>> from errsrc.nets import MLP
        >>> MLP((4, 16, 1)).prior_stds(2.0, 0.5)
        (1.0, 0.5, 0.5, 0.5)
        """
        return tuple(
            float(bias_std if len(shape) == 1 else weight_std / math.sqrt(math.prod(shape[1:])))
            for shape in self.shapes()
        )

    def initial_stds(self) -> tuple[float, ...]:
        """Return the standard deviation of each tensor's initial weights.

        The variance is 2 / fan-in (He et al. 2015, arXiv 1502.01852), 1 / fan-in in the last layer, and 0 for
        biases.
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
        """Return E sets of normal weights on the CPU; each set depends on its own seed alone.

        Parameters
        ----------
        seeds : sequence of int
            The seed of each set of weights, >= 0, see `errsrc.rng`.
        stds : sequence of float, optional
            Standard deviation of each tensor, see `prior_stds`; `initial_stds` by default.
        dtype : torch.dtype
            float32 or float64.  The same seed gives different weights for the two dtypes.

        Returns
        -------
        tuple of tensors (E, ...)
            The weights.

        Raises
        ------
        ValueError
            If `stds` does not have one number for each tensor, or if a standard deviation is negative.
        """
        shapes = self._checked_shapes()
        if stds is None:
            stds = self.initial_stds()
            random = [std > 0 for std in stds]  # biases that are zero use no random numbers
        elif len(stds) != len(shapes):
            accepted = f"a number for each of {len(shapes)} tensors"
            raise ValueError(checks.refusal("stds", "Network.draw", accepted, stds))
        else:
            stds = [STD(std, "stds", "Network.draw") for std in stds]
            random = [True] * len(shapes)
        members = []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed_of(seed, "weights"))
            members.append(
                [
                    torch.randn(shape, generator=generator, dtype=dtype) * std
                    if is_random
                    else torch.zeros(shape, dtype=dtype)
                    for shape, std, is_random in zip(shapes, stds, random, strict=True)
                ]
            )
        return tuple(torch.stack(layer) for layer in zip(*members, strict=True))

    def flatten(self, weights: Weights) -> Tensor:
        """Return a copy of E sets of weights as one tensor (E, P).

        Parameters
        ----------
        weights : tuple of tensors (E, ...)
            The weights.
        """
        return torch.cat([w.flatten(1) for w in weights], 1)

    def unflatten(self, flat: Tensor) -> Weights:
        """Return the weights in a flat tensor, as views (E, ...) of this tensor.

        Parameters
        ----------
        flat : tensor (E, P)
            The weights as `flatten` returns them.
        """
        weights, start = [], 0
        for shape in self.shapes():
            end = start + math.prod(shape)
            weights.append(flat[:, start:end].view(len(flat), *shape))
            start = end
        return tuple(weights)

    def gradients(self, weights: Weights, x: Tensor, output_loss: OutputLoss, out: Weights) -> Tensor:
        """Return the loss of each of E sets of weights, (E,), and write the gradients of the losses to `out`.

        Parameters
        ----------
        weights : tuple of tensors (E, ...)
            E sets of weights (members).
        x : tensor
            Inputs (E, B, inputs), or (B, inputs) for the same inputs in all members.
        output_loss : callable
            The loss as a function of the outputs, see `OutputLoss`.
        out : tuple of tensors (E, ...)
            Contiguous tensors of the weights' shapes.  The method overwrites them with the gradients.
        """
        leaves = tuple(w.detach().requires_grad_() for w in weights)
        with torch.enable_grad():
            outputs = self(leaves, x)
        loss, output_gradient = output_loss(outputs.detach())
        torch._foreach_copy_(out, torch.autograd.grad(outputs, leaves, output_gradient))
        return loss

    def jacobian(self, weights: Weights, x: Tensor) -> Tensor:
        """Return the derivatives of all outputs with respect to all parameters.

        Parameters
        ----------
        weights : tuple of tensors (E, ...)
            E sets of weights (members).
        x : tensor (E, B, inputs)
            Inputs of each member.

        Returns
        -------
        tensor (E, B * outputs, P)
            Derivatives, with the parameters in the order of `flatten` and the dtype of `x`.
        """
        count = x.shape[1]
        flat = self.flatten(weights).detach()
        with torch.enable_grad():  # each input gets a copy of its member, so one backward pass serves all
            leaves = flat.repeat_interleave(count, 0).requires_grad_()
            sums = self(self.unflatten(leaves), x.reshape(-1, 1, x.shape[2])).sum((0, 1))
            rows = [torch.autograd.grad(total, leaves, retain_graph=True)[0] for total in sums]
        return torch.stack(rows, 1).view(len(flat), count * self.outputs, -1)


@dataclass(frozen=True)
class ImageNetwork(Network):
    """Base of networks of images.

    An input vector has the channels of an image one after another.  Each channel is stored row by row.
    """

    channels_last: ClassVar[bool] = False
    """Whether images and hidden layers lie in memory with their channels last."""

    def in_channels_last(self) -> Self:
        """Return a copy whose images and hidden layers lie in memory with their channels last."""
        network = copy.copy(self)
        object.__setattr__(network, "channels_last", True)
        return network

    @property
    @abc.abstractmethod
    def image_shape(self) -> tuple[int, ...]:
        """Shape (channels, side, side) of an image."""

    @property
    def inputs(self) -> int:
        """Length of an input vector: channels x pixels."""
        return math.prod(self.image_shape)


def _is_shape(candidate: object) -> bool:
    """Return whether an object is a tuple of integers >= 1, and not empty."""
    return (
        isinstance(candidate, tuple)
        and len(candidate) > 0
        and all(isinstance(size, (int, np.integer)) and size >= 1 for size in candidate)
    )
