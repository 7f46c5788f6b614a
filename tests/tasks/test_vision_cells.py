"""Vision cells: what they report is what was trained, on the rows they say."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from errsrc.datasets import images, shape_of
from errsrc.studies.pruned import left_out_levels, levels
from errsrc.tasks import VisionCell, train_vision_cells, vision_grid
from errsrc.tasks.vision import vision_outcomes
from errsrc.training import Recipe

torch.set_num_threads(1)

CELL = VisionCell("digits", "mlp", width=16, n=300, seed=0, validation=200, steps=300)


@pytest.mark.full
def test_both_families_learn_digits():
    for cell, bound in ((CELL, 0.12), (replace(CELL, family="cnn", width=4), 0.15)):
        (result,) = train_vision_cells([cell])
        assert result.error < bound
        assert result.error_se == pytest.approx(np.sqrt(result.error * (1 - result.error) / 600))
        assert 0 < result.loss_se < result.loss < 1
        assert not result.diverged


@pytest.mark.full
def test_a_cells_result_does_not_depend_on_its_batch():
    """After few steps, for later ones carry a rounding of float32 anywhere."""
    cells = [replace(CELL, n=n, seed=seed, steps=20) for n in (50, 300) for seed in (0, 1)]
    together = train_vision_cells(cells)
    assert [result.cell for result in together] == cells
    (alone,) = train_vision_cells([cells[2]])
    assert alone.loss == pytest.approx(together[2].loss, rel=1e-3)
    assert alone.steps_taken == together[2].steps_taken
    assert len({result.loss for result in together}) == 4


@pytest.mark.full
def test_more_data_is_better_on_average_over_seeds():
    results = train_vision_cells([replace(CELL, n=n, seed=seed) for n in (30, 600) for seed in range(3)])
    errors = np.array([result.error for result in results]).reshape(2, 3).mean(1)
    assert errors[1] < 0.6 * errors[0]


@pytest.mark.full
def test_the_test_set_chooses_nothing(monkeypatch):
    from errsrc.tasks import vision

    data = images("digits")
    other = replace(data, test_x=data.test_x[::-1].copy())  # labels no longer fit
    (before,) = train_vision_cells([CELL])
    vision.device_images.cache_clear()
    monkeypatch.setattr(vision, "images", lambda name, folder, side: other)
    (after,) = train_vision_cells([CELL])
    vision.device_images.cache_clear()
    assert after.error > 0.5
    np.testing.assert_array_equal(before.curve["loss"], after.curve["loss"])


def test_training_and_validation_rows_are_apart_and_subsets_nested(monkeypatch):
    from errsrc.tasks import vision

    seen = []
    real = vision.train

    def spy(network, x, y, members, validation, recipe):
        seen.append((x, y, members, validation))
        return real(network, x, y, members, validation, recipe)

    monkeypatch.setattr(vision, "train", spy)
    train_vision_cells([replace(CELL, n=n, steps=25) for n in (37, 150, 900)])
    train_vision_cells([replace(CELL, n=150, width=8, steps=25)])
    train_vision_cells([replace(CELL, n=150, steps=25)])
    x, y, members, validation = seen[0]
    small, middle, large = (member.rows for member in members)
    assert set(small) < set(middle) < set(large)
    for rows in (small, middle, large):
        assert np.ptp(np.bincount(y.cpu().numpy()[rows], minlength=10)) <= 1
    held = {row.tobytes() for row in validation[0].cpu().numpy()}
    assert not held & {row.tobytes() for row in x.cpu().numpy()[large]}
    assert set(seen[1][2][0].rows) != set(middle)  # another width
    np.testing.assert_array_equal(seen[2][2][0].rows, middle)


def test_a_sweep_gets_the_same_numbers_and_the_parameters_are_known_before_training():
    cell = replace(CELL, steps=25)
    (result,) = train_vision_cells([cell])
    (outcome,) = vision_outcomes([cell])
    assert outcome["error"] == result.error
    assert outcome["loss"] == result.loss
    assert list(outcome["curve"]) == ["step", "train_loss", "loss", "error"]
    assert "cell" not in outcome
    assert outcome["m"] == cell.parameters == 64 * 16 + 16 + 160 + 10
    cnn = replace(cell, family="cnn", width=4)
    assert vision_outcomes([cnn])[0]["m"] == cnn.parameters


@pytest.mark.parametrize("dataset", ["fashion-mnist", "digits", "glyphs"])
def test_the_default_grid_leaves_a_quarter_of_each_axis_to_fit_on(dataset):
    cells = vision_grid(dataset, seeds=2)
    assert len(set(cells)) == len(cells)
    n = np.array([cell.n for cell in cells])
    width = np.array([cell.width for cell in cells])
    shape = shape_of(dataset)
    m = width * (shape.inputs + 1 + shape.classes) + shape.classes
    small = (n <= n.max() / 4) & (m <= m.max() / 4)
    assert len(np.unique(n)) >= 6
    assert len(np.unique(width)) >= 6
    assert len(np.unique(n[small])) == len(np.unique(n)) - 2
    assert len(np.unique(m[small])) == len(np.unique(m)) - 2
    if dataset == "glyphs":
        assert len(np.unique(m[m <= m.max() / 16])) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 5000}, "'n' parameter of VisionCell must be an integer <="),
        ({"validation": 1197}, "'validation' parameter of VisionCell"),
    ],
)
def test_more_images_than_there_are_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        train_vision_cells([replace(CELL, **change)])


def test_cells_that_cannot_share_a_batch_are_refused():
    with pytest.raises(ValueError, match="'cells' parameter of train_vision_cells"):
        train_vision_cells([CELL, replace(CELL, width=8)])
    with pytest.raises(ValueError, match="'cells' parameter of train_vision_cells"):
        train_vision_cells([CELL, replace(CELL, recipe=Recipe(batch=64))])
    with pytest.raises(ValueError, match="did you mean 'mlp'"):
        VisionCell("digits", "mpl", 8, 100, 0)
    with pytest.raises(ValueError, match=r"'recipe\.augment' parameter of VisionCell must be 'none' for MLP"):
        replace(CELL, recipe=Recipe(augment="crop-flip"))
    assert replace(CELL, family="cnn", recipe=Recipe(augment="crop-flip")).recipe.padding == 4


def test_the_default_digits_grid_fits_its_images():
    cells = vision_grid("digits", seeds=1)
    assert max(cell.n for cell in cells) + cells[0].validation <= len(images("digits").train_x)
    n, widths = sorted({cell.n for cell in cells}), sorted({cell.width for cell in cells})
    assert n[-1] / 4 in n
    assert len(n) >= 6
    assert len(widths) >= 6


def test_levels_of_pruned_networks_leave_out_those_that_diverged():
    row = {"depth": 1, "width": 8, "n": 500, "seed": 0, "prunable": 592, "m": 610, "diverged": False}
    names, values = ("level", "density", "error"), np.array([[0, 1, 2], [1, 0.8, 0.64], [0.1, 0.1, 0.2]])
    curve = dict(zip(names, values, strict=True))
    alone = levels([row], [curve])
    lost = row | {"diverged": True, "width": 16}, curve | {"error": values[2] * np.nan}
    both = levels([lost[0], row], [lost[1], curve])
    for name, column in alone.items():
        np.testing.assert_array_equal(both[name], column)
    with pytest.raises(ValueError, match=r"'rows' parameter of levels .* did not diverge, .* Got <1 rows>"):
        levels(lost[:1], [curve])


def test_levels_whose_outputs_are_constant_are_left_out_with_a_word():
    row = {"depth": 1, "width": 8, "n": 500, "seed": 0, "prunable": 592, "m": 610, "diverged": False}
    names = ("level", "density", "error", "dead_layers", "constant")
    values = np.array([[0, 1, 2, 3], [1, 0.8, 0.6, 0.4], [0.1, 0.1, 0.2, 0.9], [0, 0, 0, 1], [0, 0, 0, 1]])
    curve = dict(zip(names, values, strict=True))
    assert levels([row], [curve])["error"].tolist() == [0.1, 0.1, 0.2]
    old = {name: curve[name] for name in names[:3]}
    assert levels([row], [old])["error"].tolist() == [0.1, 0.1, 0.2, 0.9]  # a store without the marks
    cell = VisionCell("digits", "mlp", width=8, n=500, seed=0)
    for dead, constant, sentence in (
        (
            [0, 0, 0, 1],
            [0, 0, 0, 1],
            "level 3: the outputs do not depend on the inputs; from level 3 on a layer",
        ),
        ([0, 0, 0, 0], [0, 0, 0, 1], "level 3: the outputs do not depend on the inputs."),
        (
            [0, 0, 0, 2],
            [0, 0, 1, 1],
            "levels 2, 3: the outputs do not depend on the inputs; from level 3 on a",
        ),
    ):
        marked = curve | {"dead_layers": np.array(dead), "constant": np.array(constant)}
        (said,) = left_out_levels([cell], [row], [marked])
        assert said.startswith(f"Left out: n = 500, width 8, seed 0, {sentence}")
    assert left_out_levels([cell], [row], [old]) == []
    assert left_out_levels([cell], [row | {"diverged": True}], [curve]) == []
    marked = curve | {"constant": np.ones(4)}
    with pytest.raises(ValueError, match="at a level whose outputs vary"):
        levels([row], [marked])
