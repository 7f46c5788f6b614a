"""Analysis of finished studies whose cells have errors: the law of each family in data and model size."""

from __future__ import annotations

import collections
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks, records
from errsrc.errors import NoFit
from errsrc.fitting.holdouts import Holdout, few_small_sizes, judge, small_cells
from errsrc.fitting.one_law import Fit, fit
from errsrc.fitting.several_laws import AveragedFit, auto
from errsrc.laws import Dense, Power
from errsrc.laws.law import Array
from errsrc.results import Result, TextTable
from errsrc.studies.finished import FinishedStudy
from errsrc.sweeps import Study

SIZES = ("n", "width", "depth", "heads", "seed", "steps")
"""Fields in which the cells of one law differ, for networks of errsrc's own kinds of study."""


@dataclass(frozen=True)
class Quantities:
    """Names and texts for the laws of one kind of study, such as "vision" or "language".

    Attributes
    ----------
    error, m
        Names of the columns that have the error and the model size.
    apart
        Names of the fields of a cell that differ between families of networks.
    guess
        A function that maps a cell to the error of a random guess on its data; None if it is not known.
    examples, error_text, m_text
        Texts for pages and figures: words for what n counts, words for what the error is, and a sentence
        about m.
    m_of
        A function that maps a cell to its model size before the cell is computed; None if it is not known.
    """

    error: str
    m: str
    apart: tuple[str, ...]
    guess: Callable[[Any], float] | None
    examples: str
    error_text: str
    m_text: str = ""
    m_of: Callable[[Any], float | None] = field(default=attrgetter("parameters"), kw_only=True)


def _guess_of_classes(cell: Any) -> float:
    return 1 - 1 / cell.network().outputs


def _guess_of_tokens(cell: Any) -> float:
    return math.log(cell.vocabulary)


QUANTITIES: dict[str, Quantities] = {
    "vision": Quantities(
        "error", "m", ("dataset", "family"), _guess_of_classes, "training examples", "test error"
    ),
    "language": Quantities(
        "loss",
        "non_embedding",
        ("corpus", "vocabulary", "family"),
        _guess_of_tokens,
        "training tokens",
        "test loss, nats a token",
        "m does not count the table of token embeddings.",
        m_of=lambda cell: cell.network().non_embedding,
    ),
}
"""Names and texts for the laws, by kind of study."""

UNCONVERGED = 0.1
"""Share of trainings that are still improving at their last step, from which on a note says so."""

EARLY = 0.25
"""Share of trainings that are best at their first evaluations, above which a sentence says so."""

FEWEST_SIZES = 6
"""Smallest number of different sizes to which a law in n and m is fitted."""

OTHER_KINDS = ("recovery", "budget", "threshold", "search", "example", "pruning")
"""Kinds of errsrc to whose rows no law in n and m is fitted here."""

OWN_QUANTITIES = Quantities(
    "error", "m", (), None, "examples", "error", m_of=lambda cell: getattr(cell, "m", None)
)
"""Names and texts for the laws of users' own kinds of study."""


@dataclass(frozen=True, eq=False, repr=False)
class TrainedFamily(Result):
    """Networks of one family (such as "mlp") that were trained on one data set, and the law of their sizes.

    Attributes
    ----------
    label
        The fields in which the family differs from other families, as text; empty if there is only one
        family.
    inputs
        The sizes of the runs: {"n": (runs,), "m": (runs,)}.  If n or m does not vary, it is left out.
    error
        The error of each run, (runs,).
    result
        The law, or the average of laws, fitted to the small sizes and compared with the large sizes.  Sizes
        are small if n and m are at most a quarter of the largest n and m.  If these are too few for a fit,
        sizes are small if n is at most a quarter of the largest n.  If these are too few as well, the law is
        fitted to all sizes, without a comparison.
        None if no law can be fitted.
    notes
        Sentences that say which runs were left out, and why there is no comparison.
    guess
        The error of a random guess; inf if it is not known.
    doubts
        Sentences on trainings that were still improving at their last step or were best at the start, and on
        inputs that have too few small values (`errsrc.fitting.few_small_sizes`).
    """

    label: str
    inputs: dict[str, Array]
    error: Array
    result: Holdout | Fit | AveragedFit | None
    notes: tuple[str, ...]
    guess: float = math.inf
    doubts: tuple[str, ...] = ()

    @functools.cached_property
    def law_of_all(self) -> Fit | AveragedFit | None:
        """The same law, or average of laws, fitted to all runs; None if it cannot be fitted."""
        if not isinstance(self.result, Holdout):
            return self.result
        try:
            return _fitted(self.error, self.inputs, self.guess)
        except (NoFit, ValueError):
            return None

    def headline(self) -> str:
        """Return the label, the number of runs and the law as one line."""
        law = "no law" if self.result is None else self.result.headline()
        return ", ".join(text for text in (self.label, f"{len(self.error)} runs", law) if text)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the law, see `errsrc.plots.draw`.

        Raises
        ------
        ValueError
            If no law was fitted.
        """
        if self.result is None:
            why = self.notes[-1] if self.notes else "No law was fitted."
            raise ValueError(f"This family has no figure: {why}")
        return self.result.plot(ax, **options)

    def content(self) -> list[str | TextTable]:
        """Return the label, the number of runs, the law, the `doubts` and the `notes`."""
        law = ["no law"] if self.result is None else self.result.content()
        return [
            *([self.label] if self.label else []),
            f"{len(self.error)} runs",
            *law,
            *self.doubts,
            *self.notes,
        ]


def families(finished: FinishedStudy) -> list[TrainedFamily]:
    """Return the families of networks in a finished study, and fit a law to each family.

    For the kinds "vision" and "language", the law is the joint law in n and m, with its parameter eps0 fixed
    at the error of a random guess.  If m does not vary, the law is a power law in n.  For a kind of your own,
    `errsrc.auto` fits an average of laws.

    Parameters
    ----------
    finished : FinishedStudy
        A finished study of kind "vision" or "language", or of a kind of your own whose rows have "n" and
        "error".  If the rows also have "m", the law is in n and m.

    Returns
    -------
    list of TrainedFamily
        The families.

    Raises
    ------
    ValueError
        If the rows have no numbers n and error.
    """
    about = quantities_of(finished)
    if about is None:
        accepted = "a study whose rows have the numbers 'n' and 'error'"
        raise ValueError(checks.refusal("finished", "families", accepted, finished))
    out = []
    for label, places in finished.groups(sizes_of(finished, about), about.apart).items():
        cells, rows = [finished.cells[k] for k in places], [finished.rows[k] for k in places]
        guess = math.inf if about.guess is None else about.guess(cells[0])
        usable = is_usable(rows, guess, about.error)
        every = {
            name: np.array([row[column] for row in rows], dtype=np.float64)[usable]
            for name, column in (("n", "n"), ("m", about.m))
            if all(_is_number(row.get(column)) for row in rows)
        }
        error = np.array([row[about.error] for row in rows], dtype=np.float64)[usable]
        inputs = {name: x for name, x in every.items() if len(np.unique(x)) > 1}
        result, why = _law(inputs, error, guess)
        text = cell_text if about.guess else functools.partial(_varied, finished)
        notes = left_out(cells, rows, usable, about.error, text, guess)
        doubts = (*unconverged(rows), *best_early(rows), *few_sizes_of(inputs))
        out.append(TrainedFamily(label, inputs, error, result, (*notes, *why), guess, doubts))
    return out


def quantities_of(finished: FinishedStudy) -> Quantities | None:
    """Return the columns that the laws of a study are fitted to, and their descriptions.

    The result is None if the rows of the study have no such columns.

    Parameters
    ----------
    finished : FinishedStudy
        The study.
    """
    name = finished.study.kind.name
    if name in QUANTITIES or name in OTHER_KINDS:
        return QUANTITIES.get(name)
    own = OWN_QUANTITIES
    return own if all(_is_number(row.get(c)) for row in finished.rows for c in ("n", own.error)) else None


def planned_quantities(study: Study) -> Quantities | None:
    """Return the columns of the laws of a study, whether or not its cells are computed.

    The result is None if the study has no law in n.

    Parameters
    ----------
    study : Study
        The grid of cells.
    """
    name = study.kind.name
    if name in OTHER_KINDS or not hasattr(study.base, "n"):
        return None
    return QUANTITIES.get(name, OWN_QUANTITIES)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def sizes_of(finished: FinishedStudy, about: Quantities) -> tuple[str, ...]:
    """Return the fields in which the cells of one law differ.

    For a user's own kind, these fields are n, m, the seed, and each factor of numbers that changes m while
    all other factors stay the same.

    Parameters
    ----------
    finished : FinishedStudy
        A finished study, or cells that are not computed yet.  The rows must have at least m.
    about : Quantities
        The names of the study's columns.
    """
    if about.guess is not None:
        return SIZES
    factors = [
        factor.fields for factor in finished.study.factors if not {"n", "m", "seed"} & {*factor.fields}
    ]
    sizes = ["n", "m", "seed"]
    for fields in factors:
        others = [name for other in factors if other != fields for name in other]
        ms: dict[tuple[Any, ...], set[Any]] = {}
        for cell, row in zip(finished.cells, finished.rows, strict=True):
            ms.setdefault((cell.n, *(attrgetter(name)(cell) for name in others)), set()).add(row.get(about.m))
        has_number = any(_is_number(attrgetter(name)(finished.cells[0])) for name in fields)
        if has_number and any(len(found) > 1 for found in ms.values()):
            sizes += fields
    return tuple(sizes)


def _varied(finished: FinishedStudy, cell: Any) -> str:
    """Return the fields of a cell that vary in its study, as text."""
    names = [name for factor in finished.study.factors for name in factor.fields]
    return ", ".join(f"{name} = {records.text(attrgetter(name)(cell))}" for name in names)


def is_usable(rows: Sequence[Mapping[str, Any]], guess: float, name: str = "error") -> NDArray[np.bool_]:
    """Return a mask of the runs that can be used to fit a law.

    A run can be used if it did not diverge and if its error is above 0 and below the error of a random guess.

    Parameters
    ----------
    rows : sequence of mappings
        The rows of the runs, with the error and, optionally, "diverged".
    guess : float
        The error of a random guess.
    name : str
        Name of the column that has the error.

    Returns
    -------
    bool array (runs,)
        True for the runs that can be used.

    Examples
    --------
    >>> is_usable([{"diverged": False, "error": 0.2}, {"diverged": False, "error": 0.9}], guess=0.9)
    array([ True, False])
    """
    return np.array([not row.get("diverged") and 0 < row[name] < guess for row in rows], dtype=bool)


def left_out(
    cells: Sequence[Any],
    rows: Sequence[Mapping[str, Any]],
    used: NDArray[np.bool_],
    name: str = "error",
    text: Callable[[Any], str] | None = None,
    guess: float = math.inf,
) -> list[str]:
    """Return sentences that say which runs were left out, and why.

    Parameters
    ----------
    cells : sequence of cells
        The cell of each run: its arguments.
    rows : sequence of mappings
        The row (results) of each cell, as `errsrc.sweeps.Store.rows` returns them.
    used : bool array (runs,)
        False for the runs that were left out.
    name : str
        Name of the column that has the error.
    text : callable, optional
        Function that maps a cell to a text about it; `cell_text` by default.
    guess : float
        The error of a random guess.

    Returns
    -------
    list of str
        A sentence for each run that was left out.
    """
    out = []
    for cell, row, in_law in zip(cells, rows, used, strict=True):
        if not in_law:
            why = "its training diverged" if row.get("diverged") else f"its {name} is {row[name]}"
            if not row.get("diverged") and row[name] >= guess:
                why += f", not below that of a random guess, {guess:.4g}"
            out.append(f"Left out: {(text or cell_text)(cell)}: {why}.")
    return out


def unconverged(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return a sentence if a tenth of the trainings, or more, were still improving at the last step.

    Parameters
    ----------
    rows : sequence of mappings
        The rows (results) of trainings.  Rows without "best_step" and "steps" do not count.

    Returns
    -------
    tuple of str
        The sentence, which says how many trainings were still improving, and with which n.  () if there is no
        sentence.

    Examples
    --------
    >>> unconverged([{"n": 10, "steps": 9, "best_step": 4}, {"n": 20, "steps": 9, "best_step": 9}])[0][:76]
    '1 of 2 trainings was still improving at the last step (1 of 1 with n = 20): '
    """
    known = [row for row in rows if not row.get("diverged") and "best_step" in row and "steps" in row]
    late = [row for row in known if row["best_step"] >= row["steps"]]
    if not late or len(late) < UNCONVERGED * len(known):
        return ()
    were = "was" if len(late) == 1 else "were"
    fixed_rate = all(row.get("recipe.decay", 0) == 0 for row in known)
    same = "; trainings that stop earlier do not change" if fixed_rate and len(late) < len(known) else ""
    return (
        f"{len(late):,} of {len(known):,} trainings {were} still improving at the last step"
        f"{_where(late, known)}: their errors are too high, and so is the law there. Raise steps{same}.",
    )


def _where(part: Sequence[Mapping[str, Any]], every: Sequence[Mapping[str, Any]]) -> str:
    """Return how many trainings have which n, and the range of their m, as text; "" if all have one size."""
    part_n, every_n = (
        collections.Counter(row["n"] for row in rows if _is_number(row.get("n"))) for rows in (part, every)
    )
    shares = [f"{count:,} of {every_n[n]:,} with n = {n:,}" for n, count in part_n.most_common(3)]
    texts = [", ".join(shares) + (", ..." if len(part_n) > 3 else "")] if len(every_n) > 1 and shares else []
    sizes, every_m = (
        sorted({row["m"] for row in rows if _is_number(row.get("m"))}) for rows in (part, every)
    )
    if sizes and len(every_m) > 1:
        ends = dict.fromkeys(f"{m:,}" if m % 1 else f"{int(m):,}" for m in (sizes[0], sizes[-1]))
        texts.append(f"m = {' to '.join(ends)}")
    return f" ({'; '.join(texts)})" if texts else ""


def best_early(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return a sentence if more than a quarter of the trainings were best at their first evaluations.

    These are the evaluations up to the end of the warmup, and at least the first evaluation.

    Parameters
    ----------
    rows : sequence of mappings
        The rows (results) of trainings.  Three kinds of rows do not count: rows of trainings that diverged,
        rows without "best_step", "steps" or the recipe, and rows of trainings by "lbfgs".  Trainings whose
        first evaluations take half of all steps or more do not count either.

    Returns
    -------
    tuple of str
        The sentence; () if there is none.

    Examples
    --------
    >>> row = {"steps": 400, "recipe.warmup": 50, "recipe.evaluation_interval": 10}
    >>> best_early([row | {"best_step": 30}, row | {"best_step": 200}])[0][:61]
    '1 of 2 trainings was best within the first 50 steps: no later'
    """
    needed = {"steps", "best_step", "recipe.warmup", "recipe.evaluation_interval"}
    known, early = [], []
    first_steps = 0
    for row in rows:
        if row.get("diverged") or row.get("recipe.optimiser") == "lbfgs" or not needed <= row.keys():
            continue
        end = max(int(row["recipe.warmup"]), int(row["recipe.evaluation_interval"]))
        if row["steps"] > 2 * end:
            known.append(row)
            if row["best_step"] <= end:
                early.append(row)
                first_steps = max(first_steps, end)
    if len(early) <= EARLY * len(known):
        return ()
    metrics = {row.get("recipe.validation_metric", "loss") for row in early}
    by_loss = metrics == {"loss"} and all("error" in row for row in early)
    advice = (
        'Set recipe.validation_metric = "error": the validation error often falls for longer than the loss.'
        if by_loss
        else "Use a larger validation set, or lower recipe.learning_rate and raise steps by the same factor."
    )
    were = "was" if len(early) == 1 else "were"
    return (
        f"{len(early):,} of {len(known):,} trainings {were} best within the first {first_steps:,} steps"
        f"{_where(early, known)}: no later evaluation had a lower validation {' or '.join(sorted(metrics))}, "
        f"and the weights of the best one are kept. {advice}",
    )


def few_sizes_of(columns: Mapping[str, Sequence[Any] | Array]) -> tuple[str, ...]:
    """Return warnings about inputs with too few small values, see `errsrc.fitting.few_small_sizes`.

    Parameters
    ----------
    columns : dict of str to sequence, shape (cells,)
        The sizes of the cells.  An input that is None in some cells is left out.  If there are fewer than 6
        different sizes, no law is fitted to them, and there are no sentences.
    """
    varied: dict[str, Any] = {name: x for name, x in columns.items() if None not in {*x} and len({*x}) > 1}
    if len({*zip(*varied.values(), strict=True)}) < FEWEST_SIZES:
        return ()
    return few_small_sizes(**varied)


def cell_text(cell: Any) -> str:
    """Return the sizes and the seed of a trained network as text.

    Parameters
    ----------
    cell
        The arguments with which the network was trained.
    """
    depth = f", depth {cell.depth}" if cell.depth != 1 else ""
    return f"n = {cell.n:,}, width {cell.width}{depth}, seed {cell.seed}"


def _law(
    inputs: dict[str, Any], error: Array, guess: float
) -> tuple[Holdout | Fit | AveragedFit | None, tuple[str, ...]]:
    """Return the law of some runs, compared with large cells if possible, and otherwise the reasons why not.

    If the error of a random guess is not known (inf), the result is an average of laws.
    """
    if "n" not in inputs:
        return None, ("No law was fitted: n does not vary.",)

    too_few = f"of {' and '.join(inputs)} at most a quarter of the largest do not determine the law"
    for sizes, why in (
        (tuple(inputs), ()),
        (("n",), (f"Cells {too_few}: it is fitted to those of n at most a quarter.",)),
    ):
        try:
            chosen: dict[str, Any] = {name: inputs[name] for name in sizes}
            seen = small_cells(**chosen)
            small: dict[str, Any] = {name: x[seen] for name, x in inputs.items()}
            return judge(_fitted(error[seen], small, guess), error, seen, **inputs), why
        except (NoFit, ValueError):
            continue
    try:
        found = _fitted(error, inputs, guess)
        return found, (f"Cells {too_few}: it is fitted to all cells, and predicts none of them.",)
    except (NoFit, ValueError) as problem:
        return None, (f"No law was fitted: {problem}",)


def _fitted(error: Array, inputs: Mapping[str, Any], guess: float) -> Fit | AveragedFit:
    """Return the law of some runs; an average of laws if the error of a random guess is not known (inf)."""
    if guess == math.inf:
        return auto(error, **inputs)
    law, fixed = (Dense, {"eps0": guess}) if "m" in inputs else (Power, {})
    return fit(law, error, fixed=fixed, **inputs)
