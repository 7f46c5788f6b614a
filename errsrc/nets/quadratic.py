"""Quadratic networks: one hidden layer of squares, without biases, whose outputs have mean 0."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from errsrc import checks
from errsrc.fields import integer
from errsrc.nets.network import STD, Network, OutputLoss, Weights


@dataclass(frozen=True)
class QuadraticNetwork(Network):
    """A network of m squared units, f(x) = (|W x|^2 - |W|^2) / (m sqrt(d)), with one output.

    The weights W are a matrix (m, d).  The function is the quadratic form f(x) = (x^T S x - tr S) / sqrt(d)
    of the matrix S = W^T W / m, whose rank is at most m.  The mean of f over standard normal inputs is 0.

    Parameters
    ----------
    dim : int
        d, the number of inputs, >= 1.
    width : int
        m, the number of hidden units, >= 1.

    Notes
    -----
    The outputs do not change if W is multiplied by an orthogonal matrix from the left.  The set of functions
    therefore has fewer dimensions than W has entries, see `degrees_of_freedom`.  In the limit of large d, m
    and n, the posterior of such a teacher is known (Maillard et al. 2024, arXiv 2408.03733), see
    ``errsrc.theory.quadratic_networks``.

    Examples
    --------
    >>> network = QuadraticNetwork(20, 10)
    >>> network.parameters, network.degrees_of_freedom
    (200, 155)
    """

    dim: int = integer(at_least=1)
    width: int = integer(at_least=1)

    @property
    def inputs(self) -> int:
        """Length of an input vector."""
        return self.dim

    @property
    def outputs(self) -> int:
        """Number of outputs, 1."""
        return 1

    @property
    def analytic(self) -> bool:
        """Whether the network is an analytic function of its weights; always True."""
        return True

    @property
    def degrees_of_freedom(self) -> int:
        """Dimension of the set of functions, and of the set of symmetric matrices of rank min(m, d)."""
        return _symmetric_dimension(self.dim, self.width)

    def separating_examples(self, other: Network | None = None) -> int:
        """Return a number of inputs that is enough to distinguish two different functions of the networks.

        The difference of two functions is a quadratic form of rank r <= m + m'.  Let k be the dimension of
        the set of forms of rank at most r.  At almost every set of k inputs, the only form of rank at most r
        that vanishes at all k inputs is 0.  See `Network.separating_examples`.
        """
        other = other or self
        if not isinstance(other, QuadraticNetwork) or other.dim != self.dim:
            return super().separating_examples(other)
        return _symmetric_dimension(self.dim, self.width + other.width)

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return a copy with `inputs` inputs; the number of outputs is always 1, see `Network.resized`."""
        return replace(self, dim=inputs)

    def of_size(self, size: int) -> Self:
        """Return the network with `size` hidden units, see `Network.of_size`."""
        return replace(self, width=size)

    @property
    def size(self) -> int:
        """m, the number of hidden units."""
        return self.width

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shape (m, d) of the only tensor."""
        return ((self.width, self.dim),)

    @checks.arguments(weight_std=STD, bias_std=STD)
    def prior_stds(self, weight_std: float, bias_std: float) -> tuple[float, ...]:
        """Return the standard deviation of W under a Gaussian prior: `weight_std` itself.

        There is no division by sqrt(fan-in), because the network already divides its output by sqrt(d).

        Parameters
        ----------
        weight_std : float
            Standard deviation of an entry of W, >= 0.
        bias_std : float
            Not used, because the network has no biases.
        """
        return (float(weight_std),)

    def initial_stds(self) -> tuple[float, ...]:
        """Return the standard deviation 1 of the initial weights."""
        return (1.0,)

    @property
    def _unit(self) -> float:
        """The number m sqrt(d), by which sums of squares are divided."""
        return self.width * math.sqrt(self.dim)

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return outputs (E, B, 1), see `Network`."""
        (w,) = weights
        values = (x @ w.mT).square().sum(-1) - w.square().sum((1, 2))[:, None]
        return (values / self._unit).unsqueeze(-1)

    @torch.no_grad()
    def gradients(self, weights: Weights, x: Tensor, output_loss: OutputLoss, out: Weights) -> Tensor:
        """Return the losses, and write their gradients to `out`; see `Network.gradients`."""
        (w,) = weights
        h = x @ w.mT
        values = (h.square().sum(-1) - w.square().sum((1, 2))[:, None]) / self._unit
        loss, gradient = output_loss(values.unsqueeze(-1))
        gradient = gradient * (2 / self._unit)
        torch.sub((gradient * h).mT @ x, gradient.sum(1, keepdim=True) * w, out=out[0])
        return loss

    @torch.no_grad()
    def jacobian(self, weights: Weights, x: Tensor) -> Tensor:
        """Return the derivatives (E, B, m d) of the outputs, see `Network.jacobian`."""
        (w,) = weights
        products = (x @ w.mT).unsqueeze(3) * x.unsqueeze(2)  # (E, B, m, d)
        return ((products - w.unsqueeze(1)) * (2 / self._unit)).flatten(2)


def quadratic_form(function: object) -> Tensor | None:
    """Return the matrix S of a function that is known to be a quadratic network, float64 (d, d).

    Parameters
    ----------
    function : object
        Any function.  If it has the attributes ``architecture``, a `QuadraticNetwork`, and ``weights`` of E
        networks, the function is the mean of these networks.

    Returns
    -------
    Tensor or None
        S, where f(x) = (x^T S x - tr S) / sqrt(d); None for other functions.
    """
    network, weights = getattr(function, "architecture", None), getattr(function, "weights", None)
    if not isinstance(network, QuadraticNetwork) or weights is None:
        return None
    w = weights[0].detach().double()
    return (w.mT @ w).mean(0) / network.width


def _symmetric_dimension(dim: int, rank: int) -> int:
    """Return the dimension of the set of symmetric matrices (dim, dim) of at most the given rank."""
    rank = min(rank, dim)
    return rank * dim - rank * (rank - 1) // 2
