"""Tables of runs as users have them: files in several formats, and data frames.

`read_table` reads a file, and `table_of` a data frame.  A `DataTable` reads its columns as numbers.  It says
which rows cannot be used, and why (`LeftOut`).
"""

from __future__ import annotations

from errsrc.exports import exported_names
from errsrc.tables.cells import ColumnNumbers as ColumnNumbers
from errsrc.tables.data_table import DataTable as DataTable
from errsrc.tables.frames import frame_of as frame_of
from errsrc.tables.frames import table_of as table_of
from errsrc.tables.reader import read_table as read_table
from errsrc.tables.rows import LeftOut as LeftOut
from errsrc.tables.rows import left_out_sentence as left_out_sentence

__dir__ = exported_names(__name__)
