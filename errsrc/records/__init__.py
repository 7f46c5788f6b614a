"""Records: frozen dataclasses of plain values, which can be written to files and read again.

The files that errsrc reads and writes describe cells (independent computations), settings, learners and laws.
These are the TOML files of studies, the files of finished cells, and the files of fits.  Each cell, setting,
learner and law is a record: a frozen dataclass with fields that are numbers, strings, booleans, None, tuples
of these, or other records.

- `flatten` turns a record into a flat table: a dict of plain values whose keys are dotted paths, such as
  ``"recipe.batch"``.
- `build` makes a record from a nested table, such as a table of a TOML or JSON file, and checks every type.
- `name` returns the name of a class in files: ``JointPruning`` is "joint-pruning".
- `text` returns the repr of a record without the fields that have their default values.
- `digest` returns the key of a flat table: a hash that identifies the record.

`errsrc.records.old_names` lists the names that changed in the code after files had been written with them.
"""

from errsrc.exports import exported_names
from errsrc.records.names import NO_DEFAULT as NO_DEFAULT
from errsrc.records.names import Leaves as Leaves
from errsrc.records.names import default_of as default_of
from errsrc.records.names import is_record as is_record
from errsrc.records.names import name as name
from errsrc.records.names import types_of as types_of
from errsrc.records.old_names import current_field as current_field
from errsrc.records.old_names import current_kind as current_kind
from errsrc.records.old_names import current_names as current_names
from errsrc.records.old_names import current_results as current_results
from errsrc.records.old_names import current_study as current_study
from errsrc.records.old_names import stored_names as stored_names
from errsrc.records.old_names import stored_repr as stored_repr
from errsrc.records.old_names import stored_results as stored_results
from errsrc.records.old_names import stored_study as stored_study
from errsrc.records.reader import Reader as Reader
from errsrc.records.reader import build as build
from errsrc.records.tables import digest as digest
from errsrc.records.tables import encode as encode
from errsrc.records.tables import flatten as flatten
from errsrc.records.tables import line as line
from errsrc.records.texts import shared_text as shared_text
from errsrc.records.texts import text as text

__dir__ = exported_names(__name__)
