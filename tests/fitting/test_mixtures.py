"""Tables that mix experiments are told apart from tables whose other columns mean nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc import curve_shape
from errsrc.cli import main
from errsrc.fitting import compute_optimal, fit
from errsrc.fitting.mixtures import MixedRows, mixed_rows
from errsrc.laws import Chinchilla
from errsrc.tables import table_of

N, M = (x.ravel() for x in np.meshgrid(1e3 * 2.0 ** np.arange(5), 1e4 * 4.0 ** np.arange(4)))
ERROR = Chinchilla(E=0.3, A=2.0, B=20.0, alpha=0.3, beta=0.5).error(n=N, m=M)
FAMILIES = ["gpt"] * 20 + ["llama"] * 20


def mixed(factor: float, apart: float = 1.0) -> dict[str, object]:
    """Two families with errors in the ratio `factor`, and sizes in the ratio `apart`."""
    noise = 0.01 * np.random.default_rng(0).standard_normal(40)
    error = np.concatenate([ERROR, factor * ERROR]) * np.exp(noise)
    sizes = {"n": np.concatenate([N, apart * N]), "m": np.concatenate([M, apart * M])}
    return {**sizes, "error": error, "family": FAMILIES, "seed": [0, 1] * 20}


@pytest.mark.parametrize("apart", [1.0, 1.37])
def test_the_column_that_separates_two_experiments_is_named(apart: float) -> None:
    found = fit(Chinchilla, data=mixed(1.6, apart))
    (sentence,) = (text for text in found.warnings if isinstance(text, MixedRows))
    assert sentence.startswith("The rows mix 2 experiments: at equal sizes, rows with family = llama have 1.")
    assert sentence.endswith("such as where={'family': 'gpt'} (--where family=gpt).")
    assert sentence in compute_optimal(data=mixed(1.6, apart), budgets=1e10).warnings


def test_one_experiment_is_not_split() -> None:
    assert not any(isinstance(text, MixedRows) for text in fit(Chinchilla, data=mixed(1.0)).warnings)
    alarms = 0
    rng = np.random.default_rng(0)
    for _ in range(300):
        error = ERROR * np.exp(0.05 * rng.standard_t(3, 20))
        table = table_of({"n": N, "m": M, "error": error, "who": rng.permutation(["a"] * 10 + ["b"] * 10)})
        alarms += len(
            mixed_rows(table, np.ones(20, bool), {"n": N, "m": M, "error": error}, {"n", "m", "error"})
        )
    assert alarms == 0


def test_it_is_told_by_the_command_and_by_the_shape_of_a_curve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"{n},{e * f:.5f},{who}"
        for n, e in zip(N[:5], ERROR[:5], strict=True)
        for f, who in ((1, "a"), (2, "b"))
    ]
    (tmp_path / "runs.csv").write_text("\n".join(["n,error,family", *rows]))
    assert main(["fit", str(tmp_path / "runs.csv"), "--law", "power"]) == 0
    sentence = "Use one value of 'family' at a time, such as --where family=a.\n"
    assert sentence in capsys.readouterr().out
    assert main(["fit", str(tmp_path / "runs.csv"), "--law", "power", "--json"]) == 0
    assert sentence in capsys.readouterr().err
    assert "rows with family = b have 2 times the error" in curve_shape(data=tmp_path / "runs.csv").status
