"""Networks that predict the next token: a neural n-gram, a decoder-only transformer, an LSTM.

Inputs are windows of token numbers, in the dtype of training (a token number below 2^24 is exact in
float32); outputs are logits of the token that follows.

Learning rates transfer over width: a matrix whose fan-in grows with the width is applied as
W (64 / fan-in), with first entries such that the product starts as in a network without the factor.
Under Adam its effective rate then falls as 1 / width, and that of the rest stays (maximal update
parametrisation; Yang et al. 2022, arXiv 2203.03466, table 8), while the recipe's rate is one number.
Logits start at 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from errsrc import checks
from errsrc.nets.layers import affine
from errsrc.nets.network import Network, Weights

BASE_WIDTH = 64
"""The width at which the factor of a matrix is 1."""


@dataclass(frozen=True)
class LanguageModel(Network):
    """What networks of tokens share.

    Attributes
    ----------
    context
        Tokens of a window.
    width, depth
        Units of a layer; layers.
    vocabulary
        Number of tokens.
    """

    context: int
    width: int
    depth: int = 1
    vocabulary: int = 256

    def __post_init__(self) -> None:
        for name in ("context", "width", "depth"):
            checks.integer(getattr(self, name), name, type(self).__name__, 1)
        checks.integer(self.vocabulary, "vocabulary", type(self).__name__, 2, 2**24)

    @property
    def inputs(self) -> int:
        """Tokens of a window."""
        return self.context

    @property
    def non_embedding(self) -> int:
        """Number of trained parameters of one member without the table of token embeddings."""
        return self.parameters - math.prod(self.shapes()[0])

    def places(self) -> tuple[int, ...]:
        """Return how many tokens of a window each tensor is multiplied with; embeddings with none."""
        return (0, *[math.prod(self.positions)] * (len(self.shapes()) - 1))

    def factors(self) -> tuple[float, ...]:
        """Return what each tensor is multiplied by where it is applied: 64 / fan-in for matrices."""
        rest = self.shapes()[1:]
        return (1.0, *(1.0 if len(shape) == 1 else BASE_WIDTH / shape[1] for shape in rest))

    def start(self) -> tuple[float, ...]:
        """Return standard deviations: 1 / sqrt(fan-in) as applied, embeddings 1, logits and vectors 0."""
        stds = [
            0.0 if len(shape) == 1 else 1 / (factor * math.sqrt(shape[1]))
            for shape, factor in zip(self.shapes(), self.factors(), strict=True)
        ]
        last = max(i for i, std in enumerate(stds) if std)
        return tuple(1.0 if i == 0 else 0.0 if i == last else std for i, std in enumerate(stds))

    def _applied(self, weights: Weights) -> Weights:
        """Return the weights times their factors."""
        pairs = zip(weights, self.factors(), strict=True)
        return tuple(w if factor == 1 else w * factor for w, factor in pairs)


@dataclass(frozen=True)
class NeuralNgram(LanguageModel):
    """A multilayer perceptron of the embeddings of the last ``context`` tokens (Bengio et al. 2003).

    Attributes
    ----------
    embedding
        Length of a token's embedding, whatever the width.

    Examples
    --------
    >>> network = NeuralNgram(context=8, width=64)
    >>> network.parameters, network.non_embedding, network.positions
    (28992, 24896, ())
    """

    embedding: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.integer(self.embedding, "embedding", "NeuralNgram", 1)

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the embeddings, (out, in) and (out,) of each layer."""
        sizes = (self.context * self.embedding, *[self.width] * self.depth, self.vocabulary)
        pairs = zip(sizes[1:], sizes[:-1], strict=True)
        return ((self.vocabulary, self.embedding), *(s for pair in pairs for s in (pair, pair[:1])))

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return logits (E, B, vocabulary) of the token after each window."""
        weights = self._applied(weights)
        h = _embed(weights[0], x).flatten(2)
        for layer in range(1, len(weights) - 2, 2):
            h = torch.relu(affine(weights[layer], weights[layer + 1], h))
        return affine(weights[-2], weights[-1], h)

    def factors(self) -> tuple[float, ...]:
        """Return the factors; the first layer's fan-in does not grow with the width."""
        return (1.0, 1.0, *super().factors()[2:])


@dataclass(frozen=True)
class Transformer(LanguageModel):
    """A decoder-only transformer (Vaswani et al. 2017) as they are built now.

    RMS norm before each branch and at the end, rotary positions (Su et al. 2021), GELU layers of 4 width
    units, no biases.  Each branch is scaled by 1 / sqrt(2 depth).

    Attributes
    ----------
    heads
        Attention heads, which divide the width into even parts.

    Examples
    --------
    >>> network = Transformer(context=128, width=64, depth=2, heads=4)
    >>> network.parameters, network.non_embedding, network.positions
    (131392, 115008, (128,))
    >>> Transformer(context=128, width=64, heads=3)
    Traceback (most recent call last):
        ...
    ValueError: The 'heads' parameter of Transformer must be one that divides the width 64 into even parts.
    Got 3 instead.
    """

    heads: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.integer(self.heads, "heads", "Transformer", 1)
        if self.width % (2 * self.heads):
            accepted = f"one that divides the width {self.width} into even parts"
            raise ValueError(checks.refusal("heads", "Transformer", accepted, self.heads))

    @property
    def positions(self) -> tuple[int, ...]:
        """A prediction after each token of the window."""
        return (self.context,)

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return embeddings; gain, queries-keys-values, projection, gain, up, down a layer; gain, logits."""
        w = self.width
        block = ((w,), (3 * w, w), (w, w), (w,), (4 * w, w), (w, 4 * w))
        return ((self.vocabulary, w), *block * self.depth, (w,), (self.vocabulary, w))

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return logits (E, B, context, vocabulary): of the token after each, which sees no later one."""
        weights = self._applied(weights)
        h = _embed(weights[0], x)
        members, batch, context, width = h.shape
        turn = _rotation(context, width // self.heads, h.device, h.dtype)
        branch = (2 * self.depth) ** -0.5
        for layer in range(1, len(weights) - 2, 6):
            gain, qkv, projection, gain_up, up, down = weights[layer : layer + 6]
            parts = _linear(qkv, _rms(h, gain)).view(members * batch, context, 3, self.heads, -1)
            q, k, v = parts.permute(2, 0, 3, 1, 4)  # (E B, heads, context, width / heads)
            seen = functional.scaled_dot_product_attention(
                _rotated(q, turn), _rotated(k, turn), v, is_causal=True
            )
            h = h + branch * _linear(projection, seen.transpose(1, 2).reshape(h.shape))
            h = h + branch * _linear(down, functional.gelu(_linear(up, _rms(h, gain_up))))
        return _linear(weights[-1], _rms(h, weights[-2]))


@dataclass(frozen=True)
class LSTM(LanguageModel):
    """Stacked LSTM layers (Hochreiter and Schmidhuber 1997), forget gates open by 1 at the start.

    Examples
    --------
    >>> network = LSTM(context=128, width=64)
    >>> network.parameters, network.non_embedding, network.positions
    (65792, 49408, (128,))
    """

    @property
    def positions(self) -> tuple[int, ...]:
        """A prediction after each token of the window."""
        return (self.context,)

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return embeddings; input weights, recurrent weights, biases a layer; logits."""
        w = self.width
        layer = ((4 * w, w), (4 * w, w), (4 * w,))
        return ((self.vocabulary, w), *layer * self.depth, (self.vocabulary, w))

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return logits (E, B, context, vocabulary): of the token after each, which sees no later one."""
        weights = self._applied(weights)
        h = _embed(weights[0], x)
        opened = h.new_zeros(4 * self.width)
        opened[self.width : 2 * self.width] = 1.0  # gates in torch's order: input, forget, cell, output
        zero = h.new_zeros(self.depth, h.shape[1], self.width)
        seen = []
        for member, tokens in enumerate(h):
            flat = []
            for layer in range(0, 3 * self.depth, 3):
                inside, recurrent, bias = (w[member] for w in weights[layer + 1 : layer + 4])
                flat += [inside, recurrent, bias, opened]
            with torch.autocast("cpu", enabled=False):  # few CPUs have an LSTM of bfloat16
                one = torch.lstm(tokens, (zero, zero), flat, True, self.depth, 0.0, False, False, True)[0]
            seen.append(one)
        return _linear(weights[-1], torch.stack(seen))


def _embed(table: Tensor, x: Tensor) -> Tensor:
    """Return the embeddings (E, B, T, width) of tokens (E, B, T), or (B, T) for all members."""
    members, vocabulary, width = table.shape
    offsets = torch.arange(members, device=table.device).view(-1, 1, 1) * vocabulary
    return functional.embedding(x.long() + offsets, table.reshape(-1, width))


def _linear(matrix: Tensor, h: Tensor) -> Tensor:
    """Return h matrix^T, (E, B, T, out), for h (E, B, T, in)."""
    return torch.bmm(h.flatten(1, 2), matrix.mT).unflatten(1, h.shape[1:3])


def _rms(h: Tensor, gain: Tensor) -> Tensor:
    """Return h (E, B, T, width) over its root mean square, times 1 + gain (E, width)."""
    return functional.rms_norm(h, h.shape[-1:], eps=1e-6) * (1 + gain[:, None, None])


def _rotation(context: int, size: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return cosines and sines (context, size / 2) of the angles that positions turn by."""
    rates = 10_000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64, device=device) / size)
    angles = torch.arange(context, dtype=torch.float64, device=device)[:, None] * rates
    return angles.cos().to(dtype), angles.sin().to(dtype)


def _rotated(h: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Return h (..., context, size) with the pairs (i, i + size / 2) of its entries turned."""
    cos, sin = turn
    a, b = h.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
