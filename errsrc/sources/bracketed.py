"""Budgets of settings without closed forms: their terms lie between bounds.

Let F be the learner's function class.  Let S be the sum of uncertainty and realizability.  This sum is the
smallest mean excess risk of a map from data to functions in F.  The bounds of the terms come from three
facts:

- S is at least the uncertainty for the class of all functions, and at least the realizability;
- S is at most the mean excess risk of any map from data to F, and the learner is such a map;
- the deficiency is the mean excess risk of the learner minus S.

`errsrc.sources.bracket` computes bounds of the uncertainty and of the realizability.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from errsrc.errors import Diverged, NoAnswer
from errsrc.settings import Setting
from errsrc.sources.bracket.bounds import UncertaintyBounds, uncertainty_bounds
from errsrc.sources.bracket.draws import Draw, draw_teachers_and_data, fresh_inputs
from errsrc.sources.bracket.realizability import realizability_bounds
from errsrc.sources.bracket.upper import choose
from errsrc.sources.experiments import Experiment
from errsrc.sources.limits import uncertainty_limit
from errsrc.sources.predictions import exact_excess_risks, excess_risk, optimiser_rest
from errsrc.sources.terms import Budget, LowerUpper


def bracketed_budget(setting: Setting, experiment: Experiment) -> Budget:
    """Return a budget whose terms lie between bounds.

    Parameters
    ----------
    setting : Setting
        Any setting.
    experiment : Experiment
        The learner, its number of examples, and the draws.

    Raises
    ------
    ValueError
        If the learner or the setting raises ValueError, if predictions are not finite or have another shape,
        or if the loss is the log loss and predictions are not probabilities.
    NoAnswer
        If network students diverged in all draws, or in all but one.
    """
    draws, fitted, failed = _fit(experiment, draw_teachers_and_data(setting, experiment))
    draws, fitted, later, failed_later = _fit_to_horizon(experiment, draws, fitted)
    failed += failed_later
    risks = [excess_risk(setting, one, d.points, d.values) for one, d in zip(fitted, draws, strict=True)]
    excess, noise = np.array(risks).T
    exact = exact_excess_risks(setting, draws, fitted)
    excess = excess if exact is None else exact
    not_yet = None
    if later:
        pairs = zip(later, draws, strict=True)
        not_yet = excess - np.array([excess_risk(setting, one, d.points, d.values)[0] for one, d in pairs])
    found = uncertainty_bounds(setting, experiment, draws, fitted, excess)
    outside, how = realizability_bounds(setting, experiment, draws, found.excess)
    smaller = not experiment.function_class.unrestricted
    uncertainty, deficiency = _traded(found, outside) if smaller else _of_all_functions(found)
    data = (
        "Random inputs: {} draws of teacher and data"
        if experiment.x is None
        else "Fixed inputs: {} draws of teacher and labels"
    )
    status = data.format(len(draws))
    status += _evaluated(setting.test_pool_size, fresh_inputs(setting))
    if exact is not None:
        status += " The learner's risk in each draw is exact, without test inputs."
    if failed:
        status += f" {failed} more draws are left out, because a student diverged."
    known = uncertainty_limit(setting, experiment.n)
    limit, said = (None, []) if known is None else (known[0], [known[1]])
    bounds = f"{found.status[0].lower()}{found.status[1:]}"
    return Budget.bracketed(
        setting,
        experiment,
        noise=noise,
        excess=found.excess,
        terms={"realizability": outside, "uncertainty": uncertainty, "deficiency": deficiency},
        statuses={"realizability": how, "uncertainty": found.status, "deficiency": "The remainder."},
        status=" ".join([f"{status} Realizability: {how} Uncertainty: {bounds}", *said]),
        all_functions=(found.lower, found.upper) if smaller else None,
        optimiser=optimiser_rest(setting, fitted),
        not_yet=not_yet,
        limit=limit,
    )


def _evaluated(pool: int | None, count: int) -> str:
    """Return the end of the sentence about the draws: at which test inputs they are evaluated."""
    if pool is None:
        return "."
    if count < pool:
        return f", each evaluated on {count:,} of the {pool:,} test inputs of the setting, drawn at random."
    return f", evaluated on all {pool:,} test inputs of the setting."


def _fit(experiment: Experiment, draws: list[Draw]) -> tuple[list[Draw], list[Any], int]:
    """Return the draws without divergence, the predictor fitted in each, and the number of diverged draws."""
    rngs = [experiment.rng(one.number, "learner") for one in draws]
    try:
        fitted = experiment.learner.fit_many([one.x for one in draws], [one.y for one in draws], rngs)
    except Diverged as error:
        kept = [not any(each.diverged for each in one.function.trained) for one in error.best]
        if sum(kept) < 2:
            raise NoAnswer(f"No budget of {len(draws)} draws: {error}", error.best) from error
        pairs = [pair for pair, good in zip(zip(draws, error.best, strict=True), kept, strict=True) if good]
        return [one for one, _ in pairs], [one for _, one in pairs], len(draws) - len(pairs)
    return draws, list(fitted), 0


def _fit_to_horizon(
    experiment: Experiment, draws: list[Draw], fitted: list[Any]
) -> tuple[list[Draw], list[Any], list[Any], int]:
    """Return the draws, the predictors, the predictors at the learner's horizon, and how many diverged there.

    Draws in which the longer training diverged are left out.  Without a horizon, there are no predictors at
    it.
    """
    later = experiment.at_horizon()
    if later is None:
        return draws, fitted, [], 0
    kept, at_horizon, failed = _fit(later, draws)
    numbers = {one.number for one in kept}
    fitted = [one for one, draw in zip(fitted, draws, strict=True) if draw.number in numbers]
    return kept, fitted, at_horizon, failed


def _of_all_functions(found: UncertaintyBounds) -> tuple[LowerUpper, LowerUpper]:
    """Return bounds of uncertainty and deficiency for a learner that could learn any function."""
    deficiency = (found.excess - found.upper, found.excess - found.lower)
    return (found.lower, found.upper), deficiency


def _traded(found: UncertaintyBounds, outside: LowerUpper) -> tuple[LowerUpper, LowerUpper]:
    """Return bounds of uncertainty and deficiency for a learner of a smaller class.

    `outside` are the bounds of the learner's realizability.  S, uncertainty plus realizability, lies between
    `smallest` and `found.upper_member`.
    """
    excess, zero = found.excess, np.zeros(len(found.excess))
    if found.determined:  # the data determine the teacher, and so the best member of the class
        return (zero, zero), (excess - outside[1], excess - outside[0])
    # `choose` takes the smallest candidate, so the largest lower bound is chosen by its negative
    lower = -choose({"0": zero, "chains": outside[1] - found.lower})[0]
    smallest = found.lower
    if outside[0].any():
        smallest = -choose({"outside": -outside[0], "chains": -found.lower})[0]
    uncertainty = (lower, found.upper_member - outside[0])
    return uncertainty, (excess - found.upper_member, excess - smallest)
