"""Bases of all kinds, small and large, for the tests of every basis."""

from errsrc.bases import Cube, Legendre, Slepian, Sphere, Torus

EXAMPLES = [
    Torus(0),
    Torus(2, 3),
    Torus(6, 2, "cross"),
    Torus(2, 4, "cross"),
    Legendre(0),
    Legendre(11),
    Slepian(10.0, 9),
    Slepian(40.0, 20),
    Sphere(0),
    Sphere(6),
    Cube(1, 1),
    Cube(7, 3),
    Cube(4, 4),
]
