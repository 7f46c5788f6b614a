"""Search for an example that refutes a claim."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from errsrc import checks, records
from errsrc.bases import Basis
from errsrc.checks import SEED, Choice, Instance, Integer, Optional, Tuple
from errsrc.conjecture.claims import Claim, Example, Outcome, examine
from errsrc.conjecture.drawn_examples import Refuted, examine_drawn
from errsrc.fields import Checked, declare, integer, number
from errsrc.learners import BandLeastSquares, Learner, NetworkClass, as_learner
from errsrc.results import TabularResult, TextTable
from errsrc.rng import generator
from errsrc.settings import BandTeacher, Clean, Gaussian, NetworkTeacher, Setting, Uniform
from errsrc.settings.strategies import (
    DESIGNS,
    DOMAINS,
    PLAIN_DESIGNS,
    all_bases,
    all_networks,
    band_teachers,
    network_teachers,
)

LARGEST_SEED = 10**6
"""Largest seed of an example."""


@dataclass(frozen=True)
class Region(Checked):
    """The settings, learners and sizes that are searched for counterexamples.

    Parameters
    ----------
    domains : tuple of str
        Names of families of bands, see ``errsrc.settings.strategies.DOMAINS``, and "network" for network
        teachers.
    designs : tuple of str
        Names of designs of nodes, see ``errsrc.settings.strategies.DESIGNS``.
    most : int
        Largest number of basis functions of a band, >= 1.  Networks have at most max(4, most / 3) parameters.
    oversampling : float
        Largest n divided by n_Nyq, from 1 to 1000.
    noise : float
        Largest standard deviation of the label noise, >= 0.
    tail : float
        Largest share of the target variance outside the band, in [0, 1].
    precisions : tuple of str
        Precisions of the learner: "float64", "float32", or both.
    starts : int
        Number of random starts of a learner whose class is a network class, >= 1.
    """

    domains: tuple[str, ...] = declare(Tuple(Choice((*DOMAINS, "network")), at_least=1), DOMAINS)
    designs: tuple[str, ...] = declare(Tuple(Choice(DESIGNS), at_least=1), DESIGNS)
    most: int = integer(60, at_least=1)
    oversampling: float = number(4.0, at_least=1, at_most=1000)
    noise: float = number(0.0, at_least=0)
    tail: float = number(0.0, at_least=0, at_most=1)
    precisions: tuple[str, ...] = declare(Tuple(Choice(("float64", "float32")), at_least=1), ("float64",))
    starts: int = integer(8, at_least=1)


POWER: dict[str, Callable[[int], int]] = {
    "1 example": lambda n: n - 1,
    "10%": lambda n: math.ceil(0.9 * n) - (n > 9),
    "half": lambda n: n // 2,
}
"""Reductions of a threshold, to measure the power of a search: functions from n to the lowered n, by name."""

MEASURED = 60
"""Largest number of examples at the threshold that are examined again for each entry of `POWER`."""

_MEASURED_NETWORKS = 6  # the same for networks, whose learner is slow
_EVEN_FIRST = ("jittered", "uniform", "uneven")  # designs, by the condition number that they usually give
_SMALL = 16  # a counterexample of at most this many labelled examples is small enough


@dataclass
class _Tally:
    """Numbers of tested and untested examples of one kind, and the largest ratio of error to bound.

    For examples with the smallest n that the claim is about, `at_threshold` counts the tested examples, and
    `below` the untested ones.  `n`, `sizes` and `ratios` hold the smallest and the largest n, n_Nyq and n /
    n_Nyq of the tested examples.
    """

    tested: int = 0
    untested: int = 0
    worst: float = 0.0
    at_threshold: int = 0
    below: int = 0
    n: tuple[int, int] = (0, 0)
    sizes: tuple[int, int] = (0, 0)
    ratios: tuple[float, float] = (0.0, 0.0)

    def add(self, example: Example, outcome: Outcome) -> None:
        """Count an outcome."""
        base = example.setting.n_nyquist or 1
        at_threshold = example.n == example.claim.smallest(base)
        if outcome.verdict == "not tested":
            self.untested += 1
            self.below += at_threshold
            return
        spans = (self.n, self.sizes, self.ratios) if self.tested else ((math.inf, 0),) * 3
        values = (example.n, base, example.n / base)
        self.n, self.sizes, self.ratios = (  # type: ignore[assignment]
            (min(low, value), max(high, value)) for (low, high), value in zip(spans, values, strict=True)
        )
        self.tested += 1
        self.at_threshold += at_threshold
        self.worst = max(self.worst, outcome.ratio)


@functools.singledispatch
def _kind(setting: Setting) -> tuple[str, str]:
    """Return the kind that an example is counted under: for a user's own setting, the name of its class."""
    return type(setting).__name__, ""


@_kind.register
def _kind_of_band(setting: BandTeacher) -> tuple[str, str]:
    return type(setting.basis).__name__, type(setting.nodes).__name__


@_kind.register
def _kind_of_network(setting: NetworkTeacher) -> tuple[str, str]:
    return "Network", setting.domain


@functools.singledispatch
def _informed_learner(setting: Setting, region: Region, precision: str) -> Learner:
    """Return the learner that has full prior knowledge of a setting."""
    accepted = f"given for settings of class {type(setting).__name__}"
    raise TypeError(checks.refusal("learner", "search", accepted, None))


@_informed_learner.register
def _learner_of_band(setting: BandTeacher, region: Region, precision: str) -> Learner:
    return BandLeastSquares(setting.basis, precision=precision)


@_informed_learner.register
def _learner_of_network(setting: NetworkTeacher, region: Region, precision: str) -> Learner:
    return NetworkClass(setting.architecture, region.starts, steps=300, together=region.starts)


Part = tuple[str, str, int, int, float]
"""A part of a search: basis, nodes, tested, not tested, and the largest ratio of error to bound."""


@dataclass(frozen=True, eq=False, repr=False)
class Search(TabularResult):
    """The result of a search for a counterexample.

    Attributes
    ----------
    claim : Claim
        The claim.
    region : Region
        The settings, learners and sizes that were searched.
    tallies : dict
        The keys are (kind of basis, kind of nodes).  The values have the numbers of examples of these kinds,
        up to the first counterexample.
    worst : float
        Largest ratio of error to bound among all tested examples.
    hardest : Example or None
        The example with the largest ratio; None if no example was tested.
    counterexample : Example or None
        The smallest example found that refutes the claim; None if no counterexample was found.
    outcome : Outcome or None
        Error, bound and verdict of the counterexample; None if no counterexample was found.
    power : dict of str to tuple of int
        How often the search detects a claim whose threshold is too low.  Cases that were tested with n at the
        threshold are tested again with fewer labelled examples: 1 less, 10% less, and half.  The claim's
        threshold is lowered by the same number.  Each of these cases should refute the lowered claim.  The
        keys name the three reductions.  The values are (number of cases that refute the lowered claim, number
        of cases that were tested again).  Empty if the claim is refuted, or if no case was tested at the
        threshold.
    """

    claim: Claim
    region: Region
    tallies: dict[tuple[str, str], _Tally]
    worst: float
    hardest: Example | None
    counterexample: Example | None
    outcome: Outcome | None
    power: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)

    @property
    def tested(self) -> int:
        """Number of examples that were tested."""
        return sum(one.tested for one in self.tallies.values())

    @property
    def untested(self) -> int:
        """Number of examples that were not tested, see `Outcome.verdict`."""
        return sum(one.untested for one in self.tallies.values())

    @property
    def verdict(self) -> str:
        """The verdict on the claim: "supported", "refuted" or "not tested".

        A claim is supported only if examples at its threshold were tested, because a claim whose threshold is
        too low fails there first.  If the search visited both networks and bands, examples of both must have
        been tested at the threshold.
        """
        if self.counterexample is not None:
            return "refuted"
        return "supported" if self.tested and not self._never_at_threshold else "not tested"

    @property
    def _never_at_threshold(self) -> list[str]:
        """Which of "networks" and "other settings" were visited at the threshold, but never tested there."""
        out = []
        for name, network in (("networks", True), ("other settings", False)):
            tallies = [one for kind, one in self.tallies.items() if (kind[0] == "Network") == network]
            if any(one.below for one in tallies) and not any(one.at_threshold for one in tallies):
                out.append(name)
        return out

    @property
    def ranges(self) -> str:
        """The sizes and the number of examples at the threshold that were tested, in words; "" if none."""
        tallies = [one for one in self.tallies.values() if one.tested]
        if not tallies:
            return ""
        spans = []
        for name, digits in (("sizes", ",.0f"), ("n", ",.0f"), ("ratios", ".3g")):
            ends = [getattr(one, name) for one in tallies]
            low, high = min(low for low, _ in ends), max(high for _, high in ends)
            spans.append(f"{low:{digits}} to {high:{digits}}")
        at, below = (
            sum(getattr(one, name) for one in self.tallies.values()) for name in ("at_threshold", "below")
        )
        sentence = (
            f"Tested for n_Nyq from {spans[0]}, n from {spans[1]} and n / n_Nyq from {spans[2]}; "
            f"{at:,} of {at + below:,} examples at the threshold."
        )
        for name in self._never_at_threshold:
            sentence += f" For {name}, no example at the threshold could be tested."
        return sentence

    @property
    def power_lines(self) -> list[str]:
        """The numbers in `power` as sentences."""
        return [
            f"A threshold lower by {name}: {refuted} of {examined} examples at the threshold would refute it."
            for name, (refuted, examined) in self.power.items()
        ]

    @property
    def parts(self) -> list[Part]:
        """A row for each kind of basis and nodes.

        Each row has the basis, the nodes, the numbers of examples that were tested and not tested, and the
        largest ratio of error to bound.
        """
        return [(*kind, one.tested, one.untested, one.worst) for kind, one in sorted(self.tallies.items())]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return `parts` as a dict of arrays: "basis", "nodes", "tested", "untested" and "worst"."""
        names = ("basis", "nodes", "tested", "untested", "worst")
        return {name: np.array([part[k] for part in self.parts]) for k, name in enumerate(names)}

    def headline(self) -> str:
        """Return the verdict and the numbers of examples as one line."""
        counts = f"{self.tested:,} examples tested, {self.untested:,} not"
        return f"{self.verdict}: {counts}, worst error / bound {self.worst:.2g}"

    def content(self) -> list[str | TextTable]:
        """Return the claim, a table of the kinds of bases and nodes, the verdict, and the counterexample."""
        lines: list[str | TextTable] = [records.text(self.claim), f"in {records.text(self.region)}"]
        lines.append(TextTable(part_rows(self.parts), "l", header=True))
        lines.append(f"{self.tested:,} examples tested, {self.untested:,} not; {self.verdict}.")
        lines += [line for line in (self.ranges, *self.power_lines) if line]
        if self.outcome is not None and self.counterexample is not None:
            lines += [self.outcome.status, records.text(self.counterexample)]
        return lines


def part_rows(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    """Return the rows of a table of the parts of a search: a header, then a row of texts for each part.

    Parameters
    ----------
    parts : sequence of Part
        A part for each kind of basis and nodes, see `Search.parts`.

    Returns
    -------
    list of tuple of str
        The header, then a row for each part.
    """
    rows: list[tuple[str, ...]] = [
        ("basis", "nodes", "tested", "not tested", "worst error / bound", "verdict")
    ]
    for basis, nodes, tested, untested, worst in parts:
        verdict = "refuted" if worst > 1 else "supported" if tested else "not tested"
        ratio = f"{worst:.2g}" if tested else ""
        rows.append((basis, nodes, f"{tested:,}", f"{untested:,}", ratio, verdict))
    return rows


@st.composite
def examples(
    draw: st.DrawFn,
    claim: Claim,
    region: Region,
    settings: st.SearchStrategy[Setting] | None = None,
    learner_of: Callable[[Setting], Learner] | None = None,
) -> Example:
    """Return a Hypothesis strategy that draws examples in a region.

    An example is a setting, a learner, a number n of labelled examples at or above the claim's threshold, and
    a seed.

    Parameters
    ----------
    claim : Claim
        The claim.
    region : Region
        The region.
    settings : SearchStrategy, optional
        Strategy that draws the setting; by default it draws a setting of the region.
    learner_of : callable, optional
        Maps a setting to the learner; by default the learner has full prior knowledge of the setting.
    """
    precision = region.precisions[0]
    setting: Setting
    if settings is not None:
        setting = draw(settings)
    elif draw(st.sampled_from([domain != "network" for domain in region.domains])):
        bands = [domain for domain in region.domains if domain != "network"]
        setting = draw(band_teachers(bands, region.designs, region.most, region.noise, region.tail))
        precision = draw(st.sampled_from(region.precisions))
    else:
        setting = draw(network_teachers(max(4, region.most // 3)))
    learner = learner_of(setting) if learner_of else _informed_learner(setting, region, precision)
    base = setting.n_nyquist
    if base is None:
        accepted = "a strategy of settings whose n_nyquist is known"
        raise TypeError(checks.refusal("settings", "search", accepted, setting))
    smallest = claim.smallest(base)
    n = draw(st.integers(smallest, max(smallest, math.floor(region.oversampling * base))))
    return Example(setting, learner, n, claim, draw(st.integers(0, LARGEST_SEED)))


def _learner_function(learner: Any) -> Callable[[Setting], Learner]:
    """Return a function from settings to learners, for a learner or a user's own function."""
    if callable(learner) and not hasattr(learner, "fit"):
        return lambda setting: as_learner(learner(setting), "search")
    fixed = as_learner(learner, "search")
    return lambda setting: fixed


def _boundary(
    claim: Claim, region: Region, learner_of: Callable[[Setting], Learner] | None, seed: int
) -> Iterator[Example]:
    """Return examples at the boundary of a region, in ascending order of size.

    For every size that a domain has (`all_bases`), n is the claim's threshold.  Each size comes with even
    nodes, whose condition number is small, and with the other designs, noise and tails in turn.  The smallest
    and the largest basis of each domain come with every design, and with the largest n.
    """
    bands = [domain for domain in region.domains if domain != "network"]
    rng = generator(seed, "boundary")
    ends = {
        basis
        for domain in bands
        for basis in (all_bases([domain], region.most)[0], all_bases([domain], region.most)[-1])
    }
    settings: list[Setting] = []
    for k, basis in enumerate(all_bases(bands, region.most) if bands else ()):
        even = next((design for design in _EVEN_FIRST if design in region.designs), region.designs[0])
        turn = dict.fromkeys([even, region.designs[k % len(region.designs)]])
        for design in region.designs if basis in ends else turn:
            settings.append(_plain_setting(basis, design, region, k))
    if "network" in region.domains:
        settings = sorted(
            [*settings, *all_networks(max(4, region.most // 3))], key=lambda setting: setting.n_nyquist or 1
        )
    for k, setting in enumerate(settings):
        precision = region.precisions[k % len(region.precisions)]
        learner = learner_of(setting) if learner_of else _informed_learner(setting, region, precision)
        base, drawn = setting.n_nyquist or 1, int(rng.integers(LARGEST_SEED + 1))
        smallest = claim.smallest(base)
        yield Example(setting, learner, smallest, claim, drawn)
        largest = math.floor(region.oversampling * base)
        if isinstance(setting, BandTeacher) and setting.basis in ends and largest > smallest:
            yield Example(setting, learner, largest, claim, drawn)


def _plain_setting(basis: Basis, design: str, region: Region, turn: int) -> BandTeacher:
    """Return a setting of flat spectrum with a design by name, and the region's noise or tail in turn."""
    nodes = PLAIN_DESIGNS[design] if basis.continuous_dim else Uniform()
    channel = Gaussian(region.noise) if region.noise and turn % 2 else Clean()
    if region.tail and basis.continuous_dim and basis.size_field == "degree":
        beyond = dataclasses.replace(basis, degree=basis.degree + 1)  # type: ignore[attr-defined, call-arg]
        return BandTeacher(basis, beyond=beyond, tail=region.tail, nodes=nodes, channel=channel)
    return BandTeacher(basis, nodes=nodes, channel=channel)


def _power(examples: Sequence[Example]) -> dict[str, tuple[int, int]]:
    """Return `Search.power` for tested examples at the threshold of a claim."""
    out: dict[str, tuple[int, int]] = {}
    for name, lowered in POWER.items():
        possible = [one for one in examples if 1 <= lowered(one.n) < one.n]
        networks = [one for one in possible if isinstance(one.setting, NetworkTeacher)]
        others = [one for one in possible if not isinstance(one.setting, NetworkTeacher)]
        verdicts = []
        for one in _evenly(others, MEASURED) + _evenly(networks, _MEASURED_NETWORKS):
            fewer = lowered(one.n)
            claim = dataclasses.replace(one.claim, offset=one.claim.offset - (one.n - fewer))
            verdicts.append(examine(dataclasses.replace(one, n=fewer, claim=claim)).verdict)
        if verdicts:
            out[name] = (verdicts.count("refuted"), len(verdicts))
    return out


def _evenly(examples: Sequence[Example], most: int) -> list[Example]:
    """Return at most `most` examples, evenly spread."""
    step = max(1.0, len(examples) / most)
    return [examples[int(k * step)] for k in range(min(len(examples), most))]


class _Record:
    """Outcomes of a search's examples, in the order in which Hypothesis ran them."""

    def __init__(self) -> None:
        self.tallies: dict[tuple[str, str], _Tally] = {}
        self.worst = 0.0
        self.hardest: Example | None = None
        self.refuted: list[tuple[Example, Outcome]] = []
        self.at_threshold: list[Example] = []

    def run(self, example: Example, *, guide: bool = True) -> None:
        """Examine an example; raise `Refuted` if it refutes the claim.

        `guide` says whether Hypothesis is told the ratio of error to bound.
        """
        outcome = examine(example)
        if not self.refuted:
            self.tallies.setdefault(_kind(example.setting), _Tally()).add(example, outcome)
        if outcome.verdict == "not tested":
            return
        if example.n == example.claim.smallest(example.setting.n_nyquist or 1):
            self.at_threshold.append(example)
        if not self.refuted and outcome.ratio > self.worst:
            self.worst, self.hardest = outcome.ratio, example
        if guide and 0 < outcome.ratio < math.inf:
            hypothesis.target(math.log10(outcome.ratio), label="error over bound")
        if outcome.verdict == "refuted":
            self.refuted.append((example, outcome))
            raise Refuted


@checks.arguments(
    claim=Optional(Instance(Claim, "a Claim")),
    region=Optional(Instance(Region, "a Region")),
    settings=Optional(Instance(st.SearchStrategy, "a Hypothesis strategy of settings")),
    examples_wanted=Integer(at_least=1),
    seed=SEED,
)
def search(
    claim: Claim | None = None,
    region: Region | None = None,
    *,
    settings: st.SearchStrategy[Setting] | None = None,
    learner: Learner | Any | None = None,
    examples_wanted: int = 500,
    seed: int = 0,
) -> Search:
    """Search for an example that refutes a claim, and simplify the example if one is found.

    The search first visits the boundary of its region.  It examines bases of every size, with n at the
    claim's threshold.  The smallest and the largest basis of each domain are examined with every design of
    nodes, and also with the largest n.  Therefore the search refutes a threshold even if it is only one
    example too low.  If `settings` are given, the search does not visit the boundary, but it examines each
    drawn setting also with n at the threshold.  Then Hypothesis draws the examples, prefers examples with a
    large ratio of error to bound, and shrinks a counterexample to a small one (MacIver and Hatfield-Dodds
    2019).

    Parameters
    ----------
    claim : Claim, optional
        The claim; by default `Claim()`, the conjecture.
    region : Region, optional
        The settings, learners and sizes to search; by default `Region()`.
    settings : SearchStrategy, optional
        A Hypothesis strategy that draws settings, such as settings of your own class, instead of the region's
        settings.  The `n_nyquist` of a setting must be known.  An example whose setting has no
        `sampling_matrix` counts as not tested.
    learner : Learner, estimator, object with fit, or callable, optional
        The learner that the claim is about, see `errsrc.learners.as_learner`, or a function that maps a
        setting to a learner.  By default the learner has full prior knowledge: the learner is least squares
        in the teacher's band, or the `NetworkClass` of the teacher's architecture.
    examples_wanted : int
        Largest number of examples that Hypothesis draws before shrinking, >= 1.  The examples at the boundary
        are not counted.
    seed : int
        Seed of the search; equal seeds give equal examples.

    Returns
    -------
    Search
        The verdict, the counterexample if one was found, and the numbers of examples.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or if a learner or a setting raises one of these errors.

    Examples
    --------
    >>> print(search(Claim(threshold=0.7), Region(most=9), examples_wanted=200).verdict)
    refuted
    """
    claim, region, record = claim or Claim(), region or Region(), _Record()
    learner_of = None if learner is None else _learner_function(learner)

    def run(example: Example) -> None:
        smallest = claim.smallest(example.setting.n_nyquist or 1)
        if settings is not None and example.n > smallest:
            record.run(dataclasses.replace(example, n=smallest), guide=False)
        record.run(example)

    if settings is None:
        with contextlib.suppress(Refuted):
            for example in _boundary(claim, region, learner_of, seed):
                record.run(example, guide=False)
    first = record.refuted[:1]
    if not first or first[0][0].n > _SMALL:
        examine_drawn(run, examples(claim, region, settings, learner_of), examples_wanted, seed)
    power = {} if record.refuted else _power(record.at_threshold)
    candidates: list[Any] = [*first, *record.refuted[-1:]]
    found = min(candidates, key=lambda one: one[0].n, default=(None, None))
    tallies, worst, hardest = record.tallies, record.worst, record.hardest
    return Search(claim, region, tallies, worst, hardest, found[0], found[1], power)
