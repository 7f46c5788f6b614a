"""Function-preserving widening and deepening: a network's weights as those of a larger one.

New units get zero weights, in and out.  Where the activation passes values on
unchanged (ReLU: what is not negative, and x = relu(x) - relu(-x); linear), a layer
too many carries a value of the smaller network on: a hidden layer, the inputs or
the outputs (Chen, Goodfellow and Shlens 2016, with zeros in place of copies).
So a student of the larger class can express every teacher of the smaller one: its
realizability term is 0, and `same_function` is the certificate.

The certificate is equality bit by bit, which needs sums that do not depend on the
width: a matrix product may add in another order for another shape.  There each
unit starts at its bias and adds its inputs one after another in float64, a rounded
product and a rounded sum each.  A new unit then adds a zero, a carried value is
multiplied by 1, and of a pair relu(x), relu(-x) one is 0: all exact, so that both
networks round the same numbers in the same order.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from errsrc import checks
from errsrc.nets.cnn import CNN
from errsrc.nets.layers import ACTIVATIONS
from errsrc.nets.mlp import MLP
from errsrc.nets.network import Network, Weights

_CARRIERS = {"relu": 2, "linear": 1}  # units that pass a number of either sign on unchanged


def embeds(small: Network, large: Network) -> bool:
    """Return whether `embed` finds every function of ``small`` in ``large``.

    False is no proof that it is not there.

    Examples
    --------
    >>> embeds(MLP((4, 8, 1)), MLP((4, 16, 8, 1))), embeds(MLP((4, 8, 1), "tanh"), MLP((4, 16, 8, 1), "tanh"))
    (True, False)
    """
    if isinstance(small, CNN) and isinstance(large, CNN):
        alike = replace(small, width=large.width) == large
        return alike and small.width <= large.width
    if isinstance(small, MLP) and isinstance(large, MLP):
        return _stages(small, large) is not None
    return False


def embed(small: Network, weights: Weights, large: Network) -> Weights:
    """Return weights of ``large`` with which it computes what ``small`` does with ``weights``.

    Parameters
    ----------
    small, large
        Two MLPs of the same inputs and outputs, or two CNNs of the same images, classes
        and activation.
    weights
        Of E members of ``small``, finite.

    Returns
    -------
    weights
        Of E members of ``large``; dtype and device as given.

    Raises
    ------
    ValueError
        Where `embeds` says False.

    Examples
    --------
    >>> small, large = MLP((3, 4, 2)), MLP((3, 6, 5, 2))
    >>> weights = small.draw([1, 2])
    >>> same_function(small, weights, large, embed(small, weights, large), torch.randn(10, 3)).tolist()
    [True, True]
    """
    if not embeds(small, large):
        accepted = "a network as wide as 'small', deeper only by layers that can carry values on"
        raise ValueError(checks.refusal("large", "embed", accepted, large))
    if isinstance(small, MLP) and isinstance(large, MLP):
        weights = _deepened(small, weights, large)
    return tuple(_padded(w, shape) for w, shape in zip(weights, large.shapes(), strict=True))


def same_function(small: Network, weights: Weights, large: Network, embedded: Weights, x: Tensor) -> Tensor:
    """Return for each member whether both networks' outputs on x (N, inputs) are equal bit by bit, bool (E,).

    The certificate of an embedding: see the head of this page for the order of the sums.  Cost:
    about parameters x N elementary operations a member, without matrix products.

    Parameters
    ----------
    small, weights
        A network, and its weights, of E members.
    large, embedded
        Another, and what `embed` made of them.
    x
        Inputs of either, float64 or float32 (N, inputs).
    """
    first, second = _in_order(small, weights, x), _in_order(large, embedded, x)
    return (first == second).all(2).all(0)


def _stages(small: MLP, large: MLP) -> tuple[int, ...] | None:
    """Return the stage of ``small`` that each hidden layer of ``large`` holds, None where there is no way.

    Stage 0 are the inputs, then come the hidden layers, then the outputs.
    """
    hidden, last = small.sizes[1:-1], len(small.sizes) - 1
    if (small.sizes[0], small.sizes[-1]) != (large.sizes[0], large.sizes[-1]):
        return None
    if hidden and small.activation != large.activation:
        return None
    carriers = _CARRIERS.get(large.activation, 0)
    ways: dict[int, tuple[int, ...]] = {0: ()}
    for width in large.sizes[1:-1]:
        longer = {}
        for stage, way in ways.items():
            for held in (stage, stage + 1):
                if held > last or (held in (0, stage, last) and not carriers):
                    continue
                # a hidden layer's values have passed the activation, so that one unit carries them
                if small.sizes[held] * (carriers if held in (0, last) else 1) <= width:
                    longer[held] = (*way, held)
        ways = longer
    return ways.get(last - 1, ways.get(last))


def _deepened(small: MLP, weights: Weights, large: MLP) -> Weights:
    """Return weights of as many layers as ``large`` has, each no wider than it needs."""
    stages, last = _stages(small, large) or (), len(small.sizes) - 1
    result: list[Tensor] = []
    before, paired = 0, False  # what the layer reads, and whether as pairs relu(x), relu(-x)
    for place, stage in enumerate((*stages, last)):
        if stage == before:
            bias = weights[0].new_zeros(len(weights[0]), small.sizes[stage])
            matrix = torch.diag_embed(torch.ones_like(bias))
        else:
            matrix, bias = weights[2 * before], weights[2 * before + 1]
        if paired:
            matrix = torch.stack([matrix, -matrix], 3).flatten(2)
        paired = _CARRIERS.get(large.activation) == 2 and stage in (0, last) and place < len(stages)
        if paired:
            matrix = torch.stack([matrix, -matrix], 2).flatten(1, 2)
            bias = torch.stack([bias, -bias], 2).flatten(1)
        result += [matrix, bias]
        before = stage
    return tuple(result)


def _padded(w: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return ``w`` (E, ...) with zeros after its entries, (E, *shape)."""
    result = w.new_zeros(len(w), *shape)
    result[(slice(None), *(slice(size) for size in w.shape[1:]))] = w
    return result


@torch.no_grad()
def _in_order(network: Network, weights: Weights, x: Tensor) -> Tensor:
    """Return outputs (outputs, E, N) in float64, each sum in the order of its terms, whatever the widths."""
    weights = tuple(w.double() for w in weights)
    h = x.double().T[:, None].expand(-1, len(weights[0]), -1)  # unit by unit: (inputs, E, N)
    if isinstance(network, CNN):
        side = network.side
        h = h.unflatten(0, (network.channels, side**2))
        for layer in range(0, len(weights) - 2, 2):  # h is (channels, places, E, N)
            images, stride = h.movedim(1, 3).reshape(-1, 1, side, side), 2 if layer < 4 else 1
            patches = functional.unfold(images, 3, padding=1, stride=stride)
            patches = patches.unflatten(0, (len(h), *h.shape[2:]))
            terms = patches.movedim(3, 1).movedim(4, 2).flatten(0, 1)  # (channels x 9, places, E, N)
            h = _sums(weights[layer], weights[layer + 1], terms)
            h = torch.stack([ACTIVATIONS[network.activation](unit.contiguous()) for unit in h])
            side = math.isqrt(h.shape[1])
        return _sums(weights[-2], weights[-1], h.flatten(0, 1))
    if not isinstance(network, MLP):
        raise TypeError(checks.refusal("small", "same_function", "an MLP or a CNN", network))
    for layer in range(0, len(weights), 2):
        h = _sums(weights[layer], weights[layer + 1], h)
        if layer < len(weights) - 2:  # a unit at a time: the same code on as many numbers in a row
            h = torch.stack([ACTIVATIONS[network.activation](unit.contiguous()) for unit in h])
    return h


def _sums(matrix: Tensor, bias: Tensor, terms: Tensor) -> Tensor:
    """Return bias + matrix terms, (out, ..., E, N), for terms (in, ..., E, N), added one after another."""
    shape = (-1, *[1] * (terms.dim() - 3), len(matrix), 1)
    total = bias.T.reshape(shape).expand(-1, *terms.shape[1:]).clone()
    for column, term in zip(matrix.unbind(2), terms, strict=True):
        total += column.T.reshape(shape) * term
    return total
