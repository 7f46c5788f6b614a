"""Resampled data for fits to few different sizes, such as 3 model sizes times 3 data sizes.

The laws of an average in n and m are Huber fits with weak priors on exponents.  They are refitted with
random weights of the points (`intervals.bootstrap`).  The scatter of these refits is too small in two ways if
a table has few different sizes:

- The fit passes near each of its few points.  The residuals are then smaller than the noise, and random
  weights move the fit by amounts in proportion to the residuals (MacKinnon and White 1985).
- The weak priors decide what the points leave open, and all refits have the same priors.  An exponent that
  the points leave open then has the same value in all refits.

Refits to few sizes therefore have random errors instead of random weights.  The standard deviation of these
errors is corrected for the number of parameters, and the centres of the priors are drawn from the priors.  If
the law is linear in its parameters and the noise is normal, such refits are draws from the posterior
distribution (randomize-then-optimize, Bardsley et al. 2014).

If the points come in clusters, the refits keep the random weights of whole clusters.  Only the centres of the
priors are drawn.

If a table has few sizes, or if its points leave an exponent open, the forecasts of a single law come from
similar refits with a wider prior, see `intervals.open_refits`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc.fitting.problem import OPEN_MEDIAN, OPEN_WIDTH, Problem
from errsrc.fitting.singular_values import determined_directions
from errsrc.laws.law import Array

FEWEST_DEGREES = 1.0
"""Smallest number of degrees of freedom of the residuals."""


def few_sizes_sentences(problem: Problem) -> tuple[str, ...]:
    """Return one sentence if a table has few sizes; () for other tables.

    Parameters
    ----------
    problem : Problem
        The problem of a law of an average.
    """
    if not problem.few_sizes:
        return ()
    names = " and ".join(problem.law.inputs)
    count = len(np.unique(np.column_stack(list(problem.inputs.values())), axis=0))
    expected = "as in published grids"
    if problem.exponent_prior is not None:
        median, width = problem.exponent_prior
        low, high = median * np.exp(np.array([-1.645, 1.645]) * width)
        expected = f"from {low:.1f} to {high:.1f}"
    return (
        f"The {count} different sizes of {names} are few: the fit expects exponents {expected}, "
        "and its forecasts have wide intervals.",
    )


OPEN = "do not determine the law"
"""Words that the warning about a law that is not determined contains."""


class OpenLaw(str):
    """The warning that the sizes of a table do not determine a law, see ``Fit.determined``."""


def open_law(problem: Problem) -> OpenLaw:
    """Return the warning that the points do not determine a law in several sizes, such as n and m.

    Parameters
    ----------
    problem : Problem
        The problem of the law.
    """
    low, high = OPEN_MEDIAN * np.exp(np.array([-1.645, 1.645]) * OPEN_WIDTH)
    counts = {name: len(np.unique(x)) for name, x in problem.inputs.items()}
    sizes = " and ".join(f"{count:,} of {name}" for name, count in counts.items())
    cause = "measured sizes" if min(counts.values()) < 3 else "errors at the measured sizes"
    return OpenLaw(
        f"The {cause} ({sizes}) {OPEN}: its forecasts have wide intervals, which allow for exponents from "
        f"{low:.1f} to {high:.1f}."
    )


def random_errors(
    problem: Problem, z: Array, far: NDArray[np.bool_], draws: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Return random errors and centres of priors for the refits of a fit, for `Problem.solve`.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    z : ndarray of float64, shape (free,)
        Scaled coordinates of the solution of the problem.
    far : ndarray of bool, shape (points,)
        Points that are far from the law; their residuals are not noise.
    draws : int
        Number of refits.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    dict
        "error", ndarray of float64, shape (draws, points): errors around the law in scaled units.
        "centres", ndarray of float64, shape (draws, free): centres of the priors.
    """
    predicted = problem.error_at(z[None, :], problem.inputs)[0][0]
    residual, jac = (part[0] for part in problem.residuals(z[None, :], problem.error))
    residual = np.where(far, np.median(residual[~far]), residual)
    scale = corrected_scale(residual, problem.weights, jac, problem.prior_strengths())
    noise = rng.standard_normal((draws, len(residual)))
    centres = drawn_centres(problem, np.ones(len(z), dtype=bool), draws, rng)
    return {"error": predicted * np.exp(scale * noise), "centres": centres}


def corrected_scale(residual: Array, weights: Array, jac: Array, prior: Array) -> float:
    """Return the standard deviation of noise that is equal at all points, from the residuals of a fit.

    This is `noise.residual_scale` for a fit with weak priors.  Only parameters that the points determine
    count as fitted.  With A = J' W J + P and B = J' W^2 J, the weighted sum of squared residuals is divided
    by sum w - trace A^-1 B.

    Parameters
    ----------
    residual : ndarray of float64, shape (points,)
        Residuals of the fit.
    weights : ndarray of float64, shape (points,)
        Weights w of the points, the diagonal of W.
    jac : ndarray of float64, shape (points, free)
        Jacobian J of the residuals.
    prior : ndarray of float64, shape (free,)
        Strengths of the quadratic priors, the diagonal of P.
    """
    root = np.sqrt(weights)[:, None]
    _, half = determined_directions(root * jac, prior)
    fitted = float(np.sum((root * (root * jac) @ half) ** 2))
    return float(np.sqrt(weights @ residual**2 / max(float(weights.sum()) - fitted, FEWEST_DEGREES)))


def drawn_centres(
    problem: Problem, which: NDArray[np.bool_], draws: int, rng: np.random.Generator
) -> Array | None:
    """Return the centres of the weak priors of each refit, (draws, free); None without a prior to draw from.

    Parameters
    ----------
    problem : Problem
        The problem.
    which : ndarray of bool, shape (free,)
        Parameters whose centres are drawn from their priors; the others have the same centre in all refits.
    draws : int
        Number of refits.
    rng : numpy.random.Generator
        Source of the random numbers.
    """
    strengths = problem.prior_strengths()
    if not which.any() or not strengths.any():
        return None
    centres = np.tile(problem.prior_centres(), (draws, 1))
    for j in np.flatnonzero(which & (strengths > 0)):
        centres[:, j] += problem.prior / np.sqrt(strengths[j]) * rng.standard_normal(draws)
    return centres
