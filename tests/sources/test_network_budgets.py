"""Budgets of network teachers: terms in brackets, certificates, what the optimiser left, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from network_draws import draws
from scipy import stats

from errsrc.bases import Torus
from errsrc.curves import curve_shape
from errsrc.errors import NoAnswer
from errsrc.learners import KernelRidge, Memory, Neighbours, NetworkStudent, Ridge
from errsrc.nets import CNN, MLP, QuadraticNetwork, quadratic_form
from errsrc.settings import (
    BandTeacher,
    Flips,
    Gaussian,
    ImageTeacher,
    NetworkTeacher,
    Softmax,
    TableTeacher,
)
from errsrc.settings.network import NetworkFunction
from errsrc.sources import Effort, budget, uncertainty_bracket
from errsrc.sources.bracket import bounds
from errsrc.sources.bracket.draws import draw_teachers
from errsrc.sources.bracket.realizability import prune_units
from errsrc.sources.limits import uncertainty_limit
from errsrc.sources.terms import TERMS
from errsrc.studies.budgets import BudgetCell, budget_from_row, budget_table, compute_budgets
from errsrc.theory import quadratic_networks
from errsrc.training import Recipe

torch.set_num_threads(1)

TANH = MLP((2, 2, 1), "tanh")
QUICK = Effort(starts=3, steps=60, chains=2, transitions=4, leaps=40)


def setting(noise_std=None, **changed):
    channel = {} if noise_std is None else {"channel": Gaussian(noise_std)}
    return NetworkTeacher(**({"architecture": TANH, "weight_std": 1.0, "bias_std": 1.0} | changed | channel))


def student(*hidden, activation="tanh", **changed):
    how = {"steps": 60, "validation": 0.0, "precision": "float64"} | changed
    return NetworkStudent(MLP((2, *hidden, 1), activation), Recipe("lbfgs", loss="squared"), **how)


def sides(found, name):
    bracket = getattr(found, name)
    return bracket.lower.estimate, bracket.upper.estimate


PAIRS = [
    (setting(), student(2), 40),
    (setting(), student(2), 6),
    (setting(), student(1), 40),
    (setting(0.2), student(2), 12),
    (setting(0.2), student(5), 12),
    (setting(0.2), student(1), 12),
    (setting(0.2), student(2, members=3), 12),
    (setting(0.2), KernelRidge(ridge=0.04), 12),
    (setting(0.2), Ridge(1.0), 12),
    (setting(architecture=MLP((2, 3, 1))), student(3, activation="relu"), 12),
    (setting(domain="sphere", architecture=MLP((2, 3, 2), "tanh")), Neighbours(1), 8),
]


@pytest.mark.full
@pytest.mark.parametrize(("world", "learner", "n"), PAIRS, ids=lambda v: str(v)[:60])
def test_terms_sum_to_the_total_and_are_no_less_than_zero(world, learner, n):
    found = budget(world, learner, n, draws=6, seed=1, effort=QUICK)
    ends = {name: sides(found, name) for name in TERMS}
    known = found.uncertainty.closed  # then realizability and deficiency are traded, else uncertainty and it
    traded = ends["noise"][0] + ends["realizability"][0] + ends["uncertainty"][1] + ends["deficiency"][known]
    assert traded == pytest.approx(found.total.estimate, rel=1e-12)
    for name in TERMS:
        bracket = getattr(found, name)
        assert bracket.lower.high >= 0
        assert bracket.upper.high >= 0
        assert bracket.upper.estimate >= -1e-12
    if ends["realizability"] == (0, 0):
        other = ends["noise"][0] + ends["uncertainty"][0] + ends["deficiency"][1]
        assert other == pytest.approx(found.total.estimate, rel=1e-12)
    assert (found.optimiser is None) == (not isinstance(learner, NetworkStudent))
    assert (found.all_functions is None) == (learner.function_class == KernelRidge().function_class)
    relative = found.relative
    assert relative.total.estimate == pytest.approx(found.total.estimate / found.scale)
    assert "draws of teacher and data" in str(relative)


@pytest.mark.full
def test_without_noise_all_is_deficiency_from_2p_plus_1_examples_on():
    world = setting()
    found = budget(world, student(6), 2 * world.parameters + 1, draws=4)
    assert sides(found, "uncertainty") == sides(found, "realizability") == (0, 0)
    assert found.deficiency.closed
    assert found.deficiency.lower == found.total
    assert "outputs equal bit by bit" in found.status
    assert "2P + 1" in found.status
    below = budget(world, student(6), 2 * world.parameters, draws=4, effort=QUICK)
    assert "2P + 1" not in below.status


@pytest.mark.full
def test_a_student_too_small_lacks_at_most_what_distillation_lacks():
    """The rest is known from the data, and the learner itself is in the class."""
    found = budget(setting(), student(1, steps=100), 200, draws=3)
    low, high = sides(found, "realizability")
    assert low == 0 < high
    assert high <= found.total.estimate * 1.05
    assert sides(found, "uncertainty") == (0, 0)
    assert sides(found, "deficiency")[1] == pytest.approx(found.total.estimate)


def test_linear_maps_lack_what_least_squares_leaves():
    """Of one linear unit nothing; of tanh units what a fresh regression leaves, above and below alike."""
    line = budget(setting(architecture=MLP((2, 1))), Ridge(1e-6), 30, draws=4)
    assert sides(line, "realizability")[0] > 0.1  # the offset
    bent = budget(setting(weight_std=3.0), Ridge(1e-6), 30, draws=12)
    low, high = sides(bent, "realizability")
    assert low == pytest.approx(high, rel=0.1)


@pytest.mark.full
def test_the_optimiser_left_what_training_did_not_reach():
    quick, slow = (budget(setting(), student(4, steps=steps), 30, draws=6) for steps in (2, 200))
    assert quick.optimiser.estimate > 100 * slow.optimiser.estimate >= 0
    assert quick.deficiency.lower.estimate > slow.deficiency.lower.estimate


def test_students_that_diverge_are_left_out_and_said():
    def wild(rate):
        recipe = Recipe("sgd", learning_rate=rate, momentum=0.0, loss="squared", warmup=0)
        return NetworkStudent(TANH, recipe, steps=300, validation=0.0)

    found = budget(setting(weight_std=2.0), wild(0.7), 30, draws=12)
    assert 2 <= len(found.draws["total"]) < 12
    assert (
        f"{12 - len(found.draws['total'])} more draws are left out, because a student diverged"
        in found.status
    )
    with pytest.raises(NoAnswer, match="No budget of 12 draws: 12 of 12 networks diverged"):
        budget(setting(weight_std=2.0), wild(50.0), 30, draws=12)


@pytest.mark.full
def test_classes_have_budgets_of_their_own_losses():
    network = MLP((2, 3, 3), "tanh")
    learner = NetworkStudent(network, Recipe("adam"), steps=200)
    for loss, channel in (("zero-one", Flips(0.1)), ("log", Softmax(0.5)), ("log", Flips(0.2))):
        world = NetworkTeacher(network, loss=loss, channel=channel)
        found = budget(world, learner, 100, draws=4)
        assert found.total.estimate >= found.noise.lower.estimate > 0
        assert sides(found, "uncertainty")[0] == 0
        assert sides(found, "uncertainty")[1] == pytest.approx(
            found.total.estimate - found.noise.lower.estimate
        )


def test_random_teachers_of_images_have_budgets_without_a_certificate():
    images = {"domain": "digits", "components": 2}
    few = Effort(starts=2, steps=8, chains=2, transitions=2, leaps=4, unlabelled=40)
    world = setting(**images)
    found = budget(world, student(2, steps=8), 2 * world.parameters + 1, draws=4, effort=few)
    assert "2P + 1" not in found.status
    assert "each evaluated on 512 of the 600 test inputs" in found.status
    assert sides(found, "realizability") == (0, 0)
    line = budget(setting(0.2, **images), Ridge(1e-6), 30, draws=4, effort=few)
    assert "least squares on all test inputs" in line.status
    low, high = sides(line, "realizability")
    assert 0 < low == high
    with pytest.raises(ValueError, match="'n' parameter of budget must be an integer <= 1197, the number of"):
        budget(world, student(2), 1198, draws=4, effort=few)


def test_several_learners_share_chains_and_have_the_same_numbers():
    options = {"draws": 4, "effort": Effort(starts=1, steps=4, chains=2, transitions=2, leaps=2)}
    learners = [student(2, steps=4), student(2, steps=4), Neighbours(1)]
    bounds._of_every_student.cache_clear()
    first, again, other = (budget(setting(0.2), one, 6, **options) for one in learners)
    assert bounds._of_every_student.cache_info().misses == 1
    bounds._of_every_student.cache_clear()
    alone = budget(setting(0.2), learners[2], 6, **options)
    for one, same in ((first, again), (other, alone)):
        for name, values in one.draws.items():
            np.testing.assert_array_equal(same.draws[name], values)


@pytest.mark.full
def test_the_bracket_holds_the_exact_variance_at_images():
    """The posterior of a linear network is normal; the false alarms of both tests are below 1e-4."""
    world = NetworkTeacher(MLP((3, 1)), 1.0, 0.5, domain="digits", components=3, channel=Gaussian(0.3))
    data, scale = draws(world, 6, 32, points=64), np.array([1 / 3**0.5] * 3 + [0.5])
    effort = Effort(starts=1, steps=20, chains=4, transitions=8, leaps=16)
    found = uncertainty_bracket(world, *data, seed=1, effort=effort)
    exact = []
    for x, at in zip(data[1], data[3], strict=True):
        a, b = (np.c_[inputs, np.ones(len(inputs))] * scale for inputs in (x, at))
        exact.append(np.einsum("qi,ij,qj->q", b, np.linalg.inv(np.eye(4) + a.T @ a / 0.09), b).mean())
    for below, above in ((found.lower, exact), (exact, found.upper)):
        assert stats.ttest_rel(below, above).statistic < 3.9
    assert found.upper.mean() - found.lower.mean() < 0.2 * np.mean(exact)


@pytest.mark.slow
def test_real_images_have_budgets():
    network = MLP((64, 6, 10))
    world = ImageTeacher("digits", network, teacher_n=400, teacher_steps=200)
    learner = NetworkStudent(network, Recipe("adam", loss="squared"), steps=300, validation=0.0)
    few, many = (budget(world, learner, n, draws=3) for n in (50, 800))
    assert many.total.estimate < 0.6 * few.total.estimate
    assert sides(many, "realizability") == (0, 0)
    small = NetworkStudent(MLP((64, 2, 10)), Recipe("adam", loss="squared"), steps=300, validation=0.0)
    low, high = sides(budget(world, small, 800, draws=3), "realizability")
    assert low == 0 < high


@pytest.mark.full
def test_convolutions_have_budgets():
    network = CNN(4, 1, 1, "tanh")
    learner = NetworkStudent(CNN(4, 2, 1, "tanh"), Recipe("lbfgs", loss="squared"), steps=30, validation=0.0)
    found = budget(NetworkTeacher(network), learner, 2 * network.parameters + 1, draws=3)
    assert sides(found, "uncertainty") == sides(found, "realizability") == (0, 0)


def test_limits_are_known_for_quadratic_networks_alone():
    world = NetworkTeacher(QuadraticNetwork(20, 10), 1.5, channel=Gaussian(0.3))
    value, said = uncertainty_limit(world, 150)
    assert value == float(quadratic_networks(150, 20, 10, noise=0.09, weight_std=1.5))
    assert "Maillard" in said
    others = (replace(world, domain="sphere"), setting(0.2), BandTeacher(Torus(3)))
    assert [uncertainty_limit(other, 150) for other in others] == [None] * 3


@pytest.mark.full
def test_quadratic_networks_have_exact_risks_and_an_exact_realizability():
    world = NetworkTeacher(QuadraticNetwork(4, 2), 1.0)
    learner = NetworkStudent(
        QuadraticNetwork(4, 1), Recipe("lbfgs", loss="squared"), 60, 0.0, precision="float64"
    )
    found = budget(world, learner, 10, draws=3)
    assert "exact, without test inputs" in found.status
    assert sides(found, "uncertainty") == (0, 0)  # at d (d + 1) / 2 inputs the products determine the form
    forms = [quadratic_form(one).numpy() for one in draw_teachers(world, 3, 0)]
    smaller = [np.linalg.eigvalsh(one)[:-1] for one in forms]
    np.testing.assert_allclose(found.draws["realizability"], [2 * np.sum(v**2) / 4 for v in smaller])
    cell = BudgetCell(world, replace(learner, architecture=QuadraticNetwork(4, 3)), 5, draws=3, effort=QUICK)
    (row,) = compute_budgets([cell])
    limited = budget_from_row(row | {"n": 5, "level": 0.95})
    assert limited.limit.estimate == float(quadratic_networks(5, 4, 2)) > 0
    assert limited.relative.limit.estimate == limited.limit.estimate / world.target_variance
    assert "in the limit of large sizes" in str(limited)
    assert "no bound at d = 4" in limited.status
    wider = budget(world, replace(learner, architecture=QuadraticNetwork(4, 3)), 10, draws=3)
    assert sides(wider, "realizability") == (0, 0)
    assert "up to rounding" in wider.status


def test_a_pruned_teacher_is_the_teacher_where_nothing_is_cut():
    rng = np.random.default_rng(0)
    network = MLP((3, 5, 4, 2), "tanh")
    teacher = NetworkTeacher(network).teacher(rng)
    x = rng.standard_normal((20, 3))
    same = NetworkFunction(network, prune_units(teacher, network, x))
    np.testing.assert_allclose(same(x), teacher(x))
    less = MLP((3, 2, 3, 2), "tanh")
    assert NetworkFunction(less, prune_units(teacher, less, x))(x).shape == (20, 2)
    assert prune_units(teacher, MLP((3, 9, 4, 2), "tanh"), x) is None
    assert prune_units(teacher, MLP((3, 2, 2), "tanh"), x) is None


@pytest.mark.full
def test_a_row_gives_the_budget_back():
    cell = BudgetCell(setting(0.2), student(2), 12, draws=4, effort=QUICK)
    (row,) = compute_budgets([cell])
    found = budget_from_row(row | {"n": 12, "level": 0.95})
    whole = budget(cell.setting, cell.learner, 12, draws=4, effort=QUICK)
    assert found.total == whole.total
    assert found.all_functions.lower == whole.all_functions.lower
    assert found.optimiser == whole.optimiser
    assert "optimiser" in budget_table([found])


def test_flips_put_the_best_predictor_of_log_loss_outside_every_network():
    """Of a step between two probabilities: no certificate by embedding, and none in the setting's answer."""
    network = MLP((1, 2))
    world = NetworkTeacher(network, loss="log", channel=Flips(0.2))
    learner = NetworkStudent(network, Recipe("lbfgs"), steps=60, validation=0.0, precision="float64")
    found = budget(world, learner, 200, draws=4)
    assert sides(found, "realizability")[1] > 0.02
    with pytest.raises(ValueError, match="function_class"):
        world.realizability(learner.function_class)
    assert NetworkTeacher(network, loss="log", channel=Softmax()).realizability(learner.function_class)


@pytest.mark.full
def test_a_design_of_ones_own_gets_no_certificate():
    world = NetworkTeacher(MLP((2, 1)), weight_std=2.0, bias_std=0.0)
    learner = NetworkStudent(MLP((2, 1)), Recipe("lbfgs", loss="squared"), steps=40, validation=0.0)
    found = budget(world, learner, 7, x=np.zeros((7, 2)), draws=4, effort=QUICK)
    assert sides(found, "uncertainty")[1] > 0.5
    line = NetworkTeacher(MLP((1, 1)), domain="sphere")
    found = budget(line, NetworkStudent(MLP((1, 1))), 5, draws=4, effort=QUICK)
    assert "2P + 1" not in found.status


def test_the_noise_of_a_softmax_has_an_interval():
    network = MLP((2, 2, 2), "tanh")
    learner = NetworkStudent(network, Recipe(), steps=50)
    found = budget(NetworkTeacher(network, loss="log", channel=Softmax()), learner, 50, draws=8)
    assert found.noise.lower.low < found.noise.lower.estimate < found.noise.lower.high
    assert found.draws["noise"].std() > 0


@pytest.mark.parametrize(
    ("world", "learner", "message"),
    [
        (setting(), NetworkStudent(MLP((3, 2, 1))), "one for 2 inputs and 1 outputs"),
        (BandTeacher(Torus(2)), student(2), "one for 1 inputs and 1 outputs"),
    ],
)
def test_what_does_not_fit_is_refused(world, learner, message):
    with pytest.raises(ValueError, match=message):
        budget(world, learner, 10, draws=2)
    with pytest.raises(ValueError, match=message):
        BudgetCell(world, learner, 10)


def test_what_is_no_learner_and_no_effort_is_refused():
    with pytest.raises(TypeError, match="'learner' parameter of budget"):
        budget(setting(), "ridge", 5)
    with pytest.raises(TypeError, match="'effort' parameter of budget"):
        budget(setting(), student(2), 5, effort=5)
    items = TableTeacher(10, classes=3)
    with pytest.raises(ValueError, match=r"integers from 0 to 9\. Got 0\.5"):
        budget(items, Memory(), 1, x=np.array([[0.5]]))
    nothing = NetworkTeacher(MLP((2, 2)), loss="zero-one", channel=Flips(0.5))
    with pytest.raises(ValueError, match="target varies"):
        assert budget(nothing, Neighbours(1), 10, draws=4).relative


def test_zeros_that_are_counted_are_no_cliff():
    """A true error 1/n, counted: 0 of 1,024 says no more than that it is at most some 0.003."""
    rng, counts = np.random.default_rng(0), []
    n = 4.0 * 4 ** np.arange(6)
    for _ in range(10):
        error = rng.binomial(1024, 1 / n) / 1024
        doubt = np.sqrt(np.maximum(error, 1 / 1024) / 1024)
        counts.append(curve_shape(n, error, std_error=doubt, zero=3 / 1024).verdict)
    assert counts.count("cliff") <= 1
    few = curve_shape([10, 20, 40, 80, 160], [1, 0.5, 0.25, 0, 0], std_error=[0.1] * 5)
    assert few.verdict == "not decided"
