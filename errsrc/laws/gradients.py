"""Formulas and gradients of the laws of ``errsrc.laws.ALL`` as numpy code.

Written by `make gradients` with sympy 1.14.0; not to be edited.  See `errsrc.laws.derivatives`.
"""

from collections.abc import Callable
from typing import Any

from numpy import exp, log, logaddexp, sqrt

from errsrc.laws.broken import Broken
from errsrc.laws.broken2 import Broken2
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.cliff import Cliff
from errsrc.laws.coupled import Coupled
from errsrc.laws.coupled_dense import CoupledDense
from errsrc.laws.dense import Dense
from errsrc.laws.envelope import Envelope
from errsrc.laws.finite_data import FiniteData
from errsrc.laws.finite_data import counted as counted_of
from errsrc.laws.finite_data import counted_growth as counted_growth_of
from errsrc.laws.finite_data import counted_slope as counted_slope_of
from errsrc.laws.finite_data import excess as excess_of
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.law import Law
from errsrc.laws.layer_pruning import LayerPruning
from errsrc.laws.m4 import M4
from errsrc.laws.m4 import log_complement as log_rest
from errsrc.laws.m4 import solve_share as share
from errsrc.laws.power import Power
from errsrc.laws.pruning import Pruning
from errsrc.laws.sparse_training import SparseTraining


def _dense_error(n: Any, m: Any, eps0: Any, alpha: Any, beta: Any, b: Any, c_inf: Any, eta: Any) -> Any:
    x0 = b * m ** (-beta) + c_inf + n ** (-alpha)
    return eps0 * x0 / sqrt(eta**2 + x0**2)


def _dense_gradient(
    n: Any, m: Any, eps0: Any, alpha: Any, beta: Any, b: Any, c_inf: Any, eta: Any
) -> list[Any]:
    x0 = n ** (-alpha)
    x1 = m ** (-beta)
    x2 = b * x1
    x3 = c_inf + x0 + x2
    x4 = x3**2
    x5 = eta**2 + x4
    x6 = 1 / sqrt(x5)
    x7 = x3 * x6
    x8 = eps0 * x6
    x9 = log(n)
    x10 = x5 ** (-3 / 2)
    x11 = log(m)
    x12 = eps0 * x10
    x13 = x12 * x3
    return [
        eps0 * x7,
        x7,
        eps0 * x0 * x10 * x4 * x9 - x0 * x8 * x9,
        b * eps0 * x1 * x10 * x11 * x4 - x11 * x2 * x8,
        -x1 * x12 * x4 + x1 * x8,
        -x13 * x3 + x8,
        -eta * x13,
    ]


def _power_error(n: Any, c_inf: Any, a: Any, alpha: Any) -> Any:
    return a * n ** (-alpha) + c_inf


def _power_gradient(n: Any, c_inf: Any, a: Any, alpha: Any) -> list[Any]:
    x0 = n ** (-alpha)
    x1 = a * x0
    return [c_inf + x1, 1, x0, -x1 * log(n)]


def _envelope_error(n: Any, eps0: Any, alpha: Any, c_inf: Any, eta: Any) -> Any:
    x0 = c_inf + n ** (-alpha)
    return eps0 * x0 / sqrt(eta**2 + x0**2)


def _envelope_gradient(n: Any, eps0: Any, alpha: Any, c_inf: Any, eta: Any) -> list[Any]:
    x0 = n ** (-alpha)
    x1 = c_inf + x0
    x2 = x1**2
    x3 = eta**2 + x2
    x4 = 1 / sqrt(x3)
    x5 = x1 * x4
    x6 = eps0 * x4
    x7 = x0 * log(n)
    x8 = eps0 / x3 ** (3 / 2)
    x9 = x1 * x8
    return [eps0 * x5, x5, x2 * x7 * x8 - x6 * x7, -x1 * x9 + x6, -eta * x9]


def _chinchilla_error(n: Any, m: Any, E: Any, A: Any, B: Any, alpha: Any, beta: Any) -> Any:
    return A * m ** (-alpha) + B * n ** (-beta) + E


def _chinchilla_gradient(n: Any, m: Any, E: Any, A: Any, B: Any, alpha: Any, beta: Any) -> list[Any]:
    x0 = m ** (-alpha)
    x1 = A * x0
    x2 = n ** (-beta)
    x3 = B * x2
    return [E + x1 + x3, 1, x0, x2, -x1 * log(m), -x3 * log(n)]


def _coupled_error(n: Any, m: Any, E: Any, A: Any, B: Any, alpha: Any, beta: Any, k: Any) -> Any:
    x0 = k ** (-1.0)
    return E + exp(k * logaddexp(x0 * (-alpha * log(m) + log(A)), x0 * (-beta * log(n) + log(B))))


def _coupled_gradient(n: Any, m: Any, E: Any, A: Any, B: Any, alpha: Any, beta: Any, k: Any) -> list[Any]:
    x0 = k ** (-1.0)
    x1 = log(m)
    x2 = -alpha * x1 + log(A)
    x3 = x0 * x2
    x4 = log(n)
    x5 = -beta * x4 + log(B)
    x6 = logaddexp(x3, x0 * x5)
    x7 = exp(k * x6)
    x8 = -x0 * x5 + x3
    x9 = (1 + exp(-x8)) ** (-1.0)
    x10 = x7 * x9
    x11 = (exp(x8) + 1) ** (-1.0)
    x12 = x11 * x7
    x13 = k ** (-2.0)
    return [
        E + x7,
        1,
        x10 / A,
        x12 / B,
        -x1 * x10,
        -x12 * x4,
        x7 * (k * (-x11 * x13 * x5 - x13 * x2 * x9) + x6),
    ]


def _coupled_dense_error(
    n: Any, m: Any, eps0: Any, alpha: Any, beta: Any, b: Any, c_inf: Any, eta: Any, k: Any
) -> Any:
    x0 = k ** (-1.0)
    x1 = c_inf + exp(k * logaddexp(x0 * (-beta * log(m) + log(b)), -alpha * x0 * log(n)))
    return eps0 * x1 / sqrt(eta**2 + x1**2)


def _coupled_dense_gradient(
    n: Any, m: Any, eps0: Any, alpha: Any, beta: Any, b: Any, c_inf: Any, eta: Any, k: Any
) -> list[Any]:
    x0 = k ** (-1.0)
    x1 = log(m)
    x2 = -beta * x1 + log(b)
    x3 = x0 * x2
    x4 = log(n)
    x5 = alpha * x4
    x6 = x0 * x5
    x7 = logaddexp(x3, -x6)
    x8 = exp(k * x7)
    x9 = c_inf + x8
    x10 = x9**2
    x11 = eta**2 + x10
    x12 = 1 / sqrt(x11)
    x13 = x12 * x9
    x14 = eps0 * x12
    x15 = x14 * x8
    x16 = x3 + x6
    x17 = (exp(x16) + 1) ** (-1.0)
    x18 = x17 * x4
    x19 = eps0 / x11 ** (3 / 2)
    x20 = x10 * x19 * x8
    x21 = (1 + exp(-x16)) ** (-1.0)
    x22 = x20 * x21
    x23 = b ** (-1.0)
    x24 = x19 * x9
    x25 = k ** (-2.0)
    x26 = k * (x17 * x25 * x5 - x2 * x21 * x25) + x7
    return [
        eps0 * x13,
        x13,
        -x15 * x18 + x18 * x20,
        -x1 * x15 * x21 + x1 * x22,
        eps0 * x12 * x21 * x23 * x8 - x22 * x23,
        x14 - x24 * x9,
        -eta * x24,
        eps0 * x12 * x26 * x8 - x20 * x26,
    ]


def _m4_error(n: Any, eps0: Any, c_inf: Any, a: Any, alpha: Any, gamma: Any) -> Any:
    x0 = 1 - c_inf
    return eps0 * (c_inf + x0 * share(-alpha * log(n) - (1 - gamma) * log(x0) + log(a), gamma))


def _m4_gradient(n: Any, eps0: Any, c_inf: Any, a: Any, alpha: Any, gamma: Any) -> list[Any]:
    x0 = 1 - c_inf
    x1 = log(n)
    x2 = 1 - gamma
    x3 = log(x0)
    x4 = share(-alpha * x1 - x2 * x3 + log(a), gamma)
    x5 = x0 * x4
    x6 = c_inf + x5
    x7 = 1 - x4
    x8 = (1 - x4) / (gamma * x4 + x7)
    x9 = x4 * x8
    x10 = eps0 * x5 * x8
    return [
        eps0 * x6,
        x6,
        eps0 * (x2 * x9 + x7),
        x10 / a,
        -x1 * x10,
        eps0 * x0 * (x3 * x9 + x9 * log_rest(x4)),
    ]


def _broken_error(n: Any, a: Any, b: Any, c0: Any, c1: Any, d1: Any, f1: Any) -> Any:
    return a + b * n ** (-c0) * ((n / d1) ** (f1 ** (-1.0)) + 1) ** (-c1 * f1)


def _broken_gradient(n: Any, a: Any, b: Any, c0: Any, c1: Any, d1: Any, f1: Any) -> list[Any]:
    x0 = d1 ** (-1.0)
    x1 = n * x0
    x2 = f1 ** (-1.0)
    x3 = x1**x2
    x4 = x3 + 1
    x5 = n ** (-c0) * x4 ** (-c1 * f1)
    x6 = b * x5
    x7 = log(x4)
    x8 = x4 ** (-1.0)
    return [
        a + x6,
        1,
        x5,
        -x6 * log(n),
        -f1 * x6 * x7,
        c1 * x0 * x3 * x6 * x8,
        x6 * (c1 * x2 * x3 * x8 * log(x1) - c1 * x7),
    ]


def _broken2_error(
    n: Any, a: Any, b: Any, c0: Any, c1: Any, d1: Any, f1: Any, c2: Any, spacing: Any, f2: Any
) -> Any:
    x0 = n / d1
    return a + b * n ** (-c0) * (x0 ** (f1 ** (-1.0)) + 1) ** (-c1 * f1) * (
        (x0 / spacing) ** (f2 ** (-1.0)) + 1
    ) ** (-c2 * f2)


def _broken2_gradient(
    n: Any, a: Any, b: Any, c0: Any, c1: Any, d1: Any, f1: Any, c2: Any, spacing: Any, f2: Any
) -> list[Any]:
    x0 = d1 ** (-1.0)
    x1 = n * x0
    x2 = f1 ** (-1.0)
    x3 = x1**x2
    x4 = x3 + 1
    x5 = spacing ** (-1.0)
    x6 = x1 * x5
    x7 = f2 ** (-1.0)
    x8 = x6**x7
    x9 = x8 + 1
    x10 = n ** (-c0) * x4 ** (-c1 * f1) * x9 ** (-c2 * f2)
    x11 = b * x10
    x12 = log(x4)
    x13 = x4 ** (-1.0)
    x14 = x0 * x11
    x15 = x9 ** (-1.0)
    x16 = c2 * x15 * x8
    x17 = log(x9)
    return [
        a + x11,
        1,
        x10,
        -x11 * log(n),
        -f1 * x11 * x12,
        c1 * x13 * x14 * x3 + x14 * x16,
        x11 * (-c1 * x12 + c1 * x13 * x2 * x3 * log(x1)),
        -f2 * x11 * x17,
        x11 * x16 * x5,
        x11 * (c2 * x15 * x7 * x8 * log(x6) - c2 * x17),
    ]


def _cliff_error(n: Any, c_inf: Any, a: Any, alpha: Any, n_cliff: Any, gamma: Any) -> Any:
    return a * n ** (-alpha) * exp(-((n / n_cliff) ** gamma)) + c_inf


def _cliff_gradient(n: Any, c_inf: Any, a: Any, alpha: Any, n_cliff: Any, gamma: Any) -> list[Any]:
    x0 = n_cliff ** (-1.0)
    x1 = n * x0
    x2 = x1**gamma
    x3 = n ** (-alpha) * exp(-x2)
    x4 = a * x3
    x5 = x2 * x4
    return [c_inf + x4, 1, x3, -x4 * log(n), gamma * x0 * x5, -x5 * log(x1)]


def _pruning_error(density: Any, eps_np: Any, eps_up: Any, gamma: Any, p: Any) -> Any:
    x0 = density**2
    x1 = p**2
    return eps_np * ((x0 + x1 * (eps_up / eps_np) ** (2 / gamma)) / (x0 + x1)) ** ((1 / 2) * gamma)


def _pruning_gradient(density: Any, eps_np: Any, eps_up: Any, gamma: Any, p: Any) -> list[Any]:
    x0 = density**2
    x1 = p**2
    x2 = x0 + x1
    x3 = x2 ** (-1.0)
    x4 = eps_up / eps_np
    x5 = gamma ** (-1.0)
    x6 = x4 ** (2 * x5)
    x7 = x1 * x6
    x8 = x0 + x7
    x9 = x3 * x8
    x10 = (1 / 2) * gamma
    x11 = x9**x10
    x12 = eps_np * x11
    x13 = x8 ** (-1.0)
    x14 = x13 * x7
    x15 = 2 * p
    return [
        x12,
        -x11 * x14 + x11,
        x12 * x14 / eps_up,
        x12 * (-x14 * x5 * log(x4) + (1 / 2) * log(x9)),
        x10 * x12 * x13 * x2 * (x15 * x3 * x6 - x15 * x8 / x2**2),
    ]


def _joint_pruning_error(
    density: Any, depth: Any, width: Any, eps_np: Any, eps_up: Any, gamma: Any, p: Any, phi: Any, psi: Any
) -> Any:
    x0 = p**2
    x1 = density**2 * depth ** (2 * phi) * width ** (2 * psi)
    return eps_np * ((x0 * (eps_up / eps_np) ** (2 / gamma) + x1) / (x0 + x1)) ** ((1 / 2) * gamma)


def _joint_pruning_gradient(
    density: Any, depth: Any, width: Any, eps_np: Any, eps_up: Any, gamma: Any, p: Any, phi: Any, psi: Any
) -> list[Any]:
    x0 = p**2
    x1 = density**2 * depth ** (2 * phi) * width ** (2 * psi)
    x2 = x0 + x1
    x3 = x2 ** (-1.0)
    x4 = eps_up / eps_np
    x5 = gamma ** (-1.0)
    x6 = x4 ** (2 * x5)
    x7 = x0 * x6
    x8 = x1 + x7
    x9 = x3 * x8
    x10 = (1 / 2) * gamma
    x11 = eps_np * x9**x10
    x12 = x8 ** (-1.0)
    x13 = x12 * x7
    x14 = 2 * p
    x15 = x8 / x2**2
    x16 = x10 * x11 * x12 * x2
    x17 = log(depth)
    x18 = 2 * x1
    x19 = x18 * x3
    x20 = x15 * x18
    x21 = log(width)
    return [
        x11,
        x11 * x13 / eps_up,
        x11 * (-x13 * x5 * log(x4) + (1 / 2) * log(x9)),
        x16 * (-x14 * x15 + x14 * x3 * x6),
        x16 * (x17 * x19 - x17 * x20),
        x16 * (x19 * x21 - x20 * x21),
    ]


def _layer_pruning_error(
    remaining: Any, layers: Any, width: Any, eps_np: Any, eps_up: Any, gamma: Any, p: Any, psi: Any
) -> Any:
    x0 = p**2
    x1 = remaining**2 * width ** (2 * psi) / layers**2
    return eps_np * ((x0 * (eps_up / eps_np) ** (2 / gamma) + x1) / (x0 + x1)) ** ((1 / 2) * gamma)


def _layer_pruning_gradient(
    remaining: Any, layers: Any, width: Any, eps_np: Any, eps_up: Any, gamma: Any, p: Any, psi: Any
) -> list[Any]:
    x0 = p**2
    x1 = remaining**2 * width ** (2 * psi) / layers**2
    x2 = x0 + x1
    x3 = x2 ** (-1.0)
    x4 = eps_up / eps_np
    x5 = gamma ** (-1.0)
    x6 = x4 ** (2 * x5)
    x7 = x0 * x6
    x8 = x1 + x7
    x9 = x3 * x8
    x10 = (1 / 2) * gamma
    x11 = eps_np * x9**x10
    x12 = x8 ** (-1.0)
    x13 = x12 * x7
    x14 = 2 * p
    x15 = x8 / x2**2
    x16 = x10 * x11 * x12 * x2
    x17 = 2 * x1 * log(width)
    return [
        x11,
        x11 * x13 / eps_up,
        x11 * (-x13 * x5 * log(x4) + (1 / 2) * log(x9)),
        x16 * (-x14 * x15 + x14 * x3 * x6),
        x16 * (-x15 * x17 + x17 * x3),
    ]


def _finite_data_error(
    n: Any, u: Any, m: Any, E: Any, A: Any, B: Any, alpha: Any, beta: Any, r_n: Any, r_m: Any, P: Any
) -> Any:
    x0 = u ** (-1.0)
    x1 = n * x0
    x2 = (beta * log(u) + log(A * alpha) - log(B * beta)) / alpha
    return (
        A * (exp(x2) * counted_of(m * exp(-x2), r_m)) ** (-alpha)
        + B * (u * counted_of(x1, r_n)) ** (-beta)
        + E
        + P * m * x0 * excess_of(x1)
    )


def _finite_data_gradient(
    n: Any, u: Any, m: Any, E: Any, A: Any, B: Any, alpha: Any, beta: Any, r_n: Any, r_m: Any, P: Any
) -> list[Any]:
    x0 = u ** (-1.0)
    x1 = n * x0
    x2 = m * x0 * excess_of(x1)
    x3 = counted_of(x1, r_n)
    x4 = u * x3
    x5 = x4 ** (-beta)
    x6 = B * x5
    x7 = alpha ** (-1.0)
    x8 = log(u)
    x9 = A * alpha
    x10 = B * beta
    x11 = beta * x8 - log(x10) + log(x9)
    x12 = x11 * x7
    x13 = exp(x12)
    x14 = exp(-x12)
    x15 = m * x14
    x16 = counted_of(x15, r_m)
    x17 = x13 * x16
    x18 = x17 ** (-alpha)
    x19 = A * x18
    x20 = m * counted_slope_of(x15, r_m)
    x21 = A ** (-1.0)
    x22 = x16 ** (-1.0)
    x23 = x14 * x22
    x24 = x18 * x9
    x25 = x23 * x24
    x26 = x7 / B
    x27 = alpha ** (-2.0)
    x28 = x11 * x27 - x27
    x29 = x8 - 1 / beta
    return [
        E + P * x2 + x19 + x6,
        1,
        x18 - x25 * (x13 * x16 * x21 * x7 - x20 * x21 * x7),
        -x25 * (-x17 * x26 + x20 * x26) + x5,
        x19 * (-alpha * x23 * (-x17 * x28 + x20 * x28) - log(x17)),
        -x25 * (x13 * x16 * x29 * x7 - x20 * x29 * x7) - x6 * log(x4),
        -x10 * x5 * counted_growth_of(x1, r_n) / x3,
        -x22 * x24 * counted_growth_of(x15, r_m),
        x2,
    ]


def _sparse_training_error(
    density: Any, n: Any, m: Any, a_S: Any, b_S: Any, c_S: Any, b_N: Any, B: Any, b_D: Any, c: Any
) -> Any:
    return B * n ** (-b_D) + c + m ** (-b_N) * (a_S * density**b_S + c_S)


def _sparse_training_gradient(
    density: Any, n: Any, m: Any, a_S: Any, b_S: Any, c_S: Any, b_N: Any, B: Any, b_D: Any, c: Any
) -> list[Any]:
    x0 = n ** (-b_D)
    x1 = B * x0
    x2 = m ** (-b_N)
    x3 = density**b_S
    x4 = a_S * x3
    x5 = x2 * (c_S + x4)
    return [c + x1 + x5, x2 * x3, x2 * x4 * log(density), x2, -x5 * log(m), x0, -x1 * log(n), 1]


EQUATIONS: dict[type[Law], str] = {
    Dense: "error = eps0*(b/m**beta + c_inf + n**(-alpha))/sqrt(eta**2 + (b/m**beta + c_inf + n**(-alpha))**2)",
    Power: "error = a/n**alpha + c_inf",
    Envelope: "error = eps0*(c_inf + n**(-alpha))/sqrt(eta**2 + (c_inf + n**(-alpha))**2)",
    Chinchilla: "error = A/m**alpha + B/n**beta + E",
    Coupled: "error = E + ((A/m**alpha)**(1/k) + (B/n**beta)**(1/k))**k",
    CoupledDense: "error = eps0*e/sqrt(e**2 + eta**2), e = (n**(-alpha/k) + (b/m**beta)**(1/k))**k + c_inf",
    M4: "(u - c_inf)/(1 - u)**gamma = a/n**alpha, u = error/eps0",
    Broken: "error = a + b/(n**c0*((n/d1)**(1/f1) + 1)**(c1*f1))",
    Broken2: "error = a + b/(n**c0*((n/d1)**(1/f1) + 1)**(c1*f1)*((n/(d1*spacing))**(1/f2) + 1)**(c2*f2))",
    Cliff: "error = a*exp(-(n/n_cliff)**gamma)/n**alpha + c_inf",
    Pruning: "error = eps_np*((density**2 + p**2*(eps_up/eps_np)**(2/gamma))/(density**2 + p**2))**(gamma/2)",
    JointPruning: "error = eps_np*((density**2*depth**(2*phi)*width**(2*psi) + p**2*(eps_up/eps_np)**(2/gamma))/(density**2*depth**(2*phi)*width**(2*psi) + p**2))**(gamma/2)",
    LayerPruning: "error = eps_np*((p**2*(eps_up/eps_np)**(2/gamma) + remaining**2*width**(2*psi)/layers**2)/(p**2 + remaining**2*width**(2*psi)/layers**2))**(gamma/2)",
    FiniteData: "error = E + A/m'**alpha + B/n'**beta + P*(n/u - 1)*m/u",
    SparseTraining: "error = B/n**b_D + c + (a_S*density**b_S + c_S)/m**b_N",
}
"""{law: its equation}, as `errsrc.laws.derivatives.equation` returns it."""

ERRORS: dict[type[Law], Callable[..., Any]] = {
    Dense: _dense_error,
    Power: _power_error,
    Envelope: _envelope_error,
    Chinchilla: _chinchilla_error,
    Coupled: _coupled_error,
    CoupledDense: _coupled_dense_error,
    M4: _m4_error,
    Broken: _broken_error,
    Broken2: _broken2_error,
    Cliff: _cliff_error,
    Pruning: _pruning_error,
    JointPruning: _joint_pruning_error,
    LayerPruning: _layer_pruning_error,
    FiniteData: _finite_data_error,
    SparseTraining: _sparse_training_error,
}
"""{law: code of its formula}, as `errsrc.laws.derivatives.compiled_error` returns it."""

GRADIENTS: dict[type[Law], Callable[..., list[Any]]] = {
    Dense: _dense_gradient,
    Power: _power_gradient,
    Envelope: _envelope_gradient,
    Chinchilla: _chinchilla_gradient,
    Coupled: _coupled_gradient,
    CoupledDense: _coupled_dense_gradient,
    M4: _m4_gradient,
    Broken: _broken_gradient,
    Broken2: _broken2_gradient,
    Cliff: _cliff_gradient,
    Pruning: _pruning_gradient,
    JointPruning: _joint_pruning_gradient,
    LayerPruning: _layer_pruning_gradient,
    FiniteData: _finite_data_gradient,
    SparseTraining: _sparse_training_gradient,
}
"""{law: code of its formula and derivatives}, as `errsrc.laws.derivatives.compiled` returns it."""
