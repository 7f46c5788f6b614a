"""Gradient descent on batches of stacked members: their steps, and the order of their examples."""

from __future__ import annotations

import contextlib
import functools
import math
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from errsrc.nets.network import Network, Weights
from errsrc.rng import seed_of
from errsrc.training import augment, distributed
from errsrc.training.recipe import Recipe
from errsrc.training.risk import each_loss, head, take

_ADAM = (0.9, 0.999)  # decay of the two moments


class Descent:
    """Gradient descent on batches: E members' weights, their average, moments and orders.

    Each of these is one buffer in which the members' first tensors come first, then their second ones:
    elementwise work is one call, and the products read and write whole tensors.  The slopes of pruned
    weights are 0, so that their moments, moves and averages are.  Between two looks nothing waits for
    the device.

    Parameters
    ----------
    network, x, y, recipe, begin
        See `errsrc.training.train`.
    rows, seeds
        Each member's rows of x and y, int64, and its seed.
    start, pruned
        First weights (E, ...), and bool (E, ...), True where they are pruned.
    """

    def __init__(
        self, network: Network, x: Tensor, y: Tensor, rows: Sequence[Tensor], seeds: Sequence[int],
        recipe: Recipe, start: Weights, pruned: Weights | None, begin: int,
    ) -> None:  # fmt: skip
        self._network, self._recipe, self._x, self._y, self._begin = network, recipe, x, y, begin
        self._orders = [_Order(own, seed, recipe) for own, seed in zip(rows, seeds, strict=True)]
        for order in self._orders:
            order.take(begin)
        self._share = x.new_full((1, 1), 1 / recipe.batch)
        self._slopes = self._by_graph
        if recipe.compile:
            self._batch_losses = _compiled(network, recipe, x.device.type)
        elif recipe.precision == "bf16":
            self._batch_losses = _batch_losses(network, recipe)
        else:
            self._slopes = self._by_network
        weights = torch.cat([w.flatten() for w in start])
        self._pruned = None if pruned is None else torch.cat([gone.flatten() for gone in pruned])
        moments = [torch.zeros_like(weights) for _ in range(2 if recipe.optimiser == "adam" else 1)]
        self._hold(weights, moments, weights.clone())

    def _hold(self, weights: Tensor, moments: list[Tensor], average: Tensor) -> None:
        self._weights, self._moments = weights, moments
        self._average = average if self._recipe.average else weights
        self._slope = torch.empty_like(weights)

    def _tensors(self, buffer: Tensor) -> Weights:
        """Return a buffer's tensors, (E, ...), as views."""
        members, start, tensors = len(self._orders), 0, []
        for shape in self._network.shapes():
            end = start + members * math.prod(shape)
            tensors.append(buffer[start:end].view(members, *shape))
            start = end
        return tuple(tensors)

    @property
    def point(self) -> Tensor:
        """The averaged weights, (E, P)."""
        return self._network.flatten(self._tensors(self._average))

    @property
    def raw(self) -> Tensor:
        """The weights themselves, (E, P)."""
        return self._network.flatten(self._tensors(self._weights))

    @property
    def stuck(self) -> bool:
        """False: descent never ends by itself."""
        return False

    def keep(self, mask: Tensor) -> None:
        """Drop the members outside ``mask``, bool (E,)."""

        def left(buffer: Tensor) -> Tensor:
            return torch.cat([w[mask].flatten() for w in self._tensors(buffer)])

        weights, average, *moments = map(left, (self._weights, self._average, *self._moments))
        self._pruned = None if self._pruned is None else left(self._pruned)
        self._orders = [order for order, kept in zip(self._orders, mask.tolist(), strict=True) if kept]
        self._hold(weights, moments, average)

    def state(self) -> dict[str, Any]:
        """Return all that changes from step to step."""
        return {
            "weights": self._weights,
            "moments": torch.stack(self._moments),
            "average": self._average,
            "orders": [order.state() for order in self._orders],
        }

    def restore(self, state: dict[str, Any], live: Tensor) -> None:
        """Go back to a `state` of the members with the numbers ``live``, int64 (members,)."""
        self.keep(torch.isin(torch.arange(len(self._orders), device=live.device), live))
        self._hold(state["weights"], list(state["moments"]), state["average"])
        for order, its in zip(self._orders, state["orders"], strict=True):
            order.restore(its)

    def advance(self, step: int, pace: int, budget: Tensor) -> Tensor:
        """Take ``pace`` steps from ``step`` and return each member's sum of batch losses, (E,)."""
        device, dtype, recipe = self._x.device, self._x.dtype, self._recipe
        batches = [order.take(pace) for order in self._orders]
        mine = distributed.share(recipe.batch)
        rows, turns = (torch.stack(own, 1)[..., mine].to(device) for own in zip(*batches, strict=True))
        rates = recipe.learning_rates(step, pace, budget, dtype)
        weights, slopes = self._tensors(self._weights), self._tensors(self._slope)
        downhill = self._slope if recipe.optimiser == "adam" else self._moments[0]
        moves = list(zip(weights, self._tensors(downhill), strict=True))
        if len(self._orders) == 1:  # one rate for all, so one call
            moves = [(self._weights, downhill)]
        fused = recipe.compile and recipe.optimiser == "adam" and len(self._orders) == 1
        taken = torch.arange(pace, dtype=torch.float32, device=device) + (step + 1 - self._begin)
        seen = torch.zeros(len(budget), dtype=dtype, device=device)
        with _products(recipe, device):
            for k in range(pace):
                x = take(self._x, rows[k])
                if recipe.augment != "none":
                    x = augment.moved(x, turns[k], self._network.image_shape, recipe.padding)
                seen += self._slopes(weights, x, take(self._y, rows[k]), slopes)
                distributed.summed(self._slope)
                if self._pruned is not None:
                    self._slope.masked_fill_(self._pruned, 0.0)
                since = step + k + 1 - self._begin
                if fused:
                    self._fused_move(rates[k, 0], taken[k])
                else:
                    self._move(since)
                    for w, move in moves:
                        w.addcmul_(move, rates[k].view(-1, *[1] * (w.dim() - 1)), value=-1)
                if recipe.average:
                    self._average.lerp_(self._weights, min(1.0, 1 / (recipe.average * since)))
        return distributed.summed(seen)

    def _by_network(self, weights: Weights, x: Tensor, y: Tensor, slopes: Weights) -> Tensor:
        """Return the losses (E,) of a batch and write the slopes, as the network itself finds them."""
        of_batch = functools.partial(head, y=y, loss=self._recipe.loss, share=self._share)
        return self._network.gradients(weights, x, of_batch, slopes)

    def _by_graph(self, weights: Weights, x: Tensor, y: Tensor, slopes: Weights) -> Tensor:
        """Return and write the same, from a graph of all that is between weights and losses."""
        if self._recipe.compile and x.is_cuda:
            torch.compiler.cudagraph_mark_step_begin()  # nothing of the last step is still in use
        leaves = tuple(w.detach().requires_grad_() for w in weights)
        with torch.enable_grad():
            batch_losses = self._batch_losses(leaves, x, y)
            found = torch.autograd.grad(batch_losses.sum(), leaves)
        torch._foreach_copy_(slopes, found)
        return batch_losses.detach()

    def _move(self, step: int) -> None:
        """Turn slopes into the optimiser's step of rate 1 downhill, in their place, or in the moment's."""
        if self._recipe.optimiser == "sgd":
            self._moments[0].mul_(self._recipe.momentum).add_(self._slope)
            return
        mean, square = self._moments
        mean.lerp_(self._slope, 1 - _ADAM[0])
        square.mul_(_ADAM[1]).addcmul_(self._slope, self._slope, value=1 - _ADAM[1])
        move = torch.sqrt(square, out=self._slope).add_(1e-8)  # new memory at each step is slow
        torch.div(mean, move, out=move)
        move.mul_((1 - _ADAM[1] ** step) ** 0.5 / (1 - _ADAM[0] ** step))

    def _fused_move(self, rate: Tensor, step: Tensor) -> None:
        """Take Adam's step by torch's one kernel for it, which knows one rate; both tensors ()."""
        torch._fused_adam_(
            [self._weights], [self._slope], [self._moments[0]], [self._moments[1]], [], [step], lr=rate,
            beta1=_ADAM[0], beta2=_ADAM[1], weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False,
        )  # fmt: skip


BatchLosses = Callable[[Weights, Tensor, Tensor], Tensor]


def _batch_losses(network: Network, recipe: Recipe) -> BatchLosses:
    """Return the function of weights (E, ...), inputs and labels whose value is the batch losses (E,)."""
    cast = torch.bfloat16 if recipe.precision == "bf16" else None

    def batch_losses(weights: Weights, x: Tensor, y: Tensor) -> Tensor:
        with torch.autocast(x.device.type, cast, enabled=cast is not None):
            outputs = network(weights, x)
        return each_loss(outputs.to(x.dtype), y, recipe.loss).sum(1) / recipe.batch

    return batch_losses


@functools.lru_cache(maxsize=8)
def _compiled(network: Network, recipe: Recipe, device: str) -> BatchLosses:
    """Return `_batch_losses`, compiled."""
    plain: Any = _batch_losses(network, recipe)
    # torch compiles one code object for a few shapes and no more: each network gets one of its own
    own = types.FunctionType(plain.__code__.replace(), plain.__globals__, closure=plain.__closure__)
    return torch.compile(own, dynamic=False, mode="reduce-overhead" if device == "cuda" else "default")


@contextlib.contextmanager
def _products(recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Let products of float32 be of TF32 inside, where the recipe says so, and only there.

    Left to itself torch takes TF32 in convolutions, and in no other product.
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


class _Order:
    """A member's endless stream of batches: its rows in one fresh random order after another.

    Beside them the moves of their images, where there are any, of a generator of their own: the next
    numbers of each do not depend on how many are taken at once.
    """

    def __init__(self, rows: Tensor, seed: int, recipe: Recipe) -> None:
        self.rows = rows.cpu()
        self.batch = recipe.batch
        self.left = self.rows[:0]
        self.moves = augment.moves(recipe.padding) if recipe.augment != "none" else 0
        names = ("order", "moves") if self.moves else ("order",)
        self.generators = [torch.Generator().manual_seed(seed_of(seed, name)) for name in names]

    def take(self, steps: int) -> tuple[Tensor, Tensor]:
        """Return the next batches and the moves of their images, int64 (steps, batch) each."""
        missing = max(steps * self.batch - len(self.left), 0)
        orders = [
            torch.randperm(len(self.rows), generator=self.generators[0])
            for _ in range(-(-missing // len(self.rows)))
        ]
        drawn = torch.cat([self.left, self.rows[torch.cat(orders)]]) if orders else self.left
        self.left = drawn[steps * self.batch :]
        batches = drawn[: steps * self.batch].view(steps, self.batch)
        if not self.moves:
            return batches, batches.new_empty(steps, 0)
        return batches, torch.randint(self.moves, (steps, self.batch), generator=self.generators[1])

    def state(self) -> tuple[list[Tensor], Tensor]:
        """Return where the stream is."""
        return [generator.get_state() for generator in self.generators], self.left.clone()

    def restore(self, state: tuple[list[Tensor], Tensor]) -> None:
        """Go back to a `state`."""
        for generator, its in zip(self.generators, state[0], strict=True):
            generator.set_state(its)
        self.left = state[1]
