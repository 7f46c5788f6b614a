"""Which shape does a learning curve have: power law, bend or cliff? Decided on cells that no fit has seen.

``curve_shape(n, error)`` returns the verdict with its evidence.
"""

from errsrc.curves.verdicts import curve_shape as curve_shape
