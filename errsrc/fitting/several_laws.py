"""The default estimator: several laws fitted to one set of points, averaged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.errors import NoFit
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.noise import local_scale, residual_scale, robust_scale
from errsrc.fitting.one_law import BOOTSTRAP_DRAWS, HUBER, Fit, describe
from errsrc.fitting.optima import optimum, search
from errsrc.fitting.points import pose
from errsrc.fitting.problem import Problem
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.dense import Dense
from errsrc.laws.envelope import Envelope
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.law import Array, Law
from errsrc.laws.m4 import M4
from errsrc.laws.power import Power
from errsrc.laws.pruning import Pruning


@dataclass(frozen=True, eq=False)
class AveragedFit(Forecast):
    """Several fits of the same points, averaged in ln error.

    Attributes
    ----------
    members
        The fits, that with the largest weight first.
    weights
        Their weights, summing to 1.
    warnings
        What the reader must know, a sentence each.
    """

    members: tuple[Fit, ...]
    weights: tuple[float, ...]
    warnings: tuple[str, ...]

    @property
    def input_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The laws' inputs."""
        return self.members[0].input_names

    @property
    def at_most(self) -> Mapping[str, float]:  # type: ignore[override]
        """The largest values of inputs that have one."""
        return self.members[0].at_most

    @property
    def inputs(self) -> dict[str, Array]:  # type: ignore[override]
        """The points fitted, (points,) each, in natural units."""
        return self.members[0].inputs

    @property
    def draw_count(self) -> int:  # type: ignore[override]
        """How many draws there are, over all members; each member has its weight's share of them."""
        return sum(f.draw_count for f in self.members)

    @property
    def run_noise(self) -> float:  # type: ignore[override]
        """Standard deviation of ln error of one run around the mean curve."""
        squares = [w * f.run_noise**2 for w, f in zip(self.weights, self.members, strict=True)]
        return float(np.sqrt(sum(squares)))

    def log_errors(self, inputs: dict[str, Array]) -> Array:
        """Return ln error at inputs (1 + draw_count, points): the average in row 0, members' draws below."""
        centre = np.zeros((1, next(iter(inputs.values())).shape[1]))
        rows: list[Array] = []
        first = 1
        for weight, member in zip(self.weights, self.members, strict=True):
            last = first + member.draw_count
            logs = member.log_errors({k: np.concatenate([x[:1], x[first:last]]) for k, x in inputs.items()})
            centre = centre + weight * logs[:1]
            rows.append(logs[1:])
            first = last
        return np.concatenate([centre, *rows])


AVERAGED_LAWS: dict[tuple[str, ...], tuple[type[Law], ...]] = {
    ("n",): (Power, Envelope, M4),
    ("n", "m"): (Chinchilla, Dense),
    ("density",): (Pruning,),
    ("density", "depth", "width", "eps_np"): (JointPruning,),
}
"""Which laws `auto` averages for which inputs."""
STARTS_PER_LAW = 12
EXPONENT_BOUNDS = (0.02, 1.0)
"""Bounds of the exponents: an excess error does not fall faster than the parametric rate 1 / n."""
PARAMETER_BOUNDS = {"alpha": EXPONENT_BOUNDS, "beta": EXPONENT_BOUNDS, "gamma": (0.05, 8.0)}
"""Bounds of the candidates' parameters by name: the exponents, and what shapes a bend."""
RECENCY: dict[tuple[str, ...], dict[str, float]] = {
    ("n",): {"n": 1.0},
    ("n", "m"): {"n": 0.25, "m": 0.25},
    ("density",): {"density": -0.25},
    ("density", "depth", "width", "eps_np"): {"density": -0.25},
}
"""Points count in proportion to these powers of the inputs: those nearest to what is asked count most."""


@np.errstate(all="ignore")
def auto(
    error: ArrayLike,
    *,
    fixed: Mapping[str, float] | None = None,
    constants: Mapping[str, float] | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.9,
    seed: int = 0,
    **inputs: ArrayLike,
) -> AveragedFit:
    """Fit the laws that suit `inputs` and average them by what the points themselves say.

    The estimator looks at nothing but the points.  Every candidate is fitted to ln error with
    Huber losses, large sizes and small densities counting most (`RECENCY`), its exponents of n
    and m at most 1 (`EXPONENT_BOUNDS`); but for laws in n alone, where that bound suffices, the
    exponents also have a weak prior (`problem.PRIOR_MEDIAN`).
    ln errors are averaged with weights (J / min J)^(-N / 2), J a law's minimum and N the
    effective number of points.  `benchmarks/law_fit.py` states how it does on published curves.

    Parameters
    ----------
    error, fixed, constants, weights, level, seed, **inputs
        Arrays (points,) and all else as for `errsrc.fitting.one_law.fit`, the coverage of intervals too;
        `fixed` and `constants` go to the laws that have them.
        The inputs choose the candidates: n; n and m; density; density, depth, width and eps_np.
        The joint dense law is a candidate where its eps0 is fixed: else, away from random
        guess, it has one parameter more than the points determine.

    Returns
    -------
    AveragedFit

    Raises
    ------
    ValueError, TypeError
        As `fit`, and for inputs that no candidate has.
    NoFit
        If no candidate's fit converged.
    """
    checks.number(level, "level", "auto", 0.0, 1.0, open_low=True, open_high=True)
    key = next((names for names in AVERAGED_LAWS if set(names) == set(inputs)), None)
    if key is None:
        known = "; ".join(", ".join(names) for names in AVERAGED_LAWS)
        raise TypeError(checks.refusal("inputs", "auto", f"one of these sets: {known}", sorted(inputs)))
    known_names = {p.name for law in AVERAGED_LAWS[key] for p in law.parameters()}
    for name in fixed or {}:
        if name not in known_names:
            raise ValueError(checks.refusal("fixed", "auto", f"among {', '.join(sorted(known_names))}", name))
    e = checks.positive_array(error, "error", "auto")
    at_most = AVERAGED_LAWS[key][0].at_most
    sizes = {name: checks.positive_array(inputs[name], name, "auto", at_most.get(name)) for name in key}
    for name, x in {**sizes, "error": e}.items():
        if x.shape != e.shape or x.ndim != 1:
            accepted = "a one-dimensional array, as long as the others"
            raise ValueError(checks.refusal(name, "auto", accepted, f"<shape {x.shape}>"))
    for name, value in {**(fixed or {}), **(constants or {})}.items():
        checks.number(value, name, "auto", 0.0)
    if "eps0" in (fixed or {}) and e.max() > (fixed or {})["eps0"]:
        accepted = f"numbers <= eps0 = {(fixed or {})['eps0']:g}"
        raise ValueError(checks.refusal("error", "auto", accepted, float(e.max())))
    heavy = np.ones(e.shape) if weights is None else checks.positive_array(weights, "weights", "auto")
    if heavy.shape != e.shape:
        raise ValueError(checks.refusal("weights", "auto", f"{e.size} numbers", f"<shape {heavy.shape}>"))
    for name, power in RECENCY[key].items():
        heavy = heavy * (sizes[name] / sizes[name].max()) ** power
    posed: list[Problem] = []
    for law in AVERAGED_LAWS[key]:
        names = {p.name for p in law.parameters()}
        held = {k: v for k, v in (fixed or {}).items() if k in names}
        if law is Dense and "eps0" not in held:
            continue
        limits = {k: v for k, v in PARAMETER_BOUNDS.items() if k in names - set(held)}
        if "eps0" in names - set(held):
            limits["eps0"] = (float(e.max()), 30 * float(e.max()))
        units = {k: v for k, v in (constants or {}).items() if k in law.constants()}
        points = len(np.unique(np.column_stack(list(sizes.values())), axis=0))
        if not posed or points > len(names) - len(held):
            posed.append(pose(law, e, sizes, held, units, heavy, limits, "log"))
    robust, spread = _scales(posed, seed)
    found = []
    for problem in posed:
        prior = 0.0 if key == ("n",) else spread
        huber = dataclasses.replace(problem, objective="huber", huber_delta=HUBER * robust, prior=prior)
        try:
            found.append(optimum(huber, huber.starts(STARTS_PER_LAW, seed), seed))
        except NoFit:
            if problem is posed[-1] and not found:
                raise
    w = posed[0].weights
    effective = float(w.sum() ** 2 / (w**2).sum())
    costs = np.maximum([f.cost for f in found], 1e-300)
    share = (costs / costs.min()) ** (-effective / 2)
    counts = np.round(share / share.sum() * BOOTSTRAP_DRAWS).astype(int)
    kept = [int(i) for i in np.argsort(-share) if counts[i] > 0]
    members = tuple(describe(found[i], level, int(counts[i]), seed) for i in kept)
    weight = share[kept] / share[kept].sum()
    warnings = list(members[0].warnings)
    for member in members[1:]:
        named = [f"{type(member.law).__name__}: {sentence}" for sentence in member.warnings]
        warnings += [
            full for full, short in zip(named, member.warnings, strict=True) if short not in warnings
        ]
    return AveragedFit(members, tuple(weight.tolist()), tuple(warnings))


def _scales(posed: list[Problem], seed: int) -> tuple[float, float]:
    """Return the robust scale of the noise and its standard deviation, the same for all candidates.

    Along n alone the first needs no law (`local_scale`), and the second is not used; elsewhere
    they are those of the least-squares residuals of the best candidate.
    """
    first = posed[0]
    if tuple(first.inputs) == ("n",):
        scale = max(local_scale(first.inputs["n"], first.error), 1e-4)
        return scale, scale
    scales = []
    for problem in posed:
        found = search(problem, problem.starts(STARTS_PER_LAW, seed))
        z = found.z[[int(found.cost.argmin())]]
        residual, jac = (part[0] for part in problem.residuals(z, problem.error))
        spread = residual_scale(residual, problem.weights, jac)
        scales.append((max(robust_scale(residual, problem.weights), 1e-9), spread))
    return min(scales)
