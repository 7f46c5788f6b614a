"""Chains keep the posterior, and bounds of the uncertainty hold where it is known.

Each test states its false-alarm rate; each claim has a control that must fail.  The larger version is
`benchmarks/bracket.py`.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from network_draws import draws
from scipy import stats
from torch import Tensor

from errsrc.nets import MLP
from errsrc.settings import Gaussian, NetworkTeacher
from errsrc.settings.network import NetworkFunction
from errsrc.sources import Effort, uncertainty_bracket
from errsrc.training import hamiltonian
from errsrc.training.hamiltonian import (
    NetworkPosterior,
    lagged_distance,
    run_chains,
    run_constrained_chains,
    two_sided_path,
)

torch.set_num_threads(1)

FALSE_ALARM = 1e-4
ALPHA = stats.norm.isf(FALSE_ALARM / 2)

LINEAR = NetworkTeacher(MLP((5, 1)), 1.0, 0.5, channel=Gaussian(0.3))
TANH = NetworkTeacher(MLP((2, 2, 1), "tanh"), 1.0, 1.0, channel=Gaussian(0.1))


def planted(setting, n, count, noise_std, seed=0) -> tuple[NetworkPosterior, Tensor, Tensor]:
    """A target of ``count`` data sets, their teachers' z, and points."""
    network, rng = setting.architecture, torch.Generator().manual_seed(seed)
    stds = network.prior_stds(setting.weight_std, setting.bias_std)
    weights = network.draw(range(count), stds, torch.float64)
    x, points = (torch.randn(count, k, network.inputs, generator=rng, dtype=torch.float64) for k in (n, 32))
    y = network(weights, x)
    y = y + noise_std * torch.randn(y.shape, generator=rng, dtype=torch.float64)
    target = NetworkPosterior(network, stds, x, y, noise_std or 1.0)
    return target, target.whitened(weights), points


def exact_variance(x: np.ndarray, at: np.ndarray, noise_std: float) -> float:
    """Mean posterior variance of `LINEAR`'s teacher at points."""
    scale = np.array([1 / math.sqrt(5)] * 5 + [0.5])
    a, b = (np.c_[inputs, np.ones(len(inputs))] * scale for inputs in (x, at))
    if noise_std:
        covariance = np.linalg.inv(np.eye(6) + a.T @ a / noise_std**2)
    else:
        covariance = np.eye(6) - np.linalg.pinv(a) @ a
    return float(np.einsum("qi,ij,qj->q", b, covariance, b).mean())


def drift(before: Tensor, after: Tensor) -> float:
    """The t statistic of paired differences."""
    return float(stats.ttest_rel(after.numpy(), before.numpy()).statistic)


@pytest.fixture(scope="session")
def times(full_power: bool) -> int:
    """How many times as many data sets are drawn as gross faults take."""
    return 4 if full_power else 1


@functools.cache
def linear_bracket(n: int, count: int):
    data = draws(LINEAR, n, count, points=64)
    exact = np.array([exact_variance(x, at, 0.3) for x, at in zip(data[1], data[3], strict=True)])
    effort = Effort(starts=2, steps=50, chains=8, transitions=24, leaps=24)
    return exact, uncertainty_bracket(LINEAR, *data, seed=1, effort=effort)


@pytest.mark.full
@pytest.mark.parametrize("n", [3, 12])
def test_the_bracket_holds_the_exact_variance_and_is_narrow(n, times):
    exact, found = linear_bracket(n, 64 * times)
    # false alarms: 1e-4, of one-sided t tests of both ends
    for below, above in ((found.lower, exact), (exact, found.upper)):
        assert stats.ttest_rel(below, above).statistic < ALPHA
    assert found.upper.mean() - found.lower.mean() < 0.1 * exact.mean()
    assert abs(found.upper_member.mean() / exact.mean() - 1) < 0.1


@pytest.mark.full
@pytest.mark.parametrize("n", [3, 12])
def test_the_samples_measure_risk_with_less_chance(n, times):
    exact, found = linear_bracket(n, 64 * times)
    name = "posterior mean"
    alone = np.square(found.samples[:, :1]).mean((1, 2, 3))
    much = found.distance(np.zeros(found.samples.shape[:1] + found.samples.shape[2:3]))
    assert abs(stats.ttest_rel(alone, much).statistic) < ALPHA
    assert stats.ttest_rel(exact, found.portfolio[name]).statistic < ALPHA
    assert np.std(found.portfolio[name] / exact) < 0.5


def test_a_walk_keeps_the_joint_law_of_teacher_and_data(times):
    """Weights are N(0, I) and misfits chi-squared after as many transitions as before; false alarms 2e-4."""
    target, z, _ = planted(TANH, 6, 2000 * times, 0.1)
    step = torch.full((len(z),), 0.05, dtype=torch.float64)
    path = run_chains(target, z, step, 8, 10, torch.Generator().manual_seed(1))
    assert 0.3 < float(path.acceptance.mean()) < 0.999
    assert float((path.state - z).square().sum(1).mean()) > 1
    assert stats.kstest(path.state.square().sum(1).numpy(), stats.chi2(9).cdf).pvalue > FALSE_ALARM
    assert stats.kstest(target.misfit(path.state).numpy(), stats.chi2(6).cdf).pvalue > FALSE_ALARM
    # the control: the same chains with another noise than the labels have
    target.noise_std = 0.12
    path = run_chains(target, z, step, 8, 10, torch.Generator().manual_seed(1))
    target.noise_std = 0.1
    assert stats.kstest(target.misfit(path.state).numpy(), stats.chi2(6).cdf).pvalue < FALSE_ALARM


def test_a_walk_without_metropolis_would_not(monkeypatch):
    target, z, _ = planted(TANH, 6, 2000, 0.1)
    step = torch.full((len(z),), 0.12, dtype=torch.float64)
    generous = torch.rand

    def always(*shape: int, **options) -> Tensor:
        return generous(*shape, **options) * 1e-300

    monkeypatch.setattr(torch, "rand", always)  # steps at their shortest, and every proposal taken
    path = run_chains(target, z, step, 8, 10, torch.Generator().manual_seed(1))
    assert float(path.acceptance.mean()) > 0.9
    assert (
        not stats.kstest(target.misfit(path.state).nan_to_num(1e9).numpy(), stats.chi2(6).cdf).pvalue
        > FALSE_ALARM
    )


@pytest.mark.slow
def test_a_slide_keeps_the_joint_law_of_teacher_and_data(monkeypatch, times):
    """Noiseless labels: weights stay N(0, I), and so the volume of the labels' map; false alarms 2e-4."""
    target, z, _ = planted(TANH, 4, 1500 * times, 0.0)
    step = torch.full((len(z),), 0.4, dtype=torch.float64)
    path = run_constrained_chains(target, z, step, 4, 12, torch.Generator().manual_seed(1))
    assert 0.2 < float(path.acceptance.mean()) < 0.95
    assert float((path.state - z).square().sum(1).mean()) > 1
    assert stats.kstest(path.state.square().sum(1).numpy(), stats.chi2(9).cdf).pvalue > FALSE_ALARM

    def volume(at: Tensor) -> Tensor:
        return hamiltonian._frame(target, at)[1].diagonal(dim1=1, dim2=2).abs().log().sum(1)

    assert abs(drift(volume(z), volume(path.state))) < ALPHA
    # the control: a density without the determinant
    monkeypatch.setattr(hamiltonian, "_energy", lambda at, frame: at.square().sum(1) / 2)
    path = run_constrained_chains(target, z, step, 4, 12, torch.Generator().manual_seed(1))
    assert drift(volume(z), volume(path.state)) > ALPHA


def test_a_slide_samples_the_null_space_of_a_linear_network(times):
    """Without noise the posterior is the prior on the null space of the inputs; false alarms 1e-4."""
    target, z, points = planted(LINEAR, 3, 100 * times, 0.0)
    exact = [exact_variance(x, at, 0.0) for x, at in zip(target.x.numpy(), points.numpy(), strict=True)]
    many = 6
    step = torch.full((many * len(z),), 1.0, dtype=torch.float64)
    path = run_constrained_chains(
        target.repeated(many), z.repeat_interleave(many, 0), step, 4, 10, torch.Generator().manual_seed(1),
        points.repeat_interleave(many, 0),
    )  # fmt: skip
    start = target.values(z, points).repeat_interleave(many // 2, 0)
    lower = lagged_distance(two_sided_path(path.values, start), 14).view(-1, many // 2).mean(1).numpy()
    assert abs(stats.ttest_rel(lower, exact).statistic) < ALPHA
    assert abs(lower.mean() / np.mean(exact) - 1) < 0.1


def test_after_an_odd_number_of_transitions_the_bound_is_none():
    """Half a turn ends opposite its start: twice the variance, which `lagged_distance` does not accept."""
    target, z, points = planted(LINEAR, 3, 200, 1e3)  # all but the prior: every direction turns alike
    exact = np.mean(
        [exact_variance(x, at, 1e3) for x, at in zip(target.x.numpy(), points.numpy(), strict=True)]
    )
    step = torch.full((len(z),), math.pi / 16, dtype=torch.float64)
    path = run_chains(target, z, step, 14, 4, torch.Generator().manual_seed(1), points, shortest=1.0)
    states = torch.cat([target.values(z, points)[None], path.values])
    odd = float((states[1:] - states[:-1]).square().sum(3).mean()) / 2
    assert odd > 1.5 * exact
    with pytest.raises(ValueError, match="an even number"):
        lagged_distance(states, 1)
    even = lagged_distance(states, 2).numpy()
    assert stats.ttest_1samp(even, exact).statistic < ALPHA  # false alarms 1e-4


def test_a_chain_that_starts_elsewhere_is_no_bound_and_is_caught():
    data = draws(LINEAR, 12, 32, points=64)
    exact = np.mean([exact_variance(x, at, 0.3) for x, at in zip(data[1], data[3], strict=True)])
    other = draws(LINEAR, 12, 32, points=64, seed=9)[0]
    target, _, points = planted(LINEAR, 12, 32, 0.3)
    far = torch.full((32, 6), 4.0, dtype=torch.float64)
    path = run_chains(
        target, far, torch.full((32,), 0.05).double(), 10, 8, torch.Generator().manual_seed(1), points
    )
    states = torch.cat([target.values(far, points)[None], path.values])
    assert float(lagged_distance(states, 8).mean()) > 2 * exact
    small = Effort(starts=2, steps=20, chains=2, transitions=4, leaps=8)
    with pytest.raises(ValueError, match="a chain from another start is no bound"):
        uncertainty_bracket(LINEAR, other, *data[1:], seed=1, effort=small)
    fitted = []
    for x, y in zip(data[1], data[2], strict=True):
        w = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y, rcond=None)[0]
        weights = (torch.from_numpy(w[None, None, :5]), torch.from_numpy(w[None, 5:]))
        fitted.append(NetworkFunction(LINEAR.architecture, weights))
    with pytest.raises(ValueError, match="a chain from another start is no bound"):
        uncertainty_bracket(LINEAR, fitted, *data[1:], seed=1, effort=small)
