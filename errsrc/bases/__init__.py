"""Bases: which orthonormal functions span a band?

A basis is a frozen dataclass.  If it is called with inputs (N, dim), it returns the values (N, M) of its M
functions.  The span of the functions is called the band: settings draw teachers from it, and learners fit
functions in it.  A user's own basis is a subclass of `Basis`.
"""

from typing import TYPE_CHECKING

from errsrc.bases.basis import BandFunction as BandFunction
from errsrc.bases.basis import Basis as Basis
from errsrc.bases.basis import shared_positions as shared_positions
from errsrc.bases.cube import Cube as Cube
from errsrc.bases.eigenfunctions import Mercer as Mercer
from errsrc.bases.eigenfunctions import mercer as mercer
from errsrc.bases.interval import Legendre as Legendre
from errsrc.bases.interval import Slepian as Slepian
from errsrc.bases.kernels import KERNELS as KERNELS
from errsrc.bases.kernels import kernel as kernel
from errsrc.bases.sphere import Sphere as Sphere
from errsrc.bases.torus import Torus as Torus
from errsrc.exports import exported_names
from errsrc.moved import moved_names

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)

ALL: dict[str, type[Basis]] = {
    "torus": Torus,
    "legendre": Legendre,
    "slepian": Slepian,
    "sphere": Sphere,
    "cube": Cube,
}
"""Every basis, by the name that selects it in a TOML spec."""
