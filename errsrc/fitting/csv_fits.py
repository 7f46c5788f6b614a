"""Fits of the rows of a file, and predictions for its rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errsrc import checks
from errsrc.checks import LEVEL, PATH, SEED, Choice, Flag, Instance, Integer, Optional
from errsrc.fitting.data_arguments import cluster_columns
from errsrc.fitting.forecasts import Forecast, Prediction
from errsrc.fitting.one_law import Fit, FitOptions, fit_table
from errsrc.fitting.points import NUMBERS
from errsrc.fitting.problem import OBJECTIVES
from errsrc.fitting.several_laws import AveragedFit, auto
from errsrc.fitting.table_points import table_points
from errsrc.laws import ALL, JointPruning, Law, Pruning
from errsrc.laws.law import LAW
from errsrc.tables import DataTable, read_table
from errsrc.tables.measurements import TableRules


@checks.arguments(
    path=PATH,
    where=Optional(
        Instance((Mapping, str, Sequence), "a dict of values by column, or conditions such as 'loss<5'")
    ),
    melt=Flag(),
    accuracy=Flag(),
    strict=Flag(),
    test_size=Optional(Integer(at_least=1)),
    best_of=Flag(),
    keep_far=Flag(),
    fixed=NUMBERS,
    constants=NUMBERS,
    objective=Optional(Choice(OBJECTIVES)),
    level=LEVEL,
    seed=SEED,
)
def fit_csv(
    path: str | Path,
    law: str | type[Law] = "auto",
    *,
    columns: Mapping[str, str] | None = None,
    weights: str | None = None,
    clusters: str | Sequence[str] | None = None,
    where: Mapping[str, Any] | str | Sequence[str] | None = None,
    melt: bool = False,
    accuracy: bool = False,
    strict: bool = False,
    test_size: int | None = None,
    best_of: bool = False,
    keep_far: bool = False,
    fixed: Mapping[str, float] | None = None,
    constants: Mapping[str, float] | None = None,
    objective: str | None = None,
    huber_delta: float | None = None,
    level: float = 0.9,
    seed: int = 0,
) -> Fit | AveragedFit:
    r"""Fit a scaling law to the rows of a file, one trained model per row.

    The file is CSV text with a header, or has another format that `errsrc.tables.read_table` reads.  Rows
    with equal sizes are repetitions with other seeds.  Rows that cannot be used are left out: rows with an
    empty cell, with a value that is not finite or not > 0, or with a true value in a column "diverged".

    Parameters
    ----------
    path : str or Path
        The file; "-" for standard input.
    law : str or type of Law
        A name in `errsrc.laws.ALL`, a law of your own, or "auto": the average of several laws in the sizes
        that the file has.  If the density varies, "auto" fits the law "pruning" instead.  If the file has
        several networks, "pruning" stands for the joint law in density, depth and width.
    columns : dict of str to str, optional
        Names of the columns of inputs and of "error", such as ``{"n": "tokens", "error": "loss"}``.  By
        default, each column has the name of its input: n, m, density, depth, width, eps_np and so on.
    weights : str, optional
        Name of the column with the relative weights of the rows; by default all weights are equal.
    clusters : str or sequence of str, optional
        Columns that tell clusters of rows apart, as in `errsrc.fit`.  For example, the rows of one network
        that was pruned to several levels are a cluster.  In tables of at least 6 pruned networks, each
        network is a cluster by default.
    where : dict of str to object, str, or sequence of str, optional
        {column: value}, or conditions such as "group!=test" and "loss<5".  Only the rows that meet all
        conditions are fitted.
    melt : bool
        Whether the file has a column for each run, such as "RUN - val/loss", as Weights & Biases exports
        them.  The file is then read as a long table with three columns: the first column of the file, "run",
        and "val/loss" (`DataTable.melted`).
    accuracy, strict : bool
        If `accuracy` is True, the error column holds accuracies.  If `strict` is True, rows that cannot be
        used raise ValueError.  Both work as in `errsrc.fit`.
    test_size : int, optional
        Number of test examples, as in `errsrc.fit`.
    best_of : bool
        Whether to keep only the best of all rows with the same inputs, such as the best of several
        learning rates.  `errsrc.fitting.best_rows` does the same for arrays.
    keep_far : bool
        Whether to fit rows that are far from the law, as in `errsrc.fit`.
    fixed : dict of str to float, optional
        Values of parameters that are not fitted, such as ``{"eps0": 0.9}``, in the units of the file.
    constants : dict of str to float, optional
        Constants of the law that state the unit of an input, such as ``{"n_full": 50_000}``.  The default of
        a constant is the largest value of its input.
    objective, huber_delta : str and float, optional
        What the fit of one law minimises, and the threshold of the Huber loss, as in `errsrc.fit`.  Leave
        both out for the average of several laws, which chooses its own objective.
    level : float
        Coverage of the parameters' intervals, in (0, 1).
    seed : int
        Seed of the random starts and of the refits, >= 0.

    Returns
    -------
    Fit or AveragedFit
        The fit.  Its `notes` contain the names of the columns, which `predict_csv` reads.  Its `left_out`
        lists the rows that were not used.

    Raises
    ------
    ValueError
        If the file contains no table, if a column is missing or contains text that is no number, if no row
        can be used, or if `fit` would raise it.
    TypeError
        If `fit` would raise it.
    NoFit
        If no start converged.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from errsrc.laws import Power
    >>> file = Path(tempfile.mkdtemp()) / "runs.csv"
    >>> rows = [f"{tokens},{Power(0.1, 2.0, 0.5).error(n=tokens)}" for tokens in (100, 400, 1600, 6400)]
    >>> _ = file.write_text("\n".join(["tokens,loss", *rows]))
    >>> found = fit_csv(file, "power", columns={"n": "tokens", "error": "loss"})
    >>> round(found.law.alpha, 3)
    0.5
    """
    if isinstance(law, str):
        checks.Choice(("auto", *ALL))(law, "law", "fit_csv")
    else:
        LAW(law, "law", "fit_csv")
    table, asked = read_table(path), dict(columns or {})
    if melt:
        table, asked = melted(table, asked)
    table = table.where(where or {})
    said = _several_runs(table, asked) if melt else ()
    asked |= {} if weights is None else {"weights": weights}
    rules = TableRules(accuracy, strict, test_size, best_of)
    points = table_points(table, law, asked, fixed, rules, cluster_columns(clusters, "fit_csv"))
    fields = None if points.law is None else {field.name for field in dataclasses.fields(points.law)}
    units = points.constants(constants)
    for name in (*points.fixed, *units):
        if fields is not None and name not in fields:
            shown = law if isinstance(law, str) else law.__name__
            hint = checks.nearest(name, fields)
            has = f"It has {', '.join(sorted(fields))}."
            raise ValueError(f"The {shown} law has no {name}{hint}: leave it out. {has}")
    points = points._replace(warnings=(*points.warnings, *said))
    chosen: dict[str, Any] = {"objective": objective, "huber_delta": huber_delta}
    own = {name: value for name, value in chosen.items() if value is not None}
    if points.law is None and own:
        raise ValueError(f"The average of several laws chooses its own {min(own)}: name one law to set it.")
    if points.law is not None and (own or points.law not in (Pruning, JointPruning)):
        options = FitOptions(constants=constants, keep_far=keep_far, level=level, seed=seed, **own)
        return fit_table(points, options)
    with points.failing():  # the average for pruned networks has a single law
        arguments = points.arguments()
        found = auto(**arguments, constants=units, keep_far=keep_far, level=level, seed=seed)
    if points.law is None and "m" in points.inputs and "eps0" not in points.fixed:
        dense = "The dense law is left out of the average: it needs eps0, the error of a random guess."
        points.notes["said"] = [*points.notes.get("said", []), dense]
    return points.noted(found)


def melted(table: DataTable, columns: Mapping[str, str]) -> tuple[DataTable, dict[str, str]]:
    """Return the long form of a wide table, and the names of its columns of n and of the error.

    Parameters
    ----------
    table : DataTable
        A table with a column for each run, see `DataTable.melted`.
    columns : dict of str to str
        {input or "error": name of its column}, for the columns that the user names.
    """
    long = table.melted()
    place = long.header.index("run")
    kept, metrics = long.header[:place], [name for name in long.header[place + 1 :] if name[0] != "_"]
    chosen = dict(columns)
    if "n" not in chosen and long.found("n") is None and len(kept) == 1:
        if "time" in kept[0].lower():
            raise ValueError(f"The column {kept[0]!r} holds times, which are no sizes: name the column of n.")
        chosen["n"] = kept[0]
    if "error" not in chosen and long.found("error") is None and len(metrics) == 1:
        chosen["error"] = metrics[0]
    return long, chosen


def _several_runs(table: DataTable, columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence if a melted table has several runs that no column of the fit tells apart."""
    runs = dict.fromkeys(table.text("run"))
    if len(runs) < 2 or "run" in columns.values():
        return ()
    return (
        f"{len(runs)} runs are fitted as one curve; where={{'run': NAME}} (--where run=NAME) takes one run.",
    )


@dataclass(frozen=True, eq=False, repr=False)
class CsvPrediction(Prediction):
    """Predicted errors of the rows of a file, each with an interval for one new run.

    Attributes
    ----------
    predicted, low, high : ndarray of float64, shape (rows,)
        Predicted errors and the ends of their intervals, in the units of the fitted errors; nan for rows that
        cannot be predicted.
    level : float
        Coverage of the intervals, in (0, 1).
    warnings : tuple of str
        Warnings about the fit behind the predictions, one sentence each.
    table : DataTable
        The file.
    left_out : tuple of LeftOut
        Rows of the file that could not be predicted, by reason.
    """

    table: DataTable

    def lines(self) -> Iterator[str]:
        """Return the lines of the file, with the columns predicted, low and high added.

        The three columns are empty in rows that cannot be predicted.

        Raises
        ------
        ValueError
            If the file already has a column named predicted, low or high.
        """
        return self.table.extended(self.columns())

    def __str__(self) -> str:
        return "\n".join(self.lines())


@checks.arguments(forecast=Instance(Forecast, "a fit"), path=PATH, level=LEVEL, strict=Flag())
def predict_csv(
    forecast: Forecast,
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    level: float = 0.9,
    strict: bool = False,
) -> CsvPrediction:
    """Predict the error of one new run for each row of a file.

    Parameters
    ----------
    forecast : Forecast
        A fit.  If the fit was made from a table, the file must have the same names of columns.  Otherwise the
        columns must have the names of the inputs.
    path : str or Path
        The file, in any format that `errsrc.tables.read_table` reads; "-" for standard input.
    columns : dict of str to str, optional
        {input: name of its column}, for inputs whose column has another name in this file than in the fitted
        table.
    level : float
        Coverage of the intervals, in (0, 1).
    strict : bool
        Whether to raise ValueError for rows that cannot be predicted.

    Returns
    -------
    CsvPrediction
        The predictions in the order of the rows.  Its method `lines` returns the file with the predictions
        added.

    Raises
    ------
    ValueError
        If the file contains no table, if a column is missing or contains text that is no number, or if no row
        can be predicted.
    OSError
        If the file cannot be read.
    """
    table = read_table(path)
    found = forecast.predict_table(table, columns, level=level, strict=strict)
    errors = (found.predicted, found.low, found.high)
    shown: dict[str, Any] = {"inputs": found.inputs, "forecast": forecast}
    return CsvPrediction(*errors, level, found.warnings, table, found.left_out, **shown)
