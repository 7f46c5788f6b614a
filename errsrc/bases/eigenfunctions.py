"""The empirical Mercer basis: the leading eigenfunctions of a kernel on data, estimated from inputs alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, solve_triangular
from scipy.spatial.distance import pdist

from errsrc import checks
from errsrc.bases.basis import Array, check_memory
from errsrc.bases.kernels import kernel


@dataclass(frozen=True, eq=False)
class Mercer:
    """The top M eigenfunctions of a kernel on inputs, as functions of any input; made by `mercer`.

    Attributes
    ----------
    landmarks
        float64 (L, dim): the inputs that functions are sums of kernels at.
    weights
        float64 (L, M): function k is the sum over landmarks of kernel times ``weights[:, k]``.
    name, length
        The kernel, see `errsrc.bases.kernel`.
    eigenvalues
        float64 (M,): of the kernel's operator on the landmarks, largest first, each >= 0; they sum to at
        most 1.
    """

    landmarks: Array
    weights: Array
    name: str
    length: float
    eigenvalues: Array

    def __call__(self, x: Array) -> Array:
        """Return the functions at x (N, dim), float64 (N, M)."""
        check_memory(len(x), self.weights.shape[1], "Mercer")
        block = max(1, 2**26 // len(self.landmarks))
        parts = [
            kernel(x[i : i + block], self.landmarks, self.name, self.length) @ self.weights
            for i in range(0, len(x), block)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.weights.shape[1]))


def mercer(
    x: Array, size: int, landmarks: int, rng: np.random.Generator, name: str = "rbf", length: float = 0.0
) -> Mercer:
    """Return the top eigenfunctions of a kernel on the distribution that inputs come from.

    The eigenfunctions are those of the kernel on randomly chosen landmarks, extended to other inputs as
    Nystrom does (Williams and Seeger 2000), and then made orthonormal on all of x, in their order: a smaller
    basis of the same inputs, landmarks and chance is the beginning of a larger one.

    Parameters
    ----------
    x : float64, (N, dim)
        Inputs without labels.
    size
        M, from 1 to ``landmarks``.
    landmarks
        L, from 1 to N.
    rng
        Chooses them.
    name, length
        The kernel, see `errsrc.bases.kernel`; for length 0 the median distance of landmarks.

    Raises
    ------
    ValueError
        For sizes out of range, and where the kernel has no M eigenvalues above rounding.

    Notes
    -----
    Cost: L^3 + N L (dim + M).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((500, 2))
    >>> basis = mercer(x, 4, 100, rng)
    >>> (basis(x).T @ basis(x) / 500).round(9) + 0.0
    array([[1., 0., 0., 0.],
           [0., 1., 0., 0.],
           [0., 0., 1., 0.],
           [0., 0., 0., 1.]])
    """
    checks.integer(landmarks, "landmarks", "mercer", 1, len(x))
    checks.integer(size, "size", "mercer", 1, landmarks)
    checks.number(length, "length", "mercer", 0)
    chosen = x[rng.choice(len(x), landmarks, replace=False)]
    if length == 0:
        length = (float(np.median(pdist(chosen))) if landmarks > 1 else 0.0) or 1.0
    gram = kernel(chosen, chosen, name, length)
    d, v = eigh(gram, subset_by_index=[landmarks - size, landmarks - 1])
    d, v = d[::-1], v[:, ::-1]
    if d[-1] <= landmarks * np.finfo(float).eps * d[0]:
        kept = int((d > landmarks * np.finfo(float).eps * d[0]).sum())
        raise ValueError(checks.refusal("size", "mercer", f"at most {kept} for this kernel", size))
    v *= np.where(v[np.abs(v).argmax(0), np.arange(size)] < 0, -1.0, 1.0)
    raw = Mercer(chosen, v * (np.sqrt(landmarks) / d), name, length, d / landmarks)
    triangle = np.linalg.qr(raw(x) / np.sqrt(len(x)), mode="r")
    triangle *= np.sign(np.diag(triangle))[:, None]
    weights = solve_triangular(triangle, raw.weights.T, trans="T").T
    return Mercer(chosen, weights, name, length, d / landmarks)
