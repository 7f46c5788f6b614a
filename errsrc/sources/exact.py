"""Budgets with closed forms: of Gaussian settings given the inputs, and of tables given the data."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from errsrc import checks
from errsrc.learners import Fitted, Learner
from errsrc.rng import seed_of
from errsrc.settings import (
    CoordinateSetting,
    FeatureSpan,
    FunctionClass,
    GaussianSetting,
    LinearTeacher,
    Setting,
    TableTeacher,
)
from errsrc.settings.setting import Array
from errsrc.settings.table import expected_loss
from errsrc.sources.bracketed import bracketed_budget
from errsrc.sources.experiments import Experiment
from errsrc.sources.further_designs import (
    LEAST_DRAWS,
    affordable_designs,
    averages_labels,
    further_fits,
    is_fast,
    judged_terms,
)
from errsrc.sources.gaussian_posterior import (
    RANDOM_POINTS,
    DesignTerms,
    Posterior,
    posteriors,
    sampled_terms,
)
from errsrc.sources.predictions import class_scores, predicted_values
from errsrc.sources.random_features import has_feature_terms, random_feature_terms
from errsrc.sources.tails import Tail, judged_by_pool
from errsrc.sources.terms import Budget
from errsrc.theory import least_squares

MOST_KEPT = 256
"""Number of configurations whose further draws are kept in memory."""

LONGEST = 3.0
"""Largest CPU time of further draws, in seconds, for learners that are not known to be fast."""

MORE = 4
"""Factor by which further draws are increased if the first ones do not show whether an interval holds."""

TIMED_DRAWS = 8
"""Number of further draws that are timed first."""

_KEPT: dict[tuple[object, ...], _Pool] = {}
_POINTS = "the points at which functions are compared"
_FURTHER_SEED = seed_of(0, "budget", "further draws")


def gaussian_budget(
    setting: GaussianSetting,
    experiment: Experiment,
    known: Sequence[DesignTerms] | None = None,
    known_at_horizon: Sequence[DesignTerms] | None = None,
) -> Budget:
    """Return the budget in a Gaussian setting.

    If the learner's predictions are linear in its labels, the terms are exact given the inputs, and no
    teacher is drawn.  For other learners the deficiency is estimated from draws: it is the mean squared
    distance between the fitted predictor and the best function of the learner's class given the data.  If the
    setting has no basis for the learner's class, the terms lie between bounds, see
    `errsrc.sources.bracketed`.

    Parameters
    ----------
    setting : GaussianSetting
        The setting.
    experiment : Experiment
        Gives the learner, its number of examples, and the draws.
    known : sequence of DesignTerms, optional
        The terms of each draw, if `random_feature_terms` has computed them already.
    known_at_horizon : sequence of DesignTerms, optional
        The terms of each draw for the learner with its longer training, see `Learner.at_horizon`.
    """
    learner, function_class = experiment.learner, experiment.function_class
    if not (has_feature_terms(setting, experiment) or _is_measurable(setting, function_class)):
        return bracketed_budget(setting, experiment)
    random_inputs = experiment.x is None
    start = time.perf_counter()
    terms, inverts = _terms(setting, experiment, known)
    per_draw = (time.perf_counter() - start) / experiment.draws
    draws = len(terms["uncertainty"])
    random_features = experiment.learner_of(0) is not learner
    random_points = (
        random_inputs
        and not has_feature_terms(setting, experiment)
        and _has_random_points(setting, experiment)
    )
    if _has_closed_form(experiment):
        status = _closed_form_status(draws, random_inputs, random_features, random_points)
    else:
        where, data = ("Random inputs", "data") if random_inputs else ("Fixed inputs", "labels")
        how = "posterior known, deficiency from" if experiment.exact else "every term estimated from"
        drawn = f"teacher, {data} and {_POINTS}" if random_points else f"teacher and {data}"
        status = f"{where}: {how} {draws} draws of {drawn}."
    infinite = random_inputs and has_infinite_mean(setting, learner, experiment.n)
    if infinite:
        labels = "noisy labels" if setting.noise_std else "labels with a part outside its class"
        status += (
            f" But over random inputs the mean risk is infinite, for least squares of n = {experiment.n:,} "
            f"{labels} in M = {setting.dimension(function_class):,} functions: the estimates describe these "
            "draws only."
        )
    judged: Mapping[str, Tail] = {}
    if random_inputs and experiment.draws >= LEAST_DRAWS:
        judged = _judged(setting, experiment, per_draw)
    risk = _mean_risk(setting, experiment, terms["realizability"]) if inverts else None
    if risk is not None and np.isfinite(risk).all():
        status, judged = _share_exact_total(terms, risk, judged, random_features)
    later, at_horizon, infinite_at_horizon = experiment.at_horizon(), None, False
    if later is not None:
        at_horizon = _terms(setting, later, known_at_horizon)[0]["deficiency"]
        infinite_at_horizon = random_inputs and has_infinite_mean(setting, later.learner, later.n)
    if infinite_at_horizon:
        status += " After infinitely many steps the mean risk over random inputs is infinite."
    return Budget.known(
        setting,
        experiment,
        **terms,
        status=status,
        judged=judged,
        infinite_mean=infinite,
        at_horizon=at_horizon,
        infinite_at_horizon=infinite_at_horizon,
    )


def _mean_risk(
    setting: GaussianSetting, experiment: Experiment, realizability: Array
) -> Array | float | None:
    """Return the exact mean over inputs of the risk of least squares; None if it is not known.

    If the features are random, return the mean for the features of each draw, (draws,).
    """
    if not (isinstance(setting, LinearTeacher) and has_feature_terms(setting, experiment)):
        return setting.least_squares_risk(experiment.function_class, experiment.n)
    size = int(setting.dimension(experiment.function_class))
    risks = [least_squares(experiment.n, size, noise=setting.noise, outside=one) for one in realizability]
    return np.array(risks, dtype=np.float64)


def _terms(
    setting: GaussianSetting, experiment: Experiment, known: Sequence[DesignTerms] | None = None
) -> tuple[dict[str, Array], bool]:
    """Return the terms of each draw by name, and whether the learner is least squares of smallest norm."""
    if known is not None:
        found, least_squares = list(known), _is_least_squares_of_features(setting, experiment)
    elif _has_closed_form(experiment):
        found, least_squares = closed_form(experiment.function_class, setting, experiment)
    else:
        found, least_squares = _sampled(setting, experiment), False
    names = ("realizability", "uncertainty", "deficiency")
    return {name: np.array([getattr(one, name) for one in found]) for name in names}, least_squares


def _has_closed_form(experiment: Experiment) -> bool:
    """Return whether all terms are exact given the inputs."""
    learner = experiment.learner
    return experiment.exact and learner.linear_in_labels and learner.function_class.largest_rank is None


def _judged(setting: GaussianSetting, experiment: Experiment, seconds: float = 0.0) -> Mapping[str, Tail]:
    """Return whether intervals over draws of random inputs hold, for terms that further draws can judge.

    `seconds` is the time that one of the experiment's draws took.
    """
    learner, n, draws, level = experiment.learner, experiment.n, experiment.draws, experiment.level

    def terms_of(further: Experiment) -> dict[str, Array]:
        return _terms(setting, further)[0]

    if has_feature_terms(setting, experiment):
        size = (n, int(setting.dimension(experiment.function_class)))
        if not learner.inverts_singular_values(size):
            return {}  # with bounded gains, no draw is far from the others
        if not isinstance(setting, LinearTeacher):
            return _further_fits(setting, experiment, seconds, terms_of).judged(draws, level)
        if not affordable_designs(n, setting.input_dim):
            return {}
        return judged_terms(setting, learner, n, draws, level) if experiment.exact else {}
    judged = judged_terms(setting, learner, n, draws, level) if experiment.exact else {}
    if "total" in judged or ("uncertainty" in judged and averages_labels(learner)):
        return judged
    return _further_fits(setting, experiment, seconds, terms_of).judged(draws, level) | dict(judged)


@dataclasses.dataclass(frozen=True, eq=False)
class _Pool:
    """The terms and the total of further draws, (draws,) each; no terms if the draws would cost too much.

    `bounded` says whether the loss of each draw has bounds, such as an error rate.
    """

    terms: dict[str, Array]
    bounded: bool = False
    _tails: dict[tuple[int, float], dict[str, Tail]] = dataclasses.field(default_factory=dict)

    @property
    def is_unclear(self) -> bool:
        """Whether more draws may change an interval, judged for 95% intervals over 64 draws."""
        return any(one.is_unclear for one in self.judged(64, 0.95).values())

    def judged(self, draws: int, level: float) -> dict[str, Tail]:
        """Return `judged_by_pool` of each term; the judgements are kept."""
        key = (draws, level)
        if key not in self._tails:
            self._tails[key] = {
                name: judged_by_pool(values, draws, level, self.bounded)
                for name, values in self.terms.items()
            }
        return self._tails[key]


def _further_fits(
    setting: Setting,
    experiment: Experiment,
    seconds: float,
    terms_of: Callable[[Experiment], dict[str, Array]],
) -> _Pool:
    """Return further draws; those of the last few configurations are kept.

    `seconds` is the time that one of the experiment's draws took, and `terms_of` returns the terms of each
    draw of an experiment.

    A learner is first fitted in a few draws if it is not known to be fast, or if the setting is the user's
    own.  These draws show what all further draws would cost, and whether kept draws are still right: the user
    may have changed the class in a notebook.
    """
    learner, count = experiment.learner, further_fits(experiment.n)
    key = (repr(setting), repr(learner), experiment.n, experiment.exact)
    bounded = setting.loss == "zero-one"
    fast = is_fast(learner, experiment.n) and type(setting).__module__.startswith("errsrc.")
    if key in _KEPT and fast:
        return _KEPT[key]
    if not fast and count * seconds > 10 * LONGEST:
        return _Pool({})
    try:
        if not fast:
            start = time.process_time()
            first = _terms_of_further_draws(experiment, TIMED_DRAWS, terms_of)
            cost = (time.process_time() - start) * count / TIMED_DRAWS
            if key in _KEPT and _begins_with(_KEPT[key].terms, first):
                return _KEPT[key]
            if cost > LONGEST:
                return _Pool({})
        start = time.process_time()
        found = _Pool(_terms_of_further_draws(experiment, count, terms_of), bounded)
        cost = (time.process_time() - start) * MORE
        if cost <= LONGEST and found.is_unclear:
            found = _Pool(_terms_of_further_draws(experiment, MORE * count, terms_of), bounded)
    except Exception:
        return _Pool({})  # the budget's own draws succeeded, so the budget has no reason to fail
    if len(_KEPT) >= MOST_KEPT:
        _KEPT.pop(next(iter(_KEPT)))
    _KEPT[key] = found
    return found


def _terms_of_further_draws(
    experiment: Experiment, draws: int, terms_of: Callable[[Experiment], dict[str, Array]]
) -> dict[str, Array]:
    terms = terms_of(dataclasses.replace(experiment, draws=draws, seed=_FURTHER_SEED))
    return terms | {"total": np.sum(list(terms.values()), axis=0)}


def _begins_with(terms: Mapping[str, Array], first: Mapping[str, Array]) -> bool:
    """Return whether the first values of each term are given values, up to rounding."""
    return all(
        name in terms and np.allclose(terms[name][: len(values)], values, rtol=1e-6)
        for name, values in first.items()
    )


def _has_random_points(setting: GaussianSetting, experiment: Experiment) -> bool:
    """Return whether the points at which functions are compared are random."""
    rng = experiment.rng(0, "points")
    return not setting.quadrature(experiment.learner_of(0).function_class, rng, RANDOM_POINTS).exact


def _closed_form_status(draws: int, random_inputs: bool, random_features: bool, random_points: bool) -> str:
    """Return the sentence that says how terms with closed forms given the inputs were computed."""
    if random_features:
        where = "Random inputs" if random_inputs else "Fixed inputs"
        drawn = "the inputs and of the features" if random_inputs else "the features"
        return f"{where}: exact given inputs and features; intervals are over {draws} draws of {drawn}."
    if random_inputs:
        drawn = f"the inputs and of {_POINTS}" if random_points else "the inputs"
        return f"Random inputs: exact given the inputs; intervals are over {draws} draws of {drawn}."
    if draws == 1:
        return "Fixed inputs: exact."
    return f"Fixed inputs: intervals are over {draws} draws of {_POINTS}."


def _share_exact_total(
    terms: dict[str, Array], risk: Array | float, judged: Mapping[str, Tail], random_features: bool
) -> tuple[str, Mapping[str, Tail]]:
    """Change one of two terms so that the terms of each draw sum to the exact mean risk.

    Uncertainty and deficiency vary with the inputs, but their mean sum is known.  One of them is averaged
    over the draws: the term whose interval holds, or the term that varies less.  The other term is the rest
    of the sum, with an interval of the same width.

    Return the status, and whether the intervals hold.
    """
    names = ("uncertainty", "deficiency")
    fails = {name: name in judged and not judged[name].holds for name in names}
    known, rest = sorted(names, key=lambda name: (fails[name], float(terms[name].std())))
    terms[rest] = risk - terms["realizability"] - terms[known]
    given, drawn = ("given the features, ", "inputs and features") if random_features else ("", "the inputs")
    status = (
        f"Random inputs: {given}the total is exact, a closed form of its mean over inputs. "
        f"The {known} is a mean over {len(terms[known])} draws of {drawn}, and the {rest} is the rest."
    )
    return status, {known: judged[known], rest: judged[known].mirrored} if known in judged else {}


def _is_measurable(setting: GaussianSetting, function_class: FunctionClass) -> bool:
    """Return whether the setting has an orthonormal basis for a class, or the class is all functions."""
    try:
        setting.frame(function_class, setting.inputs(1, np.random.default_rng(0)))
    except ValueError:
        return False
    return True


def has_infinite_mean(setting: GaussianSetting, learner: Learner, n: int) -> bool:
    """Return whether a learner's mean risk over n random inputs of a setting is known to be infinite.

    Parameters
    ----------
    setting : GaussianSetting
        The setting, see `GaussianSetting.least_squares_diverges`.
    learner : Learner
        The learner, see `Learner.inverts_singular_values`.
    n : int
        Number of labelled examples.
    """
    size = setting.dimension(learner.function_class)
    if math.isinf(size) or not learner.inverts_singular_values((n, int(size))):
        return False
    return setting.least_squares_diverges(learner.function_class, n)


@functools.singledispatch
def closed_form(
    function_class: FunctionClass, setting: GaussianSetting, experiment: Experiment
) -> tuple[list[DesignTerms], bool]:
    """Return the exact terms of each draw of the inputs, for a learner that is linear in its labels.

    Parameters
    ----------
    function_class : FunctionClass
        The learner's function class.  Its Python type decides which registered function is called.
    setting : GaussianSetting
        The setting.
    experiment : Experiment
        Gives the learner, its number of examples, and the draws.

    Returns
    -------
    terms : list of DesignTerms
        The terms of each draw.  The list has a single element if nothing is random.
    least_squares : bool
        Whether the learner is linear regression of smallest norm, as far as the first draw shows.
    """
    return _closed_form(setting, experiment)


@closed_form.register
def _of_random_features(
    function_class: FeatureSpan, setting: GaussianSetting, experiment: Experiment
) -> tuple[list[DesignTerms], bool]:
    """Return the terms of regression on random features; see `errsrc.sources.random_features`."""
    if isinstance(setting, CoordinateSetting) and has_feature_terms(setting, experiment):
        terms = random_feature_terms(setting, [experiment])[experiment]
        return terms, _is_least_squares_of_features(setting, experiment)
    return _closed_form(setting, experiment)


def _is_least_squares_of_features(setting: GaussianSetting, experiment: Experiment) -> bool:
    """Return whether a learner is least squares in linear features, with as many examples as features."""
    learner, function_class, n = experiment.learner, experiment.function_class, experiment.n
    if experiment.x is not None or not function_class.linear or n < setting.dimension(function_class):
        return False
    return learner.inverts_singular_values((n, int(setting.dimension(function_class))))


def _closed_form(setting: GaussianSetting, experiment: Experiment) -> tuple[list[DesignTerms], bool]:
    """Return the terms of each draw's design, from the values of functions at the points of a quadrature."""
    out: list[DesignTerms] = []
    least_squares = False
    for draw, (posterior, same) in enumerate(posteriors(setting, experiment)):
        learner = experiment.learner_of(draw)
        smoother = learner.smoother(posterior.x, posterior.points)
        if not np.isfinite(smoother).all():
            accepted = "one whose predictions are finite"
            raise ValueError(checks.refusal("learner", "budget", accepted, "<nan or inf>"))
        if not out:
            posterior.check_membership(learner, smoother, functools.partial(learner.smoother, posterior.x))
            least_squares = experiment.x is None and _is_least_squares(learner, posterior, smoother)
        out.append(posterior.linear(smoother))
        if same:
            break
    return out, least_squares


def _is_least_squares(learner: Learner, posterior: Posterior, smoother: Array) -> bool:
    """Return whether a smoother equals the smoother of linear regression of smallest norm, without offset."""
    if not (learner.function_class.linear and learner.inverts_singular_values(posterior.x.shape)):
        return False
    best = posterior.points @ np.linalg.pinv(posterior.x)
    return bool(np.linalg.norm(smoother - best) <= 1e-6 * np.linalg.norm(best))


def _sampled(setting: GaussianSetting, experiment: Experiment) -> list[DesignTerms]:
    """Return each draw's terms, with one teacher, one data set and one fit."""
    found = [one for one, _ in posteriors(setting, experiment)]
    teachers = [one.draw_teacher(experiment, draw) for draw, one in enumerate(found)]
    rngs = [experiment.rng(draw, "learner") for draw in range(len(found))]
    fitted = _fitted(experiment, [one.x for one in found], [one.y for one in teachers], rngs)
    out: list[DesignTerms] = []
    for posterior, teacher, predictor in zip(found, teachers, fitted, strict=True):
        outputs = teacher.values.shape[1]
        learned = predicted_values(predictor, posterior.points, outputs)
        if not out:
            again = functools.partial(predicted_values, predictor, outputs=outputs)
            posterior.check_membership(predictor.learner, learned, again)
        learned = posterior.root * learned
        out.append(sampled_terms(experiment.function_class, posterior, teacher, learned, experiment.exact))
    return out


def _fitted(
    experiment: Experiment,
    xs: list[Array],
    ys: list[Array],
    rngs: list[np.random.Generator],
) -> list[Fitted]:
    """Return the predictor of each draw; a learner that is the same in all draws fits them at once."""
    learners = [experiment.learner_of(draw) for draw in range(len(xs))]
    if all(one is experiment.learner for one in learners):
        return experiment.learner.fit_many(xs, ys, rngs)
    return [one.fit(x, y, rng) for one, x, y, rng in zip(learners, xs, ys, rngs, strict=True)]


def table_budget(setting: TableTeacher, experiment: Experiment) -> Budget:
    """Return the budget of a learner whose teacher is a table of classes.

    Given the data, the terms are exact sums over all items.  If the learner's class is smaller than the class
    of all functions, the terms lie between bounds, see `errsrc.sources.bracketed`.

    Parameters
    ----------
    setting : TableTeacher
        The setting.
    experiment : Experiment
        Gives the learner, its number of examples, and the draws.

    Raises
    ------
    ValueError
        If the loss is the log loss and the learner gives probability 0 to a class that can occur.
    """
    if not experiment.function_class.unrestricted:
        return bracketed_budget(setting, experiment)
    random_inputs = experiment.x is None
    start = time.perf_counter()
    terms = _table_terms(setting, experiment)
    per_draw = (time.perf_counter() - start) / experiment.draws
    judged: Mapping[str, Tail] = {}
    if random_inputs and experiment.draws >= LEAST_DRAWS:
        judged = _judged_table(setting, experiment, per_draw)
    prefix = "Random inputs: exact" if random_inputs else "Fixed inputs: exact"
    status = f"{prefix} given the data; intervals are over {experiment.draws} draws of the data."
    realizability, uncertainty, deficiency = terms.values()
    return Budget.known(setting, experiment, realizability, uncertainty, deficiency, status, judged)


def _judged_table(setting: TableTeacher, experiment: Experiment, seconds: float = 0.0) -> Mapping[str, Tail]:
    """Return whether intervals over draws of random inputs hold, see `_judged`."""
    pool = _further_fits(setting, experiment, seconds, functools.partial(_table_terms, setting))
    return pool.judged(experiment.draws, experiment.level)


def _table_terms(setting: TableTeacher, experiment: Experiment) -> dict[str, Array]:
    """Return the terms of each draw by name, see `table_budget`."""
    draws = range(experiment.draws)
    xs = [experiment.inputs(setting, draw) for draw in draws]
    teachers = setting.teachers([experiment.rng(draw, "teacher") for draw in draws])
    ys = [setting.channel.label(teachers[k](xs[k]), experiment.rng(k, "labels")) for k in draws]
    fitted = experiment.learner.fit_many(xs, ys, [experiment.rng(draw, "learner") for draw in draws])
    items = np.arange(setting.items, dtype=np.float64)[:, None]
    risks = []
    for inputs, labels, predictor in zip(xs, ys, fitted, strict=True):
        truth = setting.predictive(inputs, labels)
        learned = class_scores(predictor, items, setting.classes, setting.loss)
        risks.append([_mean_loss(setting, truth, one) for one in (truth, learned)])
    least, got = np.array(risks).T
    if not np.isfinite(got).all():
        accepted = "one that gives each class that can occur a probability > 0, for the log loss"
        raise ValueError(checks.refusal("learner", "budget", accepted, experiment.learner))
    known = np.zeros(len(draws))
    return {"realizability": known, "uncertainty": least - setting.noise, "deficiency": got - least}


def _mean_loss(setting: TableTeacher, truth: Array, predicted: Array) -> float:
    return float(setting.probabilities @ expected_loss(truth, predicted, setting.loss))
