"""Settings: problems with a known distribution of inputs, prior over teachers, label channel and loss."""

from typing import TYPE_CHECKING

from errsrc.extras import require

require(__name__, "torch")

from errsrc.exports import exported_names
from errsrc.moved import moved_names
from errsrc.settings.band import BandTeacher as BandTeacher
from errsrc.settings.band import SparseTeacher as SparseTeacher
from errsrc.settings.channels import Clean as Clean
from errsrc.settings.channels import Flips as Flips
from errsrc.settings.channels import Gaussian as Gaussian
from errsrc.settings.channels import Softmax as Softmax
from errsrc.settings.classes import AllFunctions as AllFunctions
from errsrc.settings.classes import Band as Band
from errsrc.settings.classes import FunctionClass as FunctionClass
from errsrc.settings.classes import Linear as Linear
from errsrc.settings.classes import NetworkFunctions as NetworkFunctions
from errsrc.settings.classes import RankK as RankK
from errsrc.settings.coordinate_setting import CoordinateSetting as CoordinateSetting
from errsrc.settings.features import FeatureSpan as FeatureSpan
from errsrc.settings.gaussian_setting import GaussianSetting as GaussianSetting
from errsrc.settings.gp import GaussianProcessTeacher as GaussianProcessTeacher
from errsrc.settings.hierarchy import Grammar as Grammar
from errsrc.settings.hierarchy import RandomHierarchy as RandomHierarchy
from errsrc.settings.images import ImageBasis as ImageBasis
from errsrc.settings.images import ImageTeacher as ImageTeacher
from errsrc.settings.linear import LinearTeacher as LinearTeacher
from errsrc.settings.multitask_parity import MultitaskParity as MultitaskParity
from errsrc.settings.network import NetworkTeacher as NetworkTeacher
from errsrc.settings.nodes import Clustered as Clustered
from errsrc.settings.nodes import Gappy as Gappy
from errsrc.settings.nodes import Jittered as Jittered
from errsrc.settings.nodes import Nodes as Nodes
from errsrc.settings.nodes import Stride as Stride
from errsrc.settings.nodes import Uneven as Uneven
from errsrc.settings.nodes import Uniform as Uniform
from errsrc.settings.parity import SparseParity as SparseParity
from errsrc.settings.setting import Setting as Setting
from errsrc.settings.single_index import SingleIndexTeacher as SingleIndexTeacher
from errsrc.settings.table import TableTeacher as TableTeacher

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)

ALL: dict[str, type[Setting]] = {
    "linear-teacher": LinearTeacher,
    "band-teacher": BandTeacher,
    "sparse-teacher": SparseTeacher,
    "gaussian-process-teacher": GaussianProcessTeacher,
    "table-teacher": TableTeacher,
    "sparse-parity": SparseParity,
    "multitask-parity": MultitaskParity,
    "random-hierarchy": RandomHierarchy,
    "single-index-teacher": SingleIndexTeacher,
    "network-teacher": NetworkTeacher,
    "image-teacher": ImageTeacher,
}
"""Classes of settings, by their names in specs."""
