"""Which shape a learning curve has: power law, bend or cliff, decided by cells that no fit has seen.

``curve_shape(n, error)`` returns the verdict and its evidence, a `CurveShape`.
"""

from errsrc.curves.verdicts import CurveShape as CurveShape
from errsrc.curves.verdicts import curve_shape as curve_shape
