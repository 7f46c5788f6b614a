"""What single cells say: words for true and false, markers of missing values, signs, and copied rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.fitting import auto, fit
from errsrc.fitting.csv_fits import fit_csv
from errsrc.fitting.mixtures import unfinished_rows
from errsrc.laws import ALL, Chinchilla, Power
from errsrc.tables import read_table, table_of

N = [1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000]
ERROR = [0.3152, 0.257, 0.2142, 0.1797, 0.1525, 0.1296, 0.112, 0.0986]
TABLE = "n,error\n" + "".join(f"{n},{e}\n" for n, e in zip(N, ERROR, strict=True))


def written(folder: Path, text: str) -> Path:
    file = folder / "runs.csv"
    file.write_text(text)
    return file


TRUE = "True TRUE 1 1.0 yes Y WAHR ja VRAI oui Verdadero s\u00ed si VERO sim waar"
FALSE = "False 0 0.0 no N FALSCH nein FAUX non Falso n\u00e3o"


@pytest.mark.parametrize("word", TRUE.split())
def test_words_for_true_leave_a_diverged_run_out(word: str) -> None:
    (left_out,) = fit(Power, data={"n": N, "error": ERROR, "diverged": ["", "", word, *[""] * 5]}).left_out
    assert (left_out.reason, left_out.rows) == ("diverged", (2,))


@pytest.mark.parametrize("name", ["Diverged", "is_diverged", "hasDiverged"])
def test_other_names_of_the_column_diverged(name: str) -> None:
    assert table_of({"n": N, name: [False, True] * 4}).diverged().tolist() == [False, True] * 4


def test_two_columns_diverged_are_refused_instead_of_ignored(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="more than one column 'diverged'"):
        fit_csv(written(tmp_path, "n,error,diverged,diverged\n1,2,true,true\n"), "power")


@pytest.mark.parametrize("word", [*FALSE.split(), "", "NaN", "-"])
def test_words_for_false_keep_a_run(word: str) -> None:
    assert not table_of({"n": N, "diverged": ["", word, *[""] * 6]}).diverged().any()


@pytest.mark.parametrize("word", ["x", "crashed", "2", "0.5", "maybe"])
def test_other_words_in_the_column_diverged_are_refused(tmp_path: Path, word: str) -> None:
    rows = [f"{n},{e},{word if n == 4000 else ''}" for n, e in zip(N, ERROR, strict=True)]
    file = written(tmp_path, "\n".join(["n,error,diverged", *rows]))
    with pytest.raises(
        ValueError, match=f"line 4: the column 'diverged' must be true or false.* Got '{word}'"
    ):
        fit_csv(file, "power")


def test_a_copy_behind_an_index_is_a_copy(tmp_path: Path) -> None:
    rows = [f"{k},{n},{e}" for k, (n, e) in enumerate(zip([*N, *N], [*ERROR, *ERROR], strict=True))]
    for name in ("", "Unnamed: 0", "index"):
        found = fit_csv(written(tmp_path, "\n".join([f"{name},n,error", *rows])), "power")
        assert [one.reason for one in found.left_out] == ["copied from another row"]
        assert len(found.error) == 8
    named = fit_csv(written(tmp_path, "\n".join(["seed,n,error", *rows])), "power")
    assert len(named.error) == 16
    assert any("are they copies?" in text for text in named.warnings)


def test_an_index_that_is_the_size_counts() -> None:
    table = table_of({"index": [1, 2, 3, 4], "error": [0.5, 0.4, 0.4, 0.3]})
    assert table.without_copies({"index", "error"})[1] is None


def test_seeds_with_other_errors_are_not_called_copies() -> None:
    error = np.concatenate([ERROR, np.multiply(ERROR, 1.01)])
    assert not any("copies" in text for text in fit(Power, data={"n": N * 2, "error": error}).warnings)


MARKERS = "#NV #WERT! #N/A #VALEUR! NaT \u2014 \u2013 \u2212 1.#INF -1.#IND OOM (null)"


@pytest.mark.parametrize("marker", MARKERS.split())
def test_markers_of_missing_values(tmp_path: Path, marker: str) -> None:
    table = read_table(written(tmp_path, TABLE + f"{marker},0.1\n256000,{marker}\n"))
    assert len(table) == 10
    for name, row in (("n", 8), ("error", 9)):
        values, text = table.numbers(name)
        assert np.isnan(values[row])
        assert not text.any()


def test_blanks_before_percent_signs_and_suffixes(tmp_path: Path) -> None:
    for blank in (" ", "\u00a0", "\u202f", "\u2009"):
        table = read_table(written(tmp_path, f"n;error\n1{blank}k;31,52{blank}%\n2{blank}k;25,7{blank}%\n"))
        assert table.numbers("n").values.tolist() == [1000, 2000]
        assert table.numbers("error").values.tolist() == [0.3152, 0.257]


def test_the_minus_sign_of_typesetting(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "x,error\n\u22121.5,0.3\n2e\u22123,0.2\n"))
    assert table.numbers("x").values.tolist() == [-1.5, 0.002]


@pytest.mark.parametrize("law", ["auto", "chinchilla", "power", "dense"])
def test_a_constant_n_is_told_with_the_fit_that_is_possible(law: str) -> None:
    data = {"n": [1e9] * 8, "m": N, "error": ERROR}
    with pytest.raises(ValueError, match=r"'n' is 1e\+09 in every row, and 'm' varies: .*--law power --n m"):
        auto(data=data) if law == "auto" else fit(ALL[law], data=data)
    assert fit(Power, data=data, n="m").law.alpha == pytest.approx(0.334, abs=1e-3)
    with pytest.raises(ValueError, match="at least two different sizes"):
        fit(Chinchilla, ERROR, n=1e9, m=N)


def test_a_table_of_unfinished_runs_alone_is_said_to() -> None:
    table = table_of({"State": ["crashed", "failed", "crashed"]})
    (sentence,) = unfinished_rows(table, np.ones(3, dtype=bool))
    assert sentence.startswith("3 of the 3 runs with usable numbers have not finished (column State: crashed")
