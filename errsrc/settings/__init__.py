"""Settings: worlds with a known input distribution, prior over teachers, label channel and loss."""

from errsrc.settings.channels import Clean as Clean
from errsrc.settings.channels import Flips as Flips
from errsrc.settings.channels import Gaussian as Gaussian
from errsrc.settings.channels import Softmax as Softmax
from errsrc.settings.classes import AllFunctions as AllFunctions
from errsrc.settings.classes import Band as Band
from errsrc.settings.classes import FunctionClass as FunctionClass
from errsrc.settings.classes import Linear as Linear
from errsrc.settings.classes import Network as Network
from errsrc.settings.classes import RankK as RankK
from errsrc.settings.fourier import FourierTeacher as FourierTeacher
from errsrc.settings.gp import GaussianProcessTeacher as GaussianProcessTeacher
from errsrc.settings.images import ImageTeacher as ImageTeacher
from errsrc.settings.linear import LinearTeacher as LinearTeacher
from errsrc.settings.network import NetworkTeacher as NetworkTeacher
from errsrc.settings.setting import GaussianSetting as GaussianSetting
from errsrc.settings.setting import Setting as Setting
from errsrc.settings.table import TableTeacher as TableTeacher

ALL: dict[str, type[Setting]] = {
    "linear-teacher": LinearTeacher,
    "fourier-teacher": FourierTeacher,
    "gaussian-process-teacher": GaussianProcessTeacher,
    "table-teacher": TableTeacher,
    "network-teacher": NetworkTeacher,
    "image-teacher": ImageTeacher,
}
"""Settings by the name that specs have for them."""
