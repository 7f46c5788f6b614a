"""From measured points to fits, intervals, predictions and plans; one fitter serves every law.

- ``fit(Dense, error, n=n, m=m)`` fits one law; its parameters carry intervals, and it predicts new runs.
- ``auto(error, n=n)`` fits several laws and averages them.
- ``plan(fit, error=0.05)`` returns the cheapest n and m that reach a given error.
- ``frontier(fit, [1e21, 1e23])`` returns the n and m of lowest error at each budget, and their exponents.
- ``design(fit, {"n": 1e12, "m": 7e10})`` returns the next runs that narrow this prediction most.
- ``isoflop(error, m=m, flops=flops)`` finds the best model size of each budget in a table of runs.
- ``compute_optimal(data="runs.csv")`` compares the three approaches to compute-optimal sizes.
- ``fewest_weights(fit, error, ...)`` returns the network that reaches a given error with the fewest weights.
- ``ChainedFit(dense, pruned)`` predicts pruned networks of sizes that were never trained.
- ``fit_broken(error, n=n)`` fits a power law whose exponent changes as often as the points show.
- ``compare(["power", "broken"], error, n=n)`` judges several laws on the same points.
- ``holdout(Dense, error, n=n, m=m)`` fits a law to the small runs and judges it on the large runs.
- ``fit_csv("runs.csv", "chinchilla")`` fits a law to the rows of a CSV file.
- ``predict_csv(fit, "larger.csv")`` predicts the rows of a CSV file.
- ``save_fit(fit, "fit.json")`` and ``load_fit("fit.json")`` write fits to files and read them.

These functions return objects of the following types: `Fit`, `AveragedFit`, `Prediction`, `Plan`, `Frontier`,
`Design`, `IsoFlop`, `TrainingEnvelope`, `ComputeOptimal`, `PrunedPlan` and `Holdout`.
"""

from __future__ import annotations

from errsrc.exports import exported_names
from errsrc.fitting.approaches import ComputeOptimal as ComputeOptimal
from errsrc.fitting.approaches import compute_optimal as compute_optimal
from errsrc.fitting.breaks import fit_broken as fit_broken
from errsrc.fitting.chained_laws import ChainedFit as ChainedFit
from errsrc.fitting.comparisons import ComparedLaw as ComparedLaw
from errsrc.fitting.comparisons import Comparison as Comparison
from errsrc.fitting.comparisons import compare as compare
from errsrc.fitting.csv_fits import CsvPrediction as CsvPrediction
from errsrc.fitting.csv_fits import fit_csv as fit_csv
from errsrc.fitting.csv_fits import predict_csv as predict_csv
from errsrc.fitting.designs import Design as Design
from errsrc.fitting.designs import NextRun as NextRun
from errsrc.fitting.designs import design as design
from errsrc.fitting.envelopes import TrainingEnvelope as TrainingEnvelope
from errsrc.fitting.envelopes import training_envelope as training_envelope
from errsrc.fitting.files import load_fit as load_fit
from errsrc.fitting.files import save_fit as save_fit
from errsrc.fitting.forecasts import Forecast as Forecast
from errsrc.fitting.forecasts import Prediction as Prediction
from errsrc.fitting.frontiers import Frontier as Frontier
from errsrc.fitting.frontiers import frontier as frontier
from errsrc.fitting.holdouts import Holdout as Holdout
from errsrc.fitting.holdouts import few_small_sizes as few_small_sizes
from errsrc.fitting.holdouts import holdout as holdout
from errsrc.fitting.holdouts import judge as judge
from errsrc.fitting.holdouts import small_cells as small_cells
from errsrc.fitting.isoflops import IsoFlop as IsoFlop
from errsrc.fitting.isoflops import IsoFlopGroup as IsoFlopGroup
from errsrc.fitting.isoflops import isoflop as isoflop
from errsrc.fitting.noise import seed_weights as seed_weights
from errsrc.fitting.one_law import Fit as Fit
from errsrc.fitting.one_law import fit as fit
from errsrc.fitting.plans import Plan as Plan
from errsrc.fitting.plans import plan as plan
from errsrc.fitting.pruned_plans import PrunedPlan as PrunedPlan
from errsrc.fitting.pruned_plans import fewest_weights as fewest_weights
from errsrc.fitting.repeats import best_rows as best_rows
from errsrc.fitting.several_laws import AveragedFit as AveragedFit
from errsrc.fitting.several_laws import auto as auto

__dir__ = exported_names(__name__)
