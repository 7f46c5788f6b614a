"""Sweeps: grids of independent cells, each computed once, kept in one file, on one machine or many.

A cell is a frozen dataclass of plain values that says all its result depends on.  A `Kind` names the
function that computes cells of one class, a `Study` is a grid of such cells, a `Store` the file of
those that are finished, and `run` computes what is missing, through an engine: `local` processes, or
`dask` workers on any number of machines.
"""

from errsrc.sweeps.cluster import dask
from errsrc.sweeps.engines import serial
from errsrc.sweeps.kind import Kind
from errsrc.sweeps.processes import local
from errsrc.sweeps.runner import Summary, run
from errsrc.sweeps.store import Store
from errsrc.sweeps.study import Factor, Study

__all__ = ["Factor", "Kind", "Store", "Study", "Summary", "dask", "local", "run", "serial"]
