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
        Rows of `errsrc.training.train`'s arrays that it trains on, int64 (n,), n >= 1.
    steps
        Largest number of steps, >= 1.
    seed
        Seed of its initial weights and of the order of its examples, >= 0.
    validation
        Its own validation rows, which choose its stopping time and weights, int64 (V,), V >= 1; or None.
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
        The weights kept, tensors of the shapes ``network.shapes()``: the weights of the best evaluation by
        the recipe's ``validation_metric``, or of the lowest training loss at an evaluation, without
        validation.
    best_step
        The step of these weights.
    steps
        Number of steps taken.
    diverged
        True if training failed and was ended: the training or validation loss was not finite, or the
        mean training loss since the last evaluation was more than 2 (1 + 4 / sqrt(examples seen since then))
        times the larger of the loss of the first batch and the loss of outputs that are all 0.  Leave such a
        network out of averages.
    train_loss
        Loss of the kept weights on the training rows: in nats for the loss "log", squared units of the labels
        for "squared".  Of more than 2^16 rows, every second, third, ... is used.
    train_error
        Error of the kept weights on the same rows: the share of wrong classes for "log", and the root of the
        mean squared error in the unit of the labels for "squared".
    curve
        The learning curve, float64 (evaluations,) each: "step"; "train_loss", the mean over the steps since
        the last evaluation, of the weights themselves; "loss" and "error" of the averaged weights on
        validation rows, or on the training rows without validation.
    rewind_weights
        The weights, not averaged, at the ``rewind_step`` of `errsrc.training.train`, or at the network's last
        step before it; shapes as ``weights``.
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
        """The row of ``curve`` at which ``weights`` were kept."""
        return int(np.searchsorted(self.curve["step"], self.best_step))
