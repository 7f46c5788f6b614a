"""The instrument: it finds thresholds that are known, refutes what is false, and replays what it found."""

from __future__ import annotations

import importlib
import json
import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from errsrc.bases import Cube, Legendre, Sphere, Torus
from errsrc.cli import main
from errsrc.conjecture import Claim, Region, draw_errors, examine, search, threshold
from errsrc.conjecture.claims import Example
from errsrc.conjecture.searches import _boundary
from errsrc.learners import BandLeastSquares, KernelRidge, Memory, Tuned
from errsrc.nets import MLP
from errsrc.settings import (
    BandTeacher,
    Clustered,
    LinearTeacher,
    NetworkTeacher,
    SparseTeacher,
)
from errsrc.studies import parse
from errsrc.studies.conjectures import (
    SearchCell,
    ThresholdCell,
    compute_examples,
    compute_searches,
    compute_thresholds,
    example_spec,
    threshold_from_row,
    thresholds_by_setting,
    verdict_table,
)

WORLD, LEARNER = BandTeacher(Torus(3)), BandLeastSquares(Torus(3))


def test_the_nyquist_number_is_what_the_world_needs():
    assert BandTeacher(Torus(3, 2)).n_nyquist == 49
    assert SparseTeacher(Torus(30), 4).n_nyquist == 8
    assert NetworkTeacher(MLP((2, 4, 1), "tanh")).n_nyquist == 35
    with pytest.raises(TypeError, match="'n_nyquist' parameter of threshold must be given"):
        threshold(LinearTeacher(2), LEARNER)


def test_a_draw_is_the_same_whatever_the_others_are():
    few, many = (draw_errors(WORLD, LEARNER, 5, draws, seed=4) for draws in (2, 6))
    np.testing.assert_array_equal(few, many[:2])
    assert not np.array_equal(few, draw_errors(WORLD, LEARNER, 5, 2, seed=5))


@pytest.mark.parametrize("basis", [Torus(4), Torus(2, 2), Legendre(8), Sphere(3), Cube(5, 2)], ids=repr)
def test_the_threshold_of_a_learner_told_the_band_is_its_size(basis):
    """In general position n* = M; on the cube nodes repeat, and n* is a little more."""
    found = threshold(BandTeacher(basis), BandLeastSquares(basis), draws=9, ratios=(0.5, 0.9, 1.5, 2.0, 3.0))
    most = 1.7 if isinstance(basis, Cube) else 1.0
    assert basis.size <= found.n_star.estimate <= max(basis.size + 1, most * basis.size)
    assert found.n_star.low < found.n_star.estimate <= found.n_star.high
    assert "Exact from n" in str(found)


def test_the_upper_end_of_a_threshold_is_sure_from_there_on(monkeypatch):
    """From n = 8 on all draws are exact but for 4 of 10 at n = 11, of which the median is not surely so."""

    def draw_errors(setting, learner, n, draws, seed):
        bad = draws if n < 8 else 4 * (n == 11)
        return np.where(np.arange(draws) < bad, 1.0, 1e-15)

    monkeypatch.setattr(sys.modules[threshold.__module__], "draw_errors", draw_errors)
    found = threshold(WORLD, LEARNER, draws=10)
    assert 11 in found.errors
    assert (found.n_star.low, found.n_star.estimate) == (7, 8)
    assert found.n_star.high == min(n for n in found.errors if n > 11)


def test_a_larger_band_than_the_teachers_moves_the_threshold_there():
    found = threshold(BandTeacher(Torus(2)), BandLeastSquares(Torus(5)), draws=9)
    assert found.n_nyquist == 5
    assert found.n_star.estimate == pytest.approx(11, abs=1)
    assert found.ratio.estimate == found.n_star.estimate / 5


def test_a_smaller_band_never_gets_there_and_says_how_far_it_was_looked_for():
    found = threshold(BandTeacher(Torus(5)), BandLeastSquares(Torus(2)), draws=7)
    assert math.isinf(found.n_star.estimate)
    assert found.n_star.low == 88
    assert "Not exact up to n = 88" in found.status
    assert found.shape.verdict != "cliff"


def test_float32_is_exact_by_its_own_measure():
    one = BandLeastSquares(Torus(3), precision="float32")
    found = threshold(WORLD, one, draws=9)
    assert found.tolerance == 1e-3
    assert found.n_star.estimate <= 10
    assert 1e-9 < found.medians[-1] < 1e-5


@pytest.mark.full
def test_below_the_threshold_the_relative_squared_error_is_the_information_limit():
    """E|f^ - f|^2 / E|f|^2 = 1 - n / M for the least norm and a flat prior: 400 draws, a 99.9% interval."""
    basis = Torus(8)
    for n in (4, 10, 16):
        squared = draw_errors(BandTeacher(basis), BandLeastSquares(basis), n, 400, seed=1) ** 2
        assert abs(squared.mean() - (1 - n / 17)) < 3.3 * squared.std() / 20


FALSE = {
    "fewer nodes than functions": (Claim(threshold=0.8), Region(most=20)),
    "condition number left out": (Claim(heeds_condition=False), Region(designs=("clustered",))),
    "a spectrum that only decays": (Claim(), Region(tail=0.01)),
    "float32 held to float64's bound": (Claim(precision="float64"), Region(precisions=("float32",))),
    "noise by the condition number": (Claim(noise_gain="condition"), Region(noise=1.0)),
    "networks from n = P on": (
        Claim(threshold=0.45),
        Region(domains=("network",), most=30, oversampling=1.0),
    ),
}


@pytest.mark.full
@pytest.mark.parametrize("name", FALSE)
def test_false_claims_are_refuted_by_a_small_example_that_replays(name, tmp_path, capsys, one_process):
    claim, region = FALSE[name]
    found = search(claim, region, examples_wanted=1000)
    assert found.verdict == "refuted"
    example = found.counterexample
    assert getattr(example.setting, "parameters", 0) <= 10
    assert getattr(example.setting, "basis", Torus(0)).size <= 16
    assert examine(example) == found.outcome
    path = tmp_path / "found.toml"
    path.write_text(example_spec(example))
    assert next(iter(parse(example_spec(example)))) == example
    assert main(["conjecture", str(path)]) == 1
    out, error = capsys.readouterr()
    assert found.outcome.status in out
    assert "1 of 1 claims are refuted" in error


@pytest.mark.parametrize("domain", ["torus", "legendre", "slepian", "sphere", "cube"])
def test_a_threshold_off_by_one_is_refuted_at_every_size_of_a_domain(domain):
    """Each size by itself: the examples at the boundary with M functions.  The last one is replayed."""
    refuted: dict[int, bool] = {}
    last: Any = None
    for example in _boundary(Claim(offset=-1), Region(domains=(domain,)), None, 0):
        size = example.setting.n_nyquist
        if example.n == size - 1:
            outcome = examine(example)
            refuted[size] = refuted.get(size, False) or outcome.verdict == "refuted"
            last = (example, outcome) if outcome.verdict == "refuted" else last
    assert examine(next(iter(parse(example_spec(last[0]))))) == last[1]
    assert len(refuted) >= (5 if domain == "sphere" else 15)
    assert all(refuted.values())


@dataclass(frozen=True)
class OffByOneAt(BandTeacher):
    """Claims to need one example less than it does, if it has `wrong` functions."""

    wrong: int = 37

    @property
    def n_nyquist(self):
        return self.basis.size - (self.basis.size == self.wrong)


def test_a_threshold_off_by_one_for_a_single_size_is_refuted_and_small():
    settings = st.builds(OffByOneAt, st.builds(Torus, st.integers(0, 30)))
    found = search(settings=settings, learner=lambda one: BandLeastSquares(one.basis), examples_wanted=400)
    assert found.verdict == "refuted"
    assert (found.counterexample.setting.basis, found.counterexample.n) == (Torus(18), 36)
    assert examine(found.counterexample) == found.outcome
    assert search(Claim(offset=-1), examples_wanted=1).counterexample.n == 1


def test_a_supported_search_says_what_it_tested_and_what_it_would_have_refuted():
    found = search(Claim(), Region(domains=("torus",), most=30), examples_wanted=20)
    assert found.verdict == "supported"
    assert found.ranges.startswith("Tested for n_Nyq from 1 to 29, n from 1 to 11")
    assert "at the threshold" in found.ranges
    for refuted, examined in found.power.values():
        assert refuted == examined > 5
    assert "A threshold lower by 1 example: " in str(found)
    generous = search(Claim(threshold=2.0), Region(domains=("torus",), most=9), examples_wanted=20)
    assert generous.power["1 example"][0] == generous.power["10%"][0] == 0  # the true threshold is lower


def test_a_claim_about_networks_that_is_never_tested_at_its_threshold_is_not_supported():
    """Networks of 4 to 10 parameters with .3 (2 P + 1) examples, of which any network fits."""
    region = Region(domains=("network",), most=15, oversampling=1.0, starts=4)
    found = search(Claim(threshold=0.3), region, examples_wanted=3)
    assert found.verdict != "supported"
    if found.verdict == "not tested":
        assert "For networks, no example at the threshold could be tested." in found.ranges


@pytest.mark.full
def test_the_true_claim_survives():
    """The benchmark has 10,000 examples."""
    found = search(Claim(), Region(noise=1.0, precisions=("float64", "float32")), examples_wanted=250)
    assert found.verdict == "supported"
    assert found.tested > 100
    assert 0 < found.worst < 1
    assert examine(found.hardest).ratio == found.worst


@pytest.mark.full
def test_a_certified_network_is_the_teacher():
    found = search(Claim(), Region(domains=("network",), most=15, oversampling=1.5), examples_wanted=12)
    assert found.verdict == "supported"
    assert found.worst < 1


@pytest.mark.full
def test_a_search_is_the_same_for_a_seed_and_another_for_another():
    one, same, other = (search(Claim(), Region(most=9), examples_wanted=40, seed=s) for s in (1, 1, 2))
    assert (one.tested, one.worst, one.hardest) == (same.tested, same.worst, same.hardest)
    assert one.hardest != other.hardest


def test_a_search_does_not_depend_on_the_modules_that_are_imported(tmp_path, monkeypatch):
    """Hypothesis draws the constants of local modules, here of one with 500 possible seeds of an example."""
    settings = st.just(WORLD)
    before = search(settings=settings, examples_wanted=300)
    (tmp_path / "constants_of_a_user.py").write_text(f"numbers = {list(range(1000, 1500))}")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("constants_of_a_user")
    after = search(settings=settings, examples_wanted=300)
    assert (before.tallies, before.hardest) == (after.tallies, after.hardest)


def test_what_is_not_tested_is_counted_as_such():
    clustered = BandTeacher(Torus(20), nodes=Clustered(1, 1e-3))
    outcome = examine(Example(clustered, BandLeastSquares(Torus(20)), 41))
    assert outcome.verdict == "not tested"
    assert "bound is too large to test" in outcome.status
    assert examine(Example(WORLD, LEARNER, 6)).verdict == "not tested"
    found = search(Claim(), Region(domains=("torus",), designs=("clustered",)), examples_wanted=60)
    assert found.untested > 0


def test_rows_hold_all_of_a_threshold():
    cell = ThresholdCell(WORLD, LEARNER, draws=6, ratios=(0.5, 1.0, 2.0))
    (row,) = compute_thresholds([cell])
    again, direct = (
        threshold_from_row(cell, row, row["curve"]),
        threshold(WORLD, LEARNER, draws=6, ratios=cell.ratios),
    )
    assert again.n_star == direct.n_star
    assert again.status == direct.status
    assert again.shape.verdict == direct.shape.verdict
    for n, draws in direct.errors.items():
        np.testing.assert_array_equal(again.errors[n], draws)


def test_tables_say_what_was_supported_refuted_and_not_tested():
    ratios = (0.5, 1.0, 2.0)
    cells = [ThresholdCell(WORLD, learner, draws=5, ratios=ratios) for learner in (LEARNER, Memory())]
    text = verdict_table(cells, compute_thresholds(cells))
    assert text.count("\n") == 2
    assert "> 14" in text.splitlines()[2]
    small = Region(most=9, domains=("torus",))
    cells = [SearchCell(Claim(threshold=0.8), small, 60), SearchCell(examples=20)]
    text = verdict_table(cells, compute_searches(cells))
    assert "refuted" in text
    assert 'kind = "example"' in text
    assert "examples tested" in text
    assert "holds" in verdict_table([Example()], compute_examples([Example()]))


def test_no_threshold_hides_another_of_the_same_learner_and_setting():
    tuned = [Tuned((KernelRidge(ridge=1e-3), KernelRidge(ridge=ridge))) for ridge in (0.1, 1.0)]
    few = (2.0, 3.0)
    cells = [ThresholdCell(WORLD, LEARNER, few, draws=5, seed=seed) for seed in (0, 1)]
    cells += [ThresholdCell(WORLD, LEARNER, few, draws=6, tolerance=1e-3)]
    cells += [ThresholdCell(WORLD, learner, few, draws=5) for learner in tuned]
    rows = compute_thresholds(cells)
    curves = [row.pop("curve") for row in rows]
    ((_, found),) = thresholds_by_setting(cells, rows, curves).items()
    assert list(found)[:3] == [
        "BandLeastSquares(), draws=5, tolerance=None, seed=0",
        "BandLeastSquares(), draws=5, tolerance=None, seed=1",
        "BandLeastSquares(), draws=6, tolerance=0.001, seed=0",
    ]
    assert all(f"Tuned(KernelRidge()), learner={learner!r}" in found for learner in tuned)
    assert [one.tolerance for one in found.values()] == [1e-9, 1e-9, 1e-3, 1e-9, 1e-9]
    shown = verdict_table(cells, rows)
    assert all(name in shown for name in found)


SPEC = """
kind = "threshold"
[cell]
draws = 5
ratios = [0.5, 1.0, 2.0]
setting = {kind = "band-teacher", basis = {kind = "torus", degree = 2}}
[factors]
learner = [{kind = "band-least-squares", basis = {kind = "torus", degree = 2}}, {kind = "neighbours"}]
"""


@pytest.mark.full
def test_the_command_computes_prints_draws_and_goes_on(tmp_path, capsys, one_process):
    path = tmp_path / "cliff.toml"
    path.write_text(SPEC)
    assert main(["conjecture", str(path)]) == 0
    first = capsys.readouterr().out
    assert "BandLeastSquares" in first
    assert (tmp_path / "cliff_cliff_1.png").stat().st_size > 5000
    assert main(["conjecture", str(path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert 5 in [row["n_star"] for row in rows]


REFUSED = [
    ('kind = "budget"\n[cell]\nn = 5', "setting"),
    ('kind = "recovery"', "cell"),
    (SPEC.replace("draws = 5", "draws = 1"), "'draws' parameter of ThresholdCell must be an integer >= 5"),
    (SPEC.replace("[0.5, 1.0, 2.0]", "[2.0]"), "'ratios' parameter of ThresholdCell must be two or more"),
    (SPEC.replace("draws = 5", "tolerance = 0.0"), "'tolerance' parameter of ThresholdCell"),
    (SPEC.replace("draws = 5", "n_nyquist = 0"), "'n_nyquist' parameter of ThresholdCell"),
    ('kind = "search"\n[cell]\nregion = {domains = ["torsu"]}', "'domains'"),
    ('kind = "search"\n[cell]\nclaim = {c = 0.0}', "'c'"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_bad_specs_end_with_a_sentence_and_code_2(text, message, tmp_path, capsys):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    assert main(["conjecture", str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("*.db"))


def test_a_search_leaves_nothing_but_its_own_files(tmp_path, monkeypatch, one_process):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.toml").write_text('kind = "search"\ncell = {examples = 20, region = {most = 9}}')
    assert main(["conjecture", "few.toml"]) == 0
    assert {path.name.split(".")[0] for path in tmp_path.iterdir()} == {"few", "few_search_1"}


def test_a_learner_that_cannot_take_the_world_fails_with_a_sentence(tmp_path, capsys, one_process):
    path = tmp_path / "wrong.toml"
    path.write_text(SPEC.replace('basis = {kind = "torus", degree = 2}}, {', 'basis = {kind = "cube"}}, {'))
    assert main(["conjecture", str(path)]) == 2
    out, error = capsys.readouterr()
    assert "'x' parameter of Cube must be numbers -1 and 1 of shape (N, 3)" in error
    assert "Neighbours" in out
    assert "Traceback" not in error


BAD = [
    (lambda: threshold(WORLD, LEARNER, ratios=[]), "'ratios' .* two or more"),
    (lambda: threshold(WORLD, LEARNER, ratios=[1.0]), "'ratios'"),
    (lambda: threshold(WORLD, LEARNER, ratios=[1.0, 1.01]), "'ratios' .* of different sizes"),
    (lambda: threshold(WORLD, LEARNER, draws=3), "'draws'"),
    (lambda: threshold(WORLD, LEARNER, ratios=[1.0, 1e12]), "'ratios' .* n is at most 10,000,000"),
    (lambda: Claim(threshold=1e9), "'threshold'"),
    (lambda: BandTeacher(Torus(3), -1000.0), "'decay'"),
    (lambda: threshold(WORLD, LEARNER, tolerance=0.0), "'tolerance'"),
    (lambda: draw_errors(NetworkTeacher(MLP((2, 3, 2)), loss="log"), LEARNER, 3, 2), "'channel'|squared"),
    (lambda: Region(domains=()), "'domains' .* 1 or more"),
    (lambda: Region(tail=2.0), "'tail'"),
    (lambda: Claim(precision="float16"), "'precision'"),
    (lambda: search(examples_wanted=0), "'examples_wanted'"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[message for _, message in BAD])
def test_what_is_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
