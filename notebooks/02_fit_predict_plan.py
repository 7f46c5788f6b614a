# %% [markdown]
# # Fit, predict and plan from your own measurements
#
# **Claim.** From sixteen small trainings the joint law tells what larger ones will reach, with intervals that
# are honest about what sixteen trainings can't know, and it can be asked the other way round: what does an
# error of 0.25 cost?

# %%
import numpy as np

from errsrc.laws import Dense, fit, plan

# %% [markdown]
# Measurements that stand in for yours: a table of data size n, model size m and test error.

# %%
n, m = (x.ravel() for x in np.meshgrid([1e3, 2e3, 4e3, 8e3], [1e4, 4e4, 16e4, 64e4]))
truth = Dense(eps0=0.9, alpha=0.5, beta=0.6, b=0.3, c_inf=0.5, eta=4.0, n_full=8e3, m_base=64e4)
error = truth.error(n=n, m=m) * np.exp(0.02 * np.random.default_rng(0).standard_normal(16))

# %% [markdown]
# One call fits. The random-guess error is known (ten classes), so it is held. What the points do not
# determine is said so: here the floor, of which only an upper bound is known.

# %%
result = fit(Dense, error, n=n, m=m, fixed={"eps0": 0.9})
for name, interval in result.intervals.items():
    print(f"{name:6} {interval}")
print(*result.warnings, sep="\n")

# %% [markdown]
# A prediction is for one new run, with its noise; a plan inverts it.

# %%
ahead = result.predict(n=[16e3, 32e3], m=1e6)
for name, column in ahead.columns().items():
    print(f"{name:10}", column.round(3))
answer = plan(result, error=0.25)
print("n", answer.n, " m", answer.m, " flops", answer.cost, " floor", answer.floor)

# %% [markdown]
# **Held.** The truth lies in the intervals, the floor is reported as a bound, and the plan's answer is
# predicted to reach the target.

# %%
actual = truth.error(n=np.array([16e3, 32e3]), m=1e6)
assert np.all((ahead.low < actual) & (actual < ahead.high))
assert not result.intervals["c_inf"].determined
reached = result.predict(n=answer.n.estimate, m=answer.m.estimate)
assert abs(float(reached.predicted) - 0.25) < 1e-4
