"""Independent streams of random numbers, which are identified by their purpose and not by the order of use.

A root seed and a path of names and integers identify a stream.  If work is added, removed or reordered, the
random numbers of all other work therefore stay the same.
"""

from __future__ import annotations

import hashlib

import numpy as np

from errsrc import checks

_LARGEST = 2**63 - 1
_ROOT = checks.Integer(at_least=0, at_most=_LARGEST)
_STEP = checks.Integer(at_least=-_LARGEST - 1, at_most=_LARGEST)


def seed_of(seed: int, *path: str | int) -> int:
    """Return the 63-bit seed of the random stream that a root seed and a path identify.

    Different paths have different streams.  For example, ``("a", 1)``, ``("a", "1")`` and ``("a/1",)`` are
    three different paths.  Equal integers of different types, such as int and numpy.int64, give the same
    path.

    Parameters
    ----------
    seed : int
        The root seed, from 0 to 2^63 - 1.
    *path : str or int
        Names and integers that say what the stream is for.  Integers are from -2^63 to 2^63 - 1.

    Raises
    ------
    TypeError
        If `seed` or an element of `path` has another type.
    ValueError
        If an integer is out of range.

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
    """Return the numpy Generator of the random stream that a root seed and a path identify.

    Parameters
    ----------
    seed : int
        The root seed, from 0 to 2^63 - 1.
    *path : str or int
        Names and integers that say what the stream is for, see `seed_of`.
    """
    return np.random.default_rng(seed_of(seed, *path))
