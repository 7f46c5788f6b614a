"""The conjecture: at which n does a learner become exact, and is there a counterexample?

A learner is exact at n if its relative error with n labelled examples is zero up to rounding: at most 1e-9,
or 1e-3 for learners in float32.  The Nyquist number, n_Nyq, is the smallest n at which a learner can be
exact.
"""

from typing import TYPE_CHECKING

from errsrc.extras import require

require(__name__, "torch", "hypothesis")

from errsrc.conjecture.claims import Claim as Claim
from errsrc.conjecture.claims import Example as Example
from errsrc.conjecture.claims import Outcome as Outcome
from errsrc.conjecture.claims import examine as examine
from errsrc.conjecture.own_claims import OwnSearch as OwnSearch
from errsrc.conjecture.own_claims import examine_own as examine_own
from errsrc.conjecture.own_claims import search_own as search_own
from errsrc.conjecture.relative_errors import draw_errors as draw_errors
from errsrc.conjecture.searches import Region as Region
from errsrc.conjecture.searches import Search as Search
from errsrc.conjecture.searches import search as search
from errsrc.conjecture.thresholds import Threshold as Threshold
from errsrc.conjecture.thresholds import threshold as threshold
from errsrc.exports import exported_names
from errsrc.moved import moved_names

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)
