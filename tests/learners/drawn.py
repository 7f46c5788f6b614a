"""Random examples for the tests of learners."""

import numpy as np


def rng(seed=0):
    return np.random.default_rng(seed)


def draw(n, dim, outputs=2, seed=0):
    """Return normal inputs, labels and nine further inputs."""
    chance = rng(seed)
    return (
        chance.standard_normal((n, dim)),
        chance.standard_normal((n, outputs)),
        chance.standard_normal((9, dim)),
    )
