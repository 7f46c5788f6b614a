"""Fits of one law, on cases with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from errsrc.errors import NoFit
from errsrc.fitting import fit
from errsrc.laws import Broken, Dense, JointPruning, Power
from fitting.cases import CIFAR, grid, noisy


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


@pytest.mark.full
def test_near_ties_are_reported() -> None:
    """Two breaks that explain a short curve equally well are both named."""
    n = np.geomspace(10, 1e4, 9)
    found = fit(Broken, noisy(Power(0.1, 2.0, 0.5), {"n": n}, 0.03, seed=1), n=n, starts=64)
    assert found.ties
    assert any(f"found {len(found.ties)} other optima" in warning for warning in found.warnings)
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
        found = fit(Dense, error, fixed={"eps0": 0.9}, objective=objective, keep_far=True, **sizes)
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


def test_the_same_seed_gives_the_same_fit() -> None:
    sizes = grid()
    error = noisy(CIFAR, sizes, 0.02)
    first, second = (fit(Dense, error, seed=5, **sizes) for _ in range(2))
    assert first.law == second.law
    assert first.intervals == second.intervals
    np.testing.assert_array_equal(first.draws["alpha"], second.draws["alpha"])


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


def test_a_floor_of_0_has_an_upper_bound() -> None:
    """Every refit to resampled data ends at a floor of 0: the interval of a Huber fit had no width."""
    n, m = (x.ravel() for x in np.meshgrid(np.geomspace(64, 4096, 5), np.geomspace(64, 4096, 3)))
    bend = 0.05 * np.log(n / 64) * np.log(m / 64) / 3
    noise = 0.03 * np.random.default_rng(0).standard_normal(15)
    error = (m**-0.5 + 3 * n**-0.5) * np.exp(noise - bend)
    found = fit("chinchilla", error, n=n, m=m, objective="huber")
    floor = found.intervals["E"]
    assert floor.estimate == floor.low == 0
    assert not found.draws["E"].any()
    assert 0.001 < floor.high < error.min()
    assert str(floor).startswith("< ")
