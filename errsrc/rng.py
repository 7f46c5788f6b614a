"""The seed tree: independent streams named by what they are for, not by the order of use.

A stream is identified by a root seed and a path of names and integers, so that
adding, removing or reordering work never changes the numbers of the rest.
"""

from __future__ import annotations

import hashlib

import numpy as np

from errsrc import checks


def seed_of(seed: int, *path: str | int) -> int:
    """Return the 63-bit seed of the stream at `path` under the root `seed`.

    Examples
    --------
    >>> seed_of(0, "data", 1) == seed_of(0, "data", 1)
    True
    >>> seed_of(0, "data", 1) == seed_of(0, "data", 2)
    False
    """
    checks.integer(seed, "seed", "seed_of", 0)
    text = "/".join([str(seed), *(f"{type(p).__name__}:{p}" for p in path)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """Return the numpy Generator of the stream at `path` under the root `seed`."""
    return np.random.default_rng(seed_of(seed, *path))
