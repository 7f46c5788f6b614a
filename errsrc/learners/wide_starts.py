"""Starts of networks with one hidden layer of tanh that are made from wider networks.

The wide networks are fitted to the examples first.  A start then has the largest units of a wide network, or
the directions of weights that the second derivatives of several wide networks determine.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from errsrc.learners.levenberg_marquardt import LevenbergMarquardt
from errsrc.learners.network_class import Starts, least_squares_problem
from errsrc.nets import MLP, Weights

_TOGETHER = 8  # number of wide networks that are fitted at the same time
_STEPS, _DECAY = 30, 1e-3  # steps of a wide network, and penalty of its squared weights
_RIDGE = 1e-4  # penalty of the squared output weights of a start, divided by the number of examples
_POOL, _AVERAGED = 16, 8  # number of wide networks, and of draws from them for a mean
_FRESH = 100  # number of normal inputs at which second derivatives are computed, besides the examples
_CANDIDATES, _ITERATIONS, _SHIFT = 24, 30, 0.3  # of the search for matrices of rank one
_SAME_DIRECTION = 0.98  # smallest cosine between two directions that count as equal
_REUSED = 8  # number of starts that have the same directions
_TRIED = 32  # number of random lengths and biases that are tried for a start
_LENGTH, _BIAS = 1.5, 0.7  # standard deviations of these lengths and biases, in standard units


def has_wide_starts(network: object) -> bool:
    """Return whether a network is an `MLP` with one hidden layer of tanh.

    Parameters
    ----------
    network : object
        The network.
    """
    return isinstance(network, MLP) and network.activation == "tanh" and len(network.sizes) == 3


class WideNetworks:
    """Wide networks that are fitted to the examples when they are needed.

    The fit minimises the mean squared residual plus a penalty of the squared weights.  The penalty makes some
    units small.

    Parameters
    ----------
    network : MLP
        The wide network, with one hidden layer.
    x : Tensor of float64, (n, dim)
        Inputs in standard units.
    y : Tensor of float64, (n, outputs)
        Labels in standard units.
    weight_std, bias_std : float
        Scales of the initial weights and biases, see `errsrc.nets.Network.prior_stds`.
    rng : numpy.random.Generator
        Source of the initial weights.
    """

    def __init__(
        self,
        network: MLP,
        x: Tensor,
        y: Tensor,
        weight_std: float,
        bias_std: float,
        rng: np.random.Generator,
    ) -> None:
        self.network, self.x, self.y = network, x, y
        self._stds, self._rng = network.prior_stds(weight_std, bias_std), rng
        self._points = torch.empty(0, network.parameters, dtype=x.dtype)

    def first(self, count: int) -> Weights:
        """Return the weights, (count, ...), of the first wide networks.

        Parameters
        ----------
        count : int
            Number of networks, >= 1.
        """
        while len(self._points) < count:
            self._points = torch.cat([self._points, self._fitted()])
        return self.network.unflatten(self._points[:count])

    def _fitted(self) -> Tensor:
        """Return the points, (_TOGETHER, P), of further wide networks."""
        residuals, jacobian = least_squares_problem(self.network, self.x, self.y)
        root = math.sqrt(_DECAY * self.y.numel())
        penalty = root * torch.eye(self.network.parameters, dtype=self.x.dtype)
        seeds = [int(seed) for seed in self._rng.integers(2**63, size=_TOGETHER)]
        run = LevenbergMarquardt(
            lambda point: torch.cat([residuals(point), -root * point], 1),
            lambda point: torch.cat([jacobian(point), penalty.expand(len(point), -1, -1)], 1),
            self.network.flatten(self.network.draw(seeds, self._stds, self.x.dtype)),
        )
        for _ in range(_STEPS):
            run.step()
        return run.point


def largest_unit_starts(network: MLP, wide: WideNetworks) -> Starts:
    """Return starts that have the largest units of a wide network.

    Each start comes from another wide network.  The size of a unit is the standard deviation of its part in
    the outputs, over the examples.  The output weights of the kept units are fitted to the labels.

    Parameters
    ----------
    network : MLP
        The network, with one hidden layer of at most as many units as the wide network.
    wide : WideNetworks
        The wide networks.
    """

    def draw(first: int, count: int) -> Tensor:
        weights, biases, out, _ = (part[first:] for part in wide.first(first + count))
        hidden = torch.tanh(wide.x @ weights.mT + biases[:, None])
        size = out.norm(dim=1) * hidden.std(1, correction=0)
        kept = size.argsort(1, descending=True)[:, : network.size]
        weights = weights.gather(1, kept[..., None].expand(-1, -1, network.inputs))
        biases = biases.gather(1, kept)
        return _completed(network, weights, biases, wide)[0]

    return draw


def hessian_starts(network: MLP, wide: WideNetworks, rng: np.random.Generator) -> Starts:
    """Return starts whose directions of weights come from second derivatives of wide networks.

    At every x, the matrix of second derivatives of a network sum_j a_j tanh(w_j x + b_j) of k units is a
    combination of the k matrices w_j w_j^T.  For the teacher, the matrices at many x therefore span all w_j
    w_j^T.  Here, the second derivatives are those of a mean of wide networks, because the teacher is unknown.
    Power iteration finds matrices of rank one close to the span of the k largest principal components
    (Fornasier, Klock, Mondelli and Rauchensteiner 2022, arXiv 2211.04589).  Their factors are the directions
    of the weights.  Several random lengths and biases are tried for these directions; the best ones are kept.

    Parameters
    ----------
    network : MLP
        The network, with one hidden layer.
    wide : WideNetworks
        The wide networks.
    rng : numpy.random.Generator
        Source of the choice of wide networks, and of lengths and biases.
    """
    points = torch.cat([wide.x, torch.from_numpy(rng.standard_normal((_FRESH, network.inputs)))])
    directions = torch.empty(0)

    def start(number: int) -> Tensor:
        nonlocal directions
        if number % _REUSED == 0:
            directions = _rank_one(_second_derivatives(wide.first(_POOL), points, rng), network.size, rng)
        lengths = np.abs(rng.standard_normal((_TRIED, network.size, 1))) * _LENGTH
        biases = torch.from_numpy(rng.standard_normal((_TRIED, network.size)) * _BIAS)
        tried, loss = _completed(network, directions * torch.from_numpy(lengths), biases, wide)
        return tried[loss.argmin()]

    return lambda first, count: torch.stack([start(number) for number in range(first, first + count)])


def _completed(network: MLP, weights: Tensor, biases: Tensor, wide: WideNetworks) -> tuple[Tensor, Tensor]:
    """Return points (E, P) whose output weights are fitted to the labels, and their mean squares (E,)."""
    hidden = torch.tanh(wide.x @ weights.mT + biases[:, None])
    hidden = torch.cat([hidden, torch.ones_like(hidden[..., :1])], 2)
    matrix = hidden.mT @ hidden
    matrix.diagonal(dim1=1, dim2=2).add_(_RIDGE * len(wide.x))
    out = torch.linalg.solve(matrix, hidden.mT @ wide.y)
    loss = (hidden @ out - wide.y).square().mean((1, 2))
    return network.flatten((weights, biases, out[:, :-1].mT, out[:, -1])), loss


def _second_derivatives(weights: Weights, points: Tensor, rng: np.random.Generator) -> Tensor:
    """Return second derivatives, (outputs * N, d, d), of the mean of randomly drawn networks at N points."""
    w, b, out, _ = weights
    share = torch.from_numpy(np.bincount(rng.integers(len(w), size=_AVERAGED), minlength=len(w)) / _AVERAGED)
    h = torch.tanh(points @ w.mT + b[:, None])
    curvature = -2 * h * (1 - h.square()) * share[:, None, None]
    return torch.einsum("enm,eom,emi,emj->onij", curvature, out, w, w).flatten(0, 1)


def _rank_one(matrices: Tensor, count: int, rng: np.random.Generator) -> Tensor:
    """Return unit vectors u, (count, d), for which u u^T lies close to the span of symmetric matrices.

    The span is that of the `count` largest principal components of the matrices.  Each vector is a local
    maximum of the norm of the projection of u u^T on the span.  If there are too few local maxima, the other
    vectors are random.
    """
    dim = matrices.shape[1]
    _, _, components = torch.linalg.svd(matrices.flatten(1), full_matrices=False)
    span = components[:count].unflatten(1, (dim, dim))
    u = torch.nn.functional.normalize(torch.from_numpy(rng.standard_normal((_CANDIDATES + count, dim))))
    last = u[_CANDIDATES:]
    u = u[:_CANDIDATES]
    for _ in range(_ITERATIONS):
        products = torch.einsum("kij,tj->tki", span, u)
        u = torch.nn.functional.normalize(
            torch.einsum("tki,tk->ti", products, (products @ u[..., None])[..., 0]) + _SHIFT * u
        )
    norms = torch.einsum("kij,ti,tj->tk", span, u, u).square().sum(1)
    found: list[Tensor] = []
    for vector in u[norms.argsort(descending=True)]:
        if len(found) < count and all(abs(float(vector @ other)) < _SAME_DIRECTION for other in found):
            found.append(vector)
    return torch.stack([*found, *last[len(found) :]])
