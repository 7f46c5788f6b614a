"""Search for an example that refutes a user's own claim, a function that returns error and bound."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import strategies as st

from errsrc import checks
from errsrc.checks import SEED, Instance, Integer
from errsrc.conjecture.claims import Outcome
from errsrc.conjecture.drawn_examples import Refuted, examine_drawn
from errsrc.results import Result, TextTable

OwnClaim = Callable[[Any], tuple[float, float] | None]
"""A claim: maps an example to its error and the largest error that the claim allows; None if not tested."""


@dataclass(frozen=True, eq=False, repr=False)
class OwnSearch(Result):
    """The result of a search for a counterexample to a user's own claim.

    Attributes
    ----------
    claim : callable
        The claim.
    tallies : dict of str to list of int
        The keys are the kinds of examples.  Each value has the number of tested examples and the number of
        untested examples, up to the first counterexample.
    worst : float
        Largest ratio of error to bound among the tested examples, up to the first counterexample.
    hardest : object
        The example with the largest ratio; None if no example was tested.
    counterexample : object
        The simplest example found that refutes the claim; None if no counterexample was found.
    outcome : Outcome or None
        Error, bound and verdict of the counterexample; None if no counterexample was found.
    """

    claim: OwnClaim
    tallies: dict[str, list[int]]
    worst: float
    hardest: Any
    counterexample: Any
    outcome: Outcome | None

    @property
    def tested(self) -> int:
        """Number of examples that were tested."""
        return sum(tested for tested, _ in self.tallies.values())

    @property
    def untested(self) -> int:
        """Number of examples about which the claim says nothing."""
        return sum(untested for _, untested in self.tallies.values())

    @property
    def verdict(self) -> str:
        """The verdict on the claim: "supported", "refuted" or "not tested"."""
        if self.outcome is not None:
            return "refuted"
        return "supported" if self.tested else "not tested"

    def replay(self) -> Outcome:
        """Return the outcome of the counterexample, computed again from the claim.

        Raises
        ------
        ValueError
            If the search found no counterexample.
        """
        if self.outcome is None:
            raise ValueError("The search has no counterexample to replay.")
        return examine_own(self.claim, self.counterexample)

    def headline(self) -> str:
        """Return the verdict and the numbers of examples as one line."""
        counts = f"{self.tested:,} examples tested, {self.untested:,} not"
        return f"{self.verdict}: {counts}, worst error / bound {self.worst:.2g}"

    def content(self) -> list[str | TextTable]:
        """Return the numbers of examples by kind, the verdict, and the counterexample."""
        rows = [("kind", "tested", "not tested")]
        rows += [
            (kind or "all examples", f"{tested:,}", f"{other:,}")
            for kind, (tested, other) in sorted(self.tallies.items())
        ]
        lines: list[str | TextTable] = [TextTable(rows, "l", header=True), self.headline()]
        if self.outcome is not None:
            lines += [self.outcome.status, repr(self.counterexample)]
        return lines


def examine_own(claim: OwnClaim, example: Any) -> Outcome:
    """Return whether an example supports or refutes a user's own claim.

    Parameters
    ----------
    claim : callable
        Maps an example to its error and its bound, or to None if the claim says nothing about the example.
    example : object
        The example.

    Returns
    -------
    Outcome
        The verdict: "refuted" if the error is above the bound or nan, otherwise "holds"; "not tested" if the
        claim returns None or a bound that is not finite.
    """
    found = claim(example)
    if found is None or not math.isfinite(found[1]):
        return Outcome(
            "not tested", math.nan, math.inf, math.nan, "The claim says nothing about the example."
        )
    error, bound = (float(number) for number in found)
    verdict = "holds" if error <= bound else "refuted"
    return Outcome(verdict, error, bound, math.nan, f"Error {error:.2g}, bound {bound:.2g}: {verdict}.")


@checks.arguments(
    examples=Instance(st.SearchStrategy, "a Hypothesis strategy of examples"),
    examples_wanted=Integer(at_least=1),
    seed=SEED,
)
def search_own(
    claim: OwnClaim,
    examples: st.SearchStrategy[Any],
    *,
    boundary: Iterable[Any] = (),
    kind: Callable[[Any], str] | None = None,
    examples_wanted: int = 500,
    seed: int = 0,
) -> OwnSearch:
    """Search for an example that refutes a user's own claim, and simplify the example if one is found.

    Parameters
    ----------
    claim : callable
        Maps an example to its error and the largest error that the claim allows, or to None if the claim says
        nothing about the example.  The claim must give the same numbers at each call.
    examples : SearchStrategy
        A Hypothesis strategy that draws examples of any type.
    boundary : iterable of examples
        Examples that are examined first, such as the smallest n for each size.
    kind : callable, optional
        Maps an example to the name under which it is counted; by default all examples have the kind "".
    examples_wanted : int
        Largest number of examples that Hypothesis draws before shrinking, >= 1.
    seed : int
        Seed of the search; equal seeds give equal examples.

    Returns
    -------
    OwnSearch
        The verdict, the counterexample if one was found, and the numbers of examples.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or if the claim raises one of these errors.

    Examples
    --------
    "The mean of n numbers is at most half of their maximum":

    >>> claim = lambda numbers: (sum(numbers) / len(numbers), max(numbers) / 2)
    >>> found = search_own(claim, st.lists(st.integers(0, 9), min_size=2, max_size=9))
    >>> found.verdict, found.counterexample
    ('refuted', [1, 1])
    """
    tallies: dict[str, list[int]] = {}
    hardest: tuple[float, Any] = (0.0, None)
    refuted: list[tuple[Any, Outcome]] = []

    def examine(example: Any, guide: bool) -> None:
        nonlocal hardest
        outcome = examine_own(claim, example)
        is_tested = outcome.verdict != "not tested"
        if not refuted:
            tallies.setdefault(kind(example) if kind else "", [0, 0])[not is_tested] += 1
        if not is_tested:
            return
        error, bound = outcome.error, outcome.bound
        ratio = error / bound if bound > 0 else math.inf if error > bound else 0.0
        if not refuted and (hardest[1] is None or ratio > hardest[0]):
            hardest = (ratio, example)
        if guide and 0 < ratio < math.inf:
            hypothesis.target(math.log10(ratio), label="error over bound")
        if outcome.verdict == "refuted":
            refuted.append((example, outcome))
            raise Refuted

    with contextlib.suppress(Refuted):
        for example in boundary:
            examine(example, False)
        examine_drawn(lambda example: examine(example, True), examples, examples_wanted, seed)
    found = refuted[-1] if refuted else (None, None)
    return OwnSearch(claim, tallies, hardest[0], hardest[1], *found)
