"""Terms of a budget at further random inputs, from which the tails of the terms are judged.

A few draws of the inputs cannot show a heavy tail, see `errsrc.sources.tails`.  If functions are compared at
an exact quadrature, the terms at other inputs cost little: no teacher is drawn, and no further data.
Otherwise `errsrc.sources.exact` fits the learner in further draws, if these fits do not take long.  The
further inputs are the same for every seed.  The decision to print an interval therefore does not depend on
the draws from which the interval is computed.  If the decision depended on them, the printed intervals would
be too narrow.  Each draw of n inputs is called a design.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import numpy as np

from errsrc.learners import BandSelection, Learner, Memory, Neighbours, RandomFeatures, ReducedRank, Tuned
from errsrc.learners.learner import LinearLearner
from errsrc.learners.spectral import SpectralLearner
from errsrc.rng import generator
from errsrc.settings import GaussianSetting
from errsrc.settings.gaussian_setting import Quadrature
from errsrc.settings.setting import Array
from errsrc.sources.gaussian_posterior import RANDOM_POINTS
from errsrc.sources.tails import Tail, judged_by_pool

FIRST_DESIGNS = 1024
"""Number of further designs, that is, sets of n inputs, if they decide clearly."""

MOST_DESIGNS = 4096
"""Number of further designs if the first ones do not decide clearly."""

FITS = {64: 512, math.inf: 256}
"""Number of further draws in which a learner is fitted, if its terms have no faster formula.

The keys are the largest numbers of examples for which so many draws are made.
"""

FAST_EXAMPLES = 128
"""Largest number of examples for which some learners of errsrc are known to be fast."""

LEAST_DRAWS = 10
"""Smallest number of draws whose intervals are judged."""

LEAST_DESIGNS = 256
"""Smallest number of further designs; if so many cost too much, there are none."""

OPERATIONS = 3e7
"""Largest number of first designs times n R min(n, R), where R is the number of columns of their roots."""

_TOGETHER = 64  # designs whose matrices are in memory at the same time


def judged_terms(
    setting: GaussianSetting, learner: Learner, n: int, draws: int, level: float
) -> Mapping[str, Tail]:
    """Return, for each term, whether the interval of its mean over random inputs can be trusted.

    Parameters
    ----------
    setting : GaussianSetting
        The setting.
    learner : Learner
        The learner.
    n : int
        Number of labelled examples.
    draws : int
        Number of draws from which an interval is computed.
    level : float
        Coverage that the intervals state, in (0, 1).

    Returns
    -------
    mapping of str to Tail
        The keys are names of terms: "uncertainty", if the quadrature for the learner's class is exact, and
        also "deficiency" and "total", if the learner is a `SpectralLearner`.  The mapping is empty if the
        judgement needs further draws of inputs that would cost too much.
    """
    try:
        return _kept_tails(setting, learner, n, draws, level)
    except TypeError:  # a setting or learner of the user's own that cannot be a key
        return _judged(FurtherDesigns(setting, learner, n), draws, level)


class FurtherDesigns:
    """Terms of a budget at further random designs (inputs of the labelled examples).

    Terms that were computed once are kept, and used again.

    Parameters
    ----------
    setting : GaussianSetting
        The setting.
    learner : Learner
        The learner.
    n : int
        Number of labelled examples.
    """

    def __init__(self, setting: GaussianSetting, learner: Learner, n: int) -> None:
        self.setting, self.learner, self.n = setting, learner, n
        self._rng = generator(0, "budget", "further designs")
        self._quadrature = setting.quadrature(learner.function_class, self._rng, RANDOM_POINTS)
        self._computed = 0
        self._found: dict[str, list[Array]] = {}
        self._affordable = 0.0  # number of first designs
        if self._quadrature.exact:
            columns = setting.roots(self._quadrature.points)[0].shape[1]
            self._affordable = affordable_designs(n, columns)

    def terms(self, most: int) -> dict[str, Array]:
        """Return a dict from names of terms to values at the first designs, (designs,); see `judged_terms`.

        Parameters
        ----------
        most : int
            Largest number of designs.
        """
        if not self._affordable:
            return {}
        designs = int(min(most, self._affordable * most / FIRST_DESIGNS))
        while self._computed < designs:
            xs = np.stack([self.setting.inputs(self.n, self._rng) for _ in range(_TOGETHER)])
            for name, values in terms_at(self.setting, self.learner, self._quadrature, xs).items():
                self._found.setdefault(name, []).append(values)
            self._computed += _TOGETHER
        batches = math.ceil(designs / _TOGETHER)
        return {name: np.concatenate(values[:batches]) for name, values in self._found.items()}


_kept_designs = functools.lru_cache(maxsize=64)(FurtherDesigns)


@functools.lru_cache(maxsize=512)
def _kept_tails(
    setting: GaussianSetting, learner: Learner, n: int, draws: int, level: float
) -> Mapping[str, Tail]:
    return _judged(_kept_designs(setting, learner, n), draws, level)


def _judged(designs: FurtherDesigns, draws: int, level: float) -> Mapping[str, Tail]:
    found: dict[str, Tail] = {}
    for most in (FIRST_DESIGNS, MOST_DESIGNS):
        terms = designs.terms(most)
        found = {name: judged_by_pool(values, draws, level) for name, values in terms.items()}
        if all(one.clear for one in found.values()):
            break
    return found


def affordable_designs(n: int, columns: int) -> float:
    """Return how many designs `OPERATIONS` operations can compute; 0 if fewer than `LEAST_DESIGNS`.

    Parameters
    ----------
    n : int
        Number of labelled examples.
    columns : int
        Number of columns of the matrices that `GaussianSetting.roots` returns.
    """
    affordable = OPERATIONS / (n * columns * min(n, columns))
    return affordable if affordable >= LEAST_DESIGNS else 0.0


def further_fits(n: int) -> int:
    """Return the number of further draws in which a learner is fitted, to judge the tails of its terms.

    Parameters
    ----------
    n : int
        Number of labelled examples.
    """
    return next(fits for most, fits in FITS.items() if n <= most)


def is_fast(learner: Learner, n: int) -> bool:
    """Return whether a learner is known to be fast, so that its further fits need not be timed first.

    Parameters
    ----------
    learner : Learner
        The learner.
    n : int
        Number of labelled examples.
    """
    own = not type(learner).__module__.startswith("errsrc.")
    return n <= FAST_EXAMPLES and not own and _is_fast(learner)


@functools.singledispatch
def averages_labels(learner: Learner) -> bool:
    """Return whether all predictions of a learner are means of labels, so that its risk has no heavy tail.

    Parameters
    ----------
    learner : Learner
        The learner.
    """
    return False


@averages_labels.register(Neighbours)
@averages_labels.register(Memory)
def _(learner: Learner) -> bool:
    return True


@functools.singledispatch
def _is_fast(learner: Learner) -> bool:
    return False


@_is_fast.register(LinearLearner)
@_is_fast.register(ReducedRank)
@_is_fast.register(BandSelection)
def _(learner: Learner) -> bool:
    return True


@_is_fast.register
def _(learner: RandomFeatures) -> bool:
    return False  # each draw decomposes the features of all latent coordinates


@_is_fast.register
def _(learner: Tuned) -> bool:
    return all(map(_is_fast, learner.candidates))


def terms_at(
    setting: GaussianSetting, learner: Learner, quadrature: Quadrature, xs: Array
) -> dict[str, Array]:
    """Return the terms at several designs at once, with the formulas of `Posterior`.

    Parameters
    ----------
    setting : GaussianSetting
        The setting.
    learner : Learner
        The learner.
    quadrature : Quadrature
        An exact quadrature for the learner's class.
    xs : ndarray of float64, (S, n, dim)
        The designs.

    Returns
    -------
    dict of str to ndarray of float64, (S,)
        The keys are names of terms.  "uncertainty" is always present.  "deficiency" and "total" are present
        if the learner is a `SpectralLearner`; "total" is the sum of "uncertainty" and "deficiency".
    """
    noise, stds = setting.noise_std, setting.output_stds
    root = np.sqrt(quadrature.weights)[:, None]
    basis = setting.frame(learner.function_class, quadrature.points)
    frame = None if basis is None else root * basis
    flat, points_root = setting.roots(xs.reshape(-1, xs.shape[2]), quadrature.points)
    x_root = flat.reshape(*xs.shape[:2], -1)
    inner = root * points_root if frame is None else frame.T @ (root * points_root)
    u, d, vt = np.linalg.svd(x_root, full_matrices=False)
    d2 = np.where(d > max(x_root.shape[1:]) * np.finfo(float).eps * d[:, :1], d**2, 0.0)
    along = inner @ vt.swapaxes(1, 2)
    uncertainty = np.zeros(len(xs))
    deficiency = np.zeros(len(xs))
    smoothers = _smoothers(learner, quadrature, xs)
    hat = None if smoothers is None else root * smoothers
    if hat is not None and frame is not None:
        hat = frame.T @ hat  # the learner is in its class, so that nothing is lost
    for std in stds[stds > 0]:
        ratio = np.divide(d2, d2 + (noise / std) ** 2, out=np.zeros_like(d2), where=d2 > 0)
        uncertainty += std**2 * ((inner**2).sum() - ((along**2).sum(1) * ratio).sum(1))
        if hat is not None:
            gain = np.divide(ratio, d, out=np.zeros_like(d), where=d2 > 0)
            off = hat - (along * gain[:, None, :]) @ u.swapaxes(1, 2)
            deficiency += std**2 * ((off @ x_root) ** 2).sum((1, 2)) + noise**2 * (off**2).sum((1, 2))
    scale = 1e-12 * setting.target_variance
    uncertainty, deficiency = (np.where(one > scale, one, 0.0) for one in (uncertainty, deficiency))
    if hat is None:
        return {"uncertainty": uncertainty}
    return {"uncertainty": uncertainty, "deficiency": deficiency, "total": uncertainty + deficiency}


def _smoothers(learner: Learner, quadrature: Quadrature, xs: Array) -> Array | None:
    """Return the matrices from labels to predictions, (S, Q, n); None if the learner is not spectral."""
    if not isinstance(learner, SpectralLearner):
        return None
    features = learner.feature_map(xs.reshape(-1, xs.shape[2])).reshape(*xs.shape[:2], -1)
    at = learner.feature_map(quadrature.points)
    u, d, vt = np.linalg.svd(features, full_matrices=False)
    gains = np.stack([learner.gains(one, features.shape[1:]) for one in d])
    found = ((at @ vt.swapaxes(1, 2)) * gains[:, None, :]) @ u.swapaxes(1, 2)
    own = learner.smoother(xs[0], quadrature.points)
    same = np.linalg.norm(found[0] - own) <= 1e-4 * np.linalg.norm(own)
    return found if same else None  # a learner may weight its features
