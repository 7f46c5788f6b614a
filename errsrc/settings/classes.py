"""Function classes: the sets of functions that learners can express."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from errsrc.bases import Basis
from errsrc.fields import Checked, instance, integer
from errsrc.nets import Network, embeds


@dataclass(frozen=True)
class FunctionClass(Checked):
    """A set of functions of an input.  Each learner declares its class; a setting measures the part of its
    teachers that the class lacks.

    A subclass is a frozen dataclass of plain numbers.  It overrides those of the following attributes that
    are known for it.
    """

    unrestricted: ClassVar[bool] = False
    """Whether the class contains all functions."""

    linear: ClassVar[bool] = False
    """Whether all functions of the class are linear maps of the inputs."""

    @property
    def largest_rank(self) -> int | None:
        """Largest rank of a linear map in the class; None where the rank is not restricted."""
        return None

    @property
    def band(self) -> Basis | None:
        """Basis whose span is the class; None for other classes."""
        return None

    @property
    def network(self) -> Network | None:
        """Architecture whose functions, over all weights, form the class; None for other classes."""
        return None

    @property
    def input_dim(self) -> int | None:
        """Number of coordinates of an input; None where the class has functions of any inputs."""
        return None

    @property
    def output_dim(self) -> int | None:
        """Number of outputs; None where the class has functions of any number of outputs."""
        return None

    def holds(self, architecture: Network) -> bool:
        """Return whether the class is known to contain all functions of an architecture.

        Parameters
        ----------
        architecture : Network
            A network of `errsrc.nets`.

        Returns
        -------
        bool
            False also if this is not known.
        """
        return self.unrestricted


@dataclass(frozen=True)
class AllFunctions(FunctionClass):
    """All functions.

    This is the class of nearest neighbours, forests, kernel methods, and averages of several networks.
    """

    unrestricted: ClassVar[bool] = True


@dataclass(frozen=True)
class Linear(FunctionClass):
    """Linear maps of the inputs, x -> W x, without an offset."""

    linear: ClassVar[bool] = True


@dataclass(frozen=True)
class RankK(FunctionClass):
    """Linear maps of the inputs, of limited rank.

    Parameters
    ----------
    rank : int
        Largest rank of the maps, >= 1.
    """

    linear: ClassVar[bool] = True
    rank: int = integer(at_least=1)

    @property
    def largest_rank(self) -> int | None:
        """The rank."""
        return self.rank


@dataclass(frozen=True)
class Band(FunctionClass):
    """The functions in the span of a basis: the functions limited to a band.

    Parameters
    ----------
    basis : Basis
        A basis of `errsrc.bases`, or one of your own.
    """

    basis: Basis = instance(Basis, "a basis of errsrc.bases")

    @property
    def band(self) -> Basis | None:
        """The basis."""
        return self.basis

    @property
    def band_size(self) -> int:
        """M, the number of coefficients."""
        return self.basis.size

    @property
    def input_dim(self) -> int | None:
        """Number of coordinates of an input."""
        return self.basis.dim


@dataclass(frozen=True)
class NetworkFunctions(FunctionClass):
    """The functions of one network architecture, over all its weights.

    Parameters
    ----------
    architecture : Network
        A network of `errsrc.nets`.
    """

    architecture: Network = instance(Network, "a network of errsrc.nets")

    @property
    def network(self) -> Network | None:
        """The architecture."""
        return self.architecture

    @property
    def input_dim(self) -> int | None:
        """Number of inputs of the network."""
        return self.architecture.inputs

    @property
    def output_dim(self) -> int | None:
        """Number of outputs of the network."""
        return self.architecture.outputs

    def holds(self, architecture: Network) -> bool:
        """Return whether the other architecture can be embedded in this one (`errsrc.nets.embeds`)."""
        return embeds(architecture, self.architecture)
