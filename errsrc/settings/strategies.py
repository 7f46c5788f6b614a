"""Hypothesis strategies over worlds, for properties that hold in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from errsrc import checks
from errsrc.bases import Basis, Cube, Legendre, Slepian, Sphere, Torus
from errsrc.bases.torus import FREQUENCY_SETS
from errsrc.nets import MLP
from errsrc.settings.band import BandTeacher
from errsrc.settings.channels import Channel, Clean, Gaussian
from errsrc.settings.network import DOMAINS as NETWORK_DOMAINS
from errsrc.settings.network import NetworkTeacher
from errsrc.settings.nodes import Clustered, Gappy, Jittered, Nodes, Uneven, Uniform

DOMAINS = ("torus", "legendre", "slepian", "sphere", "cube")
"""Families of bands that `bases` draws from."""

DESIGNS = ("uniform", "jittered", "clustered", "gappy", "uneven")
"""Designs that `nodes` draws from."""


@st.composite
def bases(draw: st.DrawFn, domains: Sequence[str] = DOMAINS, most: int = 60) -> Basis:
    """Draw a basis of some ``domains``, at most ``most`` functions; simple ones are tori of one dimension."""
    checks.integer(most, "most", "bases", 1)
    kind = draw(st.sampled_from([checks.choice(one, "domains", "bases", DOMAINS) for one in domains]))
    if kind == "torus":
        dim = draw(st.integers(1, 4))
        shape = draw(st.sampled_from(FREQUENCY_SETS)) if dim > 1 else "box"
        sizes = [degree for degree in range(most // 2 + 1) if _fits(degree, dim, shape, most)]
        return Torus(draw(st.sampled_from(sizes)), dim, shape)
    if kind == "legendre":
        return Legendre(draw(st.integers(0, min(most, 40) - 1)))
    if kind == "slepian":
        return Slepian(draw(st.sampled_from([1.0, 4.0, 12.0, 30.0])), draw(st.integers(1, min(most, 30))))
    if kind == "sphere":
        return Sphere(draw(st.integers(0, int(most**0.5) - 1)))
    bits = draw(st.integers(1, 8))
    cubes = [Cube(bits, degree) for degree in range(bits + 1)]
    return draw(st.sampled_from([cube for cube in cubes if cube.size <= most]))


def _fits(degree: int, dim: int, shape: str, most: int) -> bool:
    """Return whether a torus's band has at most that many functions; one of a larger degree has more."""
    if shape == "box":
        return (2 * degree + 1) ** dim <= most
    return 2 * dim * degree + 1 <= most and Torus(degree, dim, shape).size <= most


@st.composite
def nodes(draw: st.DrawFn, designs: Sequence[str] = DESIGNS) -> Nodes:
    """Draw nodes of one of some ``designs``, among `DESIGNS`; uniform ones are the simplest."""
    kind = draw(st.sampled_from([checks.choice(one, "designs", "nodes", DESIGNS) for one in designs]))
    if kind == "jittered":
        return Jittered(draw(st.floats(0, 1).map(_short)))
    if kind == "clustered":
        return Clustered(draw(st.integers(1, 8)), draw(st.sampled_from([0.1, 0.03, 0.01, 0.003])))
    if kind == "gappy":
        return Gappy(draw(st.floats(0, 0.6).map(_short)))
    if kind == "uneven":
        return Uneven(draw(st.floats(0, 1).map(_short)))
    return Uniform()


def channels(most: float = 1.0) -> st.SearchStrategy[Channel]:
    """Return the strategy of clean and noisy labels, the noise's standard deviation at most ``most``."""
    noisy: Any = st.floats(-6, 0).map(lambda power: Gaussian(_short(most * 10**power)))
    return st.just(Clean()) | noisy if most else st.just(Clean())


@st.composite
def band_teachers(
    draw: st.DrawFn,
    domains: Sequence[str] = DOMAINS,
    designs: Sequence[str] = DESIGNS,
    most: int = 60,
    noise: float = 0.0,
    tail: float = 0.0,
) -> BandTeacher:
    """Draw a world of a band-limited teacher.

    Parameters
    ----------
    domains, most
        See `bases`.
    designs
        See `nodes`; on the cube nodes are uniform.
    noise
        The largest standard deviation of the noise; 0 for clean labels.
    tail
        The largest share of the variance beyond the band; 0 for exactly band-limited teachers.
    """
    basis = draw(bases(domains, most))
    design = Uniform() if isinstance(basis, Cube) else draw(nodes(designs))
    decay = draw(st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0]))
    channel = draw(channels(noise))
    if tail and isinstance(basis, (Torus, Legendre, Sphere)):
        beyond: Basis = type(basis)(**{**_fields(basis), "degree": basis.degree + draw(st.integers(1, 3))})
        share = _short(tail * 10 ** draw(st.floats(-6, 0)))
        return BandTeacher(basis, decay=decay, beyond=beyond, tail=share, nodes=design, channel=channel)
    return BandTeacher(basis, decay=decay, nodes=design, channel=channel)


@st.composite
def network_teachers(draw: st.DrawFn, most: int = 20) -> NetworkTeacher:
    """Draw a world of an analytic network teacher of at most ``most`` parameters; of one output."""
    checks.integer(most, "most", "network_teachers", 4)
    dim = draw(st.integers(1, 3))
    layers = draw(st.lists(st.integers(1, 4), min_size=1, max_size=2))
    while MLP((dim, *layers, 1)).parameters > most:
        layers = [*layers[:-1], layers[-1] - 1] if layers[-1] > 1 else layers[:-1]
        dim, layers = (dim, layers) if layers else (1, [1])
    activation = draw(st.sampled_from(["tanh", "sine", "gelu"]))
    stds = draw(st.sampled_from([0.5, 1.0, 2.0])), draw(st.sampled_from([0.0, 0.5, 1.0]))
    domain = draw(st.sampled_from(NETWORK_DOMAINS if dim > 1 else NETWORK_DOMAINS[:1]))
    return NetworkTeacher(MLP((dim, *layers, 1), activation), *stds, domain)


def _fields(basis: Basis) -> dict[str, Any]:
    return {name: getattr(basis, name) for name in ("dim", "shape") if isinstance(basis, Torus)}


def _short(value: float) -> float:
    """Return a number of three digits, so that what is found can be read."""
    return float(f"{value:.3g}")
