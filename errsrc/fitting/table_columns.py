"""The law that a table is fitted to, and the columns that hold its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from errsrc.fitting.flops import with_data_sizes
from errsrc.laws import ALL
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.law import Law
from errsrc.tables import DataTable
from errsrc.tables.column_names import SYNONYMS

SIZES = ("n", "m", "u", "depth", "width", "density", "layers", "remaining")
"""Sizes of a training run that a column may hold, each under its own name by default."""


class LawColumns(NamedTuple):
    """The law that a table is fitted to, with the column of each of its inputs and of "error".

    Attributes
    ----------
    law : type of Law or None
        The law, or None for the average of several laws.
    several_networks : bool
        Whether the rows belong to several pruned networks.
    table : DataTable
        The table.  If the given table had no column n, n was computed from the compute and m.
    columns : dict of str to str
        {input or "error": name of its column}.
    other_m : str or None
        The column of model sizes, if it varies and the law has no input m.  It is None if there is no such
        column, or if the user named the column of n.
    flops : str
        The column of the compute that n was computed from; "" if n was not computed.
    remarks : tuple of str
        At most one sentence, which says how n was computed.
    warnings : tuple of str
        Sentences on columns that were taken for n or m, and on columns that the law does not depend on.
    """

    law: type[Law] | None
    several_networks: bool
    table: DataTable
    columns: dict[str, str]
    other_m: str | None
    flops: str
    remarks: tuple[str, ...]
    warnings: tuple[str, ...]

    def notes(self) -> dict[str, Any]:
        """Return what a fit notes about its columns, as JSON values."""
        computed = {"flops": self.flops, "said": list(self.remarks)} if self.flops else {}
        return {"columns": self.columns, **computed}


def law_columns(table: DataTable, law: str | type[Law], columns: Mapping[str, str]) -> LawColumns:
    """Choose the law that a table is fitted to, and the columns of its inputs.

    Parameters
    ----------
    table : DataTable
        The table.
    law : str or type of Law
        A name in `errsrc.laws.ALL`, a law of your own, or "auto", see `errsrc.fitting.table_points`.
    columns : dict of str to str
        {input or "error": name of its column}, for columns that have another name than their input.  Such a
        column is used for no other input.

    Raises
    ------
    ValueError
        If `columns` names an input that the law does not have, or if a column N may hold model sizes.
    """
    asked, flops = dict(columns), ""
    table, computed = _with_computed_n(table, law, asked)
    if computed:
        flops = asked.pop("flops", "flops")
    found = {name: table.found(name) for name in (*SIZES, "error", "eps_np", "d")}
    own = {k: v for k, v in found.items() if k != "d" and v is not None}
    here = {k: v for k, v in own.items() if v not in asked.values()} | asked
    warnings = _renamed(table.source, here, asked, found["d"])
    if law == "auto" and "m" in here and "m" not in asked and here["m"] in table.empty:
        warnings += (f"The column {here.pop('m')!r} has no values: the law in n is fitted.",)
    if law == "auto" and ("density" in asked or here.get("density") in table.varying):
        law = "pruning"
    several = law == "pruning" and (
        not here.keys().isdisjoint({"depth", "width", "eps_np"}) or here.get("n") in table.varying
    )
    chosen: type[Law] | None = ALL.get(law) if isinstance(law, str) else law
    if chosen is None:
        names: tuple[str, ...] = ("n", "m") if "m" in here else ("n",)
    elif several:
        chosen, names = JointPruning, ("density", "depth", "width", "n", "eps_np")
    else:
        names = chosen.inputs
    shown = law if isinstance(law, str) else law.__name__
    _check_asked(asked, names, shown)
    if several:
        used = {k: here[k] for k in names if k in here}
        used = {"error": here.get("error", "error"), "density": here.get("density", "density")} | used
    else:
        used = {k: here.get(k, k) for k in (*names, "error")}
        implied = {"density"} if "remaining" in names else set()
        unused = [here[k] for k in ("m", "density") if k in here and k not in names and k not in implied]
        warnings += tuple(
            f"The column {column!r} varies, but the {shown} law does not depend on it."
            for column in unused
            if column in table.varying
        )
    has_other_m = "n" not in asked and "m" not in used and found["m"] in table.varying
    other_m = found["m"] if has_other_m else None
    return LawColumns(chosen, several, table, used, other_m, flops, computed, warnings)


def _with_computed_n(
    table: DataTable, law: str | type[Law], asked: Mapping[str, str]
) -> tuple[DataTable, tuple[str, ...]]:
    """Return the table, with n from the compute if it has no n, and at most one sentence; see `flops`."""
    kind = ALL.get(law) if isinstance(law, str) else law
    if kind is not None and "n" not in kind.inputs:
        return table, ()
    extended, sentence = with_data_sizes(table, asked, asked.get("flops"))
    return (extended, (sentence,)) if sentence else (table, ())


def _check_asked(asked: Mapping[str, str], names: tuple[str, ...], law: str) -> None:
    """Raise ValueError if a column is named for an input that the law does not have."""
    for name, column in asked.items():
        if name in (*names, "error"):
            continue
        right = next((k for k in names if name.lower() in SYNONYMS.get(k, ())), None)
        if right is not None and right not in asked:
            raise ValueError(f"Name the column of {right} by {right}={column!r}, not by {name}=...")
        raise ValueError(f"The {law} law takes {', '.join(names)}: leave the column of {name} out.")


def _renamed(
    source: str, here: Mapping[str, str], asked: Mapping[str, str], d: str | None
) -> tuple[str, ...]:
    """Return a sentence for columns n and m that are written as N and M; raise ValueError if N may be m."""
    sentences = []
    for name, what in (("n", "training examples"), ("m", "parameters")):
        column = here.get(name, name)
        if column == name or name in asked:
            continue
        if d is not None and "d" not in asked.values():
            fix = "say which column is n, the number of training examples, and which is m"
            raise ValueError(
                f"{source} has columns {column!r} and {d!r}, and N is often the model size: {fix}."
            )
        sentences.append(f"The column {column!r} is taken for {name}, the number of {what}.")
    return tuple(sentences)
