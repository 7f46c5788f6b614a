"""Two laws in a chain: the first predicts an input of the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.fields import Checked, instance, number
from errsrc.fitting.forecasts import Forecast
from errsrc.laws.law import Array
from errsrc.results import TextTable


@dataclass(frozen=True, eq=False, repr=False)
class ChainedFit(Checked, Forecast):
    """Two fits that together predict the errors of pruned networks of sizes that were never trained.

    A dense law predicts the error of each unpruned network from n and m.  This error times exp(dip) is the
    dense plateau.  From the dense plateau and the density, the pruning law predicts the error of the pruned
    network (Rosenfeld 2021, arXiv 2108.07686).  The inputs are n, m, density, depth and width.

    Parameters
    ----------
    dense : Forecast
        A fit of a law in n and m to the errors of unpruned networks, or an average of several such fits.
    pruned : Forecast
        A fit of a law with the input eps_np (the dense plateau), such as `errsrc.laws.JointPruning`, to the
        errors of pruned networks.  These errors must have the same unit as the errors of the dense fit.
    dip : float
        ln (dense plateau / unpruned error).  The dip is negative if light pruning lowers the error
        (`errsrc.laws.plateau`), and 0 if the plateau equals the unpruned error.

    Attributes
    ----------
    inputs : dict of str to ndarray of float64, shape (points,)
        Measured inputs by name: n and m from the dense fit, the other inputs from the fit to pruned networks.

    Raises
    ------
    TypeError, ValueError
        If the inputs of the dense fit are not n and m, if eps_np is not an input of the pruned fit, or if the
        dip is not a finite number.

    Notes
    -----
    Each draw of the dense fit is paired with one draw of the pruned fit, and with the noise of one run of an
    unpruned network.  All densities of this network share the noise.

    Examples
    --------
    >>> from errsrc.fitting import fit
    >>> from errsrc.laws import Dense, JointPruning
    >>> n, m = (x.ravel() for x in np.meshgrid([1e3, 2e3, 4e3, 8e3], [1e3, 1e4, 1e5]))
    >>> dense = fit(Dense, 3 * n**-0.4 + 2 * m**-0.4, n=n, m=m, fixed={"eps0": 0.9})
    >>> sizes = {"density": np.tile(0.5 ** np.arange(9), 4), "depth": np.repeat([1, 2, 1, 2], 9)}
    >>> sizes["width"] = np.repeat([8, 8, 16, 32], 9)
    >>> law = JointPruning(eps_up=0.9, gamma=0.8, p=0.05, phi=0.5, psi=1.0)
    >>> pruned = fit(JointPruning, law.error(eps_np=0.2, **sizes), eps_np=0.2, **sizes)
    >>> chain = ChainedFit(dense, pruned)
    >>> chain.predict(n=16e3, m=1e5, density=[1.0, 0.005], depth=2, width=64).predicted.round(3)
    array([0.082, 0.166])
    """

    dense: Forecast = instance(Forecast, "a fit of a law in n and m")
    pruned: Forecast = instance(Forecast, "a fit of a law with eps_np among its inputs")
    dip: float = number(0.0)
    inputs: dict[str, Array] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check that the laws have the inputs of a chain."""
        super().__post_init__()
        if self.dense.input_names != ("n", "m"):
            got = f"<a fit of a law in {', '.join(self.dense.input_names)}>"
            raise ValueError(checks.refusal("dense", "ChainedFit", "a fit of a law in n and m", got))
        if "eps_np" not in self.pruned.input_names:
            accepted = "a fit of a law with eps_np among its inputs, such as JointPruning"
            got = f"<a fit of a law in {', '.join(self.pruned.input_names)}>"
            raise ValueError(checks.refusal("pruned", "ChainedFit", accepted, got))
        own = {name: x for name, x in self.pruned.inputs.items() if name != "eps_np"}
        object.__setattr__(self, "inputs", {**self.dense.inputs, **own})

    def headline(self) -> str:
        """Return the laws of both fits as one line."""
        return f"{self.dense.headline()}; then {self.pruned.headline()}"

    def content(self) -> list[str | TextTable]:
        """Return the tables of both fits."""
        dip = f"dense plateau / unpruned error: {np.exp(self.dip):.4g}"
        return ["unpruned networks", *self.dense.content(), dip, "pruned networks", *self.pruned.content()]

    def as_dict(self) -> dict[str, Any]:
        """Return both fits and the dip as JSON values."""
        return {"dense": self.dense.as_dict(), "pruned": self.pruned.as_dict(), "dip": self.dip}

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs: the inputs of both laws, without eps_np."""
        return (*self.dense.input_names, *(k for k in self.pruned.input_names if k != "eps_np"))

    @property
    def at_most(self) -> Mapping[str, float]:
        """Largest allowed value of each input that has a limit."""
        return {**self.dense.at_most, **self.pruned.at_most}

    @property
    def draw_count(self) -> int:
        """Number of draws of the chain: that of the fit with fewer draws."""
        return min(self.dense.draw_count, self.pruned.draw_count)

    @property
    def run_noise(self) -> float:
        """Standard deviation of ln error of a pruned run around the curve for its dense plateau."""
        return self.pruned.run_noise

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of both fits."""
        return (*self.dense.warnings, *self.pruned.warnings)

    def log_errors(self, inputs: Mapping[str, Array]) -> Array:
        """Return ln error of the chain and of each pair of draws, see `Forecast.log_errors`.

        Parameters
        ----------
        inputs : dict of str to ndarray, shape (1 + draw_count, points)
            The inputs by name.  Row 0 is for the two fitted laws, and each other row is for one pair of draws
            of their parameters.
        """
        rows = 1 + self.draw_count
        logs = self._rows(self.dense, inputs)
        deviates = np.concatenate([[0.0], self.dense.run_deviates()])[:rows, None]
        eps_np = np.exp(logs + self.dip + deviates * self.dense.run_spread(logs, inputs))
        return self._rows(self.pruned, {**inputs, "eps_np": eps_np})

    def _rows(self, forecast: Forecast, inputs: Mapping[str, Array]) -> Array:
        """Return ln error of a fit for its central curve and for the draws that are in pairs.

        `log_errors` of the fit needs a row of inputs for each draw of the fit.  If the chain has fewer draws,
        the last row is repeated, and the results for the additional draws are dropped.
        """
        rows = 1 + self.draw_count
        every = np.minimum(np.arange(1 + forecast.draw_count), rows - 1)
        return forecast.log_errors({name: inputs[name][every] for name in forecast.input_names})[:rows]

    def run_deviates(self) -> Array:
        """Return the deviation of one pruned run from its curve for each draw, in units of `run_spread`.

        The curve is the pruning law at the dense plateau of the run.  These deviations are independent of the
        deviations of the unpruned networks, which `log_errors` adds.  See `Forecast.run_deviates`.
        """
        shuffled: Array = np.random.default_rng(1).permutation(super().run_deviates())
        return shuffled

    @property
    def fitted_range(self) -> tuple[float, float]:
        """Smallest and largest ln error of the pruning law at the points that it was fitted to."""
        return self.pruned.fitted_range
