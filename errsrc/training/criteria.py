"""Scores of a network's weights for pruning; each round keeps the weights with the largest scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from errsrc import checks
from errsrc.checks import Choice, Integer, Number
from errsrc.nets.network import Network, Weights
from errsrc.records import own_modules
from errsrc.training.masks import magnitude_masks, masks_of_scores, prunable

_TOLERANCE = 1e-6  # of sums of float64 scores that are equal but for rounding


@checks.arguments(density=Number(above=0, at_most=1), iterations=Integer(at_least=1))
def synflow_masks(
    network: Network, weights: Weights, density: float, masks: Weights | None = None, iterations: int = 10
) -> Weights:
    """Return masks that keep the weights with the largest synaptic flow, which depends on no example.

    Let R be the sum of the outputs of the network whose weights are the absolute values |w|, whose biases are
    0, and whose inputs are 1.  The score of a weight is |w| dR/d|w| (Tanaka et al. 2020, arXiv 2006.05467).
    In each iteration, the scores are computed again, and the weights with the smallest scores are pruned.
    All iterations prune the same fraction of the weights that are left.

    Parameters
    ----------
    network : Network
        The architecture: layers with the activation "relu" or "linear", and no normalisation.
    weights : tuple of tensors (E, ...)
        The weights of E networks; as published, these are the initial weights.
    density : float
        Number of kept weights divided by the number of weights that may be pruned, in (0, 1].
    masks : tuple of bool tensors (E, ...), optional
        False for weights that are pruned already; these weights stay pruned.
    iterations : int
        Number of iterations, >= 1.  The paper uses 100 iterations to reach one density.

    Returns
    -------
    tuple of bool tensors (E, ...)
        True for the weights that are kept, and for all weights that may not be pruned.

    Raises
    ------
    ValueError
        If the scores of two layers do not have equal sums: the network has an activation or a normalisation
        for which the score has no meaning.  Also if the density is outside (0, 1], or if it requires
        more weights than are left.

    Examples
    --------
    >>> from errsrc.nets import MLP
    >>> first, last, bias = torch.tensor([[[3.0, 1.0]]]), torch.tensor([[[0.1]]]), torch.zeros(1, 1)
    >>> synflow_masks(MLP((2, 1, 1)), (first, bias, last, bias), 2 / 3)[::2]
    (tensor([[[ True, False]]]), tensor([[[True]]]))
    """
    if masks is None:
        masks = tuple(torch.ones_like(w, dtype=torch.bool) for w in weights)
    left = sum(int(mask[0].sum()) for mask in masks if mask.dim() > 2) / prunable(network)
    for k in range(1, iterations + 1):
        step = density if k == iterations else max(density, left * (density / left) ** (k / iterations))
        scores = synaptic_flow(network, tuple(w * mask for w, mask in zip(weights, masks, strict=True)))
        masks = masks_of_scores(network, scores, step, masks)
    return masks


def synaptic_flow(network: Network, weights: Weights) -> Weights:
    """Return the scores |w| dR/d|w| of all weights, see `synflow_masks`; zeros for tensors of one axis.

    Parameters
    ----------
    network : Network
        The architecture.
    weights : tuple of tensors (E, ...)
        The weights of E networks; pruned weights are 0.

    Returns
    -------
    tuple of tensors (E, ...)
        The scores, float64.  In each layer, they sum to R.

    Raises
    ------
    ValueError
        If the sums of two layers differ.
    """
    absolute = tuple(w.abs().double() if w.dim() > 2 else torch.zeros_like(w).double() for w in weights)
    places = [k for k, w in enumerate(absolute) if w.dim() > 2]
    with torch.enable_grad():
        for k in places:
            absolute[k].requires_grad_()
        ones = torch.ones(1, network.inputs, dtype=torch.float64, device=weights[0].device)
        outputs = network(absolute, ones).flatten(1).sum(1)
        slopes = torch.autograd.grad(outputs.sum(), [absolute[k] for k in places])
    scores = [torch.zeros_like(w) for w in absolute]
    for k, slope in zip(places, slopes, strict=True):
        scores[k] = absolute[k].detach() * slope
        flow = scores[k].flatten(1).sum(1)
        if not torch.allclose(flow, outputs.detach(), rtol=_TOLERANCE, atol=0.0):
            accepted = "a network of layers with the activation 'relu' or 'linear', without normalisation"
            raise ValueError(checks.refusal("network", "synaptic_flow", accepted, network))
    return tuple(scores)


def own_scores(reference: str, network: Network, weights: Weights) -> Weights:
    """Return the scores that a function of the user computes.

    Parameters
    ----------
    reference : str
        The module and the name of the function, such as "mylab.scores:fisher".
    network : Network
        The architecture, the first argument of the function.
    weights : tuple of tensors (E, ...)
        The weights of E networks, the second argument of the function; pruned weights are 0.

    Raises
    ------
    ValueError
        If the function is not found, if it does not return one real score for each weight, or if a score is
        not finite.
    """
    scores = own_modules.find(reference, "criterion", "Rounds")(network, weights)
    several = tuple(scores) if isinstance(scores, Iterable) else (scores,)
    found = [tuple(score.shape) if isinstance(score, Tensor) else type(score) for score in several]
    expected = [tuple(w.shape) for w in weights]
    if found != expected or any(score.is_complex() for score in several):
        accepted = f"a function that returns tensors of the shapes of the weights, {expected}"
        raise ValueError(checks.refusal("criterion", "Rounds", accepted, found))
    if not all(bool(score.isfinite().all()) for score in several):
        raise ValueError(f"The criterion {reference} has returned a score that is not a finite number.")
    return several


Masking = Callable[[Network, Weights, Weights, float, Weights], Weights]
"""A function of a network, its trained weights, the values at the start of the next training, a density and
the present masks, which returns masks of this density."""

CRITERIA: dict[str, Masking] = {
    "magnitude": lambda network, trained, start, density, masks: magnitude_masks(
        network, trained, density, masks
    ),
    "synflow": lambda network, trained, start, density, masks: synflow_masks(network, start, density, masks),
}
"""The criteria of errsrc by their names."""


def check_criterion(criterion: str, network: Network) -> None:
    """Raise ValueError if a criterion is not found, or if it has no meaning for a network.

    Parameters
    ----------
    criterion : str
        The criterion, see `Rounds`.
    network : Network
        The architecture.
    """
    if criterion == "synflow":
        synaptic_flow(network, network.draw([0]))
    elif criterion not in CRITERIA:
        own_modules.find(criterion, "criterion", "Rounds")


def next_masks(
    criterion: str, network: Network, trained: Weights, start: Weights, density: float, masks: Weights
) -> Weights:
    """Return the masks of the next round.

    Parameters
    ----------
    criterion : str
        The criterion, see `Rounds`.
    network : Network
        The architecture.
    trained, start : tuple of tensors (E, ...)
        The weights at the end of the last training, and the values at the start of the next training.
    density : float
        Number of kept weights divided by the number of weights that may be pruned, in (0, 1].
    masks : tuple of bool tensors (E, ...)
        The masks of the last round.

    Returns
    -------
    tuple of bool tensors (E, ...)
        The masks.
    """
    if criterion in CRITERIA:
        return CRITERIA[criterion](network, trained, start, density, masks)
    return masks_of_scores(network, own_scores(criterion, network, trained), density, masks)


@dataclass(frozen=True)
class CriterionName(Choice):
    """A name in `CRITERIA`, or a module of the user and a function in it."""

    options: Sequence[str] = tuple(CRITERIA)

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        return f"{super().accepted}, or a function of your own, such as 'mylab.scores:fisher'"

    def __call__(self, value: Any, name: str, where: str) -> str:
        """Return `value` as a str."""
        is_reference = isinstance(value, str) and ":" in value
        return str(value) if is_reference else super().__call__(value, name, where)
