"""Losses that may be negative are refused with what to do, and doing that gives the right law."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from errsrc.fitting import auto, compare, fit, fit_csv, holdout
from errsrc.laws import Chinchilla, Power

N, M = (x.ravel() for x in np.meshgrid(1e9 * 4.0 ** np.arange(4), 1e7 * 4.0 ** np.arange(4)))
LOSS = Chinchilla(E=0.0, A=400.0, B=2000.0, alpha=0.34, beta=0.33).error(n=N, m=M) - 6.5
NOISY = LOSS + 0.01 * np.random.default_rng(0).standard_normal(16)
ADVICE = r"Add one constant to all losses that makes them > 0, such as 10, and fit with objective='absolute'"


@pytest.mark.parametrize(
    "call",
    [
        lambda: fit(Chinchilla, NOISY, n=N, m=M),
        lambda: fit(Chinchilla, NOISY, n=N, m=M, objective="absolute"),
        lambda: auto(NOISY, n=N, m=M),
        lambda: holdout(Chinchilla, NOISY, n=N, m=M),
        lambda: compare(["chinchilla"], NOISY, n=N, m=M),
        lambda: fit(Chinchilla, data={"loss": NOISY, "n": N, "m": M}, error="loss"),
        lambda: auto(data={"error": NOISY, "n": N, "m": M}),
        lambda: fit(Power, NOISY[:4], n=N[:4]),
    ],
)
def test_negative_losses_are_refused_with_what_to_do(call: Any) -> None:
    assert NOISY.min() < 0
    with pytest.raises(ValueError, match=ADVICE):
        call()


@pytest.mark.parametrize("constant", [8.0, 10.0, 50.0])
def test_the_constant_changes_the_floor_alone(constant: float) -> None:
    found = fit(Chinchilla, NOISY + constant, n=N, m=M, objective="absolute")
    expected = fit(Chinchilla, NOISY + 20.0, n=N, m=M, objective="absolute")
    assert found.law.E - constant == pytest.approx(expected.law.E - 20.0, abs=1e-4)
    for name in ("alpha", "beta"):
        own, other = found.intervals[name], expected.intervals[name]
        assert (own.estimate, own.low, own.high) == pytest.approx(
            (other.estimate, other.low, other.high), rel=2e-3
        )
        assert own.estimate == pytest.approx({"alpha": 0.34, "beta": 0.33}[name], abs=0.02)
    assert abs(found.law.params["E"] - (constant - 6.5)) < 0.2


def test_a_single_negative_mark_is_a_missing_value(tmp_path: Path) -> None:
    rows = [f"{n!r},{m!r},{e!r}" for n, m, e in zip(N.tolist(), M.tolist(), (LOSS + 8).tolist(), strict=True)]
    file = tmp_path / "runs.csv"
    file.write_text("\n".join(["n,m,error", *rows, "5e9,1e7,-1", "6e9,1e7,-1"]) + "\n")
    found = fit_csv(file, "chinchilla")
    assert sum(len(one.rows) for one in found.left_out) == 2
