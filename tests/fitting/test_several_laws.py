"""The default estimator."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from amounts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from errsrc.errors import NoAnswer, NoFit
from errsrc.fitting import AveragedFit, asymptotes, auto, files, fit
from errsrc.laws import M4, Chinchilla, Coupled, Dense, Power, Pruning
from fitting.cases import CIFAR, grid, noisy


@pytest.mark.full
def test_an_error_that_rises_is_no_power_law() -> None:
    n = np.geomspace(10, 1e5, 14)
    with pytest.raises(ValueError, match="The values rise with n"):
        auto(0.1 * n**0.2, n=n)
    density = 0.8 ** np.arange(20)
    with pytest.raises(NoFit, match=r"rises with the density|worse than a constant"):
        auto(0.1 * density**0.5, density=density)


@pytest.mark.full
def test_a_parameter_that_its_prior_alone_holds_is_not_called_determined() -> None:
    """The data term is nothing here: its amplitude and its exponent are open, whatever the bootstrap says."""
    sizes = {"n": grid()["n"] * 4e6, "m": grid()["m"] * 1e4}
    law = Chinchilla(E=1.8, A=480.0, B=1e-9, alpha=0.35, beta=0.5)
    found = auto(noisy(law, sizes, 0.005), **sizes)
    assert not found.members[0].intervals["B"].determined
    assert not found.members[0].intervals["beta"].determined


def test_auto_averages_and_its_weights_sum_to_one() -> None:
    n = np.geomspace(100, 1e5, 25)
    found = auto(noisy(M4(0.9, 0.1, 30.0, 0.6, 1.5), {"n": n}, 0.01), n=n)
    assert isinstance(found, AveragedFit)
    assert sum(found.weights) == pytest.approx(1)
    assert list(found.weights) == sorted(found.weights, reverse=True)
    centre, draws = found.curves(n=[1e6])
    assert draws.shape == (found.draw_count, 1)
    assert draws.min() <= centre[0] <= draws.max()


@pytest.mark.full
def test_auto_follows_a_law_that_it_has(tmp_path) -> None:
    n = np.geomspace(100, 1e5, 40)
    law = Power(0.1, 2.0, 0.5)
    found = auto(noisy(law, {"n": n}, 0.002), n=n)
    ahead = np.array([3e5, 1e6])
    np.testing.assert_allclose(found.predict(n=ahead).predicted, law.error(n=ahead), rtol=0.01)
    files.save_fit(found, tmp_path / "fit.json")
    again = files.load_fit(tmp_path / "fit.json")
    np.testing.assert_array_equal(again.predict(n=ahead).high, found.predict(n=ahead).high)


@pytest.mark.full
def test_auto_does_not_care_for_the_order_of_its_inputs() -> None:
    sizes = grid()
    law = Chinchilla(E=1.8, A=480, B=2100, alpha=0.35, beta=0.37)
    sizes = {"n": sizes["n"] * 4e6, "m": sizes["m"] * 1e4}
    error = noisy(law, sizes, 0.005)
    one, other = auto(error, n=sizes["n"], m=sizes["m"]), auto(error, m=sizes["m"], n=sizes["n"])
    assert one.members[0].law == other.members[0].law


@pytest.mark.full
def test_auto_takes_the_dense_law_only_where_random_guess_is_known() -> None:
    sizes = grid()
    error = noisy(CIFAR, sizes, 0.01)
    assert {type(f.law) for f in auto(error, fixed={"eps0": 0.9}, **sizes).members} >= {Dense}
    assert {type(f.law) for f in auto(error, **sizes).members} <= {Chinchilla, Coupled}


def test_auto_refuses_inputs_that_no_candidate_has() -> None:
    with pytest.raises(TypeError, match="one of these sets"):
        auto([0.5, 0.4], width=[1, 2])
    with pytest.raises(ValueError, match="'fixed' parameter of auto"):
        auto([0.5, 0.4, 0.3, 0.25], n=[1, 2, 4, 8], fixed={"epsilon": 1.0})


@pytest.mark.full
@settings(max_examples=examples(25), deadline=None)
@given(
    st.lists(st.floats(1e-6, 1e6), min_size=4, max_size=12, unique=True),
    st.lists(st.floats(1e-3, 1e3), min_size=12, max_size=12),
)
def test_auto_answers_or_refuses_but_never_breaks(n: list[float], error: list[float]) -> None:
    try:
        found = auto(error[: len(n)], n=n)
    except (ValueError, NoAnswer):
        return
    p = found.predict(n=[max(n), 10 * max(n)])
    assert np.all(np.isfinite(p.predicted) & (p.predicted > 0))
    assert np.all((p.low <= p.predicted) & (p.predicted <= p.high))


def test_auto_refuses_shapes_and_constants_in_its_own_words() -> None:
    with pytest.raises(ValueError, match=r"'density' parameter of auto must be .* <= 1\. Got 2"):
        auto([0.5, 0.4, 0.3, 0.25, 0.2, 0.2], density=[1, 2, 5, 20, 50, 100])
    with pytest.raises(ValueError, match="as long as the others"):
        auto([0.5, 0.4, 0.3, 0.25, 0.2], n=[1, 2, 3])
    with pytest.raises(ValueError, match=r"numbers <= eps0 = 0\.3"):
        auto([0.5, 0.4, 0.3, 0.25, 0.2], n=[1, 2, 3, 4, 5], fixed={"eps0": 0.3})


CURVE = np.geomspace(100, 1e5, 12)


@pytest.mark.full
def test_the_table_begins_with_the_exponent_and_the_floor_of_the_average() -> None:
    found = auto(noisy(Power(0.1, 2.0, 0.5), {"n": CURVE}, 0.01), n=CURVE)
    assert len(found.members) > 1
    rows = str(found).splitlines()
    alpha, floor = found.limits["n"], found.as_dict()["average"]["floor"]
    assert rows[0] == f"exponent    {alpha} of n, above the floor"
    assert rows[1] == f"floor       {found.limits['floor']}"
    assert rows[2] == "            90% intervals, if one of the laws holds"
    assert rows[4].startswith("average of  ")
    assert alpha.low < 0.5 < alpha.high < 1.4 * alpha.low
    assert floor["low"] < 0.1 < floor["high"]


@pytest.mark.full
def test_the_exponent_of_an_average_agrees_with_that_of_the_only_law_that_fits() -> None:
    error = noisy(Power(0.1, 2.0, 0.5), {"n": CURVE}, 0.01)
    own = fit(Power, error, n=CURVE, objective="log").intervals
    found = auto(error, n=CURVE).limits
    for name, key in (("alpha", "n"), ("c_inf", "floor")):
        width = own[name].high - own[name].low
        assert found[key].low == pytest.approx(own[name].low, abs=0.35 * width)
        assert found[key].high == pytest.approx(own[name].high, abs=0.35 * width)


@pytest.mark.full
def test_an_average_without_its_own_intervals_spans_those_of_its_laws() -> None:
    """As in files of errsrc 0.1."""
    found = dataclasses.replace(auto(noisy(Power(0.1, 2.0, 0.5), {"n": CURVE}, 0.01), n=CURVE), limits={})
    own = [member.intervals["alpha"] for member in found.members]
    alpha = found.asymptotes["n"]
    mean = sum(w * one.estimate for w, one in zip(found.weights, own, strict=True))
    assert alpha.estimate == pytest.approx(mean)
    assert alpha.low == min(one.low for one, w in zip(own, found.weights, strict=True) if w >= 0.05)
    assert "brackets span the 90% intervals of all laws, and are none of the average" in str(found)


@pytest.mark.full
@pytest.mark.parametrize("exponent", [0.078, 0.2, 0.35, 0.6])
@pytest.mark.parametrize("unit", [1.0, 1e3])
def test_the_exponent_without_a_floor_stands_next_to_the_one_above_it(exponent: float, unit: float) -> None:
    error = unit * noisy(Power(0.0, 11.0, exponent), {"n": CURVE}, 0.003)
    rows = str(auto(error, n=CURVE)).splitlines()
    line = asymptotes.straight_line(CURVE, error, 0.9)
    assert line is not None
    assert f"no floor    {line} of n, if the error had no floor (--fix c_inf=0)" in rows
    straight = fit(Power, error, n=CURVE, fixed={"c_inf": 0.0}, objective="log")
    assert line.estimate == pytest.approx(straight.law.alpha, rel=1e-6)
    own = straight.intervals["alpha"]
    assert (line.low, line.high) == pytest.approx((own.low, own.high), rel=1e-3)
    assert line.low < exponent < line.high


def test_a_floor_that_is_held_is_shown_as_held() -> None:
    found = auto(noisy(Power(0.0, 11.0, 0.3), {"n": CURVE}, 0.003), n=CURVE, fixed={"c_inf": 0.0})
    rows = str(found).splitlines()
    assert rows[1] == "floor       0 (held)"
    assert not any(row.startswith("no floor") for row in rows)


def test_the_exponents_of_both_sizes_are_named_by_their_size() -> None:
    sizes = grid()
    law = Chinchilla(E=1.8, A=9.0, B=20.0, alpha=0.35, beta=0.5)
    found = auto(noisy(law, sizes, 0.002, seed=4), **sizes)
    average = found.as_dict()["average"]
    for size, true in (("n", 0.5), ("m", 0.35)):
        one = average["exponents"][size]
        assert one["low"] < true < one["high"] < 1.2 * one["low"]
    assert set(average["weights"]) == {"chinchilla", "coupled"}
    assert re.match(r"exponents   0\.5\d+ \[.*\] of n, 0\.35\d+ \[.*\] of m, above the floor\n", str(found))


def test_warnings_concern_what_the_table_shows() -> None:
    """OpenCLIP on LAION-2B: error against compute is a straight line, so that m4 is not determined."""
    n = [18.944, 52.659, 96.2, 224.59, 256.97, 268.12, 703.82, 1122.9, 2807.4, 3549.4, 6631.5]
    top1 = [0.57358, 0.61822, 0.62526, 0.68928, 0.66474, 0.68134, 0.70222, 0.73096, 0.75202, 0.76664, 0.77972]
    found = auto(1 - np.array(top1), n=n)
    assert found.warnings == ()
    rows = str(found).splitlines()
    assert re.match(r"exponent    0\.1\d+ \[0\.10\d*, 0\.\d+\] of n, above the floor", rows[0])
    assert rows[1].startswith("floor       < 0.")
    assert rows[3] == "no floor    0.114 [0.104, 0.125] of n, if the error had no floor (--fix c_inf=0)"
    assert any("not determined" in text for member in found.members for text in member.warnings)


def test_an_average_over_densities_has_no_exponent_of_a_size() -> None:
    density = 0.8 ** np.arange(26)
    found = auto(Pruning(eps_np=0.07, eps_up=0.9, gamma=1.2, p=0.01).error(density=density), density=density)
    assert str(found).startswith("average of  pruning 100%")
    assert found.as_dict()["average"]["exponents"] == {}
