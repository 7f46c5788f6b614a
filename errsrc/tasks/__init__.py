"""Real tasks: networks that are trained on images or text, over grids of data size, model size and seed.

A *cell* is one computation of a study: the training of one network, or its training and pruning.
"""

from typing import TYPE_CHECKING

from errsrc.extras import require

require(__name__, "torch")

from errsrc.exports import exported_names
from errsrc.moved import moved_names
from errsrc.tasks.language import LanguageCell as LanguageCell
from errsrc.tasks.language import LanguageResult as LanguageResult
from errsrc.tasks.language import train_language_cells as train_language_cells
from errsrc.tasks.pruning import PruningCell as PruningCell
from errsrc.tasks.pruning import prune_cells as prune_cells
from errsrc.tasks.vision import VisionCell as VisionCell
from errsrc.tasks.vision import VisionResult as VisionResult
from errsrc.tasks.vision import train_vision_cells as train_vision_cells
from errsrc.tasks.vision import vision_grid as vision_grid

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)
