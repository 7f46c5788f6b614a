"""Training losses, with their gradients and errors, for E networks at once."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


class TrainingLoss(abc.ABC):
    """Base of training losses.

    A loss is computed for E networks and B examples at once.  Outputs are tensors (E, B, *positions,
    outputs).  Labels have no axis E if all networks share them.
    """

    labels: str
    """What the labels are called in messages."""

    @abc.abstractmethod
    def label_shapes(self, positions: tuple[int, ...], outputs: int) -> list[tuple[int, ...]]:
        """Return the shapes that the label of one example may have; the first shape is the usual one.

        Parameters
        ----------
        positions : tuple of int
            Shape of the predictions for one example, see `errsrc.nets.Network`.
        outputs : int
            Number of outputs of the network.
        """

    @abc.abstractmethod
    def label_dtype(self, dtype: torch.dtype) -> torch.dtype:
        """Return the dtype that labels must have.

        Parameters
        ----------
        dtype : torch.dtype
            The dtype of the inputs.
        """

    @abc.abstractmethod
    def predictions(self, y: Tensor) -> int:
        """Return the number of predictions for one example.

        Parameters
        ----------
        y : tensor (N, ...)
            Labels of N examples.
        """

    @abc.abstractmethod
    def example_losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the loss of each example for each network, (E, B).

        Parameters
        ----------
        outputs : tensor
            Outputs (E, B, *positions, outputs).
        y : tensor
            Labels (B, ...) or (E, B, ...), see `label_shapes`.
        """

    @abc.abstractmethod
    def wrong_shares(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the share of wrong predictions of each example, (E, B); 0 for labels that are numbers.

        Parameters
        ----------
        outputs : tensor
            Outputs (E, B, *positions, outputs).
        y : tensor
            Labels (B, ...) or (E, B, ...), see `label_shapes`.
        """

    @abc.abstractmethod
    def error(self, loss: Tensor, wrong: Tensor) -> Tensor:
        """Return the error of each network, (E,), to be reported next to the network's mean loss.

        Parameters
        ----------
        loss, wrong : tensors (E,)
            Means over examples of `example_losses` and `wrong_shares`.
        """

    @abc.abstractmethod
    def loss_and_gradient(self, outputs: Tensor, y: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return each network's weighted sum of example losses, (E,), and the gradients of these sums.

        The gradients are derivatives with respect to the outputs, and have the shape of the outputs.

        Parameters
        ----------
        outputs : tensor
            Outputs (E, B, *positions, outputs).
        y : tensor
            Labels (E, B, ...), see `label_shapes`.
        weights : tensor
            The weight of each example, (E, B) or (1, 1).
        """

    @abc.abstractmethod
    def zero_output_loss(self, outputs: int, y: Tensor, rows: Sequence[Tensor]) -> Tensor:
        """Return the mean loss on each network's examples if all outputs are 0, (E,).

        Parameters
        ----------
        outputs : int
            Number of outputs.
        y : tensor (N, ...)
            Labels of all examples.
        rows : sequence of int64 tensors
            The rows of `y` that are the labels of each network.
        """


class CrossEntropy(TrainingLoss):
    """Cross-entropy of class labels in nats, averaged over positions.

    The reported error is the error rate: the share of wrong classes.
    """

    labels = "classes"

    def label_shapes(self, positions: tuple[int, ...], outputs: int) -> list[tuple[int, ...]]:
        """Return the shape of one example's label, which has one class for each position."""
        return [positions]

    def label_dtype(self, dtype: torch.dtype) -> torch.dtype:
        """Return torch.int64, the dtype of classes."""
        return torch.int64

    def predictions(self, y: Tensor) -> int:
        """Return the number of predictions for one example, which is the number of positions."""
        return y.shape[1:].numel()

    def example_losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the cross-entropy of each example in nats, (E, B)."""
        flat = functional.cross_entropy(
            outputs.flatten(0, -2), y.expand(outputs.shape[:-1]).reshape(-1), reduction="none"
        )
        return flat.view(*outputs.shape[:2], -1).mean(2)

    def wrong_shares(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the share of positions at which the most probable class is wrong, (E, B)."""
        return (outputs.argmax(-1) != y).to(outputs.dtype).view(*outputs.shape[:2], -1).mean(2)

    def error(self, loss: Tensor, wrong: Tensor) -> Tensor:
        """Return the error rate of each network, (E,), which is the mean of `wrong_shares`."""
        return wrong

    def loss_and_gradient(self, outputs: Tensor, y: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return each network's weighted sum of example losses, (E,), and the gradients of these sums.

        The gradient of an example's loss is the vector of predicted probabilities, from which 1 is subtracted
        at the true class.
        """
        gradient = torch.log_softmax(outputs, -1)
        classes = y.unsqueeze(-1)
        losses = -gradient.gather(-1, classes).view(*y.shape[:2], -1).mean(2)
        minus_one = gradient.new_full([1] * gradient.dim(), -1.0).expand_as(classes)
        gradient.exp_().scatter_add_(-1, classes, minus_one)
        scale = weights / y.shape[2:].numel()
        return (losses * weights).sum(1), gradient.mul_(_broadcast(scale, gradient))

    def zero_output_loss(self, outputs: int, y: Tensor, rows: Sequence[Tensor]) -> Tensor:
        """Return log(number of classes) for each network, (E,), the loss of equal probabilities."""
        return torch.full((len(rows),), math.log(outputs), device=y.device)


class SquaredError(TrainingLoss):
    """Squared error, summed over outputs.

    The reported error is the root of the mean squared error, in the unit of the labels.
    """

    labels = "labels"

    def label_shapes(self, positions: tuple[int, ...], outputs: int) -> list[tuple[int, ...]]:
        """Return the shape of a label with one number for each output.

        For a network with one output, the label may also be a number without an axis.
        """
        return [(outputs,)] if outputs > 1 else [(), (1,)]

    def label_dtype(self, dtype: torch.dtype) -> torch.dtype:
        """Return `dtype`, the dtype of the inputs."""
        return dtype

    def predictions(self, y: Tensor) -> int:
        """Return the number of predictions for one example, which is 1."""
        return 1

    def example_losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the squared error of each example, (E, B)."""
        return (outputs - (y if y.dim() == 3 else y.unsqueeze(-1))).square().sum(2)

    def wrong_shares(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return 0 for each example, (E, B), because no prediction counts as wrong."""
        return outputs.new_zeros(outputs.shape[:2])

    def error(self, loss: Tensor, wrong: Tensor) -> Tensor:
        """Return the root of the mean squared error of each network, (E,)."""
        return loss.sqrt()

    def loss_and_gradient(self, outputs: Tensor, y: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return each network's weighted sum of example losses, (E,), and the gradients of these sums.

        The gradient of an example's loss is twice the difference of output and label.
        """
        difference = outputs - (y if y.dim() == 3 else y[:, :, None])
        losses = difference.square().sum(2)
        return (losses * weights).sum(1), difference.mul_(_broadcast(2 * weights, difference))

    def zero_output_loss(self, outputs: int, y: Tensor, rows: Sequence[Tensor]) -> Tensor:
        """Return the mean square of each network's labels, (E,)."""
        squares = y.square() if y.dim() == 1 else y.square().sum(1)
        return torch.stack([squares[own].mean() for own in rows])


TRAINING_LOSSES: dict[str, TrainingLoss] = {"log": CrossEntropy(), "squared": SquaredError()}
"""Every training loss, by its name in `Recipe.loss`."""


def _broadcast(weights: Tensor, outputs: Tensor) -> Tensor:
    """Return weights of examples with as many axes as outputs."""
    return weights.view(*weights.shape, *[1] * (outputs.dim() - 2))
