"""Search for an example that refutes a claim."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from numpy.typing import NDArray

from errsrc import checks, records
from errsrc.checks import SEED, Choice, Instance, Integer, Optional, Tuple
from errsrc.conjecture.claims import Claim, Example, Outcome, examine
from errsrc.fields import Checked, declare, integer, number
from errsrc.learners import BandLeastSquares, Learner, NetworkClass, as_learner
from errsrc.results import TabularResult, TextTable
from errsrc.settings import BandTeacher, NetworkTeacher, Setting
from errsrc.settings.strategies import DESIGNS, DOMAINS, band_teachers, network_teachers

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


@dataclass
class _Tally:
    """Numbers of tested and untested examples of one kind, and the largest ratio of error to bound."""

    tested: int = 0
    untested: int = 0
    worst: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        if outcome.verdict == "not tested":
            self.untested += 1
        else:
            self.tested += 1
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
        Numbers of examples by kind of basis and kind of nodes, up to the first counterexample.
    worst : float
        Largest ratio of error to bound among all tested examples.
    hardest : Example or None
        The example with the largest ratio; None if no example was tested.
    counterexample : Example or None
        The smallest example found that refutes the claim; None if no counterexample was found.
    outcome : Outcome or None
        Error, bound and verdict of the counterexample; None if no counterexample was found.
    """

    claim: Claim
    region: Region
    tallies: dict[tuple[str, str], _Tally]
    worst: float
    hardest: Example | None
    counterexample: Example | None
    outcome: Outcome | None

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
        """The verdict on the claim: "supported", "refuted" or "not tested"."""
        if self.counterexample is not None:
            return "refuted"
        return "supported" if self.tested else "not tested"

    @property
    def parts(self) -> list[Part]:
        """A row for each kind of basis and nodes.

        Each row has the basis, the nodes, the numbers of examples that were tested and not tested, and the
        largest ratio of error to bound.
        """
        return [(*kind, one.tested, one.untested, one.worst) for kind, one in sorted(self.tallies.items())]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return `parts` as arrays by name: "basis", "nodes", "tested", "untested" and "worst"."""
        names = ("basis", "nodes", "tested", "untested", "worst")
        return {name: np.array([part[k] for part in self.parts]) for k, name in enumerate(names)}

    def headline(self) -> str:
        """Return the verdict and the numbers of examples as one line."""
        counts = f"{self.tested:,} examples tested, {self.untested:,} not"
        return f"{self.verdict}: {counts}, worst error / bound {self.worst:.2g}"

    def content(self) -> list[str | TextTable]:
        """Return the claim, a table of the parts of the region, the verdict, and the counterexample."""
        lines: list[str | TextTable] = [records.text(self.claim), f"in {records.text(self.region)}"]
        lines.append(TextTable(part_rows(self.parts), "l", header=True))
        lines.append(f"{self.tested:,} examples tested, {self.untested:,} not; {self.verdict}.")
        if self.outcome is not None and self.counterexample is not None:
            lines += [self.outcome.status, records.text(self.counterexample)]
        return lines


def part_rows(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    """Return a header and a row of texts for each part of a search.

    Parameters
    ----------
    parts : sequence of Part
        The parts, see `Search.parts`.

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
    """Return a strategy that draws examples in a region, with n at or above the claim's threshold.

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
    smallest = math.ceil(claim.threshold * base)
    n = draw(st.integers(smallest, max(smallest, math.floor(region.oversampling * base))))
    return Example(setting, learner, n, claim, draw(st.integers(0, LARGEST_SEED)))


def _learner_function(learner: Any) -> Callable[[Setting], Learner]:
    """Return a function from settings to learners, for a learner or a user's own function."""
    if callable(learner) and not hasattr(learner, "fit"):
        return lambda setting: as_learner(learner(setting), "search")
    fixed = as_learner(learner, "search")
    return lambda setting: fixed


@contextlib.contextmanager
def _library_constants_only() -> Iterator[None]:
    """Keep Hypothesis from drawing the constants of imported modules, which would decide what a seed finds.

    Hypothesis 6.131 and later read constants from the modules of the working folder, among them errsrc in a
    clone, and remember them from one test to the next.
    """
    if not hasattr(providers, "_get_local_constants"):
        yield
        return
    none = providers.Constants()
    with (
        mock.patch.object(providers, "_get_local_constants", return_value=none),
        mock.patch.object(providers, "CONSTANTS_CACHE", type(providers.CONSTANTS_CACHE)(1024)),
    ):
        yield


class _Refuted(Exception):
    """An example that refutes the claim."""


class _Record:
    """Outcomes of a search's examples, in the order in which Hypothesis ran them."""

    def __init__(self) -> None:
        self.tallies: dict[tuple[str, str], _Tally] = {}
        self.worst = 0.0
        self.hardest: Example | None = None
        self.refuted: list[tuple[Example, Outcome]] = []

    def run(self, example: Example) -> None:
        """Examine an example; raise `_Refuted` if it refutes the claim."""
        outcome = examine(example)
        if not self.refuted:
            self.tallies.setdefault(_kind(example.setting), _Tally()).add(outcome)
        if outcome.verdict == "not tested":
            return
        if not self.refuted and outcome.ratio > self.worst:
            self.worst, self.hardest = outcome.ratio, example
        if 0 < outcome.ratio < math.inf:
            hypothesis.target(math.log10(outcome.ratio), label="error over bound")
        if outcome.verdict == "refuted":
            self.refuted.append((example, outcome))
            raise _Refuted


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

    Hypothesis draws the examples, prefers examples with a large ratio of error to bound, and shrinks a
    counterexample to a small one (MacIver and Hatfield-Dodds 2019).

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
        setting to a learner.  By default the learner has full prior knowledge: it is least squares in the
        teacher's band, or the learner of the teacher's network class.
    examples_wanted : int
        Largest number of examples that are drawn before shrinking, >= 1.
    seed : int
        Seed of the search; equal seeds give equal examples.

    Returns
    -------
    Search
        The verdict, the counterexample if one was found, and the numbers of examples.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or if a learner or a setting raises the error.

    Examples
    --------
    >>> print(search(Claim(threshold=0.7), Region(most=9), examples_wanted=200).verdict)
    refuted
    """
    claim, region, record = claim or Claim(), region or Region(), _Record()
    learner_of = None if learner is None else _learner_function(learner)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples_wanted,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.target, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
        report_multiple_bugs=False,
    )
    @hypothesis.given(examples(claim, region, settings, learner_of))
    def run(example: Example) -> None:
        record.run(example)

    with _library_constants_only(), contextlib.suppress(_Refuted):
        run()  # the last example is the smallest: Hypothesis runs it once more at the end
    found = record.refuted[-1] if record.refuted else (None, None)
    return Search(claim, region, record.tallies, record.worst, record.hardest, *found)
