"""Errors slightly above the error of a random guess are kept where noise explains them."""

from __future__ import annotations

import numpy as np
import pytest

from errsrc.errors import NoFit
from errsrc.fitting import auto, fit
from errsrc.laws import M4, Dense, Envelope

N, M = (x.ravel() for x in np.meshgrid([50.0, 200.0, 800.0, 3200.0, 12800.0], [1e3, 4e3, 16e3, 64e3]))
ERROR = [0.9050, 0.8698, 0.8442, 0.8368, 0.8322, 0.8751, 0.8473, 0.7757, 0.7342, 0.6936]
ERROR += [0.8558, 0.7986, 0.7008, 0.5973, 0.5206, 0.8757, 0.7798, 0.6169, 0.4736, 0.3604]
SIZES = 10 * 2.0 ** np.arange(14)


@pytest.mark.parametrize("objective", ["divergence", "log", "absolute", "huber"])
@pytest.mark.parametrize("unit", [1.0, 100.0, 1e-200])
def test_one_error_above_chance_is_kept(objective: str, unit: float) -> None:
    error = np.array(ERROR) * unit
    found = fit(Dense, error, n=N, m=M, fixed={"eps0": 0.9 * unit}, objective=objective)
    assert len(found.error) == 20
    assert found.error.max() == error.max()
    assert found.law.alpha == pytest.approx(0.5, abs=0.06)
    assert found.warnings[-1] == f"1 error lies up to 0.6% above eps0 = {0.9 * unit:g}, which noise explains."


@pytest.mark.full
def test_the_average_keeps_it_and_says_so_once() -> None:
    found = auto(ERROR, n=N, m=M, fixed={"eps0": 0.9})
    assert [text for text in found.warnings if "above eps0" in text] == [
        "1 error lies up to 0.6% above eps0 = 0.9, which noise explains."
    ]


@pytest.mark.full
@pytest.mark.parametrize("eps0", [0.85, 0.8, 0.7, 0.3])
def test_what_noise_does_not_explain_is_refused(eps0: float) -> None:
    with pytest.raises(ValueError, match=f"'error' parameter of .* must be numbers <= eps0 = {eps0}"):
        fit(Dense, ERROR, n=N, m=M, fixed={"eps0": eps0})
    with pytest.raises((ValueError, NoFit), match=f"numbers <= eps0 = {eps0}|worse than a constant"):
        auto(ERROR, n=N, m=M, fixed={"eps0": eps0})


@pytest.mark.parametrize("law", [Envelope, M4])
@pytest.mark.parametrize("noise", [0.003, 0.01, 0.03])
def test_a_plateau_at_chance_is_kept_at_every_noise(law: type, noise: float) -> None:
    """About half of the errors of the plateau lie above chance."""
    truth = Envelope(eps0=0.9, alpha=0.7, c_inf=0.0, eta=0.002)
    deviates = np.random.default_rng(3).standard_normal(len(SIZES))
    error = truth.error(n=SIZES) * np.exp(noise * deviates)
    assert error.max() > 0.9
    found = fit(law, error, n=SIZES, fixed={"eps0": 0.9})
    assert "which noise explains" in found.warnings[-1]
    with pytest.raises(ValueError, match=r"numbers <= eps0"):
        fit(law, error, n=SIZES, fixed={"eps0": 0.9 * (1 - 3 * noise)})


def test_exact_errors_above_chance_are_refused() -> None:
    error = Envelope(eps0=0.9, alpha=0.7, c_inf=0.0, eta=0.002).error(n=SIZES)
    with pytest.raises(ValueError, match=r"numbers <= eps0 = 0.89"):
        fit(Envelope, error, n=SIZES, fixed={"eps0": 0.89})
