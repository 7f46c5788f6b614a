"""A network that was fitted to examples, with a certificate that proves that it is the teacher."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import beta

from errsrc.nets import MLP, Network, QuadraticNetwork, Weights, jacobian
from errsrc.results import Interval, bound_to
from errsrc.settings.setting import Array

ZERO_ERROR = 1e-24
"""Largest value of `RecoveredNetwork.training_error` that counts as zero in float64."""

RELIABLE = 1e-6
"""Largest `RecoveredNetwork.relative_bound` of a certified function."""

_REFERENCE_INPUTS = 256  # number of inputs of `RecoveredNetwork.relative_bound`
_INTEGER_VECTORS = (
    20_000  # largest number of integer vectors that `on_grid` tries, except in 10 dimensions or more
)
_GRID_ROUNDING = 1e-6  # largest distance from an integer that counts as 0
_SAME_PLANE = 1e-9  # largest distance from a plane that counts as 0, divided by the largest spread
_SAME_PRODUCT = 1e-12  # largest difference that counts as 0, divided by the largest value
_MOST_INPUTS = 1000  # largest number of inputs that `in_separate_flats` compares
_DEPENDENT = 1e-9  # inputs of length 1 are dependent if their smallest singular value is at most this number
_SUBSETS = 2**15  # largest number of entries of all random subsets of inputs
_LABEL_ROUNDING = 8.0  # rounding error of a label, in machine epsilons

_STATUS = {
    "every teacher": "Zero training error at {every} inputs or more: the teacher, if of the class.",
    "almost every teacher": "Zero training error at {almost} inputs or more: almost surely the teacher.",
    "few": "Zero training error at {free} generic inputs or fewer, which many functions have.",
    "undetermined": (
        "Zero training error, but no certificate: these inputs do not determine the function elsewhere.  Its "
        "error may be {bound:.1g} of the labels' spread at inputs of the same spread; the limit is {limit:g}."
    ),
    "grid": "Zero training error, but no certificate: the inputs lie on a grid, where other sines are equal.",
    "flats": (
        "Zero training error, but no certificate: the inputs lie in separate points, lines or planes, and "
        "the values of a unit in one of them do not determine its values in another one."
    ),
    "structure": (
        "Zero training error, but no certificate: these inputs or their products have linear relations, so "
        "that other quadratic forms may be equal there."
    ),
}


@dataclass(frozen=True, eq=False)
class RecoveredNetwork:
    """The best network of a search from many starts, as a function, with bounds on its error.

    Attributes
    ----------
    architecture : MLP or QuadraticNetwork
        The architecture of the network.
    weights : tuple of Tensor of float64, (1, ...)
        The weights of the network.
    x : ndarray of float64, (n, dim)
        The inputs of the examples.
    residual : float
        Euclidean norm of the differences between the labels and the network's outputs, over all examples and
        all outputs.
    scale : float
        Euclidean norm of the labels after subtracting the mean of each output.  If the labels are constant,
        `scale` is the norm of the labels themselves.
    size : float
        Euclidean norm of the labels.
    shape : tuple of int
        Shape of one label.
    starts_begun, starts_ended, starts_solved : int
        Number of runs that began, number of runs that ended, and number of runs that ended at zero training
        error.  Each run begins at its own start.
    teachers : Network or None
        The largest architecture that the teacher may have; None if this architecture is `architecture`.
    """

    architecture: Network
    weights: Weights
    x: Array
    residual: float
    scale: float
    size: float
    shape: tuple[int, ...]
    starts_begun: int
    starts_ended: int
    starts_solved: int
    teachers: Network | None = None

    @classmethod
    def of(
        cls,
        architecture: Network,
        weights: Weights,
        x: Array,
        targets: Array,
        shape: tuple[int, ...],
        starts: tuple[int, int, int],
        teachers: Network | None = None,
    ) -> RecoveredNetwork:
        """Return the `RecoveredNetwork` with given weights; compute its residual and the norms of the labels.

        Parameters
        ----------
        architecture : Network
            The architecture of the network.
        weights : tuple of Tensor of float64, (1, ...)
            The weights of the network.
        x : ndarray of float64, (n, dim)
            Inputs of the examples.
        targets : ndarray of float64, (n, outputs)
            Labels of the examples.
        shape : tuple of int
            Shape of one label.
        starts : tuple of int
            The numbers ``starts_begun``, ``starts_ended`` and ``starts_solved``.
        teachers : Network, optional
            The largest architecture that the teacher may have; by default `architecture`.

        Returns
        -------
        network : RecoveredNetwork
            The network as a function.
        """
        left = targets - architecture(weights, torch.from_numpy(x))[0].numpy()
        size = float(np.linalg.norm(targets))
        scale = float(np.linalg.norm(targets - targets.mean(0))) or size or 1.0
        return cls(
            architecture, weights, x, float(np.linalg.norm(left)), scale, size, shape, *starts, teachers
        )

    def __call__(self, at: Array) -> Array:
        """Return the network's outputs.

        Parameters
        ----------
        at : ndarray of float64, (N, dim)
            Inputs.

        Returns
        -------
        outputs : ndarray of float64, (N,) or (N, outputs)
            The outputs; each has the shape of one label.
        """
        values = self.architecture(self.weights, torch.from_numpy(at))[0].numpy()
        return np.asarray(values.reshape(len(at), *self.shape))

    @property
    def training_error(self) -> float:
        """Sum of squared residuals, divided by the sum of squares of the labels around their means."""
        return (self.residual / self.scale) ** 2

    @property
    def certificate(self) -> str:
        """The set of teachers for which zero training error proves that the function is the teacher.

        The value is "every teacher" (every network of the architecture, or of `teachers`), "almost every
        teacher" or "none".  The certificate is valid in exact arithmetic, for noiseless labels at distinct
        generic inputs.  Almost all inputs are generic.  In float64, the error of the function is at most
        `error_bound`.  The inputs are not generic, and the value is "none", if `relative_bound` is above
        `RELIABLE`.  For example, two columns of the inputs may be equal.  The value is also "none" if a
        network of sines has inputs on a grid, or if the inputs of a quadratic network, or the products of
        these inputs, have more linear relations than generic inputs have.  It is "none" if the inputs of an
        MLP lie in separate flats, see `in_separate_flats`.  If several pairs of inputs are
        mirror images in one common centre, each pair counts as one input.
        """
        reason = self._reason
        return reason if reason in ("every teacher", "almost every teacher") else "none"

    @functools.cached_property
    def _reason(self) -> str:
        """The certificate, or why there is none: a key of `_STATUS`, or "error" for a training error."""
        different, free, every = np.unique(self.x, axis=0), self._free, self._every
        if self.training_error > ZERO_ERROR:
            return "error"
        distinct = len(different)
        if min(free, every - 1) < distinct < 2 * every:
            distinct -= mirrored_pairs(different)
        if distinct < min(free + 1, every):
            return "few"
        if not self.relative_bound <= RELIABLE:
            return "undetermined"
        if isinstance(self.architecture, MLP) and self.architecture.activation == "sine" and on_grid(self.x):
            return "grid"
        if isinstance(self.architecture, QuadraticNetwork) and products_are_dependent(different):
            return "structure"
        if isinstance(self.architecture, MLP) and in_separate_flats(different):
            return "flats"
        return "every teacher" if distinct >= every else "almost every teacher"

    @property
    def _free(self) -> int:
        """Number of dimensions of the set of functions of the architecture."""
        return self.architecture.degrees_of_freedom

    @property
    def _every(self) -> int:
        """Number of generic inputs that distinguish this network from every other possible teacher."""
        return self.architecture.separating_examples(self.teachers)

    @functools.cached_property
    def relative_bound(self) -> float:
        """Root mean square of `error_bound` at reference inputs, divided by the labels' standard deviation.

        The columns of the reference inputs are independent and normal, with the mean and the standard
        deviation of the columns of the examples' inputs.  If the examples do not determine the function at
        the reference inputs, the bound is large.  Units of inputs and of weights do not matter.
        """
        mean, std = self.x.mean(0), self.x.std(0)
        constant = np.maximum(np.abs(mean), 1.0)
        std = np.where(std > 1e-12 * constant, std, constant)
        normal = np.random.default_rng(0).standard_normal((_REFERENCE_INPUTS, self.x.shape[1]))
        bound = self.error_bound(mean + std * normal)
        return float(np.sqrt(np.square(bound).mean() * len(self.x)) / self.scale)

    @property
    def certified(self) -> bool:
        """Whether the certificate is not "none"."""
        return self.certificate != "none"

    @property
    def solved_share(self) -> Interval:
        """Share of the ended runs that reached zero training error, with a 95% interval (Clopper-Pearson).

        If no run reached zero training error, the upper end is 3 / starts_ended (rule of three).  Runs that
        had not ended when the first run succeeded do not count.  This estimate of the share is too large if
        failing runs take longer than successful runs.
        """
        k, n = self.starts_solved, self.starts_ended
        low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
        high = float(beta.ppf(0.975 if k else 0.95, k + 1, n - k)) if k < n else 1.0
        return Interval(k / n, low, high, 0.95)

    @functools.cached_property
    def _spectrum(self) -> tuple[Array, Array]:
        """Singular values of the Jacobian on the examples, and its right singular vectors as rows.

        The number of singular values is the dimension of the set of functions.  Further singular values
        belong to changes of the weights that do not change the function.
        """
        j = jacobian(self.architecture, self.weights, torch.from_numpy(self.x))[0]
        p = j.shape[1]
        if len(j) < p:
            j = torch.cat([j, j.new_zeros(p - len(j), p)])
        _, values, rows = torch.linalg.svd(j, full_matrices=False)
        return values[: self._free].numpy(), rows[: self._free].numpy()

    @property
    def condition(self) -> float:
        """Condition number of the Jacobian on the examples; inf if the weights are not determined."""
        values = self._spectrum[0]
        return float(values[0] / values[-1]) if values[-1] > 0 else math.inf

    def error_bound(self, at: Array) -> Array:
        """Return a first-order bound on the error of a certified function.

        Let J be the Jacobian of the outputs on the examples, J^+ its pseudo-inverse, and j the Jacobian at an
        input.  The bound is (1 + the norm of j J^+) times the sum of two numbers: the norm of the residuals,
        and the rounding errors of the labels.

        Parameters
        ----------
        at : ndarray of float64, (N, dim)
            Inputs.

        Returns
        -------
        bound : ndarray of float64, (N,)
            Bound on the norm of the function's outputs minus the teacher's outputs, in units of the labels.
        """
        values, rows = self._spectrum
        if values[-1] == 0:
            return np.full(len(at), math.inf)
        eps = np.finfo(np.float64).eps
        j = jacobian(self.architecture, self.weights, torch.from_numpy(at))[0].numpy()
        amplification = (j @ rows.T / values).reshape(len(at), self.architecture.outputs, -1)
        gain = np.linalg.norm(amplification, 2, axis=(1, 2))
        return np.asarray((1 + gain) * (self.residual + _LABEL_ROUNDING * eps * self.size))

    def _proof(self) -> str:
        """Return the sentence in `_STATUS` that explains the certificate, with this network's numbers."""
        free, every = self._free, self._every
        by_parameters = (
            isinstance(self.architecture, MLP) and self.teachers is None and free == (every - 1) // 2
        )
        counts = {"free": "P", "almost": "P + 1", "every": "2P + 1"}
        if not by_parameters:
            counts = {"free": f"{free:,}", "almost": f"{free + 1:,}", "every": f"{every:,}"}
        return _STATUS[self._reason].format(bound=self.relative_bound, limit=RELIABLE, **counts)

    @property
    def status(self) -> str:
        """One or two sentences that say how the search ended."""
        if self.training_error <= ZERO_ERROR:
            return (
                f"{self._proof()} "
                f"The Jacobian's condition number is {self.condition:.2g}; "
                f"{self.starts_solved} of {self.starts_ended} starts reached it."
            )
        largest = bound_to(self.solved_share.high, 2, "up")
        return (
            f"None of {self.starts_ended:,} starts reached zero training error; the best has "
            f"{self.training_error:.1e}.  At 95% fewer than {largest:.2g} of all starts do: "
            f"one takes more than {math.floor(1 / self.solved_share.high):,} starts on average."
        )


def products_are_dependent(x: Array) -> bool:
    """Return whether the matrix of the products x_i x_j has a lower rank than it has at almost all inputs.

    The matrix has a row for each input.  If its rank is lower, different quadratic forms x^T S x - tr S are
    equal at all these inputs.  The function also returns True in three cases in which other forms of low rank
    may have the same labels: if all inputs lie in a plane of fewer dimensions, as with two equal columns; if
    the absolute value of a column is constant, as on the Boolean cube; or if the product of two columns is 0
    at all inputs.  If there are fewer inputs than products, the inputs must also be in general position, see
    `subsets_are_dependent`.

    Parameters
    ----------
    x : ndarray of float64, (n, dim)
        Different inputs.
    """
    if bool((np.ptp(np.abs(x), axis=0) <= _SAME_PRODUCT * np.abs(x).max(0)).any()):
        return True
    present = (x != 0).astype(np.float64)
    if not (present.T @ present).all():
        return True
    spread = np.linalg.svd(x - x.mean(0), compute_uv=False)
    if len(x) > x.shape[1] and spread[-1] <= _SAME_PLANE * spread[0]:
        return True
    squares = np.square(x).sum(1)
    gram = np.square(x @ x.T) - squares[:, None] - squares + x.shape[1]  # of the matrices x x^T - 1
    norms = np.sqrt(np.abs(np.diag(gram)))
    values = np.linalg.eigvalsh(
        gram / np.where(norms > 0, norms, 1.0) / np.where(norms > 0, norms, 1.0)[:, None]
    )
    products = x.shape[1] * (x.shape[1] + 1) // 2
    generic = min(len(x), products)
    if values[-generic] <= _SAME_PRODUCT * values[-1]:
        return True
    return len(x) < products and subsets_are_dependent(x)


def in_separate_flats(x: Array) -> bool:
    """Return whether each input, with a 1 appended, lies in one of two subspaces that share only 0.

    For example, the inputs may lie on two lines in space that do not meet and are not parallel.  The weights
    of a unit can then be chosen such that its values w x + b change on one subspace, and stay the same on the
    other.  With the activation "square", the labels stay the same if the unit's values on one subspace change
    their sign.  "sine" allows a similar change.  With other activations, two units of the same output weights
    can exchange their values on one subspace.

    Parameters
    ----------
    x : ndarray of float64, (n, dim)
        Different inputs.
    """
    if len(x) > _MOST_INPUTS:
        x = x[np.random.default_rng(0).choice(len(x), _MOST_INPUTS, replace=False)]
    std = x.std(0)
    columns = np.column_stack([(x - x.mean(0)) / np.where(std > 0, std, 1.0), np.ones(len(x))])
    left, values, _ = np.linalg.svd(columns, full_matrices=False)
    left = left[:, values > _SAME_PLANE * values[0]]
    linked = np.abs(left @ left.T) > _SAME_PLANE  # the projection on the columns has a block for each summand
    return bool(connected_components(csr_array(linked), directed=False)[0] > 1)


def subsets_are_dependent(x: Array) -> bool:
    """Return whether some random subset of `dim` inputs is linearly dependent.

    Almost all inputs have no such subset.  Inputs that lie in two orthogonal subspaces have many.  Let a be a
    vector in one subspace and b a vector in the other subspace: the two forms (a + b) (a + b)^T and (a - b)
    (a - b)^T are then equal at all inputs.

    Parameters
    ----------
    x : ndarray of float64, (n, dim)
        Different inputs.
    """
    count, dim = x.shape
    norms = np.linalg.norm(x, axis=1)
    if count < dim or not norms.all():
        return True
    rng = np.random.default_rng(0)
    subsets = max(16, min(512, _SUBSETS // dim**2))
    chosen = rng.random((subsets, count)).argsort(axis=1)[:, :dim]
    values = np.linalg.svd((x / norms[:, None])[chosen], compute_uv=False)
    return bool(values[:, -1].min() <= _DEPENDENT)


def on_grid(x: Array) -> bool:
    """Return whether the inputs lie on a grid (a lattice), or in parallel planes of equal distance.

    A sine wave with the distance of the planes as its wavelength then has the same value at all inputs.  The
    inputs cannot tell two sines apart whose frequencies differ by the frequency of this wave.

    Parameters
    ----------
    x : ndarray of float64, (n, dim)
        Inputs.

    Returns
    -------
    bool
        True if one of the tried waves has the same value at all inputs.  The function uses coordinates in
        which `dim` of the differences between inputs are the unit vectors.  In these coordinates, the
        frequencies of such a wave are integers.  The function tries all vectors of integers up to 10,000 in
        one dimension, and up to 70 in two dimensions.  In several dimensions, it also tries waves along each
        single column of the inputs.
    """
    varying = x[:, x.std(0) > 0]
    if x.shape[1] > 1 and any(on_grid(varying[:, [column]]) for column in range(varying.shape[1])):
        return True
    differences = (x - x[0]) / np.where(x.std(0) > 0, x.std(0), 1.0)
    differences = differences[np.argsort(np.linalg.norm(differences, axis=1), kind="stable")]
    dim, chosen = x.shape[1], differences[:0]
    for one in differences:
        if len(chosen) < dim and np.linalg.matrix_rank(np.vstack([chosen, one]), tol=1e-9) > len(chosen):
            chosen = np.vstack([chosen, one])
    if len(chosen) < dim:
        return True
    coordinates = np.linalg.solve(chosen.T, differences.T)
    largest = max(1, int((_INTEGER_VECTORS ** (1 / dim) - 1) / 2))
    ranges = [np.arange(-largest, largest + 1)] * dim if dim < 10 else [np.arange(2)] * min(dim, 14)
    integers = np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, len(ranges))
    integers = integers[np.any(integers != 0, axis=1)]
    for start in range(0, coordinates.shape[1], 16):  # most waves are excluded by the first few inputs
        turns = integers @ coordinates[: integers.shape[1], start : start + 16]
        integers = integers[(np.abs(turns - np.round(turns)) <= _GRID_ROUNDING).all(1)]
        if not len(integers):
            return False
    return True


def mirrored_pairs(x: Array) -> int:
    """Return the largest number of pairs of inputs with the same midpoint; 0 if all midpoints differ.

    At pairs with the same midpoint, labels of tanh networks obey equations that do not hold at almost all
    other inputs.

    Parameters
    ----------
    x : ndarray of float64, (n, dim)
        Different inputs.
    """
    first, second = np.triu_indices(len(x), 1)
    unit = np.where(np.abs(x).max(0) > 0, np.abs(x).max(0), 1.0)
    centres = np.round((x[first] + x[second]) / unit, 9) + 0.0
    most = int(np.unique(centres, axis=0, return_counts=True)[1].max(initial=0))
    return most if most > 1 else 0
