"""A fit is judged on the cells it has not seen, by numbers that can be had by hand."""

import numpy as np
import pytest

from errsrc.fitting import fit, holdout, judge, small_cells
from errsrc.laws import Dense, Power

LAW = Dense(eps0=0.9, alpha=0.4, beta=0.6, b=0.2, c_inf=0.02, eta=4.0, n_full=16_000, m_base=64_000)


@pytest.fixture(scope="module")
def grid():
    n, m, _ = (
        x.ravel()
        for x in np.meshgrid(500 * 2.0 ** np.arange(6), 1000 * 4.0 ** np.arange(4), [0, 1], indexing="ij")
    )
    noise = np.random.default_rng(3).normal(0.0, 0.02, len(n))
    return n, m, LAW.error(n=n, m=m) * np.exp(noise)


@pytest.fixture(scope="module")
def result(grid):
    n, m, error = grid
    return holdout(Dense, error, fixed={"eps0": 0.9}, n=n, m=m)


def test_the_fit_sees_only_cells_at_most_a_quarter_of_the_largest_in_every_input(result):
    assert result.fitted.inputs["n"].max() == 4000
    assert result.fitted.inputs["m"].max() == 16_000
    assert len(result.fitted) == 4 * 3
    assert len(result.held_out) == 24 - 12
    assert len(result.forecast.error) == 24


def test_a_larger_held_out_error_changes_neither_fit_nor_prediction(grid, result):
    n, m, error = grid
    worse = np.where(small_cells(n=n, m=m), error, 0.85)
    other = holdout(Dense, worse, fixed={"eps0": 0.9}, n=n, m=m)
    np.testing.assert_array_equal(other.held_out.prediction.predicted, result.held_out.prediction.predicted)
    np.testing.assert_array_equal(other.held_out.prediction.low, result.held_out.prediction.low)
    assert other.held_out.coverage == 0.0


def test_figures_of_a_part_are_those_of_its_runs(grid, result):
    n, m, error = grid
    cells = result.held_out
    for k in range(len(cells)):
        rows = (n == cells.inputs["n"][k]) & (m == cells.inputs["m"][k])
        np.testing.assert_array_equal(np.sort(cells.runs[k]), np.sort(error[rows]))
    means = np.array([e.mean() for e in cells.runs])
    delta = (cells.prediction.predicted - means) / means
    assert cells.divergence_mean == pytest.approx(delta.mean())
    assert cells.divergence_std == pytest.approx(delta.std())
    pairs = np.log(np.stack(cells.runs))
    assert cells.seed_noise == pytest.approx(np.sqrt(np.mean((pairs[:, 0] - pairs[:, 1]) ** 2 / 2)))


def test_coverage_counts_single_runs(grid, result):
    n, m, error = grid
    p = result.forecast.predict(n=n, m=m)
    new = ~small_cells(n=n, m=m)
    inside = (error >= p.low) & (error <= p.high)
    assert result.held_out.coverage == pytest.approx(inside[new].mean())
    assert 0 < result.held_out.coverage <= 1


def test_seed_noise_is_nan_where_nothing_is_repeated():
    n = np.array([100, 200, 400, 800, 1600, 3200])
    result = holdout(Power, Power(c_inf=0.1, a=2.0, alpha=0.5).error(n=n), n=n)
    assert np.isnan(result.held_out.seed_noise)
    assert "seed noise" not in str(result)


def test_criteria_are_met_by_a_true_law_and_missed_by_a_wrong_prediction(grid, result):
    n, m, error = grid
    assert all(c.met for c in result.criteria)
    small = small_cells(n=n, m=m)
    shifted = judge(result.forecast, np.where(small, error, error / 1.08), small, n=n, m=m)
    assert [c.met for c in shifted.criteria] == [True, True, False, True]
    assert "MISSED" in str(shifted)
    assert "MISSED" not in str(result)


def test_columns_have_one_row_a_cell_and_agree_with_the_parts(result):
    columns = result.columns()
    assert {len(column) for column in columns.values()} == {24}
    held = columns["held_out"]
    np.testing.assert_array_equal(columns["measured"][held], result.held_out.measured)
    np.testing.assert_array_equal(columns["high"][~held], result.fitted.prediction.high)
    np.testing.assert_array_equal(columns["runs"], 2)


def test_largest_is_the_cell_of_the_largest_sizes(result):
    assert result.held_out.sizes(result.largest) == {"n": "16,000", "m": "64,000"}


def test_printed_table_has_every_held_out_cell(result):
    lines = str(result).splitlines()
    assert "predicted" in lines[0]
    table = lines[1 : lines.index("")]
    assert len(table) == len(result.held_out)
    assert "16,000" in table[-1]
    assert result.held_out.texts(len(result.held_out) - 1)[0] in table[-1]


def test_nothing_held_out_and_misfitting_arrays_are_refused_in_one_sentence(grid, result):
    n, m, error = grid
    small = small_cells(n=n, m=m)
    forecast = result.forecast
    with pytest.raises(ValueError, match="true of some runs and false of others"):
        judge(forecast, error, np.ones(len(n), dtype=bool), n=n, m=m)
    with pytest.raises(ValueError, match="true of some runs and false of others"):
        judge(forecast, error, np.zeros(len(n), dtype=bool), n=n, m=m)
    with pytest.raises(ValueError, match="as long as error"):
        judge(forecast, error, small[:-1], n=n, m=m)
    with pytest.raises(TypeError, match="boolean"):
        judge(forecast, error, small.astype(float), n=n, m=m)
    with pytest.raises(TypeError, match="exactly n, m"):
        judge(forecast, error, small, n=n)
    with pytest.raises(TypeError, match="'inputs' parameter of holdout must be exactly n, m"):
        holdout(Dense, error, n=n)
    with pytest.raises(ValueError, match=r"'n' parameter of holdout must be .* as long as error"):
        holdout(Dense, error[:-1], n=n, m=m)
    with pytest.raises(ValueError, match="'share' parameter"):
        small_cells(1.0, n=n)


def test_judge_takes_a_fit_made_before_the_large_cells_were_measured(grid, result):
    n, m, error = grid
    small = small_cells(n=n, m=m)
    early = fit(Dense, error[small], n=n[small], m=m[small], fixed={"eps0": 0.9})
    later = judge(early, error, small, n=n, m=m)
    np.testing.assert_allclose(later.held_out.divergence, result.held_out.divergence, rtol=1e-12, atol=1e-12)
