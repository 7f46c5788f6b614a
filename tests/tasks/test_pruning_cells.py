"""Pruning cells: what their outcomes hold, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from errsrc.studies import parse
from errsrc.tasks import PruningCell, prune_cells
from errsrc.training import Rounds

torch.set_num_threads(1)

CELL = PruningCell(
    "digits",
    "mlp",
    12,
    300,
    0,
    200,
    250,
    depth=2,
    rounds=Rounds(max_rounds=3, rewind_step=20, pruned_fraction=0.5),
)


@pytest.mark.full
def test_a_cells_curve_has_a_row_a_level(tmp_path, monkeypatch):
    monkeypatch.setenv("ERRSRC_STATE", str(tmp_path))
    cells = [CELL, replace(CELL, n=100)]
    outcomes = prune_cells(cells)
    assert not list(tmp_path.iterdir())
    for outcome in outcomes:
        curve = outcome["curve"]
        assert outcome["m"] == 64 * 12 + 12 + 12 * 12 + 12 + 12 * 10 + 10
        assert outcome["prunable"] == 64 * 12 + 12 * 12 + 12 * 10
        np.testing.assert_allclose(curve["density"], 0.5 ** curve["level"], atol=1 / outcome["prunable"])
        assert outcome["levels"] == len(curve["error"]) <= 4
        assert outcome["error"] == curve["error"][0]
        assert outcome["last_error"] == curve["error"][-1]
        assert outcome["levels"] == 4 or curve["error"][-1] >= 2 * curve["error"][0]
    assert outcomes[0]["error"] < 0.2 < 10 * outcomes[0]["error"]
    assert sum(outcome["seconds"] for outcome in outcomes) > 0


def test_a_spec_names_pruning_cells():
    study = parse("""
        kind = "pruning"
        [cell]
        dataset = "digits"
        family = "cnn"
        n = 300
        validation = 397
        rounds.max_rounds = 12
        rounds.rewinding = "rate"
        [factors]
        width = [2, 4]
        depth = [1, 2, 3]
    """)
    assert len(study) == 6
    assert study[5] == PruningCell(
        "digits", "cnn", 4, 300, 0, 397, depth=3, rounds=Rounds(max_rounds=12, rewinding="rate")
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: replace(CELL, steps=20),
            "'rounds.rewind_step' parameter of PruningCell must be an integer < 20",
        ),
        (lambda: replace(CELL, depth=0), "'depth' parameter of PruningCell"),
        (lambda: prune_cells([CELL, replace(CELL, depth=1)]), "'cells' parameter of prune_cells"),
    ],
)
def test_cells_that_cannot_be_are_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
