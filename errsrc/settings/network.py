"""Network teachers: random networks of a prior, on normal or spherical inputs."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np
import torch

from errsrc import checks
from errsrc.nets import Network as Architecture
from errsrc.nets import Weights, embeds
from errsrc.results import Interval
from errsrc.rng import generator
from errsrc.settings.channels import Channel, Clean, Flips, Gaussian, Softmax
from errsrc.settings.classes import AllFunctions, FunctionClass, NetworkFunctions
from errsrc.settings.setting import LOSSES, Array, Setting

DOMAINS = ("normal", "sphere")
TEACHERS, POINTS = 256, 512
"""Teachers, and inputs of each, over which constants that have no closed form are averaged."""


@dataclass(frozen=True, eq=False)
class NetworkFunction:
    """A network with its weights, as a function of numpy arrays.

    Attributes
    ----------
    architecture
        The network.
    weights
        Of one member, tensors (1, ...).
    """

    architecture: Architecture
    weights: Weights

    def __call__(self, x: Array) -> Array:
        """Return outputs of inputs (N, inputs): (N,) of a network of one output, else (N, outputs)."""
        rows = torch.as_tensor(np.ascontiguousarray(x), dtype=self.weights[0].dtype)
        values = self.architecture(self.weights, rows)[0]
        out = values.detach().double().numpy()
        return out[:, 0] if self.architecture.outputs == 1 else out


@dataclass(frozen=True)
class NetworkTeacher(Setting):
    """A random network: weights N(0, weight_std^2 / fan-in), biases N(0, bias_std^2), float64.

    Attributes
    ----------
    architecture
        One of `errsrc.nets`, an `MLP` or a `CNN` of any size.
    weight_std, bias_std
        Of the prior.
    domain
        Inputs: "normal", standard; or "sphere", uniform on that of radius sqrt(inputs).
    loss
        "squared", summed over outputs, of labels that are values; "log" (nats) or "zero-one" of labels that
        are classes.
    channel
        `Clean` or `Gaussian` for values; `Flips` or `Softmax` for classes.

    Examples
    --------
    >>> from errsrc.nets import MLP
    >>> setting = NetworkTeacher(MLP((3, 4, 1), "tanh"))
    >>> setting.parameters, setting.teacher(np.random.default_rng(0))(np.zeros((5, 3))).shape
    (21, (5,))
    """

    architecture: Architecture
    weight_std: float = 2.0
    bias_std: float = 0.5
    domain: str = "normal"
    loss: str = "squared"
    channel: Channel = field(default=Clean(), kw_only=True)

    def __post_init__(self) -> None:
        where = "NetworkTeacher"
        if not isinstance(self.architecture, Architecture):
            accepted = "a network of errsrc.nets"
            raise TypeError(checks.refusal("architecture", where, accepted, self.architecture))
        checks.number(self.weight_std, "weight_std", where, 0, 1e6, open_low=True)
        checks.number(self.bias_std, "bias_std", where, 0, 1e6)
        checks.choice(self.domain, "domain", where, DOMAINS)
        check_loss(self.loss, self.channel, self.architecture.outputs, where)

    @property
    def parameters(self) -> int:
        """P, the number of a teacher's parameters."""
        return self.architecture.parameters

    @property
    def noise(self) -> float:
        """Label variance summed over outputs; the rate of flips, or the mean entropy or error of the channel.

        Exact but for `Softmax`, where it is a mean over `TEACHERS` x `POINTS` values.
        """
        return channel_noise(self.channel, self.loss, self.architecture.outputs, self._values)

    @property
    def target_variance(self) -> float:
        """See `Setting.target_variance`; a mean over `TEACHERS` x `POINTS` values."""
        return constant_risk(self.channel, self.loss, self._values) - self.noise * (self.loss != "squared")

    @property
    def _values(self) -> Array:
        return _values(self)

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs, float64 (count, inputs)."""
        x = rng.standard_normal((count, self.architecture.inputs))
        if self.domain == "sphere":
            x *= np.sqrt(self.architecture.inputs) / np.linalg.norm(x, axis=1, keepdims=True)
        return x

    def teacher(self, rng: np.random.Generator) -> NetworkFunction:
        """Draw a teacher from the prior."""
        seed = int(rng.integers(2**63))
        stds = self.architecture.prior_stds(self.weight_std, self.bias_std)
        return NetworkFunction(self.architecture, self.architecture.draw([seed], stds, torch.float64))

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return 0 for all functions, and for networks that can be the teacher (`errsrc.nets.embeds`)."""
        if holds(function_class, self.architecture) and expressed(self.loss, self.channel):
            return Interval(0.0, 0.0, 0.0, 0.95)
        return super().realizability(function_class)


@functools.lru_cache(maxsize=16)
def _values(setting: NetworkTeacher) -> Array:
    """Return values of `TEACHERS` teachers at `POINTS` inputs each, (TEACHERS, POINTS, outputs)."""
    rng = generator(0, "settings", "constants")
    shape = (POINTS, setting.architecture.outputs)
    return np.stack(
        [setting.teacher(rng)(setting.inputs(POINTS, rng)).reshape(shape) for _ in range(TEACHERS)]
    )


def holds(function_class: FunctionClass, architecture: Architecture) -> bool:
    """Return whether ``function_class`` is known to hold all of an architecture: `errsrc.nets.embeds`."""
    if isinstance(function_class, NetworkFunctions):
        return embeds(architecture, function_class.architecture)
    return isinstance(function_class, AllFunctions)


def expressed(loss: str, channel: Channel) -> bool:
    """Return whether a class that holds the teacher holds the best predictor under a label channel too.

    Under log loss with flips that is a step between two probabilities, which no softmax of a network is.
    """
    return not (loss == "log" and isinstance(channel, Flips) and channel.rate > 0)


def check_loss(loss: str, channel: Channel, outputs: int, where: str) -> None:
    """Refuse a loss, a channel and a number of outputs that do not go together."""
    checks.choice(loss, "loss", where, LOSSES)
    kinds = (Clean, Gaussian) if loss == "squared" else (Flips, Softmax)
    if not isinstance(channel, kinds):
        accepted = " or ".join(kind.__name__ for kind in kinds) + f" for the {loss} loss"
        raise ValueError(checks.refusal("channel", where, accepted, channel))
    if loss != "squared" and outputs < 2:
        accepted = f"a network of two outputs or more for the {loss} loss"
        raise ValueError(checks.refusal("architecture", where, accepted, f"<{outputs} output>"))


def channel_noise(channel: Channel, loss: str, outputs: int, values: Array) -> float:
    """Return the mean least risk, in the loss's unit, under a channel: of values (..., outputs)."""
    if loss == "squared":
        return channel.noise_std**2 * outputs if isinstance(channel, Gaussian) else 0.0
    p = channel.probabilities(values.reshape(-1, outputs))  # type: ignore[attr-defined]
    return float((1 - p.max(1)).mean() if loss == "zero-one" else _entropy(p).mean())


def constant_risk(channel: Channel, loss: str, values: Array) -> float:
    """Return the risk of the best constant for all teachers, without the noise for squared loss.

    Labels are what a channel makes of values (teachers, points, outputs).
    """
    values = values.reshape(-1, values.shape[-1])
    if loss == "squared":
        return float(values.var(0).sum())
    mean = channel.probabilities(values).mean(0)  # type: ignore[attr-defined]
    return float(1 - mean.max() if loss == "zero-one" else _entropy(mean))


def _entropy(p: Array) -> Array:
    return -(p * np.log(np.where(p > 0, p, 1.0))).sum(-1)
