"""A learner that chooses among other learners by their errors on held-out examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from errsrc import checks, records
from errsrc.errors import Diverged
from errsrc.fields import declare, number
from errsrc.learners.kernel_ridge import KernelRidge
from errsrc.learners.learner import LEARNER, BatchLearner, Fitted, Learner, check_examples, indicators
from errsrc.settings import AllFunctions, FunctionClass
from errsrc.settings.setting import Array

_DataSet = tuple[Array, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class TunedFit:
    """The predictor of the chosen candidate, with the losses of all candidates.

    Attributes
    ----------
    fitted : Fitted
        The predictor of the chosen candidate, fitted to all examples.
    chosen : int
        Position of the chosen candidate in ``candidates``.
    losses : ndarray of float64, (candidates,)
        Mean squared error of each candidate on the held-out examples, summed over outputs.  Labels that are
        classes are replaced by indicators.  The loss is inf for a candidate that diverged, and nan if no
        example was held out.
    """

    fitted: Fitted
    chosen: int
    losses: Array

    @property
    def diverged(self) -> bool:
        """Whether the training of the chosen candidate's predictor diverged."""
        return self.fitted.diverged

    @property
    def status(self) -> str:
        """The chosen candidate, its held-out loss, and the loss of the next best candidate, in words."""
        loss, others = self.losses[self.chosen], np.delete(self.losses, self.chosen)
        if np.isnan(loss) or not len(others):
            return f"{self.fitted.learner!r}: there was nothing to choose by."
        return f"{self.fitted.learner!r}: held out {loss:.3g}, the next best {others.min():.3g}."

    def __call__(self, x: Array) -> Array:
        """Return predictions.

        Parameters
        ----------
        x : ndarray of float64, (N, dim)
            Inputs.

        Returns
        -------
        predictions : ndarray of float64, (N,) or (N, outputs) or (N, classes)
            Predictions of the chosen candidate.
        """
        return self.fitted.function(x)


@dataclass(frozen=True)
class Tuned(BatchLearner):
    """The best of several learners, chosen by their errors on held-out examples.

    The chosen learner is then fitted to all examples.  A predictor's ``function`` is a `TunedFit`.

    Parameters
    ----------
    candidates : tuple of Learner
        The learners, one or more.  Of equally good learners, the first is chosen.
    validation : float
        Share of the n examples that are held out for the choice, in (0, 1).  At least one and at most n - 1
        examples are held out.

    Examples
    --------
    >>> x = np.linspace(0, 6, 40)[:, None]
    >>> tuned = Tuned((KernelRidge(length=0.01), KernelRidge(length=1.0)))
    >>> tuned.fit(x, np.sin(x[:, 0]), np.random.default_rng(0)).function.fitted.learner.length
    1.0
    """

    candidates: tuple[Learner, ...] = declare(
        checks.Tuple(LEARNER, at_least=1),
        tuple(
            KernelRidge(length=length, ridge=ridge) for length in (0.5, 1.0, 2.0) for ridge in (1e-6, 1e-2)
        ),
    )
    validation: float = number(0.25, above=0, below=1)

    @property
    def function_class(self) -> FunctionClass:
        """The function class of the candidates if all have the same class; otherwise, all functions."""
        classes = {one.function_class for one in self.candidates}
        return classes.pop() if len(classes) == 1 else AllFunctions()

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return a copy whose candidates are resized to `dim` inputs and `outputs` outputs."""
        return replace(self, candidates=tuple(one.resized(dim, outputs) for one in self.candidates))

    def fit_many(
        self, xs: Sequence[Array], ys: Sequence[NDArray[Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Fitted]:
        """Return a predictor for each data set; each candidate is fitted to all data sets at once.

        Raises
        ------
        Diverged
            If a chosen candidate diverges when it is fitted to all examples.
        """
        data = [check_examples(x, y, type(self).__name__) for x, y in zip(xs, ys, strict=True)]
        splits = [self._split(len(x), rng) for (x, _), rng in zip(data, rngs, strict=True)]
        seeds = [rng.integers(2**63, size=len(self.candidates) + 1) for rng in rngs]
        losses = self._held_out_losses(data, splits, seeds)
        chosen = [0 if np.isnan(row).any() else int(row.argmin()) for row in losses]
        found: dict[int, Fitted] = {}
        for j, candidate in enumerate(self.candidates):
            own = [i for i in range(len(data)) if chosen[i] == j]
            own_rngs = [np.random.default_rng(seeds[i][-1]) for i in own]
            fits = candidate.fit_many([data[i][0] for i in own], [data[i][1] for i in own], own_rngs)
            found |= dict(zip(own, fits, strict=True))
        functions = [TunedFit(found[i], chosen[i], losses[i]) for i in range(len(data))]
        return [Fitted(self, f, x.shape[1]) for f, (x, _) in zip(functions, data, strict=True)]

    def _split(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the positions of the examples that candidates are fitted to, and of those held out."""
        count = min(max(round(self.validation * n), 1), n - 1)
        order = rng.permutation(n)
        return np.sort(order[count:]), np.sort(order[:count])

    def _held_out_losses(
        self,
        data: Sequence[_DataSet],
        splits: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
        seeds: Sequence[NDArray[np.int64]],
    ) -> Array:
        """Return losses on the examples held out, (data sets, candidates); nan where there are none."""
        losses = np.full((len(data), len(self.candidates)), np.nan)
        split_sets = [i for i, (_, held_out) in enumerate(splits) if len(held_out)]
        for j, candidate in enumerate(self.candidates):
            rest = [(data[i][0][splits[i][0]], data[i][1][splits[i][0]]) for i in split_sets]
            rngs = [np.random.default_rng(seeds[i][j]) for i in split_sets]
            for i, fitted in zip(split_sets, _fits(candidate, rest, rngs), strict=True):
                losses[i, j] = _loss(fitted, *data[i], splits[i][1])
        return losses


def _fits(
    candidate: Learner, data: Sequence[_DataSet], rngs: Sequence[np.random.Generator]
) -> list[Fitted | None]:
    """Return a candidate's predictors, and None for those that diverged."""
    try:
        return list(candidate.fit_many([x for x, _ in data], [y for _, y in data], rngs))
    except Diverged as error:
        return [None if fitted.diverged else fitted for fitted in error.best]


def _loss(fitted: Fitted | None, x: Array, y: NDArray[Any], held_out: NDArray[np.intp]) -> float:
    """Return the mean squared error at the examples held out; inf without a predictor."""
    if fitted is None:
        return np.inf
    labels, values = indicators(y)[held_out], fitted(x[held_out])
    if y.dtype.kind == "i":  # the predictor may have scores of more classes, or of fewer
        width = max(labels.shape[1], values.shape[1])
        labels, values = (np.pad(each, ((0, 0), (0, width - each.shape[1]))) for each in (labels, values))
    return float(((values - labels) ** 2).sum() / len(held_out))


@records.text.register
def _(tuned: Tuned) -> str:
    """Return what the candidates have in common, if they are learners of one class."""
    if len({type(one) for one in tuned.candidates}) == 1:
        return f"Tuned({records.shared_text(tuned.candidates)})"
    return records.shared_text([tuned])
