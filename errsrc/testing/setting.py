"""Properties of every setting: functions of a case, a `SettingCase`, that raise `Violation` if it fails."""

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
from errsrc.testing.properties import agree, hold, of_type, own_chance, refused, require

ERRORS = 5.0
"""Standard errors that a mean may be off: one of normal spread is, by chance, once in 1.7 million."""


@dataclass(frozen=True, eq=False)
class SettingCase:
    """A setting as its properties see it.

    Attributes
    ----------
    setting
        The setting.
    classes
        Function classes whose realizability it knows.
    teachers, points
        How many teachers a mean is over, and inputs of each.
    seed
        Of what is drawn.
    """

    setting: Setting
    classes: tuple[FunctionClass, ...]
    teachers: int
    points: int
    seed: int

    def rng(self, *path: str | int) -> np.random.Generator:
        """Return the generator of one stream, in the same state at each call.

        Parameters
        ----------
        *path : str or int
            What the stream is for.
        """
        return generator(self.seed, "testing", *path)

    def values(self, count: int) -> list[Array]:
        """Return values (points, outputs) of each of several teachers, at their own inputs.

        Parameters
        ----------
        count : int
            Number of teachers.
        """
        found = []
        teachers = self.setting.teachers([self.rng("teacher", k) for k in range(count)])
        for k, teacher in enumerate(teachers):
            x = self.setting.fresh(self.points, self.rng("inputs", k))
            found.append(np.asarray(teacher(x)).reshape(len(x), -1))
        return found


class Unheard(FunctionClass):
    """A class of which no setting knows anything."""


def inputs_are_float64_of_one_size(case: SettingCase) -> None:
    """(count, dim), finite; fresh ones of the same dim, and no more than asked for."""
    setting = case.setting
    dim = setting.inputs(1, case.rng()).shape[-1]
    for count in (1, 7):
        for name, draw in {"inputs": setting.inputs, "fresh": setting.fresh}.items():
            x = draw(count, case.rng(name))
            got = f"{name}({count}) is {x.dtype} of shape {x.shape}"
            fits = x.dtype == np.float64 and x.ndim == 2 and x.shape[1] == dim and np.isfinite(x).all()
            fits = fits and (len(x) == count if name == "inputs" else 1 <= len(x) <= count)
            require(fits, f"{got}, or not finite, where inputs(1) has {dim} coordinates")


def a_seed_gives_one_world_and_no_other_chance_is_used(case: SettingCase) -> None:
    """Inputs, fresh inputs, teachers and labels; neither numpy's nor torch's global generator is touched."""
    with own_chance():
        first, second = (_world(case) for _ in range(2))
    for name, values in first.items():
        again = (f"a second draw of {name}", second[name])
        agree(again, ("the first", values), "one state of the generator")


def _world(case: SettingCase) -> dict[str, NDArray[Any]]:
    setting: Any = case.setting
    x = setting.inputs(6, case.rng("x"))
    values = setting.teacher(case.rng("teacher"))(x)
    labels = setting.channel.label(values, case.rng("labels"))
    return {"inputs": x, "fresh inputs": setting.fresh(6, case.rng("f")), "values": values, "labels": labels}


def a_teacher_is_a_function_of_its_input(case: SettingCase) -> None:
    """Values do not depend on which other inputs are asked for, nor in which order; inputs are left alone."""
    x = case.setting.inputs(6, case.rng("x"))
    kept, teacher = x.copy(), case.setting.teacher(case.rng("teacher"))
    values = np.asarray(teacher(x))
    require(np.isfinite(values).all(), "a value of a teacher at 6 inputs is not finite")
    require(len(values) == 6, f"a teacher's values at 6 inputs have shape {values.shape}")
    agree(("an input after it was asked for", x), ("that before", kept), "6 inputs")
    rtol, atol = (1e-6, 1e-6) if _single(teacher) else (1e-9, 1e-12)
    for name, part in {"in reverse": slice(None, None, -1), "of the first two": slice(2)}.items():
        asked = (f"a value asked for {name}", np.asarray(teacher(x[part])))
        agree(asked, ("that among all six", values[part]), "6 inputs", rtol=rtol, atol=atol)


def _single(teacher: Any) -> bool:
    """Return whether a teacher is a network in float32."""
    weights = getattr(teacher, "weights", ())
    return any(each.dtype == torch.float32 for each in weights)


def labels_are_as_the_channel_says(case: SettingCase) -> None:
    """Float64 of the values' shape, or int64 classes below the number of outputs."""
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


def the_loss_is_known(case: SettingCase) -> None:
    """One of `errsrc.settings.setting.LOSSES`, and one that suits the channel's labels."""
    setting: Any = case.setting
    require(setting.loss in LOSSES, f"{setting.loss!r} is none of {', '.join(LOSSES)}")
    suits = (setting.channel.labels == "values") == (setting.loss == "squared")
    require(suits, f"labels that are {setting.channel.labels} have no {setting.loss} loss")


def noise_is_what_labels_show(case: SettingCase) -> None:
    """The least risk, from labels alone, within `ERRORS` standard errors; exactly where labels are values.

    For values the mean squared distance of labels from them, summed over outputs.  For classes labels must
    come with the probabilities that the channel states, and the noise be the least risk under these.
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
        seen = f"shares of {len(p)} labels are {off:.3g} standard errors from the probabilities stated"
        require(off <= ERRORS, seen)
        risks.append(float(_least_risk(p, setting.loss).mean()))
    _within(setting.noise, "noise", risks, "the least risk")


def target_variance_is_what_the_best_constant_loses(case: SettingCase) -> None:
    """Beyond the noise, of one constant for all teachers: not of each one's own, which is less."""
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
    _within(setting.target_variance + noise, "target variance", risks, "the best constant's risk")


def _within(stated: float, name: str, risks: list[float], what: str) -> None:
    """Require a constant within `ERRORS` standard errors of a mean over teachers.

    The constant may itself be a mean over as many teachers: so by sqrt(2) of these errors.
    """
    mean, spread = float(np.mean(risks)), float(np.std(risks, ddof=1))
    off = ERRORS * math.sqrt(2 / len(risks)) * spread + 1e-9 * abs(mean)
    seen = f"{what} of {len(risks)} teachers lies between {mean - off:.6g} and {mean + off:.6g}"
    require(abs(stated - mean) <= off, f"the {name} stated gives {stated:.6g}, but {seen}")


def _least_risk(p: Array, loss: str) -> Array:
    """Return the risk of who knows the probabilities (N, classes), (N,)."""
    if loss == "zero-one":
        return np.asarray(1 - p.max(1))
    return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0)), 0.0).sum(1)


def _risk(p: Array, constant: Array, loss: str) -> float:
    """Return the risk of one constant prediction under mean probabilities, both (classes,)."""
    if loss == "zero-one":
        return float(1 - p[constant.argmax()])
    return float(-(p * np.log(np.where(constant > 0, constant, 1.0))).sum())


def many_teachers_at_once_are_those_of_each(case: SettingCase) -> None:
    """`teachers` of three generators, to 1e-5."""
    setting, x = case.setting, case.setting.inputs(6, case.rng("x"))
    together = setting.teachers([case.rng("teacher", k) for k in range(3)])
    require(len(together) == 3, f"teachers() of 3 generators are {len(together)}")
    for k, teacher in enumerate(together):
        one = (f"teacher {k} of three", np.asarray(teacher(x)))
        alone = ("that alone", np.asarray(setting.teacher(case.rng("teacher", k))(x)))
        agree(one, alone, "6 inputs", rtol=1e-5, atol=1e-5)


def realizability_is_an_interval_from_0_on(case: SettingCase) -> None:
    """0 of all functions, where it is known; classes that are not known are refused in one sentence."""
    setting = case.setting
    for function_class in case.classes:
        found = setting.realizability(function_class)
        ordered = 0 <= found.low <= found.estimate <= found.high
        require(ordered, f"realizability({function_class!r}) is {found!r}")
    if AllFunctions() in case.classes:
        found = setting.realizability(AllFunctions())
        require(found.estimate == 0, f"realizability of all functions is {found!r}")
    refused(lambda: setting.realizability(Unheard()), "'function_class'", "a class that is not known")


def teachers_have_the_covariance_of_the_roots(case: SettingCase) -> None:
    """For a `GaussianSetting`: at 4 inputs, over 5 times the teachers, within `ERRORS` standard errors."""
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


def an_exact_quadrature_integrates_what_a_sample_does(case: SettingCase) -> None:
    """For a `GaussianSetting`: squared differences of teachers; frames are orthonormal under it."""
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


def realizability_is_what_projection_leaves(case: SettingCase) -> None:
    """For a `GaussianSetting`, of classes with a frame and an exact quadrature; of a rank, at least that."""
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
        agree(stated, ("what projection leaves", expected), repr(setting), rtol=1e-8, atol=1e-10)


def a_setting_is_frozen_and_hashable(case: SettingCase) -> None:
    """So that it is the table of a spec."""
    setting: Any = case.setting
    copy = dataclasses.replace(setting)
    require(setting == copy and hash(setting) == hash(copy), f"a copy of {setting!r} is not equal to it")
    for field in dataclasses.fields(setting):
        try:
            setattr(setting, field.name, getattr(setting, field.name))
        except dataclasses.FrozenInstanceError:
            continue
        require(False, f"{field.name} of {setting!r} can be set")


SETTING_PROPERTIES: tuple[Callable[[SettingCase], None], ...] = (
    a_setting_is_frozen_and_hashable,
    inputs_are_float64_of_one_size,
    a_seed_gives_one_world_and_no_other_chance_is_used,
    a_teacher_is_a_function_of_its_input,
    many_teachers_at_once_are_those_of_each,
    labels_are_as_the_channel_says,
    the_loss_is_known,
    noise_is_what_labels_show,
    target_variance_is_what_the_best_constant_loses,
    realizability_is_an_interval_from_0_on,
    teachers_have_the_covariance_of_the_roots,
    an_exact_quadrature_integrates_what_a_sample_does,
    realizability_is_what_projection_leaves,
)
"""What holds of every setting, in the order in which `check_setting` looks."""


def check_setting(
    setting: Setting,
    *,
    classes: Sequence[FunctionClass] = (AllFunctions(),),
    properties: Sequence[Callable[[SettingCase], None]] | None = None,
    teachers: int = 400,
    points: int = 64,
    seed: int = 0,
) -> None:
    """Hold a setting to what holds of every setting.

    Parameters
    ----------
    setting
        The setting, with a ``channel``.
    classes
        Function classes whose realizability it knows.
    properties
        Those to look at; all `SETTING_PROPERTIES` by default.
    teachers
        Teachers that means are over, >= 4; five times as many where their covariance is estimated.
    points
        Inputs of each teacher, >= 2.
    seed
        Of the draws.

    Raises
    ------
    AssertionError
        Where a property does not hold; one sentence names it, and the values that show it.  What is stated of
        noise, variances and covariances is compared with means over draws, within `ERRORS` standard errors.
    TypeError, ValueError
        For what is no setting, or too few draws.

    Examples
    --------
    >>> from errsrc.settings import Gaussian, Linear, LinearTeacher
    >>> check_setting(LinearTeacher(3, channel=Gaussian(0.1)), classes=[Linear()])
    """
    of_type(setting, "setting", "check_setting", Setting, "a setting, as errsrc.settings.LinearTeacher(3)")
    for one in classes:
        of_type(one, "classes", "check_setting", FunctionClass, "function classes of errsrc.settings")
    checks.Integer(at_least=4)(teachers, "teachers", "check_setting")
    checks.Integer(at_least=2)(points, "points", "check_setting")
    checks.SEED(seed, "seed", "check_setting")
    hold(
        setting,
        SETTING_PROPERTIES if properties is None else properties,
        SettingCase(setting, tuple(classes), teachers, points, seed),
    )
