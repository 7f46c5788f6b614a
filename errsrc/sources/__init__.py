"""Sources: how much of a learner's error is noise, realizability, uncertainty, learning deficiency."""

from errsrc.sources.bias_variances import BiasVariance as BiasVariance
from errsrc.sources.bias_variances import bias_variance as bias_variance
from errsrc.sources.bracket.bounds import Undetermined as Undetermined
from errsrc.sources.bracket.bounds import uncertainty_bracket as uncertainty_bracket
from errsrc.sources.bracket.draws import Effort as Effort
from errsrc.sources.budgets import TERMS as TERMS
from errsrc.sources.budgets import Budget as Budget
from errsrc.sources.budgets import budget as budget
