"""How a network's outputs depend on its parameters, and how many of these its function tells apart."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from errsrc import checks
from errsrc.nets.mlp import MLP
from errsrc.nets.network import Network, Weights


def jacobian(network: Network, weights: Weights, x: Tensor) -> Tensor:
    """Return the derivatives of outputs by parameters, float64 (E, N * outputs, P).

    Parameters
    ----------
    network, weights
        E members; parameters are in the order of `Network.flatten`.
    x
        Inputs (N, inputs) for all members, or (E, N, inputs).

    Notes
    -----
    Cost: outputs backward passes, by hand for an `MLP`, else of E x N members on an input each;
    E x N x outputs x P numbers.

    Examples
    --------
    >>> from errsrc.nets import MLP
    >>> network = MLP((2, 1))
    >>> jacobian(network, network.draw([0]), torch.tensor([[3.0, 4.0]])).tolist()
    [[[3.0, 4.0, 1.0]]]
    """
    flat = network.flatten(tuple(w.detach().double() for w in weights))
    x = x.double().expand(len(flat), *x.shape[-2:])
    if isinstance(network, MLP):
        return network.jacobian(network.unflatten(flat), x)
    count = x.shape[1]
    with torch.enable_grad():  # a member of its own for each input: one backward pass serves all
        leaves = flat.repeat_interleave(count, 0).requires_grad_()
        sums = network(network.unflatten(leaves), x.reshape(-1, 1, x.shape[2])).sum((0, 1))
        rows = [torch.autograd.grad(one, leaves, retain_graph=True)[0] for one in sums]
    return torch.stack(rows, 1).view(len(flat), count * network.outputs, -1)


@dataclass(frozen=True, eq=False)
class Identifiable:
    """How many directions of parameters move a function, see `identifiable_dimension`.

    Attributes
    ----------
    dimension
        Numerical rank of each member's Jacobian, int64 (E,).
    condition
        Its largest singular value over the smallest that counts, float64 (E,).
    margin
        The smallest that counts over the largest that does not, (E,); inf where all count.  Near 1 the
        rank is not to be relied on.
    """

    dimension: Tensor
    condition: Tensor
    margin: Tensor


def identifiable_dimension(
    network: Network, weights: Weights, x: Tensor, free: Tensor | None = None
) -> Identifiable:
    """Return the rank of each member's Jacobian on inputs x: on many, the dimension of its functions.

    Parameters
    ----------
    network, weights, x
        See `jacobian`.
    free
        bool (P,): the parameters that may vary; all without it.

    Raises
    ------
    ValueError
        For another shape or type of `free`.

    Notes
    -----
    Singular values above max(rows, P) x machine epsilon x the largest count.  Cost: that of `jacobian`,
    and a singular value decomposition.

    Examples
    --------
    A unit's gain and the weight behind it can be exchanged in a linear network: 2 parameters, 1 dimension.

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
    least = max(j.shape[1:]) * torch.finfo(j.dtype).eps * values[:, :1]
    counts = (values > least).sum(1)
    padded = torch.cat([values, values.new_zeros(len(values), 1)], 1)
    smallest = padded.gather(1, (counts - 1).clamp(min=0)[:, None])[:, 0]
    return Identifiable(counts, values[:, 0] / smallest, smallest / padded.gather(1, counts[:, None])[:, 0])
