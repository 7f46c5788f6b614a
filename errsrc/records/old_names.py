"""The table of old names of classes, fields and results that were renamed after files had been written.

A store, the file of finished cells, keeps the first name of a class, field or result.  Row keys are computed
with this name, and readers of stores return the new name.  The TOML files of studies and the files of fits
may have either name.  Therefore files of earlier versions still open, and the rows of earlier stores are
found.

To rename a class, a field or a result, rename it in the code and add a line here, with the new name first.

- For a class, use its new name in files (`errsrc.records.name`), such as "recipe" for Recipe.
- For cells of a study of the kind "vision", use "vision-cell" as the name of their class.
- If a subclass inherits a renamed field, add a line for the subclass, too.
- If a name changes again, replace the new name in its line.

A field that is added to a record needs a line in `ADDED_FIELDS`, so that keys do not change.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

from errsrc.records.names import Leaves, is_record, name

OLD_KINDS: dict[str, str] = {
    # "band-limited-teacher": "band-teacher",
}
"""Old names of classes, by their new names."""

OLD_STUDIES: dict[str, str] = {
    # "images": "vision",
}
"""Old names of kinds of studies, by their new names."""

OLD_FIELDS: dict[tuple[str, str], str] = {
    # ("vision-cell", "data"): "dataset",
    ("recipe", "evaluation_interval"): "look",
    ("recipe", "validation_metric"): "watch",
    ("recipe", "min_steps"): "least",
    ("recipe", "target_training_loss"): "floor",
    ("recipe", "decay_shape"): "fall",
    ("rounds", "pruned_fraction"): "share",
    ("rounds", "max_rounds"): "most",
    ("rounds", "error_factor"): "until",
    ("rounds", "rewind_step"): "rewind",
}
"""Old names of fields, by (class, new name)."""

ADDED_FIELDS: dict[tuple[str, str], Any] = {
    ("recipe", "weight_decay"): 0.0,
    ("recipe", "channels_last"): False,
    ("recovery-cell", "u"): (),
    ("recovery-cell", "noise_kind"): "equal",
    ("recovery-cell", "points"): None,
    ("recovery-cell", "estimator"): "fit",
    ("vision-cell", "module"): "",
    ("pruning-cell", "module"): "",
    ("rounds", "criterion"): "magnitude",
    ("network-student", "horizon"): None,
    ("network-teacher", "components"): 0,
    ("random-features", "basis"): None,
    ("random-features", "decay"): 0.0,
    ("random-features", "weights"): "normal",
    ("effort", "unlabelled"): 256,
    ("budget-cell", "precision"): 0.05,
    ("budget-cell", "max_draws"): 4096,
}
"""Defaults of fields that were added after files had been written, by (class, field).

Row keys and identities of checkpoints are computed without such a field where it has this value.
"""

OLD_RESULTS: dict[tuple[str, str], str] = {
    # ("threshold", "n_exact"): "n_star",  # and n_exact.low for n_star.low
    # ("pruning", "curve.kept"): "curve.density",
}
"""Old names of results, by (kind of study, new name); names of learning curves begin with "curve."."""

# For records that stand in tuples, such as the candidates of a tuned learner, version 0.1.0 also wrote some
# attributes of their classes.  These attributes are part of row keys.
_LINEAR = ("ridge", "minimum-norm", "gradient-descent", "band-least-squares", "kernel-ridge", "neighbours")
_NOT_LINEAR = ("reduced-rank", "band-selection", "sparse-recovery", "matrix-pencil", "gaussian-process")
OLD_ATTRIBUTES: dict[str, dict[str, Any]] = {
    **{kind: {"linear_in_labels": True} for kind in (*_LINEAR, "memory")},
    **{kind: {"linear_in_labels": False} for kind in (*_NOT_LINEAR, "forest", "low-pass", "tuned")},
    **{kind: {"linear_in_labels": False} for kind in ("network-student", "network-class")},
    **{kind: {"grows_by": "degree"} for kind in ("torus", "legendre", "sphere", "cube")},
    **{kind: {"grows_by": "count"} for kind in ("slepian", "image-basis")},
}
OLD_LAST_ATTRIBUTES: dict[str, dict[str, Any]] = {"resnet": {"beyond": 2}, "wrn": {"beyond": 4}}


def stored_study(kind: str) -> str:
    """Return the name that stores (files of finished cells) use for a kind of study.

    Parameters
    ----------
    kind : str
        The new name of the kind.

    Returns
    -------
    str
        The name that the kind had at first.  If the kind was never renamed, this is the new name.
    """
    return OLD_STUDIES.get(kind, kind)


def current_study(kind: str) -> str:
    """Return the new name of a kind of study that may have been renamed.

    Parameters
    ----------
    kind : str
        The old or the new name of the kind.

    Returns
    -------
    str
        The new name.
    """
    return next((new for new, old in OLD_STUDIES.items() if old == kind), kind)


def current_kind(kind: str) -> str:
    """Return the new name of a class that may have been renamed.

    Parameters
    ----------
    kind : str
        The old or the new name of the class.

    Returns
    -------
    str
        The new name.
    """
    return next((new for new, old in OLD_KINDS.items() if old == kind), kind)


def current_field(owner: str, field: str) -> str:
    """Return the new name of a field that may have been renamed.

    Parameters
    ----------
    owner : str
        Name that the table of old names uses for the field's class.
    field : str
        The old or the new name of the field.

    Returns
    -------
    str
        The new name.
    """
    return next((new for (cls, new), old in OLD_FIELDS.items() if (cls, old) == (owner, field)), field)


def is_added(kind: str, field: str, value: Any) -> bool:
    """Return whether a field was added after files had been written, and has its default value.

    Parameters
    ----------
    kind : str
        Name of the field's class.
    field : str
        Name of the field.
    value
        Value of the field.
    """
    return (kind, field) in ADDED_FIELDS and ADDED_FIELDS[kind, field] == value


def stored_repr(value: Any) -> str:
    """Return the repr of a value, with the original names of fields that were renamed.

    The identity of a checkpoint is computed from this repr.  Therefore the identity does not change if a
    field is renamed.

    Parameters
    ----------
    value
        A record, a tuple or list of such values, or any other value.

    Returns
    -------
    str
        The repr.

    Examples
    --------
    >>> stored_repr([1, (None,), dataclasses.make_dataclass("Recipe", ["min_steps"])(200)])
    '[1, (None,), Recipe(least=200)]'
    """
    if is_record(value):
        cls = type(value)
        names = {f.name: OLD_FIELDS.get((name(cls), f.name), f.name) for f in dataclasses.fields(value)}
        inner = (
            f"{old}={stored_repr(getattr(value, field))}"
            for field, old in names.items()
            if not is_added(name(cls), field, getattr(value, field))
        )
        return f"{cls.__qualname__}({', '.join(inner)})"
    if type(value) not in (list, tuple):
        return repr(value)
    inner = (stored_repr(one) for one in value)
    if type(value) is list:
        return f"[{', '.join(inner)}]"
    return f"({', '.join(inner)}{',' if len(value) == 1 else ''})"


def stored_names(leaves: Leaves, owner: str, kinds: Mapping[str, Any]) -> Leaves:
    """Return a record's flat table with the names that stores (files of finished cells) use.

    Parameters
    ----------
    leaves : dict
        A flat table with new names, or a part of such a table.
    owner : str
        Name that the table of old names uses for the record's class.
    kinds : mapping
        A flat table with the ``kind`` of each nested record, for example the union of the two tables that
        `errsrc.records.flatten` returns.

    Returns
    -------
    dict
        The same values, with old names.
    """
    if not (OLD_KINDS or OLD_FIELDS):
        return leaves
    return _renamed(leaves, owner, kinds, OLD_KINDS, OLD_FIELDS)


def current_names(leaves: Leaves, owner: str, kinds: Mapping[str, Any]) -> Leaves:
    """Return a flat table from a store (a file of finished cells) with new names.

    This is the inverse of `stored_names`.

    Parameters
    ----------
    leaves : dict
        A flat table with old names, or a part of such a table.
    owner : str
        Name that the table of old names uses for the record's class.
    kinds : mapping
        The ``kind`` of each nested record, as a flat table whose keys are the names in the store.

    Returns
    -------
    dict
        The same values, with new names.
    """
    if not (OLD_KINDS or OLD_FIELDS):
        return leaves
    fields = {(cls, old): new for (cls, new), old in OLD_FIELDS.items()}
    return _renamed(leaves, owner, kinds, {old: new for new, old in OLD_KINDS.items()}, fields)


def _renamed(
    leaves: Leaves,
    owner: str,
    kinds: Mapping[str, Any],
    kind_names: Mapping[str, str],
    field_names: Mapping[tuple[str, str], str],
) -> Leaves:
    """Return a flat table with other names, which are looked up by the new names of classes."""

    def value_of(value: Any) -> Any:
        if isinstance(value, list):
            return [value_of(one) for one in value]
        if not isinstance(value, dict):
            return value
        cls = current_kind(value["kind"])
        inner = {field_names.get((cls, f), f): value_of(v) for f, v in value.items() if f != "kind"}
        return {"kind": kind_names.get(value["kind"], value["kind"]), **inner}

    owners = ((p.removesuffix(".kind"), v) for p, v in kinds.items() if p.endswith(".kind"))
    paths = _renamed_paths(tuple(leaves), (("", owner), *owners), tuple(field_names.items()))
    return {
        paths[path]: kind_names.get(value, value) if path.endswith(".kind") else value_of(value)
        for path, value in leaves.items()
    }


@functools.lru_cache(maxsize=1024)
def _renamed_paths(
    paths: tuple[str, ...],
    owners: tuple[tuple[str, str], ...],
    field_names: tuple[tuple[tuple[str, str], str], ...],
) -> dict[str, str]:
    """Return the other name of each path; results are kept, because most rows have the same paths."""
    kinds, names = {place: current_kind(kind) for place, kind in owners}, dict(field_names)
    out = {}
    for path in paths:
        parts = path.split(".")
        places = (".".join(parts[:k]) for k in range(len(parts)))
        renamed = [names.get((kinds.get(p, ""), part), part) for p, part in zip(places, parts, strict=True)]
        out[path] = ".".join(renamed)
    return out


def stored_results(study: str, results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the results of a cell with the names that stores (files of finished cells) use.

    Parameters
    ----------
    study : str
        New name of the kind of study.
    results : mapping
        The results; the keys are their new names, such as ``"n_star.low"``.  Names of learning curves begin
        with "curve.", such as ``"curve.error"``.

    Returns
    -------
    mapping
        The same results; the keys are their old names.
    """
    return _renamed_results(results, {new: old for (kind, new), old in OLD_RESULTS.items() if kind == study})


def current_results(study: str, results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the results of a cell with their new names; this is the inverse of `stored_results`.

    Parameters
    ----------
    study : str
        New name of the kind of study.
    results : mapping
        The results; the keys are their old names.

    Returns
    -------
    mapping
        The same results; the keys are their new names.
    """
    return _renamed_results(results, {old: new for (kind, new), old in OLD_RESULTS.items() if kind == study})


def _renamed_results(results: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    if not names:
        return results
    out = {}
    for result, value in results.items():
        first, dot, rest = result.partition(".")  # a line on "n_star" is about "n_star.low" too
        out[names.get(result, names.get(first, first) + dot + rest)] = value
    return out
