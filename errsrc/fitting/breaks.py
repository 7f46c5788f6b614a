"""The number of times that the exponent of a learning curve changes, chosen by AICc."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.checks import LEVEL, SEED, Integer
from errsrc.errors import NoFit
from errsrc.fitting.comparisons import aicc
from errsrc.fitting.one_law import Fit, fit
from errsrc.laws.broken import Broken
from errsrc.laws.broken2 import Broken2
from errsrc.laws.law import Law
from errsrc.laws.power import Power

LAWS: tuple[type[Law], ...] = (Power, Broken, Broken2)
"""The laws without a break, with one and with two."""
MARGIN = 4.0
"""How much lower AICc must be for each further break.

Set by 25 draws of 24 points over 5 decades, with 2% noise: without a margin, 2 of 25 power laws got a
break, and with a margin of 2 to 8 none.  All 25 laws with one break got one break, with every margin."""


@checks.arguments(most=Integer(at_least=0, at_most=2), level=LEVEL, seed=SEED)
def fit_broken(
    error: ArrayLike | None = None,
    *,
    n: ArrayLike | None = None,
    data: Any = None,
    most: int = 2,
    level: float = 0.9,
    seed: int = 0,
) -> Fit:
    """Fit a power law whose exponent has no break, one break or two breaks; the points decide how many.

    The laws `errsrc.laws.Power`, `errsrc.laws.Broken` and `errsrc.laws.Broken2` are fitted by least squares
    of ln (predicted / measured).  A law with one more break is chosen if its AICc is lower by more than
    `MARGIN`.

    Parameters
    ----------
    error : array_like, shape (points,), or str
        Measured errors, > 0.  With `data`, the name of a column, "error" by default.
    n : array_like, shape (points,), or str
        Data sizes, > 0.  With `data`, the name of a column, "n" by default.
    data : dict, data frame, str or Path, optional
        The points as a table, as in `errsrc.fit`.
    most : int
        Largest number of breaks: 0, 1 or 2.
    level : float
        Coverage of the parameters' intervals, in (0, 1).
    seed : int
        Seed of the starts and of the resampling, >= 0.

    Returns
    -------
    Fit
        The fit of the chosen law.  The entry "aicc" of its `notes` has the AICc of each law by name.  The
        AICc is None for a law whose fit failed, or that has too many parameters for the points.

    Raises
    ------
    TypeError, ValueError
        If `errsrc.fit` would raise the same error for these arguments.
    NoFit
        If none of the three laws can be fitted.

    Examples
    --------
    >>> import numpy as np
    >>> n = np.geomspace(1e3, 1e8, 30)
    >>> law = Broken(a=0.0, b=2.0, c0=0.1, c1=0.4, d1=1e5, f1=0.3)
    >>> noise = 0.01 * np.random.default_rng(0).standard_normal(30)
    >>> type(fit_broken(law.error(n=n) * np.exp(noise), n=n).law).__name__
    'Broken'
    """
    chosen: Fit | None = None
    failure: Exception | None = None
    values: dict[str, float | None] = {}
    inputs: dict[str, Any] = {} if n is None else {"n": n}
    options: dict[str, Any] = {"keep_far": True, "objective": "log", "level": level, "seed": seed}
    for law in LAWS[: most + 1]:
        try:
            found = fit(law, error, data=data, **options, **inputs)
        except (NoFit, ValueError) as reason:
            failure = failure or reason
            values[law.__name__] = None
            continue
        value = aicc(found)
        values[law.__name__] = None if math.isnan(value) else value
        if chosen is None or value < aicc(chosen) - MARGIN * (LAWS.index(law) - LAWS.index(type(chosen.law))):
            chosen = found
    if chosen is None:
        raise failure or AssertionError
    return dataclasses.replace(chosen, notes={**chosen.notes, "aicc": values})
