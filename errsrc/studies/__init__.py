"""Studies: grids of cells described by TOML specs, the kinds of cells, and the analysis of finished ones."""

from errsrc.studies.kinds import ALL as ALL
from errsrc.studies.kinds import ROOMS as ROOMS
from errsrc.studies.spec import load as load
from errsrc.studies.spec import parse as parse
