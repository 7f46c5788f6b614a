"""A table of runs for the explorer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from errsrc.laws import Chinchilla


@pytest.fixture(scope="package")
def runs() -> bytes:
    """A CSV file of 16 runs in tokens, params and loss."""
    law = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
    noise = np.exp(0.005 * np.random.default_rng(0).standard_normal(16))
    sizes = itertools.product([1e9, 4e9, 16e9, 64e9], [1e7, 4e7, 16e7, 64e7])
    rows = [f"{n:g},{m:g},{law.error(n=n, m=m) * one:.6f}" for (n, m), one in zip(sizes, noise, strict=True)]
    return "\n".join(["tokens,params,loss", *rows]).encode()
