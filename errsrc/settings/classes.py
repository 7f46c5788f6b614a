"""Function classes: what a learner can express."""

from __future__ import annotations

from dataclasses import dataclass

from errsrc import checks
from errsrc.bases import Basis
from errsrc.nets import Network as Architecture


@dataclass(frozen=True)
class FunctionClass:
    """A set of functions of an input: each learner declares its own, a setting measures what it lacks."""


@dataclass(frozen=True)
class AllFunctions(FunctionClass):
    """All functions: nearest neighbours, forests, kernel methods, averages of several networks."""


@dataclass(frozen=True)
class Linear(FunctionClass):
    """Linear maps of the inputs, x -> W x, without an offset."""


@dataclass(frozen=True)
class RankK(FunctionClass):
    """Linear maps of the inputs of rank at most ``rank``."""

    rank: int

    def __post_init__(self) -> None:
        checks.integer(self.rank, "rank", "RankK", 1)


@dataclass(frozen=True)
class Band(FunctionClass):
    """The functions in the span of a basis: those limited to a band."""

    basis: Basis

    def __post_init__(self) -> None:
        if not isinstance(self.basis, Basis):
            raise TypeError(checks.refusal("basis", "Band", "a basis of errsrc.bases", self.basis))

    @property
    def band_size(self) -> int:
        """M, the number of coefficients."""
        return self.basis.size


@dataclass(frozen=True)
class NetworkFunctions(FunctionClass):
    """The functions of one network architecture, over all its weights."""

    architecture: Architecture

    def __post_init__(self) -> None:
        if not isinstance(self.architecture, Architecture):
            raise TypeError(
                checks.refusal(
                    "architecture", "NetworkFunctions", "a network of errsrc.nets", self.architecture
                )
            )
