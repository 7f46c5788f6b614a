"""Networks that predict the next token: a neural n-gram model, a decoder-only transformer and an LSTM.

Inputs are windows of token numbers, stored in the dtype of the weights.  This is exact, because float32
represents all integers below 2^24.  Outputs are logits of the next token.

Learning rates transfer from one width to another by the maximal update parametrisation (Yang et al. 2022,
arXiv 2203.03466, table 8).  A matrix whose fan-in grows with the width is multiplied by 64 / fan-in when it
is applied, and its initial weights are larger by the inverse factor.  Under Adam, the effective learning rate
of such a matrix then falls as 1 / width, and the effective learning rates of all other tensors stay the same.
Therefore the recipe has a single learning rate.  The last layer's initial weights are zero.  Therefore all
initial logits are 0.
"""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from errsrc import checks
from errsrc.fields import integer
from errsrc.nets.layers import affine
from errsrc.nets.network import Network, Weights

BASE_WIDTH = 64
"""The fan-in for which the multiplier of a matrix is 1."""


@dataclass(frozen=True)
class LanguageModel(Network, abc.ABC):
    """Base of networks that predict tokens.

    Attributes
    ----------
    context
        Number of tokens in a window, >= 1.
    width
        Number of units in a layer, >= 1.
    depth
        Number of layers, >= 1.
    vocabulary
        Number of different tokens, from 2 to 2^24.
    """

    context: int = integer(at_least=1)
    width: int = integer(at_least=1)
    depth: int = integer(1, at_least=1)
    vocabulary: int = integer(256, at_least=2, at_most=2**24)

    @property
    def inputs(self) -> int:
        """Number of tokens in a window."""
        return self.context

    @property
    def non_embedding(self) -> int:
        """Number of trained parameters of the network without the table of token embeddings."""
        return self.parameters - math.prod(self.shapes()[0])

    def applications(self) -> tuple[int, ...]:
        """Return how often each weight tensor is applied to one window.

        A tensor is applied once for each prediction of the window.  The embeddings count as 0, because a
        look-up multiplies nothing.
        """
        return (0, *[math.prod(self.positions)] * (len(self.shapes()) - 1))

    def multipliers(self) -> tuple[float, ...]:
        """Return the factor by which each tensor is multiplied when it is applied.

        The factor is 64 / fan-in for matrices, and 1 for embeddings and vectors.
        """
        rest = self.shapes()[1:]
        return (1.0, *(1.0 if len(shape) == 1 else BASE_WIDTH / shape[1] for shape in rest))

    def initial_stds(self) -> tuple[float, ...]:
        """Return standard deviations of the initial weights.

        A matrix times its factor from `multipliers` has entries of standard deviation 1 / sqrt(fan-in).
        Embeddings have the standard deviation 1.  The last matrix and all vectors are initially 0.
        """
        stds = [
            0.0 if len(shape) == 1 else 1 / (multiplier * math.sqrt(shape[1]))
            for shape, multiplier in zip(self.shapes(), self.multipliers(), strict=True)
        ]
        last = max(i for i, std in enumerate(stds) if std)
        return tuple(1.0 if i == 0 else 0.0 if i == last else std for i, std in enumerate(stds))

    def _multiplied(self, weights: Weights) -> Weights:
        """Return the weights times their multipliers."""
        pairs = zip(weights, self.multipliers(), strict=True)
        return tuple(w if multiplier == 1 else w * multiplier for w, multiplier in pairs)


@dataclass(frozen=True)
class NeuralNgram(LanguageModel):
    """A multilayer perceptron on the embeddings of the last ``context`` tokens (Bengio et al. 2003).

    Attributes
    ----------
    embedding
        Length of a token's embedding, >= 1.  This length does not grow with the width.

    Examples
    --------
    >>> network = NeuralNgram(context=8, width=64)
    >>> network.parameters, network.non_embedding, network.positions
    (28992, 24896, ())
    """

    embedding: int = integer(16, at_least=1)

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shape of the embeddings, then the shapes (out, in) and (out,) of each layer."""
        sizes = (self.context * self.embedding, *[self.width] * self.depth, self.vocabulary)
        pairs = zip(sizes[1:], sizes[:-1], strict=True)
        return ((self.vocabulary, self.embedding), *(s for pair in pairs for s in (pair, pair[:1])))

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return logits (E, B, vocabulary) of the token after each window."""
        weights = self._multiplied(weights)
        h = _embed(weights[0], x).flatten(2)
        for layer in range(1, len(weights) - 2, 2):
            h = torch.relu(affine(weights[layer], weights[layer + 1], h))
        return affine(weights[-2], weights[-1], h)

    def multipliers(self) -> tuple[float, ...]:
        """Return the factor by which each tensor is multiplied when it is applied.

        The factor is 1 for the first layer's matrix, for embeddings and for vectors.  The factor is 64 /
        fan-in for all other matrices, as in the other language models.  The first layer is different because
        its fan-in, context times embedding, does not grow with the width.
        """
        return (1.0, 1.0, *super().multipliers()[2:])


@dataclass(frozen=True)
class Transformer(LanguageModel):
    """A decoder-only transformer (Vaswani et al. 2017, arXiv 1706.03762).

    The network has RMS norms before each branch and at the end (Zhang and Sennrich 2019, arXiv 1910.07467).
    It has rotary position embeddings (Su et al. 2021, arXiv 2104.09864) and GELU layers of 4 ``width`` units.
    It has no biases.  Each branch is multiplied by 1 / sqrt(2 depth).

    Attributes
    ----------
    heads
        Number of attention heads, >= 1; width / heads must be an even integer.

    Examples
    --------
    >>> network = Transformer(context=128, width=64, depth=2, heads=4)
    >>> network.parameters, network.non_embedding, network.positions
    (131392, 115008, (128,))
    >>> Transformer(context=128, width=64, heads=3)
    Traceback (most recent call last):
        ...
    ValueError: The 'heads' parameter of Transformer must be an integer such that the width 64 divided by it
    is even. Got 3 instead.
    """

    heads: int = integer(4, at_least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % (2 * self.heads):
            accepted = f"an integer such that the width {self.width} divided by it is even"
            raise ValueError(checks.refusal("heads", "Transformer", accepted, self.heads))

    @property
    def positions(self) -> tuple[int, ...]:
        """Shape (context,), because the network makes one prediction after each token of the window."""
        return (self.context,)

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of all weight tensors, in the following order.

        First come the embeddings.  Each layer has a gain, the matrix of queries, keys and values, a
        projection, a second gain, and the two matrices of the GELU layer.  The last two tensors are a gain
        and the matrix of the logits.
        """
        w = self.width
        block = ((w,), (3 * w, w), (w, w), (w,), (4 * w, w), (w, 4 * w))
        return ((self.vocabulary, w), *block * self.depth, (w,), (self.vocabulary, w))

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return logits (E, B, context, vocabulary) of the next token after each position of the window.

        The logits at a position depend on the tokens up to this position only.
        """
        weights = self._multiplied(weights)
        h = _embed(weights[0], x)
        members, batch, context, width = h.shape
        rotation = _rotation(context, width // self.heads, h.device, h.dtype)
        scale = (2 * self.depth) ** -0.5
        for layer in range(1, len(weights) - 2, 6):
            gain, qkv, projection, gain_up, up, down = weights[layer : layer + 6]
            parts = _linear(qkv, _rms_norm(h, gain)).view(members * batch, context, 3, self.heads, -1)
            q, k, v = parts.permute(2, 0, 3, 1, 4)  # (E B, heads, context, width / heads)
            attended = functional.scaled_dot_product_attention(
                _rotated(q, rotation), _rotated(k, rotation), v, is_causal=True
            )
            h = h + scale * _linear(projection, attended.transpose(1, 2).reshape(h.shape))
            h = h + scale * _linear(down, functional.gelu(_linear(up, _rms_norm(h, gain_up))))
        return _linear(weights[-1], _rms_norm(h, weights[-2]))


@dataclass(frozen=True)
class LSTM(LanguageModel):
    """Stacked LSTM layers (Hochreiter and Schmidhuber 1997), with 1 added to the forget gates' biases.

    Examples
    --------
    >>> network = LSTM(context=128, width=64)
    >>> network.parameters, network.non_embedding, network.positions
    (65792, 49408, (128,))
    """

    @property
    def positions(self) -> tuple[int, ...]:
        """Shape (context,), because the network makes one prediction after each token of the window."""
        return (self.context,)

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of all weight tensors, in the following order.

        First come the embeddings, then the input weights, recurrent weights and biases of each layer, then
        the matrix of the logits.
        """
        w = self.width
        layer = ((4 * w, w), (4 * w, w), (4 * w,))
        return ((self.vocabulary, w), *layer * self.depth, (self.vocabulary, w))

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return logits (E, B, context, vocabulary) of the next token after each position of the window.

        The logits at a position depend on the tokens up to this position only.
        """
        weights = self._multiplied(weights)
        h = _embed(weights[0], x)
        forget_bias = h.new_zeros(4 * self.width)
        forget_bias[self.width : 2 * self.width] = 1.0  # torch's order of gates: input, forget, cell, output
        zero = h.new_zeros(self.depth, h.shape[1], self.width)
        hidden = []
        for member, tokens in enumerate(h):
            flat = []
            for layer in range(0, 3 * self.depth, 3):
                matrix, recurrent, bias = (w[member] for w in weights[layer + 1 : layer + 4])
                flat += [matrix, recurrent, bias, forget_bias]
            with torch.autocast("cpu", enabled=False):  # few CPUs have an LSTM of bfloat16
                own = torch.lstm(tokens, (zero, zero), flat, True, self.depth, 0.0, False, False, True)[0]
            hidden.append(own)
        return _linear(weights[-1], torch.stack(hidden))


def _embed(table: Tensor, x: Tensor) -> Tensor:
    """Return the embeddings (E, B, T, width) of tokens (E, B, T), or (B, T) for all members."""
    members, vocabulary, width = table.shape
    offsets = torch.arange(members, device=table.device).view(-1, 1, 1) * vocabulary
    return functional.embedding(x.long() + offsets, table.reshape(-1, width))


def _linear(matrix: Tensor, h: Tensor) -> Tensor:
    """Return h matrix^T, (E, B, T, out), for h (E, B, T, in)."""
    return torch.bmm(h.flatten(1, 2), matrix.mT).unflatten(1, h.shape[1:3])


def _rms_norm(h: Tensor, gain: Tensor) -> Tensor:
    """Return h (E, B, T, width) divided by its root mean square, times 1 + gain (E, width)."""
    return functional.rms_norm(h, h.shape[-1:], eps=1e-6) * (1 + gain[:, None, None])


def _rotation(context: int, size: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return cosines and sines (context, size / 2) of the angles by which each position rotates pairs."""
    rates = 10_000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64, device=device) / size)
    angles = torch.arange(context, dtype=torch.float64, device=device)[:, None] * rates
    return angles.cos().to(dtype), angles.sin().to(dtype)


def _rotated(h: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Return h (..., context, size) with the pairs (i, i + size / 2) of its entries rotated."""
    cos, sin = rotation
    a, b = h.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
