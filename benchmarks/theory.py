"""Known learning curves next to measured ones, in one run.

    python benchmarks/theory.py [--draws 60] [--out FILE.json]

Curves: the mean excess risk over draws of inputs (exact given these), its relative standard error, the
theory's figure, and measured over theory. On the circle and on spheres the eigenvalues are exact, so the
ratio shows the error that the theory makes by treating eigenfunctions as independent.

Exponents: the exponent of n by least squares of logarithms over the given sizes, with its standard error,
next to the theory's. Piecewise linear functions are Delaunay interpolation at points of the cube, tested in
its middle. Smooth teachers on the circle get up to 1,600 points: from 25 to 400 the exponent of Matern 1.5 is
2.6.

One core, about ten minutes.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
from scipy.interpolate import LinearNDInterpolator
from scipy.special import comb, eval_gegenbauer, ive, roots_gegenbauer

from errsrc.bases import Torus, kernel
from errsrc.learners import KernelRidge, Learner, Memory, MinimumNorm, Neighbours, Ridge
from errsrc.rng import generator
from errsrc.settings import (
    BandTeacher,
    Gaussian,
    GaussianProcessTeacher,
    LinearTeacher,
    Setting,
    TableTeacher,
)
from errsrc.sources import budget
from errsrc.theory import exponents, kernel_regression, least_squares, memorising, random_features

NOISY = Gaussian(0.3)
NORMAL = LinearTeacher(150, input_decay=1.2, weight_decay=0.3, channel=Gaussian(0.5))
CLEAN = LinearTeacher(250, input_decay=1.5, weight_decay=0.7)
FLAT = LinearTeacher(60, channel=Gaussian(0.5))
TABLE = TableTeacher(300, classes=4, decay=0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--draws", type=int, default=60, help="draws of inputs for each point of a curve")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    machine = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    figures: dict[str, object] = {"machine": machine, "draws": options.draws}
    figures["curves"] = curves(options.draws)
    figures["exponents"] = powers()
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def curves(draws: int) -> dict[str, dict[str, float]]:
    """Return measured mean, standard error, theory and ratio of each case and size."""
    out: dict[str, dict[str, float]] = {}

    def row(name: str, found: tuple[float, float], theory: float) -> None:
        mean, error = found
        figures = {"measured": mean, "relative_error": error, "theory": theory, "ratio": mean / theory}
        out[name] = {key: float(f"{value:.4g}") for key, value in figures.items()}
        print(
            f"{name:52} {mean:9.5f} +- {error:5.2%}  theory {theory:9.5f}  ratio {mean / theory:.3f}",
            flush=True,
        )

    for n in (30, 100):
        for ridge in (0.02, 0.5, 5.0):
            row(f"ridge {ridge:g}, n = {n}", excess(NORMAL, Ridge(ridge), n, draws), linear(NORMAL, n, ridge))
    for setting, name in ((NORMAL, "noisy"), (CLEAN, "clean")):
        for n in (30, 75, 100, 200):
            row(
                f"minimum norm, {name}, n = {n}", excess(setting, MinimumNorm(), n, draws), linear(setting, n)
            )
    for n in (20, 40, 90, 240):
        theory = float(least_squares(n, 60, noise=FLAT.noise))
        row(f"least squares in 60 dimensions, n = {n}", excess(FLAT, MinimumNorm(), n, draws), theory)
    for dim, degrees in ((3, 120), (4, 40), (6, 14), (10, 8)):
        teacher = GaussianProcessTeacher(dim, nu=1.5, domain="sphere", channel=NOISY)
        student = KernelRidge("rbf", ridge=0.1)
        for n in (30, 100):
            theory = sphere(teacher, student, n, degrees)
            row(f"kernel ridge, sphere in {dim}, n = {n}", excess(teacher, student, n, draws), theory)
    circle = BandTeacher(Torus(30), 2.0, channel=NOISY)
    for ridge in (1e-3, 0.1):
        student = KernelRidge("periodic", 0.3, ridge=ridge)
        eigenvalues = ive((np.arange(61) + 1) // 2, 1 / 0.3**2)
        for n in (20, 60, 120):
            curve = kernel_regression(n, eigenvalues, circle.variances, ridge=ridge, noise=circle.noise)
            name = f"kernel ridge {ridge:g}, circle, n = {n}"
            row(name, excess(circle, student, n, draws), float(curve.excess))
    e = np.arange(1.0, 401) ** -1.5
    cases = ((50, 150, 0.0, 0.0), (150, 50, 0.0, 0.2), (60, 60, 0.3, 0.1), (200, 60, 1.0, 0.0))
    for n, m, ridge, noise in cases:
        theory = float(random_features(n, m, e, e, ridge=ridge, noise=noise))
        name = f"random features, n = {n}, m = {m}, ridge {ridge:g}, noise {noise:g}"
        row(name, featured(e, n, m, ridge, noise, draws), theory)
    for n in (20, 200, 2000):
        theory = float(memorising(n, TABLE.probabilities)) * 3 / 4
        row(f"memory of 300 items, n = {n}", excess(TABLE, Memory(), n, 10 * draws), theory)
    return out


def powers() -> dict[str, dict[str, float]]:
    """Return measured exponents, their standard errors, and the theory's."""
    out: dict[str, dict[str, float]] = {}

    def row(
        name: str, sizes: tuple[int, ...], draw: Callable[[int], tuple[float, float]], theory: float
    ) -> None:
        means, errors = np.array([draw(n) for n in sizes]).T
        x = np.log(sizes) - np.log(sizes).mean()
        weights = -x / (x @ x)
        found, error = float(weights @ np.log(means)), float(np.sqrt(weights**2 @ errors**2))
        out[name] = {
            "from": sizes[0],
            "to": sizes[-1],
            "measured": round(found, 3),
            "standard_error": round(error, 3),
            "theory": round(theory, 3),
            "difference": round(found - theory, 3),
        }
        print(f"{name:52} {found:6.3f} +- {error:.3f}  theory {theory:.3f}", flush=True)

    for a, b, sizes in ((1.5, 2.0, (8, 16, 32)), (1.5, 2.5, (8, 16, 32)), (2.0, 3.0, (12, 24, 48))):
        setting = LinearTeacher(500, input_decay=a, weight_decay=b - a)
        name = f"minimum norm, decays {a:g} and {b:g}"
        row(name, sizes, measure(setting, MinimumNorm(), 40), exponents.ridgeless(a, b))
    process, learner = GaussianProcessTeacher(2, nu=0.5, domain="sphere"), KernelRidge("matern", nu=0.5)
    theory = exponents.gaussian_process(0.5, 0.5, 1)
    sizes = (25, 50, 100, 200)
    row("Laplace kernel, Matern 0.5 teacher, 1-sphere", sizes, measure(process, learner, 40), theory)
    for teacher in (1.0, 1.5):
        name = f"Laplace kernel, Matern {teacher:g} teacher, 1-sphere"
        row(name, (400, 800, 1600), circle_draws(teacher), exponents.gaussian_process(teacher, 0.5, 1))
    smooth = 2 * (1 + 2 * 0.5)  # 2 alpha_S
    row("Laplace kernel, smooth teacher, 1-sphere", (400, 800, 1600), circle_draws(None), smooth)
    for teacher, sizes in ((0.5, (50, 100, 200, 400)), (1.0, (50, 100, 200, 400)), (1.5, (100, 200, 400))):
        process = GaussianProcessTeacher(3, nu=teacher, domain="sphere")
        name = f"Laplace kernel, Matern {teacher:g} teacher, 2-sphere"
        theory = exponents.gaussian_process(teacher, 0.5, 2)
        row(name, sizes, measure(process, KernelRidge("matern", nu=0.5), 20), theory)
    for dim in (1, 2, 3):
        rbf = GaussianProcessTeacher(dim, "rbf")
        sizes = (100, 200, 400)
        row(
            f"nearest neighbour, cube in {dim}",
            sizes,
            measure(rbf, Neighbours(), 24),
            exponents.local_fit(dim, 0),
        )
    rough = GaussianProcessTeacher(2, nu=0.5)
    theory = exponents.local_fit(2, 0, smoothness=0.5)
    row(
        "nearest neighbour, Matern 0.5 teacher, cube in 2",
        (50, 100, 200),
        measure(rough, Neighbours(), 24),
        theory,
    )
    for dim, sizes in ((1, (50, 200, 800)), (2, (200, 800, 3200)), (3, (500, 2000, 8000))):
        row(f"piecewise linear, cube in {dim}", sizes, linear_pieces(dim), exponents.local_fit(dim, 1))
    for decay in (0.5, 1.0):
        table = TableTeacher(20_000, decay=decay)
        name = f"memory, decay {decay:g}"
        row(name, (50, 200, 800), measure(table, Memory(), 30), exponents.zipf(decay))
    return out


def excess(setting: Setting, learner: Learner, n: int, draws: int) -> tuple[float, float]:
    """Return the mean excess risk and its relative standard error."""
    found = budget(setting, learner, n, draws=draws).draws
    return mean_of(found["total"] - found["noise"])


def mean_of(values: np.ndarray) -> tuple[float, float]:
    mean = float(values.mean())
    return mean, float(values.std(ddof=1) / np.sqrt(len(values)) / mean)


def measure(setting: Setting, learner: Learner, draws: int) -> Callable[[int], tuple[float, float]]:
    return lambda n: excess(setting, learner, n, draws)


def linear(setting: LinearTeacher, n: int, ridge: float = 0.0) -> float:
    e = setting.eigenvalues
    return float(
        kernel_regression(n, e, setting.weight_variances * e, ridge=ridge, noise=setting.noise).excess
    )


def sphere(setting: GaussianProcessTeacher, learner: KernelRidge, n: int, degrees: int) -> float:
    e = zonal(lambda x, at: learner.features(at, x), setting.dim, degrees)
    c = zonal(setting.covariance, setting.dim, degrees)
    return float(kernel_regression(n, e, c, ridge=learner.ridge, noise=setting.noise).excess)


def zonal(values_of: Callable[[np.ndarray, np.ndarray], np.ndarray], dim: int, degrees: int) -> np.ndarray:
    """Return the eigenvalues of a kernel on the sphere, each as often as it comes (Funk and Hecke)."""
    t, weights = roots_gegenbauer(600, dim / 2 - 1)
    at = np.column_stack([t, np.sqrt(1 - t**2)])
    k = np.arange(degrees)
    shapes = [eval_gegenbauer(j, dim / 2 - 1, t) / eval_gegenbauer(j, dim / 2 - 1, 1.0) for j in k]
    values = np.maximum(shapes @ (weights * values_of(at, np.array([[1.0, 0.0]]))[:, 0]) / weights.sum(), 0)
    counts = np.rint(comb(dim + k - 1, k) - comb(dim + k - 3, k - 2)).astype(int)
    rest = np.full(20_000, max(1 - values @ counts, 0) / 20_000)  # of higher degree, as good as equal
    return np.concatenate([np.repeat(values, counts), rest])


def featured(e: np.ndarray, n: int, m: int, ridge: float, noise: float, draws: int) -> tuple[float, float]:
    """Return the same for m random features, teachers and noise averaged in closed form."""
    rng = generator(0, "features", n, m)
    values = []
    for _ in range(draws):
        x = rng.standard_normal((n, len(e))) * np.sqrt(e)
        mix = rng.standard_normal((m, len(e))) / np.sqrt(m)
        features = x @ mix.T
        gram = features.T @ features + ridge * np.eye(m)
        solver = np.linalg.solve(gram, features.T) if ridge else np.linalg.pinv(features)
        weights = mix.T @ solver
        off = np.sqrt(e)[:, None] * (np.eye(len(e)) - weights @ x)
        values.append((off**2).sum() + noise * (e[:, None] * weights**2).sum())
    return mean_of(np.array(values))


def circle_draws(
    nu: float | None, draws: int = 24, teachers: int = 16
) -> Callable[[int], tuple[float, float]]:
    """Return errors of the Laplace kernel on the circle; teachers are Fourier series, nu None for rbf.

    A budget costs n^3 with a large constant; this one decomposes no prior.
    """
    count = 2048
    chords = 2 * np.sin(np.pi * np.arange(4 * count) / (4 * count))[:, None]
    covariance = kernel(np.zeros((1, 1)), chords, "rbf" if nu is None else "matern", 1.0, nu or 1.5)[0]
    variances = np.maximum(np.fft.rfft(covariance).real[:count], 0) / len(chords)
    stds = np.sqrt(np.where(np.arange(count) > 0, 2 * variances, variances))
    student = KernelRidge("matern", nu=0.5)

    def draw(n: int) -> tuple[float, float]:
        rng = generator(0, "circle", n)
        values = []
        for _ in range(draws):
            angles = rng.uniform(0, 2 * np.pi, (n + 500, 1))
            a, b = rng.standard_normal((2, count, teachers)) * stds[:, None]
            waves = angles * np.arange(count)
            truth = np.cos(waves) @ a + np.sin(waves) @ b
            points = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
            found = student.fit(points[:n], truth[:n], rng)(points[n:])
            values.append(((found - truth[n:]) ** 2).mean())
        return mean_of(np.array(values))

    return draw


def linear_pieces(dim: int, draws: int = 40) -> Callable[[int], tuple[float, float]]:
    """Return errors of Delaunay interpolation of random plane waves at points of the cube."""

    def draw(n: int) -> tuple[float, float]:
        rng = generator(0, "pieces", dim, n)
        values = []
        for _ in range(draws):
            waves, phases = 2 * rng.standard_normal((dim, 64)), rng.uniform(0, 2 * np.pi, 64)
            x, at = rng.random((n, dim)), rng.uniform(0.3, 0.7, (2000, dim))
            truth, test = (np.cos(points @ waves + phases).sum(1) / 8 for points in (x, at))
            if dim == 1:
                order = np.argsort(x[:, 0])
                found = np.interp(at[:, 0], x[order, 0], truth[order])
            else:
                found = LinearNDInterpolator(x, truth)(at)
            values.append(((found - test) ** 2).mean())
        return mean_of(np.array(values))

    return draw


if __name__ == "__main__":
    main()
