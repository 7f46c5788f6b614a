"""Two laws in a chain: one foretells an input of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from errsrc import checks
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.one_law import Fit
from errsrc.laws.dense import Dense
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.law import Array


@dataclass(frozen=True, eq=False)
class ChainedFit(Forecast):
    """Errors of pruned networks of sizes that were never trained, not even unpruned.

    The dense law foretells each network's unpruned error from its n and m, the pruning law goes on from
    there to its density (Rosenfeld, arXiv 2108.07686, chains them so).  Inputs are n, m, density, depth
    and width.

    Attributes
    ----------
    dense
        A fit of a law in n and m to unpruned networks' errors, or an average of several.
    pruned
        A fit of `JointPruning` to pruned ones', in the same unit of error.
    dip
        ln (dense plateau / unpruned error): light pruning lowers the error, and the plateau is that dip
        (`plateau`).  0 takes them for equal.

    Raises
    ------
    ValueError
        For forecasts of other laws.

    Examples
    --------
    >>> from errsrc.fitting import fit
    >>> n, m = (x.ravel() for x in np.meshgrid([1e3, 2e3, 4e3, 8e3], [1e3, 1e4, 1e5]))
    >>> dense = fit(Dense, 3 * n**-0.4 + 2 * m**-0.4, n=n, m=m, fixed={"eps0": 0.9})
    >>> sizes = {"density": np.tile(0.5 ** np.arange(9), 4), "depth": np.repeat([1, 2, 1, 2], 9)}
    >>> sizes["width"] = np.repeat([8, 8, 16, 32], 9)
    >>> law = JointPruning(eps_up=0.9, gamma=0.8, p=0.05, phi=0.5, psi=1.0)
    >>> pruned = fit(JointPruning, law.error(eps_np=0.2, **sizes), eps_np=0.2, **sizes)
    >>> ahead = ChainedFit(dense, pruned).predict(n=16e3, m=1e5, density=[1.0, 0.005], depth=2, width=64)
    >>> ahead.predicted.round(3)
    array([0.082, 0.166])

    Notes
    -----
    Each draw of the one fit is paired with a draw of the other, and with a run of the dense one: the noise
    of an unpruned network's error is shared by all densities of that network.
    """

    dense: Forecast
    pruned: Fit
    dip: float = 0.0
    inputs: dict[str, Array] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.dense.input_names != Dense.inputs:
            got = f"<a forecast in {', '.join(self.dense.input_names)}>"
            raise ValueError(checks.refusal("dense", "ChainedFit", "a fit of a law in n and m", got))
        if not isinstance(self.pruned.law, JointPruning):
            got = f"<a fit of {type(self.pruned.law).__name__}>"
            raise ValueError(checks.refusal("pruned", "ChainedFit", "a fit of JointPruning", got))
        checks.number(self.dip, "dip", "ChainedFit")
        own = {name: x for name, x in self.pruned.inputs.items() if name != "eps_np"}
        object.__setattr__(self, "inputs", {**self.dense.inputs, **own})

    @property
    def input_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """n, m, density, depth, width."""
        return (*self.dense.input_names, *(k for k in self.pruned.input_names if k != "eps_np"))

    @property
    def at_most(self) -> Mapping[str, float]:  # type: ignore[override]
        """The largest values of inputs that have one."""
        return {**self.dense.at_most, **self.pruned.at_most}

    @property
    def draw_count(self) -> int:  # type: ignore[override]
        """How many draws both forecasts have."""
        return min(self.dense.draw_count, self.pruned.draw_count)

    @property
    def run_noise(self) -> float:  # type: ignore[override]
        """Standard deviation of ln error of one run around the curve of its own plateau."""
        return self.pruned.run_noise

    @property
    def warnings(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of both fits."""
        return (*self.dense.warnings, *self.pruned.warnings)

    def log_errors(self, inputs: dict[str, Array]) -> Array:
        """Return ln error at inputs (1 + draw_count, points), see `Forecast`."""
        rows = 1 + self.draw_count

        def filled(forecast: Forecast, values: dict[str, Array]) -> dict[str, Array]:
            # a forecast takes a row for each of its draws
            every = np.minimum(np.arange(1 + forecast.draw_count), rows - 1)
            return {name: values[name][every] for name in forecast.input_names}

        logs = self.dense.log_errors(filled(self.dense, inputs))[:rows]
        deviations = np.concatenate([[0.0], self.dense.run_deviates()])[:rows, None]
        eps_np = np.exp(logs + self.dip + deviations * self.dense.run_spread(logs))
        return self.pruned.log_errors(filled(self.pruned, {**inputs, "eps_np": eps_np}))[:rows]

    def run_deviates(self) -> Array:
        """Return deviations of one run around its own plateau, independent of those of the plateaus."""
        order: Array = np.random.default_rng(1).permutation(super().run_deviates())
        return order

    @property
    def fitted_range(self) -> tuple[float, float]:
        """The least and the greatest ln error that the pruning law has over its points."""
        return self.pruned.fitted_range
