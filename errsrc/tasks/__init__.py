"""Real tasks: grids of trained networks over data size, model size and seed."""

from errsrc.tasks.language import LanguageCell as LanguageCell
from errsrc.tasks.language import LanguageResult as LanguageResult
from errsrc.tasks.pruning import PruningCell as PruningCell
from errsrc.tasks.pruning import prune_cells as prune_cells
from errsrc.tasks.vision import VisionCell as VisionCell
from errsrc.tasks.vision import VisionResult as VisionResult
from errsrc.tasks.vision import parameters as parameters
from errsrc.tasks.vision import train_cells as train_cells
from errsrc.tasks.vision import vision_grid as vision_grid
