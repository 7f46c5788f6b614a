"""Network students: networks trained by gradient descent, hundreds at once."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from errsrc import checks
from errsrc.errors import Diverged
from errsrc.fields import choice, instance, integer, number
from errsrc.learners.learner import BatchLearner, Fitted, check_examples
from errsrc.nets import MLP, Weights
from errsrc.nets import Network as Architecture
from errsrc.settings import AllFunctions, FunctionClass, NetworkFunctions
from errsrc.settings.setting import Array
from errsrc.training import Member, Recipe, Trained, train

_BLOCK = 2**22  # largest number of outputs that are held at once in predictions


@dataclass(frozen=True)
class NetworkStudent(BatchLearner):
    """A network trained by gradient descent, or the average of several such networks.

    If the recipe's loss is "squared", the student predicts labels that are numbers.  If the loss is "log",
    the student predicts the probabilities of classes.  A network without hidden layers is linear or logistic
    regression with an offset.

    Parameters
    ----------
    architecture : Network
        A network of `errsrc.nets`.  The network must have as many inputs as the data have columns, and as
        many outputs as the labels have outputs or classes.
    recipe : Recipe
        Options of the training.
    steps : int
        Largest number of training steps, >= 1.
    validation : float
        Share of the n examples that are held out from training, in [0, 1).  The held-out examples decide when
        training stops and which weights are kept.  If the share is less than half an example, no example is
        held out, and training takes all `steps`.
    members : int
        Number of networks that are trained and averaged, >= 1.  Each network has its own initial weights and
        its own split of the examples.
    precision : str
        "float32" or "float64".
    horizon : int, optional
        Number of steps of a second, longer training, >= 1.  A budget then says which part of the deficiency
        this longer training removes (`errsrc.sources.Budget.not_yet`).  Predictions do not depend on
        `horizon`.

    Notes
    -----
    `fit_many` trains the networks of all data sets at once.  Up to rounding, each network is the same as if
    it were trained alone.  A predictor's ``function`` is an ``errsrc.learners.network.AveragedNetworks``.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> recipe = Recipe("lbfgs", loss="squared")
    >>> student = NetworkStudent(MLP((1, 8, 1), "tanh"), recipe, steps=50, validation=0.0)
    >>> f = student.fit(x, np.sin(2 * x[:, 0]), np.random.default_rng(0))
    >>> bool(np.abs(f(x) - np.sin(2 * x[:, 0])).max() < 0.1)
    True
    """

    architecture: Architecture = instance(Architecture, "a network of errsrc.nets", MLP((1, 32, 1)))
    recipe: Recipe = instance(Recipe, "a Recipe of errsrc.training", Recipe(loss="squared"))
    steps: int = integer(2000, at_least=1)
    validation: float = number(0.2, at_least=0, below=1)
    members: int = integer(1, at_least=1)
    precision: str = choice("float32", ("float32", "float64"))
    horizon: int | None = integer(None, at_least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.recipe.check_network(self.architecture, "NetworkStudent")

    @property
    def function_class(self) -> FunctionClass:
        """All functions that the network can express; for an average of several networks, all functions."""
        return NetworkFunctions(self.architecture) if self.members == 1 else AllFunctions()

    def at_horizon(self) -> Self | None:
        """Return the student with `horizon` steps and the same seeds, or None if `horizon` is None."""
        return None if self.horizon is None else replace(self, steps=self.horizon, horizon=None)

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return a copy whose network takes `dim` inputs and gives `outputs` outputs, see `Learner.resized`.

        A network whose sizes are fixed, such as a convolutional network, is not changed.
        """
        return replace(self, architecture=self.architecture.resized(dim, outputs or 1))

    def fit_many(
        self, xs: Sequence[Array], ys: Sequence[NDArray[Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Fitted]:
        """Return a predictor for each data set, and train all networks at once; see `Learner.fit_many`.

        Raises
        ------
        Diverged
            If the training of a network diverged.  The error's attribute ``best`` is the list of all
            predictors.  `Fitted.diverged` is True for predictors with a diverged network.
        """
        data = [check_examples(x, y, type(self).__name__) for x, y in zip(xs, ys, strict=True)]
        functions = self._train(data, rngs) if data else []
        fitted = [Fitted(self, f, x.shape[1]) for f, (x, _) in zip(functions, data, strict=True)]
        diverged = [network for f in functions for network in f.trained if network.diverged]
        if diverged:
            raise Diverged(
                f"{len(diverged)} of {len(data) * self.members} networks diverged, the first at step "
                f"{diverged[0].steps}: a lower learning rate than {self.recipe.learning_rate:g} may help.",
                best=fitted,
            )
        return fitted

    def _train(
        self, data: Sequence[tuple[Array, NDArray[Any]]], rngs: Sequence[np.random.Generator]
    ) -> list[AveragedNetworks]:
        """Return the averaged networks of each data set."""
        for x, y in data:
            self._check_sizes(x, y)
        members, first = [], 0
        for (x, _), rng in zip(data, rngs, strict=True):
            members += [self._member(len(x), first, rng) for _ in range(self.members)]
            first += len(x)
        trained = self._train_members(members, *self._tensors(data))
        return [
            AveragedNetworks(
                self.architecture,
                tuple(trained[k * self.members : (k + 1) * self.members]),
                self.recipe.loss == "log",
                y.shape[1:],
            )
            for k, (_, y) in enumerate(data)
        ]

    def _tensors(self, data: Sequence[tuple[Array, NDArray[Any]]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the inputs and the labels of all data sets, one below the other."""
        dtype = getattr(torch, self.precision)
        has_classes = self.recipe.loss == "log"
        columns = () if has_classes else (self.architecture.outputs,)
        x = torch.from_numpy(np.concatenate([x for x, _ in data])).to(dtype)
        y = torch.from_numpy(np.concatenate([y.reshape(len(y), *columns) for _, y in data]))
        return x, y.to(torch.int64 if has_classes else dtype)

    def _train_members(self, members: Sequence[Member], x: torch.Tensor, y: torch.Tensor) -> list[Trained]:
        """Return the trained networks in order; those with and those without validation train separately."""
        trained: dict[int, Trained] = {}
        for validated in (True, False):
            places = [i for i, member in enumerate(members) if (member.validation is not None) == validated]
            if places:
                chosen = [members[i] for i in places]
                found = train(self.architecture, x, y, chosen, None, self.recipe)
                trained |= dict(zip(places, found, strict=True))
        return [trained[i] for i in range(len(members))]

    def _member(self, n: int, first: int, rng: np.random.Generator) -> Member:
        """Return a network's split of the n rows from `first` on, and its seed."""
        held_out = min(round(self.validation * n), n - 1)
        rows = first + rng.permutation(n)
        seed = int(rng.integers(2**63))
        validation = np.sort(rows[:held_out]) if held_out else None
        return Member(np.sort(rows[held_out:]), self.steps, seed, validation)

    def _check_sizes(self, x: Array, y: NDArray[Any]) -> None:
        """Raise ValueError for data of other sizes than the network's, or labels unfit for the loss."""
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
    """A function of inputs: the mean of the predictions of trained networks.

    Attributes
    ----------
    architecture : Network
        The architecture of all networks.
    trained : tuple of Trained
        The trained networks, with their weights and the results of their training.
    probabilities : bool
        True if outputs are converted to probabilities of classes before they are averaged.
    shape : tuple of int
        Shape of one label.
    """

    architecture: Architecture
    trained: tuple[Trained, ...]
    probabilities: bool
    shape: tuple[int, ...]

    @property
    def diverged(self) -> bool:
        """Whether the training of at least one network diverged."""
        return any(network.diverged for network in self.trained)

    @functools.cached_property
    def weights(self) -> Weights:
        """The weights of the E networks, tensors of shape (E, ...)."""
        return tuple(torch.stack(each) for each in zip(*(one.weights for one in self.trained), strict=True))

    def __call__(self, at: Array) -> Array:
        """Return the mean of the networks' predictions.

        Parameters
        ----------
        at : ndarray of float64, (N, dim)
            Inputs.

        Returns
        -------
        predictions : ndarray of float64, (N,) or (N, outputs) or (N, classes)
            The mean predictions.
        """
        x = torch.from_numpy(at).to(self.weights[0].dtype)
        parts = []
        with torch.no_grad():
            for part in x.split(max(1, _BLOCK // (self.architecture.outputs * len(self.trained)))):
                outputs = self.architecture(self.weights, part)
                parts.append((outputs.softmax(2) if self.probabilities else outputs).double().mean(0))
        values = torch.cat(parts).numpy()
        return values if self.probabilities else values.reshape(len(at), *self.shape)
