"""Cells whose module or images have changed since they were computed keep their results, with a warning."""

from __future__ import annotations

import importlib
import json
import sys

import numpy as np
import pytest
from PIL import Image

from errsrc import studies
from errsrc.cli import main
from errsrc.datasets import images
from errsrc.records import own_modules
from errsrc.studies.changes import changes
from errsrc.sweeps import Store

MODULE = """
from dataclasses import dataclass
from errsrc.sweeps import Kind

@dataclass(frozen=True)
class Cell:
    n: int
    seed: int = 0

def compute(cells):
    return [{"error": 1 / cell.n, "m": 4} for cell in cells]

KIND = Kind("inverse", Cell, compute)
"""


@pytest.mark.usefixtures("one_process")
def test_run_status_and_report_warn_of_a_changed_module(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(own_modules, "_MODULES", {})
    monkeypatch.setattr(studies.ALL, "_kinds", dict(studies.ALL._kinds))
    monkeypatch.setattr(studies.ALL, "_modules", {})
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "inverse.py").write_text(MODULE)
    (tmp_path / "grid.toml").write_text('kind = "inverse"\nseeds = 2\nfactors.n = [1, 2]\n')
    study = ["grid.toml", "--kinds", "inverse"]
    for command in ("run", "status", "report"):
        assert main([command, *study]) == 0
        captured = capsys.readouterr()
        assert "changed" not in captured.out + captured.err

    (tmp_path / "inverse.py").write_text(MODULE.replace("1 / cell.n", "2 / cell.n"))
    own_modules._digest.cache_clear()
    said = "inverse.py has changed since 4 of the finished cells were computed."
    assert main(["run", *study]) == 0
    assert f"errsrc: warning: {said}" in capsys.readouterr().err
    assert main(["status", *study, "--json"]) == 0
    (warned,) = json.loads(capsys.readouterr().out)["changes"]
    assert warned.startswith(said)
    assert warned.endswith("delete grid.db, or name another file with --store NEW.db.")
    assert main(["report", *study]) == 0
    assert said in capsys.readouterr().err
    assert said in (tmp_path / "grid.html").read_text()
    importlib.invalidate_caches()
    del sys.modules["inverse"]
    own_modules._digest.cache_clear()


def test_changed_images_are_seen(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 4, 4), dtype=np.uint8)
    for k, picture in enumerate(pixels):
        folder = tmp_path / "mine" / ("test" if k < 4 else "train") / "ab"[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{k}.png")
    monkeypatch.chdir(tmp_path)
    cell = '{dataset = "mine", side = 4, family = "mlp", validation = 2, width = 2}'
    study = studies.parse(f'kind = "vision"\ncell = {cell}\nfactors.n = [2, 4]')
    with Store(tmp_path / "grid.db", write=True) as store:
        row = {"curve": {}, "seconds": 0.1, "device": "CPU", "versions": {}}
        row["result"] = {"error": 0.5, "digest": images("mine", side=4).digest}
        store.finish(study, [(0, row), (1, row)])
        assert changes(study, store) == ()
        next((tmp_path / "mine" / "train" / "a").iterdir()).unlink()
        (said,) = changes(study, store)
        assert said.startswith("The images of mine have changed since 2 of the finished cells were computed.")
        monkeypatch.setattr("errsrc.studies.changes.MARGIN", -3600)  # as if the cells were computed later
        assert changes(study, store) == ()
