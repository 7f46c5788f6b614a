"""The empirical Mercer basis: leading eigenfunctions of a kernel, estimated from inputs without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, solve_triangular
from scipy.spatial.distance import pdist

from errsrc import checks
from errsrc.bases.basis import Array
from errsrc.bases.kernels import kernel
from errsrc.bases.memory import check_memory


@dataclass(frozen=True, eq=False)
class Mercer:
    """The leading M eigenfunctions of a kernel on a data set, as estimated by `mercer`.

    If the object is called with inputs, it returns the values of the eigenfunctions at these inputs.

    Attributes
    ----------
    landmarks : ndarray of float64, (L, dim)
        Inputs of the data set.  Each eigenfunction is a weighted sum of kernel functions, one centred at each
        landmark.
    weights : ndarray of float64, (L, M)
        Eigenfunction k has the weights ``weights[:, k]`` in this sum.
    name : str
        Name of the kernel, see `errsrc.bases.kernel`.
    length : float
        Length scale of the kernel.
    eigenvalues : ndarray of float64, (M,)
        Eigenvalues of K / L, where K is the kernel matrix of the landmarks; >= 0, largest first.  The sum of
        the eigenvalues is at most 1.
    """

    landmarks: Array
    weights: Array
    name: str
    length: float
    eigenvalues: Array

    def __call__(self, x: Array) -> Array:
        """Return the values of the functions at inputs.

        Parameters
        ----------
        x : ndarray of float64, (N, dim)
            Inputs.

        Returns
        -------
        values : ndarray of float64, (N, M)
            Values of the functions, one column for each function.

        Raises
        ------
        ValueError
            If the result is larger than half of the machine's memory.
        """
        check_memory(len(x), self.weights.shape[1], "Mercer")
        block = max(1, 2**26 // len(self.landmarks))
        parts = [
            kernel(x[i : i + block], self.landmarks, self.name, self.length) @ self.weights
            for i in range(0, len(x), block)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.weights.shape[1]))


@checks.arguments(length=checks.Number(at_least=0))
def mercer(
    x: Array, size: int, landmarks: int, rng: np.random.Generator, name: str = "rbf", length: float = 0.0
) -> Mercer:
    """Return the leading eigenfunctions of a kernel with respect to the distribution of inputs.

    The function chooses random landmarks among the inputs and computes the eigenfunctions of the kernel on
    these landmarks.  The Nystrom method extends the eigenfunctions to other inputs (Williams and Seeger
    2000).  Then the eigenfunctions are made orthonormal on all of `x`, in order of decreasing eigenvalue.  If
    only `size` differs between two calls, the smaller basis consists of the first functions of the larger
    basis.

    Parameters
    ----------
    x : ndarray of float64, (N, dim)
        Inputs without labels.
    size : int
        M, the number of functions, from 1 to `landmarks`.
    landmarks : int
        L, the number of landmarks, from 1 to N.
    rng : numpy.random.Generator
        Source of the random choice of the landmarks.
    name : str
        Name of the kernel, see `errsrc.bases.kernel`.
    length : float
        Length scale of the kernel, >= 0.  With 0, the length scale is the median distance between landmarks.

    Returns
    -------
    functions : Mercer
        The eigenfunctions.

    Raises
    ------
    ValueError
        If `size`, `landmarks` or `length` is out of range, or if fewer than M eigenvalues are larger than
        rounding errors.

    Notes
    -----
    Cost: about L^3 + N L (dim + M) operations.

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
    checks.Integer(at_least=1, at_most=len(x))(landmarks, "landmarks", "mercer")
    checks.Integer(at_least=1, at_most=landmarks)(size, "size", "mercer")
    chosen = x[rng.choice(len(x), landmarks, replace=False)]
    if length == 0:
        length = (float(np.median(pdist(chosen))) if landmarks > 1 else 0.0) or 1.0
    gram = kernel(chosen, chosen, name, length)
    eigenvalues, vectors = eigh(gram, subset_by_index=[landmarks - size, landmarks - 1])
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1]
    above_rounding = eigenvalues > landmarks * np.finfo(float).eps * eigenvalues[0]
    if not above_rounding[-1]:
        accepted = f"at most {int(above_rounding.sum())} for this kernel"
        raise ValueError(checks.refusal("size", "mercer", accepted, size))
    largest = vectors[np.abs(vectors).argmax(0), np.arange(size)]
    vectors *= np.where(largest < 0, -1.0, 1.0)  # so that signs do not depend on the eigensolver
    weights = vectors * (np.sqrt(landmarks) / eigenvalues)
    extended = Mercer(chosen, weights, name, length, eigenvalues / landmarks)
    triangle = np.linalg.qr(extended(x) / np.sqrt(len(x)), mode="r")
    triangle *= np.sign(np.diag(triangle))[:, None]
    orthonormal = solve_triangular(triangle, weights.T, trans="T").T
    return Mercer(chosen, orthonormal, name, length, eigenvalues / landmarks)
