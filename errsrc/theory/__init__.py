"""Known learning curves: the expected error of a learner, computed from a spectrum and sizes alone.

- ``kernel_regression(n, eigenvalues, target, ridge=..., noise=...)``: kernel or ridge regression.
- ``random_features(n, m, eigenvalues, target, ...)``: ridge regression on m random features.
- ``gradient_flow(n, m, time, eigenvalues, target, ...)``: gradient descent on m random features.
- ``one_pass_sgd(m, steps, eigenvalues, target, learning_rate=...)``: stochastic descent on m random features,
  with new examples in each step.
- ``feature_terms(n, m, eigenvalues, target, ...)``: the error budget of regression on m random features.
- ``least_squares(n, dim, noise=...)``: least squares with normal inputs, exact at every size.
- ``quadratic_networks(n, dim, width, noise=...)``: the smallest risk of any learner of quadratic networks.
- ``committee_machine(n, dim, ...)``: the smallest error of any learner of committee machines with two hidden
  units, and the error of message passing; ``committee_thresholds(...)``: where the learning changes.
- ``memorising(n, probabilities, examples)`` and ``memorising_zipf(n, decay)``: a learner that only memorises.
- ``text_exponents(documents)``: the exponent of a language model's loss, from statistics of the corpus.
- ``intrinsic_dimension(x)``: the dimension of a data set, and the exponents that follow from it.
- `exponents`: exponents of errors that fall as a power of n, or of compute.
- `formulas`: the same curves as sympy expressions, except for `quadratic_networks`,
  `committee_machine` and `one_pass_sgd`.

Errors are excess risks: squared loss without the label noise, which no predictor can avoid.  Errors of
committee machines are 0-1 errors.
"""

from errsrc.exports import exported_names
from errsrc.theory import exponents as exponents
from errsrc.theory import formulas as formulas
from errsrc.theory.committee import CommitteeCurve as CommitteeCurve
from errsrc.theory.committee import CommitteeThresholds as CommitteeThresholds
from errsrc.theory.committee import committee_machine as committee_machine
from errsrc.theory.committee import committee_thresholds as committee_thresholds
from errsrc.theory.corpora import TextExponents as TextExponents
from errsrc.theory.corpora import text_exponents as text_exponents
from errsrc.theory.dimensions import IntrinsicDimension as IntrinsicDimension
from errsrc.theory.dimensions import intrinsic_dimension as intrinsic_dimension
from errsrc.theory.feature_models import random_features as random_features
from errsrc.theory.flows import FeatureTerms as FeatureTerms
from errsrc.theory.flows import feature_terms as feature_terms
from errsrc.theory.flows import gradient_flow as gradient_flow
from errsrc.theory.kernel import KernelCurve as KernelCurve
from errsrc.theory.kernel import kernel_regression as kernel_regression
from errsrc.theory.linear import least_squares as least_squares
from errsrc.theory.memorisation import memorising as memorising
from errsrc.theory.memorisation import memorising_zipf as memorising_zipf
from errsrc.theory.memorisation import zipf_asymptote as zipf_asymptote
from errsrc.theory.one_pass import largest_learning_rate as largest_learning_rate
from errsrc.theory.one_pass import one_pass_sgd as one_pass_sgd
from errsrc.theory.quadratic import quadratic_networks as quadratic_networks

__dir__ = exported_names(__name__, ("exponents", "formulas"))
