"""Two processes that train together end where one does alone, one of them writes, and none waits for ever."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed

from errsrc.cli import main
from errsrc.nets import CNN, MLP
from errsrc.studies import load
from errsrc.sweeps import Store, run, serial
from errsrc.training import Member, Recipe, train

torch.set_num_threads(1)

DRAWN = torch.Generator().manual_seed(0)
X = torch.randn(300, 16, generator=DRAWN)
Y = X[:, :3].argmax(1)
MEMBERS = [Member(np.arange(100), 20, 1), Member(np.arange(50, 300), 33, 2)]
FEW = [Member(np.arange(100), 5, 1), Member(np.arange(50, 300), 8, 2)]  # steps in which roundings stay small
HELD = (X[250:], Y[250:])
EXACT, EXACT_HELD = X.double(), (X[250:].double(), Y[250:])
CALLS = [  # batches of 9 have no halves
    (MLP((16, 6, 3)), EXACT, Y, MEMBERS, EXACT_HELD, Recipe(batch=9)),
    (CNN(4, 2, 3), EXACT, Y, MEMBERS, EXACT_HELD, Recipe("sgd", batch=9, augment="crop-flip", padding=1)),
    (MLP((16, 6, 3)), X, Y, FEW, HELD, Recipe(batch=9, precision="bf16")),
]

CHILD = """
import sys
sys.path.insert(0, {tests!r})
import torch
from pathlib import Path
from test_torchrun import CALLS, train
from errsrc.studies.torchrun import process_group
from errsrc.training import loop
from errsrc.training.distributed import rank, world_size
saved, save = [], loop.write_checkpoint
def spy(path, identity, content):
    save(path, identity, content)
    saved.append(path.exists())
loop.write_checkpoint = spy
with process_group():
    first = rank() == 0
    assert world_size() == 2
    folder = Path({folder!r}) / str(rank())  # the second would be alone in writing its own
    trained = [train(*call, checkpoint_path=folder / "state.pt", checkpoint_seconds=0.0) for call in CALLS]
assert saved and all(saved) == first and any(saved) == first
torch.save([one.weights for each in trained for one in each], folder.with_suffix(".pt"))
"""


def two(*arguments, cwd=None, codes=(0, 0)):
    """Run two processes as torchrun does, with a store of addresses that outlives them."""
    store = distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # at a free port
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port)}
    common |= {"TORCHELASTIC_USE_AGENT_STORE": "True", "GLOO_SOCKET_IFNAME": "lo"}
    common["CUDA_VISIBLE_DEVICES"] = ""  # of which there may be one alone
    processes = [
        subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, **common, "RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
        )
        for rank in ("0", "1")
    ]  # fmt: skip
    try:
        said = [process.communicate(timeout=300) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert tuple(process.returncode for process in processes) == codes, said
    return said


@pytest.mark.slow
def test_two_processes_train_what_one_does_and_the_first_writes(tmp_path):
    two("-c", CHILD.format(tests=str(Path(__file__).parent), folder=str(tmp_path)))
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    alone = [one.weights for call in CALLS for one in train(*call)]
    for one, other, expected in zip(first, second, alone, strict=True):
        for w, same, close in zip(one, other, expected, strict=True):
            assert torch.equal(w, same)
            torch.testing.assert_close(w, close, rtol=1e-2, atol=1e-3)
    exact = [w for weights in alone[:4] for w in weights]  # those in float64
    together = [w for weights in first[:4] for w in weights]
    for w, close in zip(together, exact, strict=True):
        torch.testing.assert_close(w, close, rtol=1e-6, atol=1e-7)


SPEC = """
kind = "vision"
seeds = 1
cell = {dataset = "digits", family = "mlp", width = 8, validation = 397, steps = 20}
factors = {n = [90, 180]}
"""


@pytest.mark.slow
def test_a_study_is_run_by_two_processes(tmp_path, capsys):
    (tmp_path / "study.toml").write_text(SPEC)
    command = ("-m", "errsrc", "run", "study.toml", "--engine", "torchrun")
    said = two(*command, cwd=tmp_path)
    assert "2 of 2 cells are finished" in said[0][0]
    assert not [line for line in said[1][0].splitlines() if not line.startswith("[Gloo]")]  # of older torch
    study = load(tmp_path / "study.toml")
    with Store(tmp_path / "alone.db", write=True) as alone, Store(tmp_path / "study.db") as store:
        run(study, alone, serial, progress=False)
        losses = [[row["loss"] for row in each.rows(study)] for each in (alone, store)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert main(["run", str(tmp_path / "study.toml"), "--engine", "torchrun"]) == 2
    assert "torchrun --nproc-per-node 2" in capsys.readouterr().err
    assert main(["run", str(tmp_path / "study.toml"), "--engine", "torchrun", "--workers", "2"]) == 2
    assert "--workers does not apply to --engine torchrun" in capsys.readouterr().err


# Failures

CALLED = """
import glob, os, sys
from pathlib import Path
from errsrc.cli import main
code = main(["run", "study.toml", "--engine", "torchrun"])
threads = [Path(path).read_text().strip() for path in glob.glob("/proc/self/task/*/comm")]
assert not [name for name in threads if "gloo" in name], threads  # one that is left may abort the exit
sys.exit(code)
"""
FAILING = (
    """
import os
from errsrc.studies import torchrun
from errsrc.training import distributed
rank, all_reduce, calls = os.environ["RANK"], distributed.all_reduce, []
def dying(part):
    calls.append(part)
    if {dies} and len(calls) == 5:
        {how}
    return all_reduce(part)
distributed.all_reduce, torchrun.BARRIER_SECONDS = dying, {alone}
"""
    + CALLED
)


def rows(path):
    with Store(path) as store:
        return store.count(), list(store.failures().values())


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_where_a_batch_fails_in_one_process_alone_both_end_with_a_sentence(tmp_path, number):
    (tmp_path / "study.toml").write_text(SPEC)
    code = FAILING.format(dies=f"rank == '{number}'", how="raise MemoryError('no more')", alone=1.0)
    said = two("-c", code, cwd=tmp_path, codes=(2, 2))
    for rank, (_, err) in enumerate(said):
        assert f"errsrc: Process {rank} of 2 ends: " in err
        assert "internal" not in err
        assert "Traceback" not in err
    assert (
        "this batch fails only here, with MemoryError: no more; the same command goes on" in said[number][1]
    )
    assert "another process is gone" in said[1 - number][1]
    assert rows(tmp_path / "study.db") == (0, [])
    with Store(tmp_path / "study.db", write=True) as store:  # and goes on
        assert run(load(tmp_path / "study.toml"), store, serial, progress=False).finished == 2


@pytest.mark.slow
def test_where_a_process_is_gone_the_other_ends_with_a_sentence(tmp_path):
    (tmp_path / "study.toml").write_text(SPEC)
    code = FAILING.format(dies="rank == '1'", how="os.kill(os.getpid(), 9)", alone=1.0)
    (_, err), _ = two("-c", code, cwd=tmp_path, codes=(2, -9))
    assert "errsrc: Process 0 of 2 ends: " in err
    assert "internal" not in err
    assert rows(tmp_path / "study.db") == (0, [])


@pytest.mark.full
def test_where_the_first_process_is_refused_the_other_ends_with_a_sentence(tmp_path):
    (tmp_path / "study.toml").write_text(SPEC)
    with Store(tmp_path / "study.db", write=True):
        (_, first), (_, second) = two("-c", CALLED, cwd=tmp_path, codes=(2, 2))
    assert "is being written by another driver" in first
    assert "errsrc: Process 1 of 2 ends: another process is gone." in second


@pytest.mark.slow
def test_a_batch_that_fails_in_all_processes_has_failed_and_the_rest_goes_on(tmp_path):
    (tmp_path / "study.toml").write_text(SPEC)
    code = FAILING.format(dies="True", how="raise MemoryError('too large')", alone=60.0)
    (out, err), (_, other) = two("-c", code, cwd=tmp_path, codes=(1, 0))
    assert "2 failed" in out
    assert rows(tmp_path / "study.db") == (0, ["MemoryError: too large"] * 2)
    assert "Traceback" not in err + other
