"""Function-preserving embeddings: weights with which a larger network computes a smaller network's function.

The larger network may be wider or deeper.  All weights into and out of a new unit are zero.  A layer can be
added if the activation can pass values on unchanged.  Linear units can, and ReLU units can, because relu(z) =
z for z >= 0 and x = relu(x) - relu(-x).  An added layer passes on the inputs, the values of a hidden layer,
or the outputs of the smaller network.  Chen, Goodfellow and Shlens 2016 (arXiv 1511.05641) use copies of
units where this module uses zeros.  If an embedding exists, a student with the larger architecture can
express every teacher with the smaller architecture, and the realizability term is 0.  `same_function`
certifies an embedding.

The certificate is a proof by computation: all bits of the outputs are equal.  For this, both networks must
add in the same order, but a matrix product may add in a different order for a different shape.  Therefore
`same_function` computes each unit in float64 as follows.  It starts at the unit's bias and adds the
contributions of the inputs one after another, with one rounding for each product and each sum.  A new unit
then adds a zero, a value that is passed on is multiplied by 1, and one of relu(x), relu(-x) is 0.  These
operations are exact.  Therefore both networks round the same numbers in the same order.

`QuadraticNetwork` divides by its width, so that its embedding multiplies the weights by a number that is not
a power of 2.  Its outputs are equal in exact arithmetic; their bits agree up to a proven bound on the
rounding.
"""

from __future__ import annotations

import functools
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
from errsrc.nets.quadratic import QuadraticNetwork

_UNITS_TO_CARRY = {"relu": 2, "linear": 1}  # number of units that pass on a value of either sign


def embeds(small: Network, large: Network) -> bool:
    """Return whether `embed` can embed `small` in `large`, for all weights of `small`.

    False does not prove that `large` cannot express some function of `small`.

    Parameters
    ----------
    small : Network
        The architecture to embed.
    large : Network
        The architecture in which `small` is embedded.

    Examples
    --------
    >>> embeds(MLP((4, 8, 1)), MLP((4, 16, 8, 1))), embeds(MLP((4, 8, 1), "tanh"), MLP((4, 16, 8, 1), "tanh"))
    (True, False)
    """
    return type(small) is type(large) and _embeds(small, large)


def embed(small: Network, weights: Weights, large: Network) -> Weights:
    """Return weights with which `large` computes the same functions as `small` with `weights`.

    Parameters
    ----------
    small : Network
        An `MLP`, a `QuadraticNetwork` or a `CNN`.
    weights : tuple of tensors (E, ...)
        E sets of finite weights for `small`.
    large : Network
        A network of the same class, with the same inputs, outputs and activation.  A `CNN` must also have the
        same image size, image channels and number of blocks.

    Returns
    -------
    tuple of tensors (E, ...)
        E sets of weights for `large`, with the dtype and device of `weights`.

    Raises
    ------
    ValueError
        If ``embeds(small, large)`` is False.

    Examples
    --------
    >>> small, large = MLP((3, 4, 2)), MLP((3, 6, 5, 2))
    >>> weights = small.draw([1, 2])
    >>> same_function(small, weights, large, embed(small, weights, large), torch.randn(10, 3)).tolist()
    [True, True]
    """
    if not embeds(small, large):
        accepted = "a network at least as wide as 'small', deeper only by layers that can carry values"
        raise ValueError(checks.refusal("large", "embed", accepted, large))
    deepened = _deepened(small, weights, large)
    return tuple(_zero_padded(w, shape) for w, shape in zip(deepened, large.shapes(), strict=True))


def same_function(small: Network, weights: Weights, large: Network, embedded: Weights, x: Tensor) -> Tensor:
    """Return for each set of weights whether the outputs of both networks are equal in all bits, bool (E,).

    For a `QuadraticNetwork` the outputs may differ by a proven bound on their rounding errors, see
    `embeds_exactly`.  The result certifies an embedding.  The bits are equal only if sums are computed in a
    fixed order.  The documentation of the module describes this order.  The cost is about P x N elementary
    operations for each set of weights, where P is the number of parameters.  Except for a `QuadraticNetwork`,
    the function does not use matrix products.

    Parameters
    ----------
    small : Network
        An `MLP`, a `QuadraticNetwork` or a `CNN`.
    weights : tuple of tensors (E, ...)
        E sets of weights for `small`.
    large : Network
        A network of the same class, wider or deeper.
    embedded : tuple of tensors (E, ...)
        E sets of weights for `large`, as `embed` returns them.
    x : tensor (N, inputs)
        Inputs of both networks, float32 or float64.

    Raises
    ------
    TypeError
        If a network is neither an MLP, a QuadraticNetwork nor a CNN.
    """
    first, second = _ordered_outputs(small, weights, x), _ordered_outputs(large, embedded, x)
    if embeds_exactly(small):
        return (first == second).all(2).all(0)
    return ((first - second).abs() <= _largest_rounding(small, weights, large, x)).all(2).all(0)


def embeds_exactly(network: Network) -> bool:
    """Return whether embedding a network keeps its outputs equal in all bits.

    If False, the outputs are equal in exact arithmetic, and differ by rounding errors.

    Parameters
    ----------
    network : Network
        The network that is embedded.
    """
    return not isinstance(network, QuadraticNetwork)


def _largest_rounding(small: Network, weights: Weights, large: Network, x: Tensor) -> Tensor:
    """Return a bound on the difference of the outputs of a `QuadraticNetwork` and its embedding, (E, N).

    The sum |W x|^2 + |W|^2 is at most |W|^2 (|x|^2 + 1), and each of its terms passes fewer than `steps`
    roundings in each of the two networks.
    """
    norms = weights[0].double().square().sum((1, 2)) / (small.size * math.sqrt(small.inputs))
    steps = 4 * (small.inputs + math.prod(large.shapes()[0]))
    return steps * torch.finfo(torch.float64).eps * norms[:, None] * (x.double().square().sum(1) + 1)


@functools.singledispatch
def _embeds(small: Network, large: Network) -> bool:
    """Return whether `small` embeds in a network of its own class."""
    return False


@_embeds.register
def _(small: CNN, large: CNN) -> bool:
    return replace(small, width=large.width) == large and small.width <= large.width


@_embeds.register
def _(small: QuadraticNetwork, large: QuadraticNetwork) -> bool:
    return small.dim == large.dim and small.width <= large.width


@_embeds.register
def _(small: MLP, large: MLP) -> bool:
    return _stages(small, large) is not None


def _stages(small: MLP, large: MLP) -> tuple[int, ...] | None:
    """Return the stage of `small` that each hidden layer of `large` holds, or None if it cannot hold all.

    Stage 0 is the inputs, then come the hidden layers, then the outputs.
    """
    hidden, last = small.sizes[1:-1], len(small.sizes) - 1
    if (small.sizes[0], small.sizes[-1]) != (large.sizes[0], large.sizes[-1]):
        return None
    if hidden and small.activation != large.activation:
        return None
    units = _UNITS_TO_CARRY.get(large.activation, 0)
    sequences: dict[int, tuple[int, ...]] = {0: ()}  # by the stage that is held last
    for width in large.sizes[1:-1]:
        longer = {}
        for stage, sequence in sequences.items():
            for held in (stage, stage + 1):
                if held > last or (held in (0, stage, last) and not units):
                    continue
                # a hidden layer's values are activations already, so one unit carries each
                if small.sizes[held] * (units if held in (0, last) else 1) <= width:
                    longer[held] = (*sequence, held)
        sequences = longer
    return sequences.get(last - 1, sequences.get(last))


@functools.singledispatch
def _deepened(small: Network, weights: Weights, large: Network) -> Weights:
    """Return weights of as many layers as `large` has, each no wider than it needs to be."""
    return weights


@_deepened.register
def _(small: QuadraticNetwork, weights: Weights, large: QuadraticNetwork) -> Weights:
    return (weights[0] * math.sqrt(large.width / small.width),)


@_deepened.register
def _(small: MLP, weights: Weights, large: MLP) -> Weights:
    stages, last = _stages(small, large) or (), len(small.sizes) - 1
    result: list[Tensor] = []
    before, paired = 0, False  # the stage that the layer reads, and whether as pairs relu(x), relu(-x)
    for place, stage in enumerate((*stages, last)):
        if stage == before:
            bias = weights[0].new_zeros(len(weights[0]), small.sizes[stage])
            matrix = torch.diag_embed(torch.ones_like(bias))
        else:
            matrix, bias = weights[2 * before], weights[2 * before + 1]
        if paired:
            matrix = torch.stack([matrix, -matrix], 3).flatten(2)
        paired = _UNITS_TO_CARRY.get(large.activation) == 2 and stage in (0, last) and place < len(stages)
        if paired:
            matrix = torch.stack([matrix, -matrix], 2).flatten(1, 2)
            bias = torch.stack([bias, -bias], 2).flatten(1)
        result += [matrix, bias]
        before = stage
    return tuple(result)


def _zero_padded(w: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return `w` (E, ...) with zeros after its entries, (E, *shape)."""
    result = w.new_zeros(len(w), *shape)
    result[(slice(None), *(slice(size) for size in w.shape[1:]))] = w
    return result


@functools.singledispatch
def _ordered_outputs(network: Network, weights: Weights, x: Tensor) -> Tensor:
    """Return outputs (outputs, E, N) in float64; the order of each sum does not depend on the widths."""
    raise TypeError(checks.refusal("small", "same_function", "an MLP, a QuadraticNetwork or a CNN", network))


@_ordered_outputs.register
@torch.no_grad()
def _(network: MLP, weights: Weights, x: Tensor) -> Tensor:
    weights, h = _by_unit(weights, x)
    for layer in range(0, len(weights), 2):
        h = _ordered_sums(weights[layer], weights[layer + 1], h)
        if layer < len(weights) - 2:
            h = _activated(network.activation, h)
    return h


@_ordered_outputs.register
@torch.no_grad()
def _(network: QuadraticNetwork, weights: Weights, x: Tensor) -> Tensor:
    return network(tuple(w.double() for w in weights), x.double()).movedim(2, 0)


@_ordered_outputs.register
@torch.no_grad()
def _(network: CNN, weights: Weights, x: Tensor) -> Tensor:
    weights, h = _by_unit(weights, x)
    side = network.side
    h = h.unflatten(0, (network.channels, side**2))
    for layer in range(0, len(weights) - 2, 2):  # h is (channels, pixels, E, N)
        images, stride = h.movedim(1, 3).reshape(-1, 1, side, side), 2 if layer < 4 else 1
        patches = functional.unfold(images, 3, padding=1, stride=stride)
        patches = patches.unflatten(0, (len(h), *h.shape[2:]))
        terms = patches.movedim(3, 1).movedim(4, 2).flatten(0, 1)  # (channels x 9, pixels, E, N)
        h = _activated(network.activation, _ordered_sums(weights[layer], weights[layer + 1], terms))
        side = math.isqrt(h.shape[1])
    return _ordered_sums(weights[-2], weights[-1], h.flatten(0, 1))


def _by_unit(weights: Weights, x: Tensor) -> tuple[Weights, Tensor]:
    """Return float64 weights, and float64 inputs (N, inputs) as (inputs, E, N)."""
    weights = tuple(w.double() for w in weights)
    return weights, x.double().T[:, None].expand(-1, len(weights[0]), -1)


def _activated(activation: str, h: Tensor) -> Tensor:
    """Return activations of h (units, ...), one unit at a time: the same code for all widths."""
    return torch.stack([ACTIVATIONS[activation](unit.contiguous()) for unit in h])


def _ordered_sums(matrix: Tensor, bias: Tensor, terms: Tensor) -> Tensor:
    """Return bias + matrix terms, (out, ..., E, N), for terms (in, ..., E, N), added one after another."""
    shape = (-1, *[1] * (terms.dim() - 3), len(matrix), 1)
    total = bias.T.reshape(shape).expand(-1, *terms.shape[1:]).clone()
    for column, term in zip(matrix.unbind(2), terms, strict=True):
        total += column.T.reshape(shape) * term
    return total
