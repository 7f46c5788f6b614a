"""A learner that knows the teacher's architecture: second-order fits from many starts."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc import checks
from errsrc.fields import declare, integer, number
from errsrc.learners.learner import Learner, indicators
from errsrc.learners.levenberg_marquardt import JacobianFunction, LevenbergMarquardt, ResidualFunction
from errsrc.learners.recovered_network import ZERO_ERROR, RecoveredNetwork
from errsrc.nets import MLP, QuadraticNetwork, Weights
from errsrc.nets import Network as Architecture
from errsrc.nets.layers import ANALYTIC_ACTIVATIONS
from errsrc.settings import FunctionClass, NetworkFunctions
from errsrc.settings.setting import Array, Predictor

CHECK_EVERY = 10
"""Number of steps between two checks whether the fit from a start still improves."""

_POLISHING_STEPS = 20


class AnalyticNetwork(checks.Rule):
    """An `MLP` with an analytic activation, or a `QuadraticNetwork`."""

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        activations = ", ".join(ANALYTIC_ACTIVATIONS)
        return f"an MLP whose activation is analytic: {activations}; or a QuadraticNetwork"

    def __call__(self, value: Any, name: str, where: str) -> Architecture:
        """Return `value` itself."""
        if isinstance(value, QuadraticNetwork):
            return value
        if not isinstance(value, MLP) or value.activation not in ANALYTIC_ACTIVATIONS:
            raise ValueError(checks.refusal(name, where, self.accepted, value))
        return value


@dataclass(frozen=True)
class NetworkClass(Learner):
    """A search for the network of a given architecture that fits the examples exactly.

    Levenberg-Marquardt in float64 runs from many random starting points (starts) at once, until one run
    reaches zero training error.  A run that no longer improves is replaced by a run from a new start.  For
    the fit, labels and columns of inputs are shifted and scaled to mean 0 and mean square 1.  For a
    `QuadraticNetwork`, only the labels are scaled, without a shift.  The weights of the result are converted
    back to the original units.

    Parameters
    ----------
    architecture : MLP or QuadraticNetwork
        A multilayer perceptron with an analytic activation, or a quadratic network.  The network must have as
        many inputs as the data have columns, and as many outputs as the labels have outputs or classes.
    starts : int
        Largest number of starts, >= 1.
    steps : int
        Largest number of steps from a start, >= 1.
    together : int
        Number of runs at the same time, >= 1.
    weight_std, bias_std : float
        Scales of the random starts: weights are drawn from N(0, weight_std^2 / fan-in), and biases from N(0,
        bias_std^2); weight_std > 0, bias_std >= 0.  Weights of quadratic networks are drawn from N(0,
        weight_std^2).

    Notes
    -----
    Suppose that the teacher is a network of this architecture, with P parameters.  Noiseless labels at 2P + 1
    generic inputs distinguish the teacher from all other functions of the architecture (Sontag 2002, arXiv
    math/0111135).  Almost all inputs are generic.  For almost every teacher, labels at P + 1 inputs are
    enough.  Both numbers are smaller for quadratic networks, see `errsrc.nets.Network.separating_examples`
    and `errsrc.nets.Network.degrees_of_freedom`.  Therefore a network with zero training error *is* the
    teacher.  A network with a larger training error proves nothing.  Inputs are not generic if, for example,
    two of their columns are equal.  The Jacobian of the outputs shows such cases; the result then has no
    certificate.  A predictor's ``function`` is an ``errsrc.learners.recovered_network.RecoveredNetwork``,
    which says how the search ended.  The cost of one step from one start is about 2 (n outputs + P) P^2
    flops.

    Examples
    --------
    >>> from errsrc.settings import NetworkTeacher
    >>> rng, setting = np.random.default_rng(0), NetworkTeacher(MLP((2, 2, 1), "tanh"))
    >>> teacher, x, fresh = setting.teacher(rng), setting.inputs(19, rng), setting.inputs(100, rng)
    >>> f = NetworkClass(MLP((2, 2, 1), "tanh")).fit(x, teacher(x), rng)
    >>> f.function.certificate, bool(np.abs(f(fresh) - teacher(fresh)).max() < 1e-9)
    ('every teacher', True)
    """

    architecture: Architecture = declare(AnalyticNetwork(), MLP((1, 4, 1), "tanh"))
    starts: int = integer(1024, at_least=1)
    steps: int = integer(3000, at_least=1)
    together: int = integer(32, at_least=1)
    weight_std: float = number(1.0, above=0)
    bias_std: float = number(0.5, at_least=0)

    @property
    def function_class(self) -> FunctionClass:
        """All functions that the network can express."""
        return NetworkFunctions(self.architecture)

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return a copy whose network takes `dim` inputs and gives `outputs` outputs."""
        return replace(self, architecture=self.architecture.resized(dim, outputs or 1))

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        labels = indicators(y)
        x, targets = sorted_examples(self.architecture, x, labels, "NetworkClass")
        units = standard_units(self.architecture, x, targets)
        scaled = torch.from_numpy(units.inputs(x)), torch.from_numpy(units.labels(targets))
        network = self.architecture
        draw = random_starts(network, self.starts, self.weight_std, self.bias_std, rng)
        found = search_network(network, *scaled, draw, self.starts, self.steps, self.together)
        weights = units.original(tuple(w.clone() for w in network.unflatten(found.point[None])))
        return RecoveredNetwork.of(network, weights, x, targets, labels.shape[1:], found.counts)


def sorted_examples(network: Architecture, x: Array, labels: Array, where: str) -> tuple[Array, Array]:
    """Check and sort examples; return the inputs, and the labels as an array of shape (n, outputs).

    The order of the result depends only on the values.  Therefore rounding errors, and with them the network
    that is found, do not depend on the order in which the examples are given.

    Parameters
    ----------
    network : Network
        The network that is to be fitted to the examples.
    x : ndarray of float64, (n, dim)
        Inputs.
    labels : ndarray of float64, (n,) or (n, outputs)
        Labels.
    where : str
        Name of the learner, for error messages.

    Raises
    ------
    ValueError
        If the network has another number of inputs or outputs than the examples.
    """
    targets = labels.reshape(len(x), -1)
    if x.shape[1] != network.inputs:
        accepted = f"numbers of shape (n, {network.inputs}), the network's inputs"
        raise ValueError(checks.refusal("x", where, accepted, f"<shape {x.shape}>"))
    if targets.shape[1] != network.outputs:
        accepted = f"labels of {network.outputs} outputs (classes), those of the network"
        raise ValueError(checks.refusal("y", where, accepted, f"<{targets.shape[1]} outputs>"))
    order = np.lexsort((*targets.T, *x.T))
    return x[order], targets[order]


class SearchResult(NamedTuple):
    """The result of a search.

    Attributes
    ----------
    point : Tensor of float64, (P,)
        The best point.
    loss : float
        The mean squared residual at this point, in squared units of the labels.
    counts : tuple of int
        Number of starts that began, number of starts that ended, and number of starts that ended at zero
        training error.
    """

    point: Tensor
    loss: float
    counts: tuple[int, int, int]


Starts = Callable[[int, int], Tensor]
"""Function of (first, count) that returns `count` points (count, P), from the start number `first` on."""


def random_starts(
    network: Architecture, starts: int, weight_std: float, bias_std: float, rng: np.random.Generator
) -> Starts:
    """Return the function that draws the random starts of a search.

    Parameters
    ----------
    network : Network
        The network.
    starts : int
        Largest number of starts.
    weight_std, bias_std : float
        Scales of the weights and biases, see `errsrc.nets.Network.prior_stds`.
    rng : numpy.random.Generator
        Source of the starts' seeds.
    """
    stds = network.prior_stds(weight_std, bias_std)
    seeds = [int(seed) for seed in rng.integers(2**63, size=starts)]
    return lambda first, count: network.flatten(
        network.draw(seeds[first : first + count], stds, torch.float64)
    )


def search_network(
    network: Architecture, x: Tensor, y: Tensor, draw: Starts, starts: int, steps: int, together: int
) -> SearchResult:
    """Run Levenberg-Marquardt from many starts, until one run has zero training error or all runs have ended.

    Parameters
    ----------
    network : Network
        The network.
    x : Tensor of float64, (n, dim)
        Inputs.
    y : Tensor of float64, (n, outputs)
        Labels, in units in which their mean square is 1.
    draw : callable
        Function that returns the starts, see `Starts`.
    starts : int
        Largest number of starts.
    steps : int
        Largest number of steps from a start.
    together : int
        Number of runs at the same time.
    """
    problem = least_squares_problem(network, x, y)
    begun, ended = min(together, starts), 0
    run = LevenbergMarquardt(*problem, draw(0, begun))
    loss_before, age = run.loss.clone(), torch.zeros(begun, dtype=torch.int64)
    best, lowest = run.point[0].clone(), math.inf
    while len(age):
        run.step()
        age += 1
        place = int(run.loss.argmin())
        if float(run.loss[place]) < lowest:
            best, lowest = run.point[place].clone(), float(run.loss[place])
        solved = int((run.loss <= ZERO_ERROR).sum())
        if solved:
            point = polish(*problem, best[None])[0]
            return SearchResult(point, lowest, (begun, ended + solved, solved))
        due = age % CHECK_EVERY == 0
        over = (due & ~is_improving(run.loss, loss_before)) | (age >= steps)
        loss_before = torch.where(due, run.loss, loss_before)
        if over.any():
            places = over.nonzero()[:, 0]
            ended += len(places)
            replaced = places[: starts - begun]
            if len(replaced):
                run.restart(replaced, draw(begun, len(replaced)))
                begun += len(replaced)
                loss_before[replaced], age[replaced] = run.loss[replaced], 0
                over[replaced] = False
            run.keep(~over)
            loss_before, age = loss_before[~over], age[~over]
    return SearchResult(best, lowest, (begun, ended, 0))


def least_squares_problem(
    network: Architecture, x: Tensor, y: Tensor
) -> tuple[ResidualFunction, JacobianFunction]:
    """Return the residuals and the Jacobian of the problem of fitting a network to examples.

    Parameters
    ----------
    network : Network
        The network.
    x : Tensor of float64, (n, dim)
        Inputs.
    y : Tensor of float64, (n, outputs)
        Labels.

    Returns
    -------
    residuals : callable
        Function that maps weights (E, P) to labels minus outputs, (E, n * outputs).
    jacobian : callable
        Function that maps weights (E, P) to the derivatives of the outputs with respect to the weights, (E, n
        * outputs, P).
    """

    def residuals(point: Tensor) -> Tensor:
        return (y - network(network.unflatten(point), x.expand(len(point), -1, -1))).flatten(1)

    def jacobian(point: Tensor) -> Tensor:
        return network.jacobian(network.unflatten(point), x.expand(len(point), -1, -1))

    return residuals, jacobian


def is_improving(loss: Tensor, loss_before: Tensor) -> Tensor:
    """Return which runs of a search still improve.

    Parameters
    ----------
    loss, loss_before : Tensor of float64, (E,)
        Relative squared error of each run now and at the previous check.

    Returns
    -------
    improving : Tensor of bool, (E,)
        Whether the loss fell by at least 20%.  A fall of 10% suffices if the loss is below 1e-5, and a fall
        of 3% if the loss is below 1e-8.
    """
    share = torch.where(loss < 1e-8, 0.97, torch.where(loss < 1e-5, 0.9, 0.8))
    return loss <= share * loss_before


def polish(residuals: ResidualFunction, jacobian: JacobianFunction, points: Tensor) -> Tensor:
    """Lower the rounding errors of points of zero training error by further steps.

    Parameters
    ----------
    residuals, jacobian : callable
        Functions of the problem, see `errsrc.learners.levenberg_marquardt.LevenbergMarquardt`.
    points : Tensor of float64, (E, P)
        Points whose training error is zero up to rounding.

    Returns
    -------
    points : Tensor of float64, (E, P)
        Points after a fixed number of Levenberg-Marquardt steps with the smallest damping.
    """
    run = LevenbergMarquardt(residuals, jacobian, points)
    run.lower_damping()
    for _ in range(_POLISHING_STEPS):
        run.step()
    return run.point


@dataclass(frozen=True, eq=False)
class StandardUnits:
    """Units in which each column of inputs has mean 0 and standard deviation 1; all labels share one unit.

    Attributes
    ----------
    mean, std : ndarray of float64, (dim,)
        Mean and standard deviation of each column of the inputs.
    offset : ndarray of float64, (outputs,)
        Mean of each output of the labels.
    unit : float
        Root mean square of the labels around their means.
    """

    mean: Array
    std: Array
    offset: Array
    unit: float

    def inputs(self, x: Array) -> Array:
        """Return inputs in standard units.

        Parameters
        ----------
        x : ndarray of float64, (n, dim)
            The inputs.
        """
        return np.asarray((x - self.mean) / self.std)

    def labels(self, targets: Array) -> Array:
        """Return labels in standard units.

        Parameters
        ----------
        targets : ndarray of float64, (n, outputs)
            The labels.
        """
        return np.asarray((targets - self.offset) / self.unit)

    def original(self, weights: Weights) -> Weights:
        """Convert weights for standard units to weights that give the same function in the original units.

        Parameters
        ----------
        weights : tuple of Tensor of float64, (1, ...)
            Weights for standard units.
        """
        parts = list(weights)
        parts[0] = parts[0] / torch.from_numpy(self.std)
        parts[1] = parts[1] - parts[0] @ torch.from_numpy(self.mean)
        parts[-2], parts[-1] = parts[-2] * self.unit, parts[-1] * self.unit + torch.from_numpy(self.offset)
        return tuple(parts)


class _LabelUnits(StandardUnits):
    """Units for a quadratic network, whose weights can undo a change of the labels' unit, but no other."""

    def original(self, weights: Weights) -> Weights:
        """Return weights for the original units, see `StandardUnits.original`."""
        return (weights[0] * math.sqrt(self.unit),)


@functools.singledispatch
def standard_units(network: Architecture, x: Array, targets: Array) -> StandardUnits:
    """Return the units in which a network is fitted to examples.

    Parameters
    ----------
    network : Network
        The network.  Units are changed only if the weights of this network can undo the change.
    x : ndarray of float64, (n, dim)
        Inputs.
    targets : ndarray of float64, (n, outputs)
        Labels.
    """
    std, offset = x.std(0), targets.mean(0)
    unit = float(np.sqrt(np.square(targets - offset).mean()))
    return StandardUnits(x.mean(0), np.where(std > 0, std, 1.0), offset, unit if unit > 0 else 1.0)


@standard_units.register
def _(network: QuadraticNetwork, x: Array, targets: Array) -> StandardUnits:
    unit = float(np.sqrt(np.square(targets).mean()))
    dim = x.shape[1]
    return _LabelUnits(np.zeros(dim), np.ones(dim), np.zeros(targets.shape[1]), unit if unit > 0 else 1.0)
