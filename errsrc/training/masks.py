"""Masks of pruned weights: which weights may be pruned, and which weights are kept.

All matrices and convolutions of a network are pruned together.  Tensors of one axis (biases, and the scales
and shifts of normalisation) are never pruned.  The density is the number of weights left divided by the
number of weights that may be pruned.
"""

from __future__ import annotations

import math

import torch

from errsrc import checks
from errsrc.checks import Number
from errsrc.nets.network import Network, Weights


def prunable(network: Network) -> int:
    """Return the number of weights of a network that may be pruned: those in tensors of two axes or more.

    Parameters
    ----------
    network : Network
        The architecture.

    Examples
    --------
    >>> from errsrc.nets import MLP
    >>> prunable(MLP((784, 8, 10)))
    6352
    """
    return sum(math.prod(shape) for shape in network.shapes() if len(shape) > 1)


@checks.arguments(density=Number(above=0, at_most=1))
def magnitude_masks(
    network: Network, weights: Weights, density: float, masks: Weights | None = None
) -> Weights:
    """Return masks that keep the weights of largest magnitude of each network.

    All tensors that may be pruned are ranked together.  Exactly round(density x prunable) of their weights
    are kept, and at least one weight.  If weights have equal magnitudes, the first of these weights are kept.

    Parameters
    ----------
    network : Network
        The architecture.
    weights : tuple of tensors (E, ...)
        The weights of E networks.
    density : float
        Number of kept weights divided by the number of weights that may be pruned, in (0, 1].
    masks : tuple of bool tensors (E, ...), optional
        False for weights that are pruned already; these weights stay pruned.  By default, no weight is pruned
        already.

    Returns
    -------
    tuple of bool tensors (E, ...)
        True for the weights that are kept, and for all weights that may not be pruned.

    Raises
    ------
    ValueError
        If the density is outside (0, 1], or if it requires more weights than are left.

    Examples
    --------
    >>> from errsrc.nets import MLP
    >>> weights = (torch.tensor([[[3.0, -1.0], [0.5, 2.0]]]), torch.zeros(1, 2))
    >>> magnitude_masks(MLP((2, 2)), weights, 0.5)
    (tensor([[[ True, False],
              [False,  True]]]), tensor([[True, True]]))
    """
    return _largest(tuple(w.abs() for w in weights), density, masks, "magnitude_masks")


@checks.arguments(density=Number(above=0, at_most=1))
def masks_of_scores(
    network: Network, scores: Weights, density: float, masks: Weights | None = None
) -> Weights:
    """Return masks that keep the weights with the largest scores of each network.

    Parameters
    ----------
    network : Network
        The architecture.
    scores : tuple of tensors (E, ...)
        The scores of the weights of E networks, finite.  The scores of tensors of one axis are not used.
    density, masks
        See `magnitude_masks`.

    Returns
    -------
    tuple of bool tensors (E, ...)
        See `magnitude_masks`.

    Raises
    ------
    ValueError
        If the density is outside (0, 1], if it requires more weights than are left, or if a score is not a
        finite number.
    """
    if not all(bool(score.isfinite().all()) for score in scores):
        raise ValueError(checks.refusal("scores", "masks_of_scores", "finite numbers", "<inf or nan>"))
    doubles = tuple(score.double() for score in scores)  # bool and integer scores have no -infinity
    return _largest(doubles, density, masks, "masks_of_scores")


def _largest(scores: Weights, density: float, masks: Weights | None, where: str) -> Weights:
    """Return masks that keep the largest scores, for the function `where`."""
    sizes = [w[0].numel() if w.dim() > 2 else 0 for w in scores]
    keep = max(1, round(density * sum(sizes)))
    joined = torch.cat([w.flatten(1) for w in scores if w.dim() > 2], 1)
    if masks is not None:
        is_left = torch.cat([mask.flatten(1) for mask in masks if mask.dim() > 2], 1)
        left = int(is_left.sum(1).min())
        if keep > left:
            accepted = f"at most {left / sum(sizes):.6g}, the density that is left"
            raise ValueError(checks.refusal("density", where, accepted, density))
        joined = joined.masked_fill(~is_left, -math.inf)
    largest = joined.sort(dim=1, descending=True, stable=True).indices[:, :keep]
    kept = torch.zeros_like(joined, dtype=torch.bool).scatter_(1, largest, True)
    parts = iter(kept.split([size for size in sizes if size], 1))
    return tuple(
        next(parts).view(w.shape) if size else torch.ones_like(w, dtype=torch.bool)
        for w, size in zip(scores, sizes, strict=True)
    )
