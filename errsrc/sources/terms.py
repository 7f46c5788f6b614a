"""The result of a budget: the four terms that `errsrc.sources` defines, with intervals or bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.learners import Learner
from errsrc.results import (
    ROUNDING,
    Bracket,
    Interval,
    PointEstimate,
    TabularResult,
    TextTable,
    json_value,
    mean_interval,
    percent,
)
from errsrc.settings import Setting
from errsrc.sources.experiments import Experiment
from errsrc.sources.further_designs import averages_labels
from errsrc.sources.tails import LEAST_DRAWS, SUGGESTED_DRAWS, Tail, judged_by_draws

TERMS = ("noise", "realizability", "uncertainty", "deficiency")
"""The terms, in the order in which they are shown everywhere."""

OPTIONAL_FIELDS = ("all_functions", "optimiser", "not_yet", "never", "limit")
"""Fields of a `Budget` that are None in some budgets."""

PerDraw = NDArray[np.float64]
"""A number for each draw, (draws,)."""

LOPSIDED = 3.0
"""If an interval reaches more than this many times as far up as down, the status of a budget says why."""

LowerUpper = tuple[PerDraw, PerDraw]
"""A lower and an upper bound of a term, each a number for each draw."""


@dataclass(frozen=True, eq=False, repr=False)
class Budget(TabularResult):
    """A learner's expected risk at n labelled examples, term by term.

    Attributes
    ----------
    n : int
        Number of labelled examples.
    loss : str
        Name of the loss, one of `errsrc.settings.setting.LOSSES`.
    noise, realizability, uncertainty, deficiency : Bracket
        The terms, in the units of the loss.  Each is an `errsrc.results.Bracket`: a lower and an upper bound,
        which are equal if the term is known up to sampling error.  The total is the sum of the noise, the
        lower bound of realizability, the upper bound of uncertainty, and the lower bound of deficiency.  If
        the uncertainty is known, the total is the sum of the noise, the lower bound of realizability, the
        uncertainty, and the upper bound of deficiency.  If a few draws make up most of the mean of a term,
        its bounds are `errsrc.results.PointEstimate`, which have no interval.
    total : Interval
        The expected risk.
    scale : float
        The target variance of the setting.  The property `relative` divides the terms by the target variance.
    draws : dict of str to ndarray of float64, (draws,)
        The values from which the intervals are computed.  The keys are the names of the terms, and "total".
        Each array has a value for each draw of teacher and data.  If a term is exact, all its values are
        equal.  If a term lies between bounds, the key with its name has the values of the lower bound, and a
        key such as "realizability.upper" has the values of the upper bound.
    status : str
        How the terms were computed, in sentences.
    std_error : float
        Standard error over draws of the excess risk, which is the total minus the noise.
    all_functions : Bracket or None
        The uncertainty for the class of all functions.  None if the learner's class is the class of all
        functions, or if this uncertainty was not computed.
    optimiser : Interval or None
        The part of the deficiency that the optimiser of a trained student left: the student's risk on its
        training examples minus the noise, as a mean over the student's networks.  Without noise, a perfect
        optimiser would reach 0 if the class contains the teacher.  With noise the value may be negative.
        None for learners that are not trained students.
    not_yet : Interval or None
        The part of the deficiency that more steps of the same optimiser remove: the learner's risk minus its
        risk after a longer training, in the same draws.  The end of the longer training is called the
        *horizon*, see `errsrc.learners.Learner.at_horizon`.  The horizon is infinite for learners with a
        known limit.  A negative value means that training up to the horizon makes the risk larger, so that it
        is better to stop early.  None for learners without a training time or without a horizon.
    never : Bracket or None
        The rest of the deficiency, which remains at the horizon.  None if `not_yet` is None.
    limit : PointEstimate or None
        The uncertainty `all_functions`, by a closed form that holds in a limit of large sizes, see
        `errsrc.sources.limits`.  This is an estimate, not a bound.  None if no such limit is known.
    tails : dict of str to float
        Shape k of the upper tail of the draws of each term and of the total, see `errsrc.sources.tails`.
        Above 0.4, a few draws make up most of the mean.  Terms whose draws are equal have no tail.  Error
        rates that are judged by further draws have no tail, either.
    setting, learner : str
        The setting and the learner as text, shown in figures; "" if they are not known.
    """

    n: int
    loss: str
    noise: Bracket
    realizability: Bracket
    uncertainty: Bracket
    deficiency: Bracket
    total: Interval
    scale: float
    draws: dict[str, PerDraw]
    status: str
    std_error: float
    all_functions: Bracket | None = None
    optimiser: Interval | None = None
    not_yet: Interval | None = None
    never: Bracket | None = None
    limit: PointEstimate | None = None
    tails: dict[str, float] = field(default_factory=dict)
    setting: str = ""
    learner: str = ""

    @classmethod
    def known(
        cls,
        setting: Setting,
        experiment: Experiment,
        realizability: PerDraw,
        uncertainty: PerDraw,
        deficiency: PerDraw,
        status: str,
        judged: Mapping[str, Tail] | None = None,
        infinite_mean: bool = False,
        at_horizon: PerDraw | None = None,
        infinite_at_horizon: bool = False,
    ) -> Budget:
        """Return the budget whose terms are known in each draw.

        Parameters
        ----------
        setting : Setting
            The setting, whose noise is one of the terms.
        experiment : Experiment
            Gives the learner, its number of examples, and the draws.
        realizability, uncertainty, deficiency : ndarray of float64, (draws,)
            The other terms in each draw.  Arrays of length 1 stand for terms that are exact.
        status : str
            How the terms were computed, in sentences.
        judged : mapping of str to Tail, optional
            Whether the intervals of terms and of the total can be trusted; the keys are the names of the
            terms, and "total".  By default, the draws themselves are judged.
        infinite_mean : bool
            Whether the means of deficiency and total are known to be infinite, so that they have no interval.
        at_horizon : ndarray of float64, (draws,), optional
            The deficiency, in each draw, of the learner after its longer training (`Learner.at_horizon`).
        infinite_at_horizon : bool
            Whether the mean deficiency after the longer training is known to be infinite.

        Returns
        -------
        Budget
            The budget; its total is the sum of the terms.
        """
        draws = {"realizability": realizability, "uncertainty": uncertainty, "deficiency": deficiency}
        draws["total"] = setting.noise + np.sum(list(draws.values()), axis=0)
        tails = _judged(draws, setting, experiment.learner, judged)
        if infinite_mean:
            tails |= {name: replace(tails[name], holds=False) for name in ("deficiency", "total")}
        intervals = _intervals(draws, tails, experiment.level)
        withheld = _withheld(draws, tails, experiment.level, infinite_mean)
        lopsided = _lopsided(draws, tails, intervals, ROUNDING * setting.target_variance)
        status = " ".join([status, *withheld, *lopsided])
        not_yet, never = None, None
        if at_horizon is not None:
            tail = judged_by_draws(at_horizon, setting.target_variance)
            tail = replace(tail, holds=tail.holds and not infinite_at_horizon)
            level, rest = experiment.level, deficiency - at_horizon
            not_yet = _judged_mean(rest, tail, level, lowest=None)
            never = Bracket.known(_judged_mean(at_horizon, tail, level), status)
        noise = Interval(setting.noise, setting.noise, setting.noise, experiment.level)
        return cls(
            n=experiment.n,
            loss=setting.loss,
            noise=Bracket.known(noise, "of the channel"),
            realizability=Bracket.known(intervals["realizability"], status),
            uncertainty=Bracket.known(intervals["uncertainty"], status),
            deficiency=Bracket.known(intervals["deficiency"], status),
            total=intervals["total"],
            scale=setting.target_variance,
            draws=draws | {"noise": np.full(len(draws["total"]), setting.noise)},
            status=status,
            std_error=_std_error(draws["total"]),
            not_yet=not_yet,
            never=never,
            tails=_shapes(tails),
        )

    @classmethod
    def bracketed(
        cls,
        setting: Setting,
        experiment: Experiment,
        noise: PerDraw,
        excess: PerDraw,
        terms: Mapping[str, LowerUpper],
        statuses: Mapping[str, str],
        status: str,
        all_functions: LowerUpper | None = None,
        optimiser: PerDraw | None = None,
        not_yet: PerDraw | None = None,
        limit: float | None = None,
    ) -> Budget:
        """Return the budget whose terms lie between bounds in each draw.

        Parameters
        ----------
        setting : Setting
            The setting.
        experiment : Experiment
            Gives the learner, its number of examples, and the draws.
        noise : ndarray of float64, (draws,)
            The noise of each draw.
        excess : ndarray of float64, (draws,)
            The learner's risk in each draw, minus the noise.
        terms : mapping of str to pairs of ndarray of float64, (draws,)
            Lower and upper bounds of "realizability", "uncertainty" and "deficiency" in each draw.
        statuses : mapping of str to str
            How the bounds of each of these terms were computed.
        status : str
            How the whole budget was computed, in sentences.
        all_functions : pair of ndarray of float64, (draws,), optional
            Bounds of the uncertainty for the class of all functions.  Give these bounds only if the learner
            of the budget cannot express all functions.
        optimiser : ndarray of float64, (draws,), optional
            The part of the deficiency that the optimiser left in each draw.
        not_yet : ndarray of float64, (draws,), optional
            The part of the deficiency, in each draw, that training up to the learner's horizon would remove.
        limit : float, optional
            The uncertainty of the class of all functions, from theory in the limit of large sizes.

        Returns
        -------
        Budget
            The budget.  The description of the terms in `Budget` says which bounds sum to the total.
        """
        draws = {"noise": noise, "total": noise + excess}
        for name, (lower, upper) in terms.items():
            draws |= {name: lower, f"{name}.upper": upper}
        level = experiment.level
        tails = _judged(draws, setting, experiment.learner)
        intervals = _intervals(draws, tails, level)
        status = " ".join([status, *_withheld(draws, tails, level)])
        brackets = {
            name: Bracket(intervals[name], intervals[f"{name}.upper"], statuses[name]) for name in terms
        }
        of_all = None
        if all_functions is not None:
            low, high = (mean_of_draws(bound, level) for bound in all_functions)
            of_all = Bracket(low, high, "Of all functions.")
        return cls(
            n=experiment.n,
            loss=setting.loss,
            noise=Bracket.known(intervals["noise"], "of the channel"),
            realizability=brackets["realizability"],
            uncertainty=brackets["uncertainty"],
            deficiency=brackets["deficiency"],
            total=intervals["total"],
            scale=setting.target_variance,
            draws=draws,
            status=status,
            std_error=_std_error(excess),
            all_functions=of_all,
            optimiser=None if optimiser is None else mean_interval(optimiser, level),
            not_yet=None if not_yet is None else _mean(not_yet, level),
            never=None if not_yet is None else _difference(terms["deficiency"], not_yet, level),
            limit=None if limit is None else PointEstimate.of(limit, level),
            tails=_shapes(tails),
        )

    @property
    def relative(self) -> Budget:
        """The same budget, divided by the target variance.

        In these units, the best constant prediction, before any example is seen, has the excess risk 1.

        Raises
        ------
        ValueError
            If the target variance is 0 up to rounding.  The labels are then noise alone, and there is nothing
            to learn.
        """
        if self.scale <= ROUNDING:
            accepted = "one whose target varies, for relative terms"
            raise ValueError(checks.refusal("setting", "Budget.relative", accepted, self.scale))
        scale = self.scale
        scaled = self._changed(
            lambda one: replace(
                one, estimate=one.estimate / scale, low=one.low / scale, high=one.high / scale
            )
        )
        draws = {name: values / scale for name, values in self.draws.items()}
        error = self.std_error / scale
        return replace(self, **scaled, scale=1.0, draws=draws, std_error=error)

    @property
    def rounded(self) -> Budget:
        """The budget as it is printed and plotted: values up to `ROUNDING` times target variance become 0.

        A term that is 0 in exact arithmetic is computed as about 1e-30.  The budget itself keeps such values,
        because its terms must sum to its total.
        """
        return replace(self, **self._changed(lambda one: one.rounded(ROUNDING * self.scale)))

    def _changed(self, change: Callable[[Interval], Interval]) -> dict[str, Any]:
        """Return the fields that are brackets or intervals after a change of each interval in them."""
        out: dict[str, Any] = {"total": change(self.total)}
        for name in (*TERMS, "all_functions", "never"):
            bracket = getattr(self, name)
            if bracket is not None:
                out[name] = Bracket(change(bracket.lower), change(bracket.upper), bracket.status)
        for name in ("optimiser", "not_yet", "limit"):
            if getattr(self, name) is not None:
                out[name] = change(getattr(self, name))
        return out

    def rows(self) -> list[tuple[str, Interval, Interval]]:
        """Return a tuple (name, lower bound, upper bound) for each of the four terms and for the total."""
        brackets = [(name, getattr(self, name)) for name in TERMS]
        return [(name, b.lower, b.upper) for name, b in brackets] + [("total", self.total, self.total)]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the budget as a table with a row for each of the four terms, and a last row for the total.

        Returns
        -------
        dict of str to ndarray, shape (5,)
            The columns.  "term" has the names of the terms.  "lower.estimate", "lower.low" and "lower.high"
            have their lower bounds, with the two ends of the interval.  "upper.estimate", "upper.low" and
            "upper.high" have the same numbers for their upper bounds.
        """
        rows = self.rows()
        out: dict[str, NDArray[Any]] = {"term": np.array([name for name, _, _ in rows])}
        for place, side in ((1, "lower"), (2, "upper")):
            for end in ("estimate", "low", "high"):
                out[f"{side}.{end}"] = np.array([getattr(row[place], end) for row in rows])
        return out

    def headline(self) -> str:
        """Return n, the total and the terms as one line."""
        shown = self.rounded
        terms = ", ".join(f"{name} {getattr(shown, name)}" for name in TERMS)
        return f"n = {self.n:,}, {self.loss} loss {shown.total}: {terms}"

    def content(self) -> list[str | TextTable]:
        """Return a table of the terms with their shares, and the sentences of `notes`."""
        rows, shown, more = [], self.rounded, []
        for name, lower, upper in shown.rows():
            text = str(lower) if lower == upper else f"{lower} to {upper}"
            share = percent(lower.estimate / shown.total.estimate, 1) if shown.total.estimate else ""
            rows.append((name, share if lower == upper else "", text))
        if shown.all_functions is not None:
            more.append(f"uncertainty of all functions: {shown.all_functions}")
        if shown.optimiser is not None:
            more.append(f"left by the optimiser: {shown.optimiser}")
        if shown.not_yet is not None:
            more.append(f"of the deficiency: not yet learned {shown.not_yet}, never learned {shown.never}")
        if shown.limit is not None:
            more.append(f"uncertainty in the limit of large sizes: {shown.limit.estimate:.3g}")
        return [f"n = {self.n:,}, {self.loss} loss", TextTable(rows, "lrl"), *more, *notes([self])]

    def as_dict(self) -> dict[str, Any]:
        """Return the terms and the total, with their bounds, as JSON values; without the values of draws."""
        left_out = ("draws",)
        return json_value({k: v for k, v in self._field_values().items() if k not in left_out})


def notes(budgets: Sequence[Budget]) -> list[str]:
    """Return the sentences that are printed below a table of budgets.

    The sentences say how the terms were computed, and which values are printed as 0.

    Parameters
    ----------
    budgets : sequence of Budget
        The budgets of the table.

    Returns
    -------
    list of str
        The sentences, without repetitions.
    """
    out = list(dict.fromkeys(one.status for one in budgets))
    if any(one.rounded.rows() != one.rows() for one in budgets):
        out.append(
            f"0 also stands for values up to {ROUNDING:g} of the target variance: they may be rounding error."
        )
    return out


def mean_of_draws(values: PerDraw, level: float, stretch: tuple[float, float] = (1.0, 1.0)) -> Interval:
    """Return the mean over draws with its interval; the interval has width 0 for a single draw.

    Parameters
    ----------
    values : ndarray of float64, (draws,)
        A number >= 0 for each draw.
    level : float
        Coverage of the interval, in (0, 1).
    stretch : (float, float)
        Factors of Student's quantile for the lower and for the upper end, see `errsrc.results.mean_ends`.
    """
    if len(values) == 1:
        value = float(values[0])
        return Interval(value, value, value, level)
    return mean_interval(values, level, 0.0, stretch)


def _mean(values: PerDraw, level: float, lowest: float | None = None) -> Interval:
    """Return the mean over draws with its interval, which may reach below 0; its width is 0 for one draw."""
    if len(values) == 1:
        return Interval(float(values[0]), float(values[0]), float(values[0]), level)
    return mean_interval(values, level) if lowest is None else mean_interval(values, level, lowest=lowest)


def _judged_mean(values: PerDraw, tail: Tail, level: float, lowest: float | None = 0.0) -> Interval:
    found = _mean(values, level, lowest)
    return found if tail.holds or found.low == found.high else PointEstimate.of(found.estimate, level)


def _difference(deficiency: LowerUpper, not_yet: PerDraw, level: float) -> Bracket:
    """Return the bounds of the deficiency less a part that is known in each draw."""
    lower, upper = (_mean(bound - not_yet, level) for bound in deficiency)
    return Bracket(lower, upper, "The deficiency at the horizon.")


def _judged(
    draws: Mapping[str, PerDraw],
    setting: Setting,
    learner: Learner,
    by_pool: Mapping[str, Tail] | None = None,
) -> dict[str, Tail]:
    """Return whether intervals hold, judged by further draws where there are any, or else by the draws.

    Error rates and risks of means of labels always have intervals.  For other risks, a judgement by the
    budget's own draws makes the stated intervals hold too rarely: it withholds the intervals of samples with
    a large draw, and most of these intervals hold.
    """
    found = {name: judged_by_draws(values, setting.target_variance) for name, values in draws.items()}
    return {
        name: replace(tail, holds=True)
        if setting.loss == "zero-one" or (averages_labels(learner) and name != "uncertainty")
        else tail
        for name, tail in (found | dict(by_pool or {})).items()
    }


def _intervals(draws: Mapping[str, PerDraw], judged: Mapping[str, Tail], level: float) -> dict[str, Interval]:
    """Return the mean of each term over its draws, with an interval if the interval holds."""
    found = {name: mean_of_draws(values, level, judged[name].stretch) for name, values in draws.items()}
    return {
        name: one if judged[name].holds or one.low == one.high else PointEstimate.of(one.estimate, level)
        for name, one in found.items()
    }


def _shapes(judged: Mapping[str, Tail]) -> dict[str, float]:
    return {name: one.shape for name, one in judged.items() if one.shape is not None}


def _withheld(
    draws: Mapping[str, PerDraw], judged: Mapping[str, Tail], level: float, infinite_mean: bool = False
) -> list[str]:
    """Return the sentence that names the terms without an interval, and says why; an empty list if none."""
    names = [name for name, one in judged.items() if not one.holds and np.ptp(draws[name])]
    if not names:
        return []
    terms, last = _listed(names), names[-1]
    if infinite_mean:
        return [f"There is no interval of {terms}."]
    worst = judged["total"] if "total" in names else judged[last]
    return [f"There is no interval of {terms}: {worst.reason(level, len(draws[last]))}."]


def _lopsided(
    draws: Mapping[str, PerDraw],
    judged: Mapping[str, Tail],
    intervals: Mapping[str, Interval],
    rounding: float,
) -> list[str]:
    """Return sentences that say why intervals reach much further up than down; an empty list if none does.

    `rounding` is the largest value that may be a rounding error.
    """
    names = [
        name
        for name, one in intervals.items()
        if one.estimate > rounding and one.high - one.estimate > LOPSIDED * (one.estimate - one.low)
    ]
    if not names or len(draws[names[0]]) < LEAST_DRAWS:
        return []
    many, ends = ("s", "reach") if len(names) > 1 else ("", "reaches")
    why = "because a few draws are much larger than the others"
    found = [f"The interval{many} of {_listed(names)} {ends} much further up than down, {why}."]
    moved = [name for name in names if judged[name].stretch[1] > 1]
    if moved:
        whose = "" if moved == names else f" of {_listed(moved)}"
        further = max(judged[name].judged_draws for name in moved)
        found.append(f"{further:,} further draws moved the upper end{'s'[: len(moved) - 1]}{whose} outwards.")
    if len(draws[names[0]]) < SUGGESTED_DRAWS:
        found.append(f"draws={SUGGESTED_DRAWS} narrows the interval{many}.")
    return found


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _std_error(values: PerDraw) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
