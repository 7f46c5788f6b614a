"""The seed tree: independent streams named by what they are for, not by the order of use.

A stream is identified by a root seed and a path of names and integers, so that
adding, removing or reordering work never changes the numbers of the rest.
"""

from __future__ import annotations

import hashlib

import numpy as np

from errsrc import checks

_LARGEST = 2**63 - 1
_ROOT = checks.Integer(at_least=0, at_most=_LARGEST)
_STEP = checks.Integer(at_least=-_LARGEST - 1, at_most=_LARGEST)


def seed_of(seed: int, *path: str | int) -> int:
    """Return the 63-bit seed of the stream at `path` under the root `seed`.

    Different paths have different streams, ``("a", 1)``, ``("a", "1")`` and ``("a/1",)`` among them; an
    integer is the same step whatever its type.

    Parameters
    ----------
    seed : int
        The root, from 0 to 2^63 - 1.
    *path : str or int
        What the stream is for; integers from -2^63 to 2^63 - 1.

    Raises
    ------
    TypeError
        `seed` or an element of `path` is of another type.
    ValueError
        An integer is out of range.

    Examples
    --------
    >>> seed_of(0, "data", 1) == seed_of(0, "data", 1)
    True
    >>> seed_of(0, "data", 1) == seed_of(0, "data", 2)
    False
    """
    steps = [str(_ROOT(seed, "seed", "seed_of"))]
    for step in path:
        if isinstance(step, str):
            steps.append("str:" + step.replace("/", "//"))  # doubled, so that it isn't taken for a separator
            continue
        try:
            steps.append(f"int:{_STEP(step, 'path', 'seed_of')}")
        except TypeError:
            raise TypeError(checks.refusal("path", "seed_of", "strings and integers", step)) from None
    digest = hashlib.sha256("/".join(steps).encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """Return the numpy Generator of the stream at `path` under the root `seed`.

    Parameters
    ----------
    seed : int
        The root, from 0 to 2^63 - 1.
    *path : str or int
        What the stream is for, as `seed_of` takes it.
    """
    return np.random.default_rng(seed_of(seed, *path))
