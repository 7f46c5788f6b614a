"""A law of one's own."""

from dataclasses import dataclass

import sympy

from errsrc.laws import Law, positive, symbol


@dataclass(frozen=True)
class Onset(Law):
    """e(n) = a (1 + n / onset)^-alpha: flat until the onset, a power law after it."""

    inputs = ("n",)
    slopes = ("alpha",)
    ceilings = ("a",)

    a: float = positive((0.3, 3.0), unit={"error": 1})
    onset: float = positive((0.05, 5.0), unit={"n": 1})
    alpha: float = positive((0.2, 1.5), (1e-3, 8.0))

    def error(self, **inputs):
        (n,) = self.input_arrays(inputs)
        return self.a * (1 + n / self.onset) ** -self.alpha

    @classmethod
    def formula(cls):
        n, a, onset, alpha = map(symbol, ("n", "a", "onset", "alpha"))
        return a * sympy.exp(-alpha * sympy.log((n + onset) / onset))
