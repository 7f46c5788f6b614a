"""Exact terms of regression on random features, given the inputs of the examples and the features.

Let g be the coordinates of the setting: orthonormal functions of the input, of which all teachers are
combinations (`errsrc.settings.CoordinateSetting`).  For linear teachers, they are the coordinates of an
input, divided by their standard deviations.  Let h be an orthonormal basis of the features' span
(`errsrc.settings.classes.Span`).  A teacher is c' g, with independent normal coefficients c of variances t.
Let G be the n x R matrix of the coordinates of the examples, and K = G diag(t)^1/2 = U diag(d) V' a singular
value decomposition.  Let A = E[h g'] diag(t)^1/2 be the coefficients of the projected coordinates, scaled
like K, and s the standard deviation of the noise.  Then, given the labels y:

- the posterior mean of the teacher's projection has the coefficients A V diag(d / (d^2 + s^2)) U' y;
- the posterior covariance of these coefficients is B B', with B = A (I - V V') + A V diag(s / (d^2 +
  s^2)^1/2) V';
- the learner's predictor has the coefficients R W diag(gains) Z' y, where Z diag(z) W' is a singular value
  decomposition of the features of the examples, and R the matrix of the features' coefficients;
- y has the covariance K K' + s^2 I = U diag(d^2 + s^2) U'.

The uncertainty is the sum of squares of B.  The deficiency is the mean squared distance between the learner's
predictor and the posterior mean.  The learner's ridge, number of steps and learning rate change the gains
only.  All learners with the same features therefore share the decompositions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from errsrc.learners.spectral import SpectralLearner
from errsrc.rng import generator
from errsrc.settings import CoordinateSetting, Setting
from errsrc.settings.classes import Span
from errsrc.settings.setting import Array
from errsrc.sources.experiments import Experiment
from errsrc.sources.gaussian_posterior import DesignTerms, sum_of_squares


@dataclass(frozen=True, eq=False)
class Examples:
    """A singular value decomposition U diag(d) V' of the matrix K of some examples.

    A teacher is the sum over j of c_j g_j, where g_j is coordinate j of the setting.  Column j of K has the
    values of g_j at the examples, times the prior standard deviation of c_j.

    Attributes
    ----------
    x : ndarray of float64, (n, dim)
        Inputs of the examples.
    u : ndarray of float64, (n, n)
        The orthogonal matrix U.
    d : ndarray of float64, (n,)
        Singular values; singular values that may be rounding errors are 0.
    vt : ndarray of float64, (r, R)
        The rows of V' for the r singular values that are not 0.
    """

    x: Array
    u: Array
    d: Array
    vt: Array

    @classmethod
    def of(cls, setting: CoordinateSetting, x: Array) -> Examples:
        """Return the decomposition for given inputs.

        Parameters
        ----------
        setting : CoordinateSetting
            The setting.
        x : ndarray of float64, (n, dim)
            Inputs of the examples.
        """
        (matrix,) = setting.roots(x)
        n, columns = matrix.shape
        u, d, vt = np.linalg.svd(matrix, full_matrices=n > columns)
        rank = int((d > max(n, columns) * np.finfo(float).eps * max(d[0], 1e-300)).sum())
        padded = np.zeros(n)
        padded[:rank] = d[:rank]
        return cls(x, u, padded, vt[:rank])


def terms_of_learners(
    setting: CoordinateSetting, examples: Examples, span: Span, learners: Sequence[SpectralLearner]
) -> list[DesignTerms]:
    """Return the exact terms of learners that have the same features.

    Parameters
    ----------
    setting : CoordinateSetting
        The setting.
    examples : Examples
        The examples.
    span : Span
        The span of the features.
    learners : sequence of SpectralLearner
        The learners.  They differ in their gains only.
    """
    scaled = span.inputs * np.sqrt(setting.coordinate_variances)
    d, rank, noise = examples.d, len(examples.vt), setting.noise_std
    along = scaled @ examples.vt.T
    across = 0.0 if rank == scaled.shape[1] else sum_of_squares(scaled - along @ examples.vt)
    features = learners[0].feature_map(examples.x)
    u, values, vt = np.linalg.svd(features, full_matrices=False)
    fitted, turned = span.root @ vt.T, u.T @ examples.u
    gains = [learner.gains(values, features.shape) for learner in learners]
    uncertainty, deficiency = 0.0, np.zeros(len(learners))
    for std in setting.output_stds:
        spread = np.hypot(d, noise / std) if std > 0 else np.ones(len(d))
        best = np.zeros((len(scaled), len(d)))
        if std > 0:
            share = np.divide(d[:rank], spread[:rank], out=np.zeros(rank), where=d[:rank] > 0)
            best[:, :rank] = along * share
            uncertainty += std**2 * (across + sum_of_squares(along * (noise / std / spread[:rank])))
        factor, right = std if std > 0 else noise, turned * spread
        for place, gain in enumerate(gains):
            deficiency[place] += factor**2 * sum_of_squares((fitted * gain) @ right - best)
    outside = setting.variance_outside(span)
    return [DesignTerms(outside, float(uncertainty), float(one)) for one in deficiency]


def has_feature_terms(setting: Setting, experiment: Experiment) -> bool:
    """Return whether `random_feature_terms` can compute the terms of an experiment in a setting.

    The learner must be a `SpectralLearner` whose class is the span of its features, and the setting must know
    the moments of the features (`CoordinateSetting.has_span`).

    Parameters
    ----------
    setting : Setting
        The setting.
    experiment : Experiment
        The experiment.
    """
    learner, function_class = experiment.learner, experiment.function_class
    known = isinstance(setting, CoordinateSetting) and setting.has_span(function_class)
    if not (known and experiment.exact and isinstance(learner, SpectralLearner)):
        return False
    x = setting.inputs(2, generator(0, "budget", "class"))
    expected, found = function_class.features(x), learner.feature_map(x)
    return found.shape == expected.shape and bool(np.allclose(found, expected, rtol=1e-9))


def random_feature_terms(
    setting: CoordinateSetting, experiments: Iterable[Experiment]
) -> Mapping[Experiment, list[DesignTerms]]:
    """Return the exact terms of each draw of several experiments; the experiments share decompositions.

    Parameters
    ----------
    setting : CoordinateSetting
        The setting.
    experiments : iterable of Experiment
        Experiments whose learners are `RandomFeatures` or other spectral learners on the span of features.
        All experiments have the same seed.

    Returns
    -------
    dict of Experiment to list of DesignTerms
        The terms of each draw.  The list has a single element if inputs and features are the same in all
        draws.
    """
    given = list(experiments)
    found: dict[Experiment, list[DesignTerms]] = {one: [] for one in given}
    for draw in range(max((one.draws for one in given), default=0)):
        going = [one for one in given if draw < one.draws and (draw == 0 or not _is_fixed(one))]
        examples: dict[tuple[int, int], Examples] = {}
        for members in _sharing_features(going, draw):
            spans = setting.span(members[0][1].function_class)
            assert spans is not None
            by_inputs: dict[tuple[int, int], list[tuple[Experiment, SpectralLearner]]] = {}
            for one, learner in members:
                by_inputs.setdefault((one.n, id(one.x)), []).append((one, learner))
            for key, group in by_inputs.items():
                if key not in examples:
                    examples[key] = Examples.of(setting, group[0][0].inputs(setting, draw))
                terms = terms_of_learners(setting, examples[key], spans, [learner for _, learner in group])
                for (one, _), each in zip(group, terms, strict=True):
                    found[one].append(each)
    return found


def _is_fixed(experiment: Experiment) -> bool:
    """Return whether inputs and features are the same in all draws."""
    learner = experiment.learner
    return experiment.x is not None and experiment.learner_of(0) is learner


def _sharing_features(
    experiments: Sequence[Experiment], draw: int
) -> list[list[tuple[Experiment, SpectralLearner]]]:
    """Return the experiments with their learners of a draw, in groups whose learners have equal features."""
    groups: dict[object, list[tuple[Experiment, SpectralLearner]]] = {}
    for one in experiments:
        learner = one.learner_of(draw)
        assert isinstance(learner, SpectralLearner)
        groups.setdefault(learner.function_class, []).append((one, learner))
    return list(groups.values())
