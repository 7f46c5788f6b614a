"""Hypothesis strategies that draw settings, for tests of properties that should hold in every setting."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from errsrc import checks
from errsrc.bases import Basis, Cube, Legendre, Slepian, Sphere, Torus
from errsrc.bases.torus import FREQUENCY_SETS
from errsrc.nets import MLP
from errsrc.settings.band import BandTeacher
from errsrc.settings.channels import Channel, Clean, Gaussian
from errsrc.settings.network import NetworkTeacher
from errsrc.settings.nodes import Clustered, Gappy, Jittered, Nodes, Uneven, Uniform

DOMAINS = ("torus", "legendre", "slepian", "sphere", "cube")
"""Families of bands that `bases` draws from."""

DESIGNS = ("uniform", "jittered", "clustered", "gappy", "uneven")
"""Designs that `nodes` draws from."""


def quiet_settings(examples: int, *phases: Phase) -> hypothesis.settings:
    """Return the settings with which functions of errsrc, which are not tests, let Hypothesis draw examples.

    Hypothesis then prints nothing.  It stores no examples, and uses no examples of earlier calls.

    Parameters
    ----------
    examples : int
        Largest number of examples that are drawn before they are simplified, >= 1.
    *phases : Phase
        The phases of Hypothesis.
    """
    return hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
        report_multiple_bugs=False,
    )


@st.composite
def bases(draw: st.DrawFn, domains: Sequence[str] = DOMAINS, most: int = 60) -> Basis:
    """Return a strategy that draws a basis; Hypothesis shrinks the basis to a torus of one dimension.

    Parameters
    ----------
    domains : sequence of str
        Names of the families of bases to draw from, each one of `DOMAINS`.
    most : int
        Largest number of basis functions, >= 1.
    """
    checks.Integer(at_least=1)(most, "most", "bases")
    kind = draw(st.sampled_from([checks.Choice(DOMAINS)(one, "domains", "bases") for one in domains]))
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


PLAIN_DESIGNS: dict[str, Nodes] = {
    "uniform": Uniform(),
    "jittered": Jittered(0.5),
    "clustered": Clustered(3, 0.1),
    "gappy": Gappy(0.2),
    "uneven": Uneven(0.9),
}
"""A design of each name in `DESIGNS`."""

LARGEST_LIST = 64
"""Largest number of bases of one domain in `all_bases`, and of settings in `all_networks`."""


def all_bases(domains: Sequence[str] = DOMAINS, most: int = 60) -> list[Basis]:
    """Return bases of every size that `bases` can draw, in ascending order of size.

    Parameters
    ----------
    domains : sequence of str
        Names of the families, each one of `DOMAINS`.
    most : int
        Largest number of basis functions, >= 1.

    Returns
    -------
    list of Basis
        For each domain, a basis of every size that the domain has.  If a domain has more than `LARGEST_LIST`
        sizes, the list has only `LARGEST_LIST` of them, evenly spread from the smallest to the largest.
    """
    out = []
    for domain in domains:
        by_size = {basis.size: basis for basis in reversed(_bases_of(domain, most))}
        out += [by_size[size] for size in _spread(sorted(by_size))]
    return sorted(out, key=lambda basis: basis.size)


def _bases_of(domain: str, most: int) -> list[Basis]:
    """Return bases of a domain with at most `most` functions, the simplest of each size first."""
    if domain == "torus":
        return [
            Torus(degree, dim, shape)
            for dim in range(1, 5)
            for shape in (FREQUENCY_SETS if dim > 1 else ("box",))
            for degree in itertools.takewhile(
                lambda degree: _fits(degree, dim, shape, most),  # noqa: B023 (used at once)
                range(most // 2 + 1),
            )
        ]
    if domain == "legendre":
        return [Legendre(degree) for degree in range(min(most, 40))]
    if domain == "slepian":
        widths = (4.0, 12.0, 30.0, 1.0)
        return [Slepian(widths[count % 4], count) for count in range(1, min(most, 30) + 1)]
    if domain == "sphere":
        return [Sphere(degree) for degree in range(int(most**0.5))]
    cubes = [Cube(bits, degree) for bits in range(1, 9) for degree in range(bits + 1)]
    return [cube for cube in cubes if cube.size <= most]


def all_networks(most: int = 20) -> list[NetworkTeacher]:
    """Return network teachers of every number of parameters that `network_teachers` can draw.

    Parameters
    ----------
    most : int
        Largest number of parameters of a network, >= 4.

    Returns
    -------
    list of NetworkTeacher
        One setting of every size, in ascending order; at most `LARGEST_LIST` settings.
    """
    hidden = [(one,) for one in range(1, 5)] + [(a, b) for a in range(1, 5) for b in range(1, 5)]
    sizes = {
        MLP((dim, *layers, 1)).parameters: (dim, *layers, 1)
        for layers in reversed(hidden)
        for dim in (3, 2, 1)
    }
    kept = _spread([size for size in sorted(sizes) if size <= most])
    activations = ("tanh", "sine", "gelu")
    return [NetworkTeacher(MLP(sizes[size], activations[k % 3])) for k, size in enumerate(kept)]


def _spread(sizes: Sequence[int]) -> list[int]:
    """Return at most `LARGEST_LIST` of ascending sizes, evenly spread, with the first and the last."""
    step = max(1.0, (len(sizes) - 1) / (LARGEST_LIST - 1))
    return [sizes[round(k * step)] for k in range(min(len(sizes), LARGEST_LIST))]


def _fits(degree: int, dim: int, shape: str, most: int) -> bool:
    """Return whether a torus has at most `most` functions; a torus of larger degree has more."""
    if shape == "box":
        return (2 * degree + 1) ** dim <= most
    return 2 * dim * degree + 1 <= most and Torus(degree, dim, shape).size <= most


@st.composite
def nodes(draw: st.DrawFn, designs: Sequence[str] = DESIGNS) -> Nodes:
    """Return a strategy that draws a design of nodes; Hypothesis shrinks the design to uniform nodes.

    Parameters
    ----------
    designs : sequence of str
        Names of the designs to draw from, each one of `DESIGNS`.
    """
    kind = draw(st.sampled_from([checks.Choice(DESIGNS)(one, "designs", "nodes") for one in designs]))
    if kind == "jittered":
        return Jittered(draw(st.floats(0, 1).map(_three_digits)))
    if kind == "clustered":
        return Clustered(draw(st.integers(1, 8)), draw(st.sampled_from([0.1, 0.03, 0.01, 0.003])))
    if kind == "gappy":
        return Gappy(draw(st.floats(0, 0.6).map(_three_digits)))
    if kind == "uneven":
        return Uneven(draw(st.floats(0, 1).map(_three_digits)))
    return Uniform()


def channels(most: float = 1.0) -> st.SearchStrategy[Channel]:
    """Return a strategy that draws a channel of clean labels or of labels with normal noise.

    Parameters
    ----------
    most : float
        Largest standard deviation of the noise; with 0 all channels have clean labels.
    """
    noisy: Any = st.floats(-6, 0).map(lambda power: Gaussian(_three_digits(most * 10**power)))
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
    """Return a strategy that draws a setting of band-limited teachers.

    Parameters
    ----------
    domains : sequence of str
        Names of the families of bases to draw from, each one of `DOMAINS`.
    designs : sequence of str
        Names of the designs of nodes to draw from, each one of `DESIGNS`.  For bases on the cube, nodes are
        always uniform.
    most : int
        Largest number of functions of the basis, >= 1.
    noise : float
        Largest standard deviation of the label noise; with 0 labels are clean.
    tail : float
        Largest share of the target variance outside the band; with 0 teachers are exactly band-limited.
    """
    basis: Any = draw(bases(domains, most))
    design = draw(nodes(designs)) if basis.continuous_dim else Uniform()
    decay = draw(st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0]))
    channel = draw(channels(noise))
    if tail and basis.continuous_dim and basis.size_field == "degree":
        beyond = replace(basis, degree=basis.degree + draw(st.integers(1, 3)))
        share = _three_digits(tail * 10 ** draw(st.floats(-6, 0)))
        return BandTeacher(basis, decay=decay, beyond=beyond, tail=share, nodes=design, channel=channel)
    return BandTeacher(basis, decay=decay, nodes=design, channel=channel)


@st.composite
def network_teachers(draw: st.DrawFn, most: int = 20) -> NetworkTeacher:
    """Return a strategy that draws a setting of network teachers.

    The networks are analytic in their weights and have one output.

    Parameters
    ----------
    most : int
        Largest number of parameters of a network, >= 4.
    """
    checks.Integer(at_least=4)(most, "most", "network_teachers")
    dim = draw(st.integers(1, 3))
    layers = draw(st.lists(st.integers(1, 4), min_size=1, max_size=2))
    while MLP((dim, *layers, 1)).parameters > most:
        layers = [*layers[:-1], layers[-1] - 1] if layers[-1] > 1 else layers[:-1]
        dim, layers = (dim, layers) if layers else (1, [1])
    activation = draw(st.sampled_from(["tanh", "sine", "gelu"]))
    stds = draw(st.sampled_from([0.5, 1.0, 2.0])), draw(st.sampled_from([0.0, 0.5, 1.0]))
    domain = draw(st.sampled_from(("normal", "sphere") if dim > 1 else ("normal",)))
    return NetworkTeacher(MLP((dim, *layers, 1), activation), *stds, domain)


def _three_digits(value: float) -> float:
    """Return a number rounded to three digits, so that examples are easy to read."""
    return float(f"{value:.3g}")
