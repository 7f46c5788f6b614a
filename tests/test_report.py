"""The report is one file that opens offline, says what it was given, and escapes it."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from errsrc import report
from errsrc.laws import Dense
from errsrc.laws.holdout import Holdout, holdout

LAW = Dense(eps0=0.9, alpha=0.4, beta=0.6, b=0.2, c_inf=0.02, eta=4.0, n_full=16_000, m_base=64_000)


class Page(HTMLParser):
    """Collects what a page would load, its figures and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.images = 0
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.images += tag == "img"
        self.loads += [
            value for name, value in attrs if name in ("src", "href", "srcset", "action") and value
        ]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def result() -> Holdout:
    n, m, _ = (
        x.ravel()
        for x in np.meshgrid(500 * 2.0 ** np.arange(6), 1000 * 4.0 ** np.arange(4), [0, 1], indexing="ij")
    )
    error = LAW.error(n=n, m=m) * np.exp(np.random.default_rng(3).normal(0.0, 0.02, len(n)))
    return holdout(Dense, error, fixed={"eps0": 0.9}, n=n, m=m)


@pytest.fixture(scope="module")
def page(result: Holdout) -> Page:
    text = report.holdout_page(
        "A <b>title", result, {"data": "x & y"}, ["One <run> left out."], "errsrc demo > here"
    )
    return Page(text)


def test_the_page_loads_nothing_from_anywhere(page: Page) -> None:
    assert page.images >= 4  # three figures and the formula
    assert all(load.startswith(("data:", "#")) for load in page.loads)
    assert "script" not in page.tags
    assert "link" not in page.tags


def test_the_page_escapes_what_it_is_given(page: Page) -> None:
    assert "b" not in page.tags
    text = "".join(page.words)
    for given in ("A <b>title", "x & y", "One <run> left out.", "errsrc demo > here"):
        assert given in text


def test_the_page_states_the_verdict_and_every_held_out_cell(result: Holdout, page: Page) -> None:
    text = "".join(page.words)
    assert report.verdict(result) in text
    for k in range(len(result.held_out)):
        assert result.held_out.texts(k)[1] in text
    for name, interval in result.forecast.intervals.items():
        assert name in text
        assert str(interval) in text


def test_the_verdict_says_which_runs_fell_outside(result: Holdout) -> None:
    k = result.largest
    runs = list(result.held_out.runs)
    runs[k] = runs[k] * np.array([1.0, 3.0])
    worse = replace(result, held_out=replace(result.held_out, runs=tuple(runs)))
    assert "1 of 2 outside the interval" in report.verdict(worse)
    assert "outside" not in report.verdict(result)


def test_many_runs_are_shown_by_their_range(result: Holdout) -> None:
    runs = tuple(np.linspace(0.9, 1.1, 6) * e.mean() for e in result.held_out.runs)
    many = replace(result, held_out=replace(result.held_out, runs=runs))
    assert " to " in report.verdict(many)
    assert "in 6 runs" in report.verdict(many)
    assert " to " not in report.verdict(result)


def test_a_miss_is_said_with_its_limit(result: Holdout, page: Page) -> None:
    runs = tuple(e / 1.2 for e in result.held_out.runs)
    worse = Page(report.holdout_page("t", replace(result, held_out=replace(result.held_out, runs=runs)), {}))
    said = "".join(worse.words)
    assert "not within all limits: held out: |mean| of the divergence" in said
    assert "missed" in said
    assert "missed" not in "".join(page.words)
