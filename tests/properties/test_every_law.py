"""What holds of every law: over all of `errsrc.laws.ALL`, with parameters drawn at random."""

from __future__ import annotations

import inspect
import pkgutil
from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import errsrc.laws
from errsrc.errors import Unreachable
from errsrc.laws import ALL, Law, files
from errsrc.laws.fitting import fit
from errsrc.laws.law import compiled, compiled_error, symbol
from errsrc.laws.planning import plan

EVERY = pytest.mark.parametrize("law", ALL.values(), ids=ALL.keys())


def sizes(law: type[Law], scale: float = 1.0) -> dict[str, np.ndarray]:
    """Points of a design that could identify the law, with geometric mean about `scale`."""
    if law.inputs == ("n",):
        return {"n": scale * np.geomspace(1e-3, 1e3, 30)}
    if law.inputs == ("n", "m"):
        n, m = np.meshgrid(np.geomspace(0.02, 50, 7), np.geomspace(0.02, 50, 7))
        return {"n": scale * n.ravel(), "m": scale**2 * m.ravel()}
    if law.inputs == ("density",):
        return {"density": scale * 0.8 ** np.arange(-20, 20)}
    axes = np.meshgrid(0.7 ** np.arange(-9, 9), [0.5, 1.0, 2.0], [0.4, 1.0, 3.0])
    density, depth, width = (axis.ravel() for axis in axes)
    return {"density": density, "depth": depth, "width": scale * width, "eps_np": 0.4 / (1 + 0.2 * depth)}


@st.composite
def laws(draw: st.DrawFn, kind: type[Law]) -> Law:
    """A law whose scaled parameters lie where a fit would start to look for them."""
    values = {}
    for p in kind.parameters():
        low, high = p.start
        share = draw(st.floats(0.1, 0.9))
        values[p.name] = low * (high / low) ** share if p.log else low + share * (high - low)
    return kind(**values)


@EVERY
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_error_and_formula_are_the_same_law(law: type[Law], data: st.DataObject) -> None:
    one = data.draw(laws(law))
    points = sizes(law)
    from_formula = compiled_error(law)(*(points[name] for name in law.inputs), *one.params.values())
    np.testing.assert_allclose(one.error(**points), from_formula, rtol=1e-10)


@EVERY
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_compiled_gradient_is_the_derivative_of_error(law: type[Law], data: st.DataObject) -> None:
    """Against fourth-order differences of the numpy `error`, which knows nothing of sympy."""
    one = data.draw(laws(law))
    points = sizes(law)
    _, *slopes = compiled(law)(*(points[name] for name in law.inputs), *one.params.values())
    for p, slope in zip(law.parameters(), slopes, strict=True):
        value = one.params[p.name]
        step = 1e-3 * max(abs(value), 0.1 if not p.log else 0.0)
        if not p.signed and value - 2 * step < 0:
            continue  # at the edge of what the parameter may be
        at = {k: replace(one, **{p.name: value + k * step}).error(**points) for k in (-2, -1, 1, 2)}
        difference = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * step)
        tolerance = 1e-7 * float(np.max(np.abs(difference))) + 1e-9
        np.testing.assert_allclose(
            np.broadcast_to(slope, difference.shape), difference, rtol=1e-5, atol=tolerance
        )


@pytest.mark.parametrize(
    "law", [law for law in ALL.values() if law is not ALL["m4"]], ids=lambda law: law.__name__
)
def test_compiled_gradient_equals_sympys_to_many_digits(law: type[Law]) -> None:
    rng = np.random.default_rng(0)
    values = {p.name: float(np.mean(p.start)) * rng.uniform(0.8, 1.2) for p in law.parameters()}
    at = {name: float(rng.uniform(0.5, 2.0)) for name in law.inputs}
    exact = {symbol(name): sympy.Float(value, 40) for name, value in {**values, **at}.items()}
    _, *slopes = compiled(law)(*at.values(), *values.values())
    for p, slope in zip(law.parameters(), slopes, strict=True):
        digits = sympy.diff(law.formula(), symbol(p.name)).subs(exact).evalf(40)
        assert float(slope) == pytest.approx(float(digits), rel=1e-11)


@EVERY
@settings(max_examples=30, deadline=None)
@given(data=st.data(), scale=st.floats(1e-3, 1e9), unit=st.floats(1e-3, 1e3))
def test_declared_units_are_the_laws_own(
    law: type[Law], data: st.DataObject, scale: float, unit: float
) -> None:
    """Rescaled by its units, the law says the same of the same data in other units."""
    one = data.draw(laws(law))
    points = sizes(law)
    scales = {
        name: unit if name in law.error_inputs else scale ** (k + 1) for k, name in enumerate(law.inputs)
    }
    moved = {name: scales[name] * x for name, x in points.items()}
    other = one.rescaled({**scales, "error": unit})
    np.testing.assert_allclose(other.error(**moved), unit * one.error(**points), rtol=1e-7)


@EVERY
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_laws_own_points_give_it_back(law: type[Law], data: st.DataObject) -> None:
    """From cold starts: parameters to 1e-6 where they are determined, else predictions, and a warning."""
    one = data.draw(laws(law))
    points = sizes(law)
    found = fit(law, one.error(**points), constants={name: 1.0 for name in law.constants()}, **points)
    np.testing.assert_allclose(found.law.error(**points), one.error(**points), rtol=1e-6)
    if found.condition < 1e6:
        for p in law.parameters():
            truth = getattr(one, p.name)
            assert getattr(found.law, p.name) == pytest.approx(truth, rel=1e-6, abs=1e-6 if not p.log else 0)
    else:
        assert any("determined" in warning for warning in found.warnings)


@EVERY
def test_a_fit_does_not_depend_on_the_order_of_rows_or_on_units(law: type[Law]) -> None:
    rng = np.random.default_rng(3)
    middle = {
        p.name: float(np.sqrt(np.prod(p.start))) if p.log else float(np.mean(p.start))
        for p in law.parameters()
    }
    points = sizes(law)
    truth = law(**middle).error(**points)
    error = truth * np.exp(0.01 * rng.standard_normal(truth.shape))
    first = fit(law, error, **points)
    order = rng.permutation(len(error))
    shuffled = fit(law, error[order], **{name: x[order] for name, x in points.items()})
    scales = {name: 10.0 if name in law.error_inputs else 1e3 ** (k + 1) for k, name in enumerate(law.inputs)}
    moved = fit(law, 10 * error, **{name: scales[name] * x for name, x in points.items()})
    np.testing.assert_allclose(shuffled.law.error(**points), first.law.error(**points), rtol=1e-6)
    rescaled = {name: scales[name] * x for name, x in points.items()}
    np.testing.assert_allclose(moved.law.error(**rescaled), 10 * first.law.error(**points), rtol=1e-6)
    assert first.noise == pytest.approx(moved.noise, rel=1e-5)


@pytest.mark.parametrize(
    "law", [law for law in ALL.values() if law.inputs[0] == "n"], ids=lambda law: law.__name__
)
def test_plan_inverts_predict(law: type[Law]) -> None:
    middle = {
        p.name: float(np.sqrt(np.prod(p.start))) if p.log else max(p.start[0], 0.1) for p in law.parameters()
    }
    points = sizes(law, scale=1e4)
    one = law(**middle).rescaled({"n": 1e4, "m": 1e8})
    truth = one.error(**points)
    found = fit(law, truth, constants={name: 1.0 for name in law.constants()}, **points)
    target = float(np.quantile(truth, 0.3))
    answer = plan(found, error=target)
    at = {"n": answer.n.estimate} | ({"m": answer.m.estimate} if answer.m is not None else {})
    assert float(found.law.error(**at)) == pytest.approx(target, rel=1e-6)
    assert answer.error.estimate == pytest.approx(target, rel=1e-6)
    back = plan(found, budget=answer.cost.estimate)
    assert back.error.estimate == pytest.approx(target, rel=1e-3)
    if answer.m is not None:  # no neighbour on the same contour is cheaper
        for factor in (0.8, 1.25):
            m = answer.m.estimate * factor
            n = answer.cost.estimate / (6 * m)
            assert float(found.law.error(n=n, m=m)) >= target * (1 - 1e-9)


def test_a_target_under_the_floor_is_refused_with_the_floor() -> None:
    n = np.geomspace(10, 1e5, 20)
    found = fit(ALL["power"], ALL["power"](0.1, 2.0, 0.5).error(n=n), n=n)
    with pytest.raises(Unreachable, match=r"floor of this law is 0\.1") as caught:
        plan(found, error=0.05)
    assert caught.value.best.estimate == pytest.approx(0.1, rel=1e-6)


@EVERY
def test_a_fit_survives_its_file(law: type[Law], tmp_path) -> None:
    middle = {
        p.name: float(np.sqrt(np.prod(p.start))) if p.log else float(np.mean(p.start))
        for p in law.parameters()
    }
    points = sizes(law)
    truth = law(**middle).error(**points)
    found = fit(law, truth * np.exp(0.02 * np.sin(np.arange(len(truth)) ** 2)), **points)
    files.save(found, tmp_path / "fit.json")
    again = files.load(tmp_path / "fit.json")
    assert again.law == found.law
    ahead = {name: 1.5 * x[:5] for name, x in points.items()}
    for name, column in found.predict(**ahead).columns().items():
        np.testing.assert_array_equal(again.predict(**ahead).columns()[name], column)


def test_every_law_of_the_room_is_in_all() -> None:
    defined = set()
    for module in pkgutil.iter_modules(errsrc.laws.__path__, "errsrc.laws."):
        for _, item in inspect.getmembers(__import__(module.name, fromlist=["x"]), inspect.isclass):
            if issubclass(item, Law) and item is not Law:
                defined.add(item)
    assert defined == set(ALL.values())


@EVERY
def test_laws_are_hashable_plain_numbers(law: type[Law]) -> None:
    one = law(**{p.name: 1 if p.bounds[1] > 1 else 0.5 for p in law.parameters()})
    assert hash(one) == hash(replace(one))
    assert all(isinstance(value, float) for value in one.params.values())
    with pytest.raises((TypeError, ValueError), match=f"of {law.__name__} must be a finite number"):
        replace(one, **{law.parameters()[0].name: float("nan")})
