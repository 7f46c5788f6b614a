"""errsrc: where a learner's generalization error comes from, and what would remove it.

The names below are all that ``import errsrc`` offers.  Each is imported when it is first used, so the import
itself is instant.  Every other public name has one path, ``errsrc.PACKAGE.NAME``.

Fit my runs
    fit             fit one scaling law to measured errors
    auto            fit the laws that suit the points, and average them
    fit_csv         fit a law to the rows of a CSV file
    predict_csv     predict the error of each row of a CSV file
    compare         judge several laws on the same points
    holdout         fit a law to the small runs, and judge it on the large ones
    plan            find the sizes that reach a given error, or the smallest error within a budget
    frontier        find the compute-optimal n and m at many budgets, and their exponents
    design          find the next runs that narrow the interval of an answer most for their cost
    isoflop         find the compute-optimal sizes from runs that share budgets, without a law
    compute_optimal compare the approaches to compute-optimal sizes on the same runs
    fewest_weights  find the pruned network that reaches a given error with the fewest weights
    curve_shape     tell a power law from a bend, a cliff, a peak, a dip and a rise
    save_fit        write a fit to a file
    load_fit        read a fit from a file

Where does my error come from?
    budget          split a learner's risk into noise, realizability, uncertainty and deficiency
    bias_variance   split a learner's risk into noise, bias and variance

Is a learner exact at finite n?
    threshold       find the smallest n from which a learner is exact (its error is 0 to rounding)
    search          search for counterexamples to a claim about a learner

Many such computations
    load_study      read the finished cells of a study: a cell is one computation, a study a grid of cells
    run_study       compute the missing cells of a study, then read all its cells
    run_until       compute cells of a study until the interval of an answer is narrow enough

Packages
    laws            scaling laws, one file each
    tables          read users' files and data frames as tables of runs
    fitting         from measured points to fits, intervals, predictions and plans
    curves          the shape of a learning curve
    settings        problems with known teachers, inputs, noise and loss
    learners        how labelled examples become a predictor
    bases           orthonormal functions on an input space
    sources         the sources of a learner's error
    conjecture      thresholds, claims, and the search for counterexamples
    theory          known learning curves
    nets            architectures of networks
    training        the training loop, recipes, pruning, several GPUs
    datasets        images, texts, and published measurements
    tasks           trainings of vision and language models, as cells of studies
    sweeps          the store of finished cells, and the engines that compute cells
    studies         grids of cells, and their analysis
    plots           figures of results
    report          HTML pages
    results         intervals and brackets
    errors          the exceptions that errsrc raises
    testing         property tests for your own laws, settings and learners

The command line has the same functions: see ``errsrc --help``.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

__version__ = "0.2.0"

_attribute, _, _names = lazy_loader.attach_stub(__name__, __file__)  # the names are in __init__.pyi
__all__ = [*_names, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _names:
        from errsrc.extras import required_by

        with required_by(f"errsrc.{name}"):
            return _attribute(name)
    from errsrc.moved import no_attribute

    raise no_attribute("errsrc", name)


def __dir__() -> list[str]:
    return __all__.copy()
