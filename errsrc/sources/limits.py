"""Closed forms of the uncertainty that hold in a limit of large sizes, shown next to the bounds of a budget.

A limit is an estimate, not a bound and not a certificate: at finite sizes the uncertainty differs from it.
"""

from __future__ import annotations

import functools

from errsrc.nets import Network, QuadraticNetwork
from errsrc.settings import NetworkTeacher, Setting
from errsrc.theory import quadratic_networks

FINITE_SIZE = (2.0, 11.0)
"""Relative excess of the uncertainty of quadratic networks over its limit, times d.

This is about the range of the slopes that ``benchmarks/quadratic_bayes.py --dims 12 24 48`` measures.
"""


@functools.singledispatch
def uncertainty_limit(setting: Setting, n: int) -> tuple[float, str] | None:
    """Return the uncertainty of the class of all functions for large dim and n, and a sentence on this limit.

    Parameters
    ----------
    setting : Setting
        The setting.
    n : int
        Number of labelled examples.

    Returns
    -------
    (float, str) or None
        The value in the units of the loss, and a sentence that names the limit and its error at finite sizes;
        None if no such limit is known for the setting.
    """
    return None


@uncertainty_limit.register
def _of_network_teachers(setting: NetworkTeacher, n: int) -> tuple[float, str] | None:
    if setting.loss != "squared" or setting.domain != "normal":
        return None
    return _of_architecture(setting.architecture, setting, n)


@functools.singledispatch
def _of_architecture(network: Network, setting: NetworkTeacher, n: int) -> tuple[float, str] | None:
    return None


@_of_architecture.register
def _of_quadratic_networks(
    network: QuadraticNetwork, setting: NetworkTeacher, n: int
) -> tuple[float, str] | None:
    low, high = FINITE_SIZE
    d, noise = network.dim, setting.channel.noise_std**2
    value = quadratic_networks(n, d, network.width, noise=noise, weight_std=setting.weight_std)
    return float(value), (
        "Limit: the uncertainty for large d at this m / d and n / d^2 (Maillard et al. 2024), which is no "
        f"bound at d = {d:,}; where it is not 0, chains with noise at d = 12 to 48 gave more, by about "
        f"{low:g} / d to {high:g} / d, here {low / d:.0%} to {high / d:.0%}."
    )
