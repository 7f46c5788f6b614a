"""The networks of a table of pruned networks, and the error of each network before pruning.

The law of pruned networks has one more input: the error of each network before pruning.  Many tables lack
this error.  It is then estimated from the rows of the network near density 1.  The notes of the fit keep the
estimate, and later predictions for the same network use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errsrc.fitting.clusters import ENOUGH, NETWORKS_ARE_CLUSTERS, TOO_FEW
from errsrc.laws.joint_pruning import plateau
from errsrc.laws.law import Array


class PrunedNetworks(NamedTuple):
    """The points of several pruned networks.

    Attributes
    ----------
    inputs : dict of str to ndarray of float64, shape (points,)
        Density, depth, width, and "eps_np", the error before pruning.
    fixed : dict of str to float
        Values of parameters that the points leave undetermined, because a size is the same in all points.
    networks : list
        Depth, width, n and error before pruning of each network, for the notes of the fit.
    clusters : ndarray of intp, shape (points,), or None
        Number of the network of each point; None if there are too few networks for clusters.
    remarks : tuple of str
        At most one sentence, which says that networks are clusters.
    warnings : tuple of str
        Sentences on sizes that do not vary, and on too few networks for clusters.
    """

    inputs: dict[str, Array]
    fixed: dict[str, float]
    networks: list[list[float]]
    clusters: NDArray[np.intp] | None
    remarks: tuple[str, ...]
    warnings: tuple[str, ...]


def pruned_networks(
    values: Mapping[str, Array], error: Array, clusters: NDArray[np.intp] | None
) -> PrunedNetworks:
    """Return the points of several pruned networks.

    Parameters
    ----------
    values : dict of str to ndarray of float64, shape (points,)
        The columns of the table by input: density; depth, width, n and eps_np only if the table has them.
    error : ndarray of float64, shape (points,)
        Measured errors.
    clusters : ndarray of intp, shape (points,), or None
        Number of the cluster of each point, if columns tell clusters apart.  Otherwise each network is a
        cluster if there are at least `ENOUGH` networks.
    """
    inputs = network_inputs(values, len(error))
    keys = network_keys(values, len(error))
    measured = values["eps_np"] if "eps_np" in values else plateaus(keys, inputs["density"], error)
    held = {name: power for name, power in (("depth", "phi"), ("width", "psi")) if np.ptp(inputs[name]) == 0}
    networks = {key: [*key, e] for key, e in zip(keys, measured.tolist(), strict=True)}
    if "n" not in values:  # then the error before pruning tells networks of one depth and width apart
        keys = [(*key, e) for key, e in zip(keys, measured.tolist(), strict=True)]
    warnings = tuple(f"{power} is held at 0: the {name} never varies." for name, power in held.items())
    fixed = dict.fromkeys(held.values(), 0.0)
    inputs["eps_np"] = measured
    grouped = network_clusters(keys, clusters)
    return PrunedNetworks(
        inputs,
        fixed,
        list(networks.values()),
        grouped.clusters,
        grouped.remarks,
        (*warnings, *grouped.warnings),
    )


class NetworkClusters(NamedTuple):
    """The cluster of each point of pruned networks, and what the user should know about the clusters.

    Attributes
    ----------
    clusters : ndarray of intp, shape (points,), or None
        Number of the cluster of each point; None if there are too few networks for clusters.
    remarks, warnings : tuple of str
        At most one sentence each: that networks are clusters, or that there are too few of them.
    """

    clusters: NDArray[np.intp] | None
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def network_clusters(keys: Sequence[tuple[float, ...]], clusters: NDArray[np.intp] | None) -> NetworkClusters:
    """Return the given clusters, or each network as a cluster if there are at least `ENOUGH` networks.

    Parameters
    ----------
    keys : sequence of tuple of float, length points
        The network of each point.  Points of equal tuples belong to one network.
    clusters : ndarray of intp, shape (points,), or None
        Number of the cluster of each point, if columns of the table tell clusters apart.
    """
    if clusters is not None:
        return NetworkClusters(clusters)
    places = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    if len(places) < ENOUGH:
        return NetworkClusters(None, warnings=(TOO_FEW.format(len(places)),))
    codes = np.array([places[key] for key in keys], dtype=np.intp)
    return NetworkClusters(codes, remarks=(NETWORKS_ARE_CLUSTERS.format(len(places)),))


def network_inputs(sizes: Mapping[str, Array], count: int) -> dict[str, Array]:
    """Return density, depth and width, (count,) each; 1 where there is no column of depth or width.

    Parameters
    ----------
    sizes : dict of str to ndarray of float64, shape (count,)
        The columns of the table by input.
    count : int
        Number of rows.
    """
    return {name: sizes.get(name, np.ones(count)) for name in ("density", "depth", "width")}


def network_keys(sizes: Mapping[str, Array], count: int) -> list[tuple[float, ...]]:
    """Return the network of each row as (depth, width, n), 1 where there is no column.

    Parameters
    ----------
    sizes : dict of str to ndarray of float64, shape (count,)
        The columns of the table by input.
    count : int
        Number of rows.
    """
    one = np.ones(count)
    return list(zip(*(sizes.get(name, one).tolist() for name in ("depth", "width", "n")), strict=True))


def plateaus(keys: list[tuple[float, ...]], density: Array, error: Array) -> Array:
    """Return the error of each row's network before pruning, (rows,), from all rows of the network.

    Parameters
    ----------
    keys : list of tuple of float
        The network of each row, as `network_keys` returns it.
    density : ndarray of float64, shape (rows,)
        Share of the weights that are left.
    error : ndarray of float64, shape (rows,)
        Measured errors.
    """
    out = np.empty(len(keys))
    for key in set(keys):
        rows = np.array([other == key for other in keys])
        out[rows] = plateau(density[rows], error[rows])
    return out
