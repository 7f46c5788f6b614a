"""The published tables hold what their sources say, and say how they were chosen."""

from importlib import resources

import numpy as np
import pytest
from scipy.special import huber

from errsrc.datasets import TABLES, published, published_curves


@pytest.mark.parametrize("name", TABLES)
def test_every_table_reads_as_it_is_described(name):
    table = published(name)
    assert list(table) == [column for column, _ in TABLES[name].columns]
    assert len({len(values) for values in table.values()}) == 1
    for column, unit in TABLES[name].columns:
        kind = "U" if unit == "text" else "b" if unit.startswith("flag") else "f"
        assert table[column].dtype.kind == kind, column
        if kind == "f":
            assert np.all(np.isfinite(table[column])), column
            assert np.all(table[column] > 0), column


def test_the_tables_are_small_and_none_lies_unnamed():
    files = list(resources.files("errsrc.datasets").joinpath("tables").iterdir())
    assert {file.name for file in files} == {f"{name}.csv" for name in TABLES}
    assert sum(len(file.read_bytes()) for file in files) < 700_000


def test_curves_are_those_of_the_benchmark_sorted_without_duplicates():
    for name, count, points in [("curves_vision", 35, 9334), ("curves_language", 9, 194)]:
        found = list(published_curves(name))
        assert len({task for task, *_ in found}) == len(found) == count
        assert sum(n.size for _, n, _, _ in found) == points
        for task, n, error, fit_mask in found:
            assert n.shape == error.shape == fit_mask.shape, task
            assert np.all(np.diff(n) > 0), task
            assert n[fit_mask].max() < n[~fit_mask].min(), task
            assert fit_mask.sum() >= 9, task
            assert np.all((error > 0) & (error < 1)), task


def test_translation_curves_hold_out_one_point_and_language_models_keep_each_size_once():
    held_out = {task: int((~mask).sum()) for task, _, _, mask in published_curves("curves_language")}
    assert [held_out[task] for task in held_out if task.startswith("NMT")] == [1, 1, 1, 1]
    sizes = {task: n.size for task, n, _, _ in published_curves("curves_language")}
    assert sorted(sizes[task] for task in sizes if task.startswith("LM")) == [21, 21, 24]


def test_chinchilla_gives_the_published_optimum_and_splits():
    table = published("chinchilla_epoch")
    keep = ~table["outlier"]
    params, tokens, flops, loss = (table[key][keep] for key in ("params", "tokens", "flops", "loss"))
    assert loss.size == 240
    assert table["loss"][~keep].min() > loss.max()
    np.testing.assert_allclose(tokens, flops / (6 * params), rtol=1e-12)
    assert [int((flops <= limit).sum()) for limit in (1e20, 3e20, 1e21)] == [136, 177, 217]

    def objective(e, a, b, alpha, beta):
        return huber(1e-3, np.log(e + a * params**-alpha + b * tokens**-beta) - np.log(loss)).sum()

    optimum = np.array([1.8172, 477.8, 2143.5, 0.3473, 0.3672])
    # The sum published is that of the unrounded optimum; the rounded one costs about 1e-4 of it.
    assert 0.001018274 <= objective(*optimum) <= 0.001018274 * (1 + 2e-4)
    for step in np.eye(5) * 0.01:
        assert objective(*optimum * (1 + step)) > objective(*optimum) < objective(*optimum * (1 - step))


def test_grids_have_the_rows_of_their_splits():
    ladder = published("olmo_ladder_final")
    roles, counts = np.unique(ladder["role"], return_counts=True)
    assert dict(zip(roles, counts.tolist(), strict=True)) == {"extra": 14, "paper_train": 16, "target": 2}
    target, train = (ladder["params"][ladder["role"] == role] for role in ("target", "paper_train"))
    assert target.min() > 5 * train.max()
    openlm = published("openlm_overtraining")
    assert ((openlm["params"] < 5e8).sum(), (openlm["params"] >= 1e9).sum()) == (95, 9)
    isoflops = published("isoflops_openathena")
    loss, experiment = isoflops["loss"], isoflops["experiment"]
    assert np.unique(experiment).size == 8
    raw, exp = (np.sort(loss[experiment == f"llama_3__{kind}_loss"]) for kind in ("raw", "exp"))
    np.testing.assert_allclose(np.exp(raw), exp, rtol=1e-12)
    vit = published("frantar2023_vit_jft")
    assert (vit["examples"] == vit["examples"].max()).sum() == 28
    np.testing.assert_allclose(vit["params_nonzero"], vit["density"] * vit["params_dense"], rtol=1e-12)
    np.testing.assert_allclose(vit["params_dense"], vit["scale"] * 12 * 12 * 768**2, rtol=1e-12)


def test_pruned_networks_have_three_trials_a_density_in_steps_of_a_fifth():
    table = published("renda2020_unstructured")
    assert set(table["retrain"]) == {"weight_rewinding", "rate_rewinding"}
    for network, depth, densities in [("resnet20", 20, 10), ("resnet56", 56, 17), ("resnet50", 50, 10)]:
        for retrain in ("weight_rewinding", "rate_rewinding"):
            rows = (table["network"] == network) & (table["retrain"] == retrain)
            assert set(table["depth"][rows]) == {depth}
            pairs = sorted(zip(-table["density"][rows], table["trial"][rows], strict=True))
            density = -np.array([d for d, _ in pairs])
            np.testing.assert_allclose(density, 0.8 ** np.repeat(np.arange(1, densities + 1), 3), rtol=1e-3)
            assert [trial for _, trial in pairs] == [1, 2, 3] * densities
    low = (table["network"] == "resnet56") & (table["density"] < 0.107)
    assert np.unique(table["density"][low]).size == 7


def test_light_pruning_lowers_the_error_below_the_unpruned_one():
    pruned, unpruned = published("renda2020_unstructured"), published("renda2020_unpruned")
    assert set(unpruned["network"]) == set(pruned["network"])
    rows = (pruned["network"] == "resnet56") & np.isclose(pruned["density"], 0.8)
    assert pruned["test_acc"][rows].mean() > unpruned["test_acc"][unpruned["network"] == "resnet56"].mean()


@pytest.mark.parametrize(
    ("wrong", "kind"), [("", ValueError), ("zz", ValueError), (None, TypeError), (3, TypeError)]
)
def test_an_unknown_table_is_refused_in_one_sentence(wrong, kind):
    with pytest.raises(kind, match=r"^The 'name' parameter of published must be one of .* instead\.$"):
        published(wrong)
    with pytest.raises(kind, match=r"^The 'name' parameter of published_curves must be one of .* instead\.$"):
        published_curves(wrong)


def test_an_unknown_table_is_told_the_nearest():
    with pytest.raises(ValueError, match=r"\(did you mean 'chinchilla_epoch'\?\)$"):
        published("chinchila_epoch")
    with pytest.raises(ValueError, match=r"\(did you mean 'curves_vision'\?\)$"):
        published_curves("curve_vision")
    with pytest.raises(ValueError, match="must be one of 'curves_vision', 'curves_language'"):
        published_curves("chinchilla_epoch")
