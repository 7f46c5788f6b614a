"""Scrambled Sobol points, the random starts of a fit.

The points equal those of `scipy.stats.qmc.Sobol` to the last bit.  This module does not import scipy.stats,
because that import takes longer than a fit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BITS = 30
"""Binary digits of a coordinate."""

_DIRECTIONS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (0, (1,)),
    (1, (1, 3)),
    (1, (1, 3, 1)),
    (2, (1, 1, 1)),
    (1, (1, 1, 3, 3)),
    (4, (1, 3, 5, 13)),
    (2, (1, 1, 5, 5, 17)),
    (4, (1, 1, 5, 5, 5)),
    (7, (1, 1, 7, 11, 19)),
)
"""For each dimension from the second on: the inner coefficients of a primitive polynomial over the integers
modulo 2, as the bits of a number, and the first direction integers (Joe and Kuo 2008, SIAM J. Sci. Comput.
30, 2635, search criterion D6)."""


def scrambled_sobol(count: int, dim: int, rng: np.random.Generator) -> Array:
    """Return the first points of a scrambled Sobol sequence in the unit cube.

    Parameters
    ----------
    count : int
        Number of points, a power of 2.
    dim : int
        Number of coordinates.  For more than 10 coordinates, the points come from scipy.stats.
    rng : numpy.random.Generator
        Source of the scrambling: a random linear map of the binary digits and a random shift (Matousek 1998,
        J. Complexity 14, 527).

    Returns
    -------
    array of shape (count, dim), float64
        Points in [0, 1).

    Examples
    --------
    >>> scrambled_sobol(4, 2, np.random.default_rng(0)).round(2)
    array([[0.41, 0.96],
           [0.72, 0.11],
           [0.9 , 0.53],
           [0.22, 0.41]])
    """
    if dim > 1 + len(_DIRECTIONS):
        from scipy.stats import qmc

        points: Array = qmc.Sobol(dim, rng=rng).random(count)
        return points
    (own,) = rng.spawn(1)
    powers = 1 << np.arange(BITS, dtype=np.uint32)
    shift = own.integers(2, size=(dim, BITS), dtype=np.uint32) @ powers
    scramble = np.tril(own.integers(2, size=(dim, BITS, BITS), dtype=np.uint32))
    scramble[:, range(BITS), range(BITS)] = 1
    digits = (_direction_numbers(dim)[:, :, None] >> np.arange(BITS, dtype=np.uint32)[::-1]) & 1
    directions = (np.einsum("dpi,dji->djp", scramble, digits) & 1) @ powers[::-1]
    steps = [(k & -k).bit_length() - 1 for k in range(1, count)]  # where the Gray codes of k - 1 and k differ
    terms = np.concatenate([shift[:, None], directions[:, steps]], axis=1)
    return np.bitwise_xor.accumulate(terms, axis=1).T * 2.0**-BITS


def _direction_numbers(dim: int) -> NDArray[np.uint32]:
    """Return the unscrambled direction numbers, (dim, `BITS`), by Sobol's recurrence."""
    rows = [[1] * BITS]
    for inner, first in _DIRECTIONS[: dim - 1]:
        degree, row = len(first), list(first)
        for k in range(degree, BITS):
            value = row[k - degree] ^ (row[k - degree] << degree)
            for i in range(1, degree):
                if inner >> (degree - 1 - i) & 1:
                    value ^= row[k - i] << i
            row.append(value)
        rows.append(row)
    return np.array(rows, dtype=np.uint32) << np.arange(BITS, dtype=np.uint32)[::-1]
