"""Message passing on quadratic networks: its two steps against dense algebra, and its risk against theory."""

from dataclasses import replace

import numpy as np
import pytest

from errsrc.learners import QuadraticMessagePassing
from errsrc.learners.quadratic_message_passing import _Examples, _transform, shrunk_eigenvalues
from errsrc.nets import QuadraticNetwork
from errsrc.settings import Clean, Gaussian, NetworkTeacher
from errsrc.testing import check_learner
from errsrc.theory import quadratic_networks


def sample(setting, n, seed=0):
    rng = np.random.default_rng(seed)
    teacher, x = setting.teacher(rng), setting.inputs(n, rng)
    return teacher, x, setting.channel.label(teacher(x), rng)


def symmetric_noise(d, variance, rng):
    noise = rng.standard_normal((d, d))
    return np.sqrt(variance / (2 * d)) * (noise + noise.T)


@pytest.mark.parametrize(("n", "noise"), [(7, 0.0), (7, 0.3), (18, 0.3), (18, 0.0)])
def test_the_linear_step_is_ridge_regression(n, noise):
    """Against the normal equations in the d (d + 1) / 2 coordinates; n = 18 exceeds their number, 15."""
    rng, d, variance = np.random.default_rng(n), 5, 0.7
    x, y, guess = rng.standard_normal((n, d)), rng.standard_normal(n), np.eye(d)
    i, j = np.triu_indices(d)
    scale = np.where(i == j, 1.0, np.sqrt(2))
    products = np.stack([(np.outer(row, row) - np.eye(d))[i, j] * scale / np.sqrt(d) for row in x])
    inverse = np.linalg.pinv(products) if not noise else None
    if inverse is None:
        ridge = products.T @ products + noise / variance * np.eye(15)
        inverse = np.linalg.solve(ridge, products.T)
    expected = guess[i, j] * scale + inverse @ (y - products @ (guess[i, j] * scale))
    examples = _Examples(x, y, noise)
    found = examples.corrected(guess, examples.residuals(guess), variance)
    np.testing.assert_allclose(found[i, j] * scale, expected, atol=1e-9)
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    assert examples.kept_share(variance) == pytest.approx(1 - np.trace(inverse @ products) / 15)


@pytest.mark.parametrize("variance", [3.0, 0.1, 1e-4])
def test_the_spectral_step_lowers_the_error_as_its_derivative_says(variance):
    """For normal noise the error of a posterior mean is the noise times the mean derivative (Stein)."""
    rng, network = np.random.default_rng(1), QuadraticNetwork(100, 40)
    w = rng.standard_normal((40, 100))
    s, noise = w.T @ w / 40, symmetric_noise(100, variance, rng)
    found, share = shrunk_eigenvalues(s + noise, variance, network)
    error, noise_size = ((found - s) ** 2).sum(), (noise**2).sum()
    assert error < 0.75 * noise_size
    assert error == pytest.approx(share * noise_size, rel=0.1)


def test_the_transform_solves_its_equation_and_decays():
    z, variance, kappa = np.linspace(-30, 40, 57), 0.3, 0.4
    g, slope = _transform(z, variance, kappa)
    outside = np.abs(z) > 15
    residual = 1 / g + variance * g + kappa / (kappa - g) - z
    assert np.abs(residual[outside]).max() < 1e-9
    np.testing.assert_allclose(slope[outside], np.gradient(g, z)[outside], rtol=0.05)


def test_a_noiseless_teacher_is_found_below_the_number_of_products():
    """At 1.25 times the degrees of freedom, 194 examples for 210 products."""
    setting = NetworkTeacher(QuadraticNetwork(20, 10), 1.5)
    teacher, x, y = sample(setting, 194)
    learner = QuadraticMessagePassing(QuadraticNetwork(20, 10), weight_std=1.5)
    found = learner.fit(x, y, np.random.default_rng(0)).function
    assert found.converged
    assert teacher.relative_error(found) < 1e-4
    everything = learner.fit(*sample(setting, 230)[1:], np.random.default_rng(0)).function
    assert teacher.relative_error(everything) < 1e-9


@pytest.mark.parametrize(("noise", "n"), [(0.0, 171), (0.01, 171), (0.25, 460)])
def test_its_risk_is_near_the_smallest_possible_one(noise, n):
    network = QuadraticNetwork(30, 15)
    setting = NetworkTeacher(network, 1.0, channel=Gaussian(noise**0.5) if noise else Clean())
    teacher, x, y = sample(setting, n)
    found = QuadraticMessagePassing(network, noise).fit(x, y, np.random.default_rng(0)).function
    risk, limit = teacher.squared_distance(found), float(quadratic_networks(n, 30, 15, noise=noise))
    assert 0.85 < risk / limit < 1.3
    assert found.expected_risk == pytest.approx(risk, rel=0.5)
    assert found.converged


@pytest.mark.full
def test_chains_reach_the_posterior_mean_of_one_weight():
    """Against a sum over a grid of the weight: f(x) = w^2 (x^2 - 1), and x^2 - 1 has variance 2."""
    x, y = np.array([[0.2], [1.3]]), np.array([-1.5, 1.2])
    learner = QuadraticMessagePassing(QuadraticNetwork(1, 1), 0.5, weight_std=1.2, transitions=60)
    found = learner.fit(x, y, np.random.default_rng(0)).function
    w = np.linspace(0, 10, 20_001)
    misfit = ((y[:, None] - w**2 * (x**2 - 1)) ** 2).sum(0) / 0.5
    density = np.exp(-(misfit + (w / 1.2) ** 2) / 2)
    mean = (density * w**2).sum() / density.sum()
    variance = (density * (w**2 - mean) ** 2).sum() / density.sum()
    assert float(found.weights[0]) ** 2 == pytest.approx(mean, abs=0.25 * variance**0.5)
    assert found.expected_risk == pytest.approx(2 * variance, rel=0.5)


def test_chains_need_noise():
    with pytest.raises(ValueError, match=r"'transitions' .* 0 if the 'noise' parameter is 0"):
        QuadraticMessagePassing(transitions=1)


def test_units_and_order_do_not_matter():
    network = QuadraticNetwork(6, 2)
    _, x, y = sample(NetworkTeacher(network, 1.0, channel=Gaussian(0.3)), 15)
    learner = QuadraticMessagePassing(network, 0.09)
    first = learner.fit(x, y, np.random.default_rng(0))(x)
    again = learner.fit(x[::-1], y[::-1], np.random.default_rng(1))(x)
    np.testing.assert_array_equal(again, first)
    scaled = replace(learner, noise=0.09 * 16, weight_std=2.0).fit(x, 4 * y, np.random.default_rng(0))
    np.testing.assert_allclose(scaled(x), 4 * first, rtol=1e-6)


def test_its_class_contains_the_teacher():
    network = QuadraticNetwork(8, 4)
    assert (
        NetworkTeacher(network, 1.0).realizability(QuadraticMessagePassing(network).function_class).high == 0
    )


@pytest.mark.parametrize(("d", "m", "n"), [(1, 1, 1), (1, 3, 4), (3, 9, 4)])
def test_few_inputs_and_equal_examples(d, m, n):
    learner, rng = QuadraticMessagePassing(QuadraticNetwork(d, m)), np.random.default_rng(0)
    for x in (np.zeros((n, d)), np.ones((n, d)), rng.standard_normal((n, d))):
        for y in (np.zeros(n), 1e8 * rng.standard_normal(n)):
            assert np.isfinite(learner.fit(x, y, rng)(x)).all()


@pytest.mark.full
def test_any_data_of_one_output():
    check_learner(QuadraticMessagePassing(steps=10), labels="one output")


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((3, 3)), np.ones(3), r"'x' .* shape \(n, 2\)"),
        (np.ones((3, 2)), np.ones((3, 1)), r"'y' .* floats of shape \(n,\)"),
        (np.ones((3, 2)), np.array([0, 1, 1]), r"'y' .* floats of shape \(n,\)"),
    ],
)
def test_data_of_other_shapes_are_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        QuadraticMessagePassing().fit(x, y, np.random.default_rng(0))
