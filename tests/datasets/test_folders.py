"""Folders of pictures: photographs are turned, transparency is white, files passed over are named."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from errsrc.cli import main
from errsrc.datasets import Shape, images, shape_of
from errsrc.datasets.formats import picture
from errsrc.datasets.image_sets import check_files
from errsrc.nets import MLP
from errsrc.settings import BandTeacher, ImageBasis, ImageTeacher
from errsrc.tasks import VisionCell

Array = np.ndarray[Any, Any]

QUADRANTS = np.array([[10, 90], [160, 240]], np.uint8)
"""Grey values, by which each way to turn a picture is told from the others."""

DISPLAYED: dict[int, Callable[[Array], Array]] = {  # Exif 2.3, tag 274: where row 0 and column 0 are seen
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].T,
    8: lambda a: np.rot90(a),
}


def grey(values: Array, scale: int = 8) -> Image.Image:
    """A picture of blocks of grey values."""
    return Image.fromarray(np.kron(values, np.ones((scale, scale), np.uint8)))


def orientation(value: int) -> Image.Exif:
    """EXIF data with an orientation."""
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("value", DISPLAYED)
def test_a_photograph_is_turned_as_its_exif_data_say(tmp_path: Path, value: int, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    options: dict[str, Any] = {"jpg": {"quality": 95}, "webp": {"lossless": True}}.get(ending, {})
    grey(QUADRANTS).convert("RGB").save(path, exif=orientation(value), **options)
    pixels = picture(path, 2).astype(int)
    assert np.abs(pixels - DISPLAYED[value](QUADRANTS)).max() < 30


@pytest.mark.parametrize("value", [0, 9, 77])
def test_an_orientation_that_is_none_turns_nothing(tmp_path: Path, value: int) -> None:
    grey(QUADRANTS).save(tmp_path / "a.png", exif=orientation(value))
    assert np.abs(picture(tmp_path / "a.png", 2).astype(int) - QUADRANTS).max() < 30


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0no TIFF", b"Exif\0\0II*\0\xff\xff\xff\xff", b"\xff" * 40]
)
def test_broken_exif_data_do_not_stop_the_reading(tmp_path: Path, exif: bytes) -> None:
    write(tmp_path, "train/b/1.png", "test/a/1.png", "test/b/1.png")
    (tmp_path / "train" / "a").mkdir()
    grey(QUADRANTS).save(tmp_path / "train" / "a" / "1.jpg", exif=exif, quality=95)
    assert np.abs(images(str(tmp_path), side=2).train_x[0].astype(int) - QUADRANTS).max() < 30


def test_the_square_is_that_of_the_turned_picture_and_large_photographs_are_turned_too(
    tmp_path: Path,
) -> None:
    tall = np.array([[0, 0], *QUADRANTS, [0, 0]], np.uint8)  # the middle is what is seen
    grey(np.rot90(tall), 200).save(tmp_path / "a.jpg", exif=orientation(6), quality=95)
    assert picture(tmp_path / "a.jpg", 2)[0].ravel().argsort().tolist() == [0, 1, 2, 3]


# Transparency


def half_transparent(alpha: int) -> Image.Image:
    """A red picture whose lower half has an alpha."""
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 255))
    image.paste((255, 0, 0, alpha), (0, 4, 8, 8))
    return image


def lower(path: Path) -> list[int]:
    """The colour in the lower half of a picture."""
    return [int(value) for value in picture(path, 8)[:, -1, 0]]


@pytest.mark.parametrize("ending", ["png", "webp", "tif"])
@pytest.mark.parametrize(("alpha", "seen"), [(0, 255), (255, 0), (127, 128), (254, 1)])
def test_transparent_pixels_are_laid_over_white(tmp_path: Path, ending: str, alpha: int, seen: int) -> None:
    options = {"lossless": True, "exact": True} if ending == "webp" else {}
    half_transparent(alpha).save(tmp_path / f"a.{ending}", **options)
    assert lower(tmp_path / f"a.{ending}") == [255, seen, seen]
    assert picture(tmp_path / f"a.{ending}", 8)[:, 0, 0].tolist() == [255, 0, 0]


def test_transparency_is_read_in_every_mode_that_has_it(tmp_path: Path) -> None:
    palette = half_transparent(255).convert("RGB").convert("P")
    palette.putpixel((0, 0), 7)
    palette.putpalette([200, 30, 30] * 256)
    kinds: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "P": (palette, {"transparency": palette.getpixel((7, 7))}),
        "P bytes": (palette, {"transparency": bytes(256)}),
        "RGB": (Image.new("RGB", (8, 8), (9, 8, 7)), {"transparency": (9, 8, 7)}),
        "L": (Image.new("L", (8, 8), 30), {"transparency": 30}),
        "LA": (Image.new("LA", (8, 8), (30, 0)), {}),
        "PA": (Image.new("RGBA", (8, 8), (30, 1, 2, 0)).convert("PA"), {}),
    }
    for name, (image, options) in kinds.items():
        if name == "PA":  # no format has it
            continue
        image.save(tmp_path / f"{name}.png", **options)
        assert lower(tmp_path / f"{name}.png") == [255, 255, 255], name


def test_opaque_pictures_are_the_same_bits_with_and_without_an_alpha_channel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "rgb.png")
    Image.fromarray(pixels).convert("RGBA").save(tmp_path / "rgba.png")
    np.testing.assert_array_equal(picture(tmp_path / "rgb.png", 16), picture(tmp_path / "rgba.png", 16))


# 16 bits


@pytest.mark.parametrize("value", [0, 255, 256, 30_000, 65_535])
def test_of_16_bits_in_a_png_file_the_upper_8_are_read(tmp_path: Path, value: int) -> None:
    deep = Image.fromarray(np.full((4, 4), value, np.uint16))
    deep.save(tmp_path / "a.png")
    assert (picture(tmp_path / "a.png", 4) == value >> 8).all()
    deep.save(tmp_path / "b.png", transparency=value)
    assert (picture(tmp_path / "b.png", 4) == 255).all()


def test_16_bits_are_turned_too(tmp_path: Path) -> None:
    wide = np.kron(QUADRANTS, np.ones((8, 8), np.uint8)).astype(np.uint16) * 257
    Image.fromarray(wide).save(tmp_path / "a.png", exif=orientation(3))
    assert np.abs(picture(tmp_path / "a.png", 2).astype(int) - QUADRANTS[::-1, ::-1]).max() < 30


# Files that are passed over


def write(root: Path, *names: str, content: bytes | None = None) -> None:
    """Write pictures, or files with a content."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            Image.new("RGB", (4, 4), "red").save(path, format="PNG")
        else:
            path.write_bytes(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two classes, with three training and two test pictures."""
    write(
        tmp_path / "mine", "train/a/1.png", "train/a/2.png", "train/b/1.png", "test/a/1.png", "test/b/1.png"
    )
    return tmp_path / "mine"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["train/a/._1.jpg"], r"1 file was passed over in .*mine: 1 hidden \(train/a/\._1\.jpg\)\.$"),
        (["train/a/.DS_Store", "test/.DS_Store"], r"2 hidden \(train/a/\.DS_Store, test/\.DS_Store\)"),
        (["train/.ipynb_checkpoints/x.png"], r"1 hidden \(train/\.ipynb_checkpoints/x\.png\)"),
        (["train/a/.cache/x/y.png"], r"1 hidden \(train/a/\.cache/x/y\.png\)"),
        (
            ["train/a/more/1.png", "train/a/more/deep/2.png"],
            r"2 in nested folders \(train/a/more/1\.png, train",
        ),
        (["train/a/x.png/1.png"], r"1 in nested folders \(train/a/x\.png/1\.png\)"),
        (["train/a/1.gif"], r"1 of other types \(train/a/1\.gif\)"),
        (
            ["test/b/Thumbs.db", "train/b/labels.txt"],
            r"2 of other types \(train/b/labels.txt, test/b/Thumbs.db\)",
        ),
        (["train/x.png"], r"1 outside the folders of classes \(train/x\.png\)"),
        (
            [f"train/a/{i}.gif" for i in range(5)],
            r"5 of other types \(.*0\.gif, .*1\.gif, .*2\.gif, \.\.\.\)\.$",
        ),
        (
            ["train/a/._1.jpg", "train/a/1.gif"],
            r"2 files were .*: 1 hidden \(.*\); 1 of other types \(.*\)\.$",
        ),
        (["train/a/1 PNG"], r"1 of other types \(train/a/1 PNG\)"),
    ],
)
def test_files_that_are_passed_over_are_counted_and_named(folder: Path, names: list[str], said: str) -> None:
    plain = images(str(folder), side=2)
    assert plain.passed_over == ()
    write(folder, *names, content=b"no picture at all")
    with pytest.warns(UserWarning, match=said):
        found = images(str(folder), side=2)
    assert found.passed_over == tuple(sorted(str(folder / name) for name in names)) or len(names) > 1
    assert sorted(found.passed_over) == sorted(str(folder / name) for name in names)
    assert found.digest == plain.digest
    assert shape_of(str(folder), 2) == Shape(2, 2, 3)
    with pytest.warns(UserWarning, match=said):
        assert check_files(str(folder), 2).tolist() == [0, 0, 1]


def test_a_broken_picture_that_is_not_hidden_is_still_refused(folder: Path) -> None:
    write(folder, "train/a/3.jpg", content=b"no picture at all")
    with pytest.raises(ValueError, match=r"3\.jpg is not a whole picture"):
        images(str(folder), side=2)


def test_endings_are_read_in_either_case(folder: Path) -> None:
    write(folder, "train/a/3.PNG", "train/b/2.JpEg")
    assert len(images(str(folder), side=2).train_x) == 5


# Names of folders


@pytest.mark.parametrize("name", ["mine", "./mine", "mine/", "../{}/mine"])
def test_a_folder_is_found_by_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(folder.parent)
    name = name.format(folder.parent.name)
    assert images(name, side=2).train_y.tolist() == [0, 0, 1]
    assert shape_of(name, 2) == Shape(2, 2, 3)
    assert VisionCell(name, "mlp", width=2, n=2, seed=0, side=2).network().inputs == 12


@pytest.mark.parametrize(
    ("name", "side", "message"),
    [
        (
            "mnie",
            2,
            r"no image folder mnie.train: .* name one of fashion-mnist, .* \(did you mean 'mine'\?\)\.$",
        ),
        ("./mnie", 2, r"no image folder mnie.train: .* \(did you mean 'mine'\?\)\.$"),
        ("mine/trian", 2, r"no image folder mine.trian.train: put"),
        ("fashion-mnits", 28, r"\(did you mean 'fashion-mnist'\?\)\.$"),
        (
            "mine",
            0,
            r"'side' parameter of images must be an integer >= 1, the side in pixels .* folder mine\. Got 0",
        ),
        ("mnie", 0, r"'name' parameter of images must be one of 'fashion-mnist', .*Got 'mnie' instead"),
        ("mine", -1, r"'side' parameter of images must be an integer >= 1. Got -1 instead"),
        ("mine", 2.5, r"'side' parameter of images must be an integer"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_closest(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, side: Any, message: str
) -> None:
    monkeypatch.chdir(folder.parent)
    with pytest.raises((FileNotFoundError, ValueError, TypeError), match=message):
        images(name, side=side)


def test_a_named_set_comes_before_a_folder_of_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.rename(folder.parent / "digits")
    monkeypatch.chdir(folder.parent)
    assert len(images("digits").train_x) == 1197
    assert len(images("./digits", side=2).train_x) == 3


def test_a_cell_does_not_depend_on_the_folder_being_there() -> None:
    assert VisionCell("elsewhere", "mlp", width=2, n=2, seed=0, side=2).dataset == "elsewhere"


# A study that has too few images


SPEC = """
kind = "{kind}"
[cell]
dataset = "{dataset}"
family = "mlp"
width = 2
side = {side}
steps = 60
{more}
"""


@pytest.mark.parametrize("kind", ["vision", "pruning"])
@pytest.mark.parametrize(
    ("dataset", "side", "more", "message"),
    [
        (
            "mine",
            2,
            "n = 2",
            "'validation' parameter of VisionCell must be an integer <= 3. Got 5000 instead.",
        ),
        ("mine", 2, "n = 2\nvalidation = 4", "Got 4 instead. The image set mine has 4 training"),
        ("mine", 2, "n = 9\nvalidation = 1", "'n' parameter of VisionCell must be an integer <= 2"),
        ("digits", 0, "n = 90", "'validation' parameter of VisionCell must be an integer <= "),
        ("digits", 0, "n = 900\nvalidation = 397", "'n' parameter of VisionCell must be an integer <= "),
        (
            "digits",
            0,
            "n = [800, 900]\nvalidation = 397",
            "'n' parameter of VisionCell must be an integer <= ",
        ),
    ],
)
def test_too_few_images_are_told_before_anything_is_computed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    kind: str, dataset: str, side: int, more: str, message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(folder.parent)
    write(folder, "train/b/2.png")
    n, *others = more.split("\n")
    spec = SPEC.format(kind=kind, dataset=dataset, side=side, more="\n".join(others))
    Path("study.toml").write_text(
        f"{spec}[factors]\nn = {n.removeprefix('n = ')}\n" if "[" in n else f"{spec}{n}\n"
    )
    monkeypatch.setattr("errsrc.sweeps.local", lambda *arguments, **options: pytest.fail("it is computed"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["run", "study.toml"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_a_teacher_or_a_basis_that_needs_more_images_is_refused_before_it_is_drawn() -> None:
    teacher = ImageTeacher("digits", MLP((64, 2, 10)), teacher_n=1198)
    with pytest.raises(ValueError, match=r"'teacher_n' .* <= 1197, the training images of digits. Got 1198"):
        teacher.check_data()
    with pytest.raises(ValueError, match=r"'unlabelled' .* < 1197, the training images of digits. Got 1197"):
        BandTeacher(ImageBasis("digits", unlabelled=1197)).check_data()
    ImageTeacher("digits", MLP((64, 2, 10)), teacher_n=1197).check_data()
    BandTeacher(ImageBasis("digits", unlabelled=1196)).check_data()


def test_classes_without_test_images_are_named(folder: Path) -> None:
    shutil.rmtree(next((folder / "test").iterdir()))
    with pytest.warns(UserWarning, match=r"1 class has no test images in .*: \w+\."):
        images(str(folder), side=4)


def test_a_path_object_names_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    for name in (folder, Path(folder.name), f"~/{folder.name}"):
        assert images(name, side=4).train_x.shape[1:] == (3, 4, 4)
