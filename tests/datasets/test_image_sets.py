"""Image sets are read whole or refused, and their subsets are nested and balanced."""

import gzip
import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errsrc.datasets import balanced_order, images

FILES = {
    "train-images-idx3-ubyte": (30, 28, 28),
    "train-labels-idx1-ubyte": (30,),
    "t10k-images-idx3-ubyte": (10, 28, 28),
    "t10k-labels-idx1-ubyte": (10,),
}


def idx(array):
    sizes = b"".join(int(size).to_bytes(4, "big") for size in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.tobytes()


def arrays():
    rng = np.random.default_rng(0)
    return {
        name: (rng.integers(0, 256, shape) if len(shape) == 3 else np.arange(*shape) % 10).astype(np.uint8)
        for name, shape in FILES.items()
    }


def write(folder, data, zipped=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in data.items():
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (folder / name).write_bytes(idx(array))


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_files_give_back_the_arrays_written_to_them(tmp_path, zipped):
    data = arrays()
    write(tmp_path, data, zipped)
    read = images("fashion-mnist", tmp_path)
    for got, name in zip((read.train_x, read.train_y, read.test_x, read.test_y), FILES, strict=True):
        np.testing.assert_array_equal(got, data[name][:, None] if data[name].ndim == 3 else data[name])
    assert (read.name, read.source, read.classes, read.white) == ("fashion-mnist", str(tmp_path), 10, 255)
    assert read.train_x.dtype == np.uint8
    assert read.train_y.dtype == np.int64


def test_half_of_the_side_has_the_means_of_four_pixels(tmp_path):
    data = arrays()
    write(tmp_path, data)
    read, whole = images("fashion-mnist-14", tmp_path), images("fashion-mnist", tmp_path)
    for half, full in ((read.train_x, whole.train_x), (read.test_x, whole.test_x)):
        assert half.dtype == np.uint8
        means = full.reshape(len(full), 1, 14, 2, 14, 2).mean((3, 5))
        np.testing.assert_array_equal(half, np.floor(means + 0.5))
    np.testing.assert_array_equal(read.train_y, whole.train_y)
    assert read.name == "fashion-mnist-14"


def test_the_argument_comes_before_the_variable_and_the_variable_before_the_caches(tmp_path, monkeypatch):
    data = arrays()
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "named", data)
    write(tmp_path / "given", data)
    write(tmp_path / "data" / "FashionMNIST" / "raw", data)
    monkeypatch.setenv("ERRSRC_DATA", str(tmp_path / "named"))
    assert images("fashion-mnist").source == str(tmp_path / "named")
    assert images("fashion-mnist", tmp_path / "given").source == str(tmp_path / "given")


def test_torchvisions_layout_is_found_where_nothing_else_is(tmp_path, monkeypatch):
    room = importlib.import_module("errsrc.datasets.image_sets")
    write(tmp_path / "data" / "FashionMNIST" / "raw", arrays())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ERRSRC_DATA", raising=False)
    monkeypatch.setattr(room, "_DEBIAN", tmp_path / "none")
    assert images("fashion-mnist").source.endswith("raw")


def test_torchvisions_root_may_be_named(tmp_path):
    write(tmp_path / "FashionMNIST" / "raw", arrays(), zipped=True)
    assert images("fashion-mnist", tmp_path).source == str(tmp_path / "FashionMNIST" / "raw")


def test_missing_files_say_what_to_install_and_where_to_put_them(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"dataset-fashion-mnist.*ERRSRC_DATA"):
        images("fashion-mnist", tmp_path)


@pytest.mark.parametrize("broken", ["cut", "text", "empty", "half gzip", "wrong gzip", "huge sizes"])
def test_a_broken_file_is_named(tmp_path, broken):
    write(tmp_path, arrays())
    path = tmp_path / "train-images-idx3-ubyte"
    whole = path.read_bytes()
    if "gzip" in broken:
        path.unlink()
        path = path.with_name(path.name + ".gz")
    path.write_bytes(
        {
            "cut": whole[:-1],
            "text": b"not an idx file",
            "empty": b"",
            "half gzip": gzip.compress(whole)[:1000],
            "wrong gzip": whole,
            "huge sizes": whole[:4] + b"\xff" * 12 + whole[16:],
        }[broken]
    )
    with pytest.raises(ValueError, match="not a whole idx file") as caught:
        images("fashion-mnist", tmp_path)
    assert str(path) in str(caught.value)


def test_images_without_their_labels_are_refused(tmp_path):
    data = arrays()
    data["train-labels-idx1-ubyte"] = data["train-labels-idx1-ubyte"][:-1]
    write(tmp_path, data)
    with pytest.raises(ValueError, match="does not fit its label file"):
        images("fashion-mnist", tmp_path)


@pytest.mark.parametrize(
    ("part", "labels", "lacks"),
    [("train", [], "training images of class 0"), ("t10k", [], "test images"),
     ("train", np.arange(30) % 9, "training images of class 9")],
)  # fmt: skip
def test_a_set_without_images_or_without_a_class_is_refused(tmp_path, part, labels, lacks):
    data = arrays()
    data[f"{part}-labels-idx1-ubyte"] = np.array(labels, np.uint8)
    data[f"{part}-images-idx3-ubyte"] = np.zeros((len(labels), 28, 28), np.uint8)
    write(tmp_path, data)
    with pytest.raises(ValueError, match=f"fashion-mnist files in .* have no {lacks}; put") as caught:
        images("fashion-mnist", tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_an_unknown_set_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'fashion-mnist'"):
        images("fashon-mnist")


def test_digits_split_is_the_same_every_time_and_uses_every_image_once():
    first, second = images("digits"), images("digits")
    np.testing.assert_array_equal(first.test_x, second.test_x)
    assert np.ptp(np.bincount(first.test_y)) == 0
    assert len(first.train_y) + len(first.test_y) == 1797
    from sklearn.datasets import load_digits

    everything = np.concatenate([first.train_x, first.test_x]).reshape(1797, -1)
    whole = load_digits().data
    np.testing.assert_array_equal(
        everything[np.lexsort(everything.T)], whole[np.lexsort(whole.T)].astype(np.uint8)
    )


@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_beginning_of_a_balanced_order_is_balanced(counts, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    order = balanced_order(labels, np.random.default_rng(seed))
    assert len(order) == len(set(order.tolist())) == len(counts) * min(counts)
    running = np.cumsum(labels[order][:, None] == np.arange(len(counts)), axis=0)
    assert np.all(np.ptp(running, axis=1) <= 1)


def test_balanced_orders_of_two_generators_differ():
    labels = np.repeat(np.arange(10), 50)
    one, other = (balanced_order(labels, np.random.default_rng(seed)) for seed in (0, 1))
    assert set(one[:100].tolist()) != set(other[:100].tolist())
