"""Checkpoints that are deleted, replaced or cannot be written during a training, which goes on."""

from __future__ import annotations

import functools
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from errsrc.nets import MLP
from errsrc.training import Member, Recipe, loop, train
from errsrc.training.checkpoint import write_checkpoint

X = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32))
Y = (X[:, 0] > 0).long()
CALL = (
    MLP((4, 3, 2)),
    X,
    Y,
    [Member(np.arange(40), 40, 1)],
    (X[40:], Y[40:]),
    Recipe(batch=8, evaluation_interval=5),
)

UNWRITTEN = "state.pt could not be (written|removed): "
HAPPENS = {
    "the file deleted": (lambda path: path.unlink(), None),
    "its folder deleted": (lambda path: shutil.rmtree(path.parent), None),
    "its folder moved": (lambda path: path.parent.rename(path.parent.with_name("elsewhere")), None),
    "junk in its place": (lambda path: path.write_bytes(b"junk"), None),
    "an empty file in its place": (lambda path: path.write_bytes(b""), None),
    "a checkpoint of another call": (lambda path: write_checkpoint(path, "other", {}), None),
    "a link to nothing": (lambda path: (path.unlink(), path.symlink_to("nothing")), None),
    "a folder in its place": (lambda path: (path.unlink(), path.mkdir()), UNWRITTEN),
    "a file in place of its folder": (
        lambda path: (shutil.rmtree(path.parent), path.parent.touch()),
        UNWRITTEN,
    ),
    "a folder in place of the draft": (lambda path: path.with_name("state.pt.part").mkdir(), UNWRITTEN),
}


@pytest.mark.parametrize("happens", HAPPENS)
def test_what_happens_to_a_checkpoint_changes_no_training(happens, tmp_path, monkeypatch) -> None:
    act, says = HAPPENS[happens]
    path, written = tmp_path / "folder" / "state.pt", []

    def write(*arguments):
        write_checkpoint(*arguments)
        written.append(None)
        if len(written) == 2:
            act(path)

    monkeypatch.setattr(loop, "write_checkpoint", write)
    run = functools.partial(train, *CALL, checkpoint_path=path, checkpoint_seconds=0.0)
    if says is None:
        found = run()
    else:
        with pytest.warns(UserWarning, match=says):
            found = run()
    assert len(written) > 3
    for one, other in zip(found, train(*CALL), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one.weights, other.weights, strict=True))
    assert says is not None or not path.exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("write\nfailed")])
def test_a_full_disk_is_a_warning_and_the_last_checkpoint_stays(error, tmp_path, monkeypatch) -> None:
    path = tmp_path / "state.pt"
    write_checkpoint(path, "call", {"step": 1})
    before = path.read_bytes()

    def full(*_):
        raise error

    monkeypatch.setattr(torch, "save", full)
    with pytest.warns(UserWarning, match=r"state\.pt could not be written: (No space left on|write failed)"):
        write_checkpoint(path, "call", {"step": 2})
    assert path.read_bytes() == before


def test_a_checkpoint_that_can_be_written_warns_of_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_checkpoint(tmp_path / "new" / "state.pt", "call", {"step": 1})
