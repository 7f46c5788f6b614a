"""The Bayes-optimal risk of quadratic networks: published limits, known figures, and matrices and chains."""

import numpy as np
import pytest
from scipy.integrate import quad

from errsrc.theory import quadratic_networks
from errsrc.theory.quadratic import _cubed_density, _density


@pytest.mark.parametrize("kappa", [0.1, 0.5, 1.0, 2.0])
def test_without_noise_the_risk_is_0_from_the_degrees_of_freedom_on(kappa):
    dim = 1000
    threshold = kappa - kappa**2 / 2 if kappa < 1 else 0.5
    n = dim**2 * (threshold + np.array([-1e-1 * threshold, -1e-3, 0.0, 1e-3]))
    before, near, *after = quadratic_networks(n, dim, round(kappa * dim))
    assert before > near > 0
    assert after == [0, 0]


def test_few_examples_leave_the_priors_variance_and_many_the_noise():
    assert float(quadratic_networks(1, 1000, 500, noise=0.1)) == pytest.approx(2 / 0.5, rel=1e-4)
    # with n much larger than the degrees of freedom, each of them costs noise / n
    freedom, n = 500 * 1000 - 500**2 / 2, 1e9
    assert float(quadratic_networks(n, 1000, 500, noise=0.1)) == pytest.approx(0.1 * freedom / n, rel=1e-2)


def test_the_prototypes_figures():
    """Bayes errors of S, half the risk, of a separate implementation: kappa 0.5, noise 0.25."""
    found = quadratic_networks(np.array([0.5, 1.0, 2.0]) * 100**2, 100, 50, noise=0.25) / 2
    np.testing.assert_allclose(found, [0.21, 0.068, 0.028], rtol=0.02)


def test_the_risk_falls_with_n_and_rises_with_noise_and_scales_with_the_weights():
    n = np.linspace(10, 2000, 12)
    clean, noisy = quadratic_networks(n, 30, 12), quadratic_networks(n, 30, 12, noise=0.3)
    assert (np.diff(noisy) < 0).all()
    assert (clean < noisy).all()
    assert quadratic_networks(400, 30, 12, noise=1e-9) == pytest.approx(
        quadratic_networks(400, 30, 12), abs=1e-4
    )
    scaled = quadratic_networks(n, 30, 12, noise=0.3 * 16, weight_std=2.0)
    np.testing.assert_allclose(scaled, 16 * noisy, rtol=1e-9)


@pytest.mark.parametrize(("kappa", "variance"), [(0.5, 0.01), (0.5, 2.0), (2.0, 0.1)])
def test_the_density_is_that_of_random_matrices(kappa, variance):
    rng, d = np.random.default_rng(0), 400
    w, noise = rng.standard_normal((round(kappa * d), d)), rng.standard_normal((d, d))
    matrix = w.T @ w / len(w) + np.sqrt(variance / d) * (noise + noise.T) / np.sqrt(2)
    values = np.linalg.eigvalsh(matrix)

    def rho(x):
        return float(_density(np.array([x]), variance, kappa)[0])

    ends = values[0] - 1, values[-1] + 1
    assert quad(rho, *ends, limit=400)[0] == pytest.approx(1, abs=1e-3)
    middle = float(np.median(values))
    assert quad(rho, ends[0], middle, limit=400)[0] == pytest.approx(0.5, abs=0.02)
    assert _cubed_density(variance, kappa) == pytest.approx(
        quad(lambda x: rho(x) ** 3, *ends, limit=400)[0], rel=1e-3
    )


def test_what_is_refused():
    with pytest.raises(ValueError, match="'width' parameter of quadratic_networks"):
        quadratic_networks(10, 5, 0)
    with pytest.raises(ValueError, match="'noise' parameter of quadratic_networks"):
        quadratic_networks(10, 5, 2, noise=-1.0)
