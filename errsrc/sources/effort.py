"""Amount of computation for terms of the budget that have only bounds."""

from __future__ import annotations

from dataclasses import dataclass

from errsrc import checks
from errsrc.fields import Checked, integer


@dataclass(frozen=True)
class Effort(Checked):
    """Amount of computation spent on tight bounds of the uncertainty.

    Parameters
    ----------
    starts : int
        Number of students trained on each data set, >= 1.
    steps : int
        Number of L-BFGS steps of each student, >= 1.
    chains : int
        Number of chains per data set for each of the two bounds, an even number.
    transitions : int
        Number of transitions of each chain that starts at the teacher, an even number.  Chains that start at
        students take twice as many, of which the first half is discarded.
    leaps : int
        Largest number of leapfrog steps of a transition, >= 1.
    """

    starts: int = integer(16, at_least=1)
    steps: int = integer(400, at_least=1)
    chains: int = integer(4, at_least=2)
    transitions: int = integer(32, at_least=2)
    leaps: int = integer(400, at_least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("chains", "transitions"):
            if getattr(self, name) % 2:
                raise ValueError(checks.refusal(name, "Effort", "an even number", getattr(self, name)))
