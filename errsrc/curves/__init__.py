"""The shape of a learning curve: power law, bend, cliff, peak, dip, rise or plateau.

A cell of a learning curve is the set of all runs with the same n.

``curve_shape(n, error)`` returns the verdict and its evidence, a `CurveShape`.
"""

from errsrc.curves.rises import CurveChange as CurveChange
from errsrc.curves.verdicts import CurveShape as CurveShape
from errsrc.curves.verdicts import curve_shape as curve_shape
from errsrc.exports import exported_names

__dir__ = exported_names(__name__)
