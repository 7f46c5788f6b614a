"""The search for a counterexample."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from errsrc import checks
from errsrc.conjecture.claims import Claim, Example, Outcome, examine
from errsrc.conjecture.relative_errors import nyquist
from errsrc.learners import BandLeastSquares, Learner, NetworkClass
from errsrc.settings import BandTeacher, NetworkTeacher, Setting
from errsrc.settings.strategies import DESIGNS, DOMAINS, band_teachers, network_teachers


@dataclass(frozen=True)
class Region:
    """Where counterexamples are looked for.

    Attributes
    ----------
    domains, designs
        Families of bands, or "network", and designs of nodes, see `errsrc.settings.strategies`.
    most
        The largest band; a third of it, and at least 4, is the most parameters of a network.
    starts
        Of the learner that is told a network's class.
    oversampling
        n goes up to as many n_Nyq.
    noise, tail
        The largest standard deviation of label noise; the largest share of variance outside the band.
    precisions
        Of the learner.
    """

    domains: tuple[str, ...] = DOMAINS
    designs: tuple[str, ...] = DESIGNS
    most: int = 60
    oversampling: float = 4.0
    noise: float = 0.0
    tail: float = 0.0
    precisions: tuple[str, ...] = ("float64",)
    starts: int = 8

    def __post_init__(self) -> None:
        where = "Region"
        for name, options in {
            "domains": (*DOMAINS, "network"),
            "designs": DESIGNS,
            "precisions": ("float64", "float32"),
        }.items():
            if not getattr(self, name):
                raise ValueError(checks.refusal(name, where, "one or more of " + ", ".join(options), ()))
            for one in getattr(self, name):
                checks.choice(one, name, where, options)
        checks.integer(self.most, "most", where, 1)
        checks.number(self.oversampling, "oversampling", where, 1, 1000)
        checks.number(self.noise, "noise", where, 0)
        checks.number(self.tail, "tail", where, 0, 1)
        checks.integer(self.starts, "starts", where, 1)


@dataclass
class _Tally:
    """How many examples of one part of a region were tested or not; the worst error over its bound."""

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


def _part(setting: Setting) -> tuple[str, str]:
    """Return what an example is counted under: the kind of basis and of nodes, or of network and inputs."""
    if isinstance(setting, BandTeacher):
        return type(setting.basis).__name__, type(setting.nodes).__name__
    return "Network", getattr(setting, "domain", "")


@dataclass(frozen=True, eq=False)
class Search:
    """What a search came to.

    Attributes
    ----------
    claim, region
        What was claimed, and where it was looked at.
    tallies
        Examples by kind of basis and of nodes, until the first counterexample.
    worst
        The largest ratio of error to bound of all examples tested.
    hardest
        The example of it; None where none was tested.
    counterexample, outcome
        The smallest example found that refutes the claim, and what became of it; None where none did.
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
        """Examples tested."""
        return sum(one.tested for one in self.tallies.values())

    @property
    def untested(self) -> int:
        """Examples of which too little is claimed."""
        return sum(one.untested for one in self.tallies.values())

    @property
    def verdict(self) -> str:
        """What the search says of the claim: "supported", "refuted" or "not tested"."""
        if self.counterexample is not None:
            return "refuted"
        return "supported" if self.tested else "not tested"


class _Refuted(Exception):
    """An example that refutes the claim."""


@st.composite
def examples(draw: st.DrawFn, claim: Claim, region: Region) -> Example:
    """Draw an example of a region, at n from the claim's threshold on."""
    bands = [domain for domain in region.domains if domain != "network"]
    setting: BandTeacher | NetworkTeacher
    if draw(st.sampled_from([domain != "network" for domain in region.domains])):
        setting = draw(band_teachers(bands, region.designs, region.most, region.noise, region.tail))
        precision = draw(st.sampled_from(region.precisions))
        learner: Learner = BandLeastSquares(setting.basis, precision=precision)
    else:
        setting = draw(network_teachers(max(4, region.most // 3)))
        net: Any = setting.architecture
        learner = NetworkClass(net, region.starts, steps=300, together=region.starts)
    base = nyquist(setting)
    least = math.ceil(claim.threshold * base)
    n = draw(st.integers(least, max(least, math.floor(region.oversampling * base))))
    return Example(setting, learner, n, claim, draw(st.integers(0, 10**6)))


def search(
    claim: Claim | None = None, region: Region | None = None, *, examples_wanted: int = 500, seed: int = 0
) -> Search:
    """Look for an example that refutes a claim, and shrink it to a small one.

    Hypothesis draws the examples, steers towards large ratios of error to bound, and shrinks what it finds
    (MacIver and Hatfield-Dodds 2019).

    Parameters
    ----------
    claim, region
        What is claimed, and where: by default the conjecture, with all that `Region` has.
    examples_wanted
        The most examples drawn before shrinking.
    seed
        Of the search: the same one has the same examples.

    Examples
    --------
    >>> print(search(Claim(threshold=0.7), Region(most=9), examples_wanted=200).verdict)
    refuted
    """
    claim, region = claim or Claim(), region or Region()
    checks.integer(examples_wanted, "examples_wanted", "search", 1)
    checks.integer(seed, "seed", "search", 0)
    tallies: dict[tuple[str, str], _Tally] = {}
    worst: tuple[float, Example | None] = (0.0, None)
    refuted: list[tuple[Example, Outcome]] = []

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
    @hypothesis.given(examples(claim, region))
    def run(example: Example) -> None:
        nonlocal worst
        outcome = examine(example)
        if not refuted:
            tallies.setdefault(_part(example.setting), _Tally()).add(outcome)
        if outcome.verdict == "not tested":
            return
        if not refuted and outcome.ratio > worst[0]:
            worst = (outcome.ratio, example)
        if 0 < outcome.ratio < math.inf:
            hypothesis.target(math.log10(outcome.ratio), label="error over bound")
        if outcome.verdict == "refuted":
            refuted.append((example, outcome))
            raise _Refuted

    with contextlib.suppress(_Refuted):
        run()  # whose last example is the smallest: Hypothesis runs it once more at the end
    found = refuted[-1] if refuted else (None, None)
    return Search(claim, region, tallies, *worst, *found)
