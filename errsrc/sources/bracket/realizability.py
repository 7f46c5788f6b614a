"""Bounds of the realizability: the smallest excess risk that a function of the learner's class can have.

If the setting defines the realizability of the class, `Setting.realizability` is used.  For a class of
networks and a network teacher, a student of the class is trained on many values of the teacher; the student's
excess risk is an upper bound.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from errsrc.nets import MLP, Network, QuadraticNetwork, Weights, embed, embeds, quadratic_form, same_function
from errsrc.nets.embedding import embeds_exactly
from errsrc.nets.layers import ACTIVATIONS
from errsrc.rng import generator, seed_of
from errsrc.settings import FunctionClass, Linear, NetworkFunctions, Setting
from errsrc.settings.network import NetworkFunction, NetworkSetting, best_is_network
from errsrc.settings.setting import Array
from errsrc.sources.bracket.draws import Draw, draw_points, draw_teachers
from errsrc.sources.bracket.upper import choose
from errsrc.sources.experiments import Experiment
from errsrc.sources.terms import LowerUpper, PerDraw
from errsrc.training import Member, Recipe, train

STARTS = 4
"""Number of trainings that distil a teacher into a class; one of them starts from the pruned teacher."""

_EXAMPLES, _LARGEST_POOL = 1024, 20_000  # numbers of labelled inputs that are used as unlimited data
_REGRESSION_INPUTS = 4096  # the same number, for linear maps
_CERTIFIED_INPUTS = 64  # number of inputs at which an embedding's outputs are compared
_FEW_INPUTS = (Recipe("lbfgs", loss="squared", evaluation_interval=300), 300, torch.float64)
_MANY_INPUTS = (Recipe(loss="squared", decay=1.0), 5000, torch.float32)  # small batches, small steps


@functools.singledispatch
def realizability_bounds(
    setting: Setting, experiment: Experiment, draws: Sequence[Draw], excess: PerDraw
) -> tuple[LowerUpper, str]:
    """Return bounds of the realizability in each draw, and how the bounds were computed.

    Parameters
    ----------
    setting : Setting
        The setting.  If its `Setting.realizability` is known for the learner's class, this value is used.
    experiment : Experiment
        Gives the learner and its class.
    draws : sequence of Draw
        Draws of teacher and data.
    excess : ndarray of float64, (draws,)
        The learner's own excess risk in each draw, which is an upper bound of the realizability.

    Returns
    -------
    bounds : pair of ndarray of float64, (draws,)
        A lower and an upper value for each draw; their means over draws are the bounds.
    how : str
        How the bounds were computed: a sentence that starts in lower case.
    """
    try:
        known = setting.realizability(experiment.function_class)
    except ValueError:  # documented for classes whose realizability is not known
        return _between_zero_and(excess)
    how = "0, of all functions." if experiment.function_class.unrestricted else "known for the setting."
    return (np.full(len(draws), known.low), np.full(len(draws), known.high)), how


def _between_zero_and(excess: PerDraw) -> tuple[LowerUpper, str]:
    return (np.zeros(len(excess)), excess), "between 0 and the learner's own risk: not known for its class."


@realizability_bounds.register
def _of_network_teachers(
    setting: NetworkSetting, experiment: Experiment, draws: Sequence[Draw], excess: PerDraw
) -> tuple[LowerUpper, str]:
    return _of_class(experiment.function_class, setting, experiment, draws, excess)


@functools.singledispatch
def _of_class(
    function_class: FunctionClass,
    setting: NetworkSetting,
    experiment: Experiment,
    draws: Sequence[Draw],
    excess: PerDraw,
) -> tuple[LowerUpper, str]:
    """Return the bounds for a class of functions of the teachers' inputs: 0 for all functions."""
    if not function_class.unrestricted:
        return _between_zero_and(excess)
    zero = np.zeros(len(draws))
    return (zero, zero), "0, of all functions."


@_of_class.register
def _of_linear_maps(
    function_class: Linear,
    setting: NetworkSetting,
    experiment: Experiment,
    draws: Sequence[Draw],
    excess: PerDraw,
) -> tuple[LowerUpper, str]:
    """Return mean squared residuals of linear maps: on the inputs they are fitted to, and on others.

    If the setting has a fixed set of test inputs, the residual of the best map on this set is exact.
    """
    if setting.loss != "squared":
        return _between_zero_and(excess)
    sides = []
    for draw in draws:
        rng = generator(experiment.seed, "budget", draw.number, "distillation")
        pool = setting.test_pool_size
        x = setting.inputs(_REGRESSION_INPUTS, rng) if pool is None else setting.fresh(pool, rng)
        y = draw.teacher(x).reshape(len(x), -1)
        best = np.linalg.lstsq(x, y, rcond=None)[0]
        pairs = ((x, y), (draw.points, draw.values) if pool is None else (x, y))
        sides.append([np.square(at @ best - values).sum(1).mean() for at, values in pairs])
    lower, upper = np.array(sides).T
    where = "fresh" if setting.test_pool_size is None else "all test"
    return (lower, upper), f"least squares on {where} inputs."


@_of_class.register
def _of_networks(
    function_class: NetworkFunctions,
    setting: NetworkSetting,
    experiment: Experiment,
    draws: Sequence[Draw],
    excess: PerDraw,
) -> tuple[LowerUpper, str]:
    """Return 0 if the class is known to contain the teacher, else the distance that distillation reaches."""
    zero = np.zeros(len(draws))
    teacher, student = setting.architecture, function_class.architecture
    reached = best_is_network(setting.loss, setting.channel)
    if teacher == student and reached:
        return (zero, zero), "0, of the teacher's own class."
    if reached and embeds(teacher, student) and all(_is_embedded(draw, student) for draw in draws):
        equal = "bit by bit" if embeds_exactly(teacher) else "up to rounding"
        return (zero, zero), f"0, the class embeds the teacher: outputs equal {equal}."
    if setting.loss != "squared":
        return (zero, excess), "between 0 and the learner's own risk: classifiers are not distilled."
    if isinstance(student, QuadraticNetwork) and getattr(setting, "domain", "") == "normal":
        tails = [_smallest_eigenvalues(draw.teacher, student) for draw in draws]
        if None not in tails:
            tail = np.array(tails, dtype=np.float64)
            return (tail, tail), "exact: the eigenvalues of the teacher's matrix beyond the student's rank."
    numbers = [draw.number for draw in draws]
    distilled = _distilled(setting, student, experiment.draws, experiment.seed)[numbers]
    upper = choose({"the learner": excess, "distilled": distilled})[0]
    return (zero, upper), (
        f"at most the mean distance of the best of {STARTS} students per teacher, distilled on "
        f"{_unlimited(setting, _EXAMPLES):,} fresh inputs."
    )


def _smallest_eigenvalues(teacher: NetworkFunction, student: QuadraticNetwork) -> float | None:
    """Return the distance of a quadratic teacher from forms of the student's rank (Eckart and Young 1936).

    The function is for standard normal inputs.  None stands for teachers of another kind.
    """
    form = quadratic_form(teacher)
    if form is None or len(form) != student.dim:
        return None
    return 2 * float(torch.linalg.eigvalsh(form)[: -student.width].square().sum()) / student.dim


def _is_embedded(draw: Draw, student: Network) -> bool:
    """Return whether a teacher's weights, embedded in the student, give its outputs bit by bit."""
    teacher, x = draw.teacher, torch.from_numpy(draw.points[:_CERTIFIED_INPUTS])
    weights = embed(teacher.architecture, teacher.weights, student)
    return bool(same_function(teacher.architecture, teacher.weights, student, weights, x).all())


def _unlimited(setting: NetworkSetting, count: int) -> int:
    """Return how many inputs stand for unlimited data: `count`, or the pool's size up to 20,000."""
    return count if setting.pool_size is None else min(setting.pool_size, _LARGEST_POOL)


@functools.lru_cache(maxsize=16)
def _distilled(setting: NetworkSetting, student: Network, draws: int, seed: int) -> NDArray[np.float64]:
    """Return each teacher's mean squared distance to the best student found with unlimited labels, (draws,).

    The student is chosen by its error on the inputs that it was trained on.  Its distance is measured on
    other inputs, so the distance is an upper bound.  The distances are cached, because budgets at other n
    with the same seed have the same teachers.
    """
    teachers, count = draw_teachers(setting, draws, seed), _unlimited(setting, _EXAMPLES)
    recipe, steps, dtype = _FEW_INPUTS if setting.pool_size is None else _MANY_INPUTS
    xs, ys, starts, members = [], [], [], []
    for number, teacher in enumerate(teachers):
        x = setting.inputs(count, generator(seed, "budget", number, "distillation"))
        xs.append(torch.from_numpy(x).to(dtype))
        ys.append(torch.from_numpy(teacher(x).reshape(len(x), -1)).to(dtype))
        seeds = [seed_of(seed, "budget", number, "distillation", start) for start in range(STARTS)]
        starts.append(_starts(teacher, student, x, seeds, dtype))
        rows = np.arange(number * count, (number + 1) * count)
        members += [Member(rows, steps, each) for each in seeds]
    first = tuple(torch.cat(each) for each in zip(*starts, strict=True))
    trained = train(student, torch.cat(xs), torch.cat(ys), members, None, recipe, first)
    out = []
    for number, teacher in enumerate(teachers):
        best = min(trained[number * STARTS : (number + 1) * STARTS], key=lambda one: one.train_loss)
        function = NetworkFunction(student, tuple(w[None] for w in best.weights))
        x = draw_points(setting, teacher, number, seed)
        out.append(np.square(function(x) - teacher(x)).reshape(len(x), -1).sum(1).mean())
    return np.array(out)


def _starts(
    teacher: NetworkFunction, student: Network, x: Array, seeds: Sequence[int], dtype: torch.dtype
) -> Weights:
    """Return weights to start trainings from, (STARTS, ...): random ones, and the teacher's pruning."""
    drawn = student.draw(seeds, dtype=dtype)
    pruned = prune_units(teacher, student, x)
    if pruned is not None:
        for tensor, start in zip(drawn, pruned, strict=True):
            tensor[0] = start[0]
    return drawn


def prune_units(teacher: NetworkFunction, student: Network, x: Array) -> Weights | None:
    """Return weights for a narrower network of the same depth, made by removing units of a teacher.

    Each hidden layer keeps the units with the largest product of two numbers: the standard deviation of the
    unit's value over the inputs, and the norm of the unit's weights into the next layer.

    Parameters
    ----------
    teacher : NetworkFunction
        The teacher.
    student : Network
        Architecture of the narrower network.
    x : ndarray of float64, (n, inputs)
        Inputs at which the units' values are computed.

    Returns
    -------
    tuple of tensors, (1, ...) each, or None
        The student's weights.  None if one of the networks is not a multilayer perceptron, if they differ in
        depth or activation, or if a layer of the student is wider than the teacher's.
    """
    large = teacher.architecture
    if not isinstance(large, MLP) or not isinstance(student, MLP):
        return None
    if len(large.sizes) != len(student.sizes) or large.activation != student.activation:
        return None
    weights = [w.double() for w in teacher.weights]
    kept = torch.arange(large.sizes[0])
    out: list[torch.Tensor] = []
    for layer in range(0, len(weights), 2):
        matrix, bias = weights[layer][0], weights[layer + 1][0]
        if layer + 2 == len(weights):
            stays = torch.arange(len(matrix))
        else:
            partial = MLP(large.sizes[: layer // 2 + 2], large.activation)
            values = partial(tuple(weights[: layer + 2]), torch.from_numpy(x))[0]
            spread = ACTIVATIONS[large.activation](values).std(0) * weights[layer + 2][0].norm(dim=0)
            width = student.sizes[layer // 2 + 1]
            if width > len(spread):
                return None
            stays = spread.argsort(descending=True)[:width].sort().values
        out += [matrix[stays][:, kept][None], bias[stays][None]]
        kept = stays
    return tuple(out)
