"""Let Hypothesis draw the examples of a search, and simplify the example that refutes the claim."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar
from unittest import mock

import hypothesis
from hypothesis import Phase
from hypothesis import strategies as st

from errsrc.settings.strategies import quiet_settings

try:
    from hypothesis.internal.conjecture import providers
except ImportError:  # Hypothesis before 6.124
    providers = None  # type: ignore[assignment]

Drawn = TypeVar("Drawn")


class Refuted(Exception):
    """An example refutes the claim of a search."""


def examine_drawn(
    examine: Callable[[Drawn], None], examples: st.SearchStrategy[Drawn], examples_wanted: int, seed: int
) -> None:
    """Examine examples that Hypothesis draws, until one refutes the claim; then examine simpler examples.

    The last example that is examined is the simplest one found that refutes the claim.

    Parameters
    ----------
    examine : callable
        Examines an example, and raises `Refuted` if the example refutes the claim.
    examples : SearchStrategy
        The strategy that draws the examples.
    examples_wanted : int
        Largest number of examples that are drawn before they are simplified, >= 1.
    seed : int
        Seed of the draws; equal seeds give equal examples.
    """

    @hypothesis.seed(seed)
    @quiet_settings(examples_wanted, Phase.generate, Phase.target, Phase.shrink)
    @hypothesis.given(examples)
    def run(example: Drawn) -> None:
        examine(example)

    with _library_constants_only(), contextlib.suppress(Refuted):
        run()  # Hypothesis runs the simplest example once more at the end


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
