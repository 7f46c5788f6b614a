"""Theory and laws to play with: an app on this machine, and a page that opens offline.

`errsrc explore` starts the app, or writes the page.  Both show the same computations (`computations`):

- `band_curve`: the exact error budget of least squares in a band at many n, and the curve of theory;
- `fitted_table`: a law fitted to a table of runs, with its compute-optimal sizes and plans.
"""

from errsrc.explore.computations import BandCurve as BandCurve
from errsrc.explore.computations import BandProblem as BandProblem
from errsrc.explore.computations import FittedTable as FittedTable
from errsrc.explore.computations import band_curve as band_curve
from errsrc.explore.computations import fitted_table as fitted_table
from errsrc.explore.computations import named_columns as named_columns
from errsrc.explore.pages import explorer_page as explorer_page
from errsrc.exports import exported_names

__dir__ = exported_names(__name__)
