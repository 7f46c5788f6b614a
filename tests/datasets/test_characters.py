"""Images of characters follow from their seed alone, and show the character that their class names."""

import importlib.util

import numpy as np
import pytest

from errsrc.datasets import IMAGE_SETS, glyphs, image_sets, images
from errsrc.datasets.characters import _rendered
from errsrc.datasets.image_sets import check_files


def test_more_images_than_memory_are_refused():
    with pytest.raises(ValueError, match=r"'count' parameter of glyphs must be at most .* Got 1000000000000"):
        glyphs(10**12)


def test_an_image_depends_on_its_seed_part_and_number_only():
    x, y = glyphs(600)
    assert (x.shape, x.dtype, y.dtype) == ((600, 1, 28, 28), np.uint8, np.int64)
    few, few_y = glyphs(300)
    np.testing.assert_array_equal(few, x[:300])
    np.testing.assert_array_equal(few_y, y[:300])
    for other, _ in (glyphs(600, seed=1), glyphs(600, part="test")):
        assert not (other == x).all((1, 2, 3)).any()
    assert not (x[:62] == x[248:310]).all((1, 2, 3)).any()  # another block of images


def test_each_font_has_all_characters_and_they_fit_in_their_room():
    rendered = _rendered()
    assert rendered.any((2, 3)).all()
    assert not rendered[:, :, [0, -1]].any()
    assert not rendered[:, :, :, [0, -1]].any()
    assert all(len({one.tobytes() for one in font}) == 62 for font in rendered)


def test_images_of_one_class_look_alike():
    (x, y), (test_x, test_y) = glyphs(2480), glyphs(620, part="test")
    means = np.stack([x[y == c].mean(0).ravel() for c in range(62)])
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    error = ((test_x.reshape(620, -1) @ unit.T).argmax(1) != test_y).mean()
    assert error < 0.7  # 61/62 by chance


def test_the_named_sets_have_the_first_images_of_each_part(monkeypatch):
    sizes = {"glyphs": 124, "glyphs-620k": 248}
    assert set(image_sets._GLYPHS) == set(sizes) <= set(IMAGE_SETS)
    monkeypatch.setattr(image_sets, "_GLYPHS", sizes)
    monkeypatch.setattr(image_sets, "_GLYPHS_TEST", 62)
    few, more = images("glyphs"), images("glyphs-620k")
    assert (few.train_x.shape, few.test_x.shape, few.classes, few.white) == (
        (124, 1, 28, 28),
        (62, 1, 28, 28),
        62,
        255,
    )
    np.testing.assert_array_equal(more.train_x[:124], few.train_x)
    np.testing.assert_array_equal(more.test_x, few.test_x)
    np.testing.assert_array_equal(check_files("glyphs"), few.train_y)


def test_missing_fonts_are_one_sentence(monkeypatch, tmp_path):
    package = importlib.util.find_spec("matplotlib")
    monkeypatch.setattr(package, "origin", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: package)
    with pytest.raises(FileNotFoundError, match=r"'glyphs' .*DejaVuSans.ttf was not found: pip install"):
        check_files("glyphs")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="with matplotlib's fonts: pip install matplotlib"):
        check_files("glyphs")
