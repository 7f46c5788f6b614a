"""Any file is fitted or refused: exit 0, 1 or 2, one sentence for a failure, no warning, no traceback."""

from __future__ import annotations

from pathlib import Path

import fuzz
import pytest


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (0, 5),
        pytest.param(5, 65, marks=pytest.mark.full),
        pytest.param(0, 10_000, marks=pytest.mark.slow),
    ],
)
def test_random_tables_are_fitted_or_refused(tmp_path: Path, first: int, last: int) -> None:
    assert fuzz.run(first, last, tmp_path) == []
