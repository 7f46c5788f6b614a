"""The fitter, forecasts and the default estimator, on cases with a known answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, least_squares

from errsrc.errors import NoAnswer, NoFit, Unreachable
from errsrc.fitting import ChainedFit, fewest_weights, files
from errsrc.fitting.minimiser import minimise
from errsrc.fitting.noise import local_scale, residual_scale, robust_scale, seed_weights
from errsrc.fitting.one_law import fit
from errsrc.fitting.plans import plan, training_flops
from errsrc.fitting.several_laws import AveragedFit, auto
from errsrc.laws import ALL, M4, Broken, Chinchilla, Dense, JointPruning, Power, Pruning, plateau
from errsrc.laws.derivatives import compiled
from errsrc.laws.law import symbol
from errsrc.results import Interval

CIFAR = Dense(eps0=0.9, alpha=0.66, beta=0.53, b=0.3, c_inf=0.8, eta=4.0, n_full=50_000, m_base=7e5)


def grid(steps: int = 6) -> dict[str, np.ndarray]:
    n, m = np.meshgrid(50_000 / 2.0 ** np.arange(steps), 7e5 / 4.0 ** np.arange(steps))
    return {"n": n.ravel(), "m": m.ravel()}


def noisy(law, sizes, noise: float, seed: int = 0) -> np.ndarray:
    truth = law.error(**sizes)
    error = truth * np.exp(noise * np.random.default_rng(seed).standard_normal(truth.shape))
    return np.minimum(error, getattr(law, "eps0", np.inf))


# The solver


def test_batched_solver_agrees_with_scipys_on_every_member() -> None:
    x = np.linspace(0.0, 3.0, 25)
    rng = np.random.default_rng(0)
    data = 2.0 * np.exp(-1.3 * x) + 0.5 + 0.05 * rng.standard_normal((6, 25))

    def residuals(z: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, b, c = (z[:, [j]] for j in range(3))
        fall = np.exp(-b * x)
        return a * fall + c - data[rows], np.stack([fall, -a * x * fall, np.ones_like(fall)], axis=-1)

    far = np.full(3, 10.0)
    found = minimise(residuals, np.ones((6, 3)), -far, far, np.ones((1, 25)))
    for k in range(6):
        theirs = least_squares(
            lambda z, k=k: residuals(z[None, :], np.array([k]))[0][0], np.ones(3), xtol=1e-14
        )
        assert found.cost[k] == pytest.approx(2 * theirs.cost, rel=1e-9)
        np.testing.assert_allclose(found.z[k], theirs.x, rtol=1e-6)
    assert found.converged.all()


def test_solver_stops_at_bounds_and_holds_what_is_frozen() -> None:
    def residuals(z: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        skew = np.array([[1.0, 0.9], [0.0, 0.2]])
        return (z - np.array([2.0, -1.0])) @ skew.T, np.broadcast_to(skew, (len(z), 2, 2))

    start = np.array([[0.5, 0.5], [0.25, 0.75]])
    frozen = np.array([[False, False], [True, False]])
    found = minimise(residuals, start, np.zeros(2), np.ones(2), np.ones((1, 2)), frozen=frozen)
    np.testing.assert_allclose(found.z[0], [1.0, 0.9 / 0.85 - 1], atol=1e-8)
    assert found.z[1, 0] == 0.25


def test_huber_and_pull_are_what_they_say() -> None:
    data = np.array([0.0, 0.1, -0.1, 50.0])

    def residuals(z: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return z - data, np.ones((len(z), 4, 1))

    far = np.array([100.0])
    robust = minimise(residuals, np.zeros((1, 1)), -far, far, np.ones((1, 4)), huber=1.0)
    assert robust.z[0, 0] == pytest.approx(1 / 3, abs=1e-8)  # three inside pull back what one outside pulls
    pulled = minimise(
        residuals, np.zeros((1, 1)), -far, far, np.ones((1, 4)), pull=(np.array([2.0]), np.array([4.0]))
    )
    assert pulled.z[0, 0] == pytest.approx((50 + 4 * 2) / 8, abs=1e-8)


# Fits


def test_a_floor_may_be_exactly_zero() -> None:
    n = np.geomspace(10, 1e5, 20)
    found = fit(Power, Power(0.0, 2.0, 0.5).error(n=n), n=n)
    assert found.law.c_inf == pytest.approx(0.0, abs=1e-9)
    assert found.law.alpha == pytest.approx(0.5, rel=1e-6)


def test_what_the_points_do_not_determine_is_said_so() -> None:
    """Far from random guess only eps0 / eta is determined, and no floor far under the smallest error."""
    sizes = {name: 1e4 * x for name, x in grid().items()}
    law = Dense(eps0=0.9, alpha=0.66, beta=0.53, b=0.3, c_inf=0.0, eta=4e6, n_full=50_000, m_base=7e5)
    found = fit(Dense, noisy(law, sizes, 0.02), **sizes)
    assert not found.intervals["c_inf"].determined
    assert not found.intervals["eps0"].determined
    assert any("combination of eps0" in warning and "eta" in warning for warning in found.warnings)
    assert str(found.intervals["c_inf"]).startswith("<")


def test_determined_parameters_bring_no_warning() -> None:
    sizes = grid()
    found = fit(Dense, noisy(CIFAR, sizes, 0.005), fixed={"eps0": 0.9}, **sizes)
    assert found.warnings == ()
    assert all(interval.determined for interval in found.intervals.values())
    assert found.agreement > 0.3


def test_near_ties_are_reported() -> None:
    """Two breaks that explain a short curve equally well are both named."""
    n = np.geomspace(10, 1e4, 9)
    found = fit(Broken, noisy(Power(0.1, 2.0, 0.5), {"n": n}, 0.03, seed=1), n=n, starts=64)
    assert found.ties
    assert any("ties" in warning for warning in found.warnings)
    for tie in found.ties:
        assert tie != found.law


@pytest.mark.parametrize("objective", ["divergence", "log", "huber", "absolute"])
def test_every_objective_recovers_the_law(objective: str) -> None:
    sizes = grid()
    found = fit(Dense, CIFAR.error(**sizes), fixed={"eps0": 0.9}, objective=objective, **sizes)
    for name, value in CIFAR.params.items():
        assert getattr(found.law, name) == pytest.approx(value, rel=1e-6)


def test_an_outlier_moves_least_squares_but_not_huber() -> None:
    sizes = grid()
    error = noisy(CIFAR, sizes, 0.01)
    error[7] *= 1.5
    shift = {}
    for objective in ("log", "huber"):
        found = fit(Dense, error, fixed={"eps0": 0.9}, objective=objective, **sizes)
        shift[objective] = np.abs(np.log(found.law.error(**sizes) / CIFAR.error(**sizes))).max()
    assert shift["huber"] < 0.5 * shift["log"]


def test_a_weight_is_that_many_rows() -> None:
    n = np.geomspace(10, 1e5, 12)
    error = noisy(Power(0.1, 2.0, 0.5), {"n": n}, 0.05)
    weights = np.arange(1.0, 13.0)
    copied = np.repeat(np.arange(12), weights.astype(int))
    weighted = fit(Power, error, n=n, weights=weights)
    repeated = fit(Power, error[copied], n=n[copied])
    np.testing.assert_allclose(weighted.law.error(n=n), repeated.law.error(n=n), rtol=1e-8)


def test_seed_weights_follow_the_noise_of_the_cells() -> None:
    rng = np.random.default_rng(0)
    n = np.repeat([10.0, 100.0], 200)
    error = np.exp(np.where(n == 10, 0.3, 0.1) * rng.standard_normal(400))
    weights = seed_weights(error, n=n)
    assert weights[-1] / weights[0] == pytest.approx(9, rel=0.35)
    assert weights.mean() == pytest.approx(1)
    with pytest.raises(ValueError, match="repeated in at least one cell"):
        seed_weights([0.1, 0.2], n=[1, 2])


def test_seed_noise_is_the_spread_within_cells() -> None:
    sizes = {name: np.repeat(x, 4) for name, x in grid().items()}
    found = fit(Dense, noisy(CIFAR, sizes, 0.03), fixed={"eps0": 0.9}, **sizes)
    assert found.seed_noise == pytest.approx(0.03, rel=0.2)
    assert math.isnan(fit(Power, [0.5, 0.4, 0.35, 0.33], n=[1, 2, 4, 8]).seed_noise)


def test_the_same_seed_gives_the_same_fit() -> None:
    sizes = grid()
    error = noisy(CIFAR, sizes, 0.02)
    first, second = (fit(Dense, error, seed=5, **sizes) for _ in range(2))
    assert first.law == second.law
    assert first.intervals == second.intervals
    np.testing.assert_array_equal(first.draws["alpha"], second.draws["alpha"])


def test_both_exponents_are_named_for_what_they_belong_to() -> None:
    law = Chinchilla(E=1.8, A=480, B=2100, alpha=0.35, beta=0.37)
    assert (law.data_exponent, law.model_exponent) == (0.37, 0.35)
    assert (CIFAR.data_exponent, CIFAR.model_exponent) == (0.66, 0.53)
    assert Pruning(0.05, 0.9, 1.0, 0.01).data_exponent is None


def test_joint_pruning_recovers_the_invariant_from_noisy_networks() -> None:
    rng = np.random.default_rng(1)
    density, depth, width = (
        axis.ravel() for axis in np.meshgrid(0.8 ** np.arange(25), [8.0, 14.0, 26.0], [0.25, 0.5, 1.0])
    )
    truth = JointPruning(eps_up=0.9, gamma=0.9, p=0.01, phi=0.8, psi=1.6)
    level = 0.06 * depth**-0.1 * width**-0.2
    error = truth.error(density=density, depth=depth, width=width, eps_np=level)
    error = error * np.exp(0.03 * rng.standard_normal(error.shape))
    found = fit(JointPruning, error, density=density, depth=depth, width=width, eps_np=level)
    assert found.law.psi / found.law.phi == pytest.approx(2.0, rel=0.1)
    for name, interval in found.intervals.items():
        half = interval.high - interval.low
        assert interval.low - half < getattr(truth, name) < interval.high + half


def test_the_plateau_is_the_dip_not_the_unpruned_error() -> None:
    density = 0.8 ** np.arange(20)
    error = Pruning(0.05, 0.9, 1.0, 0.001).error(density=density)
    error[0] *= 1.1
    assert plateau(density, error) == pytest.approx(0.05, rel=0.02)
    assert plateau([1.0], [0.2]) == pytest.approx(0.2)


# Bad input


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"error": [0.5, 0.4, 0.0, 0.2]}, "'error' parameter of fit.* numbers > 0. Got 0.0"),
        ({"error": [0.5, 0.4, np.nan, 0.2]}, "'error' parameter.*Got nan"),
        ({"n": [1, 2, -3, 4]}, "'n' parameter of fit.*Got -3.0"),
        ({"n": [1, 2, 3]}, "'n' parameter of fit.* an array of 4 numbers"),
        ({"n": 7.0}, r"'n' parameter.*two different sizes. Got 7 in every row|Got <7 in every row>"),
        ({"error": [0.5, 0.4], "n": [1, 2]}, "more points than the 3 free"),
        ({"weights": [1, 1, 1]}, "'weights' parameter"),
        ({"fixed": {"alhpa": 1.0}}, r"'alhpa' instead.*did you mean 'alpha'"),
        ({"fixed": {"a": 1.0}}, "fixed together with alpha"),
        ({"bounds": {"alpha": (2.0, 1.0)}}, "low < high"),
        ({"bounds": {"a": (2.0, 1.0)}}, "'bounds' parameter"),
        ({"objective": "likelihood"}, "'objective' parameter.*one of"),
        ({"level": 1.0}, "'level' parameter"),
        ({"starts": 0}, "'starts' parameter"),
    ],
)
def test_bad_data_is_refused_in_one_sentence(change: dict, sentence: str) -> None:
    given_ = {"error": [0.5, 0.4, 0.3, 0.25], "n": [1, 2, 4, 8]} | change
    error = given_.pop("error")
    with pytest.raises((ValueError, TypeError), match=sentence) as caught:
        fit(Power, error, **given_)
    assert "\n" not in str(caught.value)


def test_an_error_above_random_guess_is_refused() -> None:
    sizes = grid()
    with pytest.raises(ValueError, match=r"numbers <= eps0 = 0\.3"):
        fit(Dense, CIFAR.error(**sizes), fixed={"eps0": 0.3}, **sizes)


def test_one_size_of_model_cannot_tell_its_exponent() -> None:
    with pytest.raises(ValueError, match=r"'m' parameter of fit.*at least two different sizes"):
        fit(Chinchilla, [4, 3.5, 3.2, 3.0, 2.9, 2.8], n=[1, 2, 4, 8, 16, 32], m=7)


def test_sizes_that_vary_only_together_are_refused() -> None:
    n = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    with pytest.raises(ValueError, match=r"parameter of fit\(Chinchilla\) must be varied apart"):
        fit(Chinchilla, 1 + n**-0.3, n=n, m=3 * n**2)


def test_as_many_points_as_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="more points than the 3 free"):
        fit(Power, [0.5, 0.4, 0.35], n=[1, 2, 4])


def test_an_error_that_rises_is_no_power_law() -> None:
    n = np.geomspace(10, 1e5, 14)
    with pytest.raises(NoFit, match="worse than a constant"):
        auto(0.1 * n**0.2, n=n)
    density = 0.8 ** np.arange(20)
    with pytest.raises(NoFit, match=r"rises with the density|worse than a constant"):
        auto(0.1 * density**0.5, density=density)


def test_a_parameter_that_its_prior_alone_holds_is_not_called_determined() -> None:
    """The data term is nothing here: its amplitude and its exponent are open, whatever the bootstrap says."""
    sizes = {"n": grid()["n"] * 4e6, "m": grid()["m"] * 1e4}
    law = Chinchilla(E=1.8, A=480.0, B=1e-9, alpha=0.35, beta=0.5)
    found = auto(noisy(law, sizes, 0.005), **sizes)
    assert not found.members[0].intervals["B"].determined
    assert not found.members[0].intervals["beta"].determined


def test_inputs_are_named_where_missing() -> None:
    with pytest.raises(TypeError, match="exactly n, m"):
        fit(Dense, [0.5, 0.4], n=[1, 2])


def test_a_diverged_fit_carries_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from errsrc.fitting.minimiser import BatchSolution
    from errsrc.fitting.problem import Problem

    whole = Problem.solve

    def unfinished(self, z, **kwargs):
        found = whole(self, z, **{**kwargs, "iterations": 1})
        cost = found.cost / (1 + kwargs.get("iterations", 300))
        return BatchSolution(found.z, cost, np.zeros(len(z), bool))

    monkeypatch.setattr(Problem, "solve", unfinished)
    with pytest.raises(NoFit, match="did not converge") as caught:
        fit(Power, [0.5, 0.4, 0.3, 0.25], n=[1, 2, 4, 8])
    assert isinstance(caught.value.best, Power)


# Forecasts and plans


def test_an_interval_widens_with_noise_with_distance_and_with_its_level() -> None:
    sizes = grid()
    quiet = fit(Dense, noisy(CIFAR, sizes, 0.005), fixed={"eps0": 0.9}, **sizes)
    loud = fit(Dense, noisy(CIFAR, sizes, 0.05), fixed={"eps0": 0.9}, **sizes)

    def width(found, level=0.9, times=1.0):
        p = found.predict(level=level, n=50_000 * times, m=7e5 * times)
        return float(np.log(p.high / p.low))

    assert width(loud) > 3 * width(quiet)
    assert width(quiet, times=30.0) > 2 * width(quiet)
    assert width(quiet, level=0.99) > width(quiet) > width(quiet, level=0.5)


def test_predictions_keep_the_shape_of_their_inputs() -> None:
    sizes = grid()
    found = fit(Dense, noisy(CIFAR, sizes, 0.01), fixed={"eps0": 0.9}, **sizes)
    p = found.predict(n=np.ones((3, 1)) * 1e5, m=[1e5, 1e6])
    assert p.predicted.shape == p.low.shape == p.high.shape == (3, 2)
    assert np.all((p.low <= p.predicted) & (p.predicted <= p.high))
    with pytest.raises(TypeError, match="exactly n, m"):
        found.predict(n=1e5)
    with pytest.raises(ValueError, match="arrays that broadcast"):
        found.predict(n=[1, 2], m=[1, 2, 3])


def test_a_running_best_is_told_from_independent_errors() -> None:
    """Where noise could not have let every error fall, a new run is noisier than the residuals."""
    rng = np.random.default_rng(0)
    n = np.geomspace(1e3, 1e5, 60)
    error = Power(0.1, 2.0, 0.3).error(n=n) * np.exp(0.03 * rng.standard_normal(60))
    plain = fit(Power, error, n=n)
    best = fit(Power, np.minimum.accumulate(error), n=n)
    assert plain.run_noise == plain.noise
    assert best.run_noise > 1.5 * best.noise
    assert any("running best" in warning for warning in best.warnings)


def test_the_slopes_of_m4_are_finite_where_its_error_rounds_to_random_guess():
    law = M4(eps0=1.7, c_inf=0.8, a=5.3, alpha=1.0, gamma=0.27)
    n = np.array([1e-6, 1.0])
    error, *slopes = compiled(M4)(n, *law.params.values())
    assert error[0] == pytest.approx(law.eps0, rel=1e-15)
    assert np.isfinite(slopes).all()
    assert slopes[-1][0] == 0.0


@pytest.mark.parametrize("name", [k for k, law in ALL.items() if law.inputs[0] == "n" and law is not M4])
def test_the_error_far_out_is_the_limit_of_the_formula(name: str) -> None:
    """Plans read the floor there."""
    law = ALL[name]
    middle = {p.name: round(math.sqrt(math.prod(p.start)) if p.log else 0.3, 1) for p in law.parameters()}
    limit = law.formula().subs({symbol(name): sympy.Rational(str(x)) for name, x in middle.items()})
    for name in law.inputs:
        limit = sympy.limit(limit, symbol(name), sympy.oo)
    far = law(**middle).error(**dict.fromkeys(law.inputs, 1e150))
    assert float(far) == pytest.approx(float(limit), rel=1e-12)


def test_plan_follows_the_closed_form_of_the_additive_law() -> None:
    """Hoffmann et al. 2022, eq. 4: m = G (C / 6)^a, n = (C / 6)^b / G."""
    law = Chinchilla(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    sizes = {name: x * scale for (name, x), scale in zip(grid().items(), (1e5, 1e3), strict=True)}
    found = fit(Chinchilla, law.error(**sizes), **sizes)
    budget = 1e19
    answer = plan(found, budget=budget)
    g = (law.alpha * law.A / (law.beta * law.B)) ** (1 / (law.alpha + law.beta))
    share = law.beta / (law.alpha + law.beta)
    assert answer.m.estimate == pytest.approx(g * (budget / 6) ** share, rel=1e-3)
    assert answer.cost.estimate == pytest.approx(budget, rel=1e-9)
    assert float(training_flops(answer.n.estimate, answer.m.estimate)) == pytest.approx(budget, rel=1e-9)


def test_plan_takes_another_cost_model() -> None:
    sizes = grid()
    found = fit(Dense, noisy(CIFAR, sizes, 0.005), fixed={"eps0": 0.9}, **sizes)
    dear_data = plan(found, error=0.3, cost=lambda n, m: 1e6 * n + m)
    dear_model = plan(found, error=0.3, cost=lambda n, m: n + 1e6 * m)
    assert dear_data.n.estimate < dear_model.n.estimate
    assert dear_data.m.estimate > dear_model.m.estimate


def test_plan_refuses_what_it_cannot_answer() -> None:
    n = np.geomspace(10, 1e5, 20)
    found = fit(Power, noisy(Power(0.1, 2.0, 0.5), {"n": n}, 0.01), n=n)
    with pytest.raises(TypeError, match="exactly one of"):
        plan(found)
    with pytest.raises(ValueError, match="'error' parameter of plan"):
        plan(found, error=-1.0)
    pruned = fit(
        Pruning,
        Pruning(0.05, 0.9, 1.0, 0.01).error(density=0.8 ** np.arange(30)),
        density=0.8 ** np.arange(30),
    )
    with pytest.raises(ValueError, match="a fit of a law in n"):
        plan(pruned, error=0.1)
    rising = fit(Broken, Broken(0.1, 1.0, 0.3, -0.9, 300.0, 0.3).error(n=n), n=n)
    with pytest.raises(NoAnswer, match="does not fall"):
        plan(rising, error=0.2)


# Pruned networks: fewest weights, and the laws in a chain


def pruned_grid(seed: int, noise: float) -> tuple[JointPruning, dict[str, np.ndarray], np.ndarray]:
    """Return a law, the inputs of twelve pruned networks, and their noisy errors."""
    law = JointPruning(eps_up=0.9, gamma=0.8, p=1.0, phi=0.4, psi=1.1)
    depth, width, n = (x.ravel() for x in np.meshgrid([1.0, 2.0], [8.0, 16.0, 32.0], [1e3, 4e3]))
    rng = np.random.default_rng(seed)
    eps_np = DENSE.error(n=n, m=100 * width)
    rows = {"depth": depth, "width": width, "eps_np": eps_np, "density": np.ones(len(depth))}
    sizes = {name: np.repeat(x, 25) for name, x in rows.items()}
    sizes["density"] = np.tile(0.8 ** np.arange(25), len(depth))
    return law, sizes, law.error(**sizes) * np.exp(noise * rng.standard_normal(len(sizes["depth"])))


DENSE = Dense(eps0=0.9, alpha=0.4, beta=0.5, b=0.5, c_inf=0.3, eta=4.0, n_full=4e3, m_base=3200.0)


def test_fewest_weights_inverts_the_law_of_each_network() -> None:
    law, sizes, error = pruned_grid(0, 0.0)
    found = fit(JointPruning, error, **sizes)
    networks = {"depth": 2.0, "width": np.array([8.0, 16.0, 32.0]), "eps_np": np.array([0.2, 0.15, 0.12])}
    weights = np.array([800.0, 1600.0, 3200.0])
    answer = fewest_weights(found, 0.18, weights, **networks)
    for k, remaining in enumerate(answer.remaining_by_network):
        sizes = {name: np.broadcast_to(x, 3)[k] for name, x in networks.items()}
        if k == 0:  # its plateau lies above the target
            assert np.isinf(remaining)
            continue
        root = brentq(lambda d, own=sizes: law.error(density=d, **own) - 0.18, 1e-4, 1.0)
        assert remaining == pytest.approx(root * weights[k], rel=1e-3)
    assert answer.network == int(np.argmin(answer.remaining_by_network))
    assert answer.remaining.estimate == answer.remaining_by_network.min()


def test_fewest_weights_says_how_far_the_best_network_is_from_it() -> None:
    _, sizes, error = pruned_grid(1, 0.02)
    found = fit(JointPruning, error, **sizes)
    networks = {"depth": [1.0, 2.0], "width": 8.0, "eps_np": [0.2, 0.2]}
    with pytest.raises(Unreachable, match=r"the least is 0\.2") as caught:
        fewest_weights(found, 0.1, [800.0, 900.0], **networks)
    assert caught.value.best.low <= 0.2 <= caught.value.best.high
    with pytest.raises(ValueError, match="'error' parameter of fewest_weights"):
        fewest_weights(found, 0.0, [800.0, 900.0], **networks)
    with pytest.raises(ValueError, match="'depth' parameter of fewest_weights must be a number"):
        fewest_weights(found, 0.3, [800.0], **networks)
    n = np.geomspace(10, 1e5, 20)
    with pytest.raises(ValueError, match="with density as an input"):
        fewest_weights(fit(Power, Power(0.1, 2.0, 0.5).error(n=n), n=n), 0.3, [800.0], n=10.0)


def test_values_beyond_an_inputs_largest_are_refused_alike() -> None:
    """A density of 1.5 had been answered by every forecast, and fitted."""
    _, sizes, error = pruned_grid(0, 0.0)
    more = "an array of finite numbers > 0 and <= 1. Got 1.5 instead."
    n, m = (x.ravel() for x in np.meshgrid(np.geomspace(250, 4e3, 5), 100 * 2.0 ** np.arange(6)))
    joint = fit(JointPruning, error, **sizes)
    chain = ChainedFit(fit(Dense, DENSE.error(n=n, m=m), n=n, m=m, fixed={"eps0": 0.9}), joint)
    density = 0.8 ** np.arange(20)
    single = auto(Pruning(0.05, 0.9, 1.0, 0.01).error(density=density), density=density)
    for forecast in (joint, chain, single, single.members[0]):
        at = {name: 1.0 for name in forecast.input_names}
        assert forecast.predict(**at).predicted > 0
        for ask in (forecast.predict, forecast.curves):
            with pytest.raises(ValueError, match="'density' parameter of predict must be " + more):
                ask(**{**at, "density": [0.5, 1.5]})
    wide = {**sizes, "density": 1.5 * sizes["density"]}
    for where, ask in (
        (r"fit\(JointPruning\)", lambda: fit(JointPruning, error, **wide)),
        (r"fit\(Pruning\)", lambda: fit(Pruning, density, density=1.5 * density)),
        ("auto", lambda: auto(error, **wide)),
    ):
        with pytest.raises(ValueError, match=f"'density' parameter of {where} must be {more}"):
            ask()
    for weights, networks, sentence in (
        ([0.5], {"depth": 1.0, "width": 8.0, "eps_np": 0.2}, "'weights' parameter of fewest_weights .*>= 1"),
        ([800.0], {"depth": 1.0, "width": 8.0}, "'networks' parameter .* exactly depth, width, eps_np"),
        ([800.0], {"depth": 1.0, "width": 8.0, "eps_np": 0.2, "density": 0.5}, "'networks' parameter"),
        ([800.0], {"depth": 0.0, "width": 8.0, "eps_np": 0.2}, "'depth' parameter of fewest_weights"),
    ):
        with pytest.raises((ValueError, TypeError), match=sentence):
            fewest_weights(joint, 0.3, weights, **networks)


def test_chained_laws_are_the_composition_of_the_two() -> None:
    law, sizes, error = pruned_grid(0, 0.0)
    dense_n, dense_m = (x.ravel() for x in np.meshgrid(np.geomspace(250, 4e3, 5), 100 * 2.0 ** np.arange(6)))
    unpruned = DENSE.error(n=dense_n, m=dense_m) * 1.03  # the dip lies 3% lower
    dense = fit(Dense, unpruned, n=dense_n, m=dense_m, fixed={"eps0": 0.9 * 1.03})
    chain = ChainedFit(dense, fit(JointPruning, error, **sizes), dip=-np.log(1.03))
    density = 0.8 ** np.arange(20)
    ahead = chain.predict(n=16e3, m=6400.0, density=density, depth=4.0, width=64.0)
    eps_np = DENSE.error(n=16e3, m=6400.0)
    direct = law.error(density=density, depth=4.0, width=64.0, eps_np=eps_np)
    np.testing.assert_allclose(ahead.predicted, direct, rtol=1e-3)
    with pytest.raises(ValueError, match="'pruned' parameter of ChainedFit must be a fit of JointPruning"):
        ChainedFit(dense, dense)
    with pytest.raises(ValueError, match="'dense' parameter of ChainedFit must be a fit of a law in n and m"):
        ChainedFit(chain.pruned, chain.pruned)
    average = ChainedFit(auto(unpruned, n=dense_n, m=dense_m), chain.pruned, dip=-np.log(1.03))
    again = average.predict(n=2e3, m=1600.0, density=density, depth=2.0, width=16.0)
    direct = law.error(density=density, depth=2.0, width=16.0, eps_np=DENSE.error(n=2e3, m=1600.0))
    np.testing.assert_allclose(again.predicted, direct, rtol=0.02)
    assert (again.low <= again.predicted).all()
    assert (again.predicted <= again.high).all()
    both = [forecast.run_deviates() for forecast in (dense, chain)]
    assert abs(np.corrcoef(both)[0, 1]) < 0.1  # a plateau's chance is not that of a run around it


# The default estimator


def test_auto_averages_and_its_weights_sum_to_one() -> None:
    n = np.geomspace(100, 1e5, 25)
    found = auto(noisy(M4(0.9, 0.1, 30.0, 0.6, 1.5), {"n": n}, 0.01), n=n)
    assert isinstance(found, AveragedFit)
    assert sum(found.weights) == pytest.approx(1)
    assert list(found.weights) == sorted(found.weights, reverse=True)
    centre, draws = found.curves(n=[1e6])
    assert draws.shape == (found.draw_count, 1)
    assert draws.min() <= centre[0] <= draws.max()


def test_auto_follows_a_law_that_it_has(tmp_path) -> None:
    n = np.geomspace(100, 1e5, 40)
    law = Power(0.1, 2.0, 0.5)
    found = auto(noisy(law, {"n": n}, 0.002), n=n)
    ahead = np.array([3e5, 1e6])
    np.testing.assert_allclose(found.predict(n=ahead).predicted, law.error(n=ahead), rtol=0.01)
    files.save_fit(found, tmp_path / "fit.json")
    again = files.load_fit(tmp_path / "fit.json")
    np.testing.assert_array_equal(again.predict(n=ahead).high, found.predict(n=ahead).high)


def test_auto_does_not_care_for_the_order_of_its_inputs() -> None:
    sizes = grid()
    law = Chinchilla(E=1.8, A=480, B=2100, alpha=0.35, beta=0.37)
    sizes = {"n": sizes["n"] * 4e6, "m": sizes["m"] * 1e4}
    error = noisy(law, sizes, 0.005)
    one, other = auto(error, n=sizes["n"], m=sizes["m"]), auto(error, m=sizes["m"], n=sizes["n"])
    assert one.members[0].law == other.members[0].law


def test_auto_takes_the_dense_law_only_where_random_guess_is_known() -> None:
    sizes = grid()
    error = noisy(CIFAR, sizes, 0.01)
    assert {type(f.law) for f in auto(error, fixed={"eps0": 0.9}, **sizes).members} >= {Dense}
    assert {type(f.law) for f in auto(error, **sizes).members} == {Chinchilla}


def test_auto_refuses_inputs_that_no_candidate_has() -> None:
    with pytest.raises(TypeError, match="one of these sets"):
        auto([0.5, 0.4], width=[1, 2])
    with pytest.raises(ValueError, match="'fixed' parameter of auto"):
        auto([0.5, 0.4, 0.3, 0.25], n=[1, 2, 4, 8], fixed={"epsilon": 1.0})


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(1e-6, 1e6), min_size=4, max_size=12, unique=True),
    st.lists(st.floats(1e-3, 1e3), min_size=12, max_size=12),
)
def test_auto_answers_or_refuses_but_never_breaks(n: list[float], error: list[float]) -> None:
    try:
        found = auto(error[: len(n)], n=n)
    except (ValueError, NoAnswer):
        return
    p = found.predict(n=[max(n), 10 * max(n)])
    assert np.all(np.isfinite(p.predicted) & (p.predicted > 0))
    assert np.all((p.low <= p.predicted) & (p.predicted <= p.high))


def test_scales_of_noise_are_those_of_normal_samples() -> None:
    rng = np.random.default_rng(0)
    x = np.geomspace(1, 1e4, 4000)
    noise = 0.02 * rng.standard_normal(4000)
    assert robust_scale(noise, np.ones(4000)) == pytest.approx(0.02, rel=0.05)
    assert local_scale(x, x**-0.3 * np.exp(noise)) == pytest.approx(0.02, rel=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 2.0))
def test_residual_scale_is_unbiased_under_any_weights(seed: int, power: float) -> None:
    """Mean of 2,000 squared scales within 5 standard errors: false alarm under 1e-6 an example."""
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(15), rng.standard_normal(15)])
    weights = np.linspace(0.2, 1.0, 15) ** power
    noise = rng.standard_normal((2000, 15))
    root = np.sqrt(weights)[:, None]
    solve = np.linalg.lstsq(root * design, root * noise.T, rcond=None)[0]
    squares = [residual_scale(r, weights, design) ** 2 for r in (noise.T - design @ solve).T]
    assert abs(np.mean(squares) - 1) < 5 * np.std(squares) / np.sqrt(2000)


# How intervals print


@pytest.mark.parametrize(
    ("interval", "shown"),
    [
        (Interval(0.347312, 0.3312, 0.3641, 0.9), "0.347 [0.331, 0.364]"),
        (Interval(480.0, 363.0, 602.0, 0.9), "480 [360, 600]"),
        (Interval(1e-9, 0.0, 0.02, 0.9), "< 0.020"),
        (Interval(5.0, 1.3, math.inf, 0.9), "> 1.3"),
        (Interval(5.0, 0.0, math.inf, 0.9), "not determined"),
        (Interval(-0.2, -0.41, 0.05, 0.9), "-0.20 [-0.41, 0.05]"),
    ],
)
def test_an_interval_prints_only_the_digits_it_supports(interval: Interval, shown: str) -> None:
    assert str(interval) == shown


def test_a_large_problem_worked_on_in_parts_gives_the_same_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    from errsrc.fitting import problem

    sizes = grid()
    error = noisy(CIFAR, sizes, 0.02)
    whole = fit(Dense, error, **sizes)
    monkeypatch.setattr(problem, "LARGEST_BATCH", 5 * len(error))
    parts = fit(Dense, error, **sizes)
    assert parts.law == whole.law
    np.testing.assert_array_equal(parts.draws["beta"], whole.draws["beta"])


def test_a_fit_keeps_the_points_as_they_came() -> None:
    n = np.array([781, 1562, 3125, 6250, 12_500])
    error = noisy(Power(0.1, 2.0, 0.3), {"n": n}, 0.01)
    found = fit(Power, error, n=n)
    np.testing.assert_array_equal(found.inputs["n"], n)
    np.testing.assert_array_equal(found.error, error)


def test_the_order_of_rows_changes_nothing_at_all() -> None:
    """Neither predictions nor noise, with repeated seeds, for a law and for the default estimator."""
    n = np.repeat(np.geomspace(100, 1e5, 7), 3)
    error = noisy(Power(0.1, 2.0, 0.4), {"n": n}, 0.03)
    order = np.random.default_rng(2).permutation(len(n))
    for estimator in (auto, lambda e, n: fit(Power, e, n=n)):
        one, other = estimator(error, n=n), estimator(error[order], n=n[order])
        assert one.run_noise == other.run_noise
        ahead = one.predict(n=[500.0, 1e6]).columns()
        for name, column in other.predict(n=[500.0, 1e6]).columns().items():
            np.testing.assert_array_equal(column, ahead[name])


def test_auto_refuses_shapes_and_constants_in_its_own_words() -> None:
    with pytest.raises(ValueError, match=r"'density' parameter of auto must be .* <= 1\. Got 2"):
        auto([0.5, 0.4, 0.3, 0.25, 0.2, 0.2], density=[1, 2, 5, 20, 50, 100])
    with pytest.raises(ValueError, match="as long as the others"):
        auto([0.5, 0.4, 0.3, 0.25, 0.2], n=[1, 2, 3])
    with pytest.raises(ValueError, match=r"numbers <= eps0 = 0\.3"):
        auto([0.5, 0.4, 0.3, 0.25, 0.2], n=[1, 2, 3, 4, 5], fixed={"eps0": 0.3})
