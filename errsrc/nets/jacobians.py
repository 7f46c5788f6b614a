"""Derivatives of a network's outputs with respect to its parameters, and the rank of these derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from errsrc import checks
from errsrc.nets.network import Network, Weights


def jacobian(network: Network, weights: Weights, x: Tensor) -> Tensor:
    """Return the derivatives of all outputs with respect to all parameters, for E sets of weights.

    Parameters
    ----------
    network : Network
        The architecture.
    weights : tuple of tensors (E, ...)
        E sets of weights (members).
    x : tensor
        Inputs (N, inputs) for all sets of weights, or (E, N, inputs).

    Returns
    -------
    tensor (E, N * outputs, P), float64
        Derivatives, with the parameters in the order of `Network.flatten`.

    Notes
    -----
    Cost: one backward pass for each output.  For an `MLP` the pass is written by hand.  For other networks,
    the pass computes each pair of an input and a set of weights separately.  Memory: E x N x outputs x P
    numbers.

    Examples
    --------
    >>> from errsrc.nets import MLP
    >>> network = MLP((2, 1))
    >>> jacobian(network, network.draw([0]), torch.tensor([[3.0, 4.0]])).tolist()
    [[[3.0, 4.0, 1.0]]]
    """
    weights = tuple(w.detach().double() for w in weights)
    return network.jacobian(weights, x.double().expand(len(weights[0]), *x.shape[-2:]))


@dataclass(frozen=True, eq=False)
class IdentifiableDimension:
    """Numerical ranks of the Jacobians of E sets of weights, see `identifiable_dimension`.

    Attributes
    ----------
    dimension
        The rank, int64 (E,).
    condition
        The largest singular value divided by the smallest one that counts towards the rank, float64 (E,).
    margin
        The smallest singular value that counts towards the rank, divided by the largest one that does not
        count, float64 (E,).  The margin is inf if all singular values count.  If the margin is near 1, the
        rank is not reliable.
    """

    dimension: Tensor
    condition: Tensor
    margin: Tensor


def identifiable_dimension(
    network: Network, weights: Weights, x: Tensor, free: Tensor | None = None
) -> IdentifiableDimension:
    """Return the ranks of the Jacobians of E sets of weights on inputs x.

    The functions that the network can express form a set.  If x has many inputs, the rank is the dimension of
    this set near the function with the given weights.  The dimension is the number of independent directions
    in which a small change of the weights changes the function.

    Parameters
    ----------
    network : Network
        The architecture.
    weights : tuple of tensors (E, ...)
        E sets of weights (members).
    x : tensor
        Inputs (N, inputs) for all sets of weights, or (E, N, inputs).
    free : bool tensor (P,), optional
        True for each parameter that may vary, in the order of `Network.flatten`.  By default, all parameters
        may vary.

    Raises
    ------
    ValueError
        If `free` has another shape or dtype.

    Notes
    -----
    A singular value counts towards the rank if it is above max(rows, P) x machine epsilon x the largest one.
    Cost: a `jacobian` and its singular value decomposition.

    Examples
    --------
    In a linear network with one hidden unit, only the product of the unit's input weight and output weight
    matters.  Therefore these 2 parameters give 1 dimension.

    >>> from errsrc.nets import MLP
    >>> network, x = MLP((1, 1, 1), "linear"), torch.randn(10, 1)
    >>> free = torch.tensor([True, False, True, False])
    >>> identifiable_dimension(network, network.draw([0, 1]), x, free).dimension.tolist()
    [1, 1]
    """
    j = jacobian(network, weights, x)
    if free is not None:
        if free.dtype != torch.bool or free.shape != j.shape[2:]:
            accepted = f"bool ({j.shape[2]},), one for each parameter"
            got = f"<{tuple(free.shape)} of {free.dtype}>"
            raise ValueError(checks.refusal("free", "identifiable_dimension", accepted, got))
        j = j[:, :, free]
    values = torch.linalg.svdvals(j)
    threshold = max(j.shape[1:]) * torch.finfo(j.dtype).eps * values[:, :1]
    rank = (values > threshold).sum(1)
    padded = torch.cat([values, values.new_zeros(len(values), 1)], 1)
    smallest = padded.gather(1, (rank - 1).clamp(min=0)[:, None])[:, 0]
    next_value = padded.gather(1, rank[:, None])[:, 0]
    return IdentifiableDimension(rank, values[:, 0] / smallest, smallest / next_value)
