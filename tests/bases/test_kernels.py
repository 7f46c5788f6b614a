"""Kernels against those of scikit-learn."""

import math

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ExpSineSquared

from errsrc.bases import kernel


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("length", [0.5, 8.0])
def test_the_kernel_of_wide_inputs_is_scikit_learns_to_rounding(length):
    x, z = rng(0).standard_normal((20, 64)), rng(1).standard_normal((9, 64))
    z[0] = x[0]
    np.testing.assert_allclose(kernel(x, z, "rbf", length), RBF(length)(x, z), rtol=1e-10, atol=1e-13)
    assert kernel(x, z, "rbf", length)[0, 0] == pytest.approx(1, abs=1e-12)
    assert kernel(x, x, "rbf", length).max() <= 1


def test_the_periodic_kernel_is_scikit_learns_in_one_dimension_and_periodic_in_each():
    x, z = rng(0).uniform(0, 9, (6, 1)), rng(1).uniform(0, 9, (4, 1))
    np.testing.assert_allclose(
        kernel(x, z, "periodic", 0.7), ExpSineSquared(0.7, 2 * np.pi)(x, z), atol=1e-12
    )
    x, z = rng(0).uniform(0, 9, (6, 2)), rng(1).uniform(0, 9, (4, 2))
    product = math.prod(kernel(x[:, [k]], z[:, [k]], "periodic", 0.7) for k in range(2))
    np.testing.assert_allclose(kernel(x, z, "periodic", 0.7), product, atol=1e-12)
    np.testing.assert_allclose(kernel(x + np.array([2 * np.pi, 0]), z, "periodic", 0.7), product, atol=1e-12)
