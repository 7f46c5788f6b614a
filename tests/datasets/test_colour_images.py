"""CIFAR's files and folders of pictures are read whole or refused by name, and run nothing."""

import io
import pickle
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from errsrc.cli import main
from errsrc.datasets import Shape, images, shape_of
from errsrc.sweeps import Store
from errsrc.tasks import VisionCell, train_vision_cells
from errsrc.training import Recipe

torch.set_num_threads(1)

FOLDERS = {
    ("cifar-10", "python"): ("cifar-10-batches-py", "cifar-10-python.tar.gz"),
    ("cifar-10", "binary"): ("cifar-10-batches-bin", "cifar-10-binary.tar.gz"),
    ("cifar-100", "python"): ("cifar-100-python", "cifar-100-python.tar.gz"),
    ("cifar-100", "binary"): ("cifar-100-binary", "cifar-100-binary.tar.gz"),
}


def batches(name, rows=20, seed=0):
    """Random images (rows, 3072), superclasses and classes of each of a set's files, by its plain name."""
    rng = np.random.default_rng(seed)
    files = (
        [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"] if name == "cifar-10" else ["train", "test"]
    )
    classes = 10 if name == "cifar-10" else 100
    rows = rows if name == "cifar-10" else 10 * rows
    return {
        file: (
            rng.integers(0, 256, (rows, 3072), dtype=np.uint8),
            rng.integers(0, 20, rows),
            rng.permutation(np.arange(rows) % classes),
        )
        for file in files
    }


def as_python_2(value):
    """What Python 2's cPickle wrote of CIFAR's dicts at protocol 2: strings, small ints, lists, an array."""
    if isinstance(value, dict):
        return b"}(" + b"".join(as_python_2(part) for item in value.items() for part in item) + b"u"
    if isinstance(value, str):
        return b"U" + bytes([len(value)]) + value.encode()
    if isinstance(value, list):
        return b"](" + b"".join(b"K" + bytes([one]) for one in value) + b"e"
    head = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01bttR".replace(
        b"bttR", b"btR"
    )
    sizes = b"".join(b"M" + size.to_bytes(2, "little") for size in value.shape) + b"\x86"
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    content = value.tobytes()
    data = b"T" + len(content).to_bytes(4, "little") + content
    return head + b"(K\x01" + sizes + dtype + b"\x89" + data + b"tb"


def contents(name, version, old=True):
    """The content of a version's files, by name."""
    made = {}
    for file, (x, coarse, fine) in batches(name).items():
        if version == "binary":
            labels = [fine[:, None]] if name == "cifar-10" else [coarse[:, None], fine[:, None]]
            made[f"{file}.bin"] = np.concatenate([*labels, x], 1).astype(np.uint8).tobytes()
            continue
        labels = {"labels": fine.tolist()}
        if name == "cifar-100":
            labels = {"fine_labels": fine.tolist(), "coarse_labels": coarse.tolist()}
        batch = {"batch_label": "of a test", **labels, "data": x}
        made[file] = b"\x80\x02" + as_python_2(batch) + b"." if old else pickle.dumps(batch, 2)
    return made


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)


def write_archive(path, folder, files):
    with tarfile.open(path, "w:gz") as tar:
        for file, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{file}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def check(found, name):
    data = batches(name)
    train, test = [v for k, v in data.items() if "test" not in k], [v for k, v in data.items() if "test" in k]
    for x, y, parts in ((found.train_x, found.train_y, train), (found.test_x, found.test_y, test)):
        np.testing.assert_array_equal(x, np.concatenate([one[0] for one in parts]).reshape(-1, 3, 32, 32))
        np.testing.assert_array_equal(y, np.concatenate([one[2] for one in parts]))
        assert x.dtype == np.uint8
        assert y.dtype == np.int64
    assert (found.name, found.classes, found.white) == (name, shape_of(name).classes, 255)


@pytest.mark.parametrize("place", ["torchvision's folder", "folder", "archive", "new pickle"])
@pytest.mark.parametrize(("name", "version"), FOLDERS)
def test_every_version_gives_back_the_images_written_to_it(tmp_path, name, version, place):
    folder, archive = FOLDERS[name, version]
    files = contents(name, version, old=place != "new pickle")
    if place == "archive":
        write_archive(tmp_path / archive, folder, files)
    else:
        write(tmp_path if place == "folder" else tmp_path / folder, files)
    check(images(name, tmp_path), name)


def test_the_digest_is_of_the_images_and_not_of_the_files(tmp_path):
    digests = set()
    for version in ("python", "binary"):
        write(tmp_path / version, contents("cifar-10", version))
        digests.add(images("cifar-10", tmp_path / version).digest)
    assert len(digests) == 1
    path = tmp_path / "binary" / "test_batch.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert images("cifar-10", tmp_path / "binary").digest not in digests


def test_sets_are_found_in_the_named_folder_and_in_torchvisions_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ERRSRC_DATA", raising=False)
    write(tmp_path / "data" / "cifar-10-batches-py", contents("cifar-10", "python"))
    assert images("cifar-10").source.endswith("cifar-10-batches-py")
    write(tmp_path / "named", contents("cifar-10", "binary"))
    monkeypatch.setenv("ERRSRC_DATA", str(tmp_path / "named"))
    assert images("cifar-10").source == str(tmp_path / "named")


@pytest.mark.parametrize("name", ["cifar-10", "cifar-100"])
def test_missing_files_say_what_to_put_where(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=rf"put {name}-python.tar.gz .*ERRSRC_DATA \(looked in"):
        images(name, tmp_path)
    folder, archive = FOLDERS[name, "binary"]
    files = contents(name, "binary")
    lost = list(files)[-1]
    del files[lost]
    write(tmp_path / folder, files)
    with pytest.raises(FileNotFoundError, match=f"{folder} has no {lost}"):
        images(name, tmp_path)
    (tmp_path / folder).rename(tmp_path / "elsewhere")
    write_archive(tmp_path / archive, folder, files)
    with pytest.raises(FileNotFoundError, match=f"{archive} has no {lost}"):
        images(name, tmp_path)


class Harmful:
    """An object whose pickle runs a command."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_runs_nothing(tmp_path, protocol):
    files = contents("cifar-100", "python")
    x, _, y = batches("cifar-100")["train"]
    mark = tmp_path / "mark"
    batch = {"data": x, "fine_labels": y.tolist(), "more": Harmful(mark)}
    pickle.loads(pickle.dumps(Harmful(mark), protocol))  # it would
    mark.rmdir()
    files["train"] = pickle.dumps(batch, protocol)
    write(tmp_path, files)
    with pytest.raises(ValueError, match="train is not a whole CIFAR batch"):
        images("cifar-100", tmp_path)
    assert not mark.exists()


PICKLES = {
    "cut": lambda whole: whole[: len(whole) // 2],
    "text": lambda whole: b"not a pickle",
    "empty": lambda whole: b"",
    "list": lambda whole: pickle.dumps([1, 2]),
    "no labels": lambda whole: pickle.dumps({"data": np.zeros((2, 3072), np.uint8)}, 2),
    "floats": lambda whole: pickle.dumps({"data": np.zeros((2, 3072)), "labels": [0, 1]}, 2),
    "other sizes": lambda whole: pickle.dumps({"data": np.zeros((2, 3071), np.uint8), "labels": [0, 1]}, 2),
    "other counts": lambda whole: pickle.dumps({"data": np.zeros((2, 3072), np.uint8), "labels": [0]}, 2),
    "a class too many": lambda whole: pickle.dumps(
        {"data": np.zeros((1, 3072), np.uint8), "labels": [10]}, 2
    ),
}


@pytest.mark.parametrize("broken", PICKLES)
def test_a_broken_pickle_is_named(tmp_path, broken):
    files = contents("cifar-10", "python")
    files["data_batch_3"] = PICKLES[broken](files["data_batch_3"])
    write(tmp_path, files)
    with pytest.raises(
        ValueError, match=r"data_batch_3 is no.* batch \(.*; put a fresh copy there"
    ) as caught:
        images("cifar-10", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_class_without_training_images_is_refused(tmp_path):
    files = contents("cifar-100", "binary")
    x, coarse, fine = batches("cifar-100")["train"]
    labels = [coarse[:, None], np.minimum(fine, 98)[:, None]]
    files["train.bin"] = np.concatenate([*labels, x], 1).astype(np.uint8).tobytes()
    write(tmp_path, files)
    with pytest.raises(ValueError, match=r"cifar-100 files in .* have no training images of class 99; put"):
        images("cifar-100", tmp_path)


@pytest.mark.parametrize("broken", ["cut", "empty", "a class too many"])
def test_a_broken_binary_file_is_named(tmp_path, broken):
    files = contents("cifar-10", "binary")
    whole = files["test_batch.bin"]
    files["test_batch.bin"] = {"cut": whole[:-1], "empty": b"", "a class too many": b"\x0a" + whole[1:]}[
        broken
    ]
    write(tmp_path, files)
    with pytest.raises(ValueError, match=r"test_batch.bin is no.* batch \(.*; put a fresh copy there"):
        images("cifar-10", tmp_path)


def test_a_broken_archive_is_named(tmp_path):
    folder, archive = FOLDERS["cifar-10", "python"]
    write_archive(tmp_path / archive, folder, contents("cifar-10", "python"))
    whole = (tmp_path / archive).read_bytes()
    for content in (whole[:5000], b"no archive", b""):
        (tmp_path / archive).write_bytes(content)
        with pytest.raises(ValueError, match=f"{archive} is not a whole gzipped tar archive"):
            images("cifar-10", tmp_path)


# Folders of pictures


def picture(colour, width=30, height=20):
    """A square of one colour between two white bars, which no central square holds."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    left = (width - height) // 2
    pixels[:, left : left + height] = colour
    return Image.fromarray(pixels)


COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}


def write_pictures(root, test="val", count=6):
    for part in ("train", test):
        for name, colour in COLOURS.items():
            (root / part / name).mkdir(parents=True)
            for i in range(count):
                image = picture(np.add(colour, i))
                ending = ("png", "jpg", "JPEG")[i % 3]
                image.save(
                    root / part / name / f"{i}.{ending}", **({} if ending == "png" else {"quality": 95})
                )


@pytest.mark.parametrize("test", ["val", "test"])
def test_a_folder_gives_the_central_squares_of_its_pictures(tmp_path, test):
    write_pictures(tmp_path, test)
    if test == "val":
        (tmp_path / "test").mkdir()  # ImageNet's own has no classes
        picture((0, 0, 0)).save(tmp_path / "test" / "unlabelled.png")
    found = images(str(tmp_path), side=8)
    assert found.train_x.shape == found.test_x.shape == (18, 3, 8, 8)
    assert found.classes == 3
    assert shape_of(str(tmp_path), 8) == Shape(8, 3, 3)
    for y, name in enumerate(sorted(COLOURS)):
        own = found.train_x[found.train_y == y].transpose(0, 2, 3, 1).astype(int)
        off = np.abs(own - np.array(COLOURS[name]))
        assert len(own) == 6
        assert off[:, :, 1:-1].max() <= 12  # of which 5 are the pictures' own, 7 JPEG's
        assert off.max() < 40  # where JPEG blurs the bar's edge; a bar itself is 225 off


def test_pictures_of_other_modes_become_rgb(tmp_path):
    write_pictures(tmp_path)
    grey = Image.new("L", (9, 9), 77)
    for mode in ("L", "P", "RGBA", "1"):
        grey.convert(mode).save(tmp_path / "train" / "red" / f"mode {mode[0]}.png")
    x = images(str(tmp_path), side=4).train_x
    assert x.shape == (22, 3, 4, 4)
    assert sum(np.all(one == 77) for one in x) >= 3


def test_pictures_of_more_than_8_bits_are_not_cut_off(tmp_path):
    write_pictures(tmp_path)
    deep = Image.fromarray(np.full((5, 5), 30_000, np.uint16))
    deep.save(tmp_path / "train" / "red" / "deep.png")
    assert (images(str(tmp_path), side=4).train_x == 30_000 >> 8).all((1, 2, 3)).sum() == 1
    real = Image.fromarray(np.full((5, 5), 0.5, np.float32))
    for picture_of, name in ((deep, "deep.tif"), (deep, "deep.ppm"), (real, "real.tiff")):
        picture_of.save(tmp_path / "train" / "red" / name)
        with pytest.raises(
            ValueError, match=rf"{name} has pixels of more than 8 bits \(mode .*; save it with 8"
        ):
            images(str(tmp_path), side=4)
        (tmp_path / "train" / "red" / name).unlink()


def test_broken_and_missing_pictures_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no image folder .*train: put the training images of each"):
        images(f"{tmp_path}/none", side=8)
    write_pictures(tmp_path)
    whole = (tmp_path / "train" / "red" / "1.jpg").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"text"):
        (tmp_path / "train" / "red" / "1.jpg").write_bytes(content)
        with pytest.raises(ValueError, match=r"1.jpg is not a whole picture \(.*\); put a fresh") as caught:
            images(str(tmp_path), side=8)
        assert "\n" not in str(caught.value)
    (tmp_path / "train" / "red" / "1.jpg").write_bytes(whole)
    (tmp_path / "val" / "yellow").mkdir()
    with pytest.raises(ValueError, match=r"yellow is a class that .*train lacks"):
        images(str(tmp_path), side=8)
    (tmp_path / "val" / "yellow").rename(tmp_path / "train" / "yellow")
    with pytest.raises(ValueError, match=r"train.yellow has no images"):
        images(str(tmp_path), side=8)


@pytest.mark.parametrize(
    ("name", "side", "message"),
    [
        ("cifar10", 0, "did you mean 'cifar-10'"),
        ("./folder", 0, "'side' parameter of .* must be an integer >= 1"),
        ("cifar-10", 16, "'side' parameter of .* must be 0 for cifar-10"),
    ],
)
def test_names_and_sides_that_are_none_are_refused(name, side, message):
    with pytest.raises(ValueError, match=message):
        images(name, side=side)
    with pytest.raises(ValueError, match=message):
        VisionCell(name, "mlp", 8, 10, 0, side=side)


# What training gets


def test_colours_are_scaled_channel_by_channel_and_greys_by_the_mean_image(tmp_path):
    write(tmp_path, contents("cifar-10", "binary"))
    for found in (images("cifar-10", tmp_path), images("digits")):
        train, test = found.scaled()
        channels = found.train_x.shape[1]
        assert train.dtype == test.dtype == np.float32
        x = train.reshape(len(train), channels, -1).astype(float)
        if channels == 3:
            np.testing.assert_allclose(x.mean((0, 2)), 0, atol=1e-5)
            np.testing.assert_allclose(x.std((0, 2)), 1, rtol=1e-5)
        else:
            np.testing.assert_allclose(x.mean(0), 0, atol=1e-5)
            assert x.std() == pytest.approx(1, rel=1e-5)
        # one and the same map of pixels, on training and test images
        raw = np.concatenate([found.train_x, found.test_x]).reshape(-1, channels, x.shape[2]).astype(float)
        both = np.concatenate([train, test]).reshape(raw.shape)
        spread = found.train_x.reshape(x.shape).astype(float)
        spread = (spread - spread.mean(0)).std() if channels == 1 else spread.std((0, 2))[:, None]
        rest = both - raw / spread
        np.testing.assert_allclose(rest - rest[:1], 0, atol=2e-4)


def test_a_channel_that_is_the_same_everywhere_is_0(tmp_path):
    for part in ("train", "test"):
        for name, red in (("dark", 10), ("light", 200)):
            (tmp_path / part / name).mkdir(parents=True)
            Image.new("RGB", (4, 4), (red, 77, 0)).save(tmp_path / part / name / "1.png")
    for scaled in images(str(tmp_path), side=4).scaled():
        np.testing.assert_array_equal(scaled[:, 16:], 0)
        np.testing.assert_allclose(scaled[:, :16], np.repeat([[-1], [1]], 16, 1), rtol=1e-6)
    whole = images("digits")
    blank = replace(whole, train_x=np.full_like(whole.train_x, 3))
    np.testing.assert_array_equal(blank.scaled()[0], 0)


@pytest.mark.parametrize(("family", "depth"), [("mlp", 2), ("cnn", 2), ("resnet", 8), ("wrn", 10)])
def test_every_family_learns_colours_from_a_folder_of_any_name(tmp_path, family, depth):
    write_pictures(tmp_path, count=12)
    recipe = Recipe(learning_rate=0.01, batch=8, warmup=5, evaluation_interval=10, min_steps=10)
    cell = VisionCell(str(tmp_path), family, 4, 24, 0, 6, 40, recipe, depth, side=8)
    (result,) = train_vision_cells([cell])
    assert result.error < 0.2
    assert result.m == cell.parameters


@pytest.mark.parametrize(("family", "depth"), [("resnet", 8), ("wrn", 10)])
def test_residual_cells_train_on_cifar(tmp_path, family, depth, monkeypatch):
    write(tmp_path / "cifar-10-batches-py", contents("cifar-10", "python"))
    monkeypatch.setenv("ERRSRC_DATA", str(tmp_path))
    cell = VisionCell("cifar-10", family, 2, 20, 0, 20, 3, Recipe(batch=8, evaluation_interval=3), depth)
    one, two = train_vision_cells([cell, replace(cell, seed=1)])
    assert one.m == two.m == cell.parameters
    assert 0 < one.error <= 1
    assert one.loss != two.loss
    from errsrc.tasks import vision

    vision.device_images.cache_clear()  # of a set that is no CIFAR


@pytest.mark.parametrize("family", ["resnet", "wrn"])
def test_a_depth_that_was_not_published_is_refused_with_the_cell(family):
    with pytest.raises(ValueError, match=r"'depth' parameter .* must be 6 k \+ [24] for an integer k >= 1"):
        VisionCell("cifar-10", family, 4, 100, 0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ('dataset = "./none"\nside = 8\nfamily = "mlp"', "errsrc: There is no image folder none/train: put"),
        ('dataset = "./empty"\nside = 8\nfamily = "mlp"', "The folder empty/train/b has no images."),
        (
            'dataset = "cifar-10"\nfamily = "mlp"',
            "errsrc: CIFAR-10 was not found: put cifar-10-python.tar.gz",
        ),
        ('dataset = "cifar-100"\nfamily = "mlp"', "train.bin is not a whole CIFAR batch (it has 7 bytes"),
        ('dataset = "cifar-10"\nfamily = "resnet"\ndepth = 9', "'depth' parameter of Resnet must be 6 k + 2"),
        ('dataset = "cifar-10"\nfamily = "mlp"\nside = 8', "Cell must be 0 for cifar-10"),
    ],
)
@pytest.mark.parametrize("kind", ["vision", "pruning"])
def test_a_study_of_what_is_not_there_is_refused_in_one_sentence(
    tmp_path, capsys, monkeypatch, fields, message, kind
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ERRSRC_DATA", str(tmp_path / "named"))
    write(tmp_path / "named" / "cifar-100-binary", {"train.bin": b"7 bytes", "test.bin": b""})
    for folder, picture_name in (("train/a", "1.png"), ("train/b", "notes"), ("test/a", "2.png")):
        (tmp_path / "empty" / folder).mkdir(parents=True)
        (tmp_path / "empty" / folder / picture_name).write_bytes(b"")
    (tmp_path / "study.toml").write_text(f'kind = "{kind}"\n[cell]\n{fields}\nwidth = 2\nn = 10\n')
    assert main(["run", "study.toml"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert "internal" not in said


def test_a_set_that_is_missing_is_told_before_any_cell_is_computed(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ERRSRC_DATA", raising=False)
    cell = 'family = "mlp"\nwidth = 2\nn = 10\nvalidation = 20\nsteps = 2'
    spec = f'kind = "vision"\n[cell]\n{cell}\n[factors]\ndataset = ["digits", "cifar-10"]\n'
    (tmp_path / "study.toml").write_text(spec)
    assert main(["run", "study.toml"]) == 2
    assert "CIFAR-10 was not found" in capsys.readouterr().err
    with Store(tmp_path / "study.db") as store:
        assert store.count() == 0
        assert not store.failures()


def test_a_budget_of_images_that_are_missing_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ERRSRC_DATA", raising=False)
    (tmp_path / "study.toml").write_text(
        'kind = "budget"\n[cell]\nn = 20\nlearner = {kind = "band-least-squares", '
        'basis = {kind = "image-basis", dataset = "cifar-10"}}\n'
        'setting = {kind = "band-teacher", basis = {kind = "image-basis", dataset = "cifar-10"}}\n'
    )
    assert main(["run", "study.toml"]) == 2
    assert "CIFAR-10 was not found" in capsys.readouterr().err
