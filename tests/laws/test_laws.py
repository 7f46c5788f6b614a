"""Laws: exponents, limits, derivatives, plateaus."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass

import numpy as np
import pytest
import sympy

from errsrc.datasets import published
from errsrc.fitting import fit
from errsrc.laws import (
    ALL,
    M4,
    Chinchilla,
    Coupled,
    CoupledDense,
    Dense,
    FiniteData,
    JointPruning,
    Law,
    LayerPruning,
    Power,
    Pruning,
    SparseTraining,
    plateau,
    positive,
    symbol,
)
from errsrc.laws.derivatives import compiled


def test_both_exponents_are_named_for_what_they_belong_to() -> None:
    law = Chinchilla(E=1.8, A=480, B=2100, alpha=0.35, beta=0.37)
    assert (law.data_exponent, law.model_exponent) == (0.37, 0.35)
    dense = Dense(eps0=0.9, alpha=0.66, beta=0.53, b=0.3, c_inf=0.8, eta=4.0)
    assert (dense.data_exponent, dense.model_exponent) == (0.66, 0.53)
    assert Pruning(0.05, 0.9, 1.0, 0.01).data_exponent is None


def test_the_plateau_is_the_dip_not_the_unpruned_error() -> None:
    density = 0.8 ** np.arange(20)
    error = Pruning(0.05, 0.9, 1.0, 0.001).error(density=density)
    error[0] *= 1.1
    assert plateau(density, error) == pytest.approx(0.05, rel=0.02)
    assert plateau([1.0], [0.2]) == pytest.approx(0.2)


def test_the_slopes_of_m4_are_finite_where_its_error_rounds_to_random_guess():
    law = M4(eps0=1.7, c_inf=0.8, a=5.3, alpha=1.0, gamma=0.27)
    n = np.array([1e-6, 1.0])
    error, *slopes = compiled(M4)(n, *law.params.values())
    assert error[0] == pytest.approx(law.eps0, rel=1e-15)
    assert np.isfinite(slopes).all()
    assert slopes[-1][0] == 0.0


WITHOUT_LIMIT = {M4, Coupled, CoupledDense, FiniteData}
"""Laws whose formula has a function that sympy knows no limit of."""


@pytest.mark.parametrize(
    "name", [k for k, law in ALL.items() if law.inputs[0] == "n" and law not in WITHOUT_LIMIT]
)
def test_the_error_far_out_is_the_limit_of_the_formula(name: str) -> None:
    """Plans read the floor there."""
    law = ALL[name]
    middle = {p.name: round(math.sqrt(math.prod(p.start)) if p.log else 0.3, 1) for p in law.parameters()}
    limit = law.formula().subs({symbol(name): sympy.Rational(str(x)) for name, x in middle.items()})
    for name in law.inputs:
        limit = sympy.limit(limit, symbol(name), sympy.oo)
    far = law(**middle).error(**dict.fromkeys(law.inputs, 1e150))
    assert float(far) == pytest.approx(float(limit), rel=1e-12)


@pytest.mark.parametrize("k", [0.05, 0.3, 1.0, 3.0])
def test_coupled_laws_lie_between_the_sum_and_the_maximum_of_their_terms(k: float) -> None:
    law = Coupled(E=1.8, A=400.0, B=1500.0, alpha=0.34, beta=0.37, k=k)
    n, m = np.meshgrid(np.geomspace(1e6, 1e13, 8), np.geomspace(1e5, 1e12, 8))
    model, data = 400 * m**-0.34, 1500 * n**-0.37
    error = law.error(n=n, m=m) - 1.8
    np.testing.assert_allclose(error, (model ** (1 / k) + data ** (1 / k)) ** k, rtol=1e-9)
    assert (error >= np.maximum(model, data) * (1 - 1e-12)).all()
    if k <= 1:
        assert (error <= (model + data) * (1 + 1e-12)).all()
    assert float(law.error(n=1e150, m=1e150)) == 1.8
    same = Chinchilla(E=1.8, A=400.0, B=1500.0, alpha=0.34, beta=0.37)
    if k == 1:
        np.testing.assert_allclose(law.error(n=n, m=m), same.error(n=n, m=m), rtol=1e-14)
    dense = {"eps0": 0.9, "alpha": 0.66, "beta": 0.53, "b": 0.06, "c_inf": 0.02, "eta": 19.8}
    coupled = CoupledDense(**dense, k=k)
    n, m = n / 1e13, m / 1e12
    if k == 1:
        np.testing.assert_allclose(coupled.error(n=n, m=m), Dense(**dense).error(n=n, m=m), rtol=1e-12)
    assert (coupled.error(n=n, m=m) < 0.9).all()


def test_kaplans_joint_law_is_a_coupled_law() -> None:
    """Kaplan et al. 2020, eq. 1.5, with their fitted constants."""
    n, m = np.meshgrid(np.geomspace(1e7, 1e11, 5), np.geomspace(1e5, 1e10, 5))
    kaplan = ((6.4e13 / m) ** (0.076 / 0.103) + 1.8e13 / n) ** 0.103
    law = Coupled(E=0.0, A=6.4e13**0.076, B=1.8e13**0.103, alpha=0.076, beta=0.103, k=0.103)
    np.testing.assert_allclose(law.error(n=n, m=m), kaplan, rtol=1e-12)


MUENNIGHOFF = FiniteData(
    E=math.exp(0.6254804),
    A=math.exp(6.255414),
    B=math.exp(7.3049974),
    alpha=0.3526596,
    beta=0.3526596,
    r_n=15.387756,
    r_m=5.309743,
)
"""The law that Muennighoff et al. 2023 fitted to their runs on C4 (appendix A)."""


def test_finite_data_is_the_law_of_muennighoff_with_their_numbers() -> None:
    """Eq. 17 of the paper: U_N = 0.051 U_D, and the loss of repetitions and excess parameters."""
    u, epochs, m = np.meshgrid([1e8, 4e8, 1.5e9], [1.0, 2.5, 10.0, 100.0], [7e6, 1e8, 8.7e9])
    best = np.minimum(0.051 * u, m)
    data = u + u * 15.4 * (1 - np.exp(-(epochs - 1) / 15.4))
    parameters = best + best * 5.3 * (1 - np.exp(-(m / best - 1) / 5.3))
    published = 521 / parameters**0.353 + 1488 / data**0.353 + 1.87
    np.testing.assert_allclose(
        MUENNIGHOFF.error(n=u * epochs, u=u, m=m), published, rtol=5e-3
    )  # the paper rounds its numbers


def test_finite_data_without_repetitions_and_excess_is_chinchilla() -> None:
    law = dataclasses.replace(MUENNIGHOFF, P=0.1)
    chinchilla = Chinchilla(law.E, law.A, law.B, law.alpha, law.beta)
    n, m = np.geomspace(1e7, 1e11, 9), np.full(9, 1e5)
    for u in (n, 3 * n):  # tokens that are not seen don't count
        np.testing.assert_allclose(law.error(n=n, u=u, m=m), chinchilla.error(n=n, m=m), rtol=1e-14)
    full = dataclasses.replace(MUENNIGHOFF, r_n=1e9, r_m=1e9)
    np.testing.assert_allclose(full.error(n=n, u=1e6, m=1e10), chinchilla.error(n=n, m=1e10), rtol=1e-4)


def test_finite_data_is_smooth_where_repetitions_and_excess_parameters_begin() -> None:
    law = dataclasses.replace(MUENNIGHOFF, P=0.0)
    best = (law.A / law.B) ** (1 / law.alpha) * 1e9  # alpha = beta
    for name, at in {"n": 1e9, "m": best}.items():
        sizes = {"n": 1e9, "u": 1e9, "m": best}
        below, here, above = (float(law.error(**{**sizes, name: at * f})) for f in (1 - 1e-5, 1, 1 + 1e-5))
        assert above - here == pytest.approx(here - below, rel=1e-3)
    rising = dataclasses.replace(MUENNIGHOFF, P=0.01)
    losses = rising.error(n=1e8 * np.array([1.0, 4.0, 40.0, 400.0]), u=1e8, m=1e9)
    assert losses.argmin() == 1
    assert losses[-1] > losses[0]


def test_sparse_training_is_the_law_of_frantar_with_their_numbers() -> None:
    """The authors' notebook (google-research/jaxpruner) fits the same 112 transformers by Huber losses.

    Its unit is 1e6 parameters and 1e9 images.  It takes the losses of L with a threshold of 0.01, here those
    of ln L with a threshold that is as large at the mean of L.
    """
    theirs = SparseTraining(
        a_S=1.30485411,
        b_S=0.82101251,
        c_S=2.07506343,
        b_N=0.39222675,
        B=0.27818217,
        b_D=0.88979104,
        c=4.51669257,
    )
    table = published("frantar2023_vit_jft")
    inputs = {"density": table["density"], "n": table["examples"] / 1e9, "m": table["params_nonzero"] / 1e6}
    loss = table["loss"]
    assert huber(theirs.error(**inputs) - loss) == pytest.approx(4.929087939147767e-4, rel=1e-3)
    paper = theirs.rescaled({"n": 1e9, "m": 1e6})
    assert (paper.a_S, paper.c_S, paper.a_D) == pytest.approx((294, 468, 2.37e8), rel=3e-3)
    found = fit(SparseTraining, loss, objective="huber", huber_delta=0.01 / float(loss.mean()), **inputs)
    for name, value in theirs.params.items():
        assert found.law.params[name] == pytest.approx(value, rel=0.05), name
        assert found.intervals[name].low < value < found.intervals[name].high
    assert found.divergence_std == pytest.approx(0.0105, abs=5e-4)


def test_layer_pruning_is_joint_pruning_in_the_weights_per_layer() -> None:
    rng = np.random.default_rng(0)
    remaining, layers, width = (rng.integers(1, top, 50).astype(float) for top in (5000, 9, 65))
    eps_np = rng.uniform(0.1, 0.3, 50)
    law = LayerPruning(eps_up=0.9, gamma=0.4, p=3.0, psi=-0.1)
    same = JointPruning(eps_up=0.9, gamma=0.4, p=3.0, phi=-1.0, psi=-0.1)
    error = law.error(remaining=remaining, layers=layers, width=width, eps_np=eps_np)
    theirs = same.error(density=remaining, depth=layers, width=width, eps_np=eps_np)
    np.testing.assert_allclose(error, theirs, rtol=1e-12)
    found = fit(LayerPruning, error, remaining=remaining, layers=layers, width=width, eps_np=eps_np)
    assert found.law.psi == pytest.approx(-0.1, abs=1e-4)


def huber(residual: np.ndarray, delta: float = 0.01) -> float:
    """Return the mean Huber loss."""
    size = np.abs(residual)
    return float(np.where(size > delta, delta * (size - delta / 2), size**2 / 2).mean())


def test_a_law_without_its_formula_is_refused_by_name() -> None:
    @dataclass(frozen=True)
    class Unfinished(Law):
        inputs = ("n",)
        a: float = positive((0.3, 3.0), unit={"error": 1})

        def error(self, **inputs):
            return self.a * np.ones_like(self.input_arrays(inputs)[0])

    with pytest.raises(TypeError, match=r"abstract method '?formula'?"):
        Unfinished(a=1.0)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"a": -1.0}, "The 'a' parameter of Power must be a finite number >= 0. Got -1.0 instead."),
        ({"alpha": "1"}, "The 'alpha' parameter of Power must be a finite number >= 0. Got '1' instead."),
        (
            {"c_inf": math.nan},
            "The 'c_inf' parameter of Power must be a finite number >= 0. Got nan instead.",
        ),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_its_rule(values: dict, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(sentence)):
        Power(**{"c_inf": 0.1, "a": 2.0, "alpha": 0.5} | values)
    with pytest.raises(ValueError, match="'n_full' parameter of Dense must be a finite number > 0"):
        Dense(0.9, 0.5, 0.5, 1.0, 0.0, 1.0, n_full=0)
