"""Learners that know how many functions of a band are in use: by pursuit, and by a pencil on strides."""

import itertools
import warnings

import numpy as np
import pytest

from errsrc.bases import Cube, Legendre, Sphere, Torus
from errsrc.errors import Undersampled
from errsrc.learners import MatrixPencil, SparseRecovery
from errsrc.learners.uniqueness import _INTEGERS
from errsrc.settings import Band, Gaussian, SparseTeacher, Stride
from errsrc.settings.nodes import GOLDEN


def learned(setting, learner, n, seed=0):
    """The fit of a drawn teacher, and the teacher."""
    rng = np.random.default_rng(seed)
    teacher = setting.teacher(rng)
    x = setting.inputs(n, rng)
    y = teacher(x)
    f = learner.fit(x, setting.channel.label(y, rng), rng).function
    return f, teacher


def relative(f, teacher):
    return f.distance(teacher) / (teacher.coefficients**2).sum()


@pytest.mark.parametrize(
    ("basis", "sparsity", "n"),
    [
        (Torus(500), 5, 60),
        (Torus(12, 2), 5, 60),
        (Torus(4, 3), 4, 50),
        (Torus(6, 5, "cross"), 4, 50),
        (Sphere(15), 4, 50),
        (Cube(12, 3), 4, 60),
        (Legendre(60), 3, 60),
    ],
    ids=str,
)
def test_few_coefficients_are_found_exactly_in_any_basis(basis, sparsity, n):
    """Fewer examples than functions, 5 teachers."""
    for seed in range(5):
        f, teacher = learned(SparseTeacher(basis, sparsity), SparseRecovery(basis, sparsity), n, seed)
        assert relative(f, teacher) <= 1e-18
        assert f.certified
        np.testing.assert_array_equal(f.support, np.flatnonzero(teacher.coefficients))


def test_ten_coefficients_of_ten_thousand_from_120_examples():
    basis = Torus(5000)
    for seed in range(5):
        f, teacher = learned(SparseTeacher(basis, 10), SparseRecovery(basis, 10), 120, seed)
        assert relative(f, teacher) <= 1e-18


def test_what_is_not_found_is_not_certified():
    """Too few examples for the search: a function that leaves labels, or is the teacher."""
    basis, found = Torus(2000), 0
    for seed in range(12):
        f, teacher = learned(SparseTeacher(basis, 8), SparseRecovery(basis, 8, starts=3), 30, seed)
        exact = relative(f, teacher) <= 1e-18
        assert f.certified == exact
        found += exact
        if not exact:
            assert f.starts == 3
            assert "after 3 starts: labels have noise, or the support is not found" in f.status
    assert found < 12


def test_more_starts_find_more():
    basis, counts = Torus(1000), []
    for starts in (1, 20):
        fits = [
            learned(SparseTeacher(basis, 6), SparseRecovery(basis, 6, starts), 36, seed)[0]
            for seed in range(25)
        ]
        counts.append(sum(f.certified for f in fits))
    assert counts[0] < counts[1]


def test_with_noise_the_support_is_solved_for_by_least_squares():
    basis = Torus(200)
    setting = SparseTeacher(basis, 2, channel=Gaussian(0.01))
    f, teacher = learned(setting, SparseRecovery(basis, 2), 80, 1)
    np.testing.assert_array_equal(f.support, np.flatnonzero(teacher.coefficients))
    assert 1e-8 < relative(f, teacher) < 20 * 2 * 0.01**2 / 80  # sigma^2 K / n
    assert not f.certified


def test_fewer_than_twice_the_sparsity_is_said():
    x = np.random.default_rng(0).uniform(0, 6, (5, 1))[[0, 1, 2, 3, 4, 4, 4]]
    with pytest.warns(Undersampled, match="5 different inputs are fewer than 2 K = 6"):
        f = SparseRecovery(Torus(9), 3).fit(x, np.cos(x[:, 0]), np.random.default_rng(0)).function
    assert not f.certified


@pytest.mark.parametrize("equal", [False, True], ids=["normal", "equal"])
@pytest.mark.parametrize("design", ["random", "a face", "a subgroup"])
def test_nothing_wrong_is_certified_on_the_cube(design, equal):
    """A few nodes of the cube give many functions the same values, and equal coefficients cancel."""
    basis, counts = Cube(8, 3), dict.fromkeys(("right", "wrong", "none"), 0)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        sparsity, n = int(rng.integers(1, 5)), int(rng.integers(5, 24))
        x = basis.draw(n, rng)
        if design == "a face":
            x[:, :3] = 1.0
        if design == "a subgroup":
            x[:, 4:] = x[:, :4]
        places = rng.choice(basis.size, sparsity, replace=False)
        weights = rng.choice([-1.0, 1.0], sparsity) if equal else rng.standard_normal(sparsity)
        truth = np.zeros(basis.size)
        truth[places] = weights
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Undersampled)
            f = SparseRecovery(basis, sparsity).fit(x, basis(x) @ truth, rng).function
        right = np.allclose(f.coefficients, truth, atol=1e-8)
        counts["none" if not f.certified else "right" if right else "wrong"] += 1
    assert counts["wrong"] == 0
    assert (counts["right"] > 10) == (design == "random")


def test_a_refusal_says_that_other_functions_have_the_same_values():
    """The frequencies 3 and 19 cannot be told apart at 16 equally spaced nodes."""
    x = 2 * np.pi * np.arange(16.0)[:, None] / 16
    f = SparseRecovery(Torus(20), 1).fit(x, np.cos(19 * x[:, 0]), np.random.default_rng(0)).function
    assert f.certificate == "none"
    assert "no certificate: at these inputs 2 other functions are combinations of those found" in f.status


@pytest.mark.parametrize(
    ("sparsity", "n", "certificate"), [(2, 16, "every teacher"), (8, 60, "almost every teacher")]
)
def test_a_certificate_says_for_which_teachers(sparsity, n, certificate):
    """All pairs are compared; C(1993, 8) sets are too many."""
    f, teacher = learned(SparseTeacher(Torus(1000), sparsity), SparseRecovery(Torus(1000), sparsity), n)
    assert relative(f, teacher) <= 1e-18
    assert f.certificate == certificate


def test_the_largest_determinants_of_signs():
    """Hadamard's problem for orders 2 to 4: the integers of a relation, by all matrices of -1 and 1."""
    for order in (2, 3, 4):
        signs = np.array(list(itertools.product([-1.0, 1.0], repeat=order * order))).reshape(-1, order, order)
        assert round(np.abs(np.linalg.det(signs)).max()) == _INTEGERS[order - 1] * 2 ** (order - 1)


def test_outputs_share_a_support():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 2 * np.pi, (40, 1))
    basis, places = Torus(300), rng.choice(601, 6, replace=False)
    weights = rng.standard_normal((6, 3))
    f = SparseRecovery(basis, 6).fit(x, basis(x)[:, places] @ weights, rng).function
    np.testing.assert_array_equal(f.support, np.sort(places))
    np.testing.assert_allclose(f.coefficients[places], weights, atol=1e-10)


@pytest.mark.parametrize("step", [GOLDEN, 1 / 10_001, 377 / 10_001])
@pytest.mark.parametrize("sparsity", [2, 4, 8, 16])
def test_a_pencil_is_exact_from_two_samples_a_frequency_and_one(step, sparsity):
    """In 18 of 20 draws or more, K frequencies among 10,001 from n = 2 K + 1; certified where exact."""
    setting = SparseTeacher(Torus(5000), sparsity, pairs=True, nodes=Stride(step))
    learner, exact = MatrixPencil(Torus(5000), sparsity, step), 0
    for seed in range(20):
        f, teacher = learned(setting, learner, 2 * sparsity + 1, seed)
        right = relative(f, teacher) <= 1e-18
        assert right or not f.certified
        exact += right
    assert exact >= 18


def test_three_halves_of_a_sample_a_frequency_are_enough_and_needed():
    """K = 6: 3 frequencies k > 0 with amplitude and phase are 9 numbers."""
    setting, learner = SparseTeacher(Torus(100), 6, pairs=True, nodes=Stride()), MatrixPencil(Torus(100), 6)
    f, teacher = learned(setting, learner, 9)
    assert relative(f, teacher) <= 1e-18
    with pytest.warns(Undersampled):
        f, teacher = learned(setting, learner, 8)
    assert relative(f, teacher) > 1e-3


def test_a_pencil_finds_fewer_frequencies_than_it_may_and_the_constant():
    x = 2 * np.pi * Stride().points(15, 1, np.random.default_rng(0))
    for y in (2 + np.sin(40 * x[:, 0]), np.full(15, 3.0), np.zeros(15)):
        f = MatrixPencil(Torus(50), 7).fit(x, y, np.random.default_rng(0))
        np.testing.assert_allclose(f(x), y, atol=1e-12)
        assert f.function.certified


def test_a_pencil_returns_at_most_k_functions():
    """Three cosines and a constant of the same order as the noise are 7 functions; 5 or 4 are asked for."""
    rng = np.random.default_rng(0)
    x = 2 * np.pi * Stride().points(600, 1, rng)
    for constant in (0.0, 0.5):
        waves = np.cos(3 * x[:, 0]) + np.cos(17 * x[:, 0] + 1) + np.cos(31 * x[:, 0] + 2)
        y = waves + constant + 0.3 * rng.standard_normal(600)
        for sparsity in (4, 5, 6, 7):
            f = MatrixPencil(Torus(50), sparsity).fit(x, y, rng).function
            assert np.count_nonzero(f.coefficients) <= len(f.support) <= sparsity
            if sparsity >= 6:
                assert {3, 17, 31} <= set(f.basis.indices[f.support, 0])


def test_the_order_of_strides_and_whole_turns_do_not_matter():
    rng = np.random.default_rng(3)
    for step, n in ((GOLDEN, 20), (0.05, 20), (3 / 20, 20), (0.01, 20)):
        x = 2 * np.pi * Stride(step).points(n, 1, rng)[rng.permutation(n)] + 2 * np.pi * rng.integers(
            3, size=(n, 1)
        )
        y = np.cos(3 * x[:, 0]) - np.sin(8 * x[:, 0])
        f = MatrixPencil(Torus(9), 4, step).fit(x, y, rng)
        at = rng.uniform(0, 6, (9, 1))
        np.testing.assert_allclose(f(at), np.cos(3 * at[:, 0]) - np.sin(8 * at[:, 0]), atol=1e-9)


def test_a_pencil_with_noise_is_near_and_not_certified():
    setting = SparseTeacher(Torus(20), 4, pairs=True, nodes=Stride(), channel=Gaussian(1e-3))
    f, teacher = learned(setting, MatrixPencil(Torus(20), 4), 40, 2)
    assert relative(f, teacher) < 1e-5
    assert not f.certified
    assert f.sensitivity >= 1


@pytest.mark.parametrize("nodes", ["random", "repeated", "another step", "a gap"])
def test_a_pencil_refuses_nodes_that_are_no_strides(nodes):
    rng = np.random.default_rng(0)
    u = {
        "random": rng.uniform(size=8),
        "repeated": np.arange(8) // 2 * GOLDEN % 1,
        "another step": np.arange(8) / 8,
        "a gap": np.delete(np.arange(9) * GOLDEN % 1, 4),
    }[nodes]
    with pytest.raises(ValueError, match=r"'x' parameter of MatrixPencil must be start \+ t step") as caught:
        MatrixPencil().fit(2 * np.pi * u[:, None], np.zeros(8), rng)
    assert "\n" not in str(caught.value)


def test_a_teacher_of_pairs_has_cosines_with_their_sines():
    setting, rng = SparseTeacher(Torus(5), 4, pairs=True), np.random.default_rng(0)
    drawn = np.array([setting.teacher(rng).coefficients for _ in range(2000)])
    used = drawn != 0
    assert (used.sum(1) == 4).all()
    np.testing.assert_array_equal(used[:, 1::2], used[:, 2::2])
    assert (drawn[:, 5:] ** 2).sum(1).mean() == pytest.approx(0.6, abs=5 * 0.6 / np.sqrt(2000))
    assert setting.realizability(Band(Torus(2))).estimate == pytest.approx(0.6)


REFUSED = [
    (lambda: SparseRecovery(3), "'basis'"),
    (lambda: SparseRecovery(Torus(1), 4), "'sparsity'"),
    (lambda: SparseRecovery(starts=0), "'starts'"),
    (lambda: MatrixPencil(Torus(2, 2)), "'basis' .* a trigonometric basis of one angle"),
    (lambda: MatrixPencil(Legendre(3)), "'basis' .* a trigonometric basis of one angle"),
    (lambda: MatrixPencil(step=1.0), "'step'"),
    (lambda: MatrixPencil(Torus(10), step=1 / 20), "'step' .* frequencies up to 10 turn differently"),
    (lambda: MatrixPencil(sparsity=0), "'sparsity'"),
    (lambda: Stride(0.0), "'step'"),
    (lambda: Stride().points(3, 2, np.random.default_rng(0)), "'nodes' .* one coordinate"),
    (lambda: SparseTeacher(Torus(3), 3, pairs=True), "'pairs' .* even"),
    (lambda: SparseTeacher(Legendre(3), 2, pairs=True), "'pairs' .* Torus"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_bad_arguments_are_refused_in_one_sentence(call, message):
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
