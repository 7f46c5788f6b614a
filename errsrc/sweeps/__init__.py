"""Sweeps: grids of independent cells.  Each cell is computed once, and all results are kept in one file.

A *cell* is one computation.  A cell is a frozen dataclass of plain values, which include everything that the
result depends on.  A `Kind` is a class of cells with the function that computes them.  A `Study` is a grid of
cells of one kind.  A `Store` is the file of the finished cells.  `run` computes the missing cells with an
engine: `local` processes, or `dask` workers on any number of machines.
"""

from typing import TYPE_CHECKING

from errsrc.exports import exported_names
from errsrc.moved import moved_names
from errsrc.sweeps.cluster import dask
from errsrc.sweeps.engines import serial
from errsrc.sweeps.kind import Kind
from errsrc.sweeps.processes import local
from errsrc.sweeps.runner import RunSummary, run
from errsrc.sweeps.store import Store
from errsrc.sweeps.study import Factor, Study

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)

__all__ = ["Factor", "Kind", "RunSummary", "Store", "Study", "dask", "local", "run", "serial"]
