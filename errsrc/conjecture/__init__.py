"""The instrument: does a learner reach the error floor at finite n, from which n on, and what refutes it?"""

from errsrc.conjecture.claim import Claim as Claim
from errsrc.conjecture.claim import Outcome as Outcome
from errsrc.conjecture.claim import examine as examine
from errsrc.conjecture.draws import errors as errors
from errsrc.conjecture.draws import nyquist as nyquist
from errsrc.conjecture.search import Region as Region
from errsrc.conjecture.search import Search as Search
from errsrc.conjecture.search import search as search
from errsrc.conjecture.threshold import Threshold as Threshold
from errsrc.conjecture.threshold import threshold as threshold
