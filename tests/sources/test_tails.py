"""Heavy tails of budgets over random inputs: what is withheld, what is exact, and draws="auto"."""

from dataclasses import dataclass

import numpy as np
import pytest

from errsrc import plots, theory
from errsrc.bases import Torus
from errsrc.learners import (
    BandLeastSquares,
    GradientDescent,
    KernelRidge,
    Learner,
    Memory,
    MinimumNorm,
    Neighbours,
    Ridge,
    Tuned,
)
from errsrc.results import PointEstimate, mean_ends, mean_statistic
from errsrc.settings import BandTeacher, Flips, Gaussian, GaussianSetting, LinearTeacher, TableTeacher
from errsrc.sources import Budget, Effort, Experiment, budget, exact, further_designs, tails
from errsrc.sources.further_designs import FurtherDesigns, judged_terms, terms_at
from errsrc.sources.tails import (
    Tail,
    allowed_share,
    judged_by_draws,
    judged_by_pool,
    largest_share,
    pareto_shape,
)
from errsrc.studies.budgets import (
    BudgetCell,
    budget_from_row,
    budget_table,
    compute_budgets,
    excess_shape,
)

CIRCLE = Torus(3)
NOISY = BandTeacher(CIRCLE, channel=Gaussian(0.3))
LINEAR = LinearTeacher(10, channel=Gaussian(0.3))


@pytest.mark.parametrize("shape", [-0.3, 0.001, 0.5, 1.2])
def test_the_shape_of_a_pareto_distribution_is_found(shape):
    """4.5 standard errors, which are (1 + k) / sqrt(190) for the tail of 4,000 draws: p < 1e-5."""
    uniform = np.random.default_rng(3).uniform(size=4000)
    values = 7 + 1e-3 * (uniform**-shape - 1) / shape
    assert pareto_shape(values) == pytest.approx(shape, abs=4.5 * (1 + max(shape, 0)) / np.sqrt(190))


def test_draws_without_a_tail_have_no_shape():
    assert pareto_shape(np.full(100, 3.0)) is None
    assert pareto_shape(1 + 1e-12 * np.arange(100)) is None
    assert pareto_shape(np.arange(10.0)) is None  # too few
    assert pareto_shape(np.repeat([0.0, 1.0], 50)) is None  # the largest are all equal
    assert judged_by_draws(1e-30 * np.exp(3 * np.random.default_rng(0).standard_normal(64)), 1.0).holds


def test_error_rates_have_a_shape_even_where_a_scale_of_the_grid_is_infinite():
    """Here one theta of the grid is exactly 0.  The shape is that of slightly different draws."""
    draws = np.array([0.0] * 16 + [5, 6, 7, 9])
    assert pareto_shape(draws) == pytest.approx(pareto_shape(draws + 1e-6 * np.arange(20)), abs=1e-4)


def test_intervals_of_light_tails_hold_and_of_heavy_tails_do_not():
    rng = np.random.default_rng(0)
    light, heavy = rng.standard_exponential(1024), rng.pareto(1.1, 1024)
    held = judged_by_pool(light, 64, 0.95)
    assert held.holds
    assert held.coverage == pytest.approx(0.945, abs=0.02)
    missed = judged_by_pool(heavy, 64, 0.95)
    assert not missed.holds
    assert missed.shape > 0.6
    assert not judged_by_draws(heavy, 1.0).holds


@pytest.mark.parametrize(
    ("shape", "size", "heavy"), [(0.5, 512, False), (0.6, 40_000, True), (0.8, 512, True), (0.6, 2048, False)]
)
def test_a_shape_is_heavy_only_beyond_its_standard_error(shape, size, heavy, monkeypatch):
    monkeypatch.setattr(tails, "SAMPLES", 1024)
    pool = ((np.arange(size) + 0.5) / size) ** -shape
    tail = judged_by_pool(pool, 64, 0.95)
    assert tail.heavy is heavy
    assert not tail.holds
    known = "few draws carry the mean, and more draws may not help: "
    other = (
        "with 64 draws, a 95% interval"
        if size < 1024
        else "few draws carry the mean, and more draws may not help: the largest of"
    )
    assert tail.reason(0.95, 64).startswith(known if heavy else other)


def test_a_pool_makes_intervals_wider_unless_they_hold_far_too_rarely(monkeypatch):
    """A very small pool does not say by how much to widen intervals that hold far too rarely."""
    monkeypatch.setattr(tails, "SAMPLES", 1024)
    rng = np.random.default_rng(1)
    pool = rng.lognormal(sigma=1.0, size=2048)
    skewed = judged_by_pool(pool, 64, 0.95)
    assert skewed.holds
    assert skewed.stretch[1] > 1.1
    few = judged_by_pool(pool[:512], 64, 0.95)
    assert not few.holds
    assert few.reason(0.95, 64) == "with 64 draws, a 95% interval would hold in 91% of the cases"
    two = judged_by_pool(np.repeat([0.0, 1.0, 2.0, 3.0, 4.0], 103), 4, 0.95)
    assert two.holds
    assert two.stretch == (1.0, 1.0)


def test_one_draw_that_carries_the_mean_of_a_pool_is_seen_where_the_shape_is_not_large():
    """Most of the 68 draws that count as the tail are like all others, so that k is less than 0.4."""
    rng = np.random.default_rng(4)
    pool = rng.exponential(size=512)
    assert judged_by_pool(pool, 64, 0.95).holds
    pool[0] = 40.0
    found = judged_by_pool(pool, 64, 0.95)
    assert found.shape < 0.4
    assert found.coverage > 0.92
    assert not found.holds
    assert found.reason(0.95, 64) == (
        "few draws carry the mean, and more draws may not help: the largest of 512 further draws has 12.8% "
        "of the sum by which draws exceed their median, intervals need at most 8.3%"
    )


def test_a_large_pool_is_not_judged_by_its_largest_draw(monkeypatch):
    """The quantiles of 4,096 draws are good enough, though the share of the largest draw is too large."""
    monkeypatch.setattr(tails, "SAMPLES", 1024)
    pool = ((np.arange(4096) + 0.3) / 4096) ** -0.45
    assert largest_share(pool) > allowed_share(4096)
    assert judged_by_pool(pool, 64, 0.95).holds


def test_a_quarter_of_the_pools_with_the_largest_allowed_shape_has_too_large_a_share():
    """The standard error of the share of 2,000 pools is 0.01."""
    uniform = np.random.default_rng(5).uniform(size=(2000, 512))
    shares = [largest_share(pool) for pool in uniform**-tails.LARGEST_SHAPE]
    assert np.mean(np.array(shares) > allowed_share(512)) == pytest.approx(0.25, abs=0.05)


def test_further_draws_make_intervals_of_error_rates_narrower_that_hold_too_often():
    """The risk is that of one item or of none.  The intervals over such draws hold in 97% of the cases.  Ends
    at the quantiles of a pool would hold in 88% for some pools.
    """
    rng = np.random.default_rng(6)
    pool, draws = (0.3 * rng.binomial(1, 0.07, size) + 1e-3 * rng.random(size) for size in (1024, (4000, 64)))
    tail, mean = judged_by_pool(pool, 64, 0.95, bounded=True), 0.0215
    assert tail.shape is None
    held = [
        float(np.mean((low <= mean) & (mean <= high)))
        for low, high in (mean_ends(draws, 0.95, stretch) for stretch in ((1.0, 1.0), tail.stretch))
    ]
    assert held[0] > 0.965
    assert 0.93 < held[1] <= held[0]


def test_few_draws_show_only_a_possible_heavy_tail():
    heavy = judged_by_draws(np.random.default_rng(0).pareto(1.1, 64), 1.0)
    assert not heavy.holds
    assert heavy.reason(0.95, 64) == (
        f"64 draws show a possible heavy tail (Pareto shape k = {heavy.shape:.2g} ± {heavy.shape_error:.2g}, "
        "intervals need k <= 0.4); try draws=1000"
    )
    assert "try" not in heavy.reason(0.95, 1000)


@dataclass(frozen=True)
class Line(GaussianSetting):
    def inputs(self, count, rng):
        return rng.random((count, 1))

    def roots(self, *points):
        return [np.hstack([x**0, x]) for x in points]


@dataclass(frozen=True)
class Constant(Learner):
    """The mean label, times `shrink`; the fit with the number `fails` raises an error."""

    fits, fails, shrink = 0, 0, 1.0

    def _fit(self, x, y, rng):
        Constant.fits += 1
        if Constant.fits == Constant.fails:
            raise ValueError
        mean = Constant.shrink * y.mean()
        return lambda at: np.full(len(at), mean)


def test_learners_of_the_users_own_are_fitted_in_further_draws(monkeypatch):
    """Eight further draws are timed first.  An unclear decision takes more draws.  Kept draws are used again,
    unless they are not the same now.
    """
    monkeypatch.setattr(further_designs, "FITS", {np.inf: 64})
    monkeypatch.setattr(tails, "SAMPLES", 64)
    monkeypatch.setattr(exact, "_KEPT", {})
    monkeypatch.setattr(exact, "MORE", 2)
    monkeypatch.setattr(exact, "LONGEST", 3.0)

    def fits(n=6):
        Constant.fits = 0
        found = budget(Line(channel=Gaussian(0.2)), Constant(), n, draws=10)
        assert np.isfinite(found.total.estimate)
        return Constant.fits

    assert fits() == 10 + 8 + 64 + 2 * 64
    assert fits() == 10 + 8
    monkeypatch.setattr(Constant, "shrink", 0.5)
    assert fits() > 10 + 8
    monkeypatch.setattr(Constant, "fails", 30)
    assert fits(n=7) == 30  # the budget itself does not fail
    monkeypatch.setattr(exact, "LONGEST", 0.0)
    assert fits(n=8) == 10


def test_further_designs_are_computed_once(monkeypatch):
    """More designs continue the first ones, also for another number of draws."""
    monkeypatch.setattr(further_designs, "FIRST_DESIGNS", 64)
    monkeypatch.setattr(further_designs, "MOST_DESIGNS", 256)
    monkeypatch.setattr(tails, "SAMPLES", 256)
    computed = []

    def counted(setting, learner, quadrature, xs):
        computed.append(len(xs))
        return terms_at(setting, learner, quadrature, xs)

    monkeypatch.setattr(further_designs, "terms_at", counted)
    setting, learner = BandTeacher(Torus(1), channel=Gaussian(0.3)), BandLeastSquares(Torus(1))
    judged = [judged_terms(setting, learner, 24, draws, 0.95) for draws in (64, 65)]
    assert not judged[0]["total"].clear
    assert sum(computed) == 256
    designs = FurtherDesigns(setting, learner, 24)
    first, all_ = designs.terms(64)["total"], designs.terms(256)["total"]
    np.testing.assert_array_equal(first, all_[:64])


def test_a_large_pool_corrects_the_ends_of_intervals_over_skewed_draws():
    """5,000 intervals of lognormal draws: the standard error of a coverage of 95% is 0.3 points."""
    rng = np.random.default_rng(1)
    pool, draws = (rng.lognormal(sigma=1.0, size=size) for size in (4096, (5000, 64)))
    tail, true_mean = judged_by_pool(pool, 64, 0.95), np.exp(0.5)
    held = [
        float(np.mean((low <= true_mean) & (true_mean <= high)))
        for low, high in (mean_ends(draws, 0.95, stretch) for stretch in ((1.0, 1.0), tail.stretch))
    ]
    assert tail.holds
    assert tail.stretch[1] > 1.1
    assert held[0] < 0.935
    assert held[1] == pytest.approx(0.95, abs=0.013)
    assert tail.mirrored.stretch == tail.stretch[::-1]
    assert judged_by_pool(rng.standard_normal(4096), 64, 0.95).stretch == (1.0, 1.0)


def test_the_status_says_why_an_interval_reaches_much_further_up_than_down():
    experiment = Experiment(Constant(), 8, None, 64, 0, 0.95, True, Effort())
    tail = Tail(0.2, 0.92, True, stretch=(0.9, 1.6), judged_draws=2048, by_pool=True)
    moved = {"deficiency": tail, "total": tail}

    def status(deficiency):
        zero = np.zeros(len(deficiency))
        return Budget.known(LinearTeacher(2), experiment, zero, zero, deficiency, "Drawn.", moved).status

    skewed = np.random.default_rng(0).lognormal(0, 1.6, 1000)
    said = (
        "The intervals of deficiency and total reach much further up than down, because a few draws are much"
    )
    pool = "larger than the others. 2,048 further draws moved the upper ends outwards."
    assert status(skewed[:64]) == f"Drawn. {said} {pool} draws=1000 narrows the intervals."
    assert status(skewed) == f"Drawn. {said} {pool}"
    assert status(np.arange(64.0)) == "Drawn."


@pytest.mark.parametrize("stretch", [(1.0, 1.0), (0.8, 1.7)])
def test_the_statistic_of_a_mean_says_which_intervals_hold_it(stretch):
    values = np.random.default_rng(2).gamma(0.5, size=(2000, 12))
    low, high = mean_ends(values, 0.9, stretch)
    statistic = mean_statistic(values, 0.5, 0.9)
    inside = (statistic <= stretch[0]) & (statistic >= -stretch[1])
    np.testing.assert_array_equal(inside, (low <= 0.5) & (high >= 0.5))


def test_error_rates_and_means_of_labels_have_intervals_in_all_samples():
    """Withholding only the intervals of samples with a large draw would make the others hold too rarely."""
    table = TableTeacher(items=20, classes=3, channel=Flips(0.2))
    found = budget(table, Neighbours(3), 10, draws=64, seed=1)
    assert not judged_by_draws(found.draws["total"], 1.0).holds
    assert not isinstance(found.total, PointEstimate)


@pytest.mark.parametrize("n", [14, 21])
def test_least_squares_in_a_noisy_band_states_no_interval_that_fails(n):
    """The intervals would hold the total in 42% (2 M) and 76% (3 M) of the cases."""
    found = budget(NOISY, BandLeastSquares(CIRCLE), n)
    for one in (found.total, found.deficiency.lower):
        assert isinstance(one, PointEstimate)
        assert str(one).endswith("(no interval)")
    assert found.tails["total"] > 0.4
    assert "Random inputs" in found.status
    assert "no interval of" in found.status
    assert "few draws carry the mean" in found.status
    assert "(no interval)" in str(found)
    values = found.as_dict()["total"]
    assert values["low"] is values["high"] is None
    assert values["estimate"] == found.total.estimate == pytest.approx(found.draws["total"].mean())
    assert isinstance(found.relative.total, PointEstimate)


def test_more_examples_and_fixed_inputs_have_intervals_or_are_exact():
    plenty = budget(NOISY, BandLeastSquares(CIRCLE), 70)
    assert plenty.total.low < 0.0999 < plenty.total.high
    x = NOISY.inputs(14, np.random.default_rng(0))
    fixed = budget(NOISY, BandLeastSquares(CIRCLE), 14, x=x)
    assert fixed.total.low == fixed.total.high
    assert fixed.status == "Fixed inputs: exact."
    assert budget(NOISY, Neighbours(3), 14, x=x, draws=10).status.startswith("Fixed inputs: ")


@pytest.mark.parametrize("n", [6, 8, 12, 13, 14, 16, 20, 100])
def test_linear_regression_over_normal_inputs_has_the_exact_total(n):
    """E tr (X'X)^-1 = d / (n - d - 1)."""
    found = budget(LINEAR, MinimumNorm(), n, draws=4)
    expected = 0.09 + float(theory.least_squares(n, 10, noise=0.09))
    assert found.total.estimate == pytest.approx(expected, rel=1e-12)
    assert found.total.low == pytest.approx(found.total.high, rel=1e-12)
    assert "the total is exact" in found.status
    parts = [getattr(found, name).lower.estimate for name in ("uncertainty", "deficiency")]
    assert 0.09 + sum(parts) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n", "uncertainty"), [(6, 0.5014), (12, 0.2020)])
def test_the_terms_of_an_exact_total_have_intervals(n, uncertainty):
    """The uncertainty is a mean over 64,000 draws of the inputs, within 4 standard errors."""
    found = budget(LINEAR, MinimumNorm(), n)
    one, other = found.uncertainty.lower, found.deficiency.lower
    assert one.estimate == pytest.approx(uncertainty, abs=one.high - one.low)
    assert other.high - other.low == pytest.approx(one.high - one.low)


def test_the_total_is_exact_only_where_it_is_known():
    def says_exact(setting, learner, n):
        return "the total is exact" in budget(setting, learner, n, draws=2).status

    noisy = Gaussian(0.3)
    unequal = LinearTeacher(4, input_decay=1.0, channel=noisy)
    assert says_exact(unequal, MinimumNorm(), 8)
    assert says_exact(LinearTeacher(4, outputs=3, channel=noisy), MinimumNorm(), 2)
    assert not says_exact(unequal, MinimumNorm(), 2)
    assert not says_exact(LinearTeacher(4), MinimumNorm(), 8)  # 0 in each draw
    assert not says_exact(LinearTeacher(4, channel=noisy), MinimumNorm(0.5), 8)
    assert not says_exact(LinearTeacher(4, channel=noisy), Ridge(1e-3), 8)
    assert not says_exact(LinearTeacher(4, channel=noisy), MinimumNorm(), 4)  # infinite


@pytest.mark.parametrize(
    ("setting", "learner", "n"),
    [
        (NOISY, BandLeastSquares(CIRCLE), 21),
        (BandTeacher(Torus(6), 1.0, channel=Gaussian(0.3)), BandLeastSquares(CIRCLE, 0.5), 12),
        (
            LinearTeacher(4, input_decay=1.0, outputs=2, output_decay=1.0, channel=Gaussian(0.3)),
            MinimumNorm(),
            3,
        ),
        (LinearTeacher(4), GradientDescent(5), 6),
    ],
    ids=str,
)
def test_terms_at_many_designs_are_those_of_a_budget_at_each(setting, learner, n):
    xs = np.stack([setting.inputs(n, np.random.default_rng(k)) for k in range(3)])
    quadrature = setting.quadrature(learner.function_class, np.random.default_rng(0), 64)
    found = terms_at(setting, learner, quadrature, xs)
    for k, x in enumerate(xs):
        one = budget(setting, learner, n, x=x)
        for name in ("uncertainty", "deficiency"):
            assert found[name][k] == pytest.approx(getattr(one, name).lower.estimate, rel=1e-6, abs=1e-11)


def test_draws_are_added_until_the_total_is_precise():
    table = TableTeacher(items=8, classes=2)
    found = budget(table, Memory(classes=2), 6, draws="auto", precision=0.05)
    assert len(found.draws["total"]) > 64
    assert (found.total.high - found.total.low) / 2 <= 0.05 * found.total.estimate
    few = budget(table, Memory(classes=2), 6, draws="auto", precision=0.001, max_draws=100)
    assert len(few.draws["total"]) == 100
    assert few.status.endswith("With 100 draws, the interval of the total is not as narrow as 0.1%.")
    heavy = budget(NOISY, BandLeastSquares(CIRCLE), 14, draws="auto")
    assert len(heavy.draws["total"]) < 4096
    assert "not as narrow" in heavy.status
    exact = budget(LINEAR, MinimumNorm(), 12, draws="auto")
    assert len(exact.draws["total"]) == 64
    with pytest.raises(
        TypeError, match=r"'draws' parameter of budget must be an integer >= 2 or 'auto'. Got 'all'"
    ):
        budget(table, Neighbours(1), 6, draws="all")


def test_a_stored_budget_has_no_interval_either():
    cell = BudgetCell(NOISY, BandLeastSquares(CIRCLE), 14)
    (row,) = compute_budgets([cell])
    found = budget_from_row({**row, "n": 14, "level": 0.95})
    assert isinstance(found.total, PointEstimate)
    assert found.tails["total"] == row["total.tail"]
    assert "(no interval)" in budget_table([found])
    more = budget(NOISY, BandLeastSquares(CIRCLE), 70, draws=4)
    curve = str(excess_shape(cell, [found, more])).splitlines()
    assert curve[1].split()[0] == "14"
    low, high = (float(end.strip("[],")) for end in curve[1].split()[2:4])
    assert high > 10 * low  # and not a narrow interval
    for ax in (plots.terms([found, more]), plots.shares([found, more]), found.plot()):
        assert np.isfinite(ax.axis()).all()


@pytest.mark.full
def test_a_learner_that_fails_rarely_has_no_interval():
    """Tuned kernel ridge sometimes chooses far too small a ridge: 64 draws rarely show it, 512 do."""
    tuned = Tuned(tuple(KernelRidge("periodic", 0.5, ridge=ridge) for ridge in (1e-6, 1e-3, 1e-1)))
    found = [budget(NOISY, tuned, 21, seed=seed) for seed in range(3)]
    assert all(isinstance(one.total, PointEstimate) for one in found)


@pytest.mark.full
@pytest.mark.parametrize(("n", "shape"), [(9, 1.0), pytest.param(13, 2 / 3, marks=pytest.mark.slow)])
def test_near_nodes_on_a_circle_have_the_tail_of_their_proof(n, shape):
    """P(1 / s^2 > t) is of order t^-(n - 1) / (2 (M - 1)), M = 5: see BandTeacher.least_squares_diverges."""
    band = BandTeacher(Torus(2), channel=Gaussian(0.3))
    learner, rng = BandLeastSquares(Torus(2)), np.random.default_rng(0)
    quadrature = band.quadrature(learner.function_class, rng, 64)
    xs = band.inputs(60_000 * n, rng).reshape(60_000, n, 1)
    assert pareto_shape(terms_at(band, learner, quadrature, xs)["total"]) == pytest.approx(shape, abs=0.25)
