"""The error budget: where a learner's expected risk comes from, as a sum of four terms."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from errsrc import checks, records
from errsrc.checks import LEVEL, SEED, Flag, Instance, Integer, Number, Optional
from errsrc.learners import Learner, as_learner
from errsrc.settings import FunctionClass, GaussianSetting, Setting, TableTeacher
from errsrc.settings.setting import Array
from errsrc.sources.bracketed import bracketed_budget
from errsrc.sources.effort import Effort
from errsrc.sources.exact import gaussian_budget, table_budget
from errsrc.sources.experiments import Experiment
from errsrc.sources.terms import Budget


@checks.arguments(
    setting=Instance(Setting, "a setting of errsrc.settings, or a subclass of errsrc.settings.Setting"),
    n=Integer(at_least=1),
    draws=Integer(at_least=2),
    seed=SEED,
    level=LEVEL,
    exact=Flag(),
    effort=Optional(Instance(Effort, "an Effort")),
)
def budget(
    setting: Setting,
    learner: Learner | Any,
    n: int,
    *,
    x: Array | None = None,
    draws: int = 64,
    seed: int = 0,
    level: float = 0.95,
    exact: bool = True,
    effort: Effort | None = None,
) -> Budget:
    """Return the error budget of a learner in a setting: its expected risk, term by term.

    Parameters
    ----------
    setting : Setting
        The setting, from errsrc or your own.  The terms have closed forms for a `GaussianSetting`, given the
        inputs, and for a `TableTeacher`, given the data.  For other settings terms lie between bounds.
    learner : Learner, estimator or object with fit
        The learner: one of `errsrc.learners`, an estimator of scikit-learn, or any object with
        ``fit(x, y, rng)``; see `errsrc.learners.as_learner`.
    n : int
        Number of labelled examples, including all examples that the learner uses for validation; >= 1.
    x : ndarray of float64, (n, dim), optional
        A fixed design; by default each draw has inputs of its own.
    draws : int
        Number of draws of teacher, data and the learner's randomness, >= 2; exact terms use fewer.
    seed : int
        Root of the seed tree, >= 0.
    level : float
        Coverage of the intervals, in (0, 1).
    exact : bool
        Whether to use closed forms where there are any.  False estimates every term from draws alone, as a
        check of the closed forms.
    effort : Effort, optional
        Amount of computation for network teachers, whose terms have only bounds; by default `Effort()`.

    Returns
    -------
    Budget
        Its terms sum to its total, and its status says how they were computed.

    Raises
    ------
    ValueError, TypeError
        For arguments out of range, a design of another shape, a learner that cannot take the setting's
        inputs, and predictions that are not finite or not in the class that the learner declares.
    NoAnswer
        If network students diverged in all draws, or in all but one.

    Notes
    -----
    Without closed forms, the uncertainty lies between 0 and the learner's own excess risk, and the deficiency
    is the remainder; network teachers of squared loss have tighter bounds, see `uncertainty_bracket`.  The
    realizability is `Setting.realizability` where the setting knows it, and otherwise lies between 0 and the
    learner's own excess risk.

    Least squares has no finite mean risk near n = M, the number of functions, if the labels have noise or a
    part outside the learner's class.  The status then says so.

    A subclass of `GaussianSetting` or `TableTeacher` has an exact budget.  For another setting whose terms
    you know, register a function with `budget_in`.

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
    _check_numbers(setting)
    design = None if x is None else _checked_design(setting, x, n)
    experiment = Experiment(learner, n, design, draws, seed, level, exact, effort or Effort())
    found = budget_in(setting, experiment)
    return dataclasses.replace(found, setting=records.text(setting), learner=records.text(learner))


@functools.singledispatch
def budget_in(setting: Setting, experiment: Experiment) -> Budget:
    """Return the budget of an experiment, by the function registered for the setting's class.

    The default accepts any setting and bounds the terms.  Classes of settings whose terms are known register
    their own functions below.  You can register a function for your own class of settings::

        @budget_in.register
        def _(setting: MySetting, experiment: Experiment) -> Budget:
            ...
            return Budget.known(setting, experiment, realizability, uncertainty, deficiency, status)

    Parameters
    ----------
    setting : Setting
        The setting.
    experiment : Experiment
        The learner, the number of examples, and the draws.

    Returns
    -------
    Budget
        The budget.
    """
    return bracketed_budget(setting, experiment)


budget_in.register(GaussianSetting, gaussian_budget)
budget_in.register(TableTeacher, table_budget)


def check_sizes(setting: Setting, learner: Learner, where: str) -> None:
    """Raise if the functions of a learner's class have other numbers of inputs or outputs than a teacher.

    Parameters
    ----------
    setting : Setting
        The setting.
    learner : Learner
        The learner.
    where : str
        Name of the function or class that error messages name.

    Raises
    ------
    ValueError
        If these numbers differ.
    TypeError
        For a learner whose ``function_class`` is no function class.
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
    try:
        design = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise type(error)(checks.refusal("x", "budget", accepted, x)) from None
    if design.shape != (n, setting.input_dim) or not np.isfinite(design).all():
        raise ValueError(checks.refusal("x", "budget", accepted, f"<shape {design.shape}>"))
    setting.check_inputs(design, "budget")
    return design
