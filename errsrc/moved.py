"""Where the public names of version 0.1.0 are now.

No name can be imported from its old path.  The package where it was raises an ImportError that states the new
path, both for ``errsrc.laws.fit`` and for ``from errsrc.laws import fit``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

MOVED = {
    "errsrc.bases": {"shared": "errsrc.bases.shared_positions"},
    "errsrc.conjecture": {
        "errors": "errsrc.conjecture.draw_errors",
        "nyquist": "errsrc.settings.Setting.n_nyquist",
    },
    "errsrc.datasets": {
        "Table": "errsrc.datasets.PublishedTable",
        "curves": "errsrc.datasets.published_curves",
    },
    "errsrc.laws": {
        "Chained": "errsrc.fitting.ChainedFit",
        "auto": "errsrc.auto",
        "fewest_weights": "errsrc.fewest_weights",
        "files": "errsrc.fitting.files",
        "fit": "errsrc.fit",
        "holdout": "errsrc.holdout",
        "plan": "errsrc.plan",
        "seed_weights": "errsrc.fitting.seed_weights",
        "shape": "errsrc.curve_shape",
    },
    "errsrc.learners": {"Choice": "errsrc.learners.TunedFit"},
    "errsrc.nets": {
        name: f"errsrc.training.{name}"
        for name in (
            "Member", "Recipe", "Rounds", "Trained",
            "evaluate", "losses", "magnitude_masks", "prunable", "prune", "train",
        )
    } | {
        "Identifiable": "errsrc.nets.IdentifiableDimension",
        "Level": "errsrc.training.PruningLevel",
        "Pruned": "errsrc.training.PrunedNetwork",
        "together": "errsrc.training.distributed",
    },
    "errsrc.report": {
        "Finished": "errsrc.studies.FinishedStudy",
        "read": "errsrc.load_study",
        "verdict": "errsrc.report.holdout_verdict",
    },
    "errsrc.sources": {"Undetermined": "errsrc.sources.UncertaintyBracket"},
    "errsrc.settings": {"Network": "errsrc.settings.NetworkFunctions"},
    "errsrc.sweeps": {"Summary": "errsrc.sweeps.RunSummary"},
    "errsrc.tasks": {
        "parameters": "errsrc.tasks.VisionCell.parameters",
        "train_cells": "errsrc.tasks.train_vision_cells",
    },
}  # fmt: skip
"""{package: {name in version 0.1.0: present path}}."""


def moved_names(package: str) -> Callable[[str], NoReturn]:
    """Return a ``__getattr__`` function for a package; it raises an error for a name that the package lacks.

    Parameters
    ----------
    package : str
        Name of the package, a key of `MOVED`.

    Returns
    -------
    callable
        Raises ImportError for a name in ``MOVED[package]``, and AttributeError for any other name.
    """

    def missing(name: str) -> NoReturn:
        if name in MOVED[package]:
            raise ImportError(f"{package}.{name} has moved: use {MOVED[package][name]}.")
        raise no_attribute(package, name)

    return missing


def no_attribute(package: str, name: str) -> AttributeError:
    """Return the error for a name that a package lacks; the message suggests a module or a similar name.

    Parameters
    ----------
    package : str
        Name of the package; the package must be imported already.
    name : str
        The name that is missing.
    """
    error = f"module {package!r} has no attribute {name!r}"
    if not name.startswith("_"):
        import difflib
        import importlib.util

        if importlib.util.find_spec(f"{package}.{name}"):
            return AttributeError(f"{error}: import {package}.{name} first")
        close = difflib.get_close_matches(name, dir(sys.modules[package]), n=1)
        error += f" (did you mean {close[0]!r}?)" if close else ""
    return AttributeError(error)
