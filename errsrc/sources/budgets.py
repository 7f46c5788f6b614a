"""The error budget: a learner's expected risk as a sum of four terms."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from errsrc import checks, records
from errsrc.checks import LEVEL, SEED, Flag, Instance, Integer, Number, Optional, OrWord
from errsrc.learners import Learner, as_learner
from errsrc.results import PointEstimate
from errsrc.settings import CoordinateSetting, FunctionClass, GaussianSetting, Setting, TableTeacher
from errsrc.settings.setting import Array
from errsrc.sources.bracketed import bracketed_budget
from errsrc.sources.effort import Effort
from errsrc.sources.exact import gaussian_budget, table_budget
from errsrc.sources.experiments import Experiment
from errsrc.sources.gaussian_posterior import DesignTerms
from errsrc.sources.random_features import has_feature_terms, random_feature_terms
from errsrc.sources.tails import LARGEST_SHAPE, WIDENING_POOL, shape_error
from errsrc.sources.terms import Budget

FIRST_DRAWS = 64
"""Number of draws with which draws="auto" begins."""

DRAWS = OrWord(Integer(at_least=2), "auto")
"""Validation rule for a number of draws."""


@checks.arguments(
    setting=Instance(Setting, "a setting of errsrc.settings, or a subclass of errsrc.settings.Setting"),
    n=Integer(at_least=1),
    draws=DRAWS,
    seed=SEED,
    level=LEVEL,
    precision=Number(above=0, below=1),
    max_draws=Integer(at_least=FIRST_DRAWS),
    exact=Flag(),
    effort=Optional(Instance(Effort, "an Effort")),
)
def budget(
    setting: Setting,
    learner: Learner | Any,
    n: int,
    *,
    x: Array | None = None,
    draws: int | Literal["auto"] = 64,
    seed: int = 0,
    level: float = 0.95,
    precision: float = 0.05,
    max_draws: int = 4096,
    exact: bool = True,
    effort: Effort | None = None,
) -> Budget:
    """Return the error budget of a learner in a setting: the learner's expected risk, term by term.

    Parameters
    ----------
    setting : Setting
        The setting, from errsrc or your own.  For a `GaussianSetting` the terms have closed forms given the
        inputs; for a `TableTeacher` they have closed forms given the data.  For other settings the terms lie
        between bounds.
    learner : Learner, estimator or object with fit
        The learner: one of `errsrc.learners`, an estimator of scikit-learn, or any object with
        ``fit(x, y, rng)``; see `errsrc.learners.as_learner`.
    n : int
        Number of labelled examples, including all examples that the learner uses for validation; >= 1.
    x : ndarray of float64, (n, dim), optional
        Inputs of the labelled examples, the same in all draws; by default each draw has its own inputs.
    draws : int or "auto"
        Number of draws of teacher, data and the learner's random numbers, >= 2.  Terms that are exact for all
        draws are computed once.  "auto" starts with 64 draws and adds draws until the total has an interval
        of the asked precision.
    seed : int
        Seed from which all random streams are derived, >= 0.
    level : float
        Coverage of the intervals, in (0, 1).
    precision : float
        Half the width of the total's interval, as a share of the total, at which draws="auto" stops; in (0,
        1).
    max_draws : int
        Largest number of draws with draws="auto", >= 64.  The budget's status says if this many draws do not
        reach the precision.
    exact : bool
        Whether to use closed forms if they exist.  With False, every term is estimated from draws alone,
        which serves to check the closed forms.
    effort : Effort, optional
        Amount of computation for network teachers, whose terms have only bounds; by default `Effort()`.

    Returns
    -------
    Budget
        The four terms and their sum, the total.  The budget's status says how the terms were computed.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, if `x` has another shape, if the setting has fewer than `n` inputs, if
        the learner cannot take the setting's inputs, or if predictions are not finite or not in the class
        that the learner declares.
    NoAnswer
        If network students diverged in all draws, or in all but one.

    Notes
    -----
    Without closed forms, the uncertainty lies between 0 and the learner's own excess risk, and the deficiency
    is the remainder of the total.  For network teachers and the squared loss the bounds are tighter, see
    `uncertainty_bracket`.  The realizability is `Setting.realizability` if the setting defines it for the
    learner's class; otherwise it lies between 0 and the learner's own excess risk.

    Over random inputs, least squares over M basis functions has an infinite mean risk for n near M, if the
    labels have noise or if the teacher has a part outside the learner's class.  For larger n the mean is
    finite, but few draws may carry a large part of the mean.  Most intervals of the mean would then be too
    low.  In both cases the budget states no interval of the affected terms, and the status says why.
    `errsrc.sources.tails` judges the draws.  Further draws of the inputs may show that the usual interval of
    a mean contains the mean too rarely or too often.  The ends of the interval are then moved.  For these
    further draws, a learner of your own is fitted up to 2,048 times, if the fits take less than 3 seconds of
    CPU time.  The number of fits is therefore larger than `draws`.  For linear regression with normal inputs,
    a closed form gives the total even if few draws carry a large part of the mean
    (`errsrc.theory.least_squares`).

    A subclass of `GaussianSetting` has an exact budget, given the inputs, for learners whose predictions are
    linear in the labels.  For other learners, the deficiency is estimated from draws.  A subclass of
    `TableTeacher` has an exact budget, given the data, for learners that can express all functions.  For
    another setting whose terms you know, register a function with `budget_in`.

    Examples
    --------
    >>> from errsrc.learners import Ridge
    >>> from errsrc.settings import Gaussian, LinearTeacher
    >>> found = budget(LinearTeacher(4, channel=Gaussian(0.5)), Ridge(1.0), 8)
    >>> print(found.noise, found.realizability)
    0.25 0
    """
    learner = as_learner(learner, "budget")
    check_sizes(setting, learner, "budget")
    if x is None:
        setting.check_pool(n, "budget")
    _check_numbers(setting)
    design = None if x is None else _checked_design(setting, x, n)
    count = FIRST_DRAWS if draws == "auto" else draws
    experiment = Experiment(learner, n, design, count, seed, level, exact, effort or Effort())
    if draws == "auto":
        found = _precise(setting, experiment, precision, max_draws)
    else:
        found = budget_in(setting, experiment)
    return _named(found, setting, learner)


@checks.arguments(
    setting=Instance(Setting, "a setting of errsrc.settings, or a subclass of errsrc.settings.Setting"),
    draws=Integer(at_least=2),
    seed=SEED,
    level=LEVEL,
)
def budget_grid(
    setting: Setting,
    learners: Sequence[Learner | Any],
    n: Sequence[int],
    *,
    draws: int = 64,
    seed: int = 0,
    level: float = 0.95,
) -> dict[tuple[int, int], Budget]:
    """Return the budgets of several learners at several numbers of examples.

    Each budget equals the result of `budget`, up to rounding.  The budgets of `RandomFeatures` in a
    `LinearTeacher` or `BandTeacher` are computed at once: learners that differ only in ridge, steps or
    learning rate share all decompositions.  Many such learners on a fine grid of steps therefore cost little
    more than one learner.

    Parameters
    ----------
    setting : Setting
        The setting.
    learners : sequence of Learner
        The learners.
    n : sequence of int
        Numbers of labelled examples, each >= 1.
    draws : int
        Number of draws of teacher, data and the learner's random numbers, >= 2.
    seed : int
        Seed from which all random streams are derived, >= 0.  The same seed draws the same features and
        inputs for all learners.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    dict of (int, int) to Budget
        The keys are pairs (i, k): the position i of a learner in `learners`, and a number k of examples.

    Raises
    ------
    ValueError, TypeError
        If `budget` would raise the error for one of the learners.

    Examples
    --------
    >>> from errsrc.learners import RandomFeatures
    >>> from errsrc.settings import LinearTeacher
    >>> learners = [RandomFeatures(8, steps=t) for t in (10, 100)]
    >>> found = budget_grid(LinearTeacher(20, input_decay=1.0), learners, [16, 32], draws=8)
    >>> bool(found[1, 32].total.estimate < found[0, 16].total.estimate)
    True
    """
    for name, given in (("learners", learners), ("n", n)):
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise TypeError(checks.refusal(name, "budget_grid", "a sequence", given))
    checked = [as_learner(one, "budget_grid") for one in learners]
    for learner in checked:
        check_sizes(setting, learner, "budget_grid")
    sizes = [Integer(at_least=1)(size, "n", "budget_grid") for size in n]
    setting.check_pool(max(sizes, default=1), "budget_grid")
    _check_numbers(setting)
    experiments = {
        (place, size): Experiment(learner, size, None, draws, seed, level, True, Effort())
        for place, learner in enumerate(checked)
        for size in sizes
    }
    return dict(zip(experiments, budgets_of(setting, list(experiments.values())), strict=True))


def budgets_of(setting: Setting, experiments: Sequence[Experiment]) -> list[Budget]:
    """Return the budget of each of several experiments; experiments may share matrix decompositions.

    Parameters
    ----------
    setting : Setting
        The setting.
    experiments : sequence of Experiment
        The experiments.
    """
    shared: Mapping[Experiment, list[DesignTerms]] = {}
    later: Mapping[Experiment, Experiment] = {}
    if isinstance(setting, CoordinateSetting) and budget_in.dispatch(type(setting)) is gaussian_budget:
        suited = [one for one in experiments if has_feature_terms(setting, one)]
        later = _horizons(suited)
        shared = random_feature_terms(setting, [*suited, *{id(one): one for one in later.values()}.values()])
    found = [
        gaussian_budget(setting, one, shared[one], shared[later[one]] if one in later else None)
        if isinstance(setting, GaussianSetting) and one in shared
        else budget_in(setting, one)
        for one in experiments
    ]
    return [_named(one, setting, each.learner) for one, each in zip(found, experiments, strict=True)]


def _horizons(experiments: Sequence[Experiment]) -> dict[Experiment, Experiment]:
    """Return a dict from each experiment with a horizon to the experiment at this horizon.

    Equal experiments at a horizon are one object.
    """
    known: dict[tuple[Learner, int], Experiment] = {}
    found = {}
    for one in experiments:
        later = one.at_horizon()
        if later is not None:
            found[one] = known.setdefault((later.learner, later.n), later)
    return found


def _named(found: Budget, setting: Setting, learner: Learner) -> Budget:
    """Return the budget with the texts of its setting and learner."""
    return dataclasses.replace(found, setting=records.text(setting), learner=records.text(learner))


def _precise(setting: Setting, experiment: Experiment, precision: float, max_draws: int) -> Budget:
    """Return a budget with enough draws for the precision of the total, but at most `max_draws`."""
    shape = None
    while True:
        found, draws = budget_in(setting, experiment), experiment.draws
        wanted, half_width = precision * found.total.estimate, (found.total.high - found.total.low) / 2
        if half_width <= wanted:
            return found
        if draws >= max_draws or _stays_without_interval(found, shape):
            said = (
                f" With {draws:,} draws, the interval of the total is not as narrow as {100 * precision:g}%."
            )
            return dataclasses.replace(found, status=found.status + said)
        needed = min(1.1 * draws * (half_width / wanted) ** 2, max_draws) if half_width < math.inf else 0
        more = min(max(2 * draws, math.ceil(needed)), max_draws)
        experiment, shape = dataclasses.replace(experiment, draws=more), found.tails.get("total")


def _stays_without_interval(found: Budget, shape_before: float | None) -> bool:
    """Return whether more draws do not give the total an interval.

    The mean is infinite, as far as the draws show, or the shape of the tail does not depend on the draws.
    """
    shape = found.tails.get("total", 0.0)
    heavy = shape - 2 * shape_error(shape, WIDENING_POOL) > LARGEST_SHAPE
    return isinstance(found.total, PointEstimate) and (shape >= 1 or (heavy and shape == shape_before))


@functools.singledispatch
def budget_in(setting: Setting, experiment: Experiment) -> Budget:
    """Return the budget of an experiment, from the function that is registered for the setting's class.

    If no function is registered, the terms lie between bounds.  You can register a function for your own
    class of settings whose terms are known::

        @budget_in.register
        def _(setting: MySetting, experiment: Experiment) -> Budget:
            ...
            return Budget.known(setting, experiment, realizability, uncertainty, deficiency, status)

    Parameters
    ----------
    setting : Setting
        The setting.
    experiment : Experiment
        Gives the learner, its number of examples, and the draws.

    Returns
    -------
    Budget
        The budget of the learner in the setting.
    """
    return bracketed_budget(setting, experiment)


budget_in.register(GaussianSetting, gaussian_budget)
budget_in.register(TableTeacher, table_budget)


def check_sizes(setting: Setting, learner: Learner, where: str) -> None:
    """Raise ValueError if a learner's functions have other numbers of inputs or outputs than a teacher.

    Parameters
    ----------
    setting : Setting
        The setting.
    learner : Learner
        The learner.
    where : str
        Name of the calling function or class, for error messages.

    Raises
    ------
    ValueError
        If the numbers of inputs or the numbers of outputs differ.
    TypeError
        If the learner's ``function_class`` is not a `FunctionClass`.
    """
    function_class = learner.function_class
    known = Instance(FunctionClass, "a function class of errsrc.settings, or a subclass of FunctionClass")
    known(function_class, "function_class", type(getattr(learner, "fittable", learner)).__name__)
    wanted = (setting.input_dim, setting.output_dim)
    found = (function_class.input_dim, function_class.output_dim)
    if any(None not in pair and pair[0] != pair[1] for pair in zip(wanted, found, strict=True)):
        accepted = (
            f"one for {wanted[0]} inputs and {wanted[1] or 'any number of'} outputs, as the setting has"
        )
        raise ValueError(checks.refusal("learner", where, accepted, function_class))


def _check_numbers(setting: Setting) -> None:
    """Raise for a setting whose noise or target variance is not a finite number >= 0."""
    for name in ("noise", "target_variance"):
        Number(at_least=0)(getattr(setting, name), name, type(setting).__name__)


def _checked_design(setting: Setting, x: Any, n: int) -> Array:
    """Return a fixed design as float64 (n, dim); raise ValueError or TypeError for other inputs."""
    accepted = f"finite inputs of shape ({n}, {setting.input_dim})"
    if setting.has_own_inputs:
        accepted = f"None, because the inputs of {type(setting).__name__} depend on the teacher"
        raise ValueError(checks.refusal("x", "budget", accepted, "<inputs>"))
    try:
        design = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise type(error)(checks.refusal("x", "budget", accepted, x)) from None
    if design.shape != (n, setting.input_dim) or not np.isfinite(design).all():
        raise ValueError(checks.refusal("x", "budget", accepted, f"<shape {design.shape}>"))
    setting.check_inputs(design, "budget")
    return design
