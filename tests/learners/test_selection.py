"""Learners that choose: a band within a bound, one learner of several."""

import dataclasses
import itertools

import numpy as np
import pytest

from errsrc.bases import Cube, Legendre, Slepian, Sphere, Torus, shared_positions
from errsrc.errors import Diverged
from errsrc.learners import (
    BandLeastSquares,
    BandSelection,
    Forest,
    KernelRidge,
    LowPass,
    MatrixPencil,
    Neighbours,
    NetworkStudent,
    Tuned,
)
from errsrc.nets import MLP
from errsrc.settings import AllFunctions, Band, BandTeacher, Gaussian, ImageBasis, SparseTeacher, Stride
from errsrc.studies import parse
from errsrc.training import Recipe

PAIRS = [
    (Torus(4), Torus(30)),
    (Torus(2, 2), Torus(5, 2)),
    (Torus(3, 2, "simplex"), Torus(7, 2, "simplex")),
    (Torus(3, 3, "cross"), Torus(6, 3, "cross")),
    (Legendre(4), Legendre(30)),
    (Slepian(8.0, 4), Slepian(8.0, 12)),
    (Sphere(2), Sphere(6)),
    (Cube(7, 2), Cube(7, 4)),
    (ImageBasis(count=9), ImageBasis(count=30)),
]


def drawn(setting, n, seed=0):
    rng = np.random.default_rng(seed)
    teacher, x = setting.teacher(rng), setting.inputs(n, rng)
    return teacher, x, setting.channel.label(teacher(x), rng)


@pytest.mark.parametrize("basis", [large for _, large in PAIRS], ids=str)
def test_nested_bases_grow_one_within_the_next(basis):
    nested = basis.nested
    assert nested[-1] == basis
    assert nested[0].size == 1
    for small, large in itertools.pairwise(nested):
        assert len(shared_positions(small, large)[0]) == small.size < large.size


@pytest.mark.parametrize(("band", "bound"), PAIRS, ids=str)
def test_the_band_of_a_teacher_is_chosen_and_the_teacher_found(band, bound):
    """Fewer examples than the bound has functions, where the bound is large; 5 teachers."""
    for seed in range(5):
        teacher, x, y = drawn(BandTeacher(band), 2 * band.size + 6, seed)
        f = BandSelection(bound).fit(x, y, np.random.default_rng(0)).function
        assert f.basis == band
        assert f.vanished
        assert f.determined
        assert f.distance(teacher) <= 1e-18 * f.condition**2
        assert "the first of" in f.status


@pytest.mark.parametrize(("bound", "determined"), [(7, True), (12, False)])
def test_on_a_grid_a_larger_band_is_not_told_from_the_chosen_one(bound, determined):
    """At 16 nodes of equal distance, the frequency 12 is the frequency 4 and 7 is no other up to 7."""
    x = 2 * np.pi * np.arange(16.0)[:, None] / 16
    f = BandSelection(Torus(bound)).fit(x, np.cos(4 * x[:, 0]), np.random.default_rng(0)).function
    assert (f.basis, f.vanished, f.determined) == (Torus(4), True, determined)
    assert ("functions outside the band equal functions in it" in f.status) != determined


def test_repeated_inputs_do_not_determine_a_larger_band():
    """5 different inputs, 5 times each: any labels fit a band of 5 functions."""
    teacher = BandTeacher(Torus(10)).teacher(np.random.default_rng(0))
    x = np.repeat(np.random.default_rng(1).uniform(0, 6, (5, 1)), 5, axis=0)
    f = BandSelection(Torus(12)).fit(x, teacher(x), np.random.default_rng(0)).function
    assert f.vanished
    assert not f.determined


def test_errors_left_out_are_those_of_fits_without_each_example():
    _, x, y = drawn(BandTeacher(Torus(3), channel=Gaussian(0.3)), 16)
    f = BandSelection(Torus(6)).fit(x, y, np.random.default_rng(0)).function
    assert list(f.sizes) == [1, 3, 5, 7, 9, 11, 13]
    for k, band in enumerate(Torus(6).nested):
        missed = 0.0
        for i in range(16):
            rest = np.arange(16) != i
            one = BandLeastSquares(band).fit(x[rest], y[rest], np.random.default_rng(0))
            missed += (one(x[[i]])[0] - y[i]) ** 2
        assert f.validation[k] == pytest.approx(missed / (y**2).sum(), rel=1e-6)
        whole = BandLeastSquares(band).fit(x, y, np.random.default_rng(0)).function
        assert f.residuals[k] == pytest.approx(whole.residual, rel=1e-9)


def test_with_noise_the_band_is_chosen_by_labels_left_out():
    """Noise of a tenth of the target: never too small a band, and mostly the right one."""
    sizes = []
    for seed in range(20):
        _, x, y = drawn(BandTeacher(Torus(4), channel=Gaussian(0.1)), 80, seed)
        f = BandSelection(Torus(30)).fit(x, y, np.random.default_rng(0)).function
        assert not f.vanished
        assert "by labels left out" in f.status
        sizes.append(f.basis.size)
    assert min(sizes) == 9
    assert np.median(sizes) == 9


def test_a_function_beyond_the_bound_is_said_to_be():
    _, x, y = drawn(BandTeacher(Torus(9)), 60)
    f = BandSelection(Torus(5)).fit(x, y, np.random.default_rng(0)).function
    assert not f.vanished
    assert f.residuals.min() > 0.1
    assert "or the function is outside the bound" in f.status


def test_too_few_examples_for_the_band_never_make_it_vanish():
    for n in range(1, 10):
        _, x, y = drawn(BandTeacher(Torus(4)), n)
        f = BandSelection(Torus(30)).fit(x, y, np.random.default_rng(0)).function
        assert not f.vanished
        assert f.basis.size < max(n, 2)


def test_repeated_nodes_determine_no_more_than_they_are():
    x = np.repeat([[1.0], [3.0], [5.0]], 10, axis=0)
    y = np.repeat([1.0, -1.0, 2.0], 10)
    f = BandSelection(Torus(8)).fit(x, y, np.random.default_rng(0)).function
    assert f.basis == Torus(1)
    assert np.isinf(f.validation[2:]).all()


def test_the_best_candidate_is_fitted_to_all_examples():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (60, 1))
    y = np.sin(2 * x[:, 0])
    candidates = (Neighbours(1), KernelRidge(length=1.0, ridge=1e-8), KernelRidge(length=0.01))
    f = Tuned(candidates).fit(x, y, rng)
    choice = f.function
    assert choice.chosen == choice.losses.argmin() == 1
    assert choice.losses[1] < 1e-6 < choice.losses[0]
    at = np.linspace(-3, 3, 9)[:, None]
    np.testing.assert_allclose(f(at), candidates[1].fit(x, y, rng)(at), atol=1e-12)
    assert "KernelRidge" in choice.status


def test_losses_are_of_examples_that_were_not_learned_from():
    """1 nearest neighbour has no error on what it has seen."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((40, 2)), rng.standard_normal(40)
    choice = Tuned((Neighbours(1), Neighbours(30))).fit(x, y, rng).function
    assert choice.losses[0] > choice.losses[1] > 0.3
    assert choice.chosen == 1


def test_a_candidate_that_diverges_is_not_chosen():
    recipe = Recipe("sgd", learning_rate=1e6, warmup=0, loss="squared")
    fast = NetworkStudent(MLP((1, 1)), recipe, 40, validation=0.0)
    x = np.linspace(-1, 1, 40)[:, None]
    choice = Tuned((fast, Neighbours(3))).fit(x, x[:, 0], np.random.default_rng(0)).function
    assert choice.losses[0] == np.inf
    assert choice.chosen == 1
    with pytest.raises(Diverged):
        Tuned((fast,)).fit(x, x[:, 0], np.random.default_rng(0))


def test_all_data_sets_choose_for_themselves():
    rng = np.random.default_rng(2)
    x = rng.uniform(-3, 3, (80, 1))
    ys = [np.sin(x[:, 0]), rng.standard_normal(80)]
    tuned = Tuned((KernelRidge(length=1.0, ridge=1e-8), KernelRidge(length=1.0, ridge=1e6)))
    found = tuned.fit_many([x, x], ys, [np.random.default_rng(k) for k in range(2)])
    assert [f.function.chosen for f in found] == [0, 1]


def test_classes_that_are_all_held_out_count():
    x = np.arange(12.0)[:, None]
    y = np.zeros(12, dtype=np.int64)
    y[-1] = 2
    for seed in range(6):
        f = Tuned((Neighbours(1), Forest(trees=5))).fit(x, y, np.random.default_rng(seed))
        assert f(x).shape == (12, 3)
        assert np.isfinite(f.function.losses).all()


def test_learners_of_learners_and_their_nodes_are_tables_of_a_spec():
    study = parse("""
        kind = "budget"
        [cell]
        n = 20
        [cell.setting]
        kind = "sparse-teacher"
        basis = {kind = "torus", degree = 9}
        nodes = {kind = "stride", step = 0.3}
        sparsity = 4
        pairs = true
        [cell.learner]
        kind = "tuned"
        candidates = [
            {kind = "kernel-ridge", length = 0.5},
            {kind = "band-selection", bound = {kind = "legendre", degree = 4}},
            {kind = "matrix-pencil", basis = {kind = "torus", degree = 2}, sparsity = 4, step = 0.3},
        ]
    """)
    assert study[0].setting == SparseTeacher(Torus(9), 4, pairs=True, nodes=Stride(0.3))
    pencil = MatrixPencil(Torus(2), 4, 0.3)
    assert study[0].learner == Tuned((KernelRidge(length=0.5), BandSelection(Legendre(4)), pencil))


def test_the_class_of_functions_is_the_candidates_where_it_is_one():
    assert Tuned((BandLeastSquares(), BandLeastSquares(ridge=1.0))).function_class == Band(Torus())
    assert Tuned((BandLeastSquares(), KernelRidge())).function_class == AllFunctions()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BandSelection(3), "'bound'"),
        (lambda: Tuned(()), "'candidates' .* 1 or more values, each a learner"),
        (lambda: Tuned((3,)), "'candidates' .* Got .3,."),
        (lambda: Tuned(validation=1.0), "'validation'"),
        (lambda: dataclasses.replace(Tuned(), validation=0.0), "'validation'"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(call, message):
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_projected_network_that_diverges_is_not_chosen():
    recipe = Recipe("sgd", learning_rate=1e3, warmup=0, loss="squared")
    diverging = LowPass(NetworkStudent(MLP((1, 8, 1)), recipe, steps=60), Torus(2))
    x = np.random.default_rng(0).uniform(0, 6, (40, 1))
    tuned = Tuned((diverging, KernelRidge(ridge=1e-3)))
    found = tuned.fit(x, np.sin(x[:, 0]), np.random.default_rng(1)).function
    assert found.chosen == 1
    assert found.losses[0] == np.inf
