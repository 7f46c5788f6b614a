"""The exceptions that errsrc raises, and the warning `Undersampled`.

Bad arguments raise plain ``ValueError`` or ``TypeError``; `errsrc.checks` writes their messages.  `NoAnswer`
and its subclasses are raised if a valid question has no trustworthy answer.  Their attribute ``best`` has the
best partial answer, because no computed result should be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from errsrc.exports import exported_names

__dir__ = exported_names(__name__)


class NoAnswer(Exception):
    """A valid question has no trustworthy answer.

    The message says why.  The attribute ``best`` is the best partial answer.  The attribute ``parts`` has the
    sentences of the message that name rows by their sizes.
    """

    def __init__(self, message: str, best: Any = None, parts: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.best = best
        self.parts = tuple(parts)


class NoFit(NoAnswer):
    """No start of a fit reached a finite, converged optimum; ``best`` is the best fit that was found."""


class Unreachable(NoAnswer):
    """The given error is below the law's smallest error; ``best`` is this smallest error, an Interval."""


class Diverged(NoAnswer):
    """Some trainings diverged.

    The attribute ``best`` is the list of all fitted predictors.  The attribute ``diverged`` of a predictor is
    true if its training diverged.
    """


class StoreError(Exception):
    """The store, the file of a study's finished cells, could not be opened, read or written.

    Cells that were finished before are safe in the file.
    """


class StoreWriteError(StoreError):
    """A run has stopped because its store could not be written, or was deleted or replaced."""


class NetworkFileSystem(UserWarning):
    """The file of a study is on a network file system: only processes of one machine may use it at a time."""


class ChangedFiles(UserWarning):
    """A module of the user, or a folder of images, has changed since cells were computed."""


class EngineError(Exception):
    """The engine that computes a study's cells cannot continue; finished cells are safe in the store."""


class Undersampled(UserWarning):
    """Up to rounding, the examples do not determine a function of the band: many functions fit them."""
