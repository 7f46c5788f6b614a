"""Frames and JSON in the shapes that pandas writes: their columns, or one sentence on what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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


def test_a_record_batch_of_pyarrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    batch = pyarrow.RecordBatch.from_pydict({"n": N, "error": ERROR})
    assert table_of(batch).numbers("error").values.tolist() == ERROR
