"""Network architectures, one file each.

A network, which is an architecture without weights, computes the outputs of many members at once.  A member
is one set of weights, see `errsrc.nets.network`.  To add an architecture, write a subclass of `Network` in a
file of its own and add it to ``ALL``.  A TOML spec can then select it by its name in ``ALL``.

`from_module` makes a network from any ``torch.nn.Module``.
"""

from typing import TYPE_CHECKING

from errsrc.extras import require

require(__name__, "torch")

from errsrc.exports import exported_names
from errsrc.moved import moved_names
from errsrc.nets.cnn import CNN as CNN
from errsrc.nets.embedding import embed as embed
from errsrc.nets.embedding import embeds as embeds
from errsrc.nets.embedding import same_function as same_function
from errsrc.nets.fourier import FilterNetwork as FilterNetwork
from errsrc.nets.fourier import FourierFeatures as FourierFeatures
from errsrc.nets.fourier import SineNetwork as SineNetwork
from errsrc.nets.jacobians import IdentifiableDimension as IdentifiableDimension
from errsrc.nets.jacobians import identifiable_dimension as identifiable_dimension
from errsrc.nets.jacobians import jacobian as jacobian
from errsrc.nets.language import LSTM as LSTM
from errsrc.nets.language import LanguageModel as LanguageModel
from errsrc.nets.language import NeuralNgram as NeuralNgram
from errsrc.nets.language import Transformer as Transformer
from errsrc.nets.mlp import MLP as MLP
from errsrc.nets.network import Network as Network
from errsrc.nets.network import Weights as Weights
from errsrc.nets.own_module import ModuleNetwork as ModuleNetwork
from errsrc.nets.own_module import from_module as from_module
from errsrc.nets.patches import PatchNetwork as PatchNetwork
from errsrc.nets.quadratic import QuadraticNetwork as QuadraticNetwork
from errsrc.nets.quadratic import quadratic_form as quadratic_form
from errsrc.nets.residual import WRN as WRN
from errsrc.nets.residual import Resnet as Resnet

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)

ALL: dict[str, type[Network]] = {
    "mlp": MLP,
    "quadratic": QuadraticNetwork,
    "cnn": CNN,
    "patches": PatchNetwork,
    "resnet": Resnet,
    "wrn": WRN,
    "fourier-features": FourierFeatures,
    "filter-network": FilterNetwork,
    "sine-network": SineNetwork,
    "neural-ngram": NeuralNgram,
    "transformer": Transformer,
    "lstm": LSTM,
}
"""Every architecture, by the name that selects it in a TOML spec."""
