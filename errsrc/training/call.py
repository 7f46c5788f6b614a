"""The arguments of a call of `errsrc.training.train`, with their checks and a hash that identifies them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from errsrc import checks
from errsrc.checks import Instance, Integer
from errsrc.nets.network import Network, Weights
from errsrc.training import distributed
from errsrc.training.checkpoint import call_identity
from errsrc.training.members import Member
from errsrc.training.objectives import TRAINING_LOSSES, TrainingLoss
from errsrc.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class TrainingCall:
    """The arguments of `errsrc.training.train` that determine its result.

    Attributes
    ----------
    network, x, y, members, validation, recipe, initial_weights, masks, start_step, rewind_step
        The arguments with these names, see `errsrc.training.train`.
    """

    network: Network
    x: Tensor
    y: Tensor
    members: Sequence[Member]
    validation: tuple[Tensor, Tensor] | None
    recipe: Recipe
    initial_weights: Weights | None
    masks: Weights | None
    start_step: int
    rewind_step: int

    @property
    def loss(self) -> TrainingLoss:
        """The training loss."""
        return TRAINING_LOSSES[self.recipe.loss]

    @property
    def has_validation(self) -> bool:
        """Whether there are validation examples, which choose the stopping times and weights."""
        return self.validation is not None or self.members[0].validation is not None

    def identity(self) -> str:
        """Return a hash that identifies this call, see `errsrc.training.checkpoint`."""
        groups = (self.validation or (), self.initial_weights or (), self.masks or ())
        rows = [part for m in self.members for part in (m.rows, m.validation) if part is not None]
        budgets = [(m.steps, m.seed, m.validation is None) for m in self.members]
        lengths = [len(group) for group in groups]
        call: tuple[object, ...] = (self.network, self.recipe, budgets, lengths)
        call += (self.start_step, self.rewind_step)
        call += (self.network.source_digest,) if self.network.source_digest else ()
        return call_identity(call, [self.x, self.y, *(a for group in groups for a in group), *rows])

    def check(self) -> None:
        """Raise TypeError if an argument has a wrong type, or ValueError if arguments do not match."""
        Instance(Network, "a network of errsrc.nets")(self.network, "network", "train")
        Instance(Recipe, "a Recipe")(self.recipe, "recipe", "train")
        self._check_members()
        self._check_validation()
        self._check_examples("", self.x, self.y)
        if self.validation is not None:
            self._check_examples("validation ", *self.validation)
        self._check_tensors("initial_weights", "weights", self.initial_weights, self.x.dtype)
        self._check_tensors("masks", "masks", self.masks, torch.bool)
        Integer(at_least=0)(self.rewind_step, "rewind_step", "train")
        last = min(member.steps for member in self.members) - 1
        Integer(at_least=0, at_most=last)(self.start_step, "start_step", "train")
        self._check_recipe()

    def _check_members(self) -> None:
        if not self.members:
            raise ValueError(checks.refusal("members", "train", "one member or more", self.members))
        rows = [part for m in self.members for part in (m.rows, m.validation) if part is not None]
        last = max(int(np.max(part)) for part in rows)
        if last >= len(self.x):
            accepted = f"members whose rows are among the {len(self.x)} rows of x"
            raise ValueError(checks.refusal("members", "train", accepted, f"<row {last}>"))

    def _check_validation(self) -> None:
        own = sum(member.validation is not None for member in self.members)
        if own not in (0, len(self.members)) or (own and self.validation is not None):
            accepted = "one set for all members, or rows of their own for all members, or none"
            got = f"<{own} of {len(self.members)} own>"
            raise ValueError(checks.refusal("validation", "train", accepted, got))

    def _check_examples(self, prefix: str, x: Tensor, y: Tensor) -> None:
        network, loss = self.network, self.loss
        if x.dtype not in (torch.float32, torch.float64) or x.shape[1:] != (network.inputs,):
            accepted = f"{prefix}inputs (N, {network.inputs}) of float32 or float64"
            raise ValueError(checks.refusal("x", "train", accepted, _described(x)))
        shapes = loss.label_shapes(network.positions, network.outputs)
        right_dtype = y.dtype == loss.label_dtype(x.dtype) == loss.label_dtype(self.x.dtype)
        if not right_dtype or y.shape[1:] not in shapes or len(y) != len(x):
            shape = ", ".join(map(str, ("N", *shapes[0]))) + ("" if shapes[0] else ",")
            dtype = _name(loss.label_dtype(self.x.dtype))
            accepted = f"{prefix}{loss.labels} ({shape}) of {dtype}"
            raise ValueError(checks.refusal("y", "train", accepted, _described(y)))

    def _check_tensors(self, name: str, what: str, tensors: Weights | None, dtype: torch.dtype) -> None:
        if tensors is None:
            return
        expected = [(len(self.members), *shape) for shape in self.network.shapes()]
        if [tuple(w.shape) for w in tensors] != expected or any(w.dtype != dtype for w in tensors):
            accepted = f"{what} (E, ...) of {len(self.members)} members of the network, of {_name(dtype)}"
            got = f"<{[tuple(w.shape) for w in tensors]} of {_name(tensors[0].dtype)}>"
            raise ValueError(checks.refusal(name, "train", accepted, got))

    def _check_recipe(self) -> None:
        recipe, dtype = self.recipe, self.x.dtype
        if recipe.precision != "input" and dtype != torch.float32:
            accepted = f"'input' for inputs of {_name(dtype)}"
            raise ValueError(checks.refusal("recipe.precision", "train", accepted, recipe.precision))
        processes = distributed.world_size()
        if recipe.batch < processes:
            accepted = f"an integer >= {processes}, the number of processes"
            raise ValueError(checks.refusal("recipe.batch", "train", accepted, recipe.batch))
        recipe.check_network(self.network, "train")


def _name(dtype: torch.dtype) -> str:
    """Return the name of a dtype, as "float32"."""
    return str(dtype).removeprefix("torch.")


def _described(array: Tensor) -> str:
    """Return the shape and dtype of an array, for a message."""
    return f"<{tuple(array.shape)} of {_name(array.dtype)}>"
