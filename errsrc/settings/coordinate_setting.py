"""Settings whose teachers are combinations of finitely many orthonormal functions of the input."""

from __future__ import annotations

import abc
from dataclasses import dataclass

import numpy as np

from errsrc.settings.classes import FunctionClass, Span
from errsrc.settings.gaussian_setting import GaussianSetting
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class CoordinateSetting(GaussianSetting):
    """A Gaussian setting whose teachers are random combinations of R orthonormal functions, the coordinates.

    The coefficients are independent and normal, with the variances `coordinate_variances`.  Column r of the
    matrix of `roots` has the values of coordinate r, times the standard deviation of its coefficient.  If a
    learner's class is the span of features whose moments are known, the terms of its budget have closed forms
    (`errsrc.sources.random_features`).
    """

    @property
    @abc.abstractmethod
    def coordinate_variances(self) -> Array:
        """Prior variances of the coefficients of the coordinates, float64 (R,)."""

    @abc.abstractmethod
    def has_span(self, function_class: FunctionClass) -> bool:
        """Return whether `span` returns an orthonormal basis of a class of random features.

        Parameters
        ----------
        function_class : FunctionClass
            The class.
        """

    @abc.abstractmethod
    def span(self, function_class: FunctionClass) -> Span | None:
        """Return an orthonormal basis of a class that features span, and the projections of the coordinates.

        Parameters
        ----------
        function_class : FunctionClass
            The class.

        Returns
        -------
        Span or None
            The basis; None if the class is not the span of features, or if the moments of the features are
            not known.
        """

    def variance_outside(self, span: Span) -> float:
        """Return the mean variance of the part of teachers outside the span of features.

        Parameters
        ----------
        span : Span
            The span of features, see `span`.
        """
        if span.whole:
            return 0.0
        outside = np.maximum(1 - np.square(span.inputs).sum(0), 0.0)
        return float(outside @ self.coordinate_variances)
