"""Figures of results: each function draws a result into `ax`, or into a new figure, and returns the Axes.

Sizes and errors have logarithmic axes with plain numbers.  Intervals are bands or bars.  A floor that the
data do not determine is drawn as an upper bound.  Figures do not use pyplot.  Therefore no figure needs to be
closed::

    plots.extrapolation(result).figure.savefig("extrapolation.png")

`draw` chooses the figure by the type of the result; ``result.plot()`` calls it.
"""

from errsrc.exports import exported_names
from errsrc.plots.bars import budget_terms as budget_terms
from errsrc.plots.bars import misses as misses
from errsrc.plots.bars import uncertainty_bounds as uncertainty_bounds
from errsrc.plots.bars import variances as variances
from errsrc.plots.bars import weights_left as weights_left
from errsrc.plots.budget import shares as shares
from errsrc.plots.budget import terms as terms
from errsrc.plots.designs import next_runs as next_runs
from errsrc.plots.drawing import draw as draw
from errsrc.plots.frontiers import all_approaches as all_approaches
from errsrc.plots.frontiers import isoflop_curves as isoflop_curves
from errsrc.plots.frontiers import optimal_sizes as optimal_sizes
from errsrc.plots.joint import curves_by_budget as curves_by_budget
from errsrc.plots.joint import curves_by_m as curves_by_m
from errsrc.plots.nyquist import cliff as cliff
from errsrc.plots.nyquist import hardest as hardest
from errsrc.plots.pruning import chain as chain
from errsrc.plots.pruning import invariant as invariant
from errsrc.plots.scaling import agreement as agreement
from errsrc.plots.scaling import cells as cells
from errsrc.plots.scaling import curve as curve
from errsrc.plots.scaling import divergence as divergence
from errsrc.plots.scaling import extrapolation as extrapolation
from errsrc.plots.scaling import extrapolation_in_n as extrapolation_in_n
from errsrc.plots.scaling import parity as parity
from errsrc.plots.scaling import planned as planned
from errsrc.plots.scaling import predictions as predictions
from errsrc.plots.scaling import single_input as single_input
from errsrc.plots.shape import candidates as candidates
from errsrc.plots.shape import local_exponents as local_exponents
from errsrc.plots.style import png as png
from errsrc.plots.style import svg as svg
from errsrc.plots.targets import narrowing as narrowing

__dir__ = exported_names(__name__)
