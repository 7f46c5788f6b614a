"""Network teachers: random networks that are drawn from a prior."""

from __future__ import annotations

import functools
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from errsrc import checks
from errsrc.datasets.image_sets import IMAGE_SETS, check_files
from errsrc.fields import choice, instance, integer, number
from errsrc.nets import Network, QuadraticNetwork, Weights, quadratic_form
from errsrc.results import Interval
from errsrc.rng import generator
from errsrc.settings.channels import Channel, Clean
from errsrc.settings.classes import FunctionClass
from errsrc.settings.image_inputs import (
    ImageInputs,
    most_components,
    pixels,
    principal_components,
    training_images,
)
from errsrc.settings.setting import LOSSES, ZERO, Array, Setting

_TEACHERS, _INPUTS = 256, 512  # numbers of teachers and inputs in means that have no closed form


@dataclass(frozen=True, eq=False)
class NetworkFunction:
    """A network with its weights, as a function of numpy arrays.

    Attributes
    ----------
    architecture : Network
        The network.
    weights : tuple of tensors
        The network's weights.  The first dimension of each tensor is 1.
    """

    architecture: Network
    weights: Weights

    def __call__(self, x: Array) -> Array:
        """Return the outputs at inputs (N, inputs): (N,) if the network has one output, else (N, outputs)."""
        rows = torch.as_tensor(np.ascontiguousarray(x), dtype=self.weights[0].dtype)
        values = self.architecture(self.weights, rows)[0]
        out = values.detach().double().numpy()
        return out[:, 0] if self.architecture.outputs == 1 else out


@dataclass(frozen=True, eq=False)
class QuadraticFunction(NetworkFunction):
    """A quadratic network with its weights; its distance from other quadratic networks has a closed form.

    Attributes
    ----------
    domain : str
        Distribution of the inputs, see `NetworkTeacher`.
    """

    domain: str

    def squared_distance(self, estimate: object) -> float | None:
        """Return the mean squared difference of two functions over the distribution of the inputs.

        Parameters
        ----------
        estimate : callable
            The other function.

        Returns
        -------
        float or None
            The mean, in closed form; None if the other function is not known to be a quadratic network.
        """
        mine, other = quadratic_form(self), quadratic_form(estimate)
        if mine is None or other is None or mine.shape != other.shape:
            return None
        return _mean_square(mine - other, self.domain)

    def relative_error(self, estimate: object) -> float | None:
        """Return the square root of `squared_distance`, divided by the root mean square of this function.

        Parameters
        ----------
        estimate : callable
            The other function.

        Returns
        -------
        float or None
            The relative error; None if the distance is not known.
        """
        distance, mine = self.squared_distance(estimate), quadratic_form(self)
        if distance is None or mine is None:
            return None
        return float(np.sqrt(distance / _mean_square(mine, self.domain)))


class NetworkSetting(Setting):
    """A setting whose teachers are networks of one architecture."""

    if TYPE_CHECKING:  # a field of each subclass
        architecture: Network

    @property
    def input_dim(self) -> int:
        """Number of inputs of the network."""
        return self.architecture.inputs

    @property
    def output_dim(self) -> int:
        """Number of outputs of the network."""
        return self.architecture.outputs

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return 0 for the class of all functions, and for networks in which the teacher can be embedded.

        See `Setting.realizability` and `errsrc.nets.embeds`.
        """
        if function_class.holds(self.architecture) and best_is_network(self.loss, self.channel):
            return ZERO
        return super().realizability(function_class)


@dataclass(frozen=True)
class NetworkTeacher(NetworkSetting):
    """A setting with random networks as teachers, computed in float64.

    Weights and biases are independent and normal.  Weights have the variance weight_std^2 / fan-in, and
    biases have the variance bias_std^2.  Weights of a `errsrc.nets.QuadraticNetwork` have the variance
    weight_std^2.

    Inputs are drawn from a formula, or they are real images.  Labelled images are training images, drawn
    without repetition; fresh inputs are test images.  The teacher does not depend on the images, so that the
    bounds of the uncertainty hold as for other inputs.  If the inputs are images, all risks are means over
    the test images of the set.  Intervals over draws do not include the uncertainty about other images.

    Parameters
    ----------
    architecture : Network
        A network of `errsrc.nets`.
    weight_std : float
        Standard deviation of a weight, times the square root of the fan-in; in (0, 1e6].  For a
        `errsrc.nets.QuadraticNetwork`, this number is the standard deviation itself.
    bias_std : float
        Standard deviation of a bias, in [0, 1e6].
    domain : str
        Distribution of the inputs: "normal", the standard normal distribution; "sphere", uniform on the
        sphere of radius sqrt(inputs); or a name in ``errsrc.datasets.IMAGE_SETS``, the images of this set.
    loss : str
        "squared", summed over outputs, if labels are values; "log" (in nats) or "zero-one" if labels are
        classes.
    channel : Channel
        The label channel: `Clean` or `Gaussian` for labels that are values, `Flips` or `Softmax` for labels
        that are classes.
    components : int
        If the inputs are images: the number of principal components of an image that are the network's
        inputs.  Each component has mean 0 and variance 1 over the training images.  With 0, the inputs are
        all pixels, centred and scaled as `errsrc.datasets.image_sets.Images.scaled` does.

    Examples
    --------
    >>> from errsrc.nets import MLP
    >>> setting = NetworkTeacher(MLP((3, 4, 1), "tanh"))
    >>> setting.parameters, setting.teacher(np.random.default_rng(0))(np.zeros((5, 3))).shape
    (21, (5,))

    The first 20 principal components of real images are the inputs:

    >>> setting = NetworkTeacher(MLP((20, 16, 1), "tanh"), domain="digits", components=20)
    >>> setting.inputs(100, np.random.default_rng(0)).shape
    (100, 20)
    """

    architecture: Network = instance(Network, "a network of errsrc.nets")
    weight_std: float = number(2.0, above=0, at_most=1e6)
    bias_std: float = number(0.5, at_least=0, at_most=1e6)
    domain: str = choice("normal", ("normal", "sphere", *IMAGE_SETS))
    loss: str = choice("squared", LOSSES)
    _: KW_ONLY
    channel: Channel = instance(Channel, "a channel of errsrc.settings", Clean())
    components: int = integer(0, at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        where = "NetworkTeacher"
        check_loss(self.loss, self.channel, self.architecture.outputs, where)
        if not self.has_images:
            if self.components:
                accepted = f"0 for the domain {self.domain!r}, whose inputs are not images"
                raise ValueError(checks.refusal("components", where, accepted, self.components))
            return
        most = most_components(self.domain)
        if self.components > most:
            accepted = (
                f"an integer <= {most}, the number of components of {self.domain} whose variance is not 0"
            )
            raise ValueError(checks.refusal("components", where, accepted, self.components))
        expected = self.components or IMAGE_SETS[self.domain].inputs
        if self.architecture.inputs != expected:
            what = "components" if self.components else "pixels"
            accepted = f"a network of {expected} inputs, the {what} of an image of {self.domain}"
            raise ValueError(checks.refusal("architecture", where, accepted, self.architecture))

    @property
    def has_images(self) -> bool:
        """Whether the inputs are images of an image set."""
        return self.domain in IMAGE_SETS

    @property
    def pool_size(self) -> int | None:
        """Number of training images, which can be labelled; None if the inputs are not images."""
        return training_images(self.domain) if self.has_images else None

    @property
    def test_pool_size(self) -> int | None:
        """Number of test images; None if the inputs are not images."""
        return len(self._images.test) if self.has_images else None

    def check_data(self) -> None:
        """Raise an error if the image set is not on this machine, see `Setting.check_data`."""
        if self.has_images:
            check_files(self.domain)

    @property
    def parameters(self) -> int:
        """P, the number of a teacher's parameters."""
        return self.architecture.parameters

    @property
    def noise(self) -> float:
        """The smallest possible risk under the label channel, in the units of the loss.

        For the squared loss, this is the variance of the label noise, summed over outputs.  For the channel
        `Softmax`, it is estimated by a mean over 256 teachers at 512 inputs each.  For other channels, it is
        exact.
        """
        return channel_noise(self.channel, self.loss, self.architecture.outputs, self._values)

    @property
    def target_variance(self) -> float:
        """The `Setting.target_variance`, estimated from 256 teachers at 512 inputs each.

        For quadratic networks it is exact, unless the inputs are images.
        """
        exact = self.loss == "squared" and not self.has_images
        if exact and isinstance(self.architecture, QuadraticNetwork):
            return _quadratic_variance(self.architecture, self.weight_std, self.domain)
        return constant_risk(self.channel, self.loss, self._values) - self.noise * (self.loss != "squared")

    @property
    def _values(self) -> Array:
        return _values(self)

    @property
    def _images(self) -> ImageInputs:
        if not self.components:
            return pixels(self.domain)
        return principal_components(self.domain, self.components, "NetworkTeacher")

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs, see `Setting.inputs`.

        Raises
        ------
        ValueError
            If the inputs are images and `count` is more than the number of training images.
        """
        if self.has_images:
            return self._images.draw(count, rng, "NetworkTeacher")
        x = rng.standard_normal((count, self.architecture.inputs))
        if self.domain == "sphere":
            x *= np.sqrt(self.architecture.inputs) / np.linalg.norm(x, axis=1, keepdims=True)
        return x

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Draw test inputs: test images if the inputs are images, see `Setting.fresh`."""
        return self._images.fresh(count, rng) if self.has_images else self.inputs(count, rng)

    def teacher(self, rng: np.random.Generator) -> NetworkFunction:
        """Draw a teacher from the prior, see `Setting.teacher`."""
        seed = int(rng.integers(2**63))
        stds = self.architecture.prior_stds(self.weight_std, self.bias_std)
        weights = self.architecture.draw([seed], stds, torch.float64)
        if isinstance(self.architecture, QuadraticNetwork) and not self.has_images:
            return QuadraticFunction(self.architecture, weights, self.domain)
        return NetworkFunction(self.architecture, weights)

    @property
    def n_nyquist(self) -> int | None:
        """The number 2 P + 1: clean labels at this many random inputs distinguish all networks.

        Sontag 2002 proves this for all networks of one architecture that are analytic in their P parameters.
        For other networks, such as those of rectified units, the number is only a scale for n.
        For quadratic networks fewer inputs are enough, see `errsrc.nets.Network.separating_examples`.  The
        theorem is about almost all inputs, so that it proves nothing about a given set of images.
        """
        return self.architecture.separating_examples()


def _mean_square(form: torch.Tensor, domain: str) -> float:
    """Return the mean square of (x^T S x - tr S) / sqrt(d) over inputs, for a symmetric matrix S (d, d)."""
    return _mean_of_moments(len(form), float(form.square().sum()), float(form.trace()) ** 2, domain)


def _mean_of_moments(dim: int, square: float, trace_square: float, domain: str) -> float:
    """Return the mean square of a quadratic form from tr S^2 and (tr S)^2."""
    if domain == "normal":
        return 2 * square / dim
    # on the sphere of radius sqrt(d), E (x^T S x)^2 = (2 tr S^2 + (tr S)^2) d / (d + 2)
    return ((2 * square + trace_square) * dim / (dim + 2) - trace_square) / dim


def _quadratic_variance(network: QuadraticNetwork, weight_std: float, domain: str) -> float:
    """Return the variance over teachers and inputs, from the moments of a Wishart matrix S."""
    d, m = network.dim, network.width
    square, trace_square = d * (m + d + 1) / m, d * (d + 2 / m)
    return weight_std**4 * _mean_of_moments(d, square, trace_square, domain)


@functools.lru_cache(maxsize=16)
def _values(setting: NetworkTeacher) -> Array:
    """Return values of random teachers at random inputs, (teachers, inputs, outputs)."""
    rng = generator(0, "settings", "constants")
    shape = (_INPUTS, setting.architecture.outputs)
    return np.stack(
        [setting.teacher(rng)(setting.fresh(_INPUTS, rng)).reshape(shape) for _ in range(_TEACHERS)]
    )


def best_is_network(loss: str, channel: Channel) -> bool:
    """Return whether the best predictor of a network's labels is a network of the same architecture.

    The answer is False for the log loss with flipped labels.  The best class probabilities then jump between
    two values, but the softmax of a network is continuous.

    Parameters
    ----------
    loss : str
        One of `LOSSES`.
    channel : Channel
        The label channel.
    """
    return not (loss == "log" and channel.jumps)


def check_loss(loss: str, channel: Channel, outputs: int, where: str) -> None:
    """Raise ValueError if a loss does not fit a channel or a number of outputs.

    Parameters
    ----------
    loss : str
        One of `LOSSES`.
    channel : Channel
        The label channel.  Its labels must be values for the squared loss, and classes for other losses.
    outputs : int
        Number of outputs of the network; >= 2 for labels that are classes.
    where : str
        Name of the class, for error messages.

    Raises
    ------
    ValueError
        If the loss does not fit the channel or the number of outputs.
    """
    values = loss == "squared"
    if (channel.labels == "values") != values:
        accepted = f"{'Clean or Gaussian' if values else 'Flips or Softmax'} for the {loss} loss"
        raise ValueError(checks.refusal("channel", where, accepted, channel))
    if not values and outputs < 2:
        accepted = f"a network of two outputs or more for the {loss} loss"
        raise ValueError(checks.refusal("architecture", where, accepted, f"<{outputs} output>"))


def channel_noise(channel: Channel, loss: str, outputs: int, values: Array) -> float:
    """Return the smallest possible risk under a label channel, in the units of the loss.

    Parameters
    ----------
    channel : Channel
        The label channel.
    loss : str
        One of `LOSSES`.
    outputs : int
        Number of outputs.
    values : float64, (..., outputs)
        Values of teachers.  If the smallest possible risk depends on the values, the function returns its
        mean over all values.
    """
    if loss == "squared":
        return channel.noise_std**2 * outputs
    p = channel.probabilities(values.reshape(-1, outputs))
    return float((1 - p.max(1)).mean() if loss == "zero-one" else _entropy(p).mean())


def constant_risk(channel: Channel, loss: str, values: Array) -> float:
    """Return the smallest risk of a prediction that is the same at all inputs and for all teachers.

    For the squared loss, the variance of the label noise is not included.

    Parameters
    ----------
    channel : Channel
        The label channel.
    loss : str
        One of `LOSSES`.
    values : float64, (teachers, inputs, outputs)
        Values of teachers.  The labels are drawn from these values.
    """
    values = values.reshape(-1, values.shape[-1])
    if loss == "squared":
        return float(values.var(0).sum())
    mean = channel.probabilities(values).mean(0)
    return float(1 - mean.max() if loss == "zero-one" else _entropy(mean))


def _entropy(p: Array) -> Array:
    return -(p * np.log(np.where(p > 0, p, 1.0))).sum(-1)
