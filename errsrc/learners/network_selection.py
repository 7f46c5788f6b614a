"""A learner that is given only an upper bound on the size of a network, and finds the size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc import checks
from errsrc.fields import choice, declare, integer, number
from errsrc.learners.learner import Learner, indicators
from errsrc.learners.network_class import (
    AnalyticNetwork,
    Starts,
    random_starts,
    search_network,
    sorted_examples,
    standard_units,
)
from errsrc.learners.network_starts import pruned_starts, spectral_starts
from errsrc.learners.recovered_network import ZERO_ERROR, RecoveredNetwork
from errsrc.learners.wide_starts import WideNetworks, has_wide_starts, hessian_starts, largest_unit_starts
from errsrc.nets import MLP, QuadraticNetwork, Weights
from errsrc.nets import Network as Architecture
from errsrc.settings import FunctionClass, NetworkFunctions
from errsrc.settings.setting import Array, Predictor

_NUMBERS_AT_ONCE = 2**22  # largest number of entries of the Jacobians of all runs
_SINGULAR = 1e10  # smallest condition number of a network with more weights than its function needs
_ROUNDS = (1 / 8, 1 / 8, 1 / 4, 1 / 2)  # shares of the starts in successive scans


@dataclass(frozen=True)
class NetworkSelection(Learner):
    """A search for the smallest network of a family that fits the examples exactly, with a certificate.

    The learner is given the largest network that the teacher may be, not the teacher's size.  It fits
    networks of the sizes k = 1, 2, ... as `NetworkClass` does.  It accepts the first network that has zero
    training error, more examples than degrees of freedom, and examples that determine its function.  The scan
    is repeated with new starts until a size is accepted or all starts are used.

    Parameters
    ----------
    largest : MLP or QuadraticNetwork
        The largest network of the family.  The network of size k has at most k units in each hidden layer.
    starts : int
        Largest number of starts at each size, >= 1.  The first scan uses an eighth of these starts.
    steps : int
        Largest number of steps from a start, >= 1.
    together : int
        Largest number of runs at the same time, >= 1.
    start_from : str
        How starts are made.  "random": from normal weights.  "spectral": from eigenvectors of a weighted mean
        of y (x x^T - I), for quadratic networks only.  "pruned": from wide networks that were fitted to the
        examples, for quadratic networks and for one hidden layer of tanh.  "hessian": from the second
        derivatives of such wide networks, for one hidden layer of tanh only.  "auto": "spectral" for
        quadratic networks, "random" for other networks.
    weight_std, bias_std : float
        Scales of random starts, see `NetworkClass`, and of the initial weights of wide tanh networks.

    Notes
    -----
    Suppose that a network of size k with zero training error was found.  Let dof(k) be its degrees of
    freedom.  Almost all inputs are generic.  At n > dof(k) generic inputs, no network of size k has the same
    labels as the teacher, for almost every larger teacher.  The network therefore *is* the teacher, for
    almost every teacher of any size.  At n >= dof(k) + dof(k_max) + 1 inputs, the network is the teacher for
    every teacher of the family up to the size k_max.  For quadratic networks of d inputs, n >= r d - r (r -
    1) / 2 is enough, with r = min(k + k_max, d).  A predictor's ``function`` is a `SelectedNetwork`; its
    ``certificate`` says which of the two statements holds.

    Examples
    --------
    >>> from errsrc.settings import NetworkTeacher
    >>> rng, setting = np.random.default_rng(0), NetworkTeacher(QuadraticNetwork(8, 2), 1.0)
    >>> teacher, x = setting.teacher(rng), setting.inputs(36, rng)
    >>> f = NetworkSelection(QuadraticNetwork(8, 8)).fit(x, teacher(x), rng).function
    >>> f.size, f.certificate, teacher.squared_distance(f) < 1e-20
    (2, 'every teacher', True)
    """

    largest: Architecture = declare(AnalyticNetwork(), MLP((1, 4, 1), "tanh"))
    starts: int = integer(64, at_least=1)
    steps: int = integer(3000, at_least=1)
    together: int = integer(16, at_least=1)
    start_from: str = choice("auto", ("auto", "random", "spectral", "pruned", "hessian"))
    weight_std: float = number(1.0, above=0)
    bias_std: float = number(0.5, at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        accepted = _accepted_starts(self.largest)
        if repr(self.start_from) not in accepted:
            raise ValueError(checks.refusal("start_from", "NetworkSelection", accepted, self.start_from))

    @property
    def function_class(self) -> FunctionClass:
        """All functions that the largest network can express."""
        return NetworkFunctions(self.largest)

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return a copy whose networks take `dim` inputs and give `outputs` outputs."""
        return replace(self, largest=self.largest.resized(dim, outputs or 1))

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        labels = indicators(y)
        x, targets = sorted_examples(self.largest, x, labels, "NetworkSelection")
        different = len(np.unique(x, axis=0))
        sizes: list[_Size] = []
        seeds = rng.integers(2**63, size=max(self.largest.size, 1)).tolist()
        wide = self._wide_networks(x, targets, np.random.default_rng([seeds[0], 1]))
        for size, seed in enumerate(seeds, 1):
            network = self.largest.of_size(size)
            needed = min(network.degrees_of_freedom + 1, network.separating_examples(self.largest))
            if different < needed and sizes:
                break
            sizes.append(_Size(self, network, x, targets, labels.shape[1:], seed, wide))
        accepted = self._first_accepted(sizes)
        found = [one.best for one in sizes if one.best is not None]
        if accepted is not None:
            return SelectedNetwork(found[accepted], accepted + 1, self.largest, _scan(sizes))
        best = min(found, key=lambda one: one.training_error)
        return SelectedNetwork(best, None, self.largest, _scan(sizes))

    def _first_accepted(self, sizes: list[_Size]) -> int | None:
        """Return the index of the size that the scans accept, or None."""
        for last in np.ceil(self.starts * np.cumsum(_ROUNDS)).astype(int):
            for place, one in enumerate(sizes):
                if one.search(int(last)).certified:
                    if one.search(0).condition < _SINGULAR:
                        return place
                    # the function does not need some units, so a smaller size may fit: use all its starts
                    smaller = (k for k in range(place) if sizes[k].search(self.starts).certified)
                    return next(smaller, place)
        return None

    def _wide_networks(self, x: Array, targets: Array, rng: np.random.Generator) -> WideNetworks | None:
        """Return the wide networks that the starts of all sizes share, or None if the starts need none."""
        if not isinstance(self.largest, MLP) or self.start_from not in ("pruned", "hessian"):
            return None
        units = standard_units(self.largest, x, targets)
        scaled = torch.from_numpy(units.inputs(x)), torch.from_numpy(units.labels(targets))
        return WideNetworks(self.largest, *scaled, self.weight_std, self.bias_std, rng)

    def starts_of(
        self,
        network: Architecture,
        x: Tensor,
        y: Tensor,
        rng: np.random.Generator,
        wide: WideNetworks | None = None,
    ) -> Starts:
        """Return the function that makes the starts for networks of one size.

        Parameters
        ----------
        network : Network
            The network of this size.
        x : Tensor of float64, (n, dim)
            Inputs in standard units.
        y : Tensor of float64, (n, outputs)
            Labels in standard units.
        rng : numpy.random.Generator
            Source of the starts.
        wide : WideNetworks, optional
            The wide networks of starts of tanh networks that are not random.
        """
        if isinstance(network, MLP) and wide is not None:
            if self.start_from == "pruned":
                return largest_unit_starts(network, wide)
            return hessian_starts(network, wide, rng)
        if isinstance(network, QuadraticNetwork):
            if self.start_from in ("auto", "spectral"):
                return spectral_starts(network, x, y, rng)
            if self.start_from == "pruned":
                return pruned_starts(network, x, y, rng)
        return random_starts(network, self.starts, self.weight_std, self.bias_std, rng)


def _accepted_starts(largest: Architecture) -> str:
    """Return the values of `start_from` that a network has, in words."""
    if isinstance(largest, QuadraticNetwork):
        return "'auto', 'random', 'spectral' or 'pruned' for quadratic networks"
    if has_wide_starts(largest):
        return "'auto', 'random', 'pruned' or 'hessian' for one hidden layer of tanh"
    return "'auto' or 'random' for networks with other layers or activations"


class _Size:
    """The search of one size, which can be continued with more starts."""

    def __init__(
        self,
        learner: NetworkSelection,
        network: Architecture,
        x: Array,
        targets: Array,
        shape: tuple[int, ...],
        seed: int,
        wide: WideNetworks | None,
    ) -> None:
        self.network, self.x, self.targets, self.shape = network, x, targets, shape
        self._learner, self._units = learner, standard_units(network, x, targets)
        self._inputs = torch.from_numpy(self._units.inputs(x))
        self._labels = torch.from_numpy(self._units.labels(targets))
        rng = np.random.default_rng(seed)
        self._draw = learner.starts_of(network, self._inputs, self._labels, rng, wide)
        self._together = max(
            1, min(learner.together, _NUMBERS_AT_ONCE // (targets.size * network.parameters))
        )
        self._counts = (0, 0, 0)
        self.best: RecoveredNetwork | None = None

    def search(self, last: int) -> RecoveredNetwork:
        """Continue the search up to the start number `last`, and return the best network so far."""
        begun = self._counts[0]
        if self.best is not None and begun >= last:
            return self.best
        result = search_network(
            self.network,
            self._inputs,
            self._labels,
            lambda first, count: self._draw(begun + first, count),
            last - begun,
            self._learner.steps,
            self._together,
        )
        self._counts = tuple(np.add(self._counts, result.counts).tolist())
        weights = tuple(w.clone() for w in self.network.unflatten(result.point[None]))
        found = RecoveredNetwork.of(
            self.network,
            self._units.original(weights),
            self.x,
            self.targets,
            self.shape,
            self._counts,
            self._learner.largest,
        )
        better = self.best is None or found.training_error < self.best.training_error
        kept = found if better or self.best is None else self.best
        begun, ended, solved = self._counts
        self.best = replace(kept, starts_begun=begun, starts_ended=ended, starts_solved=solved)
        return self.best


def _scan(sizes: list[_Size]) -> tuple[SizeTried, ...]:
    """Return the results of all sizes that were tried, from the smallest on."""
    return tuple(
        SizeTried(size, one.best.training_error, one.best.starts_ended, one.best.certificate)
        for size, one in enumerate(sizes, 1)
        if one.best is not None
    )


class SizeTried(NamedTuple):
    """The result of one size in a scan.

    Attributes
    ----------
    size : int
        The size k.
    training_error : float
        The smallest training error of all starts, see `RecoveredNetwork.training_error`.
    starts : int
        Number of starts that ended.
    certificate : str
        The certificate of the best network, see `RecoveredNetwork.certificate`.
    """

    size: int
    training_error: float
    starts: int
    certificate: str


@dataclass(frozen=True, eq=False)
class SelectedNetwork:
    """The network that a scan of sizes accepted, as a function; the best network if no size was accepted.

    Attributes
    ----------
    network : RecoveredNetwork
        The network, with its certificate and the bounds on its error.
    size : int or None
        The accepted size; None if no size was accepted.
    largest : MLP or QuadraticNetwork
        The largest network of the family.
    scan : tuple of SizeTried
        The result of each size that was tried, in order.
    """

    network: RecoveredNetwork
    size: int | None
    largest: Architecture
    scan: tuple[SizeTried, ...]

    def __call__(self, at: Array) -> Array:
        """Return the network's outputs, see `RecoveredNetwork`.

        Parameters
        ----------
        at : ndarray of float64, (N, dim)
            Inputs.
        """
        return self.network(at)

    @property
    def architecture(self) -> Architecture:
        """The architecture of the network."""
        return self.network.architecture

    @property
    def weights(self) -> Weights:
        """The weights of the network."""
        return self.network.weights

    @property
    def certificate(self) -> str:
        """The set of teachers for which the function is proved to be the teacher.

        "every teacher": all networks of the family up to the largest one.  "almost every teacher": almost all
        networks of any size.  "none": no size was accepted.  See `RecoveredNetwork.certificate`.
        """
        return self.network.certificate

    @property
    def certified(self) -> bool:
        """Whether a size was accepted."""
        return self.size is not None

    @property
    def training_error(self) -> float:
        """The training error of the network, see `RecoveredNetwork.training_error`."""
        return self.network.training_error

    @property
    def condition(self) -> float:
        """Condition number of the Jacobian on the examples, see `RecoveredNetwork.condition`."""
        return self.network.condition

    def error_bound(self, at: Array) -> Array:
        """Return a bound on the error of a certified function, see `RecoveredNetwork.error_bound`.

        Parameters
        ----------
        at : ndarray of float64, (N, dim)
            Inputs.
        """
        return self.network.error_bound(at)

    @property
    def status(self) -> str:
        """Sentences that say which size was accepted, or why no size was, and how the search ended."""
        last = self.scan[-1]
        if self.size is not None:
            return f"Size {self.size} of at most {self.largest.size} was accepted.  {self.network.status}"
        said = f"No size up to {last.size} was accepted."
        if last.size < self.largest.size:
            said += f"  For size {last.size + 1} there are too few examples."
        if self.training_error > ZERO_ERROR:
            return f"{said}  The smallest training error is {self.training_error:.1e}."
        return f"{said}  {self.network.status}"
