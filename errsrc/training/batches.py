"""The order of a network's training examples, as an endless stream of batches."""

from __future__ import annotations

import torch
from torch import Tensor

from errsrc.rng import seed_of
from errsrc.training import augment
from errsrc.training.recipe import Recipe


class BatchStream:
    """The endless stream of batches on which one network is trained.

    The stream goes through all training rows of the network in a random order, then in a new random order,
    and so on.  With augmentation, the stream also draws a random choice for each image, from a second
    generator.  A batch does not depend on how many batches one call of `take` returns.

    Parameters
    ----------
    rows : int64 tensor (n,)
        The network's training rows: indices into the arrays of inputs and labels.
    seed : int
        The network's seed, >= 0.
    recipe : Recipe
        Recipe that gives the size of a batch and the augmentation.
    """

    def __init__(self, rows: Tensor, seed: int, recipe: Recipe) -> None:
        self._rows = rows.cpu()
        self._batch = recipe.batch
        self._left = self._rows[:0]  # rows of the current order that no batch has taken
        self._choices = augment.crop_flip_count(recipe.padding) if recipe.augment != "none" else 0
        names = ("order", "moves") if self._choices else ("order",)
        self._generators = [torch.Generator().manual_seed(seed_of(seed, name)) for name in names]

    def take(self, count: int) -> tuple[Tensor, Tensor]:
        """Return the rows of the next batches, and the random choices for the augmentation of their images.

        Parameters
        ----------
        count : int
            Number of batches, >= 0.

        Returns
        -------
        int64 tensor (count, batch)
            Rows of the examples in each batch.
        int64 tensor (count, batch), or (count, 0) without augmentation
            The `choice` of each image, see `errsrc.training.augment.crop_flip`.
        """
        missing = max(count * self._batch - len(self._left), 0)
        orders = [
            torch.randperm(len(self._rows), generator=self._generators[0])
            for _ in range(-(-missing // len(self._rows)))
        ]
        drawn = torch.cat([self._left, self._rows[torch.cat(orders)]]) if orders else self._left
        self._left = drawn[count * self._batch :]
        batches = drawn[: count * self._batch].view(count, self._batch)
        if not self._choices:
            return batches, batches.new_empty(count, 0)
        return batches, torch.randint(self._choices, (count, self._batch), generator=self._generators[1])

    def state(self) -> tuple[list[Tensor], Tensor]:
        """Return the position in the stream and the states of the generators, for a checkpoint."""
        return [generator.get_state() for generator in self._generators], self._left.clone()

    def restore(self, state: tuple[list[Tensor], Tensor]) -> None:
        """Go back to a saved position.

        Parameters
        ----------
        state : tuple
            A position that the method `state` returned.
        """
        for generator, saved in zip(self._generators, state[0], strict=True):
            generator.set_state(saved)
        self._left = state[1]
