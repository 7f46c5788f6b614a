"""The training loop of stacked networks, its recipes, checkpoints and pruning; training on several GPUs."""

from errsrc.training.loop import Member as Member
from errsrc.training.loop import Trained as Trained
from errsrc.training.loop import train as train
from errsrc.training.pruning import Level as Level
from errsrc.training.pruning import Pruned as Pruned
from errsrc.training.pruning import Rounds as Rounds
from errsrc.training.pruning import magnitude_masks as magnitude_masks
from errsrc.training.pruning import prunable as prunable
from errsrc.training.pruning import prune as prune
from errsrc.training.recipe import Recipe as Recipe
from errsrc.training.risk import evaluate as evaluate
from errsrc.training.risk import losses as losses
