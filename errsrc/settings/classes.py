"""Function classes: the sets of functions that learners can express."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.bases import Basis
from errsrc.fields import Checked, instance, integer
from errsrc.nets import Network, embeds


@dataclass(frozen=True, eq=False)
class Span:
    """An orthonormal basis of a class that features span, and other functions projected on the class.

    Let h be the p functions of the basis, orthonormal under the distribution of the inputs.  The other
    functions are the functions of which a setting's teachers are combinations.  For linear teachers, they are
    the coordinates of an input, each divided by its standard deviation.  For teachers in a band, they are the
    functions of the band's orthonormal basis.

    Attributes
    ----------
    root : ndarray of float64, (p, m)
        Coefficients of the m features in the basis: the features are h' root.
    inputs : ndarray of float64, (p, R)
        Coefficients, in the basis, of the projections of the R other functions on the class.
    whole : bool
        Whether the class contains all other functions.
    """

    root: NDArray[np.float64]
    inputs: NDArray[np.float64]
    whole: bool


@dataclass(frozen=True)
class FunctionClass(Checked):
    """A class of functions that take the inputs of a setting.

    Each learner declares the class of functions that it can express.  `Setting.realizability` measures how
    well the best function of a class approximates the setting's teachers.

    A subclass is a frozen dataclass of plain numbers.  It overrides each attribute and method below whose
    value is known for its functions.
    """

    unrestricted: ClassVar[bool] = False
    """Whether the class contains all functions."""

    linear: ClassVar[bool] = False
    """Whether all functions of the class are linear maps of the inputs."""

    @property
    def largest_rank(self) -> int | None:
        """Largest rank of a linear map in the class; None if the rank is not restricted."""
        return None

    @property
    def band(self) -> Basis | None:
        """Basis whose span is the class; None for a class that is not the span of a basis."""
        return None

    @property
    def network(self) -> Network | None:
        """The architecture, if the class is the set of functions of one architecture; otherwise None."""
        return None

    @property
    def input_dim(self) -> int | None:
        """Number of coordinates of an input; None if the class has functions of any number of coordinates."""
        return None

    @property
    def output_dim(self) -> int | None:
        """Number of outputs; None if the class has functions with any number of outputs."""
        return None

    def span(self, variances: NDArray[np.float64]) -> Span | None:
        """Return an orthonormal basis of the class, for independent normal inputs with mean 0.

        Parameters
        ----------
        variances : ndarray of float64, (dim,)
            Variances of the coordinates of an input.

        Returns
        -------
        Span or None
            The basis; None if the class is not the span of features, or if the moments of the features are
            not known.
        """
        return None

    def features(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the features that span the class, float64 (N, m), if `span` returns a basis.

        Parameters
        ----------
        x : ndarray of float64, (N, dim)
            Inputs.

        Raises
        ------
        TypeError
            If the class is not the span of features.
        """
        raise TypeError(checks.refusal("function_class", "features", "the span of features", self))

    def holds(self, architecture: Network) -> bool:
        """Return whether the class is known to contain all functions of an architecture.

        Parameters
        ----------
        architecture : Network
            A network of `errsrc.nets`.

        Returns
        -------
        bool
            True if the class is known to contain these functions.  False if the class does not contain them,
            or if this is not known.
        """
        return self.unrestricted


@dataclass(frozen=True)
class AllFunctions(FunctionClass):
    """The class of all functions.

    Nearest neighbours, forests, kernel methods, and averages of several networks have this class.
    """

    unrestricted: ClassVar[bool] = True


@dataclass(frozen=True)
class Linear(FunctionClass):
    """The class of linear maps x -> W x of the inputs, without a bias term."""

    linear: ClassVar[bool] = True


@dataclass(frozen=True)
class RankK(FunctionClass):
    """The class of linear maps x -> W x of the inputs whose matrix W has at most a given rank.

    Parameters
    ----------
    rank : int
        Largest rank of W, >= 1.
    """

    linear: ClassVar[bool] = True
    rank: int = integer(at_least=1)

    @property
    def largest_rank(self) -> int | None:
        """Largest rank of W."""
        return self.rank


@dataclass(frozen=True)
class Band(FunctionClass):
    """The class of all functions in a band, the span of a basis.

    Parameters
    ----------
    basis : Basis
        A basis of `errsrc.bases`, or your own subclass of `errsrc.bases.Basis`.
    """

    basis: Basis = instance(Basis, "a basis of errsrc.bases")

    @property
    def band(self) -> Basis | None:
        """The basis."""
        return self.basis

    @property
    def band_size(self) -> int:
        """M, the number of basis functions."""
        return self.basis.size

    @property
    def input_dim(self) -> int | None:
        """Number of coordinates of an input."""
        return self.basis.dim


@dataclass(frozen=True)
class NetworkFunctions(FunctionClass):
    """The class of functions of one network architecture with all possible weights.

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
        """Return whether `architecture` can be embedded in the architecture of this class.

        See `errsrc.nets.embeds`.
        """
        return embeds(architecture, self.architecture)
