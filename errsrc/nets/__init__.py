"""Stacked networks in torch and the gradient-descent training loop."""

from errsrc.nets.embedding import embed as embed
from errsrc.nets.embedding import embeds as embeds
from errsrc.nets.embedding import same_function as same_function
from errsrc.nets.fourier import FilterNetwork as FilterNetwork
from errsrc.nets.fourier import FourierFeatures as FourierFeatures
from errsrc.nets.fourier import SineNetwork as SineNetwork
from errsrc.nets.jacobians import Identifiable as Identifiable
from errsrc.nets.jacobians import identifiable_dimension as identifiable_dimension
from errsrc.nets.jacobians import jacobian as jacobian
from errsrc.nets.language import LSTM as LSTM
from errsrc.nets.language import LanguageModel as LanguageModel
from errsrc.nets.language import NeuralNgram as NeuralNgram
from errsrc.nets.language import Transformer as Transformer
from errsrc.nets.networks import CNN as CNN
from errsrc.nets.networks import MLP as MLP
from errsrc.nets.networks import Network as Network
from errsrc.nets.networks import Weights as Weights
from errsrc.nets.pruning import Level as Level
from errsrc.nets.pruning import Pruned as Pruned
from errsrc.nets.pruning import Rounds as Rounds
from errsrc.nets.pruning import magnitude_masks as magnitude_masks
from errsrc.nets.pruning import prunable as prunable
from errsrc.nets.pruning import prune as prune
from errsrc.nets.recipe import Recipe as Recipe
from errsrc.nets.residual import WRN as WRN
from errsrc.nets.residual import Resnet as Resnet
from errsrc.nets.risk import evaluate as evaluate
from errsrc.nets.risk import losses as losses
from errsrc.nets.training import Member as Member
from errsrc.nets.training import Trained as Trained
from errsrc.nets.training import train as train

ALL: dict[str, type[Network]] = {
    "mlp": MLP,
    "cnn": CNN,
    "resnet": Resnet,
    "wrn": WRN,
    "fourier-features": FourierFeatures,
    "filter-network": FilterNetwork,
    "sine-network": SineNetwork,
    "neural-ngram": NeuralNgram,
    "transformer": Transformer,
    "lstm": LSTM,
}
"""Every architecture, by the name that specs use."""
