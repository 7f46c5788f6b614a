"""Intervals of fits whose points come in clusters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from errsrc.fitting import auto, compare, fit, fit_csv, holdout
from errsrc.fitting.average_intervals import least_squares, limit_interval
from errsrc.fitting.clusters import FEW_ARE_FITTED, degrees_of_freedom, random_weights, widths, wild_noise
from errsrc.fitting.several_laws import _found
from errsrc.fitting.table_points import table_points
from errsrc.laws import JointPruning, Power, Pruning
from errsrc.tables import table_of
from fitting.cases import pruned_grid

CLUSTERS = np.repeat(np.arange(8), 5)


def correlated(seed: int, spread: float = 0.3) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return curves of 8 trainings, each with an offset of its own, and the training of each point."""
    rng = np.random.default_rng(seed)
    n = np.tile(np.geomspace(100, 3200, 5), 8) * np.repeat(np.geomspace(1, 30, 8), 5)
    noise = spread * rng.standard_normal(8)[CLUSTERS] + 0.02 * rng.standard_normal(40)
    return {"n": n}, Power(0.0, 2.0, 0.4).error(n=n) * np.exp(noise), CLUSTERS


def test_the_mean_of_equal_clusters_has_the_t_interval_of_their_means() -> None:
    values = np.random.default_rng(0).standard_normal(40) + CLUSTERS % 3
    residual = values - values.mean()
    found = widths(residual, np.ones((40, 1)), CLUSTERS, 0.9)[0]
    means = values.reshape(8, 5).mean(1)
    half = special.stdtrit(7, 0.95) * means.std(ddof=1) / np.sqrt(8)
    assert found * values.std(ddof=1) / np.sqrt(40) == pytest.approx(half)
    assert degrees_of_freedom(np.ones((40, 1)), CLUSTERS, np.zeros(1)) == pytest.approx(7)


def test_draws_of_whole_clusters_have_the_covariance_of_the_intervals() -> None:
    rng = np.random.default_rng(1)
    jac = np.column_stack([np.ones(40), np.arange(40) / 40])
    residual = rng.standard_normal(8)[CLUSTERS]
    residual -= jac @ np.linalg.lstsq(jac, residual, rcond=None)[0]
    noise = wild_noise(residual, jac, CLUSTERS, np.zeros(2), 20_000, rng)
    z = noise @ np.linalg.pinv(jac).T
    degrees = degrees_of_freedom(jac, CLUSTERS, np.zeros(2))
    plain = np.sqrt(residual @ residual / 38 * np.diag(np.linalg.inv(jac.T @ jac)))
    half = widths(residual, jac, CLUSTERS, 0.9) * plain
    drawn = np.quantile(np.abs(z), 0.9, axis=0)
    assert drawn == pytest.approx(half, rel=0.25)  # the draws share one number of degrees of freedom
    weights = random_weights(CLUSTERS, degrees, 4000, rng)
    assert (np.ptp(weights.reshape(4000, 8, 5), axis=2) == 0).all()
    assert weights.mean() == pytest.approx(1, abs=0.05)


def test_clusters_widen_intervals_of_parameters_and_of_predictions() -> None:
    inputs, error, runs = correlated(0)
    plain, clustered = (fit(Power, error, fixed={"c_inf": 0.0}, clusters=c, **inputs) for c in (None, runs))
    assert clustered.law == plain.law
    one, other = plain.intervals["alpha"], clustered.intervals["alpha"]
    assert other.high - other.low > 1.3 * (one.high - one.low)
    assert (
        clustered.draws["alpha"].std()
        > 1.3 * fit(Power, error, fixed={"c_inf": 0.0}, clusters=np.arange(40), **inputs).draws["alpha"].std()
    )
    named = fit(
        "power",
        data={**inputs, "error": error, "run": [f"run {k}" for k in runs], "half": runs % 2},
        fixed={"c_inf": 0.0},
        clusters=["run", "half"],
    )
    assert named.intervals == clustered.intervals


def test_the_rows_may_come_in_any_order() -> None:
    inputs, error, runs = correlated(1)
    order = np.random.default_rng(0).permutation(40)
    one = fit(Power, error, clusters=runs, objective="huber", **inputs)
    other = fit(Power, error[order], clusters=(9 - runs)[order], objective="huber", n=inputs["n"][order])
    assert one.intervals["alpha"].low == pytest.approx(other.intervals["alpha"].low, rel=0.1)


def test_labels_are_checked() -> None:
    inputs, error, runs = correlated(0)
    for labels, sentence in (
        (runs[:-1], "must be an array of 40 labels"),
        (runs % 2, "must be labels of at least 3 clusters. Got <2> instead"),
        (np.where(runs > 3, np.nan, runs), "none of them missing"),
        ([None, *runs[1:].tolist()], "none of them missing"),
        (runs[:, None], "must be a one-dimensional array"),
    ):
        with pytest.raises((ValueError, TypeError), match=sentence):
            fit(Power, error, clusters=labels, **inputs)
    table = {**inputs, "error": error, "run": ["", *map(str, runs[1:])]}
    with pytest.raises(ValueError, match="column 'run' tells clusters apart, and has an empty cell"):
        fit("power", data=table, clusters="run")
    with pytest.raises(TypeError, match="'clusters' parameter of fit must be a column of data, or several"):
        fit("power", data=table, clusters=runs)
    with pytest.raises(ValueError, match="no column 'cluster'"):
        auto(data=table, clusters="cluster")


@pytest.mark.full
def test_each_network_of_a_table_is_a_cluster(tmp_path) -> None:
    _, sizes, error = pruned_grid(0, 0.02)
    network = np.repeat(np.arange(12), 25)
    columns = {**sizes, "n": 1000.0 + network % 2, "id": network, "error": error}
    columns["error"] = error * np.exp(0.03 * np.random.default_rng(5).standard_normal(12))[network]

    def fitted(rows: np.ndarray, **options):
        table = np.column_stack(list(columns.values()))[rows]
        lines = [",".join(columns), *(",".join(map(str, row)) for row in table)]
        (tmp_path / "runs.csv").write_text("\n".join(lines))
        return fit_csv(tmp_path / "runs.csv", "pruning", objective="divergence", **options)

    found = fitted(np.ones(300, dtype=bool))
    assert found.remarks == (
        "Each of the 12 networks is a cluster: the noise of its levels may be correlated.",
    )
    own = fitted(network < 6, clusters="id", fixed={"phi": 0.4, "psi": 1.1})
    assert own.remarks == ()
    some = {name: sizes[name][network < 6] for name in sizes}
    fixed = {"phi": 0.4, "psi": 1.1}
    plain = fit(JointPruning, columns["error"][network < 6], fixed=fixed, **some).intervals["gamma"]
    wide = own.intervals["gamma"]
    assert np.log(wide.high / wide.low) > 1.5 * np.log(plain.high / plain.low)
    few = fitted(sizes["width"] == 8, fixed={"psi": 0.0, "phi": 0.4})
    assert "The levels of these 4 pruned networks count as independent" in " ".join(few.warnings)


def test_networks_that_differ_in_their_error_before_pruning_alone_are_clusters() -> None:
    _, sizes, error = pruned_grid(0, 0.02)
    points = table_points(table_of({**sizes, "error": error}), "pruning", {})
    assert points.clusters is not None
    assert len(np.unique(points.clusters)) == 12
    assert points.notes["said"] == [
        "Each of the 12 networks is a cluster: the noise of its levels may be correlated."
    ]


@pytest.mark.full
def test_copies_of_points_in_one_cluster_do_not_narrow_the_interval_of_the_floor() -> None:
    n = np.geomspace(100, 1e5, 12)
    error = Power(0.1, 2.0, 0.5).error(n=n) * np.exp(0.02 * np.random.default_rng(0).standard_normal(12))

    def width(copies: int, clusters: np.ndarray | None) -> float:
        found, _ = _found(np.repeat(error, copies), {"n": np.repeat(n, copies)}, None, clusters, {}, {}, 0)
        one = least_squares(found[0], np.ones(12 * copies))
        floor = limit_interval(one.problem, one.z, 0.9)
        assert floor is not None
        return floor.high - floor.low

    once, copied = width(1, np.arange(12)), width(4, np.repeat(np.arange(12), 4))
    assert copied == pytest.approx(once, rel=0.1)
    assert copied > 1.5 * width(4, None)


def test_clusters_widen_the_intervals_of_held_out_sizes() -> None:
    inputs, error, runs = correlated(0)
    labels = [f"run {k}" for k in runs]
    one, other = (
        holdout("power", error, clusters=c, fixed={"c_inf": 0.0}, **inputs).forecast.intervals["alpha"]
        for c in (None, labels)
    )
    assert other.high - other.low > 1.3 * (one.high - one.low)
    table = {**inputs, "error": error, "run": labels}
    named = holdout("power", data=table, clusters="run", fixed={"c_inf": 0.0}).forecast
    assert named.intervals["alpha"] == other
    with pytest.raises(ValueError, match="'clusters' parameter of holdout must be an array of 40 labels"):
        holdout("power", error, clusters=labels[1:], **inputs)


@pytest.mark.full
def test_comparisons_use_clusters_where_enough_are_fitted() -> None:
    inputs, error, runs = correlated(0)
    table = {**inputs, "error": error, "run": runs}
    found = compare(["power"], data=table, clusters="run", fixed={"c_inf": 0.0})
    fitted = fit("power", error, clusters=runs, fixed={"c_inf": 0.0}, objective="log", **inputs)
    assert found.best.fit is not None
    assert found.best.fit.intervals == fitted.intervals
    assert found.warnings == ()
    late = np.where(inputs["n"] < np.quantile(inputs["n"], 0.6), 0, runs + 1)
    few = compare(["power"], error, clusters=late, fixed={"c_inf": 0.0}, **inputs)
    assert FEW_ARE_FITTED in few.warnings
    assert "fewer than 3 clusters" in FEW_ARE_FITTED


def test_one_network_is_no_cluster_of_its_own() -> None:
    density = 0.8 ** np.arange(20)
    error = Pruning(0.05, 0.9, 1.0, 0.01).error(density=density)
    with pytest.raises(ValueError, match="at least 3 clusters"):
        fit(Pruning, error, density=density, clusters=np.zeros(20))
