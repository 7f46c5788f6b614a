"""errsrc status: how much of a study is finished."""

from __future__ import annotations

import argparse
import collections
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from errsrc.sweeps import Study

DESCRIPTION = """\
Show how many cells of a study are finished, missing and failed.  A cell is one computation, such
as the training of one network.  The command also shows why cells failed, which process is
computing cells now, and which versions of Python and of packages computed the finished cells.
For trainings, it shows the number of parameters m of each width.  It warns if too few sizes are
small, because 'errsrc report' first fits its law to the small sizes.  It also warns if a module of
your own or a folder of images has changed since cells were computed.  Another warning counts the
cells that 'errsrc run' would refuse, for example because n exceeds the number of images or a
module has BatchNorm, and states the first reason.  You can use the command before, during and
after a run.
"""

SHOWN = 10
"""Number of different failures that are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    from errsrc.cli.stores import add_module_arguments

    parser.add_argument("study", metavar="STUDY", help="a study (.toml), or a file of finished cells (.db)")
    parser.add_argument("--store", metavar="FILE", help="the file of finished cells (default: STUDY.db)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    add_module_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Print the counts of finished, missing and failed cells, and the reasons."""
    from errsrc.cli.stores import maybe_study, print_json
    from errsrc.studies.planned_sizes import planned_refusals

    study, path = maybe_study(args)
    found = {} if study is None else {"study": args.study, **_planned(study)}
    if study is not None and not path.exists():
        store = {"store": str(path), "cells_in_store": 0, "failed": 0, "driver": None}
        found = store | found | {"finished": 0, "missing": len(study)}
        refused = planned_refusals(study, range(len(study)))
        found |= {"refused": refused, "changes": [], "versions": [], "failures": {}}
    else:
        found = _finished(study, path, found)
    if args.json:
        print_json(found)
    else:
        print("\n".join(f"{name:<10} {text}" for name, text in _lines(found)))


def _planned(study: Study) -> dict[str, Any]:
    """Return what is known of a study before its cells are computed."""
    from errsrc.studies.planned_sizes import planned_sizes

    sizes = planned_sizes(study)
    known = {"kind": study.kind.name, "cells": len(study)}
    return known | {"m": sizes.m, "m_text": sizes.line(), "few_sizes": sizes.few}


def _finished(study: Study | None, path: Path, planned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts of finished, missing and failed cells of a store, and the reasons."""
    from errsrc.studies.changes import changes
    from errsrc.studies.planned_sizes import planned_refusals
    from errsrc.sweeps import Store

    with Store(path) as store:
        failures = store.failures()
        found: dict[str, Any] = {"store": str(path), "cells_in_store": store.count(), **planned}
        if study is not None:
            keys = study.cell_keys()
            missing = store.missing(study)
            new = [place for place in missing if keys[place] not in failures]
            found["refused"] = planned_refusals(study, new)
            failures = {keys[place]: failures[keys[place]] for place in missing if keys[place] in failures}
            found |= {"finished": len(study) - len(missing), "missing": len(missing)}
        found |= {"failed": len(failures), "driver": store.driver()}
        found["changes"] = [] if study is None else list(changes(study, store))
        found["versions"] = [{"cells": rows, **versions} for rows, versions in store.versions()]
        found["failures"] = dict(collections.Counter(failures.values()).most_common())
    return found


def _lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is printed of a study's state, a name and a text per line."""
    yield "store", f"{found['store']}: {found['cells_in_store']:,} finished cells"
    if "study" in found:
        yield "study", f"{found['study']}: {found['cells']:,} cells of kind {found['kind']}"
        yield "finished", f"{found['finished']:,}"
        failed = f", {found['failed']:,} of them failed" if found["failed"] else ""
        yield "missing", f"{found['missing']:,}{failed}"
        if found["m"]:
            yield "m", f"{found['m_text']} parameters"
    yield "driver", found["driver"] or "none is running"
    for versions in found["versions"]:
        names = ", ".join(f"{name} {version}" for name, version in versions.items() if name != "cells")
        yield "made with", f"{names} ({versions['cells']:,} cells)"
    for error, count in list(found["failures"].items())[:SHOWN]:
        yield "failed", f"{count:,} {'cell' if count == 1 else 'cells'}: {error}"
    for said in (*found.get("refused", ()), *found.get("few_sizes", ()), *found["changes"]):
        yield "warning", said
