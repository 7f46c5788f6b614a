"""Spectra and sizes that several tests draw."""

import numpy as np
from hypothesis import strategies as st

sizes = st.floats(0.5, 300)
values = st.floats(1e-4, 1e2)
spectra = st.integers(1, 8).flatmap(
    lambda count: st.tuples(
        *(st.lists(values, min_size=count, max_size=count).map(np.array) for _ in range(2))
    )
)
ridges = st.one_of(st.just(0.0), st.floats(1e-6, 1e2))
noises = st.one_of(st.just(0.0), st.floats(1e-3, 10))
POWER = np.arange(1.0, 3001)
