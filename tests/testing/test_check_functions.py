"""`errsrc.testing` as others use it: what is right passes in three lines, and what is wrong is named."""

from __future__ import annotations

import functools
import inspect
import subprocess
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from outside.law import Onset
from outside.learner import MedianNeighbour
from outside.setting import Step

from errsrc.bases import Torus
from errsrc.errors import Undersampled
from errsrc.fitting import fit
from errsrc.laws import positive
from errsrc.learners import BandLeastSquares, Learner, Ridge
from errsrc.nets import CNN
from errsrc.results import Interval
from errsrc.settings import (
    BandTeacher,
    Flips,
    FunctionClass,
    Gaussian,
    GaussianSetting,
    Linear,
    LinearTeacher,
    NetworkTeacher,
    TableTeacher,
)
from errsrc.settings.channels import Channel
from errsrc.testing import band_teachers, check_law, check_learner, check_setting, design, laws
from errsrc.testing.learner import each_class_up_to_the_largest_gets_a_score
from errsrc.testing.properties import agree, hold


@pytest.mark.full
def test_a_law_of_ones_own() -> None:
    check_law(Onset)


def test_a_setting_of_ones_own() -> None:
    check_setting(Step())
    check_setting(Step(channel=Gaussian(0.3)))


@dataclass(frozen=True)
class Tide(GaussianSetting):
    """A world in five lines: inputs and a root of the prior covariance, whose variance is not 1."""

    @property
    def outputs(self):
        return 2

    @property
    def output_stds(self):
        return np.array([1.0, 0.5])

    def inputs(self, count, rng):
        return rng.uniform(0, 720, (count, 1))

    def roots(self, *times):
        turns = [2 * np.pi * t / np.array([12.42, 12.0, 23.93]) for t in times]
        waves = [np.hstack([np.cos(turn), np.sin(turn)]) for turn in turns]
        return [wave * np.sqrt(t / 720) for t, wave in zip(times, waves, strict=True)]


@pytest.mark.full
def test_a_gaussian_setting_of_inputs_and_roots_alone_is_whole() -> None:
    world = Tide(channel=Gaussian(0.2))
    assert world.target_variance == pytest.approx(3 * 0.5 * 1.25, rel=0.05)  # waves, mean of t / 720, outputs
    check_setting(world)


def test_a_gaussian_setting_whose_roots_depend_on_other_points_must_draw_its_teachers() -> None:
    @dataclass(frozen=True)
    class Walk(Tide):
        def roots(self, *times):
            together = np.concatenate(times)[:, 0]
            root = np.linalg.cholesky(np.minimum.outer(together, together))
            return np.split(root, np.cumsum([len(t) for t in times])[:-1])

    with pytest.raises(TypeError, match=r"Walk must define teacher\(\)"):
        Walk().teacher(np.random.default_rng(0))


@pytest.mark.full
def test_a_learner_of_ones_own() -> None:
    check_learner(MedianNeighbour())


@settings(max_examples=5, deadline=None)
@given(band_teachers(most=9, noise=0.1))
def test_strategies_draw_what_properties_of_ones_own_are_about(setting: BandTeacher) -> None:
    assert setting.basis.size <= 9
    assert setting.noise <= 0.01 * 1.01


@settings(max_examples=3, deadline=None)
@given(laws(Onset))
def test_a_law_drawn_is_fitted_to_the_usual_design(law: Onset) -> None:
    points = design(Onset)
    assert fit(Onset, law.error(**points), **points).law.alpha == pytest.approx(law.alpha, rel=1e-5)


def test_points_may_be_ones_own() -> None:
    check_law(Onset, points={"n": np.geomspace(0.01, 300, 25)}, examples=4)


@dataclass(frozen=True)
class WrongFormula(Onset):
    @classmethod
    def formula(cls) -> Any:
        return super().formula() * sympy.Rational(1001, 1000)


@dataclass(frozen=True)
class WrongUnits(Onset):
    onset: float = positive((0.05, 5.0), unit={"n": 2})


@dataclass(frozen=True)
class UnrefusingLaw(Onset):
    def error(self, **inputs: Any) -> Any:
        return self.a * (1 + np.asarray(inputs.get("n", 1.0)) / self.onset) ** -self.alpha


@dataclass(frozen=True)
class Undetermined(Onset):
    """Two amplitudes of which only the product counts, in units that nobody can tell from the errors."""

    b: float = positive((0.3, 3.0))

    def error(self, **inputs: Any) -> Any:
        return self.b * super().error(**inputs)

    @classmethod
    def formula(cls) -> Any:
        return sympy.Symbol("b", positive=True) * super().formula()


LAWS = [
    (
        WrongFormula,
        "error and formula are the same law",
        r"error\(\) is \S+ and formula\(\) is .* and n = 0.0",
    ),
    (WrongUnits, "the units of the parameters are correct", r"the rescaled law's error is .* in units"),
    (UnrefusingLaw, "bad inputs are refused in one sentence", r"error\(\) without inputs is not refused"),
]


def sentence(caught: pytest.ExceptionInfo[AssertionError], name: str, claim: str) -> str:
    """The message, which is one sentence on one line that names what fails, and the property."""
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{name} fails '{claim}': ")
    assert text.endswith(".")
    return text


@pytest.mark.parametrize(("law", "claim", "seen"), LAWS, ids=lambda one: getattr(one, "__name__", None))
def test_a_wrong_law_is_named_with_its_property(law: type[Onset], claim: str, seen: str) -> None:
    with pytest.raises(AssertionError, match=seen) as caught:
        check_law(law)
    sentence(caught, law.__name__, claim)


def test_a_law_whose_parameters_are_not_determined_passes_if_the_fit_says_so() -> None:
    check_law(Undetermined, examples=4)


@dataclass(frozen=True)
class Unseeded(Step):
    def inputs(self, count: int, rng: Any) -> Any:
        return np.random.default_rng().random((count, 2))


@dataclass(frozen=True)
class GlobalChance(Step):
    def teacher(self, rng: Any) -> Any:
        np.random.random()  # noqa: NPY002
        return super().teacher(rng)


@dataclass(frozen=True)
class Noisier(Channel):
    noise_std: float = 0.3

    def label(self, values: Any, rng: Any) -> Any:
        return values + 1.1 * self.noise_std * rng.standard_normal(values.shape)


@dataclass(frozen=True)
class WrongNoise(Step):
    channel: Channel = field(default=Noisier(), kw_only=True)
    noise = 0.3**2


@dataclass(frozen=True)
class HiddenNoise(Step):
    """Clean, it says."""

    channel: Channel = field(default=Noisier(1e-6), kw_only=True)
    noise = 0.0


@dataclass(frozen=True)
class WrongFlips(Flips):
    def probabilities(self, values: Any) -> Any:
        return Flips(self.rate / 2).probabilities(values)


@dataclass(frozen=True)
class WrongVariance(Step):
    target_variance = 0.35


@dataclass(frozen=True)
class OwnVariance(Step):
    """About the mean of each f, which no one knows before the examples: the mean of t (1 - t)."""

    target_variance = 1 / 6


@dataclass(frozen=True)
class OwnNetworkVariance(NetworkTeacher):
    """The same of networks."""

    @property
    def target_variance(self) -> float:
        return float(np.asarray(self._values).var(1).sum(-1).mean())


@dataclass(frozen=True)
class Relative(Step):
    def teacher(self, rng: Any) -> Any:
        f = super().teacher(rng)
        return lambda x: f(x) - f(x).mean()


@dataclass(frozen=True)
class Mutating(Step):
    def teacher(self, rng: Any) -> Any:
        f = super().teacher(rng)

        def g(x: Any) -> Any:
            x *= 1.0 - 1e-9
            return f(x)

        return g


@dataclass(frozen=True)
class Float32(Step):
    def inputs(self, count: int, rng: Any) -> Any:
        return super().inputs(count, rng).astype(np.float32)


@dataclass(frozen=True)
class WrongRoots(LinearTeacher):
    def roots(self, *points: Any) -> Any:
        return [x * self.weight_variances for x in points]


@dataclass(frozen=True)
class WrongRealizability(LinearTeacher):
    def realizability(self, function_class: Any) -> Interval:
        return Interval(0.1, 0.1, 0.1, 0.95)


@dataclass(frozen=True)
class OtherAtOnce(Step):
    def teachers(self, rngs: Any) -> Any:
        return [self.teacher(rngs[0])] * len(rngs)


WORLD = "a seed determines all draws"
FUNCTION = "a teacher is a function of its input"
CONSTANT = "target variance is the excess risk of the best constant"
SETTINGS = [
    (Unseeded(), WORLD, "a second draw of inputs is"),
    (GlobalChance(), WORLD, "numpy's global generator"),
    (WrongNoise(), "noise is the smallest risk", r"the stated noise gives 0.09, but .* between 0\.1"),
    (HiddenNoise(), "noise is the smallest risk", "the stated noise gives 0, but"),
    (TableTeacher(4, channel=WrongFlips(0.2)), "noise is the smallest risk", "standard errors"),
    (WrongVariance(), CONSTANT, "the stated target variance gives 0.35, but"),
    (OwnVariance(), CONSTANT, "the stated target variance gives 0.166667, but"),
    (OwnNetworkVariance(CNN(6, 2, 3)), CONSTANT, "the best constant's risk of 400 teachers lies between"),
    (Relative(), FUNCTION, "a value of the first two is"),
    (Mutating(), FUNCTION, "an input after the call is"),
    (Float32(), "inputs are float64 of one size", r"inputs\(1\) is float32 of shape \(1, 2\)"),
    (OtherAtOnce(), "teachers drawn at once equal those drawn alone", "teacher [12] of three"),
    (WrongRoots(5), "teachers have the covariance of the roots", "a covariance of teachers is"),
    (WrongRealizability(3), "realizability is not negative", "is not refused"),
]


@pytest.mark.full
@pytest.mark.parametrize(
    ("setting", "claim", "seen"), SETTINGS, ids=[type(one).__name__ for one, *_ in SETTINGS]
)
def test_a_wrong_setting_is_named_with_its_property(setting: Any, claim: str, seen: str) -> None:
    with pytest.raises(AssertionError, match=seen) as caught:
        check_setting(setting, classes=[Linear()] if isinstance(setting, LinearTeacher) else ())
    sentence(caught, type(setting).__name__, claim)


@dataclass(frozen=True)
class FirstCounts(MedianNeighbour):
    def _fit(self, x: Any, y: Any, rng: Any) -> Any:
        return super()._fit(x, np.concatenate([2 * y[:1], y[1:]]), rng)


@dataclass(frozen=True)
class Centring(MedianNeighbour):
    def fit(self, x: Any, y: Any, rng: Any) -> Any:
        if isinstance(y, np.ndarray) and y.dtype.kind == "f":
            y -= y.mean(0)
        return super().fit(x, y, rng)


@dataclass(frozen=True)
class Jittering(MedianNeighbour):
    def _fit(self, x: Any, y: Any, rng: Any) -> Any:
        return super()._fit(x + 5.0 * np.random.default_rng().standard_normal(x.shape), y, rng)


@dataclass(frozen=True)
class GloballyJittering(MedianNeighbour):
    def _fit(self, x: Any, y: Any, rng: Any) -> Any:
        np.random.random()  # noqa: NPY002
        return super()._fit(x, y, rng)


@dataclass(frozen=True)
class NotLinear(MedianNeighbour):
    linear_in_labels = True


@dataclass(frozen=True)
class SaysNothing(MedianNeighbour):
    """A mean is linear in the labels."""

    def _fit(self, x: Any, y: Any, rng: Any) -> Any:
        return super()._fit(x, y * 0 + y.mean(0), rng)


@dataclass(frozen=True)
class NoMap(MedianNeighbour):
    function_class = Linear()


@dataclass(frozen=True)
class Needy(MedianNeighbour):
    """It raises for fewer examples than four."""

    def _fit(self, x: Any, y: Any, rng: Any) -> Any:
        return super()._fit(x - 0 * x[3], y, rng)


@dataclass(frozen=True)
class Single(MedianNeighbour):
    def _fit(self, x: Any, y: Any, rng: Any) -> Any:
        return super()._fit(x, y if y.ndim == 1 else y[:, :1], rng)


SEED = "a seed determines the predictor"
LEARNERS = [
    (
        FirstCounts(),
        "the order of examples does not matter",
        "from shuffled examples is .* at [2-9] examples",
    ),
    (Centring(), "inputs and labels are not changed", "y afterwards is .* and y before is"),
    (Jittering(), SEED, "the second fit's prediction is .* and the first's is"),
    (GloballyJittering(), SEED, "numpy's global generator"),
    (NotLinear(), "linear in labels is declared correctly", r"f\(2 y \+ z\) is"),
    (SaysNothing(), "linear in labels is declared correctly", "though linear_in_labels is False"),
    (NoMap(), "predictions lie in the declared class", r"f\(a - 2 b\) is"),
    (Needy(), "predictions have the shape of the labels", "IndexError was raised .* at n = 1, draw = 0"),
    (
        Single(),
        "predictions have the shape of the labels",
        r"labels of shape \(1, 3\) .* of shape \(7, 1\)\. If",
    ),
]


@pytest.mark.parametrize(
    ("learner", "claim", "seen"), LEARNERS, ids=[type(one).__name__ for one, *_ in LEARNERS]
)
def test_a_wrong_learner_is_named_with_its_property(learner: Any, claim: str, seen: str) -> None:
    with pytest.raises(AssertionError, match=seen) as caught:
        check_learner(learner)
    sentence(caught, type(learner).__name__, claim)


def test_learners_of_few_inputs_say_which() -> None:
    """Nodes on the circle that are given: `BandLeastSquares` on its own domain needs none."""
    check_learner(BandLeastSquares(Torus(1)), inputs=lambda n, rng: rng.uniform(0, 6, (n, 1)), examples=3)


@dataclass(frozen=True)
class Seasonal(FunctionClass):
    """A function class of the user's own."""


@dataclass(frozen=True)
class SameSeason(Learner):
    """The learner of the tutorial, of one column and numbers only; its predictors cannot be pickled."""

    function_class = Seasonal()
    k: int = 5

    def _fit(self, x: Any, y: Any, rng: Any) -> Any:
        def predict(at: Any) -> Any:
            apart = np.abs((at - x.T + 0.5) % 1 - 0.5)  # in years, at most half a year
            return y[np.argsort(apart, axis=1, kind="stable")[:, : self.k]].mean(1)

        return predict


@dataclass(frozen=True)
class OneOutput(SameSeason):
    def _fit(self, x: Any, y: Any, rng: Any) -> Any:
        predict = super()._fit(x, y, rng)
        return lambda at: np.array([float(one) for one in predict(at)])


@pytest.mark.full
def test_a_learner_of_the_tutorial_says_what_it_takes() -> None:
    def years(count: int, chance: np.random.Generator) -> Any:
        return chance.uniform(0, 3, (count, 1))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        check_learner(SameSeason(), inputs=years, labels="numbers", examples=3)
        check_learner(OneOutput(), inputs=years, labels="one output", examples=3)
    texts = [str(one.message) for one in caught]
    assert [sum(word in text for text in texts) for word in ("seems to be linear", "pickled")] == [2, 2]
    with pytest.raises(
        AssertionError, match=r"of one output only, of shape \(n,\), pass labels='one output'\.$"
    ):
        check_learner(OneOutput(), inputs=years, labels="numbers", examples=3)
    with pytest.raises(
        AssertionError, match=r"gets a score'.*\. If it takes no classes, pass labels='numbers'"
    ):
        check_learner(SameSeason(), inputs=years, properties=[each_class_up_to_the_largest_gets_a_score])
    with pytest.raises(AssertionError, match=r"pass inputs=setting\.inputs\.$"):
        check_learner(SameSeason(), labels="numbers")


@dataclass(frozen=True)
class NearestClass(Learner):
    """A learner of classes only."""

    function_class = Seasonal()

    def _fit(self, x: Any, y: Any, rng: Any) -> Any:
        if y.dtype.kind != "i":
            raise ValueError("The 'y' parameter of NearestClass must be classes.")
        return functools.partial(_class_of_the_nearest, x, np.eye(y.max() + 1)[y])


@dataclass(frozen=True)
class LastClass(NearestClass):
    """A learner with a mistake: it has no score for the largest class."""

    def _fit(self, x: Any, y: Any, rng: Any) -> Any:
        return super()._fit(x, np.maximum(y - 1, 0), rng)


def _class_of_the_nearest(x: Any, scores: Any, at: Any) -> Any:
    return scores[np.argmin(np.abs(at[:, :1] - x[:, 0]), axis=1)]


def test_a_learner_of_classes_only_is_tested_with_classes() -> None:
    def line(count: int, chance: np.random.Generator) -> Any:
        return chance.uniform(0, 3, (count, 1))

    options: dict[str, Any] = {"inputs": line, "examples": 3}
    check_learner(NearestClass(), labels="classes", probabilities=True, **options)
    with pytest.raises(AssertionError, match=r"if only classes, labels='classes'\.$"):
        check_learner(NearestClass(), **options)
    with pytest.raises(AssertionError, match=r"scores at 7 inputs have shape \(7, 2\)"):
        check_learner(LastClass(), labels="classes", **options)


def test_the_tutorial_has_this_learner() -> None:
    """The text of the class, but for annotations and the docstring."""
    page = (Path(__file__).parents[2] / "docs/tutorials/where_error_comes_from.md").read_text()
    source = inspect.getsource(SameSeason._fit).replace(": Any", "").replace(" -> Any", "")
    assert source in page


REFUSED: list[tuple[Any, str]] = [
    (lambda: check_law(Ridge), "'law' parameter of check_law must be a subclass of errsrc.laws.Law"),
    (lambda: check_law(Onset(1.0, 1.0, 1.0)), "'law' .* subclass"),
    (lambda: check_law(Onset, points={"m": [1.0]}), r"'points' .* exactly n. Got \['m'\]"),
    (lambda: check_law(Onset, examples=0), "'examples' .* >= 1"),
    (lambda: check_setting(Linear()), "'setting' parameter of check_setting must be a setting"),
    (lambda: check_setting(Step(), classes=[3]), "'classes' .* function classes"),
    (lambda: check_setting(Step(), teachers=2), "'teachers' .* >= 4"),
    (lambda: check_learner(Ridge), "'learner' parameter of check_learner must be a learner"),
    (lambda: check_learner(Ridge(), seed=-1), "'seed' .* >= 0"),
    (lambda: check_learner(Ridge(), labels="regression"), "'labels' .* 'one output'"),
]


@pytest.mark.parametrize(("wrong", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        wrong()


def test_a_comparison_sees_shapes_and_numbers_that_are_none() -> None:
    for other, seen in (([1.0], "shape"), ([1.0, np.nan], "nan")):
        with pytest.raises(Exception, match=seen):
            agree(("this", [1.0, 2.0]), ("that", other), "here", rtol=1.0)


@pytest.mark.slow
def test_pytest_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "from errsrc.laws import Power\nfrom errsrc.learners import Ridge\n"
        "from errsrc.settings import LinearTeacher\nfrom errsrc.testing import *\n"
        "check_law(Power, examples=2)\ncheck_learner(Ridge(), examples=2)\n"
        "check_setting(LinearTeacher(2), teachers=40)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_warnings_of_the_library_are_no_failures() -> None:
    with pytest.warns(Undersampled):
        BandLeastSquares(Torus(4)).fit(np.zeros((1, 1)), np.zeros(1), np.random.default_rng(0))


def test_what_was_raised_is_quoted_once() -> None:
    def its_error_is_finite(case: Any) -> None:
        raise KeyError("n")

    with pytest.raises(AssertionError) as caught:
        hold(Onset, [its_error_is_finite], None)
    assert str(caught.value) == "Onset fails 'its error is finite': KeyError was raised ('n')."
