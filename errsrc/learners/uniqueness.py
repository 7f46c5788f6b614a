"""Certificates that no other combination of few basis functions gives the same labels at the given nodes.

A learner finds a set S of at most K functions of a basis that give the labels exactly.  Another set T of at
most K functions may give the same labels.  Let A be the matrix of all M functions at the n nodes.  If every 2
K columns of A are linearly independent, no such T exists (Donoho and Elad 2003).  Random inputs do not always
have this property: on the Boolean cube, a few nodes give many functions the same values.  A test of all sets
of 2 K columns takes too long if M is large.  This module therefore starts from the set S that was found:

1. The columns of S must be independent, and no other column may lie in their span.  Otherwise nothing is
   proved.  If a set T with random coefficients gives the labels, almost surely all columns of T lie in the
   span of S.  Therefore this check alone excludes almost every other teacher.
2. Project all other columns on the complement of the span of S.  If every K of the projections are
   independent, no other set gives the labels of any function in the span of S.  Columns of small coherence
   are independent without a search.  Otherwise all sets of K projections are tested, if this takes at most
   `LARGEST_COST` operations.
3. If all values are -1 and 1, as on the cube, a set T that gives the labels of K functions S implies a linear
   relation between the coefficients with small integers: determinants of matrices of -1 and 1 of order K + 1,
   divided by 2^K.  If the coefficients have no such relation, no such set T exists.
4. If a function that varies has equal absolute values at many nodes, the nodes have a structure, such as a
   grid or a symmetry.  Coefficients of equal size may then give the labels of other functions, and check 1
   alone proves nothing about such coefficients.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd

from errsrc.settings.setting import Array

IDENTIFIED = 1e-6
"""Smallest distance from a span, for columns of norm 1, that counts as linear independence.

The reciprocal is the largest condition number of the functions in the support.
"""

LARGEST_COST = 2e8
"""Largest number of operations of a proof by coherence or by enumeration."""

_INTEGERS = {1: 1, 2: 1, 3: 2, 4: 3, 5: 5, 6: 9}
"""For each K, the largest determinant of a matrix of -1 and 1 of order K + 1, divided by 2^K (Hadamard)."""

_RELATION = 1e-9  # largest sum that counts as a relation, divided by the largest coefficient
_COST = 10.0  # operations for each entry of a Gram matrix
_PROBE = 32  # number of columns whose coherence is computed first
_SAME = 1e-12  # largest difference of two values that counts as 0, divided by the largest value
_INDEPENDENT = 1e-10  # smallest square of a distance that counts as independence in the enumeration

EVERY, ALMOST, NONE = "every teacher", "almost every teacher", "none"
"""The certificates, see `errsrc.learners.sparse.SparseFit.certificate`."""


def certify_support(
    values: Array, support: NDArray[np.int64], coefficients: Array, sparsity: int, *, strides: bool = False
) -> tuple[str, str]:
    """Return the set of teachers for which a function without training error is certainly the teacher.

    Parameters
    ----------
    values : ndarray of float64, (n, M)
        Values of all functions of the basis at the nodes.
    support : ndarray of int64, (S,)
        Positions of the functions that were found.
    coefficients : ndarray of float64, (S,) or (S, outputs)
        Coefficients of these functions.
    sparsity : int
        K, the largest number of functions of the target; S <= K.
    strides : bool
        True if the nodes are different and equally spaced, the basis is trigonometric, and different
        frequencies change the phase by different angles from one node to the next.  Any n columns of complex
        exponentials are then independent (Vandermonde).

    Returns
    -------
    certificate : str
        The teachers for which the labels prove that this function is the teacher: "every teacher", "almost
        every teacher" or "none".
    reason : str
        The reason for the certificate, as the second half of a sentence.
    """
    norms = np.linalg.norm(values, axis=0)
    columns = values / np.where(norms > 0, norms, 1.0)
    span, d, _ = svd(columns[:, support], full_matrices=False)
    if len(values) < len(support) or not d[-1] > IDENTIFIED * d[0]:
        return NONE, "the inputs do not tell its functions apart"
    others = np.delete(columns, support, axis=1)
    others -= span @ (span.T @ others)
    others -= span @ (span.T @ others)  # twice, so that they are orthogonal up to rounding
    distances = np.linalg.norm(others, axis=0)
    same = int((distances <= IDENTIFIED).sum())
    if same:
        return NONE, f"at these inputs {same:,} other functions are combinations of those found"
    if strides:
        return EVERY, "no other K-sparse function has these labels"
    if _without_integer_relation(values, support, coefficients, sparsity):
        return EVERY, "no other K-sparse function has these labels"
    if len(values) >= len(support) + sparsity and _all_independent(others / distances, sparsity):
        return EVERY, "no other K-sparse function has these labels"
    if _has_repeated_values(values):
        return NONE, "the inputs have a structure by which other functions may fit"
    return ALMOST, "for almost all coefficients no other K-sparse function has these labels"


def _all_independent(columns: Array, count: int) -> bool:
    """Return whether a cheap proof shows that every `count` of the columns, of norm 1, are independent."""
    n, size = columns.shape
    count = min(count, size)
    if count <= 1:
        return True
    if math.comb(size, count - 2) * _COST * size**2 > LARGEST_COST:  # only a small coherence can prove it
        probe = columns[:, :_PROBE].T @ columns - np.eye(_PROBE, size)
        if (count - 1) * np.abs(probe).max() >= 1 or n * size**2 > LARGEST_COST:
            return False
    return _independent_subsets(columns.T @ columns, count, [LARGEST_COST])


def _independent_subsets(gram: Array, count: int, budget: list[float]) -> bool:
    """Return whether every `count` >= 2 columns with a given Gram matrix of unit diagonal are independent.

    `budget` holds the number of operations that are left; without any, the answer is False.
    """
    size = len(gram)
    if size < count:
        return True
    budget[0] -= _COST * size**2
    if budget[0] < 0:
        return False
    coherence = float(np.abs(gram - np.eye(size)).max())
    if (count - 1) * coherence < 1 - 1e-6:  # diagonally dominant, so nonsingular
        return True
    if count == 2:
        return coherence**2 < 1 - _INDEPENDENT
    for first in range(size - count + 1):
        row = gram[first, first + 1 :]
        left = gram[first + 1 :, first + 1 :] - np.outer(row, row)
        squares = np.diag(left).copy()
        if squares.min() <= _INDEPENDENT:
            return False
        scales = np.sqrt(squares)
        if not _independent_subsets(left / np.outer(scales, scales), count - 1, budget):
            return False
    return True


def _without_integer_relation(
    values: Array, support: NDArray[np.int64], coefficients: Array, sparsity: int
) -> bool:
    """Return whether values of -1 and 1, and coefficients without a relation of integers, prove uniqueness.

    Let y = A_S c = A_T c' with |T| <= K, and let A_T have rank r <= K.  Choose r independent columns of A_T,
    and r + 1 rows.  The determinants of these columns, next to a column s of S, are integers m_s, whose sum
    of m_s c_s is 0.  If the coefficients have no such relation, all m_s are 0 for all rows, so the span of S
    lies in the span of T.  If S has K functions, the spans are equal, which the caller has excluded.
    """
    if len(support) != sparsity or sparsity not in _INTEGERS or not (np.abs(values) == 1).all():
        return False
    one_output = coefficients.reshape(len(support), -1)[:, 0]  # a relation holds for all outputs
    half, largest = sparsity // 2, _INTEGERS[sparsity]
    left, right = (_integer_sums(part, largest) for part in (one_output[:half], one_output[half:]))
    right.sort()
    tolerance = _RELATION * float(np.abs(one_output).max())
    first, last = (np.searchsorted(right, side) for side in (left - tolerance, left + tolerance))
    return int((last - first).sum()) == 1  # all integers 0


def _integer_sums(numbers: Array, largest: int) -> Array:
    """Return the sums of numbers times integers from -largest to largest, for all such integers."""
    sums, integers = np.zeros(1), np.arange(-largest, largest + 1)
    for number in numbers:
        sums = (sums[:, None] + number * integers).ravel()
    return sums


def _has_repeated_values(values: Array) -> bool:
    """Return whether a function that varies has the same absolute value at a quarter of the nodes or more.

    A value counts if another node has it too.  Values near 0 do not count, because functions of high degree
    are small at many nodes.
    """
    rows = np.unique(values, axis=0)  # a node that is drawn twice adds nothing
    block = max(1, 2**22 // max(len(rows), 1))
    for start in range(0, rows.shape[1], block):
        part = rows[:, start : start + block]
        largest = np.abs(part).max(0)
        varies = np.ptp(part, axis=0) > IDENTIFIED * largest
        sizes = np.sort(np.abs(part), axis=0)
        equal = (np.diff(sizes, axis=0) <= _SAME * largest) & (sizes[1:] > IDENTIFIED * largest)
        if bool((varies & (4 * equal.sum(0) >= len(rows))).any()):
            return True
    return False
