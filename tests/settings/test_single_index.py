"""Single-index teachers: orthogonal to all polynomials of lower degree, and quadratic networks for k = 2."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.polynomial.hermite_e import hermegauss

from errsrc.nets import MLP, QuadraticNetwork
from errsrc.settings import Flips, NetworkFunctions, SingleIndexTeacher
from errsrc.settings.single_index import SingleIndexFunction


@pytest.mark.parametrize("degree", [1, 2, 5])
def test_a_teacher_has_variance_1_and_no_products_with_lower_degrees(degree):
    """In one dimension the direction is 1, and Gauss' nodes give the means over normal inputs exactly."""
    nodes, weights = hermegauss(20)
    values = SingleIndexFunction(np.ones(1), degree)(nodes[:, None])
    weights = weights / math.sqrt(2 * math.pi)
    assert weights @ values**2 == pytest.approx(1)
    for lower in range(degree):
        assert weights @ (values * nodes**lower) == pytest.approx(0, abs=1e-9)


def test_a_quadratic_network_is_a_teacher_of_information_exponent_2():
    setting, rng = SingleIndexTeacher(6, 2), np.random.default_rng(0)
    teacher, x = setting.teacher(rng), setting.inputs(30, rng)
    network = QuadraticNetwork(6, 1)
    row = torch.from_numpy(teacher.direction * (6 / 2) ** 0.25)[None, None]
    np.testing.assert_allclose(network((row,), torch.from_numpy(x))[0, :, 0].numpy(), teacher(x))
    assert setting.realizability(NetworkFunctions(network)).high == 0
    with pytest.raises(ValueError, match="'function_class'"):
        SingleIndexTeacher(6, 3).realizability(NetworkFunctions(MLP((6, 4, 1), "square")))
    with pytest.raises(ValueError, match=r"'function_class' .* networks of 6 inputs and 1 output"):
        setting.realizability(NetworkFunctions(QuadraticNetwork(7, 1)))
    with pytest.raises(ValueError, match=r"'channel' .* Clean or Gaussian"):
        SingleIndexTeacher(6, channel=Flips(0.1))
