"""The learner that tunes others: it chooses among them by examples held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from errsrc import checks, records
from errsrc.errors import Diverged
from errsrc.learners.kernel_ridge import KernelRidge
from errsrc.learners.learner import Fitted, Learner, check_examples, indicators
from errsrc.settings import AllFunctions, FunctionClass
from errsrc.settings.setting import Array


@dataclass(frozen=True, eq=False)
class TunedFit:
    """The function of the candidate that was chosen.

    Attributes
    ----------
    fitted
        The chosen candidate's predictor, of all examples.
    chosen
        Its place among the candidates.
    losses
        float64 (candidates,): mean squared error of each on the examples held out, summed over outputs,
        classes counting as indicators; inf for one that diverged.  nan where there was nothing to hold out.
    """

    fitted: Fitted
    chosen: int
    losses: Array

    @property
    def status(self) -> str:
        """Which candidate was chosen, and by how much."""
        loss, others = self.losses[self.chosen], np.delete(self.losses, self.chosen)
        if np.isnan(loss) or not len(others):
            return f"{self.fitted.learner!r}: there was nothing to choose by."
        return f"{self.fitted.learner!r}: held out {loss:.3g}, the next best {others.min():.3g}."

    def __call__(self, x: Array) -> Array:
        """Return predictions at x (N, dim)."""
        return self.fitted.function(x)


@dataclass(frozen=True)
class Tuned(Learner):
    """The one of several learners that predicts examples held out best, fitted to all of them.

    A predictor's ``function`` is a `TunedFit`.

    Attributes
    ----------
    candidates
        The learners; of two alike the first is chosen.
    validation
        Share of the n examples that is held out to choose by, in (0, 1), at least one and at most n - 1.

    Examples
    --------
    >>> x = np.linspace(0, 6, 40)[:, None]
    >>> tuned = Tuned((KernelRidge(length=0.01), KernelRidge(length=1.0)))
    >>> tuned.fit(x, np.sin(x[:, 0]), np.random.default_rng(0)).function.fitted.learner.length
    1.0
    """

    candidates: tuple[Learner, ...] = tuple(
        KernelRidge(length=length, ridge=ridge) for length in (0.5, 1.0, 2.0) for ridge in (1e-6, 1e-2)
    )
    validation: float = 0.25

    def __post_init__(self) -> None:
        where, accepted = "Tuned", "a tuple of one learner or more"
        if not isinstance(self.candidates, tuple) or not self.candidates:
            raise TypeError(checks.refusal("candidates", where, accepted, self.candidates))
        for one in self.candidates:
            if not isinstance(one, Learner):
                raise TypeError(checks.refusal("candidates", where, accepted, one))
        checks.number(self.validation, "validation", where, 0, 1, open_low=True, open_high=True)

    @property
    def function_class(self) -> FunctionClass:
        """The class of the candidates where it is one, all functions otherwise."""
        classes = {one.function_class for one in self.candidates}
        return classes.pop() if len(classes) == 1 else AllFunctions()

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return the same choice among candidates of those sizes."""
        return replace(self, candidates=tuple(one.resized(dim, outputs) for one in self.candidates))

    def fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Fitted:
        """Return what is learned from labelled examples, see `Learner.fit`."""
        return self.fit_many([x], [y], [rng])[0]

    def fit_many(
        self, xs: Sequence[Array], ys: Sequence[NDArray[Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Fitted]:
        """Return `fit` of each data set; each candidate is fitted to all data sets at once.

        Raises
        ------
        Diverged
            If a network diverged that was chosen, in its fit to all examples.
        """
        data = [check_examples(x, y, type(self).__name__) for x, y in zip(xs, ys, strict=True)]
        splits = [self._split(len(x), rng) for (x, _), rng in zip(data, rngs, strict=True)]
        seeds = [rng.integers(2**63, size=len(self.candidates) + 1) for rng in rngs]
        losses = np.full((len(data), len(self.candidates)), np.nan)
        sets = [i for i, (_, held) in enumerate(splits) if len(held)]
        for j, candidate in enumerate(self.candidates):
            seen = [(data[i][0][splits[i][0]], data[i][1][splits[i][0]]) for i in sets]
            chances = [np.random.default_rng(seeds[i][j]) for i in sets]
            for i, fitted in zip(sets, _fits(candidate, seen, chances), strict=True):
                losses[i, j] = _loss(fitted, *data[i], splits[i][1])
        chosen = [0 if np.isnan(row).any() else int(row.argmin()) for row in losses]
        found: dict[int, Fitted] = {}
        for j, candidate in enumerate(self.candidates):
            own = [i for i in range(len(data)) if chosen[i] == j]
            chances = [np.random.default_rng(seeds[i][-1]) for i in own]
            fits = candidate.fit_many([data[i][0] for i in own], [data[i][1] for i in own], chances)
            found |= dict(zip(own, fits, strict=True))
        return [
            Fitted(self, TunedFit(found[i], chosen[i], losses[i]), x.shape[1])
            for i, (x, _) in enumerate(data)
        ]

    def _split(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the places of the examples that are learned from and of those held out."""
        held = min(max(round(self.validation * n), 1), n - 1)
        order = rng.permutation(n)
        return np.sort(order[held:]), np.sort(order[:held])


def _fits(
    candidate: Learner, data: Sequence[tuple[Array, NDArray[Any]]], rngs: Sequence[np.random.Generator]
) -> list[Fitted | None]:
    """Return a candidate's fits, None for those that diverged."""
    try:
        return list(candidate.fit_many([x for x, _ in data], [y for _, y in data], rngs))
    except Diverged as lost:
        return [None if any(one.diverged for one in each.function.trained) else each for each in lost.best]


def _loss(fitted: Fitted | None, x: Array, y: NDArray[Any], held: NDArray[np.intp]) -> float:
    """Return the mean squared error at the examples held out, inf where there is no predictor."""
    if fitted is None:
        return np.inf
    labels, values = indicators(y)[held], fitted(x[held])
    if y.dtype.kind == "i":  # a learner may know more classes, or have missed those that were held out
        width = max(labels.shape[1], values.shape[1])
        labels, values = (np.pad(each, ((0, 0), (0, width - each.shape[1]))) for each in (labels, values))
    return float(((values - labels) ** 2).sum() / len(held))


@records.text.register
def _(tuned: Tuned) -> str:
    """Return what the candidates have in common, where they are learners of one class."""
    if len({type(one) for one in tuned.candidates}) == 1:
        return f"Tuned({records.shared_text(tuned.candidates)})"
    return records.shared_text([tuned])
