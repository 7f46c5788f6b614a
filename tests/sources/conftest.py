"""Tests of budgets save the time of the further draws that learners of the user's own would have."""

import pytest

from errsrc.sources import exact


@pytest.fixture(autouse=True)
def _few_further_draws(monkeypatch):
    monkeypatch.setattr(exact, "LONGEST", 0.0)
