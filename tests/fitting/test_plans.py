"""Plans, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from errsrc.errors import NoAnswer, Unreachable
from errsrc.fitting import fewest_weights, fit
from errsrc.fitting.plans import plan, training_flops
from errsrc.laws import Broken, Chinchilla, Dense, JointPruning, Power, Pruning
from fitting.cases import CIFAR, grid, noisy, pruned_grid


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


@pytest.mark.full
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
    with pytest.raises(TypeError, match="'cost' parameter of plan must be a function"):
        plan(found, error=0.5, cost=3)
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


def test_sizes_are_positive_and_have_no_lower_end_where_nothing_bounds_them() -> None:
    """The error to reach is larger than errors that a few draws of the law have at any n."""
    n = np.array([100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0])
    found = fit(Power, noisy(Power(0.1, 2.0, 0.5), {"n": n}, 0.1, seed=1), n=n)
    sizes = [one.n for one in plan(found, error=[0.35, 0.3, 0.25, 0.2])]
    assert all(0 <= size.low <= size.estimate <= size.high for size in sizes)
    assert not any("-" in str(size) or str(size).startswith("0 ") for size in sizes)
    easy = plan(found, error=10.0)
    assert easy.n.low == 0.0
    assert easy.text("n").startswith(f"{easy.n.estimate:.2g} [not bounded, ")


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
    with pytest.raises(Unreachable, match=r"the lowest is 0\.2") as caught:
        fewest_weights(found, 0.1, [800.0, 900.0], **networks)
    assert caught.value.best.low <= 0.2 <= caught.value.best.high
    with pytest.raises(ValueError, match="'error' parameter of fewest_weights"):
        fewest_weights(found, 0.0, [800.0, 900.0], **networks)
    with pytest.raises(ValueError, match="'depth' parameter of fewest_weights must be a number"):
        fewest_weights(found, 0.3, [800.0], **networks)
    n = np.geomspace(10, 1e5, 20)
    with pytest.raises(ValueError, match="with density as an input"):
        fewest_weights(fit(Power, Power(0.1, 2.0, 0.5).error(n=n), n=n), 0.3, [800.0], n=10.0)
