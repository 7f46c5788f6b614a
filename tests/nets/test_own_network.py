"""A user's own architecture, with the abstract methods alone, trains, is masked and learns like others."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from errsrc.fields import integer
from errsrc.learners import NetworkStudent
from errsrc.nets import MLP, Network, embeds, identifiable_dimension, jacobian
from errsrc.training import Member, Recipe, magnitude_masks, train

torch.set_num_threads(1)


@dataclass(frozen=True)
class Quadratic(Network):
    """One output, x A x + b, for inputs x."""

    dim: int = integer(at_least=1)

    @property
    def inputs(self):
        return self.dim

    def shapes(self):
        return ((1, self.dim, self.dim), (1,))

    def __call__(self, weights, x):
        x = x.expand(len(weights[0]), *x.shape[-2:])
        form = torch.einsum("ebi,eoij,ebj->ebo", x, weights[0], x)
        return form + weights[1][:, None]


NETWORK = Quadratic(2)
X = torch.randn(60, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = X[:, 0] ** 2 - 3 * X[:, 0] * X[:, 1] + 0.5


def test_an_incomplete_network_says_what_it_lacks():
    @dataclass(frozen=True)
    class Incomplete(Network):
        def shapes(self):
            return ((1, 1), (1,))

    with pytest.raises(TypeError, match=r"abstract.*__call__.*inputs"):
        Incomplete()
    with pytest.raises(ValueError, match="'dim' parameter of Quadratic must be an integer >= 1"):
        Quadratic(0)


def test_its_derivatives_and_dimension_are_found():
    weights = NETWORK.draw([0, 1], dtype=torch.float64)
    products = torch.einsum("bi,bj->bij", X, X).flatten(1)
    expected = torch.cat([products, torch.ones(60, 1, dtype=torch.float64)], 1)
    torch.testing.assert_close(jacobian(NETWORK, weights, X)[1], expected)
    assert identifiable_dimension(NETWORK, weights, X).dimension.tolist() == [
        4,
        4,
    ]  # A and its transpose are alike
    assert not embeds(NETWORK, Quadratic(3))
    assert not embeds(NETWORK, MLP((2, 1)))


@pytest.mark.full
@pytest.mark.parametrize("optimiser", ["adam", "sgd", "lbfgs"])
def test_it_trains_with_and_without_masks(optimiser):
    members = [Member(np.arange(40), 400, 0), Member(np.arange(20, 60), 300, 1)]
    recipe = Recipe(optimiser, 0.02, loss="squared", batch=40)
    masks = magnitude_masks(NETWORK, NETWORK.draw([0, 1]), 0.5)
    for own in (None, masks):
        trained = train(NETWORK, X, Y, members, None, recipe, masks=own)
        assert all(own is masks or one.train_loss < 0.05 * float(Y.square().mean()) for one in trained)
    for i, one in enumerate(trained):
        assert not one.weights[0][~masks[0][i]].any()


@pytest.mark.slow
def test_a_student_of_it_finds_the_teacher():
    student = NetworkStudent(NETWORK, Recipe("lbfgs", loss="squared"), steps=100, validation=0.0)
    predictor = student.fit(X.numpy(), Y.numpy(), np.random.default_rng(0))
    np.testing.assert_allclose(predictor(X.numpy()), Y.numpy(), atol=1e-3)


@pytest.mark.parametrize(
    ("shapes", "got"),
    [
        (property(lambda self: ((1, 2), (1,))), r"\(\(1, 2\), \(1,\)\)"),
        (lambda self: {"weight": (1, 2)}, r"{'weight': \(1, 2\)}"),
        (lambda self: ((1.0, 2),), r"\(\(1.0, 2\),\)"),
    ],
)
def test_shapes_of_another_type_are_refused(monkeypatch, shapes, got: str) -> None:
    monkeypatch.setattr(Quadratic, "shapes", shapes)
    with pytest.raises(
        TypeError, match=f"'shapes' parameter of Quadratic must be a method .* Got {got} instead"
    ):
        Quadratic(2).draw([0])
    with pytest.raises(TypeError, match="'shapes' parameter of Quadratic must be a method"):
        NetworkStudent(Quadratic(2)).fit(X.numpy(), Y.numpy(), np.random.default_rng(0))
