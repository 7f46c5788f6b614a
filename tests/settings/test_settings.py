"""Settings do what they say: moments of teachers and inputs, exact terms by a second derivation, refusals."""

import math
import re
import warnings

import numpy as np
import pytest

from errsrc.bases import Legendre, Torus, shared_positions
from errsrc.errors import Undersampled
from errsrc.learners import BandLeastSquares
from errsrc.nets import CNN, MLP, QuadraticNetwork
from errsrc.settings import (
    AllFunctions,
    Band,
    BandTeacher,
    Clean,
    Clustered,
    Flips,
    Gappy,
    Gaussian,
    GaussianProcessTeacher,
    ImageBasis,
    ImageTeacher,
    Jittered,
    Linear,
    LinearTeacher,
    NetworkFunctions,
    NetworkTeacher,
    RankK,
    Setting,
    Softmax,
    SparseTeacher,
    TableTeacher,
    Uneven,
    Uniform,
)
from errsrc.settings.checked_draws import drawn_inputs
from errsrc.settings.image_inputs import principal_components
from errsrc.settings.linear import low_rank_residual
from errsrc.settings.nodes import _cells
from errsrc.settings.table import expected_loss
from errsrc.training import Recipe


@pytest.mark.slow
def test_a_path_of_a_process_goes_on_from_where_it_was():
    """Values asked for one after another have the joint law of values asked for at once."""
    setting = GaussianProcessTeacher(1, kernel="rbf", length=0.3)
    x = np.array([[0.1], [0.2], [0.25], [0.9]])
    rng = np.random.default_rng(0)
    values = []
    for _ in range(4000):
        f = setting.teacher(rng)
        values.append([f(x[:1])[0], *f(x[1:3]), f(x[3:])[0]])
    products = np.array(values)[:, :, None] * np.array(values)[:, None]
    error = products.std(0) / math.sqrt(4000)
    assert (np.abs(products.mean(0) - setting.covariance(x, x)) < 5 * error).all()


@pytest.mark.full
def test_realizability_of_a_band_is_the_tail_of_least_squares_on_a_fine_grid():
    setting = BandTeacher(Torus(9), decay=1.5)
    x = np.linspace(0, 2 * np.pi, 400, endpoint=False)[:, None]
    rng = np.random.default_rng(4)
    residuals = []
    for _ in range(3000):
        y = setting.teacher(rng)(x)
        basis = Torus(4)(x)
        residuals.append(np.mean((y - basis @ np.linalg.lstsq(basis, y, rcond=None)[0]) ** 2))
    expected = setting.realizability(Band(Torus(4)))
    assert expected.low == expected.high
    assert np.mean(residuals) == pytest.approx(
        expected.estimate, abs=5 * np.std(residuals) / math.sqrt(len(residuals))
    )
    assert setting.realizability(Band(Torus(9))).estimate == 0
    assert setting.realizability(AllFunctions()).estimate == 0


def test_a_tail_has_its_share_of_the_variance_beyond_the_band():
    setting = BandTeacher(Torus(3, 2, "cross"), 1.0, beyond=Torus(5, 2), tail=0.04, tail_decay=2.0)
    inside = shared_positions(setting.basis, setting.beyond)[1]
    assert setting.variances.sum() == pytest.approx(1, rel=1e-12)
    assert setting.variances[inside].sum() == pytest.approx(0.96, rel=1e-12)
    assert setting.realizability(Band(setting.basis)).estimate == pytest.approx(0.04, rel=1e-12)


DESIGNS = [Uniform(), Jittered(), Jittered(0.0), Jittered(0.3), Clustered(), Gappy(), Uneven()]


@pytest.mark.parametrize("nodes", DESIGNS, ids=repr)
@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 7, 64])
def test_nodes_lie_in_the_unit_cube(nodes, dim, count):
    u = nodes.points(count, dim, np.random.default_rng(0))
    assert u.shape == (count, dim)
    assert ((u >= 0) & (u < 1)).all()


@pytest.mark.parametrize(("count", "dim"), [(5, 1), (7, 2), (30, 3), (64, 3)])
def test_cells_have_equal_volumes_and_fill_the_cube(count, dim):
    low, high = _cells(count, dim)
    np.testing.assert_allclose((high - low).prod(1), 1 / count, rtol=1e-12)
    u = np.random.default_rng(1).uniform(size=(500, dim))
    inside = ((low[None] <= u[:, None]) & (u[:, None] < high[None])).all(2)
    np.testing.assert_array_equal(inside.sum(1), 1)


def test_a_grid_is_a_grid():
    u = Jittered(0.0).points(9, 2, np.random.default_rng(0))
    expected = [[(i + 0.5) / 3, (j + 0.5) / 3] for i in range(3) for j in range(3)]
    np.testing.assert_allclose(u, expected, atol=1e-12)


def test_designs_leave_gaps_and_are_denser_where_they_say():
    """20,000 nodes; 5 standard errors."""
    rng = np.random.default_rng(2)
    assert Gappy(0.3).points(20_000, 2, rng)[:, 0].min() == pytest.approx(0.3, abs=1e-3)
    u = Uneven(0.8).points(20_000, 1, rng)[:, 0]
    assert np.cos(2 * np.pi * u).mean() == pytest.approx(0.4, abs=5 * 0.7 / math.sqrt(20_000))
    clustered = Clustered(3, 1e-4).points(20_000, 1, rng)
    assert len(np.unique(clustered.round(2))) <= 6


def test_images_for_the_basis_are_never_labelled_nor_tested_on():
    basis = ImageBasis(count=5, landmarks=50, unlabelled=300)
    rng = np.random.default_rng(0)
    used = {row.tobytes() for row in basis.quadrature(0)[0]}
    labelled = BandTeacher(basis).inputs(500, rng)
    assert not used & {row.tobytes() for row in labelled}
    assert not used & {row.tobytes() for row in basis.fresh(10**6, rng)}
    assert len(labelled) == 500
    with pytest.raises(ValueError, match=r"'n' .* not used for the basis"):
        basis.draw(10**6, rng)


def test_a_smaller_basis_of_images_is_the_beginning_of_a_larger_one():
    small, large = ImageBasis(count=5), ImageBasis(count=40)
    x = small.fresh(9, np.random.default_rng(0))
    np.testing.assert_allclose(small(x), large(x)[:, :5], atol=1e-8)
    assert BandTeacher(large).realizability(Band(small)).estimate == pytest.approx(35 / 40)


def test_a_band_of_images_is_learned_exactly_at_images_never_used():
    """From n = M on, at test images and by Parseval alike; told from half as many it is far off."""
    setting = BandTeacher(ImageBasis(count=30))
    learner, rng = BandLeastSquares(setting.basis), np.random.default_rng(0)
    teacher, at = setting.teacher(rng), setting.fresh(10**6, rng)
    for n, least, most in ((15, 0.1, 2.0), (30, 0.0, 1e-16), (60, 0.0, 1e-22)):
        x = setting.inputs(n, rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Undersampled)
            fitted = learner.fit(x, teacher(x), rng)
        at_test = ((fitted(at) - teacher(at)) ** 2).mean() / (teacher(at) ** 2).mean()
        for error in (at_test, teacher.distance(fitted.function) / (teacher.coefficients**2).sum()):
            assert least <= error <= most


def test_a_sparse_teacher_has_k_coefficients_anywhere_in_the_band():
    setting = SparseTeacher(Torus(5), sparsity=3)
    rng = np.random.default_rng(0)
    drawn = np.array([setting.teacher(rng).coefficients for _ in range(2000)])
    assert ((drawn != 0).sum(1) == 3).all()
    assert (drawn != 0).mean(0) == pytest.approx(np.full(11, 3 / 11), abs=0.06)
    assert (drawn**2).sum(1).mean() == pytest.approx(1, abs=5 * math.sqrt(2 / 3 / 2000))
    assert setting.realizability(Band(Torus(2))).estimate == pytest.approx(6 / 11)
    assert setting.realizability(AllFunctions()).estimate == 0
    assert SparseTeacher(Torus(5), 2, channel=Gaussian(0.5)).noise == 0.25


def test_realizability_of_a_rank_is_what_the_best_of_many_low_rank_fits_leaves():
    """Eckart-Young by alternating least squares, for one teacher; and the mean over teachers."""
    setting = LinearTeacher(5, outputs=4, input_decay=1.0)
    rng = np.random.default_rng(5)
    target = setting.matrix(rng) * np.sqrt(setting.eigenvalues)
    right = rng.standard_normal((2, 5))
    for _ in range(500):
        left = target @ np.linalg.pinv(right)
        right = np.linalg.pinv(left) @ target
    assert low_rank_residual(target, 2) == pytest.approx(np.square(target - left @ right).sum(), rel=1e-6)
    mean = setting.realizability(RankK(2))
    draws = [low_rank_residual(setting.matrix(rng) * np.sqrt(setting.eigenvalues), 2) for _ in range(4000)]
    assert mean.estimate == pytest.approx(np.mean(draws), rel=0.05)
    assert mean.low < mean.estimate < mean.high
    for whole in (Linear(), RankK(4), RankK(9)):
        assert setting.realizability(whole).estimate == 0
    assert LinearTeacher(5, outputs=4, rank=2).realizability(RankK(2)).estimate == 0


def test_the_best_rank_of_posterior_knowledge_is_not_a_linear_space():
    setting = LinearTeacher(3, outputs=2)
    assert setting.dimension(Linear()) == 3
    assert setting.dimension(AllFunctions()) == math.inf
    assert BandTeacher(Torus(2)).dimension(Band(Torus(5))) == Band(Torus(5)).band_size == 11


@pytest.mark.parametrize("channel", [Flips(0.0), Flips(0.3), Softmax(0.7), Softmax(2.0)], ids=str)
def test_class_channels_draw_with_their_probabilities(channel):
    values = np.array([[1.0, 0.0, -0.5], [0.2, 0.1, 2.0]])
    drawn = channel.label(np.repeat(values, 20_000, 0), np.random.default_rng(6)).reshape(2, -1)
    shares = np.array([np.bincount(row, minlength=3) / 20_000 for row in drawn])
    probabilities = channel.probabilities(values)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    np.testing.assert_allclose(shares, probabilities, atol=5 * math.sqrt(0.25 / 20_000))
    assert drawn.dtype == np.int64


def test_value_channels():
    values = np.zeros(40_000)
    np.testing.assert_array_equal(Clean().label(values, np.random.default_rng(0)), values)
    assert Gaussian(0.3).label(values, np.random.default_rng(0)).std() == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_a_tables_predictive_is_bayes_rule_over_all_tables(rate):
    """By enumeration of the 3^2 tables of 2 items and 3 classes."""
    setting = TableTeacher(items=2, classes=3, channel=Flips(rate))
    x, y = np.array([[0.0], [0.0], [0.0]]), np.array([1, 1, 2] if rate else [1, 1, 1])
    weight, mean = 0.0, np.zeros((2, 3))
    for first in range(3):
        for second in range(3):
            table = setting.channel.probabilities(np.eye(3)[[first, second]])
            likelihood = np.prod(table[x[:, 0].astype(int), y])
            weight += likelihood
            mean += likelihood * table
    np.testing.assert_allclose(setting.predictive(x, y), mean / weight, atol=1e-12)


def test_noise_of_a_table_is_the_risk_of_who_knows_it():
    for loss in ("log", "zero-one"):
        setting = TableTeacher(items=3, classes=4, loss=loss, channel=Flips(0.2))
        truth = setting.channel.probabilities(np.eye(4)[:3])
        np.testing.assert_allclose(expected_loss(truth, truth, loss), setting.noise)
        uniform = np.full((3, 4), 0.25)
        np.testing.assert_allclose(
            expected_loss(truth, uniform, loss), setting.noise + setting.target_variance
        )


SMALL = MLP((3, 4, 2), "tanh")
NETWORKS = [
    NetworkTeacher(SMALL),
    NetworkTeacher(SMALL, channel=Gaussian(0.1)),
    NetworkTeacher(SMALL, loss="log", channel=Softmax(0.5)),
    NetworkTeacher(SMALL, loss="zero-one", channel=Flips(0.1), domain="sphere"),
    NetworkTeacher(CNN(6, 2, 3)),
]


@pytest.mark.parametrize("setting", NETWORKS, ids=str)
def test_network_teachers_are_networks_of_their_prior(setting):
    rng = np.random.default_rng(0)
    x = setting.inputs(50, rng)
    teacher = setting.teacher(np.random.default_rng(1))
    values = teacher(x)
    assert values.shape == (50, setting.architecture.outputs)
    np.testing.assert_array_equal(values, setting.teacher(np.random.default_rng(1))(x))
    matrices = [setting.teacher(rng).weights[0].numpy().ravel() for _ in range(400)]
    std = setting.architecture.prior_stds(setting.weight_std, setting.bias_std)[0]
    assert np.std(matrices) == pytest.approx(std, rel=0.1)
    if setting.domain == "sphere":
        np.testing.assert_allclose((x**2).sum(1), 3)


def test_a_networks_forward_pass_is_numpys():
    setting = NetworkTeacher(MLP((3, 4, 1), "tanh"))
    teacher = setting.teacher(np.random.default_rng(2))
    first, bias, second, offset = (w[0].numpy() for w in teacher.weights)
    x = setting.inputs(9, np.random.default_rng(3))
    np.testing.assert_allclose(teacher(x), np.tanh(x @ first.T + bias) @ second[0] + offset[0], rtol=1e-12)


def test_constants_of_network_settings():
    values, softmax, flips = NETWORKS[1], NETWORKS[2], NETWORKS[3]
    assert values.noise == pytest.approx(0.02)
    rng = np.random.default_rng(4)
    # of a symmetric prior the best constant is 0
    squares = [(values.teacher(rng)(values.inputs(300, rng)) ** 2).sum(1).mean() for _ in range(600)]
    mean, spread = np.mean(squares), np.std(squares)
    assert values.target_variance == pytest.approx(mean, abs=5 * spread * math.sqrt(1 / 600 + 1 / 256))
    assert 0 < softmax.noise < math.log(2)
    assert softmax.noise + softmax.target_variance < math.log(2) + 1e-9
    assert flips.noise == pytest.approx(0.1)
    assert flips.noise + flips.target_variance <= 0.5
    assert values.parameters == SMALL.parameters


def test_a_network_realizes_itself():
    assert NETWORKS[0].realizability(NetworkFunctions(SMALL)).estimate == 0
    assert NETWORKS[0].realizability(AllFunctions()).estimate == 0


@pytest.fixture(scope="module")
def digits():
    recipe = Recipe(learning_rate=0.01)
    return ImageTeacher("digits", MLP((64, 8, 10)), teacher_n=400, teacher_steps=300, recipe=recipe)


def test_a_teacher_of_images_has_learned_them_and_differs_from_the_next(digits):
    from errsrc.datasets import images

    rng = np.random.default_rng(0)
    x = digits.fresh(10_000, np.random.default_rng(5))
    assert len(x) == len(images("digits").test_x)
    one, other, again = digits.teacher(rng), digits.teacher(rng), digits.teacher(np.random.default_rng(0))
    np.testing.assert_array_equal(one(x), again(x))
    agree = (one(x).argmax(1) == other(x).argmax(1)).mean()
    assert 0.6 < agree < 1
    order = np.random.default_rng(5).choice(len(x), len(x), replace=False)
    assert (one(x).argmax(1) == images("digits").test_y[order]).mean() > 0.75


def test_images_are_drawn_once(digits):
    x = digits.inputs(1197, np.random.default_rng(0))
    assert len(np.unique(x, axis=0)) > 1190  # a few of the digits are the same
    assert x.mean() == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="'n' parameter of ImageTeacher must be an integer <= 1197"):
        digits.inputs(1198, np.random.default_rng(0))


def test_images_are_inputs_of_random_networks():
    setting = NetworkTeacher(MLP((20, 3, 1), "tanh"), domain="digits", components=20)
    assert (setting.pool_size, setting.test_pool_size) == (1197, 600)
    x = setting.inputs(1197, np.random.default_rng(0))
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(x.T @ x / 1197, np.eye(20), atol=1e-12)
    at = setting.fresh(10_000, np.random.default_rng(1))
    assert at.shape == (600, 20)
    assert not {row.tobytes() for row in x} & {row.tobytes() for row in at}
    # whitened components span the same space as the pixels that they are made from
    raw = NetworkTeacher(MLP((64, 3, 1), "tanh"), domain="digits")
    pixels = raw.inputs(1197, np.random.default_rng(0))
    left = pixels - x @ np.linalg.lstsq(x, pixels, rcond=None)[0]
    variances = np.linalg.svd(pixels - pixels.mean(0), compute_uv=False) ** 2
    assert np.square(left).sum() == pytest.approx(variances[20:].sum(), rel=1e-5)
    assert raw.fresh(5, np.random.default_rng(0)).shape == (5, 64)


def test_quadratic_networks_have_no_closed_forms_at_images():
    network = QuadraticNetwork(5, 2)
    setting = NetworkTeacher(network, 1.0, domain="digits", components=5)
    assert not hasattr(setting.teacher(np.random.default_rng(0)), "squared_distance")
    normal = NetworkTeacher(network, 1.0).target_variance
    assert setting.target_variance != pytest.approx(normal, rel=0.02)


REFUSED = [
    (lambda: NetworkTeacher(SMALL, components=3), "'components' .* must be 0 for the domain 'normal'"),
    (lambda: NetworkTeacher(SMALL, domain="digits"), "64 inputs, the pixels of an image of digits"),
    (lambda: NetworkTeacher(SMALL, domain="digits", components=5), "5 inputs, the components of an image"),
    (
        lambda: NetworkTeacher(MLP((62, 1)), domain="digits", components=62),
        "'components' .* an integer <= 61, the number of components of digits whose variance is not 0",
    ),
    (lambda: principal_components("digits", 62, "NetworkTeacher"), "'components' .* an integer <= 61, "),
    (
        lambda: NetworkTeacher(MLP((64, 1)), domain="digits").inputs(1198, np.random.default_rng(0)),
        "'n' parameter of NetworkTeacher must be an integer <= 1197",
    ),
    (lambda: NetworkTeacher(MLP((2, 1)), loss="log", channel=Flips()), "two outputs or more"),
    (lambda: NetworkTeacher(SMALL, channel=Flips()), "Clean or Gaussian for the squared loss"),
    (lambda: NetworkTeacher(SMALL, loss="log"), "Flips or Softmax for the log loss"),
    (lambda: NetworkTeacher(SMALL, domain="cube"), "'domain'"),
    (lambda: NetworkTeacher(SMALL, weight_std=0.0), "'weight_std'"),
    (lambda: NetworkTeacher(MLP((2, 3, 1), "tanhh")), "did you mean 'tanh'"),
    (lambda: ImageTeacher("digits", SMALL, 100), "64 inputs and 10 outputs for digits"),
    (lambda: ImageTeacher("digits", MLP((64, 10)), 0), "'teacher_n'"),
    (
        lambda: ImageTeacher("digits", MLP((64, 10)), 9, recipe=Recipe(loss="squared")),
        "a recipe of the log loss",
    ),
    (lambda: LinearTeacher(0), "'dim' parameter of LinearTeacher must be an integer >= 1"),
    (lambda: LinearTeacher(3, spectrum=(1.0, 2.0)), "'spectrum' .* must be 3 variances"),
    (lambda: LinearTeacher(2, spectrum=(1.0, -1.0)), "'spectrum' .* finite number > 0"),
    (lambda: LinearTeacher(2, channel=Flips(0.1)), r"'channel' .* Clean\(\) or Gaussian"),
    (lambda: LinearTeacher(2, outputs=2, rank=3), "'rank' .* <= 2"),
    (lambda: BandTeacher(Torus(-1)), "'degree' .* >= 0"),
    (lambda: GaussianProcessTeacher(1, domain="sphere"), "'dim' .* >= 2"),
    (lambda: GaussianProcessTeacher(1, kernel="mattern"), "did you mean 'matern'"),
    (lambda: GaussianProcessTeacher(1, length=0.0), "'length' .* > 0"),
    (lambda: TableTeacher(3, classes=2, channel=Flips(0.6)), "'channel' .* at most 0.5"),
    (lambda: TableTeacher(3, loss="squared"), "'loss'"),
    (lambda: Gaussian(0.0), "'noise_std' .* >= 1e-100"),
    (lambda: Flips(1.5), "'rate'"),
    (lambda: Softmax(0), "'temperature'"),
    (lambda: RankK(0), "'rank'"),
    (lambda: Band(Torus(-1)), "'degree'"),
    (lambda: BandTeacher(Torus(1), tail=0.5), "'tail' .* unless 'beyond' is given"),
    (lambda: BandTeacher(Torus(2), beyond=Torus(1)), "'beyond' .* a basis that contains"),
    (lambda: BandTeacher(Torus(2), beyond=Torus(2)), "'beyond' .* larger than"),
    (lambda: BandTeacher(Torus(2), beyond=Legendre(9)), "'beyond' .* a basis that contains"),
    (lambda: BandTeacher(ImageBasis(), nodes=Jittered()), "'nodes' .* inputs of ImageBasis are given"),
    (lambda: SparseTeacher(Torus(1), 4), "'sparsity'"),
    (lambda: SparseTeacher(Torus(1), 1, channel=Flips(0.1)), "'channel'"),
    (lambda: Jittered(2.0), "'amount'"),
    (lambda: Clustered(3, 0.0), "'width'"),
    (lambda: Gappy(1.0), "'gap'"),
    (lambda: Uneven(-1.0), "'contrast'"),
    (lambda: ImageBasis(unlabelled=10**6).split, "'unlabelled'"),
    (lambda: LinearTeacher(2).realizability(Band(Torus(1))), "'function_class' .* LinearTeacher can measure"),
    (lambda: BandTeacher(Torus(2)).frame(Linear(), np.zeros((1, 1))), "a band on the domain"),
    (lambda: TableTeacher(2).realizability(Linear()), "'function_class'"),
]


@pytest.mark.parametrize(("drawn", "shape"), [([0.5], "(1,)"), ([[0.5], [0.5]], "(2, 1)"), (0.5, "()")])
def test_inputs_of_another_shape_are_refused(drawn, shape, monkeypatch):
    monkeypatch.setattr(LinearTeacher, "inputs", lambda self, count, rng: drawn)
    monkeypatch.setattr(LinearTeacher, "input_dim", Setting.input_dim)
    with pytest.raises(
        ValueError, match=re.escape(f"of shape (count, dim). Got <inputs(1, rng) of shape {shape}>")
    ):
        LinearTeacher(2).input_dim  # noqa: B018


@pytest.mark.parametrize(("wrong", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_what_is_refused(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        wrong()


def test_a_network_class_takes_a_network():
    assert NetworkFunctions(MLP((2, 3, 1))) == NetworkFunctions(MLP((2, 3, 1)))
    with pytest.raises(TypeError, match="'architecture' parameter of NetworkFunctions"):
        NetworkFunctions((2, 3, 1))


def test_more_inputs_than_memory_are_refused():
    with pytest.raises(ValueError, match=r"'n' parameter of budget must be at most .* Got 1000000000000"):
        drawn_inputs(LinearTeacher(20), 10**12, np.random.default_rng(0), "budget")
