"""The error budget: a learner's expected risk as a sum of four terms, each at least 0.

With R(g; f) the risk of a predictor g under a teacher f, D the data and F the learner's function class,

    noise            E min over all g of R(g; f)
    realizability    E min over g in F of R(g; f), less the noise
    uncertainty      E min over g in F of E[R(g; f) given D], less E min over g in F of R(g; f)
    deficiency       E R(A(D); f), less E min over g in F of E[R(g; f) given D]

They sum to the expected risk by construction, and none is negative: a minimum of an expectation is at
least the expectation of the minimum.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.results import ROUNDING, Bracket, Interval, mean_interval
from errsrc.rng import generator
from errsrc.settings import GaussianSetting, ImageTeacher, NetworkTeacher, RankK, Setting, TableTeacher
from errsrc.settings.linear import low_rank_residual as tail
from errsrc.settings.setting import Array
from errsrc.settings.table import expected_loss as risk
from errsrc.sources.bracket.draws import Effort
from errsrc.sources.bracket.realizability import Parts, Sides, parts
from errsrc.sources.gaussian_posterior import Posterior, Terms, infinite_mean, square
from errsrc.sources.predictions import fit_all, predicted, scores

TERMS = ("noise", "realizability", "uncertainty", "deficiency")
"""In that order everywhere."""

BESIDE = ("all_functions", "optimiser")
"""Fields of a `Budget` that not every one has."""

POINTS = 64
"""Fresh inputs a draw at which functions are compared, where no exact quadrature is known."""


@dataclass(frozen=True, eq=False)
class Budget:
    """A learner's expected risk at n labelled examples, term by term.

    Attributes
    ----------
    n, loss
        Labelled examples, and what risk is measured in.
    noise, realizability, uncertainty, deficiency
        The terms, in the units of the loss; `Bracket`s, closed where a term is known but for sampling.
        The sides sum to the total as they are traded: noise, realizability's lower, uncertainty's upper
        and deficiency's lower side; or, where the uncertainty is known, deficiency's upper side.
    total
        The expected risk.
    scale
        The target variance (`errsrc.settings.Setting`): `relative` terms are divided by it.
    draws
        What the intervals come from: for each term and "total" its values over draws of teacher and
        data, (draws,); all the same where the term is exact.  Of a bracket the lower side; the upper
        one's are under "realizability.upper" and so on.
    status
        How the terms came about, in sentences.
    std_error
        Standard error of the excess risk, the total less the noise, over draws.
    all_functions
        The uncertainty where any function may be learned, if the learner's class is smaller; None where
        it is not, and where it was not asked.
    optimiser
        Of the deficiency of a trained student, what the optimiser left: its risk on its training examples
        less the noise, which is the teacher's risk there in the mean; of several networks the mean of
        theirs.  Without noise, in a class that holds the teacher, that could be 0; with noise it may be
        negative.  None for other learners.
    """

    n: int
    loss: str
    noise: Bracket
    realizability: Bracket
    uncertainty: Bracket
    deficiency: Bracket
    total: Interval
    scale: float
    draws: dict[str, NDArray[np.float64]]
    status: str
    std_error: float
    all_functions: Bracket | None = None
    optimiser: Interval | None = None

    @property
    def relative(self) -> Budget:
        """The same, divided by the target variance.

        So the excess risk is 1 for the best constant that is chosen before any example is seen.

        Raises
        ------
        ValueError
            Where there is nothing to learn: the labels are noise alone.
        """
        if self.scale <= ROUNDING:
            accepted = "one whose target varies, for relative terms"
            raise ValueError(checks.refusal("setting", "Budget.relative", accepted, self.scale))
        scale = self.scale
        scaled = self._each(
            lambda one: Interval(one.estimate / scale, one.low / scale, one.high / scale, one.level)
        )
        draws = {name: values / scale for name, values in self.draws.items()}
        error = self.std_error / scale
        return replace(self, **scaled, scale=1.0, draws=draws, std_error=error)

    @property
    def rounded(self) -> Budget:
        """The same as it is printed and drawn: 0 for what is at most `ROUNDING` of the target variance.

        A term that is 0 in exact arithmetic comes out as some 1e-30; the budget itself keeps it, so that the
        terms sum to the total.
        """
        return replace(self, **self._each(lambda one: one.rounded(ROUNDING * self.scale)))

    def _each(self, change: Callable[[Interval], Interval]) -> dict[str, Any]:
        """Return what the fields that are intervals or brackets of intervals become by a change."""
        out: dict[str, Any] = {}
        for name in (*TERMS, "total", *BESIDE):
            one = getattr(self, name)
            if isinstance(one, Bracket):
                out[name] = Bracket(change(one.lower), change(one.upper), one.status)
            elif one is not None:
                out[name] = change(one)
        return out

    def rows(self) -> list[tuple[str, Interval, Interval]]:
        """Return (term, lower, upper) for the four terms and the total."""
        brackets = [(name, getattr(self, name)) for name in TERMS]
        return [(name, b.lower, b.upper) for name, b in brackets] + [("total", self.total, self.total)]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the table as columns, arrays (terms,): estimates and ends of both sides of each bracket."""
        rows = self.rows()
        out: dict[str, NDArray[Any]] = {"term": np.array([name for name, _, _ in rows])}
        for place, side in ((1, "lower"), (2, "upper")):
            for end in ("estimate", "low", "high"):
                out[f"{side}.{end}"] = np.array([getattr(row[place], end) for row in rows])
        return out

    def __str__(self) -> str:
        lines, seen = [f"n = {self.n:,}, {self.loss} loss"], self.rounded
        for name, lower, upper in seen.rows():
            shown = str(lower) if lower == upper else f"{lower} to {upper}"
            share = f"{lower.estimate / seen.total.estimate:6.1%}" if seen.total.estimate else ""
            lines.append(f"{name:<14}{share if lower == upper else '':>7}  {shown}")
        if seen.all_functions is not None:
            lines.append(f"uncertainty of all functions: {seen.all_functions}")
        if seen.optimiser is not None:
            lines.append(f"left by the optimiser: {seen.optimiser}")
        return "\n".join([*lines, *notes([self])])


def notes(budgets: Sequence[Budget]) -> list[str]:
    """Return what is to be said below some budgets: how their terms came about, and what 0 stands for."""
    out = list(dict.fromkeys(one.status for one in budgets))
    if any(one.rounded.rows() != one.rows() for one in budgets):
        out.append(
            f"0 also stands for at most {ROUNDING:g} of the target variance, which may be rounding alone."
        )
    return out


def budget(
    setting: Setting,
    learner: Any,
    n: int,
    *,
    x: Array | None = None,
    draws: int = 64,
    seed: int = 0,
    level: float = 0.95,
    exact: bool = True,
    effort: Effort | None = None,
) -> Budget:
    """Return the error budget of a learner in a setting.

    Parameters
    ----------
    setting
        One of `errsrc.settings`: the terms of a `GaussianSetting` have closed forms given the inputs,
        those of a `TableTeacher` given the data; network and image teachers have brackets.
    learner
        One of `errsrc.learners`.
    n
        Labelled examples, every one that the learner touches, those for its own validation included.
    x
        A fixed design, float64 (n, dim); by default each draw has inputs of its own.
    draws
        Draws of teacher, data and the learner's chance, >= 2; what is exact takes fewer.
    seed
        Root of the seed tree.
    level
        Coverage of the intervals.
    exact
        Whether to use closed forms where there are any.  False estimates every term from draws alone,
        as must be done where there are none: a check of the one by the other.
    effort
        How hard bounds are looked for where there are only bounds, by default `Effort()`.

    Returns
    -------
    Budget
        Its terms sum to its total.

    Raises
    ------
    ValueError, TypeError
        For n < 1, a design of another shape, a learner that cannot take the setting's inputs, or whose
        predictions are not finite or not in the class that it declares.

    Notes
    -----
    Given inputs, a learner that is linear in its labels has an exact budget, at no draw of a teacher.  For
    others the deficiency is the mean squared distance between what was learned and the best member of its
    class given the data, the posterior mean's projection.  Estimated uncertainty is half the mean squared
    distance between teacher and an independent posterior sample (both projected on the class).  Least squares
    of labels with noise, or of what its class lacks, has no finite mean risk near n = M, the number of
    functions: the status says so.  Network teachers: see ``errsrc.sources.bracket.realizability``.
    """
    where = "budget"
    checks.integer(n, "n", where, 1)
    checks.integer(draws, "draws", where, 2)
    checks.integer(seed, "seed", where, 0)
    checks.number(level, "level", where, 0, 1, open_low=True, open_high=True)
    if not isinstance(setting, (GaussianSetting, TableTeacher, NetworkTeacher, ImageTeacher)):
        raise TypeError(checks.refusal("setting", where, "a setting of errsrc.settings", setting))
    if not callable(getattr(learner, "fit", None)) or not hasattr(learner, "function_class"):
        raise TypeError(checks.refusal("learner", where, "one of errsrc.learners", learner))
    if effort is not None and not isinstance(effort, Effort):
        raise TypeError(checks.refusal("effort", where, "an Effort or None", effort))
    if x is not None:
        x = np.asarray(x, dtype=np.float64)
        dim = setting.inputs(1, np.random.default_rng(0)).shape[1]
        if x.shape != (n, dim) or not np.isfinite(x).all():
            accepted = f"finite inputs of shape ({n}, {dim})"
            raise ValueError(checks.refusal("x", where, accepted, f"<shape {x.shape}>"))
        if isinstance(setting, TableTeacher) and not np.isin(x, np.arange(setting.items)).all():
            accepted = f"items, integers from 0 to {setting.items - 1}"
            raise ValueError(
                checks.refusal("x", where, accepted, x[~np.isin(x, np.arange(setting.items))][0])
            )
    if isinstance(setting, (NetworkTeacher, ImageTeacher)):
        between = parts(setting, learner, n, x, draws, seed, effort or Effort())
        return _bracketed(setting, n, between, level)
    if isinstance(setting, TableTeacher):
        found = _tables(setting, learner, n, x, draws, seed)
        status = f"Exact given the data; intervals are over {draws} draws of it."
        return _budget(setting, n, found, level, status)
    closed = exact and learner.linear_in_labels and not isinstance(learner.function_class, RankK)
    posteriors = _designs(setting, learner, n, x, draws, seed, closed)
    if closed:
        found = [_closed(posterior, learner, design) for posterior, design in posteriors]
        status = "Exact given the inputs" + (
            "." if len(found) == 1 else f"; intervals are over {len(found)} draws of them."
        )
    else:
        found = _sampled(setting, learner, list(posteriors), seed, exact)
        known = "posterior known, deficiency from" if exact else "every term estimated from"
        status = f"{known.capitalize()} {len(found)} draws of teacher and data."
    if x is None and infinite_mean(setting, learner, n):
        labels = "noisy labels" if setting.noise_std else "labels from beyond its band"
        status += (
            f" But over random inputs the mean risk is infinite, for least squares of n = {n:,} {labels} "
            f"in M = {setting.dimension(learner.function_class):,} functions: estimates and intervals are of "
            "these draws alone."
        )
    return _budget(setting, n, found, level, status)


@dataclass(frozen=True, eq=False)
class _Design:
    """Inputs of one draw, and the points at which its functions are compared."""

    x: Array
    points: Array
    number: int


def _designs(
    setting: GaussianSetting, learner: Any, n: int, x: Array | None, draws: int, seed: int, closed: bool
) -> Iterator[tuple[Posterior, _Design]]:
    """Yield (posterior, design) for each draw; one alone where nothing in it is random."""
    function_class = learner.function_class
    posterior = None
    for number in range(draws):
        rng = functools.partial(generator, seed, "budget", number)
        quadrature = setting.quadrature(function_class, rng("points"), POINTS)
        inputs = setting.inputs(n, rng("inputs")) if x is None else x
        if posterior is None or x is None or not quadrature.exact:
            posterior = Posterior(setting, function_class, inputs, quadrature)
        yield posterior, _Design(inputs, quadrature.points, number)
        if closed and quadrature.exact and x is not None:
            return


def _closed(posterior: Posterior, learner: Any, design: _Design) -> Terms:
    smoother = learner.smoother(design.x, design.points)
    if not np.isfinite(smoother).all():
        accepted = "one whose predictions are finite"
        raise ValueError(checks.refusal("learner", "budget", accepted, "<nan or inf>"))
    _refuse_strangers(posterior, learner, design, smoother, functools.partial(learner.smoother, design.x))
    return posterior.linear(smoother)


def _refuse_strangers(
    posterior: Posterior, learner: Any, design: _Design, values: Array, function: Callable[[Array], Array]
) -> None:
    """Refuse a learner that predicts what is not in its class, judged at a few inputs (once)."""
    if design.number:
        return
    fresh = posterior.setting.inputs(8, generator(0, "budget", "class"))
    expected = posterior.extended(posterior.root * values, fresh)
    if expected is not None and not np.allclose(function(fresh), expected, rtol=1e-5, atol=1e-6):
        accepted = f"a learner whose predictions lie in its {learner.function_class}"
        raise ValueError(checks.refusal("learner", "budget", accepted, learner))


def _sampled(
    setting: GaussianSetting,
    learner: Any,
    posteriors: Sequence[tuple[Posterior, _Design]],
    seed: int,
    exact: bool,
) -> list[Terms]:
    """Return each draw's terms, with one teacher, one data set and one fit."""
    worlds = [_world(setting, posterior, design, seed) for posterior, design in posteriors]
    rngs = [generator(seed, "budget", design.number, "learner") for _, design in posteriors]
    fitted = fit_all(learner, [design.x for _, design in posteriors], [world.y for world in worlds], rngs)
    out = []
    for (posterior, design), world, predictor in zip(posteriors, worlds, fitted, strict=True):
        outputs = world.values.shape[1]
        learned = predicted(predictor, design.points, outputs)
        again = functools.partial(predicted, predictor, outputs=outputs)
        _refuse_strangers(posterior, learner, design, learned, again)
        learned = posterior.root * learned
        mean = posterior.mean(world.labels)
        if isinstance(learner.function_class, RankK):
            rank = learner.function_class.rank
            outside = tail(world.values, rank)
            best = tail(mean, rank)
            spread = posterior.uncertainty if exact else 0.5 * square(world.values - world.other)
            uncertainty = spread + best - outside
            deficiency = square(learned - mean) - best
        else:
            outside = posterior.realizability
            uncertainty = posterior.uncertainty
            deficiency = square(learned - posterior.projected(mean))
            if not exact:
                outside = square(world.values - posterior.projected(world.values))
                uncertainty = 0.5 * square(posterior.projected(world.values - world.other))
        total = outside + uncertainty + deficiency
        if not exact:
            total = square(learned - world.values)
            deficiency = total - outside - uncertainty
        out.append(Terms(outside, uncertainty, deficiency, total))
    return out


def _tables(
    setting: TableTeacher, learner: Any, n: int, x: Array | None, draws: int, seed: int
) -> list[Terms]:
    """Return each draw's terms: sums over all items, given the data."""
    setting.realizability(learner.function_class)  # refuses all but AllFunctions
    xs, ys, rngs = [], [], []
    for number in range(draws):
        rng = functools.partial(generator, seed, "budget", number)
        xs.append(setting.inputs(n, rng("inputs")) if x is None else x)
        ys.append(setting.channel.label(setting.teacher(rng("teacher"))(xs[-1]), rng("labels")))
        rngs.append(rng("learner"))
    items = np.arange(setting.items, dtype=np.float64)[:, None]
    out = []
    for inputs, labels, predictor in zip(xs, ys, fit_all(learner, xs, ys, rngs), strict=True):
        truth = setting.predictive(inputs, labels)
        learned = scores(predictor, items, setting.classes, setting.loss)
        least, got = (float(setting.probabilities @ risk(truth, g, setting.loss)) for g in (truth, learned))
        if not np.isfinite(got):
            accepted = "one that gives each class that may come a probability > 0, for the log loss"
            raise ValueError(checks.refusal("learner", "budget", accepted, learner))
        out.append(Terms(0.0, least - setting.noise, got - least, got - setting.noise))
    return out


@dataclass(frozen=True, eq=False)
class _World:
    """A teacher and a posterior sample, weighted; labels as (n, outputs), and as learners see them."""

    values: Array
    other: Array
    labels: Array
    y: Array


def _world(setting: GaussianSetting, posterior: Posterior, design: _Design, seed: int) -> _World:
    stds = setting.output_stds
    rng = generator(seed, "budget", design.number, "teacher")
    z = rng.standard_normal((posterior.x_root.shape[1], len(stds))) * stds
    noise = generator(seed, "budget", design.number, "labels")
    labels = setting.channel.label(posterior.x_root @ z, noise)
    other = posterior.mean(labels)
    rng = generator(seed, "budget", design.number, "posterior")
    for output, std in enumerate(stds):
        if std > 0:
            root = posterior.deviation(std)
            other[:, output] += root @ rng.standard_normal(root.shape[1])
    y = labels if setting.outputs is not None else labels[:, 0]
    return _World(posterior.points_root @ z, other, labels, y)


def _budget(setting: Setting, n: int, found: Sequence[Terms], level: float, status: str) -> Budget:
    draws = {name: np.array([getattr(t, name) for t in found]) for name in TERMS[1:]}
    draws["total"] = setting.noise + np.sum(list(draws.values()), axis=0)
    intervals = {name: _interval(values, level) for name, values in draws.items()}
    noise = Interval(setting.noise, setting.noise, setting.noise, level)
    return Budget(
        n=n,
        loss=setting.loss,
        noise=Bracket.known(noise, "of the channel"),
        realizability=Bracket.known(intervals["realizability"], status),
        uncertainty=Bracket.known(intervals["uncertainty"], status),
        deficiency=Bracket.known(intervals["deficiency"], status),
        total=intervals["total"],
        scale=setting.target_variance,
        draws=draws | {"noise": np.full(len(found), setting.noise)},
        status=status,
        std_error=_std_error(draws["total"]),
    )


def _bracketed(setting: Setting, n: int, found: Parts, level: float) -> Budget:
    def bracket(sides: Sides, status: str) -> Bracket:
        low, high = (mean_interval(side, level, 0.0) for side in sides)
        return Bracket(low, high, status)

    total = found.noise + found.excess
    draws = {"noise": found.noise, "total": total}
    for name, (lower, upper) in found.terms.items():
        draws |= {name: lower, f"{name}.upper": upper}
    noise = mean_interval(found.noise, level, 0.0)
    terms = {name: bracket(sides, found.statuses[name]) for name, sides in found.terms.items()}
    other = "Uncertainty of all functions."
    return Budget(
        n=n,
        loss=setting.loss,
        noise=Bracket.known(noise, "of the channel"),
        realizability=terms["realizability"],
        uncertainty=terms["uncertainty"],
        deficiency=terms["deficiency"],
        total=mean_interval(total, level, 0.0),
        scale=setting.target_variance,
        draws=draws,
        status=found.status,
        std_error=_std_error(found.excess),
        all_functions=None if found.all_functions is None else bracket(found.all_functions, other),
        optimiser=None if found.optimiser is None else mean_interval(found.optimiser, level),
    )


def _std_error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def _interval(values: NDArray[np.float64], level: float) -> Interval:
    if len(values) == 1:
        value = float(values[0])
        return Interval(value, value, value, level)
    return mean_interval(values, level, lowest=0.0)
