"""Titles and axis labels of figures of laws, with the column names of the user's table if they are known."""

from __future__ import annotations

import re
import textwrap

from errsrc import records
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.one_law import Fit
from errsrc.fitting.several_laws import limits_of, weighted_fits
from errsrc.results import percent

SIZES = {
    "n": "training examples",
    "m": "model parameters",
    "u": "different training examples",
    "density": "share of weights left",
    "depth": "layers",
    "layers": "layers with weights",
    "remaining": "weights left",
    "width": "units of a layer",
    "eps_np": "error of the unpruned network",
}
"""What each input counts, in words."""

LONGEST_TITLE = 68
"""Characters in a line of a title."""


def size_label(forecast: Forecast, name: str) -> str:
    """Return the label of an axis that shows an input: the name of the input, and what it counts.

    Parameters
    ----------
    forecast : Forecast
        The fit.  If the fit was made from a table, the label has the name of the table's column.
    name : str
        The name of the input.
    """
    column = forecast.notes.get("columns", {}).get(name, name)
    words = SIZES.get(name, "")
    shown = column if column != name else words
    return f"{name}, {shown}" if shown else name


def error_label(forecast: Forecast) -> str:
    """Return the label of an axis that shows the error: the name of the error's column, if it is known.

    Parameters
    ----------
    forecast : Forecast
        The fit.  If the fit was made from a table, the label has the name of the table's column.
    """
    label = str(forecast.notes.get("columns", {}).get("error", "error"))
    return f"1 − {label}" if forecast.notes.get("accuracy") else label


def test_error_label(forecast: Forecast) -> str:
    """Return the label of an axis that shows the error: the name of the error's column, or "test error".

    Parameters
    ----------
    forecast : Forecast
        The fit.  If the fit was made from a table, the label has the name of the table's column.
    """
    label = error_label(forecast)
    return "test error" if label == "error" else label


def law_title(forecast: Forecast, width: int = LONGEST_TITLE) -> str:
    """Return a title that names the laws of a forecast, and the exponents of a single law.

    Parameters
    ----------
    forecast : Forecast
        The fit.
    width : int
        Largest number of characters in a line.
    """
    fits = weighted_fits(forecast)
    if not fits:
        return type(forecast).__name__
    name = records.name(type(fits[0][0].law))
    if len(fits) > 1:
        each = (f"{records.name(type(one.law))} {percent(weight)}" for one, weight in fits)
        found = limits_of(forecast)
        shown = "".join(f"; exponent of {name} {one}" for name, one in found.items() if name != "floor")
        return wrapped(f"average of {', '.join(each)}{shown}", width)
    open_ = "" if fits[0][0].determined else ", not determined by these points"
    return wrapped(f"{name}{open_}: {exponents(fits[0][0])}", width)


def exponents(fit: Fit) -> str:
    """Return a law's exponents with their intervals as text, or its first two parameters if it has none.

    Parameters
    ----------
    fit : Fit
        The fit.
    """
    law, params = type(fit.law), fit.law.params
    names = [name for name in (law.model_exponent_name, law.data_exponent_name) if name in params]
    names = names or list(params)[:2]
    return ", ".join(f"{name} {fit.parameter_text(name)}" for name in map(str, names))


def wrapped(text: str, width: int = LONGEST_TITLE, lines: int = 3) -> str:
    """Return a title broken into a few lines of a given width; an interval stays on one line.

    Parameters
    ----------
    text : str
        The title.
    width : int
        Largest number of characters in a line.
    lines : int
        Largest number of lines; "…" stands for the rest.
    """
    together = re.sub(r" = |\[[^\[\]]*\]", lambda found: found[0].replace(" ", "\xa0"), text)
    return "\n".join(
        textwrap.wrap(together, width, max_lines=lines, placeholder=" …", break_long_words=False)
    )
