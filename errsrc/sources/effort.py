"""Amount of computation for the bounds of terms that have no closed form."""

from __future__ import annotations

from dataclasses import dataclass

from errsrc import checks
from errsrc.fields import Checked, integer


@dataclass(frozen=True)
class Effort(Checked):
    """Amount of computation for tight bounds of the uncertainty of network teachers.

    Parameters
    ----------
    starts : int
        Number of students trained on each data set, >= 1.
    steps : int
        Number of L-BFGS steps of each student, >= 1.
    chains : int
        Number of Markov chains per data set for each of the two bounds, an even number >= 2.
    transitions : int
        Number of transitions of each chain that starts at the teacher, an even number >= 2.  Chains that
        start at students make twice as many transitions.  The first half of these transitions is discarded.
    leaps : int
        Largest number of leapfrog steps of a transition, >= 1.
    unlabelled : int
        Number of unlabelled inputs per data set on which a single network learns a posterior mean, >= 1.  A
        network of many more parameters than unlabelled inputs learns the posterior mean badly.
    """

    starts: int = integer(16, at_least=1)
    steps: int = integer(400, at_least=1)
    chains: int = integer(4, at_least=2)
    transitions: int = integer(32, at_least=2)
    leaps: int = integer(400, at_least=1)
    unlabelled: int = integer(256, at_least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("chains", "transitions"):
            if getattr(self, name) % 2:
                raise ValueError(checks.refusal(name, "Effort", "an even number", getattr(self, name)))
