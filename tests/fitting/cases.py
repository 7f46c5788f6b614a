"""Laws, sizes and noisy errors that several tests fit."""

from __future__ import annotations

import numpy as np

from errsrc.laws import Dense, JointPruning

CIFAR = Dense(eps0=0.9, alpha=0.66, beta=0.53, b=0.3, c_inf=0.8, eta=4.0, n_full=50_000, m_base=7e5)


def grid(steps: int = 6) -> dict[str, np.ndarray]:
    n, m = np.meshgrid(50_000 / 2.0 ** np.arange(steps), 7e5 / 4.0 ** np.arange(steps))
    return {"n": n.ravel(), "m": m.ravel()}


def noisy(law, sizes, noise: float, seed: int = 0) -> np.ndarray:
    truth = law.error(**sizes)
    error = truth * np.exp(noise * np.random.default_rng(seed).standard_normal(truth.shape))
    return np.minimum(error, getattr(law, "eps0", np.inf))


def pruned_grid(seed: int, noise: float) -> tuple[JointPruning, dict[str, np.ndarray], np.ndarray]:
    """Return a law, the inputs of twelve pruned networks, and their noisy errors."""
    law = JointPruning(eps_up=0.9, gamma=0.8, p=1.0, phi=0.4, psi=1.1)
    depth, width, n = (x.ravel() for x in np.meshgrid([1.0, 2.0], [8.0, 16.0, 32.0], [1e3, 4e3]))
    rng = np.random.default_rng(seed)
    eps_np = DENSE.error(n=n, m=100 * width)
    rows = {"depth": depth, "width": width, "eps_np": eps_np, "density": np.ones(len(depth))}
    sizes = {name: np.repeat(x, 25) for name, x in rows.items()}
    sizes["density"] = np.tile(0.8 ** np.arange(25), len(depth))
    return law, sizes, law.error(**sizes) * np.exp(noise * rng.standard_normal(len(sizes["depth"])))


DENSE = Dense(eps0=0.9, alpha=0.4, beta=0.5, b=0.5, c_inf=0.3, eta=4.0, n_full=4e3, m_base=3200.0)
