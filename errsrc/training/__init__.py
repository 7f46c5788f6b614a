"""Training of many networks at once: the training loop, recipes, checkpoints, pruning; posterior chains."""

from errsrc.extras import require

require(__name__, "torch")

from errsrc.exports import exported_names
from errsrc.training.criteria import synflow_masks as synflow_masks
from errsrc.training.loop import train as train
from errsrc.training.masks import magnitude_masks as magnitude_masks
from errsrc.training.masks import masks_of_scores as masks_of_scores
from errsrc.training.masks import prunable as prunable
from errsrc.training.members import Member as Member
from errsrc.training.members import Trained as Trained
from errsrc.training.pruning import PrunedNetwork as PrunedNetwork
from errsrc.training.pruning import PruningLevel as PruningLevel
from errsrc.training.pruning import Rounds as Rounds
from errsrc.training.pruning import prune as prune
from errsrc.training.recipe import Recipe as Recipe
from errsrc.training.risk import evaluate as evaluate
from errsrc.training.risk import losses as losses

__dir__ = exported_names(__name__)
