"""Is anything certified that is wrong? Designs of inputs that are made to break certificates.

    python benchmarks/certificates.py [--designs 10000] [--networks 0.05] [--quadratic 1000] [--seed 0]
                                      [--flats 200] [--out benchmarks/results/certificates.json]

Each design draws a teacher without noise and inputs that are not in general position: repeated inputs, few
different inputs, one value, grids, subgroups and cosets of the torus and the cube, symmetric inputs, inputs
on a line, and clusters; one in eight is random. Coefficients are normal, or all of equal size. Five learners
state what they prove: `SparseRecovery`, `MatrixPencil` and `NetworkClass` (`certified`), `BandLeastSquares`,
direct and by iteration, and `BandSelection` (`determined`). A certified function is *wrong* if its relative
error is above 1e-6 (1e-5 for networks). For `determined`, whose status states the condition number, the error
may be 100 x condition number x rounding.

Further designs, as many as --quadratic says, are for quadratic networks, whose size is known (`NetworkClass`)
or bounded (`NetworkSelection`). Their inputs are also rays, spheres, two or three orthogonal subspaces, two
planes, and sparse or equal columns. Weights are normal, integers, orthogonal, equal in two units, or across
the two planes. As many designs as --flats says are for networks whose inputs lie in two points, lines or
planes, also with two units of equal output weights.

One core: 3 minutes, of which networks (the given share of the designs) take half; quadratic ones 6 minutes,
flats 1 minute.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from errsrc.bases import BandFunction, Basis, Cube, Legendre, Sphere, Torus
from errsrc.errors import Undersampled
from errsrc.learners import (
    BandLeastSquares,
    BandSelection,
    MatrixPencil,
    NetworkClass,
    NetworkSelection,
    SparseRecovery,
)
from errsrc.nets import MLP, QuadraticNetwork
from errsrc.settings import NetworkTeacher, Stride

Array = NDArray[np.float64]
Rng = np.random.Generator

BASES: tuple[Basis, ...] = (
    Cube(8, 3), Cube(6, 2), Torus(20), Torus(7), Torus(4, 2), Torus(2, 3), Legendre(15), Sphere(4),
)  # fmt: skip
WRONG = 1e-6


def design(basis: Basis, n: int, rng: Rng) -> tuple[str, Array]:
    """Return the name of a design and n inputs in the domain of a basis."""
    u = rng.uniform(size=(n, basis.cube_dim))
    kind = str(
        rng.choice(["random", "repeated", "one value", "grid", "coset", "symmetric", "line", "cluster"])
    )
    if kind == "repeated":
        u = u[rng.integers(max(1, n // int(rng.integers(2, 5))), size=n)]
    elif kind == "one value":
        u[:] = u[0]
    elif kind == "grid":
        count = int(rng.integers(2, 24))
        u = (np.floor(u * count) + rng.choice([0.0, 0.5, 0.3])) / count
    elif kind == "coset":  # a subgroup, moved: some coordinates are copies or constant
        u = u[:, rng.integers(basis.cube_dim, size=basis.cube_dim)]
        u[:, rng.uniform(size=basis.cube_dim) < 0.3] = rng.uniform()
        count = int(rng.choice([2, 4, 8, 16]))
        u = (np.floor(u * count) / count + rng.uniform() / count) % 1
    elif kind == "symmetric":
        u = np.concatenate([u[: (n + 1) // 2], 1 - u[: n // 2]])
    elif kind == "line":
        u = np.repeat(u[:, :1], basis.cube_dim, axis=1)
    elif kind == "cluster":
        u = (0.4 + 10 ** rng.uniform(-6, -1) * (u - 0.5)) % 1
    return kind, basis.place(np.clip(u, 0, 1 - 2**-53))


def coefficients(size: int, count: int, rng: Rng) -> Array:
    """Return `count` normal coefficients, or coefficients of equal size, at random positions of `size`."""
    out, places = np.zeros(size), rng.choice(size, count, replace=False)
    out[places] = rng.choice([-1.0, 1.0], count) if rng.uniform() < 0.5 else rng.standard_normal(count)
    return out


def sparse(rng: Rng) -> tuple[str, bool, bool]:
    """Return the design, whether a sparse fit is certified, and whether it is wrong."""
    basis = BASES[rng.integers(len(BASES))]
    most = int(rng.integers(1, 6))
    n = int(rng.integers(2, 8 * most + 4))
    kind, x = design(basis, n, rng)
    teacher = BandFunction(basis, coefficients(basis.size, int(rng.integers(1, most + 1)), rng))
    fit = SparseRecovery(basis, most).fit(x, teacher(x), rng).function
    return kind, fit.certified, teacher.relative_error(fit) > WRONG


def pencil(rng: Rng) -> tuple[str, bool, bool]:
    """Return the same for the matrix pencil, whose nodes are strides."""
    basis, most = Torus(int(rng.integers(2, 40))), int(rng.integers(1, 5))
    step = float(
        rng.choice([1 / basis.size, 2 / (2 * basis.size + 1), (5**0.5 - 1) / 2, rng.uniform(0.01, 0.99)])
    )
    n = int(rng.integers(2, 4 * most + 2))
    try:
        learner = MatrixPencil(basis, most, step)
    except ValueError:  # frequencies that turn by the same angle are refused
        return "refused", False, False
    if any(abs(k * step - round(k * step)) < 1e-6 for k in range(1, n)):
        return "refused", False, False  # repeated nodes are refused
    x = 2 * np.pi * Stride(step).points(n, 1, rng)
    teacher = BandFunction(basis, coefficients(basis.size, int(rng.integers(1, most + 1)), rng))
    fit = learner.fit(x, teacher(x), rng).function
    return "strides", fit.certified, teacher.relative_error(fit) > WRONG


def band(rng: Rng) -> tuple[str, bool, bool]:
    """Return the same for least squares in a known band."""
    basis = BASES[rng.integers(len(BASES))]
    iterated = isinstance(basis, Torus) and rng.uniform() < 0.5
    n = int(basis.size * rng.uniform(1 if iterated else 0.5, 4)) + 1
    kind, x = design(basis, n, rng)
    teacher = BandFunction(basis, coefficients(basis.size, basis.size, rng))
    fit = (
        BandLeastSquares(basis, weights="density" if iterated else "uniform").fit(x, teacher(x), rng).function
    )
    allowed = max(WRONG, 100 * fit.condition * np.finfo(float).eps) if fit.determined else WRONG
    return kind, fit.determined, teacher.relative_error(fit) > allowed


def selection(rng: Rng) -> tuple[str, bool, bool]:
    """Return the same for a band that is chosen from the data."""
    bound = BASES[rng.integers(len(BASES))]
    basis = bound.nested[rng.integers(len(bound.nested))]
    n = int(rng.integers(2, 3 * bound.size))
    kind, x = design(bound, n, rng)
    teacher = BandFunction(basis, rng.standard_normal(basis.size))
    fit = BandSelection(bound).fit(x, teacher(x), rng).function
    allowed = max(WRONG, 100 * fit.condition * np.finfo(float).eps) if fit.determined else WRONG
    return kind, fit.determined and fit.vanished, teacher.relative_error(fit) > allowed


def network(rng: Rng) -> tuple[str, bool, bool]:
    """Return the same for a network; its error is at normal inputs of the same spread."""
    sizes = [(1, 1, 1), (1, 2, 1), (2, 1, 1), (2, 2, 1), (3, 1, 1)][rng.integers(5)]
    architecture = MLP(sizes, str(rng.choice(["tanh", "sine", "gelu", "linear"])))
    n, dim = int(rng.integers(2, 3 * architecture.parameters)), sizes[0]
    x = rng.standard_normal((n, dim))
    kind = str(
        rng.choice(["random", "repeated", "one value", "grid", "symmetric", "line", "constant column"])
    )
    if kind == "repeated":
        x = x[rng.integers(max(1, n // 3), size=n)]
    elif kind == "one value":
        x[:] = x[0]
    elif kind == "grid":
        x = np.round(x * rng.uniform(0.5, 4)) + rng.uniform()
    elif kind == "symmetric":
        x = np.concatenate([x[: (n + 1) // 2], -x[: n // 2]])
    elif kind == "line":
        x = x[:, :1] * rng.standard_normal(dim) + rng.standard_normal(dim)
    elif kind == "constant column":
        x[:, -1] = rng.standard_normal()
    teacher = NetworkTeacher(architecture, float(rng.choice([1.0, 2.0, 5.0]))).teacher(rng)
    fit = NetworkClass(architecture, starts=16, steps=200, together=16).fit(x, teacher(x), rng).function
    fresh = x.mean(0) + np.where(x.std(0) > 0, x.std(0), 1.0) * rng.standard_normal((300, dim))
    truth = teacher(fresh)
    return kind, fit.certified, np.linalg.norm(fit(fresh) - truth) > 1e-5 * np.linalg.norm(truth)


def form_inputs(kind: str, n: int, dim: int, rng: Rng) -> tuple[Array, Array]:
    """Return n inputs for a quadratic form, and a matrix whose first rows matter for the design."""
    x, turn = rng.standard_normal((n, dim)), np.linalg.qr(rng.standard_normal((dim, dim)))[0]
    if kind == "repeated":
        x = x[rng.integers(max(1, n // 2), size=n)]
    elif kind == "grid":
        x = np.round(x * rng.uniform(0.5, 3))
    elif kind == "cube":
        x = np.sign(x) * rng.uniform(0.5, 2, dim)
    elif kind == "symmetric":
        x = np.concatenate([x[: (n + 1) // 2], -x[: n // 2]])
    elif kind == "rays":
        x = x[rng.integers(max(1, n // 2), size=n)] * rng.uniform(0.5, 2, (n, 1))
    elif kind == "line":
        x = x[:, :1] * rng.standard_normal(dim) + rng.standard_normal(dim)
    elif kind == "cluster":
        x = rng.standard_normal(dim) + 10 ** rng.uniform(-5, -1) * x
    elif kind == "subspaces":
        parts = int(rng.integers(2, 4))
        own = np.arange(dim) * parts // dim
        x = np.where(own == rng.integers(parts, size=(n, 1)), x, 0) @ turn
    elif kind == "two planes":
        x[np.arange(n), rng.integers(min(2, dim), size=n)] = 0
        x = x @ turn
    elif kind == "sparse":
        x *= rng.uniform(size=(n, dim)) < rng.uniform(0.3, 0.8)
    elif kind == "sphere":
        x *= np.sqrt(dim) / np.linalg.norm(x, axis=1, keepdims=True)
    elif kind == "equal columns":
        x[:, 0] = np.where(rng.uniform(size=n) < 0.5, x[:, -1], -x[:, -1])
    return x, turn


FORMS = (
    "random", "repeated", "grid", "cube", "symmetric", "rays", "line", "cluster", "subspaces", "two planes",
    "sparse", "sphere", "equal columns",
)  # fmt: skip


def quadratic(rng: Rng) -> tuple[str, bool, bool]:
    """Return the same for a quadratic network, whose size is known or only bounded."""
    kind, dim = str(rng.choice(FORMS)), int(rng.integers(2, 6))
    most = int(rng.integers(1, min(3, dim) + 1))
    network = QuadraticNetwork(dim, int(rng.integers(1, most + 1)))
    largest = QuadraticNetwork(dim, most)
    n = int(rng.integers(network.degrees_of_freedom, network.separating_examples(largest) + 4))
    x, turn = form_inputs(kind, n, dim, rng)
    w = rng.standard_normal((network.width, dim))
    special = rng.choice(
        ["normal", "integer", "orthogonal", "equal units", "across"], p=[0.4, 0.2, 0.15, 0.1, 0.15]
    )
    if special == "integer":
        w = np.round(2 * w)
        w[0, 0] += not w.any()
    elif special == "orthogonal":
        w = np.linalg.qr(rng.standard_normal((dim, dim)))[0][: network.width]
    elif special == "equal units":
        w[-1] = w[0]
    elif special == "across":
        w[0] = rng.choice([turn[0] + turn[1], rng.standard_normal(2) @ turn[:2]])
    weights = (torch.from_numpy(w)[None],)

    def teacher(at: Array) -> Array:
        return np.asarray(network(weights, torch.from_numpy(at))[0, :, 0])

    search: dict[str, Any] = {"starts": 16, "steps": 200, "together": 8}
    if rng.uniform() < 0.5:
        learner: NetworkClass | NetworkSelection = NetworkClass(network, **search)
    else:
        learner = NetworkSelection(
            largest, start_from=str(rng.choice(["auto", "random", "pruned"])), **search
        )
    fit = learner.fit(x, teacher(x), rng).function
    fresh = rng.standard_normal((300, dim))
    truth = teacher(fresh)
    return kind, fit.certified, np.linalg.norm(fit(fresh) - truth) > 1e-5 * np.linalg.norm(truth)


def flats(rng: Rng) -> tuple[str, bool, bool]:
    """Return the same for a network whose inputs lie in two flats of random directions and positions."""
    dim, width = int(rng.integers(2, 5)), int(rng.integers(1, 3))
    architecture = MLP((dim, width, 1), str(rng.choice(["tanh", "sine", "gelu", "square"])))
    n = int(rng.integers(architecture.degrees_of_freedom + 1, 2 * architecture.parameters + 4))
    apart = rng.uniform() < 0.7  # the dimensions of the flats add up to dim - 1
    low = int(rng.integers(0, dim)) if apart else dim - 1
    dims = (low, dim - 1 - low if apart else dim - 1)
    sides, places = np.arange(n) % 2, 2 * rng.standard_normal((2, dim))

    def inputs(sides: NDArray[np.int64]) -> Array:
        own = np.array([*directions])[sides]
        return np.asarray(
            places[sides] + np.einsum("nk,nkd->nd", rng.standard_normal((len(sides), dim)), own)
        )

    directions = [rng.standard_normal((dim, dim)) * (np.arange(dim) < size)[:, None] for size in dims]
    x = inputs(sides)
    teacher = NetworkTeacher(architecture, float(rng.choice([1.0, 2.0]))).teacher(rng)
    if rng.uniform() < 0.3:
        teacher.weights[-2][:] = 1.0  # equal output weights
    fit = NetworkClass(architecture, starts=16, steps=200, together=16).fit(x, teacher(x), rng).function
    fresh = x.mean(0) + x.std(0) * rng.standard_normal((300, dim))
    truth = teacher(fresh)
    kind = "separate flats" if apart else "two planes"
    return kind, fit.certified, np.linalg.norm(fit(fresh) - truth) > 1e-5 * np.linalg.norm(truth)


LEARNERS: dict[str, Callable[[Rng], tuple[str, bool, bool]]] = {
    "sparse recovery": sparse,
    "matrix pencil": pencil,
    "band": band,
    "selection": selection,
    "network": network,
    "quadratic network": quadratic,
    "network at flats": flats,
}


def run(designs: int, networks: float, seed: int, quadratics: int, at_flats: int) -> dict[str, Any]:
    """Return numbers of designs, of certificates and of wrong certificates, by learner and design."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in LEARNERS}
    wrong = []
    others = [name for name in LEARNERS if "network" not in name]
    for k in range(designs + quadratics + at_flats):
        rng = np.random.default_rng([seed, k])
        name = "network" if rng.uniform() < networks else others[rng.choice(4, p=[0.5, 0.1, 0.2, 0.2])]
        if k >= designs:
            name = "quadratic network" if k < designs + quadratics else "network at flats"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Undersampled)
            kind, certified, is_wrong = LEARNERS[name](rng)
        counts[name]["designs"] += 1
        counts[name]["certified"] += bool(certified)
        counts[name]["wrong and not certified"] += bool(is_wrong and not certified)
        if certified and is_wrong:
            counts[name]["certified and wrong"] += 1
            wrong.append([name, kind, k])
    return {
        "designs": designs + quadratics + at_flats,
        "seed": seed,
        "counts": counts,
        "certified and wrong": wrong,
    }


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--designs", type=int, default=10_000)
    parser.add_argument("--networks", type=float, default=0.05)
    parser.add_argument("--quadratic", type=int, default=1000, help="designs for quadratic networks")
    parser.add_argument("--flats", type=int, default=200, help="designs for networks at flats")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = run(options.designs, options.networks, options.seed, options.quadratic, options.flats)
    for name, count in found["counts"].items():
        print(
            f"{name}: {count['designs']:,} designs, {count['certified']:,} certified, "
            f"{count['wrong and not certified']:,} wrong and not certified, "
            f"{count['certified and wrong']} certified and wrong"
        )
    print(f"certified and wrong: {len(found['certified and wrong'])} {found['certified and wrong'][:20]}")
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
