"""Recipes: the options of training as plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from errsrc import checks
from errsrc.fields import Checked, choice, flag, integer, number
from errsrc.nets.network import ImageNetwork, Network
from errsrc.training.objectives import TRAINING_LOSSES

OPTIMISERS = ("adam", "sgd", "lbfgs")


@dataclass(frozen=True)
class Recipe(Checked):
    """The options of training networks.  All networks of one call of `errsrc.training.train` share a recipe.

    Attributes
    ----------
    optimiser
        "adam" (Kingma and Ba 2015, arXiv 1412.6980, with betas 0.9 and 0.999), "sgd" (with ``momentum``), or
        "lbfgs", for small networks.  A step of "lbfgs" uses all training examples of a network, and a line
        search for each network.  Learning rate, schedule, batch, momentum and average do not apply to
        "lbfgs".  If no step lowers the training loss of a network any more, its training ends at the next
        evaluation.
    learning_rate
        Peak learning rate, > 0, reached linearly over the first ``warmup`` steps.
    warmup
        Number of steps over which the learning rate rises, >= 0.
    decay
        Share of a network's steps, at the end of training, over which the learning rate falls to 0; in [0,
        1].  With 1 the rate falls during the whole training.  With 0 the rate is constant.  A small share
        gives the schedule warmup, constant rate, decay.
    batch
        Number of examples in a step, >= 1.  If a network has fewer examples, some occur several times in a
        step.
    momentum
        Momentum of "sgd", in [0, 1).
    average
        Length of the moving average of the weights, as a share of the steps so far; in [0, 1).  After t steps
        the weights that are evaluated and kept are an exponential moving average over about the last
        ``average`` x t steps.  With 0, the weights after step t are evaluated and kept.
    evaluation_interval
        Number of steps between two evaluations at the beginning of training, >= 1.  Later, the interval is
        1/20 of the steps taken up to the last evaluation, if this number is larger.
    validation_metric
        The number that decides when the training of a network stops, and which of its weights are kept: the
        "error" or the "loss" on validation examples.
    patience
        A number >= 1 that decides when the training of a network stops.  If the best evaluation of the
        network was after t steps, its training stops at the first evaluation after ``patience`` x t steps or
        more.
    min_steps
        Number of steps that a network takes before ``patience`` can stop its training, >= 0.
    loss
        "log" is the cross-entropy in nats, averaged over the network's ``positions``, for labels that are
        int64 classes.  "squared" is the squared error, summed over outputs, for labels with the dtype of the
        inputs.
    target_training_loss
        Without validation examples, the training of a network ends at the first evaluation at which its
        training loss is at most this number; >= 0.
    decay_shape
        Shape of the learning rate's fall: "linear", or "cosine" for half a period of a cosine.
    precision
        Precision of the matrix products in a training step.  "input" is the dtype of the inputs.  For float32
        inputs, "tf32" is TensorFloat-32 on a GPU that has it, and "bf16" is bfloat16 by autocast.  With each
        of the three, weights, gradients, moments, averages and evaluations have the dtype of the inputs.
    compile
        Whether ``torch.compile`` compiles the forward and the backward pass, on a GPU with CUDA graphs.  With
        a single network, the step of Adam is then one kernel.  Compilation takes tens of seconds at the
        start, and again whenever the training of a network ends.  Therefore use ``compile`` for long
        trainings of one or a few large networks.
    augment
        Augmentation of the images of each training batch; images that are evaluated are never changed.
        "none", or "crop-flip": a random crop of the image with ``padding`` pixels of 0 around it, mirrored
        with probability 1/2 (He et al. 2016, arXiv 1512.03385, section 4.2).
    padding
        Number of zero pixels that are added at each edge before a crop, >= 1.
    weight_decay
        Weight decay of "sgd" and "adam", >= 0, for all weights and biases.  For "sgd", the weight decay is an
        L2 penalty: ``weight_decay`` times the weights is added to the gradient, before momentum.  The
        published recipes of pruned networks do the same (Frankle and Carbin 2019; Renda et al. 2020, arXiv
        2003.02389, with 1e-4).  For "adam", the weight decay is decoupled (Loshchilov and Hutter 2019, arXiv
        1711.05101): each step also multiplies the weights by 1 - learning rate x ``weight_decay``.  The two
        optimisers are then equal to ``torch.optim.SGD`` and ``torch.optim.AdamW`` with the same
        ``weight_decay``.
    channels_last
        Whether the images of a training step lie in memory with their channels last, for a `CNN`, `Resnet` or
        `WRN`.  On a CPU, the steps of many small CNNs at once are then faster
        (`benchmarks/own_modules.py`), but the normalisation of residual networks is slower.  Results differ
        by rounding.
    """

    optimiser: str = choice("adam", OPTIMISERS)
    learning_rate: float = number(4e-3, above=0)
    warmup: int = integer(50, at_least=0)
    decay: float = number(0.0, at_least=0, at_most=1)
    batch: int = integer(128, at_least=1)
    momentum: float = number(0.9, at_least=0, below=1)
    average: float = number(0.1, at_least=0, below=1)
    evaluation_interval: int = integer(10, at_least=1)
    validation_metric: str = choice("loss", ("error", "loss"))
    patience: float = number(2.0, at_least=1)
    min_steps: int = integer(200, at_least=0)
    loss: str = choice("log", tuple(TRAINING_LOSSES))
    target_training_loss: float = number(0.0, at_least=0)
    decay_shape: str = choice("linear", ("linear", "cosine"))
    precision: str = choice("input", ("input", "tf32", "bf16"))
    compile: bool = flag(False)
    augment: str = choice("none", ("none", "crop-flip"))
    padding: int = integer(4, at_least=1)
    weight_decay: float = number(0.0, at_least=0)
    channels_last: bool = flag(False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.optimiser != "lbfgs":
            return
        # the line search of L-BFGS needs the same function at all of its points
        required_values = {
            "precision": "input",
            "compile": False,
            "augment": "none",
            "weight_decay": 0.0,
            "channels_last": False,
        }
        for name, required in required_values.items():
            if getattr(self, name) != required:
                accepted = f"{required!r} with the optimiser 'lbfgs'"
                raise ValueError(checks.refusal(name, "Recipe", accepted, getattr(self, name)))

    def check_network(self, network: Network, where: str) -> None:
        """Raise ValueError if the recipe is for images, but the network is not a network of images.

        Parameters
        ----------
        network : Network
            The network to train.
        where : str
            Name of the calling function or class, for the error message.
        """
        if self.augment != "none" and not network.image_shape:
            accepted = f"'none' for {type(network).__name__}, whose inputs are no images"
            raise ValueError(checks.refusal("recipe.augment", where, accepted, self.augment))
        if self.channels_last and not isinstance(network, ImageNetwork):
            accepted = f"false for {type(network).__name__}"
            raise ValueError(checks.refusal("recipe.channels_last", where, accepted, self.channels_last))

    def learning_rates(self, step: int, count: int, budget: Tensor, dtype: torch.dtype) -> Tensor:
        """Return the learning rates of each network in the `count` steps after `step`, (count, E).

        Parameters
        ----------
        step : int
            Number of steps that were taken before, >= 0.
        count : int
            Number of steps, >= 1.
        budget : int64 tensor (E,)
            The largest number of steps of each network.
        dtype : torch.dtype
            float32 or float64.
        """
        steps = torch.arange(step + 1, step + count + 1, dtype=dtype, device=budget.device)[:, None]
        rise = (steps / max(self.warmup, 1)).clamp(max=1.0)
        fall = ((budget + 1 - steps) / (self.decay * budget).clamp(min=1.0)).clamp(max=1.0)
        if self.decay_shape == "cosine":
            fall = (1 - torch.cos(math.pi * fall)) / 2
        return self.learning_rate * rise * fall
