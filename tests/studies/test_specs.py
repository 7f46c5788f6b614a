"""Specs: what is right becomes a study, what is wrong is one sentence that names the key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from amounts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from errsrc import studies
from errsrc.cli import main
from errsrc.datasets.image_sets import images
from errsrc.datasets.text import texts
from errsrc.laws import Power
from errsrc.settings import ImageBasis, ImageTeacher
from errsrc.sources import Effort
from errsrc.studies import load, parse, spec
from errsrc.studies.budgets import BudgetCell
from errsrc.studies.conjectures import SearchCell, ThresholdCell
from errsrc.studies.recovery import RecoveryCell
from errsrc.sweeps import Factor, Study
from errsrc.tasks import LanguageCell, PruningCell, VisionCell
from errsrc.training import Recipe

ROOT = Path(__file__).parents[2]
SPEC = """
kind = "vision"
seeds = 2

[cell]
dataset = "digits"
family = "mlp"
validation = 397

[factors]
n = [90, 180, 360]
recipe.batch = [32, 64]

[[factors.size]]
width = 8
recipe.learning_rate = 0.006
[[factors.size]]
width = 16
recipe.learning_rate = 1
"""
LAW = """
kind = "recovery"
cell.noise = 0.02
cell.n = [1e2, 1e3, 1e4, 1e5, 1e6]
[[factors.law]]
kind = "power"
c_inf = 0.1
a = 2
alpha = 0.5
[[factors.law]]
kind = "power"
c_inf = 0.1
a = 3
alpha = 0.5
"""


def test_a_spec_is_the_same_study_as_the_frozen_object():
    base = VisionCell("digits", "mlp", 8, 90, 0, 397, recipe=Recipe(learning_rate=0.006, batch=32))
    factors = (
        Factor.of("n", (90, 180, 360)),
        Factor.of("recipe.batch", (32, 64)),
        Factor(("width", "recipe.learning_rate"), ((8, 0.006), (16, 1.0))),
        Factor.of("seed", (0, 1)),
    )
    assert parse(SPEC) == Study(studies.ALL["vision"], base, factors)
    assert hash(parse(SPEC)) == hash(parse(SPEC))
    assert len(parse(SPEC)) == 24
    assert parse(SPEC)[-1] == replace(
        base, n=360, width=16, seed=1, recipe=Recipe(learning_rate=1.0, batch=64)
    )


def test_a_table_of_a_factor_may_leave_defaults_out():
    study = parse(SPEC.replace("recipe.learning_rate = 1", ""))
    assert study[-1].recipe == Recipe(batch=64)
    assert study[0].recipe == Recipe(batch=32, learning_rate=0.006)


def test_a_kind_within_a_cell_names_a_class_of_its_room():
    study = parse(LAW)
    assert study[1] == RecoveryCell(Power(0.1, 3.0, 0.5), 0.02, n=(1e2, 1e3, 1e4, 1e5, 1e6))
    assert study.cell_keys() == [study.kind.key(cell) for cell in study]


def test_seeds_are_a_count_or_a_list_and_0_by_default():
    assert [cell.seed for cell in parse(LAW)] == [0, 0]
    assert [cell.seed for cell in parse("seeds = [7, 3]" + LAW)] == [7, 3, 7, 3]
    assert [cell.seed for cell in parse("cell.seed = 5" + LAW)] == [5, 5]


WRONG = [  # what is changed, into what, what the sentence says
    ('kind = "vision"', "", "'kind' parameter of grid.toml must be one of 'vision', 'recovery'"),
    ('"vision"', '"vison"', "did you mean 'vision'?"),
    ('"vision"', "3", "'kind' parameter"),
    ("seeds = 2", "seed = 2", "unknown key 'seed' at the top (did you mean 'seeds'?)"),
    ("seeds = 2", "seeds = []", "'seeds' parameter"),
    ("seeds = 2", "seeds = 0", "'seeds' parameter"),
    ("seeds = 2", "seeds = 2.0", "'seeds' parameter"),
    ("seeds = 2", "seeds = [1, 1]", "1 twice"),
    ("seeds = 2", "seeds = [1.0]", "'seeds' parameter of grid.toml must be an integer"),
    ("seeds = 2", "seeds = [-1]", "'seed' parameter of VisionCell must be an integer >= 0"),
    ("seeds = 2", "seeds = [9223372036854775808]", "'seed' parameter"),
    ("dataset =", "datset =", "unknown key 'datset' in [cell] (did you mean 'dataset'?)"),
    ('dataset = "digits"', "", "'cell.dataset' parameter of grid.toml must be given"),
    ('"digits"', '"digit"', "did you mean 'digits'?"),
    (
        "validation = 397",
        "validation = 8.7",
        "'cell.validation' parameter of grid.toml must be an integer. Got 8.7",
    ),
    (
        "validation = 397",
        "validation = true",
        "'cell.validation' parameter of grid.toml must be an integer. Got True",
    ),
    ("validation = 397", 'validation = "397"', "'cell.validation'"),
    ("validation = 397", "validation = 1979-05-27", "'cell.validation'"),
    ("validation = 397", "validation = 397\nseed = 1", "'seeds' parameter"),
    ("validation = 397", "validation = 397\nn = 90", "'factors.n' parameter"),
    ("validation = 397", "recipe = 3", "'factors.recipe.batch' parameter"),
    ("validation = 397", "recipe.rate = 3", "unknown key 'rate' in [cell.recipe]"),
    ("validation = 397", "validation = 397\nvalidation = 398", "not valid TOML"),
    (
        "n = [90, 180, 360]",
        "n = []",
        "'factors.n' parameter of grid.toml must be a list of one value or more",
    ),
    ("n = [90, 180, 360]", "n = 90", "'factors.n' parameter"),
    ("n = [90, 180, 360]", "n = [90, 90]", "90 twice"),
    ("n = [90, 180, 360]", "n = [90, 0]", "'n' parameter of VisionCell must be an integer >= 1. Got 0"),
    ("n = [90, 180, 360]", "n = [90, 1.5]", "'factors.n' parameter of grid.toml must be an integer. Got 1.5"),
    ("n = [90, 180, 360]", "m = [90, 180, 360]", "unknown key 'm'"),
    ("n = [90, 180, 360]", "n = [90]\nseed = [3]", "'seeds' parameter"),
    (
        "n = [90, 180, 360]",
        "n = [90]\nwidht = [3]",
        "unknown key 'widht' in [factors] (did you mean 'width'?)",
    ),
    ("recipe.batch = [32, 64]", "recipe.batches = [32]", "'recipe.batches'"),
    ("recipe.batch = [32, 64]", "recipe.learning_rate = [0.1]", "'factors.size' parameter"),
    ("width = 16", "", "all give 'width', which has no default"),
    ("[[factors.size]]\nwidth = 16\nrecipe.learning_rate = 1", "[[factors.size]]", "all give 'width'"),
    ("width = 16", "witdh = 16", "unknown key 'witdh' in [factors.size] (did you mean 'width'?)"),
    ("width = 16", 'width = "16"', "'factors.size' parameter of grid.toml must be an integer"),
]


@pytest.mark.parametrize(("old", "new", "says"), WRONG, ids=[f"{old}->{new}"[:60] for old, new, _ in WRONG])
def test_what_is_wrong_is_one_sentence_that_names_the_key(old, new, says, tmp_path, capsys):
    assert old in SPEC
    path = tmp_path / "grid.toml"
    path.write_text(SPEC.replace(old, new, 1))
    with pytest.raises(ValueError, match=r"grid\.toml") as caught:
        load(path)
    assert says in str(caught.value)
    assert main(["run", str(path)]) == 2
    assert capsys.readouterr().err == f"errsrc: {' '.join(str(caught.value).split())}\n"
    assert not path.with_suffix(".db").exists()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"power"', '"powr"', "(did you mean 'power'?)"),
        ('kind = "power"', "", "'factors.law.kind' parameter of grid.toml must be one of 'dense'"),
        ("c_inf", "cinf", "unknown key 'cinf' in [factors.law] (did you mean 'c_inf'?)"),
        ("1e2, 1e3", '1e2, "1e3"', "'cell.n[1]' parameter of grid.toml must be a number"),
        ("[1e2, 1e3, 1e4, 1e5, 1e6]", '"12345"', "'cell.n' parameter of grid.toml must be a list"),
        ("0.02", "nan", "'noise' parameter of RecoveryCell"),
    ],
)
def test_what_is_wrong_within_a_kind_too(old, new, says):
    with pytest.raises(ValueError, match=r"grid\.toml") as caught:
        parse(LAW.replace(old, new, 1), "grid.toml")
    assert says in str(caught.value)


NUMBERS = ", ".join(map(str, range(1, 1002)))
LARGE = [
    ("seeds = 10_000_000", "", "<10,000,000 cells>"),
    ("seeds = 1_000_001", "", "<1,000,001 cells>"),
    ("seeds = 9223372036854775807", "", "<more than 10^18 cells>"),
    (f"seeds = {10**40}", "", "<more than 10^40 cells>"),
    ("seeds = 1_000", f"n = [{NUMBERS}]", "<1,001,000 cells = 1,001 x 1,000>"),
    (f"seeds = [{NUMBERS}]", f"n = [{NUMBERS}]", "<1,002,001 cells = 1,001 x 1,001>"),
    ("", f"n = [{NUMBERS}]\nsteps = [{NUMBERS}]", "<1,002,001 cells = 1,001 x 1,001>"),
    ("seeds = 10", f"n = [{NUMBERS}]\nrecipe.batch = [{NUMBERS}]", "<1,002,001 cells"),
    (
        "seeds = 1",
        f"n=[{NUMBERS}]\nsteps=[{NUMBERS}]\nrecipe.batch=[{NUMBERS}]\nwidth=[{NUMBERS}]",
        "<1,004,006,0",
    ),
    (
        "seeds = 500_001",
        "[[factors.size]]\nn = 1\n[[factors.size]]\nn = 2",
        "<1,000,002 cells = 2 x 500,001>",
    ),
]


@pytest.mark.parametrize(("seeds", "factors", "says"), LARGE, ids=[says for _, _, says in LARGE])
@pytest.mark.parametrize("command", ["run", "status", "export", "report", "budget", "conjecture"])
def test_a_grid_that_is_too_large_is_refused_before_it_is_made(
    command, seeds, factors, says, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(Factor, "__post_init__", lambda self: pytest.fail("made"))
    path = tmp_path / "grid.toml"
    table = factors if factors.startswith("[") else f"[factors]\n{factors}"
    cell = 'cell = {dataset = "digits", family = "mlp", validation = 397}'
    path.write_text(f'kind = "vision"\n{seeds}\n{cell}\n{table}\n')
    assert main([command, str(path)]) == 2
    err = capsys.readouterr().err
    assert "parameter of grid.toml must be small enough for a grid of at most 1,000,000 cells. Got <" in err
    assert says in err
    assert err.count("\n") == 1


def test_a_study_made_in_python_has_the_same_limit(monkeypatch):
    study = parse(SPEC)
    monkeypatch.setattr("errsrc.sweeps.study.MAX_CELLS", len(study))
    assert len(Study(study.kind, study.base, study.factors)) == len(study)
    monkeypatch.setattr("errsrc.sweeps.study.MAX_CELLS", len(study) - 1)
    with pytest.raises(ValueError, match=r"'factors' parameter of Study must be .* cells = 3 x 2 x 2 x 2>"):
        Study(study.kind, study.base, study.factors)


def test_a_file_that_is_too_large_for_a_spec_is_refused_unread(tmp_path, capsys):
    path = tmp_path / "grid.toml"
    path.write_bytes(b" " * (spec.MAX_BYTES + 1))
    assert main(["status", str(path)]) == 2
    assert "grid.toml is not a study: a study has at most 4 MB of TOML" in capsys.readouterr().err


@pytest.mark.parametrize("huge", [10**5, 10**12, 10**40])
@pytest.mark.parametrize(
    "cell", [VisionCell("digits", "mlp", 8, 90, 0, 397), LanguageCell("sotu", "lstm", 8, 1024, 0)]
)
def test_a_network_that_is_too_deep_is_refused_before_it_is_made(cell, huge):
    with pytest.raises(
        ValueError, match=r"'depth' parameter of \w+Cell must be an integer >= 1 and <= 10000"
    ):
        replace(cell, depth=huge)


KEYS = st.sampled_from(
    ["kind", "seeds", "cell", "factors", "n", "width", "recipe", "batch", "dataset", "family", "law", "noise",
     "seed", "steps", "held", "alpha", "size", "", "a.b", "ключ"]
)  # fmt: skip
SCALARS = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.dates(), st.text(max_size=5), KEYS,
    st.sampled_from(["vision", "recovery", "digits", "mlp", "power", "dense"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["vision", "recovery"]) | VALUES,
        "seeds": st.integers(-1, 3) | VALUES,
        "cell": st.dictionaries(KEYS, VALUES, max_size=6) | VALUES,
        "factors": st.dictionaries(KEYS, st.lists(VALUES, max_size=3) | VALUES, max_size=4) | VALUES,
        "kinds": VALUES,
    },
)


@pytest.mark.full
@given(DOCUMENTS)
@settings(max_examples=examples(400), deadline=None)
def test_any_document_is_a_study_or_one_sentence(document):
    check(lambda: spec._Spec("grid.toml").study(document))


@st.composite
def mutated(draw):
    """A right document with one value replaced, anywhere in it."""
    import tomllib

    def change(value, path):
        if not path:
            return draw(VALUES)
        if isinstance(value, dict):
            key = draw(st.sampled_from(sorted(value)))
            if draw(st.booleans()):
                return {**value, key: change(value[key], path[1:])}
            new = draw(KEYS)
            return {**{k: v for k, v in value.items() if k != key}, new: value[key]}
        if isinstance(value, list) and value:
            i = draw(st.integers(0, len(value) - 1))
            return [*value[:i], change(value[i], path[1:]), *value[i + 1 :]]
        return draw(VALUES)

    document = tomllib.loads(draw(st.sampled_from([SPEC, LAW])))
    return change(document, range(draw(st.integers(1, 5))))


@pytest.mark.full
@given(mutated())
@settings(max_examples=examples(400), deadline=None)
def test_a_right_document_with_one_thing_changed_too(document):
    check(lambda: spec._Spec("grid.toml").study(document))


@pytest.mark.full
@given(
    st.text(max_size=60) | st.builds(lambda s, i: s[:i], st.sampled_from([SPEC, LAW]), st.integers(0, 400))
)
@settings(max_examples=examples(200), deadline=None)
def test_any_text_is_a_study_or_one_sentence(text):
    check(lambda: parse(text, "grid.toml"))


def check(read):
    try:
        study = read()
    except ValueError as error:
        sentence = str(error)
    else:
        assert all(isinstance(cell, study.kind.cell) for cell in study[:3])
        return
    assert "grid.toml" in sentence
    assert sentence.rstrip(")").endswith((".", "?"))


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path, capsys):
    path = tmp_path / "grid.toml"
    path.write_bytes(b'kind = "\xff"')
    assert main(["run", str(path)]) == 2
    assert "is not UTF-8 text" in capsys.readouterr().err
    assert main(["run", str(tmp_path / "none.toml")]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["run", "grid"]) == 2
    assert "must end in .toml" in capsys.readouterr().err
    path.write_text("a = " + "[" * 100_000)
    assert main(["run", str(path)]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", studies.ALL)
def test_a_kind_is_known_by_its_name_and_its_cells_by_theirs(name):
    assert studies.ALL[name].name == name


def available(name):
    try:
        return bool(texts(name) if name == "sotu" else images(name))
    except FileNotFoundError:
        return False


def quicker(cell):
    """A cell of fewer draws, short trainings and a basis of few images, or one of another kind as it is."""
    if isinstance(cell, ThresholdCell) and isinstance(getattr(cell.learner, "basis", None), ImageBasis):
        basis = replace(cell.learner.basis, count=10, landmarks=50, unlabelled=100)
        setting, learner = (replace(one, basis=basis) for one in (cell.setting, cell.learner))
        return replace(cell, draws=5, setting=setting, learner=learner)
    if isinstance(cell, PruningCell):
        return replace(cell, steps=60, rounds=replace(cell.rounds, max_rounds=1))
    if isinstance(cell, VisionCell) and cell.family in ("resnet", "wrn"):
        return replace(cell, width=2, steps=3)
    if isinstance(cell, LanguageCell) and cell.family == "transformer":
        return replace(cell, n=2 * cell.passage, depth=1, steps=3, validation=1024, test=4096)
    if isinstance(cell, SearchCell):
        return replace(cell, examples=30)
    if not isinstance(cell, BudgetCell):
        return cell
    few = Effort(starts=2, steps=20, chains=2, transitions=2, leaps=10)
    cell = replace(cell, draws=2, effort=few)
    if isinstance(cell.setting, ImageTeacher):
        learner, setting = replace(cell.learner, steps=20), replace(cell.setting, teacher_steps=20)
        cell = replace(cell, learner=learner, setting=setting)
    return cell


SPECS = sorted((ROOT / "sims").glob("*.toml"))
DEAR = {
    "budget_horizon",
    "budget_images",
    "budget_realizable",
    "budget_terms",
    "law_terms",
    "law_terms_images",
    "nyquist_images",
    "pruning_chain",
    "pruning_dense",
    "vision_residual",
}


@pytest.mark.parametrize(
    "path",
    [pytest.param(one, marks=pytest.mark.slow if one.stem in DEAR else pytest.mark.full) for one in SPECS],
    ids=lambda path: path.stem,
)
def test_the_first_cell_of_every_spec_runs(path):
    study, text = load(path), path.read_text()
    needed = [name for name in ("fashion-mnist", "cifar-10", "sotu") if f'"{name}"' in text]
    if all(map(available, needed)):
        (outcome,) = study.kind.compute([quicker(study[0])])
        assert outcome


@pytest.mark.full
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_is_decoded_and_its_head_says_all(path):
    text = path.read_text()
    assert len(load(path))
    for word in ("Claim:", "Command:", "Cost:", "Outcome:"):
        assert word in text
