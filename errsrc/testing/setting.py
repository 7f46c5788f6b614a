"""The properties that every setting must have.

Each property is a function that takes a `SettingCase` and raises `Violation` if the property does not hold.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from errsrc import checks
from errsrc.rng import generator
from errsrc.settings import AllFunctions, FunctionClass, GaussianSetting, RankK, Setting
from errsrc.settings.setting import LOSSES, Array
from errsrc.testing.properties import agree, global_generators_unused, hold, refused, require, require_frozen

ERRORS = 5.0
"""Largest accepted distance of a mean, in standard errors; a normal mean exceeds it once in 1.7 million."""


@dataclass(frozen=True, eq=False)
class SettingCase:
    """A setting, with the numbers of teachers and inputs for the tests of its properties.

    Attributes
    ----------
    setting : Setting
        The setting.
    classes : tuple of FunctionClass
        Function classes for which the setting defines `Setting.realizability`.
    teachers, points : int
        Number of teachers, and number of inputs for each teacher.  The tests compute means over the teachers.
    seed : int
        Seed of all random numbers in the tests.
    """

    setting: Setting
    classes: tuple[FunctionClass, ...]
    teachers: int
    points: int
    seed: int

    def rng(self, *path: str | int) -> np.random.Generator:
        """Return the random generator for one purpose; each call returns the generator in its first state.

        Parameters
        ----------
        *path : str or int
            Names that identify the purpose.
        """
        return generator(self.seed, "testing", *path)

    def values(self, count: int) -> list[Array]:
        """Draw several teachers, and return each teacher's values (points, outputs) at its own random inputs.

        Parameters
        ----------
        count : int
            Number of teachers.
        """
        found = []
        teachers = self.setting.teachers([self.rng("teacher", k) for k in range(count)])
        for k, teacher in enumerate(teachers):
            x = self.setting.fresh_of(teacher, self.points, self.rng("inputs", k))
            found.append(np.asarray(teacher(x)).reshape(len(x), -1))
        return found


class UnknownClass(FunctionClass):
    """A function class for tests: no setting knows the realizability of this class."""


def inputs_are_float64_of_one_size(case: SettingCase) -> None:
    """Inputs are float64 (count, dim) and finite; `fresh` may return fewer than count."""
    setting = case.setting
    dim = setting.inputs(1, case.rng()).shape[-1]
    for count in (1, 7):
        for name, draw in {"inputs": setting.inputs, "fresh": setting.fresh}.items():
            x = draw(count, case.rng(name))
            got = f"{name}({count}) is {x.dtype} of shape {x.shape}"
            fits = x.dtype == np.float64 and x.ndim == 2 and x.shape[1] == dim and np.isfinite(x).all()
            fits = fits and (len(x) == count if name == "inputs" else 1 <= len(x) <= count)
            require(fits, f"{got}, or not finite, where inputs(1) has {dim} coordinates")


def a_seed_determines_all_draws(case: SettingCase) -> None:
    """Equal generators give equal inputs, fresh inputs, teachers and labels.

    The setting must not use the global generators of numpy and torch.
    """
    with global_generators_unused():
        first, second = (_all_draws(case) for _ in range(2))
    for name, values in first.items():
        again = (f"a second draw of {name}", second[name])
        agree(again, ("the first", values), "one state of the generator")


def _all_draws(case: SettingCase) -> dict[str, NDArray[Any]]:
    setting: Any = case.setting
    x = setting.inputs(6, case.rng("x"))
    values = setting.teacher(case.rng("teacher"))(x)
    labels = setting.channel.label(values, case.rng("labels"))
    return {"inputs": x, "fresh inputs": setting.fresh(6, case.rng("f")), "values": values, "labels": labels}


def a_teacher_is_a_function_of_its_input(case: SettingCase) -> None:
    """A teacher's value at an input does not depend on the other inputs or on their order.

    The teacher does not change its inputs.
    """
    x = case.setting.inputs(6, case.rng("x"))
    kept, teacher = x.copy(), case.setting.teacher(case.rng("teacher"))
    values = np.asarray(teacher(x))
    require(np.isfinite(values).all(), "a value of a teacher at 6 inputs is not finite")
    require(len(values) == 6, f"a teacher's values at 6 inputs have shape {values.shape}")
    agree(("an input after the call", x), ("that before", kept), "6 inputs")
    rtol, atol = (1e-6, 1e-6) if _is_float32(teacher) else (1e-9, 1e-12)
    for name, part in {"in reverse": slice(None, None, -1), "of the first two": slice(2)}.items():
        alone = (f"a value {name}", np.asarray(teacher(x[part])))
        agree(alone, ("that among all six", values[part]), "6 inputs", rtol=rtol, atol=atol)


def _is_float32(teacher: Any) -> bool:
    """Return whether a teacher is a network in float32."""
    weights = getattr(teacher, "weights", ())
    return any(each.dtype == torch.float32 for each in weights)


def labels_have_the_type_of_the_channel(case: SettingCase) -> None:
    """Labels are float64 of the same shape as the values, or int64 classes below the number of outputs."""
    setting: Any = case.setting
    values = np.asarray(setting.teacher(case.rng("teacher"))(setting.inputs(9, case.rng("x"))))
    labels, kind = setting.channel.label(values, case.rng("labels")), setting.channel.labels
    got = f"labels of values {values.shape} are {labels.dtype} of shape {labels.shape}"
    if kind == "values":
        require(labels.dtype == np.float64 and labels.shape == values.shape, got)
        return
    require(kind == "classes", f"the channel's labels are {kind!r}, neither 'values' nor 'classes'")
    require(labels.dtype == np.int64 and labels.shape == (9,), got)
    inside = ((labels >= 0) & (labels < values.shape[1])).all()
    require(inside, f"classes of {values.shape[1]} outputs are {labels.tolist()}")


def the_loss_suits_the_labels(case: SettingCase) -> None:
    """The loss is one of `errsrc.settings.setting.LOSSES` and fits the channel's labels."""
    setting: Any = case.setting
    require(setting.loss in LOSSES, f"{setting.loss!r} is none of {', '.join(LOSSES)}")
    suits = (setting.channel.labels == "values") == (setting.loss == "squared")
    require(suits, f"labels that are {setting.channel.labels} have no {setting.loss} loss")


def noise_is_the_smallest_risk(case: SettingCase) -> None:
    """The setting's `noise` equals the smallest risk of any predictor, within `ERRORS` standard errors.

    For labels that are values, this risk is the mean squared distance of the labels from the teacher's
    values, summed over outputs.  If labels are classes, they must be drawn with the probabilities that the
    channel's `probabilities` returns, and the noise must be the smallest risk under these probabilities.
    """
    setting: Any = case.setting
    risks, rng = [], case.rng("labels")
    for values in case.values(case.teachers):
        labels = setting.channel.label(values, rng)
        if setting.loss == "squared":
            risks.append(float(((labels - values) ** 2).sum(1).mean()))
            continue
        p = setting.channel.probabilities(values)
        shares = np.eye(p.shape[1])[labels]
        spread = np.sqrt((p * (1 - p)).sum(0)) + 1e-9
        off = float((np.abs((shares - p).sum(0)) / spread).max())
        seen = f"shares of {len(p)} labels are {off:.3g} standard errors from the stated probabilities"
        require(off <= ERRORS, seen)
        risks.append(float(_smallest_risk(p, setting.loss).mean()))
    _require_mean(setting.noise, "noise", risks, "the smallest risk")


def target_variance_is_the_excess_risk_of_the_best_constant(case: SettingCase) -> None:
    """The target variance is the smallest excess risk of a constant that is the same for all teachers."""
    setting: Any = case.setting
    found = case.values(case.teachers)
    if setting.loss == "squared":
        centre = np.mean([values.mean(0) for values in found], axis=0)
        risks = [float(((values - centre) ** 2).sum(1).mean()) for values in found]
        noise = 0.0
    else:
        p = [setting.channel.probabilities(values).mean(0) for values in found]
        risks = [_risk(each, np.mean(p, axis=0), setting.loss) for each in p]
        noise = setting.noise
    _require_mean(setting.target_variance + noise, "target variance", risks, "the best constant's risk")


def _require_mean(stated: float, name: str, risks: list[float], what: str) -> None:
    """Require that a stated number is within `ERRORS` standard errors of a mean over teachers.

    The stated number may itself be a mean over as many teachers, so the standard error has a factor sqrt(2).
    """
    mean, spread = float(np.mean(risks)), float(np.std(risks, ddof=1))
    off = ERRORS * math.sqrt(2 / len(risks)) * spread + 1e-9 * abs(mean)
    seen = f"{what} of {len(risks)} teachers lies between {mean - off:.6g} and {mean + off:.6g}"
    require(abs(stated - mean) <= off, f"the stated {name} gives {stated:.6g}, but {seen}")


def _smallest_risk(p: Array, loss: str) -> Array:
    """Return the smallest risk (N,) of any prediction, for known probabilities (N, classes)."""
    if loss == "zero-one":
        return np.asarray(1 - p.max(1))
    return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0)), 0.0).sum(1)


def _risk(p: Array, constant: Array, loss: str) -> float:
    """Return the risk of one constant prediction under mean probabilities, both (classes,)."""
    if loss == "zero-one":
        return float(1 - p[constant.argmax()])
    return float(-(p * np.log(np.where(constant > 0, constant, 1.0))).sum())


def teachers_drawn_at_once_equal_those_drawn_alone(case: SettingCase) -> None:
    """`teachers` with three generators and `teacher` with each generator give the same values, to 1e-5."""
    setting, x = case.setting, case.setting.inputs(6, case.rng("x"))
    together = setting.teachers([case.rng("teacher", k) for k in range(3)])
    require(len(together) == 3, f"teachers() of 3 generators are {len(together)}")
    for k, teacher in enumerate(together):
        one = (f"teacher {k} of three", np.asarray(teacher(x)))
        alone = ("that alone", np.asarray(setting.teacher(case.rng("teacher", k))(x)))
        agree(one, alone, "6 inputs", rtol=1e-5, atol=1e-5)


def realizability_is_not_negative(case: SettingCase) -> None:
    """Realizability is an interval >= 0, and exactly 0 for the class of all functions.

    An unknown class must raise ValueError.
    """
    setting = case.setting
    for function_class in case.classes:
        found = setting.realizability(function_class)
        ordered = 0 <= found.low <= found.estimate <= found.high
        require(ordered, f"realizability({function_class!r}) is {found!r}")
    if AllFunctions() in case.classes:
        found = setting.realizability(AllFunctions())
        require(found.estimate == 0, f"realizability of all functions is {found!r}")
    refused(lambda: setting.realizability(UnknownClass()), "'function_class'", "a class that is not known")


def teachers_have_the_covariance_of_the_roots(case: SettingCase) -> None:
    """Teachers' values at 4 inputs have the covariance that `roots` gives.

    Only a `GaussianSetting` is tested.  The covariance is a mean over 5 times ``case.teachers`` teachers and
    must agree within `ERRORS` standard errors.
    """
    setting = case.setting
    if not isinstance(setting, GaussianSetting):
        return
    rng, count = case.rng("covariance"), 5 * case.teachers
    x = setting.inputs(4, rng)
    values = np.array([setting.teacher(rng)(x) for _ in range(count)]).reshape(count, 4, -1)
    (root,) = setting.roots(x)
    for output, std in enumerate(setting.output_stds):
        products = values[:, :, None, output] * values[:, None, :, output]
        spread = float((products.std(0) / math.sqrt(count)).max())
        sample = ("a covariance of teachers", products.mean(0))
        stated = ("that of roots()", std**2 * root @ root.T)
        agree(sample, stated, f"4 inputs, output {output}", atol=ERRORS * spread + 1e-12)


def an_exact_quadrature_agrees_with_a_sample(case: SettingCase) -> None:
    """An exact quadrature and a random sample give the same mean squared difference between teachers.

    The functions of `frame` must be orthonormal under the quadrature.  Only a `GaussianSetting` is tested.
    """
    setting = case.setting
    if not isinstance(setting, GaussianSetting):
        return
    for function_class in case.classes:
        rule = setting.quadrature(function_class, case.rng("quadrature"), 64)
        if not rule.exact:
            continue
        rng, where = case.rng("sample"), f"quadrature({function_class!r})"
        x = setting.fresh(50_000, rng)
        for _ in range(3):
            one, other = setting.teacher(rng), setting.teacher(rng)
            at_x, at_rule = (_squares(one(z) - other(z)) for z in (x, rule.points))
            spread = ERRORS * float(at_x.std()) / math.sqrt(len(x))
            agree(("a mean", rule.weights @ at_rule), ("a sample's", at_x.mean()), where, atol=spread + 1e-12)
        frame = setting.frame(function_class, rule.points)
        if frame is not None:
            gram = frame.T @ (rule.weights[:, None] * frame)
            agree(("a product of the frame", gram), ("the identity's", np.eye(len(gram))), where, atol=1e-10)


def _squares(differences: Array) -> Array:
    return np.asarray((differences.reshape(len(differences), -1) ** 2).sum(1))


def realizability_is_the_residual_of_the_projection(case: SettingCase) -> None:
    """Realizability is the variance of the part of the teacher that lies outside the function class.

    The test computes this variance from values at the quadrature points: it projects the teacher on the
    functions of `frame` by least squares, and takes the variance of the residuals.  Only a `GaussianSetting`
    is tested, for classes with a `frame` and an exact quadrature.  The class `RankK` of linear maps of
    limited rank is smaller than the class of all linear maps.  Therefore the realizability of `RankK` must be
    at least the realizability of all linear maps.
    """
    setting = case.setting
    if not isinstance(setting, GaussianSetting):
        return
    for function_class in case.classes:
        rule = setting.quadrature(function_class, case.rng("quadrature"), 64)
        frame = setting.frame(function_class, rule.points)
        if frame is None or not rule.exact:
            continue
        scale = np.sqrt(rule.weights)[:, None]
        (root,) = setting.roots(rule.points)
        basis, target = scale * frame, scale * root
        left = target - basis @ np.linalg.lstsq(basis, target, rcond=None)[0]
        expected = float((left**2).sum() * (setting.output_stds**2).sum())
        found = setting.realizability(function_class).estimate
        if isinstance(function_class, RankK):
            seen = f"realizability({function_class!r}) is {found:.6g}, below {expected:.6g} of all maps"
            require(found >= expected - 1e-9, seen)
            continue
        stated = (f"realizability({function_class!r})", found)
        agree(stated, ("the residual of the projection", expected), repr(setting), rtol=1e-8, atol=1e-10)


def a_setting_is_frozen_and_hashable(case: SettingCase) -> None:
    """Copies of a setting are equal, and its fields cannot be changed.

    A study's TOML file, its spec, can then describe the setting by a table.
    """
    setting: Any = case.setting
    copy = dataclasses.replace(setting)
    require(setting == copy and hash(setting) == hash(copy), f"a copy of {setting!r} is not equal to it")
    require_frozen(setting)


SETTING_PROPERTIES: tuple[Callable[[SettingCase], None], ...] = (
    a_setting_is_frozen_and_hashable,
    inputs_are_float64_of_one_size,
    a_seed_determines_all_draws,
    a_teacher_is_a_function_of_its_input,
    teachers_drawn_at_once_equal_those_drawn_alone,
    labels_have_the_type_of_the_channel,
    the_loss_suits_the_labels,
    noise_is_the_smallest_risk,
    target_variance_is_the_excess_risk_of_the_best_constant,
    realizability_is_not_negative,
    teachers_have_the_covariance_of_the_roots,
    an_exact_quadrature_agrees_with_a_sample,
    realizability_is_the_residual_of_the_projection,
)
"""The properties of every setting, in the order in which `check_setting` tests them."""


def check_setting(
    setting: Setting,
    *,
    classes: Sequence[FunctionClass] = (AllFunctions(),),
    properties: Sequence[Callable[[SettingCase], None]] | None = None,
    teachers: int = 400,
    points: int = 64,
    seed: int = 0,
) -> None:
    """Test whether a setting has the properties that every setting must have.

    The setting's noise, variances and covariances are compared with means over draws.  The values must agree
    within `ERRORS` standard errors.

    Parameters
    ----------
    setting : Setting
        The setting, with a ``channel``.
    classes : sequence of FunctionClass
        Function classes for which the setting defines `Setting.realizability`.
    properties : sequence of callable, optional
        The properties to test; by default all `SETTING_PROPERTIES`.
    teachers : int
        Number of teachers over which means are computed, >= 4.  Covariances are means over five times as many
        teachers.
    points : int
        Number of inputs for each teacher, >= 2.
    seed : int
        Seed of all random numbers, >= 0.

    Raises
    ------
    AssertionError
        If a property does not hold.  The message is one sentence that names the property and the values that
        break it.
    TypeError, ValueError
        If `setting` is not a setting, or if a number is out of range.

    Examples
    --------
    >>> from errsrc.settings import Gaussian, Linear, LinearTeacher
    >>> check_setting(LinearTeacher(3, channel=Gaussian(0.1)), classes=[Linear()])
    """
    a_setting = checks.Instance(Setting, "a setting, as errsrc.settings.LinearTeacher(3)")
    a_setting(setting, "setting", "check_setting")
    a_class = checks.Instance(FunctionClass, "function classes of errsrc.settings")
    for one in classes:
        a_class(one, "classes", "check_setting")
    checks.Integer(at_least=4)(teachers, "teachers", "check_setting")
    checks.Integer(at_least=2)(points, "points", "check_setting")
    checks.SEED(seed, "seed", "check_setting")
    hold(
        setting,
        SETTING_PROPERTIES if properties is None else properties,
        SettingCase(setting, tuple(classes), teachers, points, seed),
    )
