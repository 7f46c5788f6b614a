"""Forecasts of one law in n and m where the measured sizes do not determine its exponents."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from errsrc.fitting import fit, load_fit, one_law, plan, save_fit
from errsrc.fitting.asymptotes import floor_text
from errsrc.fitting.few_sizes import OpenLaw
from errsrc.fitting.intervals import bootstrap
from errsrc.laws import Chinchilla, Dense
from errsrc.results import Interval

TRUTH = Dense(eps0=2 / 3, alpha=0.5, beta=0.5, b=0.5, c_inf=0.1, eta=2.0, n_full=400.0, m_base=3000.0)


def table(n: list[float], m: list[float]) -> dict[str, np.ndarray]:
    """Two runs of each size, with noise of 5%."""
    sizes = {name: np.repeat(x.ravel(), 2) for name, x in zip("nm", np.meshgrid(n, m), strict=True)}
    noise = np.random.default_rng(3).standard_normal(len(sizes["n"]))
    return {**sizes, "error": np.minimum(TRUTH.error(**sizes) * np.exp(0.05 * noise), 0.66)}


@pytest.fixture(scope="module")
def found():
    return fit(Dense, **table([100, 200, 400], [1000, 3000]), fixed={"eps0": 2 / 3})


def test_two_model_sizes_leave_the_law_open_and_its_forecasts_wide(found) -> None:
    (said,) = (text for text in found.warnings if isinstance(text, OpenLaw))
    assert said.startswith("The measured sizes (3 of n and 2 of m) do not determine the law: ")
    low, high = np.quantile(found.draws["beta"], [0.05, 0.95])
    assert high > 3 * low
    predicted = found.predict(n=1600, m=12_000)
    assert predicted.low < TRUTH.error(n=1600, m=12_000) < predicted.high
    assert predicted.high > 1.5 * predicted.low


def test_an_open_law_is_saved_with_its_forecasts(found, tmp_path) -> None:
    save_fit(found, tmp_path / "fit.json")
    again = load_fit(tmp_path / "fit.json")
    assert again.warnings == found.warnings
    for one in (found, again):
        assert not one.determined
        assert one.as_dict()["determined"] is False
        assert one.headline().startswith("dense, not determined by these points, 12 points: ")
        assert "not determined by these points" in str(one).splitlines()[1]
    planned = plan(found, budget=1e7)
    assert "not determined (0 to " in planned.text("floor")
    assert floor_text(Interval(0.0, 0.0, 1e-100, 0.9), determined=False) == "not determined"
    assert floor_text(Interval(2e-6, 2e-6, 0.65, 0.9), determined=True) == "< 0.65"
    assert floor_text(Interval(0.2, 0.1, 0.3, 0.9), determined=True) == "0.20 [0.10, 0.30]"
    at_once = replace(planned, n=replace(planned.n, estimate=0.0))  # as for an error that does not fall
    assert np.isnan(at_once.shares["noise"])
    assert "\nn        0 [" in str(at_once)
    np.testing.assert_array_equal(again.predict(n=800, m=9000).low, found.predict(n=800, m=9000).low)
    content = json.loads((tmp_path / "fit.json").read_text())
    assert content["members"][0].pop("determined") is False
    (tmp_path / "fit.json").write_text(json.dumps(content))  # as files had it that only have the warning
    assert not load_fit(tmp_path / "fit.json").determined
    assert replace(found, warnings=()).determined is False  # the field says it, not the text


@pytest.mark.parametrize(
    "options", [{"objective": "huber"}, {"objective": "absolute"}, {"clusters": [0, 1] * 6}]
)
def test_every_objective_and_clusters_have_such_refits(options) -> None:
    points = table([100, 200, 400], [1000, 3000])
    if "clusters" in options:
        options = {"clusters": np.arange(12) // 2}
    found = fit(Dense, **points, fixed={"eps0": 2 / 3}, **options)
    assert any(isinstance(text, OpenLaw) for text in found.warnings)
    assert np.isfinite(found.predict(n=1600, m=12_000).low)


def test_sizes_that_determine_the_law_say_nothing() -> None:
    found = fit(Dense, **table([100, 400, 1600, 6400], [1000, 4000, 16_000, 64_000]), fixed={"eps0": 2 / 3})
    assert not any(isinstance(text, OpenLaw) for text in found.warnings)
    assert found.determined
    assert "determined" not in found.as_dict()
    assert "not determined" not in str(found).splitlines()[1]


def test_few_sizes_leave_the_noise_and_the_exponents_open(monkeypatch) -> None:
    """Nine runs determine the exponents, but refits from the best fit were too close to it."""
    law = Chinchilla(E=0.0, A=3.0, B=2.0, alpha=0.4, beta=0.4)
    n, m = (x.ravel() for x in np.meshgrid([100.0, 800.0, 6400.0], [100.0, 800.0, 6400.0]))
    error = law.error(n=n, m=m) * np.exp(0.03 * np.random.default_rng(5).standard_normal(9))
    found = fit(Chinchilla, error, n=n, m=m)
    assert not any(isinstance(text, OpenLaw) for text in found.warnings)
    assert found.determined
    monkeypatch.setattr(one_law, "open_refits", bootstrap)
    close = fit(Chinchilla, error, n=n, m=m)
    widths = [np.log(p.high / p.low) for p in (one.predict(n=1e5, m=1e5) for one in (found, close))]
    assert widths[0] > 1.07 * widths[1]
    assert found.intervals == close.intervals


def test_errors_of_a_random_guess_do_not_make_the_others_wrong() -> None:
    sizes = {
        name: x.ravel()
        for name, x in zip("nm", np.meshgrid([9, 18, 36], [160, 460, 1500, 5300]), strict=True)
    }
    error = np.full(12, 2 / 3)
    error[[3, 1, 8, 11]] = 0.5, 0.46, 0.46, 1 / 3  # all others exactly a guess: they fit any law of Dense
    found = fit(Dense, error, **sizes, fixed={"eps0": 2 / 3})
    assert not any("left out of the fit" in text for text in found.warnings)
    predicted = found.predict(n=144, m=1500)
    assert predicted.high > 2 * predicted.low
