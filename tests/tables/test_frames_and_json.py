"""Frames and JSON in the shapes that pandas writes: their columns, or one sentence on what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from errsrc.fitting import fit
from errsrc.laws import Power
from errsrc.tables import read_table, table_of

N = [1000, 2000, 4000]
ERROR = [0.3152, 0.257, 0.2142]
NESTED = [{"config": {"n": n}, "loss": e} for n, e in zip(N, ERROR, strict=True)]


def numbers(text: str, folder: Path, *names: str) -> list[list[float]]:
    file = folder / "runs.json"
    file.write_text(text)
    return [read_table(file).numbers(name).values.tolist() for name in names]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"n": N, "error": ERROR}, indent=1),
        json.dumps({k: dict(zip("012", x, strict=True)) for k, x in (("n", N), ("error", ERROR))}),
        json.dumps({"columns": ["n", "error"], "index": [0, 1, 2], "data": list(zip(N, ERROR, strict=True))}),
    ],
    ids=["lists", "objects", "split"],
)
def test_columns_in_json(tmp_path: Path, text: str) -> None:
    assert numbers(text, tmp_path, "n", "error") == [N, ERROR]


def test_nested_objects_have_dotted_names(tmp_path: Path) -> None:
    for text in (json.dumps(NESTED), "\n".join(map(json.dumps, NESTED))):
        assert numbers(text, tmp_path, "config.n", "loss") == [N, ERROR]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[1000, 0.3], [2000, 0.2]]", "not of objects: write an object for each row"),
        ("[1, 2]", "not of objects"),
        ("<table><tr><td>n</td></tr></table>", "is HTML or XML and no table"),
        ('{"a": {"x": 1}, "b": {"y": 2}}', "is one JSON object: write an object for each row"),
        ("Scaling runs\nn,error\n1000,0.3\n", "Line 1 looks like a title: remove it"),
    ],
)
def test_other_shapes_are_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        numbers(text, tmp_path, "n")


def test_frames_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n": N, "error": ERROR})
    twice = pandas.concat(
        [frame, frame[["error"]].set_axis(["x"], axis=1), frame[["n"]].set_axis(["x"], axis=1)], axis=1
    )
    frames = [twice, frame.groupby("n").mean()]
    for one in frames:
        assert table_of(one).numbers("n").values.tolist() == N
        assert table_of(one).numbers("error").values.tolist() == ERROR
    with pytest.raises(ValueError, match="more than one column 'x'"):
        table_of(twice).numbers("x")
    assert table_of(frame.set_axis([0, 1], axis=1)).header == ("0", "1")
    levels = pandas.DataFrame({("n", ""): N, ("error", "mean"): ERROR})
    assert table_of(levels).header == ("n", "error_mean")


def test_masked_entries_are_missing() -> None:
    masked = np.ma.array(ERROR, mask=[False, True, False])
    assert np.isnan(table_of({"n": N, "error": masked}).numbers("error").values).tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match=r"The 'error' parameter of fit\(Power\) must be .* Got nan"):
        fit(Power, masked, n=N)


def test_series_with_other_indexes_are_not_paired_by_position() -> None:
    pandas = pytest.importorskip("pandas")
    n, error = pandas.Series(N), pandas.Series(ERROR)
    other = error.sort_values()
    said = "a Series with the index of .* Got <2 at position 0, where"
    with pytest.raises(ValueError, match=f"The 'n' parameter of fit must be {said}"):
        fit(Power, error, n=n.sort_values(ascending=False))
    with pytest.raises(ValueError, match=f"The 'error' column of data must be {said}"):
        table_of({"n": n, "error": other})
    assert table_of({"n": n, "error": other.to_numpy()}).numbers("error").values.tolist() == ERROR[::-1]
    found = fit(Power, [0.5, 0.4, 0.33, 0.28, 0.25], n=[1, 2, 4, 8, 16])
    assert found.predict(n=n[::-1]).to_frame().index.tolist() == [2, 1, 0]


class Scalar:
    """A loss as torch gives it: `float` warns, `item` gives the number, and numpy refuses an array of it."""

    def __init__(self, value: float) -> None:
        self.value = value

    def item(self) -> float:
        return self.value

    def __float__(self) -> float:
        raise AssertionError("torch warns here")

    def __len__(self) -> int:
        return 3

    def __array__(self, *_: object, **__: object) -> None:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


def test_tensors_of_one_number_are_numbers() -> None:
    read = table_of({"error": [Scalar(e) for e in ERROR]})
    assert read.numbers("error").values.tolist() == ERROR
    with pytest.raises(TypeError, match=r"The column 'error' of data must be an array of numbers \(.*grad"):
        table_of({"error": Scalar(1.0)})


def test_a_record_batch_of_pyarrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    batch = pyarrow.RecordBatch.from_pydict({"n": N, "error": ERROR})
    assert table_of(batch).numbers("error").values.tolist() == ERROR
