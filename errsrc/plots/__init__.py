"""Figures: each takes a result and draws it into `ax`, or into a figure of its own, and returns the Axes.

Sizes and errors stand on logarithmic axes with plain numbers; intervals are bands or bars, a floor
that the data leaves open is drawn as a bound.  No pyplot, so nothing stays open::

    plots.extrapolation(result).figure.savefig("extrapolation.png")
"""

from errsrc.plots.budget import shares as shares
from errsrc.plots.budget import terms as terms
from errsrc.plots.nyquist import cliff as cliff
from errsrc.plots.nyquist import hardest as hardest
from errsrc.plots.pruning import invariant as invariant
from errsrc.plots.scaling import curve as curve
from errsrc.plots.scaling import divergence as divergence
from errsrc.plots.scaling import extrapolation as extrapolation
from errsrc.plots.scaling import parity as parity
from errsrc.plots.shape import candidates as candidates
from errsrc.plots.shape import local_exponents as local_exponents
from errsrc.plots.style import png as png
from errsrc.plots.style import svg as svg
