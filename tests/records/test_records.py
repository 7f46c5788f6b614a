"""Records: flat tables, keys, texts, and the table of old names."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from errsrc import records, studies
from errsrc.bases import Legendre, Torus
from errsrc.learners import BandLeastSquares, KernelRidge, Neighbours, NetworkStudent, Tuned
from errsrc.nets import MLP
from errsrc.records import old_names
from errsrc.settings import BandTeacher, Gaussian
from errsrc.studies.conjectures import ThresholdCell
from errsrc.sweeps import Factor, Kind, Store, Study, run, serial
from errsrc.training import Recipe


def test_the_text_of_a_record_leaves_out_defaults():
    noisy = BandTeacher(Torus(3), channel=Gaussian(0.1))
    assert records.text(noisy) == "BandTeacher(channel=Gaussian(noise_std=0.1))"
    assert records.text(Neighbours()) == "Neighbours()"
    assert records.text((Neighbours(), 3)) == "(Neighbours(), 3)"


def test_the_text_of_a_tuned_learner_is_what_its_candidates_have_in_common():
    candidates = (KernelRidge("matern", 0.5), KernelRidge("matern", 2.0))
    assert records.text(Tuned(candidates)) == "Tuned(KernelRidge(kernel='matern'))"
    assert records.text(Tuned((Neighbours(), KernelRidge()))).startswith("Tuned(candidates=(Neighbours(),")


def test_a_field_that_was_added_changes_no_key_of_what_does_not_use_it():
    assert "weight_decay" not in records.stored_repr([Recipe()])
    assert "channels_last" not in records.stored_repr([Recipe()])
    assert "weight_decay=0.0001" in records.stored_repr([Recipe(weight_decay=1e-4)])
    cells = [
        ThresholdCell(BandTeacher(Torus(3)), Tuned((Neighbours(), NetworkStudent(MLP((1, 4, 1)), recipe))))
        for recipe in (Recipe(), Recipe(weight_decay=0.0), Recipe(weight_decay=1e-4))
    ]
    keys = [studies.ALL["threshold"].key(cell) for cell in cells]
    assert keys[0] == keys[1] != keys[2]


def test_records_in_tuples_have_the_keys_of_0_1_0():
    candidates = (
        BandLeastSquares(Legendre(3)),
        KernelRidge("matern", 0.5),
        NetworkStudent(MLP((1, 4, 1))),
    )
    cell = ThresholdCell(BandTeacher(Torus(3)), Tuned(candidates))
    assert studies.ALL["threshold"].key(cell) == "b31bbb5cb621a61968fc385b5420d8ee"


# The same cells before names were changed, and after.


@dataclass(frozen=True)
class Plan:
    look: int = 10
    rate: float = 0.1


@dataclass(frozen=True)
class Schedule:
    evaluation_interval: int = 10
    rate: float = 0.1


@dataclass(frozen=True)
class Before:
    size: int
    plan: Plan = field(default=Plan())
    others: tuple[Plan, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class After:
    n: int
    schedule: Schedule = field(default=Schedule())
    others: tuple[Schedule, ...] = ()
    seed: int = 0


def measured_before(cells):
    return [{"loss": 1.0, "loss.low": 0.5, "curve": {"look": [1.0], "loss": [2.0]}} for _ in cells]


def measured_after(cells):
    return [{"risk": 1.0, "risk.low": 0.5, "curve": {"step": [1.0], "loss": [2.0]}} for _ in cells]


BEFORE = Kind("coin", Before, measured_before)
AFTER = Kind("penny", After, measured_after)


@pytest.fixture
def renamed(monkeypatch):
    """Fill the table of old names for the cells above."""
    for table, entries in (
        (old_names.OLD_STUDIES, {"penny": "coin"}),
        (old_names.OLD_KINDS, {"schedule": "plan"}),
        (
            old_names.OLD_FIELDS,
            {
                ("penny-cell", "n"): "size",
                ("penny-cell", "schedule"): "plan",
                ("schedule", "evaluation_interval"): "look",
            },
        ),
        (old_names.OLD_RESULTS, {("penny", "risk"): "loss", ("penny", "curve.step"): "curve.look"}),
    ):
        for new, old in entries.items():
            monkeypatch.setitem(table, new, old)
    monkeypatch.setitem(studies.ALL, "penny", AFTER)


def study_before():
    base = Before(1, Plan(look=5), (Plan(rate=0.2),))
    return Study(BEFORE, base, (Factor.of("size", (1, 2)), Factor.of("plan.look", (5, 10))))


def study_after():
    base = After(1, Schedule(5), (Schedule(rate=0.2),))
    factors = (Factor.of("n", (1, 2)), Factor.of("schedule.evaluation_interval", (5, 10)))
    return Study(AFTER, base, factors)


def test_keys_are_those_of_the_old_names(renamed):
    before, after = study_before(), study_after()
    assert after.cell_keys() == before.cell_keys()
    assert [AFTER.key(cell) for cell in after] == before.cell_keys()
    assert after.resolved() == before.resolved()


def test_a_store_with_old_names_is_read_with_new_ones_and_goes_on(renamed, tmp_path):
    path = tmp_path / "study.db"
    before, after = study_before(), study_after()
    with Store(path, write=True) as store:
        run(Study(BEFORE, before.base, before.factors[1:]), store, serial, progress=False)
    with Store(path, write=True) as store:
        assert store.missing(after) == [2, 3]
        run(after, store, serial, progress=False)
        rows, curves = store.rows(after), store.curves(after)
        assert store.missing(before) == []
        assert store.rows() == rows
    assert [row["n"] for row in rows] == [1, 1, 2, 2]
    assert [row["schedule.evaluation_interval"] for row in rows] == [5, 10, 5, 10]
    assert {row["schedule.kind"] for row in rows} == {"schedule"}
    assert rows[0]["others"] == [{"kind": "schedule", "evaluation_interval": 10, "rate": 0.2}]
    assert {(row["risk"], row["risk.low"]) for row in rows} == {(1.0, 0.5)}
    assert all(list(curve) == ["step", "loss"] for curve in curves)
    assert not {"size", "plan.look", "loss"} & set(rows[0])


@pytest.mark.parametrize(
    "text",
    [
        'kind = "coin"\ncell = {size = 1, plan.look = 5}\nfactors.seed = [0, 1]',
        'kind = "penny"\ncell = {n = 1}\nseeds = 2\nfactors.plan.look = [5]',
        'kind = "penny"\nseeds = 2\n[[factors.both]]\nsize = 1\nschedule.look = 5',
    ],
)
def test_specs_may_use_old_names(renamed, text):
    assert list(studies.parse(text)) == [After(1, Schedule(5)), After(1, Schedule(5), seed=1)]


def test_old_kinds_of_parts_are_accepted(renamed):
    reader = records.Reader("grid.toml", {Schedule: {"schedule": Schedule}})
    assert reader.decode({"kind": "plan", "look": 3}, Schedule, "cell.plan") == Schedule(3)
    assert records.build(Schedule, {"look": 3}, "grid.toml") == Schedule(3)


def test_a_part_of_only_one_class_may_name_its_kind():
    reader = records.Reader("grid.toml", {})
    assert reader.decode({"kind": "schedule", "evaluation_interval": 3}, Schedule, "cell.plan") == Schedule(3)
    with pytest.raises(ValueError, match=r"'cell\.plan\.kind' .* one of 'schedule'\. Got 'plan_b'"):
        reader.decode({"kind": "plan_b", "evaluation_interval": 3}, Schedule, "cell.plan")


def test_a_field_under_both_names_is_an_error(renamed):
    text = 'kind = "penny"\ncell = {n = 1, size = 1}'
    with pytest.raises(ValueError, match=r"'cell\.n' parameter of spec must be given once"):
        studies.parse(text)
