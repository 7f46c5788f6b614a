"""Bounds of the uncertainty: the excess risk that remains because n examples do not determine the teacher.

In general the uncertainty lies between 0 and the learner's own excess risk.  For network teachers under the
squared loss, tighter bounds are known.  Markov chains in the posterior that start at the teacher give a lower
bound (``errsrc.sources.bracket.lower``).  The excess risk of predictors that are made from the data alone
gives an upper bound (``errsrc.sources.bracket.upper``).  If enough labels are noiseless, a theorem shows that
the uncertainty is 0.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import chi2

from errsrc import checks
from errsrc.checks import SEED, Flag, Instance, Optional
from errsrc.learners import SynonymClustering
from errsrc.nets import Network, identifiable_dimension
from errsrc.results import Interval, Result, TextTable
from errsrc.settings import MultitaskParity, NetworkTeacher, RandomHierarchy, Setting, SparseParity
from errsrc.settings.network import NetworkFunction
from errsrc.settings.setting import Array
from errsrc.settings.table import expected_loss
from errsrc.sources.bracket.draws import Draw, NetworkDraws
from errsrc.sources.bracket.lower import PlantedBound, planted_bound, solutions_bound
from errsrc.sources.bracket.upper import Predictors, choose, make_portfolio, make_predictors
from errsrc.sources.effort import Effort
from errsrc.sources.experiments import Experiment
from errsrc.sources.predictions import exact_excess_risks, excess_risk, predicted_values
from errsrc.sources.terms import PerDraw, mean_of_draws
from errsrc.training.hamiltonian import NetworkPosterior

FALSE_ALARM = 1e-6
"""Probability of a false alarm: an error is raised although the teachers labelled the data."""

ASSUMED_NOISE = 1e-2
"""Noise that predictors assume if labels are clean, divided by the labels' root mean square."""

_CERTIFIED_DRAWS = 8  # a certificate states the rank and condition number of the Jacobian in so many draws
_CERTIFIED_PARAMETERS = 1000  # largest number of parameters for which a certificate states these numbers


@dataclass(frozen=True, eq=False, repr=False)
class UncertaintyBracket(Result):
    """Bounds of a setting's uncertainty: a value for each of D draws.  The mean over draws is the bound.

    Attributes
    ----------
    lower : ndarray of float64, (D,)
        Lower bound of the uncertainty for the class of all functions.  This uncertainty is the posterior
        variance.  To get a lower bound for a class of networks, subtract the upper bound of the realizability
        of the class.
    upper : ndarray of float64, (D,)
        Upper bound of the uncertainty for the class of all functions: the `distance` of a predictor that was
        made from the data alone.  The draws are divided into two halves.  Each half uses the predictor that
        is best on the other half.  The choice is therefore independent of the draws on which the predictor is
        evaluated.
    upper_member : ndarray of float64, (D,)
        Like `upper`, but only single networks of the `student` architecture can be chosen.  To get an upper
        bound of the uncertainty of the class of these networks, subtract the realizability of this class.
    portfolio : dict of str to ndarray of float64, (D,)
        The keys are the names of the predictors.  The values are their `distance` in each draw.
    members : tuple of str
        Names of the predictors that are single networks of the `student` architecture.
    chosen, chosen_member : str
        Name of the predictor with the smallest mean distance over all draws: among all predictors, and among
        `members`.
    samples : ndarray of float64, (D, S, Q, outputs)
        Values of S functions at each draw's Q fresh inputs.  The first function is the teacher.  The other
        functions are the networks at later states of the chains that started at the teacher.  Given the data,
        each function has the teacher's distribution, even if the chains move slowly.  For a predictor that
        was made from the data alone, the mean of `distance` over draws is therefore an unbiased estimate of
        the excess risk.
    status : str
        How the bounds were computed, or what proves them, as a sentence.
    determined : bool
        Whether noiseless labels determine the teacher.  If True, the uncertainty of every class is 0, and the
        bounds are 0.
    """

    lower: PerDraw
    upper: PerDraw
    upper_member: PerDraw
    portfolio: dict[str, PerDraw]
    members: tuple[str, ...]
    chosen: str
    chosen_member: str
    samples: NDArray[np.float64]
    status: str
    determined: bool = False

    def headline(self) -> str:
        """Return the bounds as one line."""
        lower, upper = (mean_of_draws(values, 0.95) for values in (self.lower, self.upper))
        return f"{lower} to {upper}, {len(self.lower)} draws; {self.status}"

    def content(self) -> list[str | TextTable]:
        """Return the bounds, the distance of each predictor, and the status."""
        return [TextTable([(name, str(one)) for name, one in self.intervals().items()], "l"), self.status]

    def intervals(self) -> dict[str, Interval]:
        """Return the mean over draws of both bounds and of each predictor's distance, with 95% intervals."""
        values = {"lower bound": self.lower, "upper bound": self.upper, **self.portfolio}
        return {name: mean_of_draws(one, 0.95) for name, one in values.items()}

    def distance(self, values: Sequence[Array] | Array) -> PerDraw:
        """Return the mean squared distance between predictions and the functions in `samples`, (D,).

        This distance has less sampling noise than the distance from the teacher alone, ``samples[:, :1]``.

        Parameters
        ----------
        values : ndarray of float64, (D, Q) or (D, Q, outputs)
            Predictions at the fresh inputs of each draw.
        """
        return _distance(self.samples, np.asarray(values))


def _distance(samples: NDArray[np.float64], values: NDArray[np.float64]) -> PerDraw:
    off = samples - values.reshape(len(samples), 1, *samples.shape[2:])
    return np.asarray(np.square(off).sum(3).mean((1, 2)))


@checks.arguments(
    setting=Instance(NetworkTeacher, "a NetworkTeacher"),
    seed=SEED,
    student=Optional(Instance(Network, "a network of errsrc.nets")),
    effort=Optional(Instance(Effort, "an Effort")),
    generic=Flag(),
)
def uncertainty_bracket(
    setting: NetworkTeacher,
    teachers: Sequence[NetworkFunction],
    xs: Sequence[Array],
    ys: Sequence[Array],
    points: Sequence[Array],
    seed: int,
    *,
    student: Network | None = None,
    effort: Effort | None = None,
    generic: bool = True,
) -> UncertaintyBracket:
    """Return bounds of the uncertainty of a network teacher.

    The uncertainty is the posterior variance of the teacher's value, summed over outputs and averaged over
    inputs.

    Parameters
    ----------
    setting : NetworkTeacher
        A setting of the squared loss.
    teachers : sequence of NetworkFunction
        D teachers drawn from the setting.
    xs : sequence of ndarray of float64, (n, inputs)
        Inputs of the labelled examples of each draw; n is the same in all draws.
    ys : sequence of ndarray of float64, (n,) or (n, outputs)
        Labels of the examples of each draw.
    points : sequence of ndarray of float64, (Q, inputs)
        Fresh inputs of each draw, at which functions are compared.
    seed : int
        Seed from which all random streams are derived.
    student : Network, optional
        Architecture of the networks that `UncertaintyBracket.upper_member` can choose; by default the
        teacher's architecture.
    effort : Effort, optional
        Amount of computation; by default `Effort()`.
    generic : bool
        Whether the inputs are independent samples of the setting.  If False, the number of inputs cannot
        prove that the uncertainty is 0, because the inputs of a fixed design may coincide.  Real images prove
        it in no case, because the theorem is about almost all inputs.

    Returns
    -------
    UncertaintyBracket
        The bounds.

    Raises
    ------
    ValueError, TypeError
        If the loss of the setting is not the squared loss, if draws have different shapes, or if the teachers
        did not label the data.

    Notes
    -----
    Noiseless labels at almost every set of 2P + 1 or more inputs determine a network that is analytic in its
    P parameters (Sontag 2002, arXiv math/0111135).  A quadratic network needs fewer inputs, see
    `errsrc.nets.Network.separating_examples`.  If the inputs determine the network, both bounds are 0, and no
    chain runs.  Otherwise the cost is the training of D x starts students, and D x chains x 5 x transitions x
    leaps gradients of the squared error on a data set.  The names starts, chains, transitions and leaps are
    those of `Effort`.
    """
    if setting.loss != "squared":
        accepted = "a setting of the squared loss"
        raise ValueError(checks.refusal("setting", "uncertainty_bracket", accepted, setting))
    effort, student = effort or Effort(), student or setting.architecture
    draws, noise_std = NetworkDraws.of(setting, teachers, xs, ys, points), setting.channel.noise_std
    two_points = draws.network.inputs == 1 and setting.domain == "sphere"
    if not noise_std:
        draws.check_clean_labels()
        enough = draws.n >= draws.separating_examples and not setting.has_images
        if generic and enough and draws.network.analytic and not two_points and _tell_apart(draws):
            return _determined(draws)
    predictors, below = _of_every_student(_Problem(setting, seed, effort, draws.digest, draws))
    found = make_portfolio(draws, predictors, student, seed, effort)
    portfolio = {name: _distance(below.samples, values.numpy()) for name, values in found.values.items()}
    members = tuple(name for name in portfolio if name in found.members)
    upper, best = choose(portfolio)
    upper_member, best_member = choose({name: portfolio[name] for name in members})
    return UncertaintyBracket(
        lower=below.lower.copy(),
        upper=upper,
        upper_member=upper_member,
        portfolio=portfolio,
        members=members,
        chosen=best,
        chosen_member=best_member,
        samples=below.samples.copy(),
        status=f"Between bounds: {below.status}; from above {best}, {found.status}.",
    )


@dataclass(frozen=True)
class _Problem:
    """The arguments of a bracket other than the student.  Two problems are equal if their data is equal."""

    setting: NetworkTeacher
    seed: int
    effort: Effort
    digest: str
    draws: NetworkDraws = field(compare=False)


@functools.lru_cache(maxsize=1)
def _of_every_student(problem: _Problem) -> tuple[Predictors, PlantedBound]:
    """Return the parts of a bracket that do not depend on the student.

    They are kept, because the budgets of several learners at one n need the same parts.
    """
    draws, noise_std = problem.draws, problem.setting.channel.noise_std
    assumed = noise_std or ASSUMED_NOISE * float(draws.y.square().mean().sqrt()) or ASSUMED_NOISE
    posterior = NetworkPosterior(draws.network, draws.stds, draws.x, draws.y, assumed)
    if noise_std:
        _check_posterior_samples(draws, posterior)
    found = make_predictors(draws, posterior, problem.seed, problem.effort)
    if noise_std:
        return found, planted_bound(draws, posterior, found.step, problem.seed, problem.effort)
    return found, solutions_bound(draws, posterior, problem.seed, problem.effort)


def _tell_apart(draws: NetworkDraws) -> bool:
    """Return whether enough inputs are different, and fresh inputs do not increase the Jacobian's rank.

    All inputs from settings of errsrc pass this check.  A user's own setting may draw few different inputs,
    or may draw inputs on a line and fresh inputs elsewhere.  The ranks are compared only for at most
    `_CERTIFIED_PARAMETERS` parameters; for these, the certificate also states the rank.
    """
    needed = draws.separating_examples
    if any(len(torch.unique(x, dim=0)) < needed for x in draws.x):
        return False
    if draws.free_parameters > _CERTIFIED_PARAMETERS:
        return True
    weights = tuple(w[:_CERTIFIED_DRAWS] for w in draws.weights)
    x, points = draws.x[:_CERTIFIED_DRAWS], draws.points[:_CERTIFIED_DRAWS, :needed]
    ranks = [
        identifiable_dimension(draws.network, weights, at, draws.free).dimension
        for at in (x, torch.cat([x, points], 1))
    ]
    return bool((ranks[0] >= ranks[1]).all())


def _determined(draws: NetworkDraws) -> UncertaintyBracket:
    """Return the bounds 0, with a certificate that states the Jacobian's rank and condition number."""
    zeros, size, needed = np.zeros(len(draws.x)), draws.free_parameters, draws.separating_examples
    by_parameters = needed == 2 * size + 1
    count = "2P + 1" if by_parameters else f"{needed:,}"
    kind = f"an analytic network of P = {size:,}" if by_parameters else "a network of its architecture"
    status = (
        f"0: noiseless labels at {draws.n:,} >= {count} generic inputs determine {kind} in exact arithmetic"
    )
    if size <= _CERTIFIED_PARAMETERS:
        weights = tuple(w[:_CERTIFIED_DRAWS] for w in draws.weights)
        x = draws.x[:_CERTIFIED_DRAWS, :needed]
        found = identifiable_dimension(draws.network, weights, x, draws.free)
        low, high = int(found.dimension.min()), int(found.dimension.max())
        status += (
            f"; the Jacobian at {count} of them has rank {low if low == high else f'{low} to {high}'} and "
            f"condition number {float(found.condition.max()):.1g} at most in {len(x)} draws"
        )
    name, samples = "the network that fits", draws.truth[:, None].numpy()
    return UncertaintyBracket(
        zeros, zeros, zeros, {name: zeros}, (name,), name, name, samples, f"{status}.", True
    )


def _check_posterior_samples(draws: NetworkDraws, posterior: NetworkPosterior) -> None:
    """Raise ValueError if teachers are not posterior samples, by the mean square of weights and noise."""
    z = posterior.whitened(draws.weights)
    squares = {
        "ys": (float(posterior.misfit(z).sum()), draws.y.numel()),
        "teachers": (float(z.square().sum()), len(z) * draws.free_parameters),
    }
    for name, (square, freedom) in squares.items():
        tail = min(chi2.sf(square, freedom), chi2.cdf(square, freedom))
        if tail < FALSE_ALARM / 4:
            accepted = "the teachers that labelled the data, because a chain from another start is no bound"
            got = f"<mean square {square / freedom:.3g} x expected>"
            raise ValueError(checks.refusal(name, "uncertainty_bracket", accepted, got))


@dataclass(frozen=True, eq=False)
class UncertaintyBounds:
    """Bounds of the uncertainty and the learner's excess risk, in each draw of an experiment.

    Attributes
    ----------
    excess : ndarray of float64, (draws,)
        The learner's excess risk.
    lower, upper : ndarray of float64, (draws,)
        Bounds of the uncertainty for the class of all functions.
    upper_member : ndarray of float64, (draws,)
        Upper bound of the sum of uncertainty and realizability of the learner's class.
    status : str
        How the bounds were computed, as a sentence.
    determined : bool
        Whether the labels determine the teacher.
    """

    excess: PerDraw
    lower: PerDraw
    upper: PerDraw
    upper_member: PerDraw
    status: str
    determined: bool = False


@functools.singledispatch
def uncertainty_bounds(
    setting: Setting, experiment: Experiment, draws: Sequence[Draw], fitted: Sequence[Any], excess: PerDraw
) -> UncertaintyBounds:
    """Return bounds of the uncertainty in each draw.

    For most settings the bounds are 0 and the learner's own excess risk.  For a `NetworkTeacher` of squared
    loss, `uncertainty_bracket` computes tighter bounds.

    Parameters
    ----------
    setting : Setting
        The setting.
    experiment : Experiment
        The learner, its number of examples, and the draws.
    draws : sequence of Draw
        Draws of teacher and data.
    fitted : sequence of predictors
        The fitted predictor of each draw.
    excess : ndarray of float64, (draws,)
        The learner's excess risk, exact or at the draws' fresh inputs.
    """
    status = f"Between 0 and the learner's own risk: no closer bounds are known for {type(setting).__name__}."
    return UncertaintyBounds(excess, np.zeros(len(draws)), excess, excess, status)


@uncertainty_bounds.register
def _of_network_teachers(
    setting: NetworkTeacher,
    experiment: Experiment,
    draws: Sequence[Draw],
    fitted: Sequence[Any],
    excess: PerDraw,
) -> UncertaintyBounds:
    """Return the bounds of `uncertainty_bracket`, with the learner itself among the predictors."""
    if setting.loss != "squared":
        return uncertainty_bounds.dispatch(Setting)(setting, experiment, draws, fitted, excess)
    student = experiment.function_class.network
    found = uncertainty_bracket(
        setting,
        [draw.teacher for draw in draws],
        [draw.x for draw in draws],
        [draw.y for draw in draws],
        [draw.points for draw in draws],
        experiment.seed,
        student=student,
        effort=experiment.effort,
        generic=experiment.x is None,
    )
    if exact_excess_risks(setting, draws, fitted) is None:
        points = [(one, draw.points, draw.values.shape[1]) for one, draw in zip(fitted, draws, strict=True)]
        learned = np.stack([predicted_values(*each) for each in points])
        excess = found.distance(learned)  # over posterior samples: the same mean, less sampling noise
    own = {"the learner": excess}
    upper = np.zeros(len(draws)) if found.determined else choose({**found.portfolio, **own})[0]
    members = {name: found.portfolio[name] for name in found.members} if student else {}
    upper_member = choose({**members, **own})[0]
    return UncertaintyBounds(excess, found.lower, upper, upper_member, found.status, found.determined)


def _of_parities(
    setting: SparseParity | MultitaskParity,
    experiment: Experiment,
    draws: Sequence[Draw],
    fitted: Sequence[Any],
    excess: PerDraw,
) -> UncertaintyBounds:
    """Return the exact uncertainty, from the posterior probabilities of all sets of coordinates.

    For the learner's class, the most probable parity gives the upper bound, if the learner is not better.
    If the realizability is 0, the class contains this parity, multiplied by any constant.
    """
    least, member, certain = np.zeros(len(draws)), np.zeros(len(draws)), True
    for k, draw in enumerate(draws):
        truth = setting.predictive(draw.x, draw.y, draw.points)
        least[k] = expected_loss(truth, truth, setting.loss).mean() - setting.noise
        guess, known = setting.most_probable(draw.x, draw.y, draw.points)
        member[k] = expected_loss(truth, guess, setting.loss).mean() - setting.noise
        certain &= known
    status = "Exact given the data: from the posterior probabilities of all sets of coordinates."
    return UncertaintyBounds(
        excess, least, least, choose({"parity": member, "learner": excess})[0], status, certain
    )


uncertainty_bounds.register(SparseParity, _of_parities)
uncertainty_bounds.register(MultitaskParity, _of_parities)


@uncertainty_bounds.register
def _of_hierarchies(
    setting: RandomHierarchy,
    experiment: Experiment,
    draws: Sequence[Draw],
    fitted: Sequence[Any],
    excess: PerDraw,
) -> UncertaintyBounds:
    """Return 0 and the smaller of two risks: that of the learner, and that of synonym clustering."""
    clustering = SynonymClustering(setting.vocabulary, setting.children, setting.classes)
    found = np.zeros(len(draws))
    for k, draw in enumerate(draws):
        clustered = clustering.fit(draw.x, draw.y, experiment.rng(draw.number, "clustering"))
        found[k] = excess_risk(setting, clustered, draw.points, draw.values)[0]
    upper, best = choose({"the learner": excess, "synonym clustering": found})
    status = (
        f"Between 0 and the risk of {best}, the smaller of those of the learner and of synonym clustering."
    )
    return UncertaintyBounds(excess, np.zeros(len(draws)), upper, excess, status)
