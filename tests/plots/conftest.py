"""A result of every type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from errsrc.bases import Torus
from errsrc.conjecture import Claim, Example, Region, examine, search, search_own, threshold
from errsrc.curves import curve_shape
from errsrc.fitting import (
    ChainedFit,
    ComputeOptimal,
    TrainingEnvelope,
    auto,
    compare,
    design,
    fewest_weights,
    fit,
    fit_csv,
    frontier,
    holdout,
    isoflop,
    plan,
    predict_csv,
)
from errsrc.fitting.targets import Step, TargetedRun
from errsrc.laws import Chinchilla, Dense, JointPruning, Power, Pruning
from errsrc.learners import BandLeastSquares, MinimumNorm, Ridge
from errsrc.results import Interval
from errsrc.settings import BandTeacher, Gaussian, LinearTeacher
from errsrc.sources import UncertaintyBracket, bias_variance, budget
from errsrc.studies.pruned import PrunedFamily
from errsrc.studies.trained import TrainedFamily
from errsrc.theory import intrinsic_dimension, text_exponents

N = 1000 * 2.0 ** np.arange(8)
WIGGLE = 1 + 0.02 * np.cos(np.arange(8.0) ** 2)


def isoflop_table(budgets: int = 6, sizes: int = 9) -> dict[str, np.ndarray]:
    """A table of runs with equal budgets, as scaling researchers make them: each run has another m."""
    spent = np.repeat(6e18 * 3.0 ** np.arange(budgets), sizes)
    m = np.tile(np.geomspace(0.2, 5, sizes), budgets) * 1e8 * (spent / 6e18) ** 0.5
    m *= 1 + 0.01 * np.cos(np.arange(len(m)) ** 2)
    n = spent / (6 * m)
    law = Chinchilla(E=1.8, A=400, B=1000, alpha=0.34, beta=0.33)
    return {"n": n, "m": m, "error": law.error(n=n, m=m) * (1 + 0.002 * np.cos(np.arange(len(m)) ** 2))}


@pytest.fixture(scope="session")
def isoflop_runs() -> dict[str, np.ndarray]:
    """54 runs of six budgets, each with a model size of its own."""
    return isoflop_table()


@pytest.fixture(scope="session")
def every_result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A result of each type, by a label."""
    error = Power(0.1, 3, 0.4).error(n=N) * WIGGLE
    power = fit(Power, error, n=N)
    table = isoflop_table(3, 5)
    chinchilla, iso = fit(Chinchilla, **table), isoflop(**table)
    density, depth, width = (
        x.ravel() for x in np.meshgrid(0.8 ** np.arange(16), [1.0, 2.0], [8.0, 16.0], indexing="ij")
    )
    eps_np = 0.06 * depth**-0.1 * width**-0.2
    law = JointPruning(eps_up=0.9, gamma=0.9, p=0.3, phi=0.8, psi=1.6)
    pruned_error = law.error(density=density, depth=depth, width=width, eps_np=eps_np)
    joint = fit(JointPruning, pruned_error, density=density, depth=depth, width=width, eps_np=eps_np)
    one = (depth == 1) & (width == 8)
    n, m = (x.ravel() for x in np.meshgrid([1e3, 2e3, 4e3, 8e3, 16e3], [1e3, 4e3, 16e3, 64e3]))
    truth = Dense(0.9, 0.4, 0.6, 0.2, 0.02, 4.0, n_full=16e3, m_base=64e3)
    grid = truth.error(n=n, m=m) * (1 + 0.01 * np.cos(np.arange(len(n)) ** 2))
    file = tmp_path_factory.mktemp("runs") / "runs.csv"
    file.write_text("n,error\n" + "".join(f"{x:.0f},{e}\n" for x, e in zip(N, error, strict=True)))
    linear, torus = LinearTeacher(6, channel=Gaussian(0.5)), BandTeacher(Torus(2))
    exact = threshold(torus, BandLeastSquares(Torus(2)), ratios=(0.6, 1.0, 2.0), draws=5)
    judged = holdout(Dense, grid, fixed={"eps0": 0.9}, n=n, m=m)
    parts, states = (np.full(4, 0.1), np.full(4, 0.2), np.linspace(0.2, 0.3, 4)), np.zeros((4, 1, 2, 1))
    networks = {"depth": 2, "width": [4, 8, 16], "eps_np": [0.06, 0.05, 0.045]}
    compared = compare(["power", "broken"], error, n=N)
    rng = np.random.default_rng(0)
    words = [np.cumsum(rng.random(250) < 0.2) % 4 for _ in range(20)]
    return {
        "fit in n": power,
        "fit in n and m": chinchilla,
        "fit in density": fit(Pruning, pruned_error[one], density=density[one]),
        "joint pruning": joint,
        "average": auto(error, n=N),
        "chain": ChainedFit(judged.forecast, joint),
        "prediction": power.predict(n=[1e6, 2e6]),
        "predictions in a grid": power.predict(n=np.geomspace(1e5, 1e6, 60).reshape(6, 10)),
        "prediction of a file": predict_csv(fit_csv(file, "power"), file),
        "holdout": judged,
        "cells": judged.held_out,
        "holdout in n": holdout(Power, error, n=N, share=0.3),
        "plan": plan(power, error=0.15),
        "joint plan": plan(chinchilla, budget=1e21),
        "pruned plan": fewest_weights(joint, 0.05, [400, 800, 1600], **networks),
        "frontier": frontier(chinchilla, [1e20, 1e21]),
        "design": design(chinchilla, {"n": 1e11, "m": 1e10}, budget=1e20, runs=3),
        "design in n": design(power, {"n": 1e6}, budget=3e5, runs=2),
        "isoflop": iso,
        "isoflop group": iso.groups[0],
        "envelope": TrainingEnvelope(
            *(np.array([1.0, 2.0, 4.0]) * size for size in (1e18, 1e8, 1e10, 1.0)),
            np.array([False, True, False]),
            iso.a,
            iso.b,
            (),
            iso.lines,
        ),
        "all approaches": ComputeOptimal(
            (frontier(chinchilla, [1e20, 1e21]),), iso, None, chinchilla, ("No curves.",), "C = 6 n m", (), ()
        ),
        "comparison": compared,
        "compared law": compared.best,
        "shape": curve_shape(N, error),
        "budget": budget(linear, MinimumNorm(), 9, draws=4),
        "bias and variance": bias_variance(linear, Ridge(1.0), 9, teachers=3),
        "statistics of a text": text_exponents(words, max_distance=16),
        "dimension": intrinsic_dimension(rng.standard_normal((200, 2))),
        "bounds": UncertaintyBracket(*parts, {"a": parts[2]}, ("a",), "a", "a", states, "By chains."),
        "threshold": exact,
        "search": search(examples_wanted=20),
        "refuted search": search(Claim(threshold=0.7), Region(most=9), examples_wanted=200),
        "refuted search of one's own": search_own(lambda n: (float(n), 4.0), st.integers(0, 9)),
        "outcome": examine(Example(n=7)),
        "trained family": TrainedFamily("width 8", {"n": N}, error, power, ("Left out: one run.",)),
        "pruned family": PrunedFamily("", {}, (), joint, ()),
        "targeted run": TargetedRun(
            "error at n = 1.6e+04, m = 6.4e+04",
            0.03,
            True,
            (
                Step(0, 0.0, None, np.inf),
                Step(8, 0.02, Interval(0.20, 0.16, 0.24, 0.9), 0.2),
                Step(12, 0.2, Interval(0.19, 0.185, 0.195, 0.9), 0.026),
            ),
            True,
            "The interval is at most ±3%, as asked.",
            20,
            0,
            {"n": n[12:], "m": m[12:]},
            {"0af3": "ValueError: too wide"},
            auto(grid, n=n, m=m),
            2.5,
        ),
    }
