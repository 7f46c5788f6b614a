"""The error budget: exact terms against theory and simulation, sums, signs, and what is refused."""

import functools
from dataclasses import dataclass

import numpy as np
import pytest
from amounts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from errsrc.bases import Cube, Torus
from errsrc.learners import (
    BandLeastSquares,
    Forest,
    GradientDescent,
    KernelRidge,
    Learner,
    MinimumNorm,
    Neighbours,
    ReducedRank,
    Ridge,
)
from errsrc.results import Bracket, Interval, mean_interval
from errsrc.settings import (
    AllFunctions,
    BandTeacher,
    Clean,
    Flips,
    Gaussian,
    GaussianProcessTeacher,
    Jittered,
    LinearTeacher,
    TableTeacher,
)
from errsrc.sources import budget
from errsrc.sources.exact import has_infinite_mean
from errsrc.sources.terms import TERMS
from errsrc.studies.budgets import BudgetCell, budget_from_row, budget_table, compute_budgets, excess_shape
from errsrc.theory import least_squares

channels = st.one_of(st.just(Clean()), st.floats(0.05, 2).map(Gaussian))
decays = st.floats(0, 2)
WORLDS = {
    "linear": (
        st.builds(
            LinearTeacher,
            st.integers(1, 6),
            input_decay=decays,
            weight_decay=decays,
            outputs=st.sampled_from([None, 1, 3]),
            output_decay=decays,
            channel=channels,
        ),
        st.one_of(
            st.builds(Ridge, st.floats(1e-2, 10)),
            st.just(MinimumNorm()),
            st.builds(GradientDescent, st.integers(1, 50), st.floats(0.05, 0.95)),
        ),
    ),
    "fourier": (
        st.builds(BandTeacher, st.integers(0, 4).map(Torus), decays, channel=channels),
        st.builds(BandLeastSquares, st.integers(0, 6).map(Torus), st.floats(1e-2, 3)),
    ),
    "process": (
        st.builds(
            GaussianProcessTeacher,
            st.integers(2, 3),
            st.sampled_from(["rbf", "matern"]),
            st.floats(0.3, 2),
            domain=st.sampled_from(["cube", "sphere", "normal"]),
            channel=channels,
        ),
        st.one_of(
            st.builds(KernelRidge, st.just("matern"), st.floats(0.3, 2), ridge=st.floats(1e-2, 1)),
            st.builds(Neighbours, st.integers(1, 3)),
        ),
    ),
}
pairs = st.one_of([st.tuples(*pair) for pair in WORLDS.values()])


def term(found, name):
    return getattr(found, name).lower


@pytest.mark.full
@given(pair=pairs, n=st.integers(1, 12), seed=st.integers(0, 1000))
@settings(max_examples=examples(60), deadline=None)
def test_exact_terms_are_no_less_than_zero_and_sum_to_the_total(pair, n, seed):
    found = budget(*pair, n, draws=3, seed=seed)
    assert all(term(found, name).estimate >= -1e-12 for name in TERMS)
    assert all(getattr(found, name).closed for name in TERMS)
    parts = sum(term(found, name).estimate for name in TERMS)
    assert parts == pytest.approx(found.total.estimate, rel=1e-12)
    relative = found.relative
    assert relative.total.estimate == pytest.approx(found.total.estimate / found.scale, rel=1e-12)


@given(pair=pairs, n=st.integers(1, 12), seed=st.integers(0, 1000))
@settings(max_examples=examples(40), deadline=None)
def test_estimates_sum_to_the_total_unclipped_and_their_intervals_reach_zero(pair, n, seed):
    found = budget(*pair, n, draws=4, seed=seed, exact=False)
    parts = sum(term(found, name).estimate for name in TERMS)
    assert parts == pytest.approx(found.total.estimate, rel=1e-9, abs=1e-12)
    assert all(term(found, name).high >= 0 for name in TERMS)
    deficiency = found.draws["deficiency"]
    assert term(found, "deficiency").estimate == pytest.approx(deficiency.mean(), rel=1e-9, abs=1e-12)


SIMULATED = [
    (LinearTeacher(8, input_decay=1.0, channel=Gaussian(0.5)), GradientDescent(10, 0.4), 12),
    (LinearTeacher(5, outputs=3, output_decay=1.0, channel=Gaussian(0.2)), Ridge(0.5), 6),
    (BandTeacher(Torus(4), decay=1.0, channel=Gaussian(0.3)), BandLeastSquares(Torus(2), ridge=1.0), 15),
    pytest.param(
        GaussianProcessTeacher(2, channel=Gaussian(0.2)),
        KernelRidge("rbf", 0.3, ridge=0.1),
        20,
        marks=pytest.mark.slow,
    ),
    (GaussianProcessTeacher(2, channel=Gaussian(0.2)), Neighbours(3), 20),
    (LinearTeacher(4, channel=Gaussian(0.5)), MinimumNorm(), 9),
]


@pytest.mark.full
@pytest.mark.parametrize(("setting", "learner", "n"), SIMULATED, ids=str)
def test_the_total_is_the_risk_that_a_simulation_meets(setting, learner, n):
    """A second derivation: draw, fit, and test on fresh labelled examples.  4.5 standard errors: p < 1e-5."""
    rng = np.random.default_rng(0)
    risks = []
    for _ in range(700):
        teacher = setting.teacher(rng)
        x, fresh = setting.inputs(n, rng), setting.inputs(8, rng)
        f = learner.fit(x, setting.channel.label(teacher(x), rng), rng)
        off = f(fresh) - setting.channel.label(teacher(fresh), rng)
        risks.append((off.reshape(8, -1) ** 2).sum(1).mean())
    found = budget(setting, learner, n, draws=200)
    error = np.hypot(np.std(risks) / np.sqrt(len(risks)), (found.total.high - found.total.low) / 4)
    assert found.total.estimate == pytest.approx(np.mean(risks), abs=4.5 * error)


IDEAL = [
    (LinearTeacher(7, channel=Gaussian(0.4)), Ridge(0.16 * 7)),
    (LinearTeacher(7), MinimumNorm()),
    (BandTeacher(Torus(3), channel=Gaussian(0.4)), BandLeastSquares(Torus(3), ridge=0.16 * 7)),
    (
        GaussianProcessTeacher(2, length=0.6, nu=1.5, channel=Gaussian(0.3)),
        KernelRidge("matern", 0.6, 1.5, 0.09),
    ),
]


@pytest.mark.parametrize(("setting", "learner"), IDEAL, ids=str)
@pytest.mark.parametrize("n", [3, 20])
def test_the_bayes_learner_has_no_deficiency(setting, learner, n):
    found = budget(setting, learner, n, draws=4)
    assert abs(term(found, "deficiency").estimate) < 1e-15
    assert term(found, "uncertainty").estimate > 1e-3 or (setting.noise == 0 and n == 20)


@pytest.mark.parametrize("n", [1, 4, 9, 10, 30])
def test_a_flat_band_without_noise_leaves_1_minus_n_over_its_size_open(n):
    """Each sample settles one of M equal coefficients: uncertainty 1 - n / M, and 0 from n = M on."""
    found = budget(LinearTeacher(10), MinimumNorm(), n, draws=8)
    assert term(found, "uncertainty").estimate == pytest.approx(max(0.0, 1 - n / 10), abs=1e-12)
    setting = BandTeacher(Torus(4))
    x = 2 * np.pi * np.arange(9)[:, None] / 9
    if n <= 9:
        exact = budget(setting, BandLeastSquares(Torus(4)), n, x=x[:n])
        assert term(exact, "uncertainty").estimate == pytest.approx(1 - n / 9, abs=1e-12)


def test_a_student_of_a_smaller_band_has_the_tail_as_realizability_and_aliasing_as_the_rest():
    setting = BandTeacher(Torus(6), decay=1.0)
    x = 2 * np.pi * np.arange(9)[:, None] / 9  # frequency 9 - k looks like frequency k
    found = budget(setting, BandLeastSquares(Torus(4)), 9, x=x)
    tail = setting.variances[9:].sum()
    assert term(found, "realizability").estimate == pytest.approx(tail)
    assert found.total.estimate == pytest.approx(2 * tail, rel=1e-12)  # the tail, and its alias in the band


CHECKED = [
    (LinearTeacher(5, input_decay=1.0, channel=Gaussian(0.5)), Ridge(1.0), 8),
    (BandTeacher(Torus(4), decay=1.0, channel=Gaussian(0.2)), BandLeastSquares(Torus(2), ridge=0.5), 12),
    (LinearTeacher(4, outputs=4, output_decay=1.0, channel=Gaussian(0.3)), ReducedRank(2, 0.5), 8),
    (GaussianProcessTeacher(1, channel=Gaussian(0.2)), Forest(4), 15),
]


@pytest.mark.full
@pytest.mark.parametrize(("setting", "learner", "n"), CHECKED, ids=str)
def test_estimates_from_draws_agree_with_closed_forms(setting, learner, n):
    """Each of 4 terms within 4 half-widths of a 95% interval: a false alarm in fewer than 1 in 10^10 runs."""
    exact, estimated = (budget(setting, learner, n, draws=150, seed=3, exact=e) for e in (True, False))
    for name in TERMS:
        one, other = term(exact, name), term(estimated, name)
        width = max(one.high - one.low, other.high - other.low)
        assert abs(one.estimate - other.estimate) <= 2 * width + 1e-12, name
    assert str(150) in estimated.status


@dataclass(frozen=True)
class Memory(Learner):
    """The classes seen, and the most frequent one where none was."""

    function_class = AllFunctions()

    def _fit(self, x, y, rng):
        def predict(at):
            seen = (at[:, None, 0] == x[None, :, 0]).astype(float) @ np.eye(3)[y]
            return np.where(seen.any(1, keepdims=True), seen, 1 / 3)

        return predict


NOISY = {"channel": Gaussian(0.3)}
LINE, SPACE = BandTeacher(Torus(2), **NOISY), BandTeacher(Torus(1, 3), **NOISY)
POLES = [  # M = 4; 5 in a line, where near nodes are enough; 27 in space
    *[(LinearTeacher(4, **NOISY), MinimumNorm(), n, 3 <= n <= 5) for n in (2, 3, 4, 5, 6)],
    *[(LINE, BandLeastSquares(Torus(2)), n, 2 <= n <= 9) for n in (1, 2, 6, 9, 10)],
    *[(SPACE, BandLeastSquares(Torus(1, 3)), n, 26 <= n <= 28) for n in (25, 26, 28, 29)],
    (LinearTeacher(4, outputs=2, **NOISY), ReducedRank(1), 4, True),
    (LinearTeacher(4, outputs=2, **NOISY), ReducedRank(1, ridge=0.1), 4, False),
    (LinearTeacher(4), MinimumNorm(), 4, False),
    (LinearTeacher(4, **NOISY), MinimumNorm(0.01), 4, False),
    (LinearTeacher(4, **NOISY), Ridge(0.1), 4, False),
    (LinearTeacher(4, **NOISY), GradientDescent(10), 4, False),
    (BandTeacher(Torus(2), nodes=Jittered(0.0), **NOISY), BandLeastSquares(Torus(2)), 5, False),
    (BandTeacher(Cube(4, 1), **NOISY), BandLeastSquares(Cube(4, 1)), 5, False),
    (BandTeacher(Torus(2, dim=2)), BandLeastSquares(Torus(1, dim=2)), 9, True),
    (BandTeacher(Torus(2, dim=2)), BandLeastSquares(Torus(1, dim=2)), 10, True),
    (BandTeacher(Torus(2, dim=2)), BandLeastSquares(Torus(1, dim=2)), 11, False),
    (BandTeacher(Torus(2, dim=2)), BandLeastSquares(Torus(2, dim=2)), 25, False),
    (BandTeacher(Torus(2)), BandLeastSquares(Torus(1)), 3, False),
    (BandTeacher(Cube(4, 2)), BandLeastSquares(Cube(4, 1)), 5, False),
]


@pytest.mark.filterwarnings("ignore::errsrc.errors.Undersampled")
@pytest.mark.parametrize(("setting", "learner", "n", "infinite"), POLES, ids=lambda v: str(v)[:40])
def test_a_mean_that_does_not_exist_is_said_to_be_infinite(setting, learner, n, infinite):
    found = budget(setting, learner, n, draws=2)
    assert ("the mean risk is infinite" in found.status) == infinite
    design = setting.inputs(n, np.random.default_rng(0))
    assert "infinite" not in budget(setting, learner, n, x=design, draws=2).status


def test_a_shape_is_not_one_of_rounding():
    cell = BudgetCell(LinearTeacher(4), MinimumNorm(), 1)
    found = [budget(cell.setting, cell.learner, n, draws=4) for n in (4, 6, 8, 12, 16, 24)]
    assert all(one.total.estimate > 0 for one in found)
    assert excess_shape(cell, found).status == "Every cell's error is 0 within 1e-12."


@pytest.mark.parametrize("dim", [1, 3, 10])
def test_it_is_infinite_where_the_theory_of_least_squares_has_it(dim):
    n = np.arange(1, 15)
    found = [has_infinite_mean(LinearTeacher(dim, **NOISY), MinimumNorm(), int(size)) for size in n]
    np.testing.assert_array_equal(found, np.isinf(least_squares(n, dim, noise=0.09)))


@pytest.mark.parametrize("loss", ["zero-one", "log"])
def test_a_table_is_learned_as_hutter_has_it(loss):
    """Without flips all error is items never seen: sum of p (1 - p)^n times what a blind guess loses."""
    setting = TableTeacher(items=50, classes=3, loss=loss)
    learner = Memory() if loss == "zero-one" else Neighbours(1)
    if loss == "log":
        with pytest.raises(
            ValueError, match="probability > 0, for the log loss"
        ):  # a sure guess may be wrong
            budget(setting, learner, 20, draws=8)
        return
    found = budget(setting, learner, 20, draws=400)
    p = setting.probabilities
    expected = (p * (1 - p) ** 20).sum() * 2 / 3
    spread = term(found, "uncertainty").high - term(found, "uncertainty").low
    assert term(found, "uncertainty").estimate == pytest.approx(expected, abs=1.2 * spread)
    assert term(found, "deficiency").estimate == pytest.approx(0, abs=1e-12)
    assert found.relative.total.estimate == pytest.approx(found.total.estimate / (2 / 3))


def test_flips_cost_a_memory_that_trusts_them():
    setting = TableTeacher(items=30, classes=3, channel=Flips(0.3))
    found = budget(setting, Memory(), 60, draws=50)
    assert term(found, "noise").estimate == pytest.approx(0.3)
    assert term(found, "uncertainty").estimate > 0.04
    ideal = budget(setting, Memory(), 60, draws=50).draws["deficiency"]
    assert (ideal >= -1e-12).all()


def test_a_budget_reads_as_a_table_and_columns():
    found = budget(LinearTeacher(3, channel=Gaussian(0.5)), Ridge(1.0), 4, draws=8)
    lines = str(found).splitlines()
    assert [line.split()[0] for line in lines[1:6]] == [*TERMS, "total"]
    assert "100.0%" in lines[5]
    columns = found.columns()
    assert list(columns["term"]) == [*TERMS, "total"]
    assert columns["lower.estimate"][:4].sum() == pytest.approx(columns["lower.estimate"][4])


def test_a_cells_row_is_its_budget():
    cell = BudgetCell(LinearTeacher(3, channel=Gaussian(0.5)), Ridge(1.0), 4, draws=8, seed=2)
    (row,) = compute_budgets([cell])
    again = budget_from_row({**row, "n": cell.n, "level": cell.level})
    assert str(again) == str(budget(cell.setting, cell.learner, 4, draws=8, seed=2))


def test_seeds_decide():
    one = functools.partial(budget, LinearTeacher(3), GradientDescent(3), 4, draws=4, exact=False)
    assert one(seed=1).total == one(seed=1).total != one(seed=2).total


@dataclass(frozen=True)
class Broken(Learner):
    what: str = "nan"
    function_class = AllFunctions()

    def _fit(self, x, y, rng):
        return lambda at: np.full(len(at), np.nan) if self.what == "nan" else np.zeros((len(at), 7))


@dataclass(frozen=True)
class Liar(KernelRidge):
    """Says that it is linear."""

    function_class = Ridge().function_class


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: budget(LinearTeacher(2), Ridge(), 0),
            "'n' parameter of budget must be an integer >= 1. Got 0",
        ),
        (lambda: budget(LinearTeacher(2), Ridge(), 3, draws=1), "'draws' .* >= 2"),
        (lambda: budget(LinearTeacher(2), Ridge(), 3, level=1.0), "'level'"),
        (lambda: budget(LinearTeacher(2), Ridge(), 3, x=np.zeros((3, 3))), r"'x' .* shape \(3, 2\)"),
        (
            lambda: budget(LinearTeacher(2), BandLeastSquares(Torus(1)), 3),
            "'learner' .* one for 2 inputs and 1 outputs",
        ),
        (lambda: budget(LinearTeacher(2), Broken(), 3), "'learner' .* finite.* Got <nan or inf>"),
        (lambda: budget(LinearTeacher(2), Broken("shape"), 3), r"'learner' .* shape \(64, 1\)"),
        (lambda: budget(LinearTeacher(2), Liar(), 3), "predictions lie in its Linear"),
        (lambda: BudgetCell(LinearTeacher(2), Ridge(), 0), "'n' parameter of BudgetCell"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_another_setting_is_refused():
    with pytest.raises(TypeError, match="'setting' parameter of budget"):
        budget("world", Ridge(), 3)


def test_the_interval_of_a_mean_is_not_clipped_and_reaches_what_it_may():
    found = mean_interval([-1.0, -2.0, -3.0], 0.95, lowest=0.0)
    assert found.estimate == -2.0
    assert found.high >= 0
    assert mean_interval([2.0, 2.0], 0.9) == Interval(2.0, 2.0, 2.0, 0.9)
    assert str(Interval(0.56559717585, 0.5655971758, 0.5655971759, 0.9)) == "0.565597"
    with pytest.raises(ValueError, match="two or more finite"):
        mean_interval([1.0], 0.9)
    with pytest.raises(ValueError, match="two or more finite"):
        mean_interval([1.0, np.nan], 0.9)


def test_rounding_is_printed_as_0_and_kept_in_the_sum():
    """At n = M uncertainty came out, and was printed, as some 3e-30."""
    setting, learner = BandTeacher(Torus(2)), KernelRidge("periodic", ridge=1e-10)
    found = [budget(setting, learner, n, draws=4) for n in (3, 5)]
    less, exact = found
    assert 0 < exact.uncertainty.lower.estimate < 1e-25
    assert sum(getattr(exact, name).lower.estimate for name in TERMS) == pytest.approx(
        exact.total.estimate, rel=1e-15
    )
    assert exact.rounded.uncertainty.lower == exact.rounded.uncertainty.upper == Interval(0, 0, 0, 0.95)
    assert exact.rounded.deficiency == exact.deficiency
    assert exact.rounded.relative.rows() == exact.relative.rounded.rows()
    note = "0 also stands for values up to 1e-12 of the target variance: they may be rounding error."
    header, before, after, status, last = budget_table(found).splitlines()
    assert header.split() == ["n", *TERMS, "total"]
    assert after.split()[:4] == ["5", "0", "0", "0"]
    assert (status, last) == (less.status, note)
    assert str(exact).splitlines()[-1] == note
    assert note not in str(less)
    assert note not in before


def test_a_bracket_is_closed_where_its_ends_are_one():
    one, other = Interval(1.0, 0.9, 1.1, 0.95), Interval(2.0, 1.9, 2.1, 0.95)
    assert Bracket.known(one, "").closed
    assert f"{Bracket(one, other, '')}" == "1.00 [0.90, 1.10] to 2.00 [1.90, 2.10]"
