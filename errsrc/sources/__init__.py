"""Sources: how much of a learner's error is noise, realizability, uncertainty and learning deficiency.

Let R(g; f) be the risk of a predictor g if the teacher is f.  Let D be the data, F the learner's function
class, and A(D) the predictor that the learner fits to D.  The four terms are

    noise            E min over all g of R(g; f)
    realizability    E min over g in F of R(g; f), minus the noise
    uncertainty      E min over g in F of E[R(g; f) given D], minus E min over g in F of R(g; f)
    deficiency       E R(A(D); f), minus E min over g in F of E[R(g; f) given D]

By construction the terms sum to the expected risk, E R(A(D); f).  No term is negative, because the minimum of
an expectation is at least the expectation of the minimum.
"""

from typing import TYPE_CHECKING

from errsrc.extras import require

require(__name__, "torch")

from errsrc.exports import exported_names
from errsrc.moved import moved_names
from errsrc.sources.bias_variances import BiasVariance as BiasVariance
from errsrc.sources.bias_variances import bias_variance as bias_variance
from errsrc.sources.bracket.bounds import UncertaintyBracket as UncertaintyBracket
from errsrc.sources.bracket.bounds import uncertainty_bracket as uncertainty_bracket
from errsrc.sources.budgets import budget as budget
from errsrc.sources.budgets import budget_grid as budget_grid
from errsrc.sources.budgets import budget_in as budget_in
from errsrc.sources.effort import Effort as Effort
from errsrc.sources.experiments import Experiment as Experiment
from errsrc.sources.terms import TERMS as TERMS
from errsrc.sources.terms import Budget as Budget

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)
