"""Starters run as they are written, and no file is overwritten; kinds and classes are described."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from errsrc import studies
from errsrc.cli import main
from errsrc.records import own_modules
from errsrc.studies.descriptions import describe
from errsrc.studies.starters import STARTERS, write_starter

REFUTED = "errsrc conjecture claims.toml"


@pytest.fixture
def no_own_modules(monkeypatch: pytest.MonkeyPatch):
    """Forget the modules that a test imports."""
    monkeypatch.setattr(own_modules, "_MODULES", {})
    monkeypatch.setattr(studies.ALL, "_kinds", dict(studies.ALL._kinds))
    monkeypatch.setattr(studies.ALL, "_modules", {})
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in {"experiment", "own_setting", "own_model"} & set(sys.modules) - before:
        del sys.modules[name]


def commands_in(text: str) -> list[str]:
    """The commands in the comments of a file."""
    found = re.findall(r"^#   (errsrc .*)$", text, re.MULTILINE)
    return [re.split(r"\s{2,}", command)[0] for command in found]


@pytest.mark.usefixtures("one_process", "no_own_modules")
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.full if name == "own" else pytest.mark.slow) for name in STARTERS],
)
def test_a_starter_runs_as_it_is_written(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", name, "mine"]) == 0
    shown = capsys.readouterr().err
    for path in sorted((tmp_path / "mine").iterdir()):
        assert f"errsrc: wrote mine/{path.name}\n" in shown
    monkeypatch.chdir(tmp_path / "mine")
    for spec in sorted(Path().glob("*.toml")):
        commands = commands_in(spec.read_text())
        assert {command.split()[1] for command in commands} >= {"report"}
        named = re.search(r" --(kinds|modules) \w+", spec.read_text())
        option = named[0] if named else ""
        commands += [f"errsrc {command} {spec}{option}" for command in ("run", "status", "export")]
        for command in commands:
            assert main(command.split()[1:]) == (command == REFUTED), (command, capsys.readouterr().err)
        assert "missing    0" in capsys.readouterr().out
        assert (
            "<svg" in spec.with_suffix(".html").read_text()
            or "data:image" in spec.with_suffix(".html").read_text()
        )
    assert set(STARTERS[name]) <= {c for spec in Path().glob("*.toml") for c in commands_in(spec.read_text())}


def test_a_starter_overwrites_nothing(tmp_path, capsys):
    (tmp_path / "grid.toml").write_text("mine")
    assert main(["new", "own", str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err
        == f"errsrc: {tmp_path}/grid.toml exists, and is not overwritten: name another folder.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["grid.toml"]
    assert main(["new", "own", str(tmp_path / "grid.toml")]) == 2
    assert "is a file: name a folder" in capsys.readouterr().err
    assert main(["new", "visoin", str(tmp_path / "a")]) == 2
    assert "did you mean 'vision'?" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    assert main(["new", "vision", str(tmp_path / "a" / "b"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["next"] == list(STARTERS["vision"])


@pytest.mark.usefixtures("no_own_modules")
def test_a_starter_for_a_folder_of_images_has_sizes_that_suit_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    counts = {"train/a": 100, "train/b": 130, "test/a": 2, "test/b": 2}
    for part, count in counts.items():
        (tmp_path / "my photos" / part).mkdir(parents=True)
        for k in range(count):
            (tmp_path / "my photos" / part / f"{k}.png").touch()
    assert main(["new", "vision", "mine", "--images", "my photos"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "errsrc: wrote mine/own_model.py\nerrsrc: wrote mine/own_grid.toml\n"
    assert shown.out.startswith("Next, in mine:\n  errsrc status own_grid.toml")
    assert " grid.toml" not in shown.out
    monkeypatch.chdir(tmp_path / "mine")
    own_modules.import_modules("own_model")
    study = studies.load("own_grid.toml")
    assert study.base.dataset == "../my photos"
    assert (study.base.side, study.base.validation) == (32, 40)
    sizes = {factor.fields[0]: [value for (value,) in factor.values] for factor in study.factors}
    assert sizes["n"] == [10, 20, 40, 80, 2 * (100 - 20)]
    monkeypatch.chdir("../my photos")
    Image.new("RGB", (28, 20)).save("train/a/0.png")
    Path("digits").symlink_to(".")
    assert main(["new", "vision", ".", "--images", "digits"]) == 0
    study = studies.load("own_grid.toml")
    assert (study.base.dataset, study.base.side) == ("./digits", 20)
    Path("digits").unlink()
    monkeypatch.chdir("../mine")
    Path("link").symlink_to("../my photos/train", target_is_directory=True)
    assert main(["new", "vision", "link", "--images", "../my photos"]) == 0
    assert studies.load("link/own_grid.toml").base.dataset == "./.."
    for name in ("own_grid.toml", "own_model.py"):
        Path("link", name).unlink()
    assert main(["new", "vision", "other", "--images", "photos"]) == 2
    assert "There is no image folder photos" in capsys.readouterr().err
    assert main(["new", "language", "other", "--images", "../my photos"]) == 2
    assert "does not apply to language" in capsys.readouterr().err
    for path in Path("../my photos/train/a").glob("[1-9]*"):
        path.unlink()
    assert main(["new", "vision", "other", "--images", "../my photos"]) == 2
    assert "too few training images" in capsys.readouterr().err
    for part in ("train", "test"):
        shutil.rmtree(f"../my photos/{part}/b")
    assert main(["new", "vision", "other", "--images", "../my photos"]) == 2
    assert "images of one class only" in capsys.readouterr().err
    assert not Path("other").exists()


def test_the_text_of_the_language_starter_is_long_enough(tmp_path):
    (text,) = (path for path in write_starter("language", tmp_path) if path.suffix == ".txt")
    assert 250_000 < text.stat().st_size < 400_000


@pytest.mark.full
def test_all_kinds_are_listed_with_what_their_fields_accept(capsys):
    assert main(["kinds"]) == 0
    shown = capsys.readouterr().out
    for name in studies.ALL:
        assert re.search(rf"^{name}: \w", shown, re.MULTILINE)
    assert "  steps       default 12000; an integer >= 1\n" in shown
    assert "  seed        default 0; an integer >= 0\n" in shown
    assert main(["kinds", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    fields = {field["name"]: field for field in found["vision"]["fields"]}
    assert fields["recipe.learning_rate"]["default"] == "0.004"
    assert fields["recipe.learning_rate"]["accepts"] == "a finite number > 0"
    assert fields["n"]["default"] is None
    assert {field["name"] for field in found["budget"]["fields"] if field["kinds"]} == {"setting", "learner"}


def test_classes_that_a_spec_can_name_are_described(capsys):
    assert main(["kinds", "linear-teacher", "ridge"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "ridge a finite number > 0; default 1.0 The penalty, > 0." in shown
    assert "kinds: clean, gaussian, flips, softmax" in shown
    assert main(["kinds", "rige"]) == 2
    assert "No kind or class is called 'rige' (did you mean 'ridge'?)" in capsys.readouterr().err
    meanings = [field.meaning for name in studies.ALL for field in describe(name).fields]
    assert sum(map(bool, meanings)) > 0.9 * len(meanings)


@pytest.mark.usefixtures("no_own_modules")
def test_an_own_kind_is_described(tmp_path, monkeypatch, capsys):
    write_starter("own", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["kinds", "random-features", "--kinds", "experiment"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("random-features: One point of the experiment")
    assert "  ridge  a finite number > 0; default 0.01\n" in shown
