"""Exact budgets of random features: against points of a quadrature, against simulation, and on grids."""

import dataclasses

import numpy as np
import pytest
import scripts
from hypothesis import given, settings
from hypothesis import strategies as st

from errsrc.bases import Cube, Legendre, Slepian, Sphere, Torus
from errsrc.learners import RandomFeatures
from errsrc.settings import BandTeacher, Clean, FeatureSpan, Gaussian, LinearTeacher
from errsrc.settings.features import ACTIVATIONS, coordinates
from errsrc.sources import budget, budget_grid
from errsrc.sources.effort import Effort
from errsrc.sources.exact import _closed_form, closed_form
from errsrc.sources.experiments import Experiment
from errsrc.sources.terms import TERMS
from errsrc.studies.budgets import BudgetCell, compute_budgets, shared_decompositions
from errsrc.theory import least_squares

SETTINGS = st.builds(
    LinearTeacher,
    st.integers(1, 7),
    input_decay=st.floats(0, 2),
    weight_decay=st.floats(0, 2),
    outputs=st.sampled_from([None, 3]),
    rank=st.sampled_from([None, 1]),
    output_decay=st.floats(0, 2),
    channel=st.sampled_from([Clean(), Gaussian(0.3)]),
)
LEARNERS = st.builds(
    RandomFeatures,
    st.integers(1, 9),
    fixed=st.booleans(),
    ridge=st.sampled_from([0.0, 0.2]),
    steps=st.sampled_from([None, 0, 7]),
    learning_rate=st.just(0.01),
)


def term(found, name):
    return getattr(found, name).lower


@pytest.mark.full
@given(SETTINGS, LEARNERS, st.integers(1, 12))
@settings(max_examples=12, deadline=None)
def test_coefficients_and_points_give_the_same_terms(setting, learner, n):
    """`closed_form` works with coefficients of features, `_closed_form` with values at exact points."""
    experiment = Experiment(learner, n, None, 2, 3, 0.95, True, Effort())
    found, _ = closed_form(learner.function_class, setting, experiment)
    expected, _ = _closed_form(setting, experiment)
    for ours, theirs in zip(found, expected, strict=True):
        names = ("realizability", "uncertainty", "deficiency")
        values, wanted = ([getattr(one, name) for name in names] for one in (ours, theirs))
        np.testing.assert_allclose(values, wanted, rtol=1e-7, atol=1e-12)


KERNELS = [
    (Torus(2, 2), Torus(3, 2), {"weights": "fourier", "decay": 1.0}),
    (Sphere(2), Sphere(2), {"activation": "square"}),
    (Slepian(4.0, 5), Legendre(6), {"decay": 2.0}),
    (Legendre(6), Slepian(4.0, 3), {"activation": "square", "fixed": True}),
    (Cube(4, 2), Cube(4, 1), {"activation": "relu"}),
    (Cube(4, 2), Cube(4, 4), {"activation": "erf", "m": 16}),
]


@pytest.mark.parametrize(("teacher", "basis", "more"), KERNELS)
def test_features_of_eigenfunctions_have_the_terms_that_points_give(teacher, basis, more):
    setting = BandTeacher(teacher, decay=1.0, outputs=2, channel=Gaussian(0.3))
    learner = RandomFeatures(**{"m": 5, "basis": basis, "ridge": 0.1, **more})
    experiment = Experiment(learner, 7, None, 2, 3, 0.95, True, Effort())
    found, _ = closed_form(learner.function_class, setting, experiment)
    expected, _ = _closed_form(setting, experiment)
    for ours, theirs in zip(found, expected, strict=True):
        for name in ("realizability", "uncertainty", "deficiency"):
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-7, abs=1e-12), name
    status = budget(setting, learner, 7, draws=2).status
    assert status.startswith("Random inputs: exact given")


@pytest.mark.parametrize("weights", ["normal", "fourier"])
def test_products_of_features_have_the_kernel_as_their_mean(weights):
    basis = Torus(2, 2)
    span = FeatureSpan(40_000, basis=basis, decay=1.0, weights=weights)
    x = basis.draw(6, np.random.default_rng(0))
    kernel = (basis(x) * span.variances) @ basis(x).T
    np.testing.assert_allclose(span.features(x) @ span.features(x).T, kernel, atol=0.04)
    first = FeatureSpan(3, basis=basis, decay=1.0, weights=weights).features(x) * np.sqrt(3)
    np.testing.assert_allclose(span.features(x)[:, :3] * np.sqrt(40_000), first)


def test_enough_features_and_nodes_find_a_teacher_in_a_band():
    """Features on too small a band cannot express the rest; least squares near n = M has an infinite mean."""
    setting = BandTeacher(Torus(2))
    found = budget(setting, RandomFeatures(5, basis=Torus(2), decay=3.0), 9, draws=4)
    assert found.total.estimate < 1e-12
    assert term(found, "realizability").estimate == 0
    small = budget(setting, RandomFeatures(9, basis=Torus(1), ridge=0.1), 9, draws=4)
    assert term(small, "realizability").estimate == pytest.approx(0.4)
    noisy = dataclasses.replace(setting, channel=Gaussian(0.1))
    assert "mean risk is infinite" in budget(noisy, RandomFeatures(3, basis=Torus(2)), 5, draws=4).status
    tail = budget(noisy, RandomFeatures(3, basis=Torus(2)), 6, draws=16)
    assert np.isfinite(tail.total.high)
    unknown = budget(setting, RandomFeatures(3, basis=Torus(2), activation="relu"), 5, draws=2)
    assert unknown.uncertainty.lower.estimate < unknown.uncertainty.upper.estimate


def test_fields_of_features_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match=r"'decay' parameter of RandomFeatures must be 0, unless 'basis'"):
        RandomFeatures(3, decay=1.0)
    with pytest.raises(ValueError, match=r"'basis' parameter of FeatureSpan must be a Torus if 'weights'"):
        FeatureSpan(3, basis=Sphere(2), weights="fourier")
    with pytest.raises(ValueError, match=r"'activation' parameter of RandomFeatures must be 'linear' if"):
        RandomFeatures(3, basis=Torus(2), weights="fourier", activation="square")
    with pytest.raises(TypeError, match="'basis' parameter of FeatureSpan must be a basis"):
        _ = FeatureSpan(3).variances


def simulated(setting, learner, n, draws, points, rng):
    """Each draw's terms, with projections fitted to one sample of points and measured on another."""
    out = []
    variances, noise = setting.weight_variances, setting.noise_std
    for _ in range(draws):
        one = learner.in_draw(rng)
        w = rng.standard_normal(setting.dim) * np.sqrt(variances)
        x, at, fresh = (setting.inputs(count, rng) for count in (n, points, points))
        y = x @ w + noise * rng.standard_normal(n)
        prior = x * variances
        mean = prior.T @ np.linalg.solve(prior @ x.T + noise**2 * np.eye(n), y)
        functions = one.feature_map(at)
        best, ideal = (np.linalg.lstsq(functions, at @ each, rcond=None)[0] for each in (w, mean))
        at_fresh = one.feature_map(fresh)
        learned = one.fit(x, y, rng)(fresh)
        errors = (
            noise * rng.standard_normal(points),
            fresh @ w - at_fresh @ best,
            at_fresh @ (best - ideal),
            learned - at_fresh @ ideal,
        )
        out.append([np.mean(each**2) for each in errors])
    return np.array(out)


@pytest.mark.full
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_term_is_what_a_simulation_meets(activation):
    """4.5 standard errors: p < 1e-4 for all 16 comparisons."""
    setting = LinearTeacher(6, input_decay=1.0, weight_decay=0.5, channel=Gaussian(0.4))
    learner = RandomFeatures(4, activation=activation, steps=200, learning_rate=0.003)
    draws = simulated(setting, learner, 9, 80, 400, np.random.default_rng(0))
    found = budget(setting, learner, 9, draws=300)
    for name, values in zip(TERMS, draws.T, strict=True):
        own = (term(found, name).high - term(found, name).low) / 4
        error = np.hypot(values.std() / np.sqrt(len(values)), own)
        bias = 0.01 + 0.01 * values.mean()  # the projections have 4 coefficients from 400 points
        assert term(found, name).estimate == pytest.approx(values.mean(), abs=4.5 * error + bias), name


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_moments_of_features_are_those_of_a_sample(activation):
    variances = np.array([1.0, 0.5, 0.2])
    span_class = FeatureSpan(5, 3, activation)
    span = span_class.span(variances)
    x = np.random.default_rng(0).standard_normal((100_000, 3)) * np.sqrt(variances)
    features = span_class.features(x)
    np.testing.assert_allclose(span.root.T @ span.root, features.T @ features / len(x), rtol=0.05, atol=0.02)
    across = features.T @ (x / np.sqrt(variances)) / len(x)
    np.testing.assert_allclose(span.root.T @ span.inputs, across, atol=0.05)
    basis = coordinates(span, features)
    np.testing.assert_allclose(basis.T @ basis / len(x), np.eye(len(span.root)), atol=0.15)


def test_a_budget_is_exact_where_features_and_data_suffice():
    found = budget(LinearTeacher(4, input_decay=1.0), RandomFeatures(6), 9, draws=4)
    assert found.total.estimate < 1e-20
    early = budget(LinearTeacher(4), RandomFeatures(6, steps=3), 9, draws=4)
    assert early.status.startswith("Random inputs: exact given inputs and features")
    fixed = budget(LinearTeacher(4), RandomFeatures(3, fixed=True, ridge=0.1), 5, x=np.eye(5, 4))
    assert fixed.status == "Fixed inputs: exact."
    assert fixed.total.low == fixed.total.high


def test_totals_of_least_squares_are_exact_and_infinite_near_n_equal_to_m():
    setting = LinearTeacher(20, input_decay=1.0, channel=Gaussian(0.2))
    learner = RandomFeatures(6, fixed=True)
    found = budget(setting, learner, 12, draws=8)
    outside = setting.realizability(learner.function_class).estimate
    exact = 0.04 + float(least_squares(12, 6, noise=0.04, outside=outside))
    assert found.total.estimate == pytest.approx(exact, rel=1e-12)
    assert found.total.low == found.total.high
    assert "mean risk is infinite" in budget(setting, learner, 7, draws=8).status


def test_a_grid_has_the_budgets_of_single_calls_and_a_study_shares_decompositions():
    setting = LinearTeacher(15, input_decay=1.0, channel=Gaussian(0.2))
    learners = [
        RandomFeatures(4, steps=5),
        RandomFeatures(4, ridge=1.0),
        RandomFeatures(8),
        RandomFeatures(3),
    ]
    grid = budget_grid(setting, learners, [6, 11], draws=3, seed=2)
    cells = []
    for (place, n), found in grid.items():
        alone = budget(setting, learners[place], n, draws=3, seed=2)
        for name in TERMS:
            assert term(found, name).estimate == pytest.approx(term(alone, name).estimate, rel=1e-10)
        assert (found.learner, found.status) == (alone.learner, alone.status)
        cells.append(BudgetCell(setting, learners[place], n, seed=2, draws=3))
    with pytest.raises(TypeError, match=r"'n' parameter of budget_grid must be a sequence. Got 3 instead"):
        budget_grid(setting, learners, 3)
    assert len({shared_decompositions(cell) for cell in cells}) == 2
    together = compute_budgets([cell for cell in cells if cell.n == 6])
    assert together[1]["total"] == pytest.approx(compute_budgets([cells[2]])[0]["total"], rel=1e-10)
    assert shared_decompositions(dataclasses.replace(cells[0], draws="auto")).draws == "auto"


@pytest.mark.slow
def test_terms_are_those_of_brute_force_in_twenty_settings():
    """The benchmark's comparisons: at most one of 80 beyond 3 standard errors, none beyond 4, sums exact."""
    found = scripts.benchmark("random_features").exact_part()
    assert found["comparisons"] == 80
    assert found["beyond 3 standard errors"] <= 1
    assert found["beyond 4 standard errors"] == 0
    assert found["largest miss of the sum"] < 1e-12


@pytest.mark.slow
def test_terms_of_features_of_eigenfunctions_are_those_of_brute_force():
    """The benchmark's 48 comparisons, with fewer draws."""
    found = scripts.benchmark("random_features").kernel_part(draws=100)
    assert found["comparisons"] == 48
    assert found["beyond 3 standard errors"] <= 1
    assert found["beyond 4 standard errors"] == 0
    assert found["largest miss of the sum"] < 1e-12
