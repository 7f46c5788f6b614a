"""Studies: grids of cells that a TOML file describes, kinds of cells, and the analysis of finished studies.

A cell is one independent computation.  A spec, the TOML file of a study, has the kind of the cells, the
values that all cells share, the values that vary, and the seeds::

    kind = "vision"                        # see errsrc.studies.ALL
    seeds = 3                              # 0, 1, 2; or a list

    [cell]                                 # fields of errsrc.tasks.VisionCell
    dataset = "digits"
    family = "mlp"
    validation = 397

    [factors]                              # the grid: every combination
    n = [90, 180, 360]

    [[factors.size]]                       # fields that vary together, under a name of your own
    width = 8
    recipe.learning_rate = 0.006
    [[factors.size]]
    width = 16
    recipe.learning_rate = 0.004

`run_until` computes only as many cells as the interval of an answer needs.

`import_own` imports your own modules, whose kinds and classes a spec can then name.

`errsrc.load_study` reads the finished cells of a study.  `errsrc.run_study` computes the missing cells and
then reads all of them.  The modules `trained` and `pruned` fit laws to finished studies.  The modules
`budgets`, `conjectures` and `recovery` define kinds of cells and read the results of these cells.
"""

from errsrc.exports import exported_names
from errsrc.studies.files import load_study as load_study
from errsrc.studies.files import run_study as run_study
from errsrc.studies.finished import FinishedStudy as FinishedStudy
from errsrc.studies.kinds import ALL as ALL
from errsrc.studies.kinds import ROOMS as ROOMS
from errsrc.studies.kinds import import_own as import_own
from errsrc.studies.spec import load as load
from errsrc.studies.spec import parse as parse
from errsrc.studies.targets import run_until as run_until

__dir__ = exported_names(__name__)
