"""Figures of pruned networks: the errors of one network, and of all networks on one common curve."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from errsrc import checks
from errsrc.checks import LEVEL, Instance
from errsrc.fitting.chained_laws import ChainedFit
from errsrc.fitting.one_law import Fit
from errsrc.laws.joint_pruning import JointPruning
from errsrc.plots.labels import size_label, wrapped
from errsrc.plots.style import FITTED, INK, STYLE, axes, legend_right, log

_MARKS = "osD^vP*X"


@checks.arguments(fit=Instance(ChainedFit, "a chain of a dense law and a pruning law"), level=LEVEL)
def chain(fit: ChainedFit, ax: Axes | None = None, *, level: float = 0.9, **sizes: float) -> Axes:
    """Draw the predicted error of one network against its density, with the band for one new run.

    Parameters
    ----------
    fit : ChainedFit
        The chain.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    level : float
        Coverage of the band, in (0, 1).
    **sizes : float
        Sizes of the network, such as ``n=60_000``.  The default of each size is the largest fitted size.

    Raises
    ------
    TypeError
        If a size is not an input of the chain.
    """
    names = [name for name in fit.input_names if name != "density"]
    if unknown := set(sizes) - set(names):
        raise TypeError(checks.refusal("sizes", "chain", f"among {', '.join(names)}", min(unknown)))
    at = {name: float(sizes.get(name, fit.inputs[name].max())) for name in names}
    density = np.geomspace(float(fit.inputs["density"].min()) / 2, 1.0, 150)
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.0, 4.2)
        p = fit.predict(level=level, density=density, **at)
        band: dict[str, Any] = {"color": FITTED, "alpha": 0.16, "linewidth": 0}
        ax.fill_between(density, p.low, p.high, **band, label=f"{100 * level:.6g}% for one run")
        ax.plot(density, p.predicted, color=FITTED, label="predicted")
        ax.set(xlabel=size_label(fit, "density"), ylabel="error")
        ax.set_title(wrapped("network of " + ", ".join(f"{name} = {x:,.6g}" for name, x in at.items())))
        ax.legend(loc="best")
        return log(ax)


@checks.arguments(fit=Instance(Fit, "a fit of JointPruning"))
def invariant(fit: Fit, ax: Axes | None = None) -> Axes:
    """Draw the errors of pruned networks against the invariant m*, in units in which all curves coincide.

    The error is in units of each network's dense plateau eps_np.  For depth l, width w and density d, the
    invariant is m* = l^phi w^psi d.  The axis shows m* divided by p (eps_up / eps_np)^(1 / gamma), the value
    at which the power law leaves the dense plateau.  Here p, gamma and the upper plateau eps_up are
    parameters of the law (`errsrc.laws.JointPruning`).  In these units the law is (1 + 1 / m*^2)^(gamma / 2),
    except near the upper plateau.  Lines show the law for each network over the densities that it was pruned
    to.  Colours show widths, and the shapes of marks show depths.  A point is the mean of ln error over a
    network's seeds.  Pruning a few weights can lower the error of a network, which the law cannot describe.
    For each network, points at densities above the density with the lowest error are therefore open marks.

    Parameters
    ----------
    fit : Fit
        A fit of the joint law, `errsrc.laws.JointPruning`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        If the fit is of another law.
    """
    law = fit.law
    if not isinstance(law, JointPruning):
        accepted = "a fit of JointPruning"
        raise ValueError(checks.refusal("fit", "invariant", accepted, f"<one of {type(law).__name__}>"))
    density, depth, width, eps_np = (fit.inputs[name] for name in law.inputs)
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.4, 4.4)
        widths, depths = np.unique(width), np.unique(depth)
        colors = mpl.colormaps["viridis"](np.linspace(0.0, 0.85, len(widths)))
        for layers, w, level in np.unique(np.stack([depth, width, eps_np], 1), axis=0):
            own = (depth == layers) & (width == w) & (eps_np == level)
            levels, place = np.unique(density[own], return_inverse=True)
            y = np.exp(np.bincount(place, np.log(fit.error[own])) / np.bincount(place)) / level
            scale = layers**law.phi * w**law.psi / (law.p * (law.eps_up / level) ** (1 / law.gamma))
            grid = np.geomspace(levels[0], levels[-1], 100)
            curve = law.error(density=grid, depth=layers, width=w, eps_np=level) / level
            ax.plot(scale * grid, curve, color=INK, linewidth=0.8, zorder=3)
            color, mark = colors[widths.searchsorted(w)], _MARKS[depths.searchsorted(layers) % len(_MARKS)]
            dipped = levels > levels[y.argmin()]
            for part, face in ((dipped, "white"), (~dipped, color)):
                at = scale * levels[part]
                ax.plot(at, y[part], mark, color=color, markerfacecolor=face, markersize=3.2)
        plain: dict[str, Any] = {"color": INK, "linestyle": "none", "markersize": 5}
        handles = [
            *(Line2D([], [], color=c, label=f"width {w:,.0f}") for w, c in zip(widths, colors, strict=True)),
            *(
                Line2D([], [], marker=_MARKS[k % len(_MARKS)], label=f"depth {layers:,.0f}", **plain)
                for k, layers in enumerate(depths)
            ),
            Line2D([], [], marker="o", markerfacecolor="white", label="before the dip", **plain),
            Line2D([], [], color=INK, linewidth=0.8, label="law"),
        ]
        legend_right(ax, handles=handles)
        ax.set(xlabel="invariant, in units of the elbow", ylabel="test error / dense plateau")
        return log(ax)
