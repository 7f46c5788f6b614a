"""What the functions accept: names of laws, series of data frames, and sentences that name the fix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.fitting import compare, compute_optimal, fit, holdout, plan
from errsrc.laws import Power

N = 100 * 2.0 ** np.arange(9)
ERROR = Power(0.1, 2.0, 0.5).error(n=N) * (1 + 0.01 * np.array([1, -1, 1, 1, -1, 1, -1, -1, 1]))
CLEAN = Path(__file__).parents[1] / "fixtures" / "isoflop_clean.csv"


def test_laws_may_be_named() -> None:
    assert fit("power", ERROR, n=N).law == fit(Power, ERROR, n=N).law
    assert fit("power", data={"n": N, "error": ERROR}).law == fit(Power, ERROR, n=N).law
    named, given = (holdout(law, ERROR, n=N).held_out.divergence_mean for law in ("power", Power))
    assert named == given
    with pytest.raises(ValueError, match=r"did you mean 'power'\?"):
        fit("powr", ERROR, n=N)
    with pytest.raises(TypeError, match="or the name of a law, such as 'chinchilla'"):
        fit(3, ERROR, n=N)  # type: ignore[arg-type]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_series_count_as_arrays(library: str) -> None:
    frames = pytest.importorskip(library)
    found = fit(Power, frames.Series(ERROR.tolist()), n=frames.Series(N.tolist()))
    assert found.law == fit(Power, ERROR, n=N).law
    with pytest.raises(TypeError, match="Got <text, such as '70B'> instead") as caught:
        fit(Power, ERROR, n=frames.Series(["70B"] * 9))
    assert "Suffixes such as 70B are read with data=." in str(caught.value)
    assert len(str(caught.value)) < 200


def test_names_of_columns_that_are_no_inputs_are_explained() -> None:
    with pytest.raises(TypeError, match=r"Pass n=\.\.\. instead of tokens=\.\.\."):
        fit(Power, ERROR, tokens=N)
    table = {"params": N, "tokens": N, "loss": ERROR}
    with pytest.raises(ValueError, match="Name the column of m by m='params', not by params="):
        fit("chinchilla", data=table, error="loss", n="tokens", params="params")


def test_a_comparison_says_what_its_percentages_are() -> None:
    assert "power miss " in repr(compare(["power"], ERROR, n=N))


def test_compute_optimal_sizes_as_columns() -> None:
    found = compute_optimal(data=CLEAN, budgets=[1e21, 1e22])
    columns = found.columns()
    assert len(columns["approach"]) == 2 * len(found.frontiers)
    assert {len(column) for column in columns.values()} == {2 * len(found.frontiers)}
    np.testing.assert_array_equal(columns["m"][:2], found.frontiers[0].columns()["m"])
    assert len(found.to_frame()) == 2 * len(found.frontiers)


def test_plans_name_their_targets() -> None:
    for one, error in zip(plan(fit(Power, ERROR, n=N), error=[0.106, 0.104]), (0.106, 0.104), strict=True):
        (sentence,) = (text for text in one.warnings if "of the draws" in text)
        assert sentence.endswith(f"no size reaches the error {error}: it lies near the floor.")


def test_sizes_without_their_suffix_are_noticed() -> None:
    n, m = (x.ravel() for x in np.meshgrid(1e9 * 4.0 ** np.arange(4), 10.0 * 4.0 ** np.arange(4)))
    error = 1 + 300 / n**0.3 + 2 / m**0.3
    found = fit("chinchilla", data={"n": n, "m": m, "error": error})
    assert "the column of m may have lost a suffix such as M." in found.warnings[0]
