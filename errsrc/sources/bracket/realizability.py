"""The error budget of network teachers, whose posterior has no closed form: brackets.

Let e(g) be the excess risk of a learner g, and S = uncertainty + realizability: the least mean excess risk
of a map from data to the class F.  What is known of the terms comes from three facts:

- S is at least the uncertainty of all functions, on which a chain started at the teacher gives a lower
  bound (`errsrc.sources.bracket.bounds`), and at least the realizability;
- S is at most the mean excess risk of any map from data to F: of students found from data alone, and of
  the learner in question itself;
- deficiency is the mean excess risk of the learner less S.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from errsrc import checks
from errsrc.errors import Diverged, NoAnswer
from errsrc.nets import MLP, Weights, embed, embeds, same_function
from errsrc.nets import Network as Architecture
from errsrc.nets.layers import ACTIVATIONS
from errsrc.rng import generator, seed_of
from errsrc.settings import (
    AllFunctions,
    FunctionClass,
    ImageTeacher,
    Linear,
    NetworkFunctions,
    NetworkTeacher,
)
from errsrc.settings.channels import Softmax
from errsrc.settings.network import NetworkFunction
from errsrc.settings.network import best_is_network as expressed
from errsrc.settings.setting import Array
from errsrc.settings.table import expected_loss as risk
from errsrc.sources.bracket.bounds import chosen, uncertainty_bracket
from errsrc.sources.bracket.draws import Effort
from errsrc.sources.predictions import fit_all, predicted, scores
from errsrc.training import Member, Recipe, train

POINTS = 512
"""Fresh inputs a draw at which functions are compared; real images: all test images."""

STARTS = 4
"""Trainings a teacher by which it is distilled into a class, one of them from its own pruning."""
_EXAMPLES, _IMAGES = 1024, 20_000  # inputs that stand for all there are
_DISTILL = (Recipe("lbfgs", loss="squared", evaluation_interval=300), 300, torch.float64)
_ON_IMAGES = (Recipe(loss="squared", decay=1.0), 5000, torch.float32)
_CERTIFIED = 64  # inputs on which an embedding's outputs are compared

Sides = tuple[NDArray[np.float64], NDArray[np.float64]]
"""A lower and an upper estimate of a term, each a value a draw, (draws,)."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What a budget is made of, (draws,) each; see `errsrc.sources.budgets.Budget` for the terms.

    Attributes
    ----------
    noise
        The least risk: of classes drawn by a softmax each draw has its own, else they are all the same.
    terms
        Sides of realizability, uncertainty, deficiency.
    excess
        The learner's risk without the noise.
    statuses
        How each term came about.
    all_functions
        Sides of the uncertainty of all functions, where the learner's class is smaller.
    optimiser
        A trained student's risk on its training examples, less the noise.
    status
        What there is to say of the whole.
    """

    noise: NDArray[np.float64]
    terms: dict[str, Sides]
    excess: NDArray[np.float64]
    statuses: dict[str, str]
    all_functions: Sides | None
    optimiser: NDArray[np.float64] | None
    status: str


@dataclass(frozen=True, eq=False)
class _World:
    """A draw: a teacher, labelled examples, fresh inputs and the teacher's values there (Q, outputs)."""

    teacher: NetworkFunction
    x: Array
    y: NDArray[Any]
    points: Array
    values: Array


def parts(
    setting: NetworkTeacher | ImageTeacher,
    learner: Any,
    n: int,
    x: Array | None,
    draws: int,
    seed: int,
    effort: Effort,
) -> Parts:
    """Return the terms of a learner in a setting of network teachers.

    Parameters
    ----------
    setting, learner, n, x, draws, seed, effort
        See `errsrc.sources.budgets`; x (n, inputs) or None.

    Raises
    ------
    ValueError
        For a learner whose functions are none of the setting's inputs.
    NoAnswer
        Where students diverged in all draws but one, or in all.
    """
    function_class = learner.function_class
    check(setting, function_class)
    worlds = _worlds(setting, n, x, draws, seed)
    rngs = [generator(seed, "budget", number, "learner") for number in range(draws)]
    lost: list[int] = []
    try:
        fitted = fit_all(learner, [world.x for world in worlds], [world.y for world in worlds], rngs)
    except Diverged as error:
        fitted = error.best
        lost = [i for i, one in enumerate(fitted) if one.diverged]
        if draws - len(lost) < 2:
            raise NoAnswer(f"No budget of {draws} draws: {error}", error.best) from error
    kept = [i for i in range(draws) if i not in lost]
    worlds, fitted = [worlds[i] for i in kept], [fitted[i] for i in kept]
    pairs = [_risks(setting, world, one) for world, one in zip(worlds, fitted, strict=True)]
    excess, noise = np.array(pairs).T
    zero = np.zeros(len(worlds))
    lower, upper, inside = zero, excess, excess
    status, determined = "between 0 and the learner's own risk: no chain is run.", False
    if isinstance(setting, NetworkTeacher) and setting.loss == "squared":
        student = function_class.architecture if isinstance(function_class, NetworkFunctions) else None
        found = uncertainty_bracket(
            setting,
            [world.teacher for world in worlds],
            [world.x for world in worlds],
            [world.y for world in worlds],
            [world.points for world in worlds],
            seed,
            student=student,
            effort=effort,
            generic=x is None,
        )
        status, determined = found.status, found.determined
        learned = [predicted(one, w.points, w.values.shape[1]) for one, w in zip(fitted, worlds, strict=True)]
        excess = found.distance(np.stack(learned))  # over posterior samples: the same mean, less chance
        own = {"the learner": excess}
        lower, upper = found.lower, zero if determined else chosen({**found.portfolio, **own})[0]
        members = {name: found.portfolio[name] for name in found.members} if student else {}
        inside = chosen({**members, **own})[0]
    outside, outside_status = _realizability(setting, function_class, worlds, excess, kept, draws, seed)
    smaller = not isinstance(function_class, AllFunctions)
    if not smaller:
        uncertainty: Sides = (lower, upper)
        deficiency: Sides = (excess - upper, excess - lower)
    elif determined:  # the data says who the teacher is, and so which member of the class is best
        uncertainty = (zero, zero)
        deficiency = (excess - outside[1], excess - outside[0])
    else:
        least = -chosen({"outside": -outside[0], "chains": -lower})[0] if outside[0].any() else lower
        uncertainty = (-chosen({"0": zero, "chains": outside[1] - lower})[0], inside - outside[0])
        deficiency = (excess - inside, excess - least)
    said = f"{len(worlds)} draws of teacher and data"
    said += "." if isinstance(setting, NetworkTeacher) else ", tested on the test images there are."
    if lost:
        said += f" {len(lost)} more are left out, in which a student diverged."
    return Parts(
        noise=noise,
        terms={"realizability": outside, "uncertainty": uncertainty, "deficiency": deficiency},
        excess=excess,
        statuses={"realizability": outside_status, "uncertainty": status, "deficiency": "The remainder."},
        all_functions=(lower, upper) if smaller else None,
        optimiser=_optimiser(setting, fitted),
        status=f"{said} Realizability: {outside_status} Uncertainty: {status[0].lower()}{status[1:]}",
    )


def check(setting: NetworkTeacher | ImageTeacher, function_class: FunctionClass) -> None:
    """Refuse a ``function_class`` whose functions are none of a setting's inputs."""
    shape = (setting.architecture.inputs, setting.architecture.outputs)
    fits = isinstance(function_class, AllFunctions)
    if isinstance(function_class, NetworkFunctions):
        fits = (function_class.architecture.inputs, function_class.architecture.outputs) == shape
    if isinstance(function_class, Linear):
        fits = setting.loss == "squared"
    if not fits:
        accepted = (
            f"one whose functions take {shape[0]} inputs to {shape[1]} outputs, for {setting.loss} loss"
        )
        raise ValueError(checks.refusal("learner", "budget", accepted, function_class))


def _worlds(
    setting: NetworkTeacher | ImageTeacher, n: int, x: Array | None, draws: int, seed: int
) -> list[_World]:
    out = []
    for number, teacher in enumerate(_teachers(setting, draws, seed)):
        rng = functools.partial(generator, seed, "budget", number)
        inputs = setting.inputs(n, rng("inputs")) if x is None else x
        points = _points(setting, number, seed)
        values = teacher(points).reshape(len(points), -1)
        labels = setting.channel.label(teacher(inputs), rng("labels"))
        out.append(_World(teacher, inputs, labels, points, values))
    return out


def points(setting: NetworkTeacher | ImageTeacher) -> int:
    """Return the number of fresh inputs of a draw of a setting."""
    return POINTS if isinstance(setting, NetworkTeacher) else setting.test_pool_size


def _points(setting: NetworkTeacher | ImageTeacher, number: int, seed: int) -> Array:
    """Return the fresh inputs of a draw, (Q, inputs)."""
    return setting.fresh(points(setting), generator(seed, "budget", number, "points"))


@functools.lru_cache(maxsize=4)
def _teachers(setting: NetworkTeacher | ImageTeacher, draws: int, seed: int) -> tuple[NetworkFunction, ...]:
    """Return the teacher of each draw: kept, since budgets at other n of a seed have the same."""
    rngs = [generator(seed, "budget", number, "teacher") for number in range(draws)]
    return tuple(setting.teachers(rngs))


def _risks(setting: NetworkTeacher | ImageTeacher, world: _World, predictor: Any) -> tuple[float, float]:
    """Return the excess risk of a predictor in a draw, and the noise: a softmax's is the draw's own."""
    outputs = world.values.shape[1]
    if setting.loss == "squared":
        learned = predicted(predictor, world.points, outputs)
        return float(np.square(learned - world.values).sum(1).mean()), setting.noise
    learned = scores(predictor, world.points, outputs, setting.loss)
    truth = setting.channel.probabilities(world.values)
    got, least = (float(risk(truth, g, setting.loss).mean()) for g in (learned, truth))
    if not np.isfinite(got):
        accepted = "one that gives each class that may come a probability > 0, for the log loss"
        raise ValueError(checks.refusal("learner", "budget", accepted, "<0>"))
    return got - least, least if isinstance(setting.channel, Softmax) else setting.noise


def _optimiser(setting: NetworkTeacher | ImageTeacher, fitted: Sequence[Any]) -> NDArray[np.float64] | None:
    """Return each draw's training risk of trained students less the noise; None of other learners."""
    found = []
    for one in fitted:
        trained = getattr(getattr(one, "function", None), "trained", None)
        if trained is None:
            return None
        risks = [each.train_error if setting.loss == "zero-one" else each.train_loss for each in trained]
        found.append(np.mean(risks) - setting.noise)
    return np.array(found)


def _realizability(
    setting: NetworkTeacher | ImageTeacher,
    function_class: FunctionClass,
    worlds: Sequence[_World],
    excess: NDArray[np.float64],
    kept: Sequence[int],
    draws: int,
    seed: int,
) -> tuple[Sides, str]:
    """Return lower and upper sides of realizability, and how they came about."""
    zero = np.zeros(len(worlds))
    if isinstance(function_class, AllFunctions):
        return (zero, zero), "0, of all functions."
    if isinstance(function_class, Linear):
        return _linear(setting, worlds, kept, seed), "least squares on fresh inputs."
    assert isinstance(function_class, NetworkFunctions)
    small, large = setting.architecture, function_class.architecture
    reached = expressed(setting.loss, setting.channel)
    if small == large and reached:
        return (zero, zero), "0, of the teacher's own class."
    if reached and embeds(small, large) and all(_embedded(world, small, large) for world in worlds):
        return (zero, zero), "0, the class embeds the teacher: outputs equal bit by bit."
    if setting.loss != "squared":
        return (zero, excess), "between 0 and the learner's own risk: not distilled for classes."
    upper = chosen({"the learner": excess, "distilled": _distilled(setting, large, draws, seed)[kept]})[0]
    return (zero, upper), (
        f"at most that of the best of {STARTS} students a teacher, distilled on "
        f"{_unlimited(setting, _EXAMPLES):,} fresh inputs."
    )


def _embedded(world: _World, small: Architecture, large: Architecture) -> bool:
    """Return whether a teacher's weights in the larger network give its outputs, bit by bit."""
    weights, x = world.teacher.weights, torch.from_numpy(world.points[:_CERTIFIED])
    return bool(same_function(small, weights, large, embed(small, weights, large), x).all())


def _linear(
    setting: NetworkTeacher | ImageTeacher, worlds: Sequence[_World], kept: Sequence[int], seed: int
) -> Sides:
    """Return mean squares outside linear maps: on the inputs that choose the map, and on others."""
    sides = []
    for number, world in zip(kept, worlds, strict=True):
        x = setting.inputs(_unlimited(setting, 4096), generator(seed, "budget", number, "distillation"))
        y = world.teacher(x).reshape(len(x), -1)
        best = np.linalg.lstsq(x, y, rcond=None)[0]
        pairs = ((x, y), (world.points, world.values))
        sides.append([np.square(at @ best - values).sum(1).mean() for at, values in pairs])
    lower, upper = np.array(sides).T
    return lower, upper


def _unlimited(setting: NetworkTeacher | ImageTeacher, count: int) -> int:
    """Return how many inputs stand for all: ``count``, or the images that there are, up to 20,000."""
    return count if isinstance(setting, NetworkTeacher) else min(setting.pool_size, _IMAGES)


@functools.lru_cache(maxsize=16)
def _distilled(
    setting: NetworkTeacher | ImageTeacher, student: Architecture, draws: int, seed: int
) -> NDArray[np.float64]:
    """Return each teacher's mean squared distance to the best student found with unlimited labels, (draws,).

    Chosen by the inputs it was trained on, and measured on others: an upper bound.  Kept: budgets at other
    n of a seed have the same teachers.
    """
    teachers, count = _teachers(setting, draws, seed), _unlimited(setting, _EXAMPLES)
    real = isinstance(setting, ImageTeacher)  # many inputs: small steps on few at a time
    recipe, steps, dtype = _ON_IMAGES if real else _DISTILL
    xs, ys, starts, members = [], [], [], []
    for number, teacher in enumerate(teachers):
        x = setting.inputs(count, generator(seed, "budget", number, "distillation"))
        xs.append(torch.from_numpy(x).to(dtype))
        ys.append(torch.from_numpy(teacher(x).reshape(len(x), -1)).to(dtype))
        rows = np.arange(number * count, (number + 1) * count)
        seeds = [seed_of(seed, "budget", number, "distillation", start) for start in range(STARTS)]
        drawn = student.draw(seeds, dtype=dtype)
        cut = pruned(teacher, student, x)
        if cut is not None:
            for tensor, start in zip(drawn, cut, strict=True):
                tensor[0] = start[0]
        starts.append(drawn)
        members += [Member(rows, steps, each) for each in seeds]
    first = tuple(torch.cat(each) for each in zip(*starts, strict=True))
    trained = train(student, torch.cat(xs), torch.cat(ys), members, None, recipe, first)
    out = []
    for number, teacher in enumerate(teachers):
        best = min(trained[number * STARTS : (number + 1) * STARTS], key=lambda one: one.train_loss)
        function = NetworkFunction(student, tuple(w[None] for w in best.weights))
        x = _points(setting, number, seed)
        out.append(np.square(function(x) - teacher(x)).reshape(len(x), -1).sum(1).mean())
    return np.array(out)


def pruned(teacher: NetworkFunction, student: Architecture, x: Array) -> Weights | None:
    """Return a teacher's weights cut to a narrower network of the same depth, None for other shapes.

    Of each hidden layer those units stay whose values at x, float64 (n, inputs), vary most, times what the
    next layer makes of them; the narrower network is the ``student``.
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
