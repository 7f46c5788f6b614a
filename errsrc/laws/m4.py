"""The M4 law: a power law between its floor and the error of a random guess."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit

from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import floor, positive

if TYPE_CHECKING:
    import sympy


def solve_share(level: Any, gamma: Any) -> Any:
    """Return the solution s in (0, 1) of ln s - gamma ln(1 - s) = level.

    The function uses Newton's method in t = logit(s).  The slope of the left side in t lies between min(1,
    gamma) and max(1, gamma).  Therefore the method converges from the nearer asymptote for every solution.

    Parameters
    ----------
    level, gamma : array_like
        The right side of the equation, and gamma > 0, of shapes that broadcast.
    """
    level, gamma = np.broadcast_arrays(np.asarray(level, float), np.asarray(gamma, float))
    t = np.where(level < 0, level, level / gamma)
    for _ in range(50):
        low, high = log_expit(t), log_expit(-t)  # ln s and ln(1 - s)
        step = (low - gamma * high - level) / (np.exp(high) + gamma * np.exp(low))
        t = t - step
        if np.all(np.abs(step) <= 1e-14 * (1 + np.abs(t))):
            break
    return expit(t)


def log_complement(s: Any) -> Any:
    """Return ln(1 - s), with a finite number where s rounds to 1.

    The slope of `M4` contains the product of this number and 1 - s.  Therefore the slope is 0 where s rounds
    to 1.

    Parameters
    ----------
    s : array_like
        Numbers in [0, 1].
    """
    return np.log(np.maximum(1 - s, np.finfo(float).tiny))


@functools.cache
def symbolic_share() -> Any:
    """Return `solve_share` as a sympy function, with its exact derivatives."""
    import sympy

    class log_rest(sympy.Function):
        """ln(1 - s), for s in (0, 1)."""

        nargs = 1

        def fdiff(self, argindex: int = 1) -> sympy.Expr:
            """Differentiate in s."""
            return 1 / (self.args[0] - 1)

    class share(sympy.Function):
        """s(level, gamma): the solution in (0, 1) of ln s - gamma ln(1 - s) = level."""

        nargs = 2
        numpy: ClassVar[dict[str, Any]] = {"share": solve_share, "log_rest": log_complement}

        def fdiff(self, argindex: int = 1) -> sympy.Expr:
            """Differentiate by the implicit function theorem."""
            gamma = self.args[1]
            slope = self * (1 - self) / (1 - self + gamma * self)
            return slope if argindex == 1 else slope * log_rest(self)

    return share


@dataclass(frozen=True)
class M4(Law):
    """The power law in the data size between a floor and the error of a random guess.

    With u = e / eps0, the error is the solution of

        (u - c_inf) / (1 - u)^gamma = a n^-alpha

    (Alabdulmohsin et al. 2022, arXiv 2209.06640, estimator M4).

    Parameters
    ----------
    eps0 : float
        Error of a random guess, in units of the error.
    c_inf : float
        Limit of the error as n grows, as a *fraction* of eps0, in [0, 1).
    a : float
        Amplitude, in units of n^alpha.
    alpha : float
        Exponent of n where the error is far below eps0.
    gamma : float
        Determines how the error falls from eps0: as long as the error is near eps0, 1 - u is proportional to
        n^(alpha / gamma).

    Examples
    --------
    >>> law = M4(eps0=1.0, c_inf=0.0, a=1.0, alpha=1.0, gamma=1.0)  # e / (1 - e) = 1 / n
    >>> law.error(n=[1, 9])
    array([0.5, 0.1])
    """

    inputs: ClassVar[tuple[str, ...]] = ("n",)
    largest_error_name: ClassVar[str | None] = "eps0"

    eps0: float = positive((1.0, 3.0), unit={"error": 1})
    c_inf: float = floor((0.0, 0.9), (0.0, 0.999))
    a: float = positive((0.03, 10.0), unit={"n": "alpha"})
    alpha: float = positive((0.05, 1.5), (1e-3, 8.0))
    gamma: float = positive((0.2, 3.0), (1e-2, 20.0))

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `eps0`, by bisection.

        Parameters
        ----------
        **inputs : array_like
            The data size ``n``, > 0, of any shape.
        """
        (n,) = self.input_arrays(inputs)
        target = np.log(self.a) - self.alpha * np.log(n)
        low = np.full(np.shape(n), -1e4)  # the logit of (e - floor) / (eps0 - floor)
        high = -low
        for _ in range(100):
            middle = (low + high) / 2
            left = log_expit(middle) - self.gamma * log_expit(-middle)
            below = left + (1 - self.gamma) * np.log1p(-self.c_inf) < target
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return self.eps0 * (self.c_inf + (1 - self.c_inf) * expit(low))

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression, in which `symbolic_share` solves the law's equation."""
        import sympy

        n, eps0, c_inf, a, alpha, gamma = map(symbol, ("n", "eps0", "c_inf", "a", "alpha", "gamma"))
        level = sympy.log(a) - alpha * sympy.log(n) - (1 - gamma) * sympy.log(1 - c_inf)
        return eps0 * (c_inf + (1 - c_inf) * symbolic_share()(level, gamma))

    @classmethod
    def equation(cls) -> str:
        """Return the law's equation as a line of text, without solving it for the error."""
        return "(u - c_inf)/(1 - u)**gamma = a/n**alpha, u = error/eps0"
