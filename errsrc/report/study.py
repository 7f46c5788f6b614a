"""The page of a study: what its store holds of it, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from errsrc.report import budgets, conjectured, pruned, trained
from errsrc.report.finished import Finished, cells_table, facts, read
from errsrc.report.page import Content, code, page
from errsrc.sweeps import Store, Study

KINDS: dict[str, Callable[[Finished], Content]] = {
    "vision": trained.content,
    "language": trained.content,
    "budget": budgets.content,
    "threshold": conjectured.thresholds,
    "search": conjectured.searches,
    "example": conjectured.examples,
    "pruning": pruned.content,
}
"""What a page says of a study, by its kind; of others it lists the cells."""

SCRIPT = """\
from pathlib import Path

from errsrc import plots, report, studies
from errsrc.sweeps import Store

study = studies.load({spec!r})
with Store({store!r}) as store:
    found = report.read(study, store)

"""


def study_page(study: Study, store: Store, spec: Path) -> str:
    """Return the report of a study's finished cells: one self-contained HTML page.

    Nothing is computed for it but fits, and nothing is written.

    Parameters
    ----------
    study
        What was asked for.
    store
        Where its finished cells are.
    spec
        The file that the study was read from: it is shown, and the commands name it.

    Returns
    -------
    str
        HTML that loads nothing from anywhere: verdicts, tables and figures, warnings (cells that are not
        finished among them), what was run when and with what, and how to make the page and its figures again.

    Raises
    ------
    ValueError
        If no cell of the study is finished.
    """
    found = read(study, store)
    own = KINDS.get(study.kind.name, _listed)(found)
    option = "" if store.path == spec.with_suffix(".db") else f" --store {store.path}"
    commands = [f"errsrc {command} {spec}{option}" for command in ("run", "report")]
    script = SCRIPT.format(spec=str(spec), store=str(store.path)) + own.code if own.code else ""
    said = Content(own.verdicts, own.sections, [*_unfinished(found, commands[0]), *own.warnings], script)
    count = f"{len(found.cells):,} of {len(study):,}" if found.missing else f"{len(study):,}"
    title = f"{spec.stem}: {count} {study.kind.name} cells"
    text = spec.read_text(encoding="utf-8-sig")
    commands.append(
        f"errsrc export {spec}{option} --csv {spec.with_suffix('.csv')}    # all cells as a table"
    )
    return page(title, said, facts(found, spec.name), "\n".join(commands), [("The study", [code(text)])])


def _listed(found: Finished) -> Content:
    """Return what a page says of cells of no kind in particular."""
    said = f"{len(found.cells):,} of {len(found.study):,} cells are finished."
    return Content([(said, not found.missing)], [("Finished cells", [*cells_table(found)])])


def _unfinished(found: Finished, command: str) -> list[str]:
    """Return what is missing of a study, and the command that computes it."""
    if not found.missing:
        return []
    failed = sum(found.failures.values())
    tried = f", {failed:,} of them failed" if failed else ""
    again = f"{command}{' --retry' if failed else ''}"
    said = (
        f"{found.missing:,} of {len(found.study):,} cells are not finished{tried}: '{again}' computes them."
    )
    return [said, *(f"{count:,} cells failed: {error}" for error, count in found.failures.items())]
