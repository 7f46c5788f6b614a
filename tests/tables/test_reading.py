"""Tables in the dialects that exist: the numbers that their owners mean, or a refusal that names the cell."""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from errsrc.tables import DataTable, read_table, table_of

FILES = Path(__file__).parent / "files"
N = [1000.0, 2000.0, 4000.0, 8000.0, 16000.0, 32000.0, 64000.0, 128000.0]
ERROR = [0.3152, 0.257, 0.2142, 0.1797, 0.1525, 0.1296, 0.112, 0.0986]


def numbers(table: DataTable, *names: str) -> list[list[float]]:
    return [table.numbers(name).values.tolist() for name in names]


def read(tmp_path: Path, content: str | bytes, name: str = "runs.csv") -> DataTable:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(file)


SAME = (
    "blank_rows bom comment cr_only decimal_comma decimal_comma_tab dup index percent semicolon sep_line "
    "suffix thousands trailing2 underscore utf16"
)


@pytest.mark.parametrize("name", SAME.split())
def test_a_dialect_gives_the_same_numbers(name: str) -> None:
    n, error = numbers(read_table(FILES / f"{name}.csv"), "n", "error")
    assert n == N
    assert error == pytest.approx(ERROR, rel=1e-15)


PLAIN = "n,error\n1000,0.3152\n2000,0.257\n4000,0.2142\n"
TABLE = "\n".join(["n\terror", "1000\t0.3152", "2000\t0.257", "4000\t0.2142"])
LINES = [json.dumps({"n": n, "error": e}) for n, e in zip(N[:3], ERROR[:3], strict=True)]
DIALECTS = {
    "tabs": TABLE,
    "utf-16-le": b"\xff\xfe" + TABLE.encode("utf-16-le"),
    "utf-16-be": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "utf-16, semicolons, decimal commas": ("\ufeff" + TABLE.replace("\t", ";").replace(".", ",")).encode(
        "utf-16-le"
    ),
    "utf-32": "\ufeffn,error\n1000,0.3152\n2000,0.257\n4000,0.2142\n".encode("utf-32-le"),
    "BOM and sep": "\ufeffsep=;\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
    "sep in quotes": '"sep=\t"\n' + TABLE,
    "sep of a bar": "sep=|\n" + PLAIN.replace(",", "|"),
    "comments before and between": "# a, b, c\n\n# d\n" + PLAIN.replace("4000", "# 3000,0.9\n  # x\n4000"),
    "a comment with a quotation mark": PLAIN.replace("4000", '# "8000,"0.1\n4000'),
    "the header as a comment, as numpy.savetxt": "# n,error\n1000,0.3152\n2000,0.257\n4000,0.2142\n",
    "CR and comments": "# a\r" + PLAIN.replace("\n", "\r"),
    "rows of empty cells": PLAIN.replace("2000", ",\n , \n\n2000") + ",\n\n,\n",
    "empty columns at the end": PLAIN.replace("\n", ",,,\n"),
    "empty columns at the end, rows without": "n,error,,\n1000,0.3152\n2000,0.257,\n4000,0.2142,,\n",
    "more separators in rows": "n,error\n1000,0.3152,\n2000,0.257,,\n4000,0.2142\n",
    "the header again": PLAIN.replace("4000", "n,error\n4000"),
    "a column twice": "n,x,error,x\n1000,1,0.3152,2\n2000,1,0.257,2\n4000,1,0.2142,2\n",
    "quotes and blanks": 'n , "error"\n 1000 , 0.3152\n"2000", 0.257\n4000,0.2142\n'.replace(
        ', "', ',"'
    ).replace(", ", ","),
    "exponents": "n,error\n1e3,3.152e-1\n2E+3,25.7E-2\n.4e4,0.2142\n",
    "decimal commas with exponents": "n;error\n1e3;3,152e-1\n2000;0,257\n4E3;2,142E-1\n",
    "decimal commas in quotes": 'n,error\n1000,"0,3152"\n2000,"0,257"\n4000,"0,2142"\n',
    "thousands by points, decimal commas": "n;error\n1.000;0,3152\n2.000;0,257\n4.000;0,2142\n",
    "thousands by commas, semicolons": "n;error\n1,000;0.3152\n2,000;0.257\n4,000;0.2142\n",
    "thousands by blanks": "n;error\n1 000;0,3152\n2\u00a0000;0,257\n4\u202f000;0,2142\n",
    "thousands by apostrophes": "n,error\n1'000,0.3152\n2\u2019000,0.257\n4'000,0.2142\n",
    "lower k": "n,error\n1k,0.3152\n2k,0.257\n4k,0.2142\n",
    "K, blanks and points": "n,error\n1.0 K,0.3152\n2.0K,0.257\n4.00K,0.2142\n",
    "M and k": "n,error\n0.001M,0.3152\n2k,0.257\n0.004M,0.2142\n",
    "B, G and T": "n,error\n0.000001B,0.3152\n0.000002G,0.257\n0.000000004T,0.2142\n",
    "decimal commas with suffixes": "n;error\n1,0k;0,3152\n2,0k;0,257\n4,0k;0,2142\n",
    "percent": "n,error\n1000,31.52 %\n2000,25.7%\n4000,21.42%\n",
    "decimal commas with percent": "n;error\n1000;31,52%\n2000;25,7 %\n4000;21,42%\n",
    "JSON lines": "\n".join(LINES),
    "JSON lines, other order and empty lines": "\n"
    + LINES[0]
    + '\r\n\n{"error": 0.257, "n": 2000, "x": [1]}\n'
    + LINES[2],
    "JSON lines with texts": '{"n": "1k", "error": "31.52%"}\n{"n": "2k", "error": "25.7%"}\n'
    '{"n": "4k", "error": "21.42%"}',
    "a JSON array": "[" + ",\n".join(LINES) + "]",
    "vertical bars": PLAIN.replace(",", "|"),
    "UTF-16 without a mark": PLAIN.encode("utf-16-le"),
    "UTF-16 in the other order without a mark": PLAIN.encode("utf-16-be"),
    "joined files with two marks": "\ufeff" + PLAIN.replace("4000", "\ufeffn, error \n4000"),
    "JSON objects of several lines": "\n".join(json.dumps(json.loads(line), indent=1) for line in LINES),
    "JSON objects in one line, with commas": ",".join(LINES),
    "the only array of a JSON object": f'{{"schema": {{}}, "data": [{",".join(LINES)}]}}',
}


@pytest.mark.parametrize("name", DIALECTS)
def test_other_dialects_give_the_same_numbers(tmp_path: Path, name: str) -> None:
    n, error = numbers(read(tmp_path, DIALECTS[name]), "n", "error")
    assert n == pytest.approx(N[:3], rel=1e-15)
    assert error == pytest.approx(ERROR[:3], rel=1e-15)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("n,error\n1000,2.964\n2000,2.729\n", [2.964, 2.729]),  # n shows that thousands are not separated
        ("n;error\n1000;2,964\n2000;2,729\n", [2.964, 2.729]),
        ("n,error\n10,2.964\n20,2.729\n", [2.964, 2.729]),
        ("n,x,error\n10,0.5,2.964\n20,1,2.729\n", [2.964, 2.729]),
        ("n;x;error\n10;0,5;2,964\n20;1;2,729\n", [2.964, 2.729]),
        ("n;x;error\n10;0.5;2,964\n20;1.5;2,729\n", [2964, 2729]),
        ("n;error\n10;1.234,5\n20;2.000\n", [1234.5, 2000]),
        ('n,error\n10,"1,234.5"\n20,"2,000"\n', [1234.5, 2000]),
        ('n,error\n10,"1,234,567"\n20,"2,000"\n', [1234567, 2000]),
        ("n,error\n1000,1.000\n2000,2.000\n", [1, 2]),
        ("n;error\n1.000;0,25\n2.000;inf\n", [0.25, np.inf]),
        ("n;error\n1.000;2,964\n2.000;0,5\n4.000;oom\n", [2.964, 0.5, np.nan]),
        ("n,error\n10,1000.000\n20,200.000\n", [1000, 200]),
    ],
)
def test_other_cells_tell_a_decimal_mark_from_a_thousands_separator(
    tmp_path: Path, text: str, values: list[float]
) -> None:
    np.testing.assert_array_equal(numbers(read(tmp_path, text), "error"), [values])


def test_full_numbers_may_stand_next_to_numbers_with_suffixes_of_similar_size(tmp_path: Path) -> None:
    table = read(tmp_path, "error,n\n1,140M\n2,2520000000\n3,\n4,1.4B\n")
    np.testing.assert_array_equal(numbers(table, "n"), [[1.4e8, 2.52e9, np.nan, 1.4e9]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("error,n\n0.3152,16.000\n0.257,32.000\n", "'16.000' is 16 or 16000"),
        ("error;n\n0,3152;16,000\n0,257;32,000\n", "'16,000' is 16 or 16000"),
        ("error;n\n0.3152;1.000\n0.257;128.000\n", "'1.000' is 1 or 1000"),
        ("error;n\n1;1.500\n2;2.500\n", "'1.500' is 1.5 or 1500"),
        ('error,n\n1,"1,500"\n2,"2,500"\n', "'1,500' is 1.5 or 1500"),
        ('error,n\n1,"1,500"\n2,2.500\n', "'1,500' is 1.5 or 1500"),
        ('error,n\n1,"0,5"\n2,0.5\n', "has decimal points in some cells and decimal commas in others"),
        ("error,n\n1,1k\n2,2000\n", "'1k' has a suffix, and '2000' has none"),
        ("error,n\n1,140M\n2,2520\n", "'140M' has a suffix, and '2520' has none; write all of them alike"),
        ("error,n\n1,140M\n2,1e15\n", "'140M' has a suffix"),
        ("error,n\n1,10%\n2,0.2\n", "'10%' has a percent sign, and '0.2' has none"),
        ("error,n\n1,10%\n2,2k\n", "has a percent sign, and '2k' has a suffix"),
    ],
)
def test_an_ambiguous_column_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    table = read(tmp_path, text)
    with pytest.raises(ValueError, match="the column 'n' ") as caught:
        table.numbers("n")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "cell", ["1m", "1Ki", "k", "1kk", "1,00,000", "1'00", "0x10", "1 2", "10 %%", "$5", "1.2.3", "\u0661k"]
)
def test_what_is_no_number_is_text(tmp_path: Path, cell: str) -> None:
    table = read(tmp_path, f'x;n\n0.5;"{cell}"\n1;2\n')
    assert table.numbers("n").text.tolist() == [True, False]


@pytest.mark.parametrize(
    "cell", ["", " ", "NA", "n/a", "#N/A", "NaN", "nan", "null", "None", "<NA>", "-", "--"]
)
def test_what_is_empty_is_no_text(tmp_path: Path, cell: str) -> None:
    values, text = read(tmp_path, f"n,error\n1,{cell}\n2,0.5\n").numbers("error")
    assert np.isnan(values[0])
    assert not text.any()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\r\n", "is empty"),
        (b"# a\n# b\n", "has no rows"),
        (b";;\n", "has no rows"),
        (b'"",""\n,\n', "has no rows"),
        (b"n,error\n", "a header but no rows"),
        (b"n,error\nn,error\n,\n", "a header but no rows"),
        (b"n,error\n1\n", "line 2: the row has another number of cells: 1, where the header has 2"),
        (b"n,error\n1,2\n1,2,3\n", "line 3: the row has another number of cells: 3, where the header has 2"),
        (b'n,error\n1,"2\n', "line 2: not a row of a CSV file"),
        (b"n,error\n1,\xe8\n", "is not a CSV file in UTF-8 (byte 0xe8 at offset 10)"),
        (b"\xff\xfen\x00,\x00\x31", "is not a CSV file in UTF-16"),
        (b"n\x00,error\n1,2\n", "it holds binary data"),
        (b"PK\x03\x04...", "is a workbook or zip archive: save the table as CSV"),
        (b"\x1f\x8b...", "is compressed: unpack it"),
        (b"\x28\xb5\x2f\xfd\0", "is compressed: unpack it"),
        (b"SQLite format 3\0", "is a database: export the table as CSV"),
        (b'[{"n": 1}, {"n"', "is not a whole JSON array"),
        (b'{"n": 1}\n{"n": \n', "line 2: not a JSON object"),
        (b'{"n": 1}\n[1]\n', "line 2: not a JSON object"),
        (b'{"a":' + b"[" * 100_000, "line 1: not a JSON object"),
        (b"{}\n{}\n", "has rows without any column"),
        (b"PAR1 and more", "is not a Parquet file that pyarrow can read"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=r"runs\.csv") as caught:
        read(tmp_path, content)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("N,Error\n1,2\n", "error", r"no column 'error' \(did you mean 'Error'\?\)"),
        ("tokens,loss\n1,2\n", "tokns", r"did you mean 'tokens'\?"),
        ("1000,0.3\n2000,0.2\n", "n", "The first line holds numbers: add a header line"),
        ("  n   error\n 1000  0.3\n", "n", "Separate the columns by commas, tabs, semicolons"),
        ("Step,a - loss,b - loss\n1,2,3\n", "n", r"pass --melt"),
        ("n,x,x\n1,2,3\n", "x", "more than one column 'x'"),
    ],
)
def test_a_missing_column_is_refused_with_the_nearest_name(
    tmp_path: Path, text: str, name: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text).numbers(name)


def test_other_peoples_names_are_suggested(tmp_path: Path) -> None:
    table = read(tmp_path, "Tokens,params,val/loss\n1,2,3\n")
    for option, name in (("n", "Tokens"), ("m", "params"), ("error", "val/loss")):
        with pytest.raises(ValueError, match=rf"\(did you mean '{name}'\?\)"):
            table.require(option, option)


def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(DIALECTS["utf-16-le"])))
    table = read_table("-")
    assert numbers(table, "n") == [N[:3]]
    assert table.source == "standard input"
    monkeypatch.setattr(sys, "stdin", io.StringIO(PLAIN))
    assert numbers(read_table("-"), "n") == [N[:3]]
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ValueError, match="Standard input is closed"):
        read_table("-")


def test_parquet_is_read_by_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    frame = pyarrow.table({"n": [1000, None, 4000], "error": ["31.52%", "25.7%", None], "s": [{"a": 1}] * 3})
    parquet.write_table(frame, tmp_path / "runs.parquet")
    n, error = numbers(read_table(tmp_path / "runs.parquet"), "n", "error")
    np.testing.assert_allclose(n, [1000, np.nan, 4000])
    np.testing.assert_allclose(error, [0.3152, 0.257, np.nan])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"runs\.parquet, a Parquet file, needs pyarrow: pip"):
        read_table(tmp_path / "runs.parquet")


def test_dicts_are_tables() -> None:
    table = table_of(
        {
            "n": [1000, Decimal(2000), 4000, np.float32(8000)],
            "loss": (0.3152, None, float("inf"), 1e-3),
            "big": [10**400, 1, 1, 1],
            "name": ["a", None, "c", "d"],
            "diverged": [True, False, None, False],
            "text": np.array(["1k", "2k", "3k", "4k"]),
        }
    )
    assert numbers(table, "n", "text") == [[1000, 2000, 4000, 8000], [1000, 2000, 3000, 4000]]
    np.testing.assert_array_equal(table.numbers("loss").values, [0.3152, np.nan, np.inf, 1e-3])
    assert table.numbers("big").values[0] == np.inf
    assert table.text("name") == ("a", "", "c", "d")
    assert table.diverged().tolist() == [True, False, False, False]
    assert table.rows == (0, 1, 2, 3)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_data_frames_are_tables(library: str) -> None:
    module = pytest.importorskip(library)
    columns = {
        "n": [1000, None, 4000],
        "loss": [0.3, None, 0.2],
        "name": ["a", None, "c"],
        "ok": [True, None, False],
    }
    frame = (module.table if library == "pyarrow" else module.DataFrame)(columns)
    table = table_of(frame)
    np.testing.assert_array_equal(table.numbers("n").values, [1000, np.nan, 4000])
    np.testing.assert_array_equal(table.numbers("loss").values, [0.3, np.nan, 0.2])
    assert table.text("name") == ("a", "", "c")
    assert table.text("ok") == ("true", "", "false")
    assert table.library == library


def test_rows_of_pandas_have_the_labels_of_the_index() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"n": pandas.array([1, None, 3], dtype="Int64"), "error": [1.0, 2.0, 3.0]}, index=[*"xyz"]
    )
    table = table_of(frame)
    assert table.rows == ("x", "y", "z")
    usable, left_out = table.usable({"n": "n", "error": "error"})
    assert usable.tolist() == [True, False, True]
    assert [str(one) for one in left_out] == ["1 without n (row y)"]


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ({"n": [1, 2], "m": [1]}, ValueError, "must have one length: n has 2, m has 1"),
        ({}, ValueError, "has no rows"),
        ({"n": []}, ValueError, "has no rows"),
        ({"n": 3}, TypeError, "must be a sequence"),
        ({"n": "abc"}, TypeError, "must be a sequence"),
        ({"n": np.ones((2, 2))}, ValueError, "one dimension"),
        ([1, 2], TypeError, "must be a dict of columns, a data frame"),
        (3, TypeError, "must be a dict of columns, a data frame"),
    ],
)
def test_what_is_no_frame_is_refused(data: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        table_of(data)


def test_a_lazy_frame_is_refused_with_the_fix() -> None:
    polars = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"Call its collect\(\) first"):
        table_of(polars.DataFrame({"n": [1]}).lazy())


def test_rows_that_cannot_be_used_are_counted_with_the_reason(tmp_path: Path) -> None:
    rows = ["1,.5,", "2,,false", "3,nan,no", "4,inf,0", "5,0,False", "6,-1,", ",1,", "0,1,"]
    rows += ["9,9,TRUE", "10,,true", "11,1,"]
    table = read(tmp_path, "\n".join(["n,error,diverged", *rows]))
    usable, left_out = table.usable({"n": "n", "error": "error"})
    assert table.numbers("n").values[usable].tolist() == [1, 11]
    assert [str(one) for one in left_out] == [
        "1 without an error (line 3)",
        "1 with an error of NaN (line 4)",
        "1 with an infinite error (line 5)",
        "1 with an error of 0 (line 6)",
        "1 with an error < 0 (line 7)",
        "1 without n (line 8)",
        "1 with n of 0 (line 9)",
        "2 diverged (lines 10, 11)",
    ]
    with pytest.raises(
        ValueError, match="Got 9 others: line 3, 'error' = ''; line 4, 'error' = 'nan'; "
    ) as caught:
        table.usable({"n": "n", "error": "error"}, strict=True)
    assert "line 7, 'error' = '-1'; and 4 more." in str(caught.value)
    assert table.usable({"n": "n", "error": "error"}, zero={"error"})[0].sum() == 3
    with pytest.raises(ValueError, match=r"no row that can be used: 1 of 1 rows is left out"):
        read(tmp_path, "n,error\n1,\n").usable({"n": "n", "error": "error"})
    with pytest.raises(ValueError, match=r"line 2: the column 'error' must be .* Got 'bad'"):
        read(tmp_path, "n,error\n1,bad\n2,1\n").usable({"n": "n", "error": "error"})


def test_copies_are_dropped_and_named(tmp_path: Path) -> None:
    table, copies = read(tmp_path, "n,error\n1,.5\n1,.4\n1,.5\n2,.3\n1,.5\n").without_copies()
    assert table.rows == (2, 3, 5)
    assert str(copies) == "2 copied from another row (lines 4, 6)"
    same = table_of({"n": [1.0, 1.0, 1.0], "error": [0.5, float("nan"), float("nan")]})
    assert len(same.without_copies()[0]) == 2
    assert table.without_copies() == (table, None)
    infinite = read(tmp_path, "n,error,\n1,.5,1e400\n1,.5,1e400\n")
    assert len(infinite.without_copies()[0]) == 1


def test_rows_are_chosen_by_their_values(tmp_path: Path) -> None:
    table = read(tmp_path, "n,set\n1,a\n2e3,b\n2000,b\n")
    assert table.where({"set": "b"}).rows == (3, 4)
    assert table.where({"n": 2000}).rows == (3, 4)
    assert table.where({"n": "2e3", "set": "b"}).rows == (3, 4)
    with pytest.raises(ValueError, match="has no row with set = 'c'"):
        table.where({"set": "c"})
    with pytest.raises(ValueError, match=r"no column 'sets' .*did you mean 'set'"):
        table.where({"sets": "c"})


def test_a_wide_export_is_melted(tmp_path: Path) -> None:
    table = read_table(FILES / "wandb.csv").melted()
    assert table.header == ("Step", "run", "val/loss")
    assert table.text("run") == ("olive-sea-7",) * 6 + ("calm-fog-9",) * 7
    steps, losses = numbers(table.where({"run": "olive-sea-7"}), "Step", "val/loss")
    assert steps == [100, 200, 400, 1600, 3200, 6400]
    assert losses[:3] == [3.270107, 2.964855, 2.72943]
    sizes = read(tmp_path, "n,1M,4M\n1000,3.5,3.0\n2000,3.25,\n").melted()
    assert numbers(sizes, "n", "run", "value") == [[1000, 2000, 1000], [1e6, 1e6, 4e6], [3.5, 3.25, 3.0]]
    both = read(tmp_path, "tokens,a - _step,a - loss,a - acc\n10,1,.5,\n20,2,,.6\n").melted()
    assert both.header == ("tokens", "run", "_step", "loss", "acc")
    with pytest.raises(ValueError, match="has no columns of runs"):
        read(tmp_path, "n\n1\n").melted()
    with pytest.raises(ValueError, match="has no values in the columns of its runs"):
        read(tmp_path, "n,a - b\n1,\n").melted()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("n, x\n1,a\n", ["n, x,p", "1,a,0.5"]),
        ('n;error\n1;"0,25"\n', ["n;error;p", '1;"0,25";0,5']),
        ("n,x,,\n1,a\n2,b,,\n", ["n,x,,,p", "1,a,,,0.5", "2,b,,,"]),
        ('{"n": 1, "x": "a"}\n{"n": 2}\n', ['{"n": 1, "x": "a", "p": 0.5}', '{"n": 2, "p": null}']),
    ],
)
def test_lines_are_written_back_with_more_cells(tmp_path: Path, text: str, lines: list[str]) -> None:
    table = read(tmp_path, text)
    added = np.array([0.5, np.nan])[: len(table)]
    assert list(table.extended({"p": added})) == lines
    with pytest.raises(ValueError, match="already has a column 'n'"):
        list(table.extended({"n": added}))


def test_other_tables_are_written_as_csv() -> None:
    table = table_of({"n": [1, 0.3152], "x": ["a,b", None]})
    assert list(table.extended({"p": np.array([0.5, np.nan])})) == ["n,x,p", '1,"a,b",0.5', "0.3152,,"]
