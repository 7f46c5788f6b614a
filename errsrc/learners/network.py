"""Network students, trained by gradient descent, hundreds at once."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from errsrc import checks
from errsrc.errors import Diverged
from errsrc.learners.learner import Fitted, Learner, check_examples
from errsrc.nets import MLP, Weights
from errsrc.nets import Network as Architecture
from errsrc.settings import AllFunctions, FunctionClass, NetworkFunctions
from errsrc.settings.setting import Array
from errsrc.training import Member, Recipe, Trained, train

_HELD = 2**22  # outputs held at once in predictions


@dataclass(frozen=True)
class NetworkStudent(Learner):
    """A network trained by gradient descent, or the average of several.

    With the recipe's loss "squared" it predicts means, of labels that are numbers; with "log" the
    probabilities of classes.  A network without hidden layers is linear or logistic regression with offset.

    Attributes
    ----------
    architecture
        One of `errsrc.nets`, with the data's numbers of inputs and outputs (classes).
    recipe
        How it is trained.
    steps
        The most steps.
    validation
        Share of the n examples that training does not see, in [0, 1), which chooses the stopping time and
        weights; of 0, or where it comes to less than half an example, training goes on to the end.
    members
        Networks trained, each from weights and on a split of its own; their predictions are averaged.
    precision
        "float32" or "float64".

    Notes
    -----
    All networks of a call of `fit_many` are trained at once, with the result that each would have alone, to
    rounding.  A predictor's ``function`` holds the trained networks.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> recipe = Recipe("lbfgs", loss="squared")
    >>> student = NetworkStudent(MLP((1, 8, 1), "tanh"), recipe, steps=50, validation=0.0)
    >>> f = student.fit(x, np.sin(2 * x[:, 0]), np.random.default_rng(0))
    >>> bool(np.abs(f(x) - np.sin(2 * x[:, 0])).max() < 0.1)
    True
    """

    architecture: Architecture = field(default=MLP((1, 32, 1)))
    recipe: Recipe = field(default=Recipe(loss="squared"))
    steps: int = 2000
    validation: float = 0.2
    members: int = 1
    precision: str = "float32"

    def __post_init__(self) -> None:
        where = "NetworkStudent"
        if not isinstance(self.architecture, Architecture):
            accepted = "a network of errsrc.nets"
            raise TypeError(checks.refusal("architecture", where, accepted, self.architecture))
        if not isinstance(self.recipe, Recipe):
            raise TypeError(checks.refusal("recipe", where, "a Recipe of errsrc.nets", self.recipe))
        self.recipe.check_network(self.architecture, where)
        checks.integer(self.steps, "steps", where, 1)
        checks.number(self.validation, "validation", where, 0, 1, open_high=True)
        checks.integer(self.members, "members", where, 1)
        checks.choice(self.precision, "precision", where, ("float32", "float64"))

    @property
    def function_class(self) -> FunctionClass:
        """The functions of the network; all functions for an average of several."""
        return NetworkFunctions(self.architecture) if self.members == 1 else AllFunctions()

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return the same student with as many inputs and outputs, where its network has other sizes."""
        return replace(self, architecture=self.architecture.resized(dim, outputs or 1))

    def fit_many(
        self, xs: Sequence[Array], ys: Sequence[NDArray[Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Fitted]:
        """Return `fit` of each data set, all networks trained at once.

        Raises
        ------
        Diverged
            If a network diverged; its ``best`` is the list as it is, in which ``function.trained`` of each
            predictor says whose did.
        """
        data = [check_examples(x, y, type(self).__name__) for x, y in zip(xs, ys, strict=True)]
        functions = self._train(data, rngs) if data else []
        fitted = [Fitted(self, f, x.shape[1]) for f, (x, _) in zip(functions, data, strict=True)]
        lost = [(f, place, one) for f in functions for place, one in enumerate(f.trained) if one.diverged]
        if lost:
            raise Diverged(
                f"{len(lost)} of {len(data) * self.members} networks diverged, the first at step "
                f"{lost[0][2].steps}: a lower learning rate than {self.recipe.learning_rate:g} may help.",
                best=fitted,
            )
        return fitted

    def fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Fitted:
        """Return what is learned from labelled examples, see `Learner.fit` and `fit_many`."""
        return self.fit_many([x], [y], [rng])[0]

    def _train(
        self, data: Sequence[tuple[Array, NDArray[Any]]], rngs: Sequence[np.random.Generator]
    ) -> list[AveragedNetworks]:
        """Return the average of each data set's networks."""
        for x, y in data:
            self._check(x, y)
        dtype = getattr(torch, self.precision)
        labels = torch.int64 if self.recipe.loss == "log" else dtype
        x_all = torch.from_numpy(np.concatenate([x for x, _ in data])).to(dtype)
        columns = () if self.recipe.loss == "log" else (self.architecture.outputs,)
        y_all = torch.from_numpy(np.concatenate([y.reshape(len(y), *columns) for _, y in data])).to(labels)
        members, first = [], 0
        for (x, _), rng in zip(data, rngs, strict=True):
            members += [self._member(len(x), first, rng) for _ in range(self.members)]
            first += len(x)
        trained: dict[int, Trained] = {}
        for own in (True, False):  # with and without validation
            places = [i for i, member in enumerate(members) if (member.validation is not None) == own]
            if places:
                chosen = [members[i] for i in places]
                found = train(self.architecture, x_all, y_all, chosen, None, self.recipe)
                trained |= dict(zip(places, found, strict=True))
        return [
            AveragedNetworks(
                self.architecture,
                tuple(trained[k * self.members + i] for i in range(self.members)),
                self.recipe.loss == "log",
                y.shape[1:],
            )
            for k, (_, y) in enumerate(data)
        ]

    def _member(self, n: int, first: int, rng: np.random.Generator) -> Member:
        """Return one network's rows, among those from ``first`` on, and its seed."""
        held = min(round(self.validation * n), n - 1)
        rows = first + rng.permutation(n)
        seed = int(rng.integers(2**63))
        return Member(np.sort(rows[held:]), self.steps, seed, np.sort(rows[:held]) if held else None)

    def _check(self, x: Array, y: NDArray[Any]) -> None:
        where, outputs = "NetworkStudent", self.architecture.outputs
        if x.shape[1] != self.architecture.inputs:
            accepted = f"numbers of shape (n, {self.architecture.inputs}), the network's inputs"
            raise ValueError(checks.refusal("x", where, accepted, f"<shape {x.shape}>"))
        if self.recipe.loss == "log":
            if y.dtype.kind != "i" or y.max() >= outputs:
                accepted = f"classes from 0 to {outputs - 1}, the network's outputs, for the log loss"
                got = f"<{y.dtype}>" if y.dtype.kind != "i" else int(y.max())
                raise ValueError(checks.refusal("y", where, accepted, got))
        elif y.dtype.kind != "f" or (y.shape[1] if y.ndim == 2 else 1) != outputs:
            accepted = f"floats for {outputs} outputs, those of the network, for the squared loss"
            raise ValueError(checks.refusal("y", where, accepted, f"<{y.dtype} of shape {y.shape}>"))


@dataclass(frozen=True, eq=False)
class AveragedNetworks:
    """The average of trained networks as a function.

    Attributes
    ----------
    architecture
        The network.
    trained
        Each network, with its weights and what became of it.
    probabilities
        Whether outputs are turned into probabilities of classes.
    shape
        Shape of one label.
    """

    architecture: Architecture
    trained: tuple[Trained, ...]
    probabilities: bool
    shape: tuple[int, ...]

    @functools.cached_property
    def weights(self) -> Weights:
        """The networks' weights, stacked: (E, ...) each."""
        return tuple(torch.stack(each) for each in zip(*(one.weights for one in self.trained), strict=True))

    def __call__(self, at: Array) -> Array:
        """Return the mean of the networks' predictions at inputs (N, dim)."""
        x = torch.from_numpy(at).to(self.weights[0].dtype)
        parts = []
        with torch.no_grad():
            for part in x.split(max(1, _HELD // (self.architecture.outputs * len(self.trained)))):
                outputs = self.architecture(self.weights, part)
                parts.append((outputs.softmax(2) if self.probabilities else outputs).double().mean(0))
        values = torch.cat(parts).numpy()
        return values if self.probabilities else values.reshape(len(at), *self.shape)
