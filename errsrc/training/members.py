"""The networks to train, and the trained networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.fields import Checked, integer
from errsrc.nets.network import Weights


@dataclass(frozen=True, eq=False)
class Member(Checked):
    """One network to train.

    Attributes
    ----------
    rows
        Rows of the arrays of `errsrc.training.train` on which the network is trained, int64 (n,), n >= 1.
    steps
        Largest number of training steps, >= 1.
    seed
        Seed of the network's initial weights and of the order of its examples, >= 0.
    validation
        Rows of the same arrays that serve as the network's own validation examples, int64 (V,), V >= 1; or
        None.  These examples decide when the training stops and which weights are kept.
    """

    rows: NDArray[np.int64]
    steps: int = integer(at_least=1)
    seed: int = integer(at_least=0)
    validation: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, rows in (("rows", self.rows), ("validation", self.validation)):
            if rows is None and name == "validation":
                continue
            numbers = np.asarray(rows)
            if numbers.dtype.kind not in "iu" or numbers.ndim != 1 or not numbers.size or numbers.min() < 0:
                accepted = "one row or more, integers >= 0 of shape (n,)"
                got = f"<{numbers.dtype} of shape {numbers.shape}>"
                raise ValueError(checks.refusal(name, "Member", accepted, got))


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained network.

    Attributes
    ----------
    weights
        The weights that were kept, tensors of the shapes ``network.shapes()``.  These are the weights at the
        best evaluation by the recipe's ``validation_metric``.  Without validation, they are the weights at
        the evaluation with the lowest training loss.
    best_step
        The step at which these weights were evaluated.
    steps
        Number of training steps taken.
    diverged
        True if training failed and was ended.  This happens if the training or validation loss is not finite,
        or if the mean training loss since the last evaluation is too large.  "Too large" means more than 2 (1
        + 4 / sqrt(examples seen since then)) times a reference loss.  The reference loss is the loss of the
        first batch, or the loss of outputs that are all 0, whichever is larger.  Leave such a network out of
        averages.
    train_loss
        Loss of the kept weights on the training rows.  The unit is nats for the loss "log", and the squared
        unit of the labels for "squared".  If there are more than 2^16 rows, only every k-th row is used, with
        the smallest k that leaves at most 2^16 rows.
    train_error
        Error of the kept weights on the rows of ``train_loss``.  For "log", the error is the share of wrong
        classes.  For "squared", the error is the root of the mean squared error, in the unit of the labels.
    curve
        The learning curve: a dict of arrays float64 (evaluations,).  "step" is the step of an evaluation.
        "train_loss" is the training loss of the weights before averaging, as a mean over the steps since the
        last evaluation.  "loss" and "error" are the loss and the error of the averaged weights on the
        validation examples.  Without validation, they are measured on the training rows.
    rewind_weights
        The weights, before averaging, at the ``rewind_step`` of `errsrc.training.train`.  If the network
        ended before this step, they are the weights at its last step.  The tensors have the same shapes as
        ``weights``.
    """

    weights: Weights
    best_step: int
    steps: int
    diverged: bool
    train_loss: float
    train_error: float
    curve: dict[str, NDArray[np.float64]]
    rewind_weights: Weights

    @property
    def best_evaluation(self) -> int:
        """Index of the evaluation at which ``weights`` were kept, in the arrays of ``curve``."""
        return int(np.searchsorted(self.curve["step"], self.best_step))
