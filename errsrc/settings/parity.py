"""Sparse parities: teachers that a few examples determine, and that descent finds only with many more."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.fields import choice, instance, integer
from errsrc.nets import MLP
from errsrc.results import Interval
from errsrc.settings.channels import Flips
from errsrc.settings.classes import FunctionClass
from errsrc.settings.setting import ZERO, Array, Predictor, Setting

MOST_SETS = 2**20
"""Largest number of sets of coordinates: the posterior has a probability for each set."""

_NEGLIGIBLE = 1e-15  # sets of smaller posterior probability, relative to the largest one, are left out
_ENTRIES = 2**22  # largest number of entries of a matrix of parities


@dataclass(frozen=True)
class SparseParity(Setting):
    """A setting whose teachers are products of k of the d coordinates of an input.

    The coordinates of an input are independent, and each is -1 or 1 with equal probability.  The teacher is a
    random set of k coordinates.  The label is the class 0 if the product of these coordinates is 1, and the
    class 1 if it is -1.  With the probability `channel.rate` the label is flipped.

    Parameters
    ----------
    dim : int
        d, the number of coordinates, >= 1.
    size : int
        k, the number of coordinates of the product, from 1 to d.  There may be at most 2^20 sets of k out of
        d coordinates.
    loss : str
        "zero-one", the error rate if the most probable class is predicted; or "log", the cross-entropy of the
        predicted class probabilities in nats.
    channel : Flips
        The label flips, at a rate < 1/2.

    Notes
    -----
    Let C be the number of sets of k out of d coordinates.  Without flips, each example halves the expected
    number of other sets that agree with all labels.  A few more than log2 C examples therefore determine the
    teacher.  The uncertainty is the exact posterior risk, from all C sets.  Gradient descent needs many more
    examples, of the order d^(k-1) (Barak et al. 2022, arXiv 2207.08799; Edelman et al. 2023, arXiv
    2309.03800).  The difference is deficiency.

    Examples
    --------
    >>> setting = SparseParity(dim=30, size=3)
    >>> setting.sets, setting.n_nyquist
    (4060, 12)
    """

    dim: int = integer(at_least=1)
    size: int = integer(3, at_least=1)
    loss: str = choice("zero-one", ("log", "zero-one"))
    _: KW_ONLY
    channel: Flips = instance(Flips, "Flips(...)", Flips())

    def __post_init__(self) -> None:
        super().__post_init__()
        check_parities(self.dim, self.size, self.channel, "SparseParity")

    @property
    def sets(self) -> int:
        """C, the number of sets of `size` coordinates."""
        return math.comb(self.dim, self.size)

    @property
    def input_dim(self) -> int:
        """Number of coordinates of an input."""
        return self.dim

    @property
    def output_dim(self) -> int:
        """Number of classes, 2."""
        return 2

    @property
    def noise(self) -> float:
        """The smallest possible risk: the rate of flips, or the entropy of a flip in nats."""
        return self.channel.smallest_risk(self.loss, 2)

    @property
    def target_variance(self) -> float:
        """Excess risk of the best constant prediction, which gives both classes equal probability."""
        return (math.log(2) if self.loss == "log" else 0.5) - self.noise

    @property
    def n_nyquist(self) -> int | None:
        """log2 C, rounded up: fewer noiseless labels cannot tell all sets apart.

        A few more labels may be needed: 5 labels cannot tell all 28 pairs of 8 coordinates apart.  With
        flips, no number of labels is enough for certain, and the value is None.
        """
        return None if self.channel.rate else max(1, math.ceil(math.log2(self.sets)))

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return 0 for all functions and for networks that express all parities, see `Setting.realizability`.

        A product of k coordinates is a function of their sum, which takes k + 1 values.  Networks with k + 1
        rectified units in one hidden layer express every function of a number that takes k + 1 values.
        """
        enough = holds_rectified_units(function_class, self.dim, self.size + 1)
        return ZERO if enough else super().realizability(function_class)

    def check_inputs(self, x: Array, where: str) -> None:
        """Raise ValueError if a coordinate is not -1 or 1, see `Setting.check_inputs`."""
        check_coordinates(x, where)

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs with coordinates -1 and 1, float64 (count, dim), see `Setting.inputs`."""
        return np.asarray(2 * rng.integers(0, 2, (count, self.dim)) - 1, dtype=np.float64)

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a set of coordinates; the values of the teacher are one-hot vectors, (N, 2).

        See `Setting.teacher`.
        """
        chosen = np.sort(rng.choice(self.dim, self.size, replace=False))
        return functools.partial(_class_of_parity, chosen)

    def posterior(self, x: Array, y: NDArray[np.int64]) -> tuple[NDArray[np.int64], Array]:
        """Return the sets of coordinates that can be the teacher's, with their posterior probabilities.

        Parameters
        ----------
        x : float64, (n, dim)
            Inputs of the labelled examples, with coordinates -1 and 1.
        y : int64, (n,)
            Labels of the examples, 0 or 1.

        Returns
        -------
        sets : ndarray of int64, (S, size)
            The coordinates of each set.  Sets of negligible probability are left out.
        probabilities : ndarray of float64, (S,)
            The posterior probability of each set.

        Raises
        ------
        ValueError
            If the arrays have wrong shapes or values, or if there are no flips and no set agrees with all
            labels.
        """
        x, signs = np.asarray(x, dtype=np.float64), 1 - 2 * np.asarray(y, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != self.dim:
            accepted = f"an array of shape (n, {self.dim})"
            raise ValueError(checks.refusal("x", "posterior", accepted, f"<shape {x.shape}>"))
        if signs.shape != x.shape[:1] or (np.abs(signs) != 1).any():
            raise ValueError(checks.refusal("y", "posterior", "a label 0 or 1 for each input", y))
        agreement = self._agreement(x, signs)
        best = agreement.max()
        rate = self.channel.rate
        if rate == 0:
            if best < len(x):
                raise ValueError(
                    checks.refusal("y", "posterior", "labels of a parity, for labels without flips", y)
                )
            weights = (agreement == best).astype(np.float64)
        else:
            weights = np.exp((agreement - best) / 2 * math.log((1 - rate) / rate))
        kept = np.flatnonzero(weights > _NEGLIGIBLE)
        return _coordinate_sets(self.dim, self.size)[kept], weights[kept] / weights[kept].sum()

    def predictive(self, x: Array, y: NDArray[np.int64], at: Array) -> Array:
        """Return the posterior probability of each class as the label of new examples, float64 (N, 2).

        Parameters
        ----------
        x : float64, (n, dim)
            Inputs of the labelled examples.
        y : int64, (n,)
            Labels of the examples, 0 or 1.
        at : float64, (N, dim)
            Inputs of the new examples.
        """
        sets, probabilities = self.posterior(x, y)
        mean = np.zeros(len(at))
        step = max(1, _ENTRIES // max(1, len(at)))
        for start in range(0, len(sets), step):
            some = sets[start : start + step]
            parities = np.ones((len(at), len(some)))
            for column in some.T:
                parities *= at[:, column]
            mean += parities @ probabilities[start : start + step]
        return class_probabilities(np.clip((1 - 2 * self.channel.rate) * mean, -1, 1))

    def most_probable(self, x: Array, y: NDArray[np.int64], at: Array) -> tuple[Array, bool]:
        """Return the predictions of the most probable parity.

        The prediction is the mean label under the most probable parity, multiplied by the posterior
        probability of this parity.  It is therefore less certain than the parity itself.  This keeps the log
        loss finite where the parity is wrong.

        Parameters
        ----------
        x : float64, (n, dim)
            Inputs of the labelled examples.
        y : int64, (n,)
            Labels of the examples, 0 or 1.
        at : float64, (N, dim)
            Inputs of the new examples.

        Returns
        -------
        probabilities : ndarray of float64, (N, 2)
            The probability of each class.
        certain : bool
            Whether only one parity can be the teacher's.
        """
        sets, probabilities = self.posterior(x, y)
        best = at[:, sets[probabilities.argmax()]].prod(1)
        mean = (1 - 2 * self.channel.rate) * probabilities.max() * best
        return class_probabilities(mean), len(sets) == 1

    def _agreement(self, x: Array, signs: Array) -> Array:
        """Return the sum over examples of sign times parity for each of `_coordinate_sets`, (sets,)."""
        if self.size == 1:
            return x.T @ signs
        sums = []
        for first in itertools.combinations(range(self.dim), self.size - 2):
            rest = x[:, first[-1] + 1 if first else 0 :]
            weighted = rest * (signs * x[:, list(first)].prod(1))[:, None]
            sums.append((weighted.T @ rest)[np.triu_indices(rest.shape[1], 1)])
        return np.concatenate(sums)


@functools.lru_cache(maxsize=4)
def _coordinate_sets(dim: int, size: int) -> NDArray[np.int64]:
    """Return all sets of `size` of `dim` coordinates, int64 (sets, size)."""
    coordinates = itertools.chain.from_iterable(itertools.combinations(range(dim), size))
    out = np.fromiter(coordinates, np.int64, math.comb(dim, size) * size).reshape(-1, size)
    out.setflags(write=False)
    return out


def holds_rectified_units(function_class: FunctionClass, inputs: int, units: int) -> bool:
    """Return whether a class is that of networks with one hidden layer of enough rectified units.

    Parameters
    ----------
    function_class : FunctionClass
        The class.
    inputs : int
        Number of inputs of the networks.  The networks must have 2 outputs.
    units : int
        Smallest number of hidden units.
    """
    network = function_class.network
    if not isinstance(network, MLP) or network.activation != "relu" or len(network.sizes) != 3:
        return False
    first, width, last = network.sizes
    return (first, last) == (inputs, 2) and width >= units


def check_parities(dim: int, size: int, channel: Flips, where: str) -> None:
    """Raise ValueError if there are no sets of `size` of `dim` coordinates, too many sets, or too many flips.

    Parameters
    ----------
    dim, size : int
        Number of coordinates of an input, and of a product.
    channel : Flips
        The label flips.
    where : str
        Name of the setting, for error messages.
    """
    if dim > MOST_SETS:
        raise ValueError(checks.refusal("dim", where, f"an integer <= {MOST_SETS:,}", dim))
    if size > dim:
        accepted = f"an integer from 1 to the number of coordinates, {dim}"
        raise ValueError(checks.refusal("size", where, accepted, size))
    # the number of sets can have millions of digits; C(dim, 12) is no larger, and too large from dim = 24 on
    sets = math.comb(dim, min(size, dim - size, 12))
    if sets > MOST_SETS:
        accepted = f"such that at most {MOST_SETS:,} sets of coordinates are possible"
        got = f"{size}, with at least {sets:,} sets of {dim} coordinates"
        raise ValueError(checks.refusal("size", where, accepted, got))
    if channel.rate >= 0.5:
        raise ValueError(checks.refusal("channel", where, "Flips at a rate < 0.5", channel))


def check_coordinates(x: Array, where: str) -> None:
    """Raise ValueError if a coordinate of an input is not -1 or 1.

    Parameters
    ----------
    x : float64, (n, dim)
        The inputs.
    where : str
        Name of the calling function, for error messages.
    """
    others = x[np.abs(x) != 1]
    if len(others):
        raise ValueError(checks.refusal("x", where, "coordinates that are -1 or 1", float(others[0])))


def class_probabilities(mean: Array) -> Array:
    """Return the probabilities of the classes 0 and 1 from the expected parity, float64 (N, 2).

    Parameters
    ----------
    mean : float64, (N,)
        The probability of class 0 (parity 1) minus the probability of class 1 (parity -1), in [-1, 1].
    """
    return np.stack([1 + mean, 1 - mean], 1) / 2


def _class_of_parity(chosen: NDArray[np.int64], x: Array) -> Array:
    """Return a teacher's values; a function of the module, so that teachers can be pickled."""
    return class_probabilities(x[:, chosen].prod(1))
