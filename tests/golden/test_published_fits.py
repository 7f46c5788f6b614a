"""Numbers that others published, and that a fit here must meet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from errsrc.cli import main
from errsrc.datasets import published
from errsrc.fitting import fit
from errsrc.laws import Chinchilla, Dense, Power


def test_chinchilla_replication_besiroglu_2024() -> None:
    """arXiv 2404.10102, table 1 and its repository: the optimum on the 240 points read off figure 4."""
    table = published("chinchilla_epoch")
    kept = ~table["outlier"]
    n, m, loss = (table[name][kept] for name in ("tokens", "params", "loss"))
    found = fit(Chinchilla, loss, n=n, m=m, objective="huber", huber_delta=1e-3)
    assert found.value <= 0.001018274 * (1 + 1e-6)
    published_values = {"E": 1.8172, "A": 477.8, "B": 2143.5, "alpha": 0.3473, "beta": 0.3672}
    for name, value in published_values.items():
        assert getattr(found.law, name) == pytest.approx(value, rel=3e-4)
    assert found.agreement > 0.2


def by_command(
    folder: Path, capsys: pytest.CaptureFixture[str], columns: dict[str, Any], *options: str
) -> dict[str, Any]:
    """Return what `errsrc fit --json` prints for a CSV file of these columns."""
    rows = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    lines = [",".join(columns), *(",".join(map(repr, row)) for row in rows)]
    (folder / "runs.csv").write_text("\n".join(lines) + "\n")
    assert main(["fit", str(folder / "runs.csv"), "--json", *options]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_chinchilla_replication_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """arXiv 2404.10102, as above, with the options that the paper's objective needs."""
    table = published("chinchilla_epoch")
    columns = {name: table[name][~table["outlier"]] for name in ("params", "tokens", "loss")}
    names = ("--n", "tokens", "--m", "params", "--error", "loss")
    objective = ("--objective", "huber", "--delta", "1e-3")
    found = by_command(tmp_path, capsys, columns, "--law", "chinchilla", *names, *objective)
    published_values = {"E": 1.8172, "A": 477.8, "B": 2143.5, "alpha": 0.3473, "beta": 0.3672}
    assert found["params"] == pytest.approx(published_values, rel=3e-4)


GREEK = {
    "n": np.tile([5e6, 2e7, 8e7], 4),
    "m": np.repeat([196_608.0, 786_432.0, 4_718_592.0, 25_165_824.0], 3),
    "error": [8.156, 5.643, 4.211, 7.294, 5.299, 3.818, 6.653, 4.798, 3.207, 6.061, 4.497, 2.790],
}


def test_greek_language_models_by_least_squares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The repository fourlhs/greek-scaling-laws: alpha 0.253 +- 0.181, beta 0.334 +- 0.127."""
    found = by_command(tmp_path, capsys, GREEK, "--law", "chinchilla", "--objective", "absolute")
    assert found["params"]["alpha"] == pytest.approx(0.253, abs=5e-4)
    assert found["params"]["beta"] == pytest.approx(0.334, abs=5e-4)
    for name, published_value in {"alpha": 0.253, "beta": 0.334}.items():
        low, high = found["intervals"][name]
        assert low < published_value < high


def test_dense_models_of_the_routing_laws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The repository google-deepmind/scaling_laws_for_routing: log10 L = -0.078 log10 N + 1.063."""
    columns = {
        "params": [16527360.0, 27279360.0, 57369600.0, *[132163584.0] * 3, 368123904.0, 1308819456.0],
        "loss": [3.162016, 3.028384, 2.848552, 2.656793, 2.655477, 2.655957, 2.463254, 2.242014],
    }
    names = ("--n", "params", "--error", "loss")
    found = by_command(tmp_path, capsys, columns, "--law", "power", *names, "--fix", "c_inf=0")
    assert found["params"]["alpha"] == pytest.approx(0.078, abs=1e-3)
    assert np.log10(found["params"]["a"]) == pytest.approx(1.063, abs=5e-3)
    assert found["params"]["c_inf"] == 0


def test_openclip_zero_shot_error_against_compute() -> None:
    """Cherti et al. 2023 (arXiv 2212.07143): ImageNet error of the LAION-2B models, alpha 0.11."""
    gmacs = [18.944098272, 52.6594731696, 96.2, 224.5899650544, 256.967930163, 268.122270602]
    gmacs += [703.820959388, 1122.944, 2807.36, 3549.3966645948, 6631.508868009]
    top1 = [0.57358, 0.61822, 0.62526, 0.68928, 0.66474, 0.68134, 0.70222, 0.73096, 0.75202, 0.76664, 0.77972]
    found = fit(Power, 1 - np.array(top1), n=gmacs, fixed={"c_inf": 0.0}, objective="log")
    assert found.law.alpha == pytest.approx(0.114, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "law", "full_scale_error"),
    [
        ("CIFAR10", Dense(0.9, 0.66, 0.53, 5.87e-2, 7.14e-14, 19.77), 0.048),
        ("ImageNet", Dense(0.999, 0.75, 0.61, 0.76, 3.63, 18.50), 0.279),
        ("PTB", Dense(6.10, 0.81, 0.34, 0.15, 5.00, 6.27), 4.27),
    ],
)
def test_the_published_dense_laws_at_full_scale(name: str, law: Dense, full_scale_error: float) -> None:
    """Rosenfeld et al. 2020 (arXiv 1909.12673), Table 2, with n and m as fractions of the whole."""
    assert float(law.error(n=1.0, m=1.0)) == pytest.approx(full_scale_error, rel=0.01)


def test_the_published_dense_law_is_recovered_on_its_own_grid() -> None:
    """CIFAR10 in Table 2 on its grid of data and model sizes; its floor, 7e-14, is not determined."""
    law = Dense(0.9, 0.66, 0.53, 5.87e-2, 7.14e-14, 19.77)
    n, m = (axis.ravel() for axis in np.meshgrid(2.0 ** -np.arange(6), 4.0 ** -np.arange(-3, 5)))
    rng = np.random.default_rng(0)
    error = law.error(n=n, m=m) * np.exp(0.02 * rng.standard_normal(n.shape))
    found = fit(Dense, error, n=n, m=m, fixed={"eps0": 0.9}, constants={"n_full": 1.0, "m_base": 1.0})
    assert found.law.alpha == pytest.approx(0.66, abs=0.08)
    assert found.law.beta == pytest.approx(0.53, abs=0.08)
    assert not found.intervals["c_inf"].determined
    assert abs(found.divergence_mean) < 0.01
    assert found.divergence_std < 0.05
