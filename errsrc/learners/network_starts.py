"""Starts of quadratic networks that are made from the examples: by an eigenvalue problem, or by pruning.

Both methods give a symmetric matrix S for the function (x^T S x - tr S) / sqrt(d).  The start of width k has
the k largest eigenvalues of S and their eigenvectors.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from errsrc.learners.network_class import Starts
from errsrc.nets import QuadraticNetwork
from errsrc.training.lbfgs import LBFGS

_SMALLEST = 0.02  # smallest eigenvalue of a start, divided by the largest one
_CLIPPED = 3.0  # largest label in the spectral matrix, in root mean squares of the labels
_SMALL_WEIGHTS = 0.1  # standard deviation of the initial weights of a wide network
_WIDE_STEPS, _WIDE_ERROR = 300, 1e-10  # the fit of a wide network ends at this many steps or at this error


def spectral_starts(network: QuadraticNetwork, x: Tensor, y: Tensor, rng: np.random.Generator) -> Starts:
    """Return starts computed from the mean of y (x x^T - I).

    For normal inputs and a teacher (x^T S x - tr S) / sqrt(d), this mean is 2 S / sqrt(d).

    The first start weights all examples equally.  Each further start draws the weights of the examples from
    an exponential distribution, so that the starts differ.  Every second start replaces y by an increasing
    function of y that is bounded from above.  The reason is that large labels carry little information about
    the direction of the largest eigenvalue (Mondelli and Montanari 2019, arXiv 1708.05932).

    Parameters
    ----------
    network : QuadraticNetwork
        The network.
    x : Tensor of float64, (n, dim)
        Inputs.
    y : Tensor of float64, (n, 1)
        Labels, in units of their root mean square.
    rng : numpy.random.Generator
        Source of the examples' weights.
    """
    labels = y[:, 0]
    lowest = max(-float(labels.min()), 1e-3)
    bounded = 1 - 1 / ((labels + lowest).clamp(min=0) / lowest + 0.1)
    transformed = (labels.clamp(-_CLIPPED, _CLIPPED), bounded)

    def draw(first: int, count: int) -> Tensor:
        points = []
        for number in range(first, first + count):
            weight = torch.ones_like(labels)
            if number:
                weight = torch.from_numpy(rng.exponential(size=len(x)))
            weight = weight / weight.sum()
            values = transformed[number % 2]
            form = (x.mT * (weight * (values - (weight * values).sum()))) @ x
            size = math.sqrt(2 / network.dim) * float(form.norm())
            points.append(_weights_of(form / (size or 1.0), network))
        return torch.stack(points)

    return draw


def pruned_starts(network: QuadraticNetwork, x: Tensor, y: Tensor, rng: np.random.Generator) -> Starts:
    """Return starts that approximate wide networks; L-BFGS fits the wide networks to the examples.

    A wide network has as many units as inputs, and starts at small weights.  L-BFGS then prefers functions of
    low rank.

    Parameters
    ----------
    network : QuadraticNetwork
        The network.
    x : Tensor of float64, (n, dim)
        Inputs.
    y : Tensor of float64, (n, 1)
        Labels, in units of their root mean square.
    rng : numpy.random.Generator
        Source of the initial weights.
    """
    wide = QuadraticNetwork(network.dim, network.dim)

    def objective(point: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        out = (torch.empty(len(point), wide.width, wide.dim, dtype=point.dtype),)

        def squares(outputs: Tensor) -> tuple[Tensor, Tensor]:
            return (outputs - y).square().mean((1, 2)), 2 * (outputs - y) / len(x)

        loss = wide.gradients(wide.unflatten(point), x.expand(len(point), -1, -1), squares, out)
        return loss, out[0].flatten(1)

    def draw(first: int, count: int) -> Tensor:
        points = []
        for _ in range(count):
            weights = torch.from_numpy(rng.standard_normal((1, wide.parameters)) * _SMALL_WEIGHTS)
            descent = LBFGS(objective, weights)
            for _ in range(_WIDE_STEPS):
                if bool(descent.stalled.all()) or float(descent.loss[0]) < _WIDE_ERROR:
                    break
                descent.step()
            w = descent.point.view(wide.width, wide.dim)
            points.append(_weights_of(w.mT @ w / wide.width, network))
        return torch.stack(points)

    return draw


def _weights_of(form: Tensor, network: QuadraticNetwork) -> Tensor:
    """Return the weights, (P,), of a network whose matrix S has the largest eigenvalues of a form (d, d).

    Eigenvalues far below the largest one are raised, so that no unit is 0.
    """
    values, vectors = torch.linalg.eigh(form)
    rank = min(network.width, network.dim)
    values, vectors = values[-rank:], vectors[:, -rank:]
    values = values.clamp(min=_SMALLEST * max(float(values[-1]), 1e-3))
    w = torch.zeros(network.width, network.dim, dtype=form.dtype)
    w[:rank] = (vectors * (network.width * values).sqrt()).mT
    return w.flatten()
