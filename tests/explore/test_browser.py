"""The offline page and the app, in Chromium: their sliders, their tabs, a dropped table, and both widths."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from errsrc.cli import main
from errsrc.explore import BandProblem, band_curve
from errsrc.explore.computations import N
from errsrc.explore.drawings import budget_texts

from .browser import CHROMIUM, Browser, chromium

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed to open pages in"),
    pytest.mark.skipif(importlib.util.find_spec("websockets") is None, reason="marimo is not installed"),
]
ROOT = Path(__file__).parents[2]
TERMS = ("noise", "realizability", "uncertainty", "deficiency")
DEEP = """
globalThis.deep = (css, root = document) => [
  ...root.querySelectorAll(css),
  ...[...root.querySelectorAll("*")].filter(e => e.shadowRoot).flatMap(e => deep(css, e.shadowRoot)),
];"""
"""Finds elements in the shadow trees of marimo's widgets too."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser."""
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


def shown(browser: Browser) -> list[str]:
    """What the table of the budget says: the terms, the total, and theory's total."""
    ids = [f"value-{name}" for name in (*TERMS, "total", "theory")]
    return list(browser.value(f"{json.dumps(ids)}.map(id => document.getElementById(id).textContent)"))


def fits(browser: Browser) -> bool:
    """Whether nothing is wider than the window."""
    return bool(browser.value("document.documentElement.scrollWidth <= innerWidth"))


def test_the_page_moves_opens_offline_and_fits_a_phone(
    browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert main(["explore", "--html", str(page)]) == 0
    assert capsys.readouterr().err == f"errsrc: wrote {page}\n"
    assert page.stat().st_size < 2e6
    browser.send("Network.enable")
    network = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.send("Network.emulateNetworkConditions", **network)
    for width in (1200, 400):
        browser.open(page.as_uri(), width)
        assert browser.value("getComputedStyle(document.getElementById('panel-law')).display") == "none"
        problem = {"size": 25, "noise": 0.3, "ridge": 0.0, "tail": 0.01}
        assert shown(browser) == budget_texts(band_curve(BandProblem(**problem)), N.index(33))[:6]
        moves: list[tuple[str, str, Any]] = [
            *(
                ("ridge", "ArrowRight", 0.1),
                ("size", "ArrowLeft", 13),
                ("tail", "End", 0.1),
                ("noise", "Home", 0.0),
            ),
            *(("tail", "Home", 0.0), ("ridge", "Home", 0.0)),
        ]
        for name, key, value in moves:
            browser.value(f"document.getElementById('{name}').focus()")
            browser.press(key)
            problem[name] = value
            assert browser.value(f"document.getElementById('{name}').ariaValueText") == f"{value:g}"
            curve = band_curve(BandProblem(**problem))
            assert shown(browser) == budget_texts(curve, N.index(33))[:6], problem
            assert browser.value("document.getElementById('cliff').textContent") == curve.cliff_sentence()
        assert curve.exact_from == 13
        assert fits(browser)
        browser.value("document.getElementById('tab-budget').focus()")
        browser.press("ArrowRight")
        assert browser.value("document.activeElement.id") == "tab-law"
        before = browser.value("document.getElementById('optimum-0').textContent")
        browser.value("document.getElementById('budgets').focus()")
        browser.press("End")
        assert browser.value("document.getElementById('optimum-0').textContent") != before
        line = browser.value("document.querySelector('#sizes-marker path').getAttribute('d')")
        assert line.startswith("M466V") or line.startswith("M466 ")
        assert fits(browser)
        browser.value("document.querySelector('details').open = true")
        assert fits(browser)
    assert browser.console == []
    browser.send("Network.emulateNetworkConditions", **network | {"offline": False})


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of the app, which ends without an error when the user presses Ctrl-C."""
    pytest.importorskip("marimo")
    command = [sys.executable, "-m", "errsrc", "explore", "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **streams) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            yield process.stdout.readline().split()[0]
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_the_app_moves_and_takes_a_table(
    browser: Browser, address: str, tmp_path: Path, runs: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    browser.console.clear()
    browser.send("Page.addScriptToEvaluateOnNewDocument", source=DEEP)
    (tmp_path / "good.csv").write_bytes(runs)
    (tmp_path / "bad.csv").write_text("a,b,c\n1,2,3\n")
    for width in (1200, 400):
        browser.open(address, width)
        browser.wait("document.getElementById('value-total') && deep('[role=slider]').length == 6")
        assert shown(browser) == budget_texts(band_curve(BandProblem()), N.index(33))[:6]
        for name, key in {"Ridge": "End", "Label noise": "Home", "Examples": "Home"}.items():
            browser.value(
                "deep('[role=slider]').find(one => one.getRootNode().getElementById(one.getAttribute("
                f"'aria-labelledby')).textContent.startsWith('{name}')).focus()"
            )
            browser.press(key)
        wanted = budget_texts(band_curve(BandProblem(noise=0.0, ridge=30.0)), 0)
        browser.wait(f"document.getElementById('value-deficiency').textContent == '{wanted[3]}'")
        browser.wait(f"document.getElementById('value-total').textContent == '{wanted[4]}'")
        assert fits(browser)
        browser.value("deep('[role=radio]')[1].click()")
        browser.wait("document.body.innerText.includes('240 runs of Hoffmann')")
        assert fits(browser)
        drop(browser, tmp_path / "good.csv")
        browser.wait("document.body.innerText.includes('Table: good.csv')")
        assert browser.value("document.getElementById('plan-0').textContent")
        assert fits(browser)
        drop(browser, tmp_path / "bad.csv")
        browser.wait("document.querySelector('[role=alert]')")
        said = browser.value("document.querySelector('[role=alert]').textContent")
        assert main(["fit", str(tmp_path / "bad.csv"), "--law", "chinchilla"]) == 2
        assert capsys.readouterr().err.replace(f"{tmp_path}/", "") == f"errsrc: {said}\n"
    assert browser.console == []


def drop(browser: Browser, path: Path) -> None:
    """Give a file to the app's upload area."""
    found = browser.send("Runtime.evaluate", expression="deep('input[type=file]')[0]")
    browser.send("DOM.setFileInputFiles", files=[str(path)], objectId=found["result"]["objectId"])
