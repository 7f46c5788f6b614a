"""A learner told the network's architecture: second-order fits from many starts, with a certificate."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import beta
from torch import Tensor

from errsrc import checks
from errsrc.learners.learner import Learner, indicators
from errsrc.learners.levenberg_marquardt import JacobianFunction, LevenbergMarquardt, ResidualFunction
from errsrc.nets import MLP, Weights, jacobian
from errsrc.nets import Network as Architecture
from errsrc.results import Interval
from errsrc.settings import FunctionClass, NetworkFunctions
from errsrc.settings.setting import Array, Predictor

ZERO_ERROR = 1e-24
"""The relative training error squared that counts as zero in float64."""

ANALYTIC = ("tanh", "sine", "gelu", "linear")
"""Activations with which a network is an analytic function of its weights."""

CHECK_EVERY = 10
"""Steps between looks at whether a start gets on."""

_POLISH = 20  # further steps at most, for the start that arrived
_ROUNDING = 8.0  # machine epsilons in a label


@dataclass(frozen=True)
class NetworkClass(Learner):
    """The network of a known architecture that fits the examples exactly, if a start reaches it.

    Levenberg-Marquardt in float64 from random starts, many at once, until one has zero training error.  A
    start that no longer gets on makes room for the next.  Labels, and inputs by column, are fitted in
    standard units; the weights returned are those of the units given.

    Attributes
    ----------
    architecture
        An `MLP` with an analytic activation, with the data's numbers of inputs and outputs (classes).
    starts
        The most starts.
    steps
        The most steps of a start.
    together
        Starts that run at once.
    weight_std, bias_std
        Starts are drawn with weights N(0, weight_std^2 / fan-in) and biases N(0, bias_std^2).

    Notes
    -----
    Noiseless labels of a network that is analytic in its P parameters tell its function from all others of
    the class from 2P + 1 generic inputs on (Sontag 2002, arXiv math/0111135), and for almost every teacher
    from P + 1 on.  So a start with zero training error *is* the teacher, and one that has none proves
    nothing.  A predictor's ``function`` is a `RecoveredNetwork`, which says what was reached.  Cost of a step
    of a start: about 2 (n outputs + P) P^2 flops.

    Examples
    --------
    >>> from errsrc.settings import NetworkTeacher
    >>> rng, setting = np.random.default_rng(0), NetworkTeacher(MLP((2, 2, 1), "tanh"))
    >>> teacher, x, fresh = setting.teacher(rng), setting.inputs(19, rng), setting.inputs(100, rng)
    >>> f = NetworkClass(MLP((2, 2, 1), "tanh")).fit(x, teacher(x), rng)
    >>> f.function.certificate, bool(np.abs(f(fresh) - teacher(fresh)).max() < 1e-9)
    ('every teacher', True)
    """

    architecture: Architecture = field(default=MLP((1, 4, 1), "tanh"))
    starts: int = 1024
    steps: int = 3000
    together: int = 32
    weight_std: float = 1.0
    bias_std: float = 0.5

    def __post_init__(self) -> None:
        where = "NetworkClass"
        if not isinstance(self.architecture, MLP) or self.architecture.activation not in ANALYTIC:
            accepted = "an MLP whose activation is analytic: " + ", ".join(ANALYTIC)
            raise ValueError(checks.refusal("architecture", where, accepted, self.architecture))
        for name in ("starts", "steps", "together"):
            checks.integer(getattr(self, name), name, where, 1)
        checks.number(self.weight_std, "weight_std", where, 0, open_low=True)
        checks.number(self.bias_std, "bias_std", where, 0)

    @property
    def function_class(self) -> FunctionClass:
        """The functions of the network."""
        return NetworkFunctions(self.architecture)

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return the same learner with as many inputs and outputs."""
        sizes = (dim, *self._mlp.sizes[1:-1], outputs or 1)
        return replace(self, architecture=replace(self._mlp, sizes=sizes))

    @property
    def _mlp(self) -> MLP:
        assert isinstance(self.architecture, MLP)  # as checked
        return self.architecture

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        labels = indicators(y)
        targets = labels.reshape(len(x), -1)
        self._check(x, targets)
        order = np.lexsort((*targets.T, *x.T))  # so that rounding does not depend on the examples' order
        x, targets = x[order], targets[order]
        units = _Units.of(x, targets)
        point, tried, ended, arrived = self._search(
            torch.from_numpy(units.inputs(x)), torch.from_numpy(units.labels(targets)), rng
        )
        weights = units.undone(tuple(w.clone() for w in self._mlp.unflatten(point[None])))
        return RecoveredNetwork.of(self._mlp, weights, x, targets, labels.shape[1:], tried, ended, arrived)

    def _search(self, x: Tensor, y: Tensor, rng: np.random.Generator) -> tuple[Tensor, int, int, int]:
        """Return the best point (P,), and the numbers of starts begun, ended and arrived."""
        net = self._mlp
        stds = net.prior_stds(self.weight_std, self.bias_std)
        seeds = [int(seed) for seed in rng.integers(2**63, size=self.starts)]

        equations = least_squares_problem(net, x, y)

        def drawn(first: int, count: int) -> Tensor:
            return net.flatten(net.draw(seeds[first : first + count], stds, torch.float64))

        begun = min(self.together, self.starts)
        run = LevenbergMarquardt(*equations, drawn(0, begun))
        mark, age, ended = run.loss.clone(), torch.zeros(begun, dtype=torch.int64), 0
        best, lowest = run.point[0].clone(), math.inf
        while len(age):
            run.step()
            age += 1
            place = int(run.loss.argmin())
            if float(run.loss[place]) < lowest:
                best, lowest = run.point[place].clone(), float(run.loss[place])
            arrived = int((run.loss <= ZERO_ERROR).sum())
            if arrived:
                return polish(*equations, best[None])[0], begun, ended + arrived, arrived
            looked = age % CHECK_EVERY == 0
            over = (looked & ~is_improving(run.loss, mark)) | (age >= self.steps)
            mark = torch.where(looked, run.loss, mark)
            if over.any():
                places = over.nonzero()[:, 0]
                ended += len(places)
                fresh = places[: self.starts - begun]
                if len(fresh):
                    run.put(fresh, drawn(begun, len(fresh)))
                    begun += len(fresh)
                    mark[fresh], age[fresh] = run.loss[fresh], 0
                    over[fresh] = False
                run.keep(~over)
                mark, age = mark[~over], age[~over]
        return best, begun, ended, 0

    def _check(self, x: Array, targets: Array) -> None:
        inputs, outputs = self.architecture.inputs, self.architecture.outputs
        if x.shape[1] != inputs:
            accepted = f"numbers of shape (n, {inputs}), the network's inputs"
            raise ValueError(checks.refusal("x", "NetworkClass", accepted, f"<shape {x.shape}>"))
        if targets.shape[1] != outputs:
            accepted = f"labels of {outputs} outputs (classes), those of the network"
            raise ValueError(checks.refusal("y", "NetworkClass", accepted, f"<{targets.shape[1]} outputs>"))


def least_squares_problem(network: MLP, x: Tensor, y: Tensor) -> tuple[ResidualFunction, JacobianFunction]:
    """Return the least-squares problem of fitting labels y (n, outputs) of inputs x (n, dim)."""

    def residuals(point: Tensor) -> Tensor:
        return (y - network(network.unflatten(point), x.expand(len(point), -1, -1))).flatten(1)

    def linearised(point: Tensor) -> Tensor:
        return network.jacobian(network.unflatten(point), x.expand(len(point), -1, -1))

    return residuals, linearised


def is_improving(loss: Tensor, mark: Tensor) -> Tensor:
    """Return which starts are not stalled, bool (E,): whose loss fell enough since it was ``mark``."""
    share = torch.where(loss < 1e-8, 0.97, torch.where(loss < 1e-5, 0.9, 0.8))
    return loss <= share * mark


def polish(residuals: ResidualFunction, linearised: JacobianFunction, points: Tensor) -> Tensor:
    """Return points (E, P) that have arrived after further steps, while they help.

    ``residuals`` and ``linearised`` are those of `LevenbergMarquardt`.
    """
    run = LevenbergMarquardt(residuals, linearised, points)
    run.ease()
    for _ in range(_POLISH):
        run.step()
    return run.point


@dataclass(frozen=True, eq=False)
class _Units:
    """Standard units: of inputs by column, and one of all labels around the mean of each."""

    mean: Array
    std: Array
    offset: Array
    unit: float

    @classmethod
    def of(cls, x: Array, targets: Array) -> _Units:
        std, offset = x.std(0), targets.mean(0)
        unit = float(np.sqrt(np.square(targets - offset).mean()))
        return cls(x.mean(0), np.where(std > 0, std, 1.0), offset, unit if unit > 0 else 1.0)

    def inputs(self, x: Array) -> Array:
        return np.asarray((x - self.mean) / self.std)

    def labels(self, targets: Array) -> Array:
        return np.asarray((targets - self.offset) / self.unit)

    def undone(self, weights: Weights) -> Weights:
        """Return the weights (1, ...) of the same function in the units given."""
        parts = list(weights)
        parts[0] = parts[0] / torch.from_numpy(self.std)
        parts[1] = parts[1] - parts[0] @ torch.from_numpy(self.mean)
        parts[-2], parts[-1] = parts[-2] * self.unit, parts[-1] * self.unit + torch.from_numpy(self.offset)
        return tuple(parts)


@dataclass(frozen=True, eq=False)
class RecoveredNetwork:
    """The network that was found, as a function, and what is known of it.

    Attributes
    ----------
    architecture, weights
        The network, and its weights, tensors (1, ...).
    x
        The inputs it was learned from, (n, dim).
    residual
        Norm of what is left of the labels, over n x outputs numbers.
    scale
        Norm of the labels around the mean of each output; of the labels where they are constant.
    size
        Norm of the labels.
    shape
        Shape of one label.
    tried, ended, arrived
        Starts begun; those that ended, at zero training error or not; those at zero training error.
    """

    architecture: MLP
    weights: Weights
    x: Array
    residual: float
    scale: float
    size: float
    shape: tuple[int, ...]
    tried: int
    ended: int
    arrived: int

    @classmethod
    def of(
        cls,
        architecture: MLP,
        weights: Weights,
        x: Array,
        targets: Array,
        shape: tuple[int, ...],
        tried: int,
        ended: int,
        arrived: int,
    ) -> RecoveredNetwork:
        """Return what is known of weights (1, ...) on inputs (n, dim) and targets (n, outputs)."""
        left = targets - architecture(weights, torch.from_numpy(x))[0].numpy()
        size = float(np.linalg.norm(targets))
        scale = float(np.linalg.norm(targets - targets.mean(0))) or size or 1.0
        norm = float(np.linalg.norm(left))
        return cls(architecture, weights, x, norm, scale, size, shape, tried, ended, arrived)

    def __call__(self, at: Array) -> Array:
        """Return the network's outputs at inputs (N, dim)."""
        values = self.architecture(self.weights, torch.from_numpy(at))[0].numpy()
        return np.asarray(values.reshape(len(at), *self.shape))

    @property
    def training_error(self) -> float:
        """Relative training error squared: of the labels' sum of squares around their means."""
        return (self.residual / self.scale) ** 2

    @property
    def certificate(self) -> str:
        """For which teachers zero training error proves the function: "every teacher", "almost every teacher"
        or "none".

        In exact arithmetic, for noiseless labels of the class at generic distinct inputs; in float64 the
        function is off by up to `bound`.
        """
        distinct, p = len(np.unique(self.x, axis=0)), self.architecture.parameters
        if self.training_error > ZERO_ERROR or distinct < p + 1:
            return "none"
        return "every teacher" if distinct >= 2 * p + 1 else "almost every teacher"

    @property
    def certified(self) -> bool:
        """Whether there is a certificate."""
        return self.certificate != "none"

    @property
    def share(self) -> Interval:
        """Share of starts that arrive, from those that ended, with its 95% interval (Clopper-Pearson); where
        none arrived it is below 3 / ended (rule of three).

        Starts still on their way when the first arrives are not counted, which makes the share too large
        where those that fail take longer than those that arrive.
        """
        k, n = self.arrived, self.ended
        low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
        high = float(beta.ppf(0.975 if k else 0.95, k + 1, n - k)) if k < n else 1.0
        return Interval(k / n, low, high, 0.95)

    @functools.cached_property
    def _spectrum(self) -> tuple[Array, Array]:
        """Singular values of the Jacobian on the examples, (P,), and its right singular vectors as rows."""
        j = jacobian(self.architecture, self.weights, torch.from_numpy(self.x))[0]
        p = j.shape[1]
        if len(j) < p:
            j = torch.cat([j, j.new_zeros(p - len(j), p)])
        _, values, rows = torch.linalg.svd(j, full_matrices=False)
        return values.numpy(), rows.numpy()

    @property
    def condition(self) -> float:
        """Condition number of the Jacobian on the examples; inf where they leave a direction free."""
        values = self._spectrum[0]
        return float(values[0] / values[-1]) if values[-1] > 0 else math.inf

    def bound(self, at: Array) -> Array:
        """Return how far off the function may be at inputs (N, dim), (N,), norms over the outputs.

        To first order: with J and j the Jacobians on the examples and at an input, the norm of j J^+ times
        that of the residuals and of the labels' rounding.  For a certified function.
        """
        values, rows = self._spectrum
        if values[-1] == 0:
            return np.full(len(at), math.inf)
        eps = np.finfo(np.float64).eps
        j = jacobian(self.architecture, self.weights, torch.from_numpy(at))[0].numpy()
        carried = (j @ rows.T / values).reshape(len(at), self.architecture.outputs, -1)
        gain = np.linalg.norm(carried, 2, axis=(1, 2))
        return np.asarray((1 + gain) * (self.residual + _ROUNDING * eps * self.size))

    @property
    def status(self) -> str:
        """What was reached, in a sentence or two."""
        found = {
            "every teacher": "Zero training error at 2P + 1 inputs or more: the teacher, if of the class.",
            "almost every teacher": "Zero training error at P + 1 inputs or more: almost surely the teacher.",
            "none": "Zero training error at P inputs or fewer, which many functions have.",
        }
        if self.training_error <= ZERO_ERROR:
            return (
                f"{found[self.certificate]} The Jacobian's condition number is {self.condition:.2g}; "
                f"{self.arrived} of {self.ended} starts arrived."
            )
        return (
            f"None of {self.ended:,} starts reached zero training error; the best has "
            f"{self.training_error:.1e}.  At 95% fewer than {self.share.high:.2g} of all starts do: "
            f"one takes more than {1 / self.share.high:,.0f} starts on average."
        )
