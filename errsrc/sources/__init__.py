"""Sources: how much of a learner's error is noise, realizability, uncertainty, learning deficiency."""

from errsrc.sources.budget import TERMS as TERMS
from errsrc.sources.budget import Budget as Budget
from errsrc.sources.budget import budget as budget
from errsrc.sources.posterior import Undetermined as Undetermined
from errsrc.sources.posterior import bracket as bracket
from errsrc.sources.variance import BiasVariance as BiasVariance
from errsrc.sources.variance import bias_variance as bias_variance
from errsrc.sources.world import Effort as Effort
