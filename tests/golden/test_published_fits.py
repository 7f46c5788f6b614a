"""Numbers that others published, and that a fit here must meet."""

from __future__ import annotations

import numpy as np
import pytest

from errsrc.datasets import published
from errsrc.fitting import fit
from errsrc.laws import Chinchilla, Dense


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
