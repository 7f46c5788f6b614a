"""Testing: does a law, setting, learner or basis of one's own keep the promises that errsrc's own keep?

- ``check_law(MyLaw)``: its numpy and its symbolic form are one law, its gradient and units are its own, its
  points give it back, a plan inverts its predictions
- ``check_setting(MySetting(...))``: reproducible from its generator; noise, variance and covariance of
  teachers are as stated, by means over draws; realizability is what projection leaves
- ``check_learner(MyLearner())``: shapes, one predictor for a seed, no dependence on the order of rows,
  linear where it says so, in its declared class; scikit-learn's own checks
- ``check_basis(MyBasis())``: orthonormal under its quadrature and under the inputs that it draws; sizes,
  degrees and indices agree; smaller bases of the family are parts of it

Each raises AssertionError with one sentence that names the property and the values that break it, and can be
called from any test runner, or none.  The Hypothesis strategies are those that errsrc's own tests draw from.
"""

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
