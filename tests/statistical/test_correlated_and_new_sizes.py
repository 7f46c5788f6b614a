"""Intervals of correlated points, of new model sizes, and of several runs at once cover grossly enough.

Each test judges at most two intervals.  If these cover as often as they say, the test fails with a
probability of at most `FALSE_ALARM`.  Each test has a control that must fail.  `sims/pruning_clusters.py`
measures the coverage of clusters on grids of pruned networks.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from errsrc.fitting import fit
from errsrc.laws import Chinchilla, Power

FALSE_ALARM = 1e-4
GRIDS = 16
FEWEST_HITS = int(stats.binom.ppf(FALSE_ALARM / 2, GRIDS, 0.9))
NOISE = 0.02


@pytest.mark.full
def test_clusters_of_runs_with_an_offset_each_cover_the_exponent() -> None:
    law, run = Power(0.0, 2.0, 0.4), np.repeat(np.arange(12), 10)
    n = np.tile(np.geomspace(100, 150, 10), 12) * np.geomspace(1, 300, 12)[run]
    hits = {True: 0, False: 0}
    for seed in range(GRIDS):
        rng = np.random.default_rng((21, seed))
        noise = 0.1 * rng.standard_normal(12)[run] + NOISE * rng.standard_normal(120)
        error = law.error(n=n) * np.exp(noise)
        for clusters in hits:
            labels = run if clusters else None
            found = fit(Power, error, n=n, clusters=labels, fixed={"c_inf": 0.0}, objective="log")
            interval = found.intervals["alpha"]
            hits[clusters] += interval.low <= law.alpha <= interval.high
    assert hits[True] >= FEWEST_HITS
    assert hits[False] < FEWEST_HITS  # the control


@pytest.mark.slow
def test_new_sizes_of_two_measured_model_sizes_are_covered() -> None:
    law = Chinchilla(E=0.05, A=100.0, B=3.0, alpha=0.8, beta=0.4)
    n, m = (x.ravel() for x in np.meshgrid(np.geomspace(1e3, 1e6, 11), [1e4, 1e5]))
    new, hits, control = np.array([3e3, 1e7]), np.zeros(2), np.zeros(2)
    for seed in range(GRIDS):
        rng = np.random.default_rng((22, seed))
        error = law.error(n=n, m=m) * np.exp(NOISE * rng.standard_normal(n.size))
        run = law.error(n=np.full(2, 1e6), m=new) * np.exp(NOISE * rng.standard_normal(2))
        p = fit(Chinchilla, error, objective="log", n=n, m=m).predict(n=np.full(2, 1e6), m=new)
        hits += (p.low <= run) & (run <= p.high)
        control += np.abs(np.log(run / p.predicted)) < 1.645 * NOISE  # without the doubt about the law
    assert (hits >= FEWEST_HITS).all()
    assert (control < FEWEST_HITS).any()


@pytest.mark.full
def test_joint_intervals_contain_all_runs_and_their_mean_interval_the_mean() -> None:
    law = Chinchilla(E=0.3, A=20.0, B=60.0, alpha=0.35, beta=0.4)
    five, new = np.geomspace(1e3, 3e4, 5), [6e4, 1.2e5, 2.4e5]
    n, m = (x.ravel() for x in np.meshgrid(five, five))
    far_n, far_m = (x.ravel() for x in np.meshgrid(new, new))
    hits, control = np.zeros(2), 0
    for seed in range(GRIDS):
        rng = np.random.default_rng((23, seed))
        error = law.error(n=n, m=m) * np.exp(NOISE * rng.standard_normal(25))
        run = law.error(n=far_n, m=far_m) * np.exp(NOISE * rng.standard_normal(9))
        p = fit(Chinchilla, error, objective="log", n=n, m=m).predict(n=far_n, m=far_m)
        joint, mean, centre = p.joint(), p.mean(), np.exp(np.log(run).mean())
        hits += [((joint.low <= run) & (run <= joint.high)).all(), mean.low <= centre <= mean.high]
        control += (np.abs(np.log(run / p.predicted)) < 1.645 * NOISE).all()
    assert (hits >= FEWEST_HITS).all()
    assert control < FEWEST_HITS
