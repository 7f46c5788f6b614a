"""Fits of the rows of a CSV file, and predictions for its rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errsrc import checks
from errsrc.checks import LEVEL, PATH, SEED, Choice, Instance, Optional
from errsrc.fitting.csv_columns import csv_inputs, csv_points
from errsrc.fitting.csv_table import CsvTable, read_csv
from errsrc.fitting.forecasts import Forecast, Prediction
from errsrc.fitting.one_law import Fit, fit
from errsrc.fitting.points import NUMBERS
from errsrc.fitting.problem import OBJECTIVES
from errsrc.fitting.several_laws import AveragedFit, auto
from errsrc.laws import ALL, JointPruning, Law, Pruning
from errsrc.laws.law import LAW
from errsrc.results import json_value


@checks.arguments(
    path=PATH,
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
    fixed: Mapping[str, float] | None = None,
    constants: Mapping[str, float] | None = None,
    objective: str | None = None,
    huber_delta: float | None = None,
    level: float = 0.9,
    seed: int = 0,
) -> Fit | AveragedFit:
    r"""Fit a scaling law to the rows of a CSV file, one trained model per row.

    The file is UTF-8 text with a header.  Rows with equal sizes are repetitions with other seeds.

    Parameters
    ----------
    path : str or Path
        The file.
    law : str or type of Law
        A name in `errsrc.laws.ALL`, a law of your own, or "auto": the average of several laws in the sizes
        that the file has.  "auto" is "pruning" if the density varies; "pruning" is the joint law in density,
        depth and width if the file has several networks.
    columns : dict of str to str, optional
        Columns of inputs and of "error" under other names, such as ``{"n": "tokens", "error": "loss"}``.  By
        default a column has the name of its input: n, m, density, depth, width, eps_np.
    weights : str, optional
        Column of the relative weights of the rows; by default all weigh the same.
    fixed : dict of str to float, optional
        Parameters that are not fitted, such as ``{"eps0": 0.9}``, in natural units.
    constants : dict of str to float, optional
        Units of the law, such as ``{"n_full": 50_000}``; by default the largest input.
    objective, huber_delta : str and float, optional
        What the fit of one law minimises, and the threshold of the Huber loss, as in `errsrc.fit`.  The
        average of several laws chooses both itself.
    level : float
        Coverage of the parameters' intervals, in (0, 1).
    seed : int
        Seed of the random starts and of the refits, >= 0.

    Returns
    -------
    Fit or AveragedFit
        The fit.  Its notes keep the columns for `predict_csv`.

    Raises
    ------
    ValueError
        If the file cannot be read as CSV, if a column is missing or holds anything but finite numbers > 0,
        and as for `fit`.
    TypeError
        As for `fit`.
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
    points = csv_points(read_csv(path), law, columns or {}, weights)
    fields = None if points.law is None else {field.name for field in dataclasses.fields(points.law)}
    for name in (*(fixed or {}), *(constants or {})):
        if fields is not None and name not in fields:
            shown = law if isinstance(law, str) else law.__name__
            hint = checks.nearest(name, fields)
            raise ValueError(f"The {shown} law has no {name}{hint}: leave it out.")
    held = {**points.fixed, **(fixed or {})}
    options: dict[str, Any] = {"fixed": held, "constants": constants, "weights": points.weights}
    options |= {"level": level, "seed": seed, **points.inputs}
    chosen: dict[str, Any] = {"objective": objective, "huber_delta": huber_delta}
    own = {name: value for name, value in chosen.items() if value is not None}
    if points.law is None and own:
        raise ValueError(f"The average of several laws chooses its own {min(own)}: name one law to set it.")
    found: Fit | AveragedFit
    if points.law is None or (points.law in (Pruning, JointPruning) and not own):
        found = auto(points.error, **options)  # the average for pruned networks has a single law
    else:
        found = fit(points.law, points.error, **options, **own)
    warnings = [*points.warnings, *found.warnings]
    if points.law is None and "m" in points.inputs and "eps0" not in held:
        left_out = "The dense law is left out of the average: it needs eps0, the error of a random guess."
        warnings.insert(len(points.warnings), left_out)
    return dataclasses.replace(found, notes=points.notes, warnings=tuple(warnings))


@dataclass(frozen=True, eq=False, repr=False)
class CsvPrediction(Prediction):
    """Predicted errors of the rows of a CSV file, each with an interval for one new run.

    Attributes
    ----------
    predicted, low, high : ndarray of float64, shape (rows,)
        Predicted errors and the ends of their intervals, in the units of the fitted errors.
    level : float
        Coverage of the intervals, in (0, 1).
    warnings : tuple of str
        Sentences on what weakens the fit behind the predictions.
    table : CsvTable
        The file.
    """

    table: CsvTable

    def lines(self) -> Iterator[str]:
        """Return the lines of the file, each with predicted, low and high added.

        Raises
        ------
        ValueError
            If the file already has a column of one of these names.
        """
        return self.table.extended(self.columns())

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def as_dict(self) -> dict[str, Any]:
        """Return the predictions as JSON values, a list for each column."""
        return {**json_value(self.columns()), "level": self.level, "warnings": list(self.warnings)}


@checks.arguments(forecast=Instance(Forecast, "a fit"), path=PATH, level=LEVEL)
def predict_csv(forecast: Forecast, path: str | Path, *, level: float = 0.9) -> CsvPrediction:
    """Predict the error of one new run for each row of a CSV file.

    Parameters
    ----------
    forecast : Forecast
        A fit.  If `fit_csv` made it, the file has the inputs in columns of the same names; else in columns
        that have the names of the inputs.
    path : str or Path
        The file.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    CsvPrediction
        The predictions, and the lines of the file with them.

    Raises
    ------
    ValueError
        If the file cannot be read as CSV, or if a column is missing or holds anything but finite numbers > 0.
    OSError
        If the file cannot be read.
    """
    table = read_csv(path)
    found = forecast.predict(level=level, **csv_inputs(table, forecast))
    return CsvPrediction(found.predicted, found.low, found.high, level, found.warnings, table)
