"""A setting of one's own."""

from dataclasses import dataclass, field

from errsrc.results import Interval
from errsrc.settings import AllFunctions, Clean, Gaussian, Setting
from errsrc.settings.channels import Channel


@dataclass(frozen=True)
class Step(Setting):
    """f(x) = 1 where x > t, else 0; t uniform, x uniform on [0, 1] x [0, 1], of which the second is idle."""

    channel: Channel = field(default=Clean(), kw_only=True)

    @property
    def noise(self):
        return self.channel.noise_std**2 if isinstance(self.channel, Gaussian) else 0.0

    @property
    def target_variance(self):
        return 1 / 4  # of f about 1/2, whatever t is

    def inputs(self, count, rng):
        return rng.random((count, 2))

    def teacher(self, rng):
        t = rng.random()
        return lambda x: (x[:, 0] > t).astype(float)

    def realizability(self, function_class):
        if isinstance(function_class, AllFunctions):
            return Interval(0.0, 0.0, 0.0, 0.95)
        return super().realizability(function_class)
