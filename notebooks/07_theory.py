# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: -all
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
# ---

# %% [markdown]
# # The theory, derived and compared with the code
#
# **Claim.** The limits of the laws, and the terms of the budget, follow from their formulas: both asymptotes
# of the joint law and its crossover; the plateaus, slope and invariant of the pruning law; compute-optimal n
# and m; the Parseval tail; the Gaussian posterior and the best ridge. Each is derived here with sympy and
# compared with numbers from the code that fits and measures.

# %%
# %matplotlib inline
import numpy as np
import sympy
from matplotlib.figure import Figure
from sympy import Rational, diff, exp, integrate, limit, log, pi, simplify, solve, sqrt, symbols

from errsrc.bases import Torus
from errsrc.fitting import fit, plan
from errsrc.laws import Chinchilla, Dense, JointPruning, Pruning
from errsrc.laws.law import LETTERS, symbol
from errsrc.learners import Ridge
from errsrc.settings import Band, BandTeacher, Gaussian, LinearTeacher
from errsrc.sources import budget
from errsrc.theory import formulas, zipf_asymptote

checked = {}  # of each derivation: (derived, computed)
letters = {symbol(name): letter for name, letter in LETTERS.items()}


def written(*expressions):
    """Formulas as a figure, in the letters of the literature."""
    ax = Figure((9.5, 1.0)).subplots()
    ax.set_axis_off()
    texts = [f"${sympy.latex(one, symbol_names=letters)}$" for one in expressions]
    ax.text(0, 0.5, "          ".join(texts), size=15, va="center")
    return ax.figure


# %% [markdown]
# ## The joint law
# Rosenfeld et al. 2020, equations 4 and 5, as `errsrc.laws.Dense` defines it; n and m are in units of the
# full data set and the base model.

# %%
written(Dense.formula())

# %%
n, m, eps0, alpha, beta, b, c_inf, eta = map(symbol, ("n", "m", "eps0", "alpha", "beta", "b", "c_inf", "eta"))
r = symbol("r")  # the power laws' sum
law = eps0 * r / sqrt(r**2 + eta**2)
assert simplify(law.subs(r, n**-alpha + b * m**-beta + c_inf) - Dense.formula()) == 0
guess, power_laws = limit(law, r, sympy.oo), r * limit(law / r, r, 0)
written(guess, power_laws)  # the asymptotes: random guess, and the sum of power laws in units of eta

# %% [markdown]
# The two asymptotes cross where the sum is eta. There the law is 1 / sqrt 2 of both, and its slope in the sum
# is 1/2, half the slope of the power laws.

# %%
(crossover,) = solve(sympy.Eq(guess, power_laws), r)
slope = simplify(r * diff(log(law), r))
assert crossover == eta
assert simplify(law.subs(r, crossover) / eps0) == 1 / sqrt(2)
assert slope.subs(r, crossover) == Rational(1, 2)
n_crossover = solve(sympy.Eq(n**-alpha, eta), n)[0]  # where n alone matters
written(slope, n_crossover)

# %% [markdown]
# As n and m grow, the error tends to the floor.

# %%
floor = law.subs(r, c_inf)
one = Dense(eps0=0.9, alpha=0.5, beta=0.75, b=0.3, c_inf=0.02, eta=4.0)
numbers = {symbol(name): Rational(str(value)) for name, value in one.params.items()}
assert limit(limit(Dense.formula().subs(numbers), n, sympy.oo), m, sympy.oo) == floor.subs(numbers)
free = {**numbers, c_inf: 0}
lone = Dense(**{**one.params, "c_inf": 0.0})
far, near = 1e-30, 1e30
checked |= {
    "joint law, random guess": (float(guess.subs(numbers)), float(one.error(n=far, m=far))),
    "joint law, power laws": (
        float(power_laws.subs(r, n**-alpha + b * m**-beta).subs(free).subs({n: 10**8, m: 10**8})),
        float(lone.error(n=1e8, m=1e8)),
    ),
    "joint law, crossover": (0.9 / 2**0.5, float(lone.error(n=float(n_crossover.subs(free)), m=near))),
    "joint law, floor": (float(floor.subs(numbers)), float(one.error(n=near, m=near))),
}

# %% [markdown]
# ## The pruning law
# Rosenfeld et al. 2021: a plateau eps_np at high density, a power law, a plateau eps_up at low density.

# %%
written(Pruning.formula())

# %%
d, eps_np, eps_up, gamma, p = map(symbol, ("density", "eps_np", "eps_up", "gamma", "p"))
pruned = Pruning.formula()
assert simplify(limit(pruned, d, sympy.oo) - eps_np) == 0
assert simplify(sympy.powdenest(pruned.subs(d, 0), force=True) - eps_up) == 0
between = eps_up * (p / d) ** gamma  # where neither plateau matters
elbow = solve(sympy.Eq(between, eps_np), d)[0]
top = solve(sympy.Eq(between, eps_up), d)[0]
written(between, simplify(elbow), top)

# %% [markdown]
# At a density s times above p and s times below the elbow, the slope is gamma (s^2 - 1) / (s^2 + 1). It is
# gamma itself only if the plateaus are far apart.

# %%
steepness = simplify(-d * diff(log(pruned), d))
apart = symbol("s")
middle = simplify(steepness.subs(eps_up, eps_np * apart ** (2 * gamma)).subs(d, apart * p))
assert simplify(middle - gamma * (apart**2 - 1) / (apart**2 + 1)) == 0
assert limit(middle, apart, sympy.oo) == gamma
written(middle)

# %% [markdown]
# In the joint law, the error depends on depth, width and density through one number. It is constant on
# surfaces of constant depth^phi width^psi density.

# %%
depth, width, phi, psi = map(symbol, ("depth", "width", "phi", "psi"))
joint = JointPruning.formula()
along_depth = depth * diff(joint, depth) - phi * d * diff(joint, d)
along_width = width * diff(joint, width) - psi * d * diff(joint, d)
assert simplify(along_depth) == simplify(along_width) == 0
assert simplify(joint.subs(d, d / (depth**phi * width**psi)) - pruned) == 0

# %%
cut = Pruning(eps_np=0.05, eps_up=0.9, gamma=1.25, p=1e-4)
numbers = {symbol(name): Rational(str(value)) for name, value in cut.params.items()}
middle_density = float(sqrt(elbow * top).subs(numbers))
h = 1e-4
measured = -np.diff(np.log(cut.error(density=middle_density * np.exp([-h, h]))))[0] / (2 * h)
checked |= {
    "pruning law, dense plateau": (0.05, float(cut.error(density=1e9))),
    "pruning law, sparse plateau": (0.9, float(cut.error(density=1e-12))),
    "pruning law, slope": (float(steepness.subs(numbers).subs(d, middle_density)), float(measured)),
}
print(f"slope in the middle {measured:.4f}, gamma {cut.gamma}")

# %% [markdown]
# ## Compute-optimal n and m
# The smallest A m^-alpha + B n^-beta at a cost of C = 6 n m flops (Hoffmann et al. 2022, equation 4),
# compared with the planner, which searches numerically. The joint law is an increasing function of such a
# sum, so its optimal n and m have the same form.

# %%
A, B, E, C, G = map(symbol, ("A", "B", "E", "C", "G"))
spent = A * m**-alpha + B * (C / (6 * m)) ** -beta
falls, rises = alpha * A * m**-alpha, beta * B * (C / (6 * m)) ** -beta  # what a larger m gains, and costs
assert simplify(m * diff(spent, m) + falls - rises) == 0
m_best = G * (C / 6) ** (beta / (alpha + beta))
n_best = (C / 6) ** (alpha / (alpha + beta)) / G
weight = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
balance = (log(falls) - log(rises)).subs(m, m_best).subs(G, weight)
assert simplify(sympy.expand_log(balance, force=True)) == 0
written(n_best, m_best, weight)

# %%
law = Chinchilla(E=1.7, A=400.0, alpha=0.34, B=410.0, beta=0.28)
axes = np.meshgrid(np.geomspace(1e8, 1e11, 6), np.geomspace(1e6, 1e10, 6))
grid = {name: axis.ravel() for name, axis in zip("nm", axes, strict=True)}
fitted = fit(Chinchilla, law.error(**grid), **grid)
spend = 1e21
numbers = {symbol(name): value for name, value in law.params.items()} | {C: spend}
best = plan(fitted, budget=spend)
checked |= {
    "compute-optimal n": (float(n_best.subs(G, weight).subs(numbers)), best.n.estimate),
    "compute-optimal m": (float(m_best.subs(G, weight).subs(numbers)), best.m.estimate),
}

# %% [markdown]
# ## The Parseval tail
# The teacher has frequencies up to 3 and the class has frequencies up to 1. The best member of the class has
# the teacher's own coefficients, and its error is the sum of the squares of the other coefficients.
# Realizability is the prior variance of these.

# %%
x = symbols("x", real=True)
waves = [sympy.Integer(1), *(sqrt(2) * f(k * x) for k in (1, 2, 3) for f in (sympy.cos, sympy.sin))]
c, a = symbols("c:7", real=True), symbols("a:3", real=True)
teacher = sum(ck * wave for ck, wave in zip(c, waves, strict=True))
member = sum(ak * wave for ak, wave in zip(a, waves, strict=False))
distance = simplify(integrate(sympy.expand((teacher - member) ** 2), (x, 0, 2 * pi)) / (2 * pi))
closest = solve([diff(distance, ak) for ak in a], a, dict=True)[0]
tail = sympy.expand(distance.subs(closest))
assert closest == dict(zip(a, c, strict=False))
written(tail)

# %%
setting = BandTeacher(Torus(3), decay=1.5)
expected = tail.subs({ck**2: v for ck, v in zip(c, setting.variances, strict=True)})  # E c^2 is the variance
checked["Parseval tail"] = (float(expected), setting.realizability(Band(Torus(1))).estimate)

# %% [markdown]
# ## The Gaussian posterior, and the best ridge
# One weight w with prior variance v, n inputs with mean square q / n, and noise of variance s. The posterior
# is the Gaussian whose exponent is the sum of the exponents of prior and likelihood.

# %%
w, v, q, s, lam, xy = (symbols(name, positive=True) for name in ("w", "v", "q", "s", "lambda", "xy"))
exponent = -(w**2) / (2 * v) - (q * w**2 - 2 * xy * w) / (2 * s)
(mean,) = solve(diff(exponent, w), w)
variance = simplify(-1 / diff(exponent, w, 2))  # per unit input: the uncertainty
normal = exp(-((w - mean) ** 2) / (2 * variance))
assert simplify(diff(log(normal) - exponent, w)) == 0
written(mean, variance)

# %% [markdown]
# Ridge regression predicts w^ = xy / (q + lambda), where xy is q w plus noise of variance q s. Its excess
# risk is the uncertainty plus a square, which is 0 only for the ridge s / v, noise over prior variance.

# %%
shrunk = q / (q + lam)
risk = (1 - shrunk) ** 2 * v + (1 / (q + lam)) ** 2 * q * s
deficiency = sympy.factor(risk - variance)
assert solve(diff(risk, lam), lam) == [s / v]
assert simplify(deficiency.subs(lam, s / v)) == 0
written(deficiency)

# %%
inputs = np.random.default_rng(0).standard_normal((10, 1))
found = budget(LinearTeacher(1, channel=Gaussian(0.5)), Ridge(3.0), 10, x=inputs)
numbers = {v: 1, q: float((inputs**2).sum()), s: 0.25, lam: 3}
checked |= {
    "Gaussian posterior": (float(variance.subs(numbers)), found.uncertainty.lower.estimate),
    "deficiency of a ridge": (float(deficiency.subs(numbers)), found.deficiency.lower.estimate),
}

# %% [markdown]
# In many dimensions, with inputs X, the posterior covariance is (V^-1 + X'X / s)^-1. The uncertainty is its
# trace, weighted by the variances of the inputs.

# %%
many = LinearTeacher(3, input_decay=1.0, channel=Gaussian(0.5))
inputs = many.inputs(5, np.random.default_rng(1))
exact = sympy.Matrix(inputs.tolist())
prior = sympy.diag(*many.weight_variances.tolist())
covariance = (prior.inv() + exact.T * exact / 0.25).inv()
found = budget(many, Ridge(0.25), 5, x=inputs)
uncertainty = (covariance * sympy.diag(*many.eigenvalues.tolist())).trace()
checked["Gaussian posterior, three weights"] = (float(uncertainty), found.uncertainty.lower.estimate)

# %% [markdown]
# ## Learning curves
# `errsrc.theory.formulas` has the known learning curves. Memory has a power law with exponent decay / (1 +
# decay); the excess risk of least squares is the noise times about dim / n; many random features have the
# risk of the kernel.

# %%
letters |= {formulas.EIGENVALUES.label: "e", formulas.TARGET.label: "{c^2}", formulas.NOISE: r"\sigma^2"}
letters[formulas.DECAY] = r"\alpha"
written(formulas.kernel_regression(), formulas.zipf_asymptote())

# %%
curve = formulas.zipf_asymptote()
exponent = simplify(-formulas.N * diff(log(curve), formulas.N))
sizes = np.array([1e3, 2e3])
local = -np.diff(np.log(zipf_asymptote(sizes, 0.7)))[0] / np.log(2)
checked["exponent of memory"] = (float(exponent.subs(formulas.DECAY, 0.7)), float(local))
enough = formulas.least_squares().args[0].expr
dim, outside = symbols("dim outside", positive=True)
assert simplify(limit(formulas.N * enough.subs(outside, 0), formulas.N, sympy.oo) - dim * formulas.NOISE) == 0
one_mode = {formulas.M: 1}
features = formulas.random_features().subs(one_mode).doit()
kernel = formulas.kernel_regression().subs(one_mode).doit().subs(formulas.KAPPA, formulas.N * formulas.SCALE)
assert simplify(limit(features, formulas.MODEL, sympy.oo) - kernel) == 0
written(exponent)

# %% [markdown]
# ## The claim holds

# %%
for name, (derived, computed) in checked.items():
    print(f"{name:34} {derived:<12.6g} {computed:.6g}")
    assert abs(computed / derived - 1) < 1e-5, name
assert len(checked) == 14
