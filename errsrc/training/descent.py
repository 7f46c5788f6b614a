"""Gradient descent on batches, which takes a step of all networks at once."""

from __future__ import annotations

import contextlib
import functools
import math
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from errsrc.nets.network import ImageNetwork, Network, Weights
from errsrc.training import augment, distributed
from errsrc.training.batches import BatchStream
from errsrc.training.objectives import TRAINING_LOSSES
from errsrc.training.optimiser import Optimiser
from errsrc.training.recipe import Recipe
from errsrc.training.risk import take_rows

_ADAM = (0.9, 0.999)  # betas
_EPSILON = 1e-8  # of Adam: keeps a step finite where gradients are 0


class MinibatchDescent(Optimiser):
    """Adam or SGD with momentum for E networks at once.

    Weights, gradients, averages and moments each have a flat buffer of their own.  It begins with tensor 1 of
    every network; tensor 2 of every network follows, and so on.  Therefore an elementwise operation is one
    call, and matrix products read and write whole tensors.  The gradients of pruned weights are set to 0, and
    therefore these weights never change.  Between two evaluations the CPU never waits for the GPU.

    Parameters
    ----------
    network : Network
        The architecture of all networks.
    x : tensor (N, inputs)
        Inputs of all networks.
    y : tensor (N, ...)
        Labels, see `errsrc.training.train`.
    rows : sequence of int64 tensors
        The rows of `x` and `y` on which each network is trained.
    seeds : sequence of int
        The seed of each network.
    recipe : Recipe
        Options of training, with the optimiser "adam" or "sgd".
    weights : tuple of tensors (E, ...)
        Initial weights.
    pruned : tuple of bool tensors (E, ...), optional
        True for weights that are pruned.
    start_step : int
        The step at which training starts.  The schedule and the batches continue from this step.
    """

    def __init__(
        self, network: Network, x: Tensor, y: Tensor, rows: Sequence[Tensor], seeds: Sequence[int],
        recipe: Recipe, weights: Weights, pruned: Weights | None, start_step: int,
    ) -> None:  # fmt: skip
        if recipe.channels_last and isinstance(network, ImageNetwork):
            network = network.in_channels_last()
        self._network, self._recipe, self._x, self._y = network, recipe, x, y
        self._start_step = start_step
        self._loss = TRAINING_LOSSES[recipe.loss]
        self._streams = [BatchStream(own, seed, recipe) for own, seed in zip(rows, seeds, strict=True)]
        for stream in self._streams:
            stream.take(start_step)
        self._example_weight = x.new_full((1, 1), 1 / recipe.batch)
        self._losses_and_gradients = self._by_graph
        step = network, recipe.loss, recipe.precision, recipe.batch
        if recipe.compile:
            self._batch_losses = _compiled(*step, recipe.channels_last, x.device.type)
        elif recipe.precision == "bf16":
            self._batch_losses = _batch_losses(*step)
        else:
            self._losses_and_gradients = self._by_network
        flat = torch.cat([w.flatten() for w in weights])
        self._pruned = None if pruned is None else torch.cat([mask.flatten() for mask in pruned])
        moments = [torch.zeros_like(flat) for _ in range(2 if recipe.optimiser == "adam" else 1)]
        self._set_buffers(flat, moments, flat.clone())

    def _set_buffers(self, weights: Tensor, moments: list[Tensor], average: Tensor) -> None:
        self._weights, self._moments = weights, moments
        self._average = average if self._recipe.average else weights
        self._gradient = torch.empty_like(weights)
        self._weight_tensors, self._gradient_tensors = self._tensors(weights), self._tensors(self._gradient)
        self._direction = self._gradient if self._recipe.optimiser == "adam" else moments[0]
        self._moves = list(zip(self._weight_tensors, self._tensors(self._direction), strict=True))
        if len(self._streams) == 1:  # one rate for all weights, so one call
            self._moves = [(weights, self._direction)]
        self.stalled = torch.zeros(len(self._streams), dtype=torch.bool, device=weights.device)

    def _tensors(self, buffer: Tensor) -> Weights:
        """Return views of a buffer's tensors, (E, ...)."""
        members, start, tensors = len(self._streams), 0, []
        for shape in self._network.shapes():
            end = start + members * math.prod(shape)
            tensors.append(buffer[start:end].view(members, *shape))
            start = end
        return tuple(tensors)

    @property
    def weights(self) -> Tensor:
        """The weights of all networks after the last step, (E, P)."""
        return self._network.flatten(self._tensors(self._weights))

    @property
    def averaged_weights(self) -> Tensor:
        """The moving averages of the weights, (E, P)."""
        return self._network.flatten(self._tensors(self._average))

    def keep(self, mask: Tensor) -> None:
        """Keep the networks where `mask`, bool (E,), is True, and drop all others."""

        def kept(buffer: Tensor) -> Tensor:
            return torch.cat([w[mask].flatten() for w in self._tensors(buffer)])

        weights, average, *moments = map(kept, (self._weights, self._average, *self._moments))
        self._pruned = None if self._pruned is None else kept(self._pruned)
        self._streams = [s for s, is_kept in zip(self._streams, mask.tolist(), strict=True) if is_kept]
        self._set_buffers(weights, moments, average)

    def state(self) -> dict[str, Any]:
        """Return everything that a step changes, for a checkpoint."""
        return {
            "weights": self._weights,
            "moments": torch.stack(self._moments),
            "average": self._average,
            "orders": [stream.state() for stream in self._streams],
        }

    def restore(self, state: dict[str, Any], active: Tensor) -> None:
        """Go back to a saved state of the networks with the indices `active`, see `Optimiser.restore`."""
        self.keep(torch.isin(torch.arange(len(self._streams), device=active.device), active))
        self._set_buffers(state["weights"], list(state["moments"]), state["average"])
        for stream, saved in zip(self._streams, state["orders"], strict=True):
            stream.restore(saved)

    def take_steps(self, step: int, count: int, budget: Tensor, loss_sum: Tensor) -> None:
        """Take `count` steps and add their batch losses to `loss_sum`, see `Optimiser.take_steps`."""
        device, dtype, recipe = self._x.device, self._x.dtype, self._recipe
        rows, choices = self._next_batches(count)
        rates = recipe.learning_rates(step, count, budget, dtype)
        first = step + 1 - self._start_step
        # Adam's bias correction in the kernel takes the number of the step as a tensor
        numbers = torch.arange(count, dtype=torch.float32, device=device) + first
        batch_loss_sum = torch.zeros(len(budget), dtype=dtype, device=device)
        with _matrix_precision(recipe, device):
            for k in range(count):
                x = take_rows(self._x, rows[k])
                if recipe.augment != "none":
                    x = augment.crop_flip(x, choices[k], self._network.image_shape, recipe.padding)
                batch_loss_sum += self._losses_and_gradients(x, take_rows(self._y, rows[k]))
                distributed.all_reduce(self._gradient)
                if recipe.weight_decay and recipe.optimiser == "sgd":
                    self._gradient.add_(self._weights, alpha=recipe.weight_decay)
                if self._pruned is not None:
                    self._gradient.masked_fill_(self._pruned, 0.0)
                self._move(first + k, numbers[k], rates[k])
                if recipe.average:
                    self._average.lerp_(self._weights, min(1.0, 1 / (recipe.average * (first + k))))
        loss_sum += distributed.all_reduce(batch_loss_sum)

    def _next_batches(self, count: int) -> tuple[Tensor, Tensor]:
        """Return this process's rows and choices of the next batches, (count, E, examples)."""
        batches = [stream.take(count) for stream in self._streams]
        share = distributed.shard(self._recipe.batch)
        rows, choices = (
            torch.stack(own, 1)[..., share].to(self._x.device) for own in zip(*batches, strict=True)
        )
        return rows, choices

    def _by_network(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the losses (E,) of a batch and write the gradients, with the network's own method."""
        output_loss = functools.partial(self._loss.loss_and_gradient, y=y, weights=self._example_weight)
        return self._network.gradients(self._weight_tensors, x, output_loss, self._gradient_tensors)

    def _by_graph(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the losses (E,) of a batch and write the gradients, by automatic differentiation."""
        if self._recipe.compile and x.is_cuda:
            torch.compiler.cudagraph_mark_step_begin()  # no result of the last step is still in use
        leaves = tuple(w.detach().requires_grad_() for w in self._weight_tensors)
        with torch.enable_grad():
            batch_losses = self._batch_losses(leaves, x, y)
            found = torch.autograd.grad(batch_losses.sum(), leaves)
        torch._foreach_copy_(self._gradient_tensors, found)
        return batch_losses.detach()

    def _move(self, number: int, number_tensor: Tensor, rates: Tensor) -> None:
        """Take the optimiser's step with this number, from 1 on, at learning rates (E,)."""
        adam = self._recipe.optimiser == "adam"
        if adam and self._recipe.weight_decay:
            for w in self._weight_tensors:
                w.mul_((1 - rates * self._recipe.weight_decay).view(-1, *[1] * (w.dim() - 1)))
        if adam and self._recipe.compile and len(self._streams) == 1:
            self._adam_in_one_kernel(rates[0], number_tensor)
            return
        if adam:
            self._set_adam_direction(number)
        else:
            self._moments[0].mul_(self._recipe.momentum).add_(self._gradient)
        for w, move in self._moves:
            w.addcmul_(move, rates.view(-1, *[1] * (w.dim() - 1)), value=-1)

    def _set_adam_direction(self, number: int) -> None:
        """Replace the gradient by Adam's step of rate 1; new memory at each step would be slow."""
        mean, square = self._moments
        mean.lerp_(self._gradient, 1 - _ADAM[0])
        square.mul_(_ADAM[1]).addcmul_(self._gradient, self._gradient, value=1 - _ADAM[1])
        correction = (1 - _ADAM[1] ** number) ** 0.5
        # With weight decay, the small number is where torch.optim.AdamW has it.  Without, it stays where
        # version 0.1.0 had it (Kingma and Ba 2015, end of section 2), so that no result changes.
        epsilon = _EPSILON * correction if self._recipe.weight_decay else _EPSILON
        direction = torch.sqrt(square, out=self._gradient).add_(epsilon)
        torch.div(mean, direction, out=direction)
        direction.mul_(correction / (1 - _ADAM[0] ** number))

    def _adam_in_one_kernel(self, rate: Tensor, number: Tensor) -> None:
        """Take Adam's step by torch's fused kernel, which has one rate; both tensors have the shape ()."""
        torch._fused_adam_(
            [self._weights], [self._gradient], [self._moments[0]], [self._moments[1]], [], [number],
            lr=rate, beta1=_ADAM[0], beta2=_ADAM[1], weight_decay=0.0, eps=1e-8, amsgrad=False,
            maximize=False,
        )  # fmt: skip


BatchLosses = Callable[[Weights, Tensor, Tensor], Tensor]
"""Function of weights (E, ...), inputs and labels that returns each member's mean loss on a batch, (E,)."""


def _batch_losses(network: Network, loss: str, precision: str, batch: int) -> BatchLosses:
    """Return the losses of a batch as a function of weights, inputs and labels; see `Recipe` for the rest."""
    cast = torch.bfloat16 if precision == "bf16" else None
    training_loss = TRAINING_LOSSES[loss]

    def batch_losses(weights: Weights, x: Tensor, y: Tensor) -> Tensor:
        with torch.autocast(x.device.type, cast, enabled=cast is not None):
            outputs = network(weights, x)
        return training_loss.example_losses(outputs.to(x.dtype), y).sum(1) / batch

    return batch_losses


@functools.lru_cache(maxsize=8)
def _compiled(
    network: Network, loss: str, precision: str, batch: int, channels_last: bool, device: str
) -> BatchLosses:
    """Return `_batch_losses`, compiled; calls whose recipes differ in other options share one compilation."""
    plain: Any = _batch_losses(network, loss, precision, batch)
    # torch compiles one code object for a few shapes only, so each network gets a code object of its own
    own = types.FunctionType(plain.__code__.replace(), plain.__globals__, closure=plain.__closure__)
    return torch.compile(own, dynamic=False, mode="reduce-overhead" if device == "cuda" else "default")


@contextlib.contextmanager
def _matrix_precision(recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Use TF32 for products of float32 in the context if the recipe says so, and not otherwise.

    By default torch uses TF32 in convolutions, and in no other product.
    """
    if device.type != "cuda":
        yield
        return
    tf32, convolutions = recipe.precision == "tf32", torch.backends.cudnn
    before = torch.get_float32_matmul_precision(), convolutions.allow_tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    convolutions.allow_tf32 = tf32
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        convolutions.allow_tf32 = before[1]
