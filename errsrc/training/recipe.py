"""How to train: the options of gradient descent, as plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from errsrc import checks
from errsrc.nets.network import Network

LOSSES = ("log", "squared")


@dataclass(frozen=True)
class Recipe:
    """How to train: plain numbers, the same for every member of a call.

    Attributes
    ----------
    optimiser
        "adam" (betas 0.9 and 0.999), "sgd" (with ``momentum``), or "lbfgs": all of a member's rows in
        each step and a line search of its own, for small networks; schedule, batch, momentum and average
        then do not apply, and a member that finds no lower training loss ends at the next look.
    learning_rate
        Peak learning rate, reached linearly over ``warmup`` steps.
    decay
        Share of a member's budget of steps, at its end, over which the rate falls to 0: 1 falls all the
        way, a small share is the schedule of warmup, stable rate and decay, 0 a constant rate.
    batch
        Examples a step; a member with fewer rows than that repeats rows within a step.
    average
        The weights that are looked at and kept are an exponential moving average over about the last
        ``average`` x step steps, so that its memory grows with the run (0: the weights themselves).
    look
        The first looks at validation are ``look`` steps apart; later ones 1/20 of the step reached.
    watch
        The validation figure that stops a member and chooses its weights: "error" or "loss".
    patience
        A member stops once it has gone ``patience`` times the steps to its best look, and at least
        ``least`` steps.
    loss
        "log": cross-entropy in nats, of int64 class labels, a mean over the network's
        ``positions``; "squared": squared error summed over outputs, of labels of the inputs' dtype.
    floor
        Without validation, a member ends at the first look at a training loss of at most this.
    fall
        How the rate falls over ``decay``: "linear", or as half a "cosine".
    precision
        What a step's products are computed in: "input", the inputs' dtype; of float32 inputs also "tf32",
        on a GPU that has it, and "bf16", bfloat16 by autocast.  Weights, slopes, moments and averages, and
        all that is looked at, are of the inputs' dtype in each.
    compile
        Whether a step's forward and backward pass are compiled (``torch.compile``; on a GPU replayed as
        graphs), and Adam's step of a member alone is one kernel.  It takes tens of seconds at the start,
        and again as members end: for long runs of one large member or a few.
    augment
        What is done to the images of a batch, anew each time, and never where they are looked at: "none",
        or "crop-flip", a random crop of the image with ``padding`` places of 0 around it, mirrored or not
        (He et al. 2016, arXiv 1512.03385, section 4.2).
    padding
        Of "crop-flip", in places.
    """

    optimiser: str = "adam"
    learning_rate: float = 4e-3
    warmup: int = 50
    decay: float = 0.0
    batch: int = 128
    momentum: float = 0.9
    average: float = 0.1
    look: int = 10
    watch: str = "loss"
    patience: float = 2.0
    least: int = 200
    loss: str = "log"
    floor: float = 0.0
    fall: str = "linear"
    precision: str = "input"
    compile: bool = False
    augment: str = "none"
    padding: int = 4

    def __post_init__(self) -> None:
        checks.choice(self.optimiser, "optimiser", "Recipe", ("adam", "sgd", "lbfgs"))
        checks.number(self.learning_rate, "learning_rate", "Recipe", 0, open_low=True)
        checks.integer(self.warmup, "warmup", "Recipe", 0)
        checks.number(self.decay, "decay", "Recipe", 0, 1)
        checks.integer(self.batch, "batch", "Recipe", 1)
        checks.number(self.momentum, "momentum", "Recipe", 0, 1, open_high=True)
        checks.number(self.average, "average", "Recipe", 0, 1, open_high=True)
        checks.integer(self.look, "look", "Recipe", 1)
        checks.choice(self.watch, "watch", "Recipe", ("error", "loss"))
        checks.number(self.patience, "patience", "Recipe", 1)
        checks.integer(self.least, "least", "Recipe", 0)
        checks.choice(self.loss, "loss", "Recipe", LOSSES)
        checks.number(self.floor, "floor", "Recipe", 0)
        checks.choice(self.fall, "fall", "Recipe", ("linear", "cosine"))
        checks.choice(self.precision, "precision", "Recipe", ("input", "tf32", "bf16"))
        if not isinstance(self.compile, bool):
            raise TypeError(checks.refusal("compile", "Recipe", "true or false", self.compile))
        checks.choice(self.augment, "augment", "Recipe", ("none", "crop-flip"))
        checks.integer(self.padding, "padding", "Recipe", 1)
        if self.optimiser == "lbfgs":  # a line search needs the same function at each of its points
            for name, plain in (("precision", "input"), ("compile", False), ("augment", "none")):
                if getattr(self, name) != plain:
                    accepted = f"{plain!r} with the optimiser 'lbfgs'"
                    raise ValueError(checks.refusal(name, "Recipe", accepted, getattr(self, name)))

    def check(self, network: Network, where: str) -> None:
        """Refuse a network whose examples cannot be augmented so, by the name of the place that asks."""
        if self.augment != "none" and not network.image_shape:
            accepted = f"'none' for {type(network).__name__}, whose inputs are no images"
            raise ValueError(checks.refusal("recipe.augment", where, accepted, self.augment))

    def rates(self, step: int, pace: int, budget: Tensor, dtype: torch.dtype) -> Tensor:
        """Return the learning rates (pace, E) of the ``pace`` steps after ``step``, for budgets (E,)."""
        after = torch.arange(step + 1, step + pace + 1, dtype=dtype, device=budget.device)[:, None]
        warm = (after / max(self.warmup, 1)).clamp(max=1.0)
        cool = ((budget + 1 - after) / (self.decay * budget).clamp(min=1.0)).clamp(max=1.0)
        if self.fall == "cosine":
            cool = (1 - torch.cos(math.pi * cool)) / 2
        return self.learning_rate * warm * cool
