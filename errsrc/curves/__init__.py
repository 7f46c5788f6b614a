"""Which shape does a learning curve have: power law, bend or cliff? Decided on cells that no fit has seen.

``shape(n, error)`` returns the verdict with its evidence.
"""

from errsrc.curves.verdicts import shape as shape
