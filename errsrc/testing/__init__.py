"""Testing: does your own law, setting, learner or basis have the properties that errsrc's classes have?

- ``check_law(MyLaw)`` tests that the numpy and the symbolic form agree, that the gradient and the units are
  right, that fits recover the parameters, and that a plan inverts the predictions.
- ``check_setting(MySetting(...))`` tests that draws are reproducible, that the stated noise, variance and
  covariance of teachers agree with means over draws, and that the realizability is the residual of the
  teacher's projection on the class.
- ``check_learner(MyLearner())`` tests that predictions have the right shape, that equal seeds give equal
  predictors, that the order of rows does not matter, that predictions are linear in the labels if the learner
  says so, and that they lie in the declared function class.  It also runs scikit-learn's own checks.  Its
  arguments `inputs` and `labels` leave out inputs and labels that the learner does not take.
- ``check_basis(MyBasis())`` tests that functions are orthonormal under the quadrature and under the inputs
  that the basis draws, that sizes, degrees and indices agree, and that smaller bases of the family are parts
  of the basis.

If a property does not hold, a check raises AssertionError with one sentence that names the property and the
values that break it.  You can call a check from any test runner.  The package also has the Hypothesis
strategies that errsrc's own tests use.
"""

from errsrc.extras import require

require(__name__, "torch", "hypothesis")

from errsrc.exports import exported_names
from errsrc.settings.strategies import band_teachers as band_teachers
from errsrc.settings.strategies import bases as bases
from errsrc.settings.strategies import channels as channels
from errsrc.settings.strategies import network_teachers as network_teachers
from errsrc.settings.strategies import nodes as nodes
from errsrc.testing.basis import BASIS_PROPERTIES as BASIS_PROPERTIES
from errsrc.testing.basis import check_basis as check_basis
from errsrc.testing.law import LAW_PROPERTIES as LAW_PROPERTIES
from errsrc.testing.law import check_law as check_law
from errsrc.testing.law import design as design
from errsrc.testing.law import laws as laws
from errsrc.testing.learner import LEARNER_PROPERTIES as LEARNER_PROPERTIES
from errsrc.testing.learner import check_learner as check_learner
from errsrc.testing.setting import SETTING_PROPERTIES as SETTING_PROPERTIES
from errsrc.testing.setting import check_setting as check_setting
from errsrc.testing.values import accepted_values as accepted_values
from errsrc.testing.values import instances as instances
from errsrc.testing.values import refused_values as refused_values

__dir__ = exported_names(__name__)
