"""The numpy code of laws: written out for ours, made by sympy for others, the same in both cases."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import sympy
from outside.law import Onset

from errsrc.laws import ALL, Chinchilla, Law, gradients
from errsrc.laws.derivatives import (
    compiled,
    compiled_error,
    equation,
    lambdified_error,
    lambdified_gradient,
    written_out,
)
from errsrc.rng import generator

SAME_SYMPY = f"with sympy {sympy.__version__};" in str(gradients.__doc__)


@pytest.mark.full
@pytest.mark.skipif(not SAME_SYMPY, reason="the file was written with another version of sympy")
def test_the_file_is_what_make_gradients_writes() -> None:
    command = [sys.executable, "-m", "ruff", "format", "-"]
    done = subprocess.run(command, input=written_out(), capture_output=True, text=True, check=True)
    assert Path(gradients.__file__).read_text() == done.stdout


def test_every_law_is_written_out() -> None:
    assert list(gradients.EQUATIONS) == list(ALL.values())
    assert list(gradients.ERRORS) == list(ALL.values())
    assert list(gradients.GRADIENTS) == list(ALL.values())


@pytest.mark.parametrize("law", ALL.values(), ids=ALL.keys())
def test_the_written_code_is_sympys(law: type[Law]) -> None:
    rng = generator(0, "gradients", law.__name__)
    points = [rng.uniform(0.1, 1.0, 50) for _ in law.inputs]
    values = [rng.uniform(*p.start, (20, 1)) for p in law.parameters()]
    written = compiled(law)(*points, *values)
    expected = lambdified_gradient(law)(*points, *values)
    for one, other in zip(written, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(
        compiled_error(law)(*points, *values), lambdified_error(law)(*points, *values), rtol=1e-12
    )


@dataclass(frozen=True)
class Doubled(Chinchilla):
    """A law that inherits from one of ours, with another formula."""

    @classmethod
    def formula(cls) -> sympy.Expr:
        return 2 * super().formula()


@pytest.mark.parametrize("law", [Onset, Doubled])
def test_a_law_of_ones_own_is_compiled_from_its_own_formula(law: type[Law]) -> None:
    assert equation(law) == law.equation()
    assert compiled(law) is lambdified_gradient(law)
    assert compiled_error(law) is lambdified_error(law)


def test_the_parent_of_such_a_law_keeps_its_code() -> None:
    at = (1e3, 1e4, 1.8, 9.0, 20.0, 0.35, 0.37)
    assert compiled(Doubled)(*at)[0] == pytest.approx(2 * compiled(Chinchilla)(*at)[0], rel=1e-12)
