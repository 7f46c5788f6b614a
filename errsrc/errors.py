"""The exceptions that errsrc raises, and the results that they carry.

Bad arguments raise plain ``ValueError`` or ``TypeError`` with the one message
shape of `errsrc.checks`.  The classes below are raised if a valid question has no
trustworthy answer.  Each has the best partial answer in ``best``, so that no
computed result is lost.
"""

from __future__ import annotations

from typing import Any

from errsrc.exports import exported_names

__dir__ = exported_names(__name__)


class NoAnswer(Exception):
    """The question was well posed and the answer is no.

    The message says why.  ``best`` holds the best partial answer.
    """

    def __init__(self, message: str, best: Any = None) -> None:
        super().__init__(message)
        self.best = best


class NoFit(NoAnswer):
    """No start of a fit reached a finite, converged optimum; ``best`` is the best one seen."""


class Unreachable(NoAnswer):
    """The given error lies under the law's floor; ``best`` is the floor (an Interval)."""


class Diverged(NoAnswer):
    """Some trainings diverged; ``best`` holds all predictors, also the diverged ones, and their outcomes."""


class StoreError(Exception):
    """The file of a study could not be opened, read or written; what was finished before is safe in it."""


class StoreWriteError(StoreError):
    """A run has stopped since the file of its study could not be written, or was deleted or replaced."""


class EngineError(Exception):
    """The engine that computes a study's cells cannot continue; finished cells are safe in the store."""


class Undersampled(UserWarning):
    """Examples do not determine the functions of a band, to rounding: the fit is one of many."""
