"""A report is one file that opens offline, escapes what it was given, and tells how to draw it again."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from errsrc import report, studies
from errsrc.cli import main
from errsrc.fitting import Holdout, fit, holdout
from errsrc.fitting.anomalies import FLAT
from errsrc.fitting.few_sizes import OpenLaw
from errsrc.laws import Dense, JointPruning
from errsrc.report import pruned as pruned_page
from errsrc.report.holdout import verdicts
from errsrc.studies import FinishedStudy, load_study, trained
from errsrc.studies import pruned as pruned_studies
from errsrc.studies.budgets import budget_from_row
from errsrc.sweeps import Store
from errsrc.sweeps.runner import code_version, compute_batch
from errsrc.tasks import language

LAW = Dense(eps0=0.9, alpha=0.4, beta=0.6, b=0.2, c_inf=0.02, eta=4.0, n_full=16_000, m_base=64_000)


class Page(HTMLParser):
    """Collects what a page would load, its figures and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.blocks: list[str] = []
        self.feed(text)
        self.text = "".join(self.words)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.images += [dict(attrs)] if tag == "img" else []
        self.blocks += [""] if tag == "pre" else []
        self.loads += [
            value for name, value in attrs if name in ("src", "href", "srcset", "action") and value
        ]

    def handle_data(self, data):
        self.words.append(data)
        if self.tags and self.tags[-1] == "pre":
            self.blocks[-1] += data


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


@pytest.mark.full
def test_the_page_loads_nothing_from_anywhere(page: Page) -> None:
    assert len(page.images) >= 4  # three figures and the formula
    assert all(load.startswith(("data:", "#")) for load in page.loads)
    assert "script" not in page.tags
    assert "link" not in page.tags


@pytest.mark.full
def test_the_page_escapes_what_it_is_given(page: Page) -> None:
    assert "b" not in page.tags
    text = page.text
    for given in ("A <b>title", "x & y", "One <run> left out.", "errsrc demo > here"):
        assert given in text


def test_the_page_states_the_verdict_and_every_held_out_cell(result: Holdout, page: Page) -> None:
    text = page.text
    assert report.holdout_verdict(result) in text
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
    assert "1 of 2 outside the interval" in report.holdout_verdict(worse)
    assert not verdicts(worse)[-2][1]
    runs = [10 * e if cell != k else e for cell, e in enumerate(result.held_out.runs)]
    others = replace(result, held_out=replace(result.held_out, runs=tuple(runs)))
    assert [yes for _, yes in verdicts(others)] == [True, False]  # the flag of a cell is about this cell
    assert "outside" not in report.holdout_verdict(result)


def test_no_prediction_of_an_undetermined_law_came_true(result: Holdout) -> None:
    assert all(yes for _, yes in verdicts(result))
    notes = (OpenLaw("The measured sizes do not determine the law."), f"{FLAT} with n: exponent 0.")
    said = verdicts(replace(result, forecast=replace(result.forecast, warnings=notes, determined=False)))
    assert [yes for _, yes in said] == [False, False, True, False]
    assert said[1][0] == f"Among the fitted cells (n ≤ 4,000, m ≤ 16,000): {notes[1]}"
    assert said[-1][0].startswith("The prediction is within the limits, but the law is not determined")


def test_many_runs_are_shown_by_their_range(result: Holdout) -> None:
    runs = tuple(np.linspace(0.9, 1.1, 6) * e.mean() for e in result.held_out.runs)
    many = replace(result, held_out=replace(result.held_out, runs=runs))
    assert " to " in report.holdout_verdict(many)
    assert "in 6 runs" in report.holdout_verdict(many)
    assert " to " not in report.holdout_verdict(result)


@pytest.mark.full
def test_a_miss_is_said_with_its_limit(result: Holdout, page: Page) -> None:
    runs = tuple(e / 1.2 for e in result.held_out.runs)
    worse = Page(report.holdout_page("t", replace(result, held_out=replace(result.held_out, runs=runs)), {}))
    said = worse.text
    assert "not within all limits: held out: |mean| of the divergence" in said
    assert "of the held-out runs lie in their 90% intervals." in said
    assert "missed" in said
    assert "missed" not in page.text


# Studies of each kind, in a store as a run leaves it, and their pages.

DENSITIES = 0.8 ** np.arange(17)
PRUNED = JointPruning(eps_up=0.9, gamma=1.1, p=0.05, phi=0.7, psi=0.9)

SPECS = {
    "vision": """
        kind = "vision"
        seeds = 2
        cell = {dataset = "digits", family = "mlp", validation = 397}
        [factors]
        n = [22, 45, 90, 180, 360, 720]
        width = [4, 8, 16, 32, 64, 128]
    """,
    "language": """
        kind = "language"
        cell = {corpus = "texts", family = "neural-ngram", context = 8}
        [factors]
        n = [4096, 8192, 16384, 32768, 65536]
        width = [4, 8, 16, 32, 64, 128]
    """,
    "pruning": """
        kind = "pruning"
        cell = {dataset = "digits", family = "mlp", validation = 397, n = 500, steps = 100}
        [factors]
        depth = [1, 2, 4]
        width = [8, 16, 32]
    """,
    "budget": """
        kind = "budget"
        cell.draws = 4
        [factors]
        n = [2, 3, 4, 5, 8, 16]
        [[factors.case]]
        setting = {kind = "linear-teacher", dim = 4}
        learner = {kind = "minimum-norm"}
        [[factors.case]]
        setting = {kind = "linear-teacher", dim = 4, channel = {kind = "gaussian", noise_std = 0.5}}
        learner = {kind = "ridge", ridge = 1.0}
    """,
    "threshold": """
        kind = "threshold"
        [cell]
        draws = 5
        ratios = [0.5, 1.0, 2.0]
        setting = {kind = "band-teacher", basis = {kind = "torus", degree = 2}}
        [factors]
        learner = [{kind = "band-least-squares", basis = {kind = "torus", degree = 2}}, {kind = "neighbours"}]
    """,
    "search": """
        kind = "search"
        cell = {examples = 60, region = {domains = ["torus"], most = 9}}
        factors = {claim.threshold = [1.0, 0.7]}
    """,
    "recovery": """
        kind = "recovery"
        seeds = 3
        [cell]
        law = {kind = "power", c_inf = 0.1, a = 2.0, alpha = 0.5}
        noise = 0.02
        n = [100, 200, 400, 800, 1600]
    """,
}
"""A study of each kind that has a page of its own, and of one that has not."""


def of_the_law(cells: Sequence[Any]) -> list[dict[str, Any]]:
    """Outcomes of trained networks that follow a law, for which nothing is trained."""
    rng, out = np.random.default_rng(5), []
    for cell in cells:
        words = isinstance(cell, language.LanguageCell)
        m = cell.network().non_embedding if words else cell.parameters
        error = float(LAW.error(n=cell.n, m=m)) * float(np.exp(rng.normal(0.0, 0.02)))
        lost = (cell.n, cell.width, cell.seed) == (22, 4, 1)
        row = {"m": m, "error": error, "loss": 3 * error, "non_embedding": m, "diverged": lost}
        out.append(row)
    return out


def pruned(cells: Sequence[Any]) -> list[dict[str, Any]]:
    """Outcomes of pruned networks that follow the joint law, for which nothing is trained."""
    out, noise = [], np.random.default_rng(6)
    for cell in cells:
        eps_np = 0.1 / np.sqrt(cell.depth * cell.width)
        sizes = {"depth": cell.depth, "width": cell.width, "eps_np": eps_np}
        error = PRUNED.error(density=DENSITIES, **sizes) * np.exp(noise.normal(0.0, 0.01, len(DENSITIES)))
        curve = {"level": np.arange(len(DENSITIES)), "density": DENSITIES, "error": error}
        out.append({"m": 1000, "prunable": 900, "error": error[0], "diverged": False, "curve": curve})
    return out


STAND_INS = {"vision": of_the_law, "language": of_the_law, "pruning": pruned}


def computed(kind: str, folder: Path, left: int = 0) -> str:
    """Write a study and its store into a folder, all but the last `left` cells finished; return its name."""
    name = f"{kind}.toml"
    (folder / name).write_text(SPECS[kind])
    study = studies.load(folder / name)
    compute = STAND_INS.get(kind, study.kind.compute)
    cells = list(study)[: len(study) - left]
    with Store(folder / f"{kind}.db", write=True) as store:
        rows = compute_batch(compute, study.kind.packages, code_version(), cells)
        assert isinstance(rows, list), rows
        store.finish(study, enumerate(rows))
    return name


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The page of a study of each kind, and the folder where the studies lie."""
    folder = tmp_path_factory.mktemp("studies")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind in SPECS:
            assert main(["report", computed(kind, folder)]) == 0
    return folder, {kind: (folder / f"{kind}.html").read_text() for kind in SPECS}


@pytest.mark.full
@pytest.mark.parametrize("kind", SPECS)
def test_a_studys_page_loads_nothing_and_puts_verdicts_first(pages: Any, kind: str) -> None:
    folder, texts = pages
    found = Page(texts[kind])
    assert all(load.startswith("data:image/svg+xml;base64,") for load in found.loads)
    assert {"script", "link", "iframe", "object"}.isdisjoint(found.tags)
    style = texts[kind].partition("<style>")[2].partition("</style>")[0]
    assert "figure img" in style
    assert "url(" not in style
    assert "@import" not in style
    assert all(image["alt"] for image in found.images)
    verdict, first = texts[kind].index('<p class="lead'), min(map(texts[kind].index, ("<h2>", "<table>")))
    assert verdict < first
    for said in (
        f"errsrc report {kind}.toml",
        f"errsrc run {kind}.toml",
        (folder / f"{kind}.toml").read_text(),
    ):
        assert said in found.text
    assert "not finished" not in found.text


@pytest.mark.full
@pytest.mark.parametrize("kind", sorted(set(SPECS) - {"recovery"}))
def test_the_code_on_a_page_draws_its_figures(
    pages: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, texts = pages
    found = Page(texts[kind])
    shown = [image for image in found.images if str(image["alt"]).startswith("Figure ")]
    (script,) = (block for block in found.blocks if "load_study" in block)
    for part in (f"{kind}.toml", f"{kind}.db"):
        shutil.copy(folder / part, tmp_path)
    monkeypatch.chdir(tmp_path)
    exec(compile(script, kind, "exec"), {})
    assert shown
    assert len(list(tmp_path.glob("figure_*.svg"))) == len(shown)
    for number, image in enumerate(shown, 1):
        drawn = base64.b64encode((tmp_path / f"figure_{number}.svg").read_bytes()).decode()
        assert image["src"] == f"data:image/svg+xml;base64,{drawn}"


@pytest.mark.full
def test_a_vision_page_has_the_law_of_the_small_cells_and_names_what_was_left_out(pages: Any) -> None:
    folder, texts = pages
    study, text = studies.load(folder / "vision.toml"), Page(texts["vision"]).text
    with Store(folder / "vision.db") as store:
        rows = [row for row in store.rows(study) if not row["diverged"]]
    n, m, error = (np.array([row[name] for row in rows], dtype=float) for name in ("n", "m", "error"))
    small = (n <= n.max() / 4) & (m <= m.max() / 4)
    law = fit(Dense, error[small], n=n[small], m=m[small], fixed={"eps0": 0.9})
    assert 0 < small.sum() < len(small)
    for interval in law.intervals.values():
        assert str(interval) in text
    assert "Left out: n = 22, width 4, seed 1: its training diverged." in text
    assert "72 vision cells" in text
    every = fit(Dense, error, n=n, m=m, fixed={"eps0": 0.9})
    said = text.partition("The law of all cells")[2].partition("Fitted cells")[0]
    for name, interval in every.intervals.items():
        assert name in said
        assert str(interval) in said
    assert "alpha (exponent of n)" in said


def test_trainings_that_end_at_the_last_step_are_counted() -> None:
    row = {"steps": 100, "best_step": 100, "diverged": False, "n": 60}
    rows = [row, row | {"diverged": True}, *[row | {"best_step": 60, "n": n} for n in (60, *[30] * 8)]]
    (said,) = trained.unconverged(rows)
    assert said.startswith("1 of 10 trainings was still improving at the last step (1 of 2 with n = 60): ")
    assert said.endswith("Raise steps; trainings that stop earlier do not change.")
    assert trained.unconverged(rows[1:]) == trained.unconverged([{"n": 3}]) == ()
    (said,) = trained.unconverged([row | {"m": "large"}, row | {"m": 5}, row | {"n": "few"}])
    assert "were still improving at the last step: " in said


def test_trainings_that_are_best_at_the_start_are_counted() -> None:
    row = {"steps": 200, "best_step": 50, "recipe.warmup": 50, "recipe.evaluation_interval": 10}
    late = row | {"best_step": 60}
    (said,) = trained.best_early([row, row, *[late] * 4])
    assert said.startswith("2 of 6 trainings were best within the first 50 steps: ")
    assert said.endswith(
        "Use a larger validation set, or lower recipe.learning_rate and raise steps by the same factor."
    )
    sizes = [
        one | {"error": 0.5, "n": n, "m": 9}
        for one, n in zip([row, row, *[late] * 4], [5, 5, *[60] * 4], strict=True)
    ]
    (said,) = trained.best_early(sizes)
    assert said.startswith(
        "2 of 6 trainings were best within the first 50 steps (2 of 2 with n = 5): no later "
    )
    assert 'Set recipe.validation_metric = "error"' in said
    (said,) = trained.unconverged([one | {"best_step": 200, "m": k} for k, one in enumerate(sizes)])
    assert "(4 of 4 with n = 60, 2 of 2 with n = 5; m = 0 to 5): " in said
    others = row | {"diverged": True}, row | {"recipe.optimiser": "lbfgs"}, row | {"steps": 100}, {"n": 3}
    assert trained.best_early([row, *[late] * 3, *others]) == ()


@pytest.mark.full
def test_laws_are_fitted_apart_by_what_is_no_size() -> None:
    spec = SPECS["vision"].replace("[factors]", "[factors]\nrecipe.batch = [32, 64]")
    study = studies.parse(spec)
    rows = [{"n": cell.n, **one} for cell, one in zip(study, of_the_law(list(study)), strict=True)]
    finished = FinishedStudy(study, list(study), rows, [{}] * len(rows), {}, [], Path("study.db"))
    assert [family.label for family in trained.families(finished)] == ["recipe.batch 32", "recipe.batch 64"]


@pytest.mark.full
def test_a_budget_page_has_every_term(pages: Any) -> None:
    folder, texts = pages
    text = Page(texts["budget"]).text
    with Store(folder / "budget.db") as store:
        budgets = [budget_from_row(row) for row in store.rows()]
    for one in budgets:
        seen = one.rounded
        for said in (seen.noise, seen.realizability, seen.uncertainty, seen.deficiency, seen.total):
            assert str(said) in text
    assert "the risk is 0 to rounding" in text  # the interpolator at n = 16, without noise
    assert "0 also stands for values up to 1e-12 of the target variance" in text
    assert not re.search(r"e-[23]\d", text)


@pytest.mark.full
def test_a_pruning_page_has_the_law_that_the_networks_follow(pages: Any) -> None:
    folder, texts = pages
    study, text = studies.load(folder / "pruning.toml"), Page(texts["pruning"]).text
    (found,) = pruned_studies.families(load_study(folder / "pruning.toml"))
    assert f"{len(study) * len(DENSITIES)} levels of 9 networks" in text
    assert "within the 2% and 6%" in text
    for interval in found.joint.intervals.values():
        assert str(interval) in text
    for name in ("gamma", "phi", "psi"):
        assert found.joint.law.params[name] == pytest.approx(PRUNED.params[name], rel=0.1)


@pytest.mark.full
def test_pruned_networks_that_all_diverged_are_named(pages: Any) -> None:
    folder, _ = pages
    found = load_study(folder / "pruning.toml")
    lost = pruned_page.content(replace(found, rows=[{**row, "diverged": True} for row in found.rows]))
    assert lost.verdicts == [("No joint law: every training diverged.", False)]
    assert len(lost.warnings) == len(found.rows)


@pytest.mark.slow
def test_levels_that_pruning_has_cut_are_left_out_of_the_law_and_named(pages: Any) -> None:
    folder, _ = pages
    found = load_study(folder / "pruning.toml")
    cut = [{**curve, "constant": np.arange(len(curve["level"])) >= 5} for curve in found.curves]
    cut = [{**curve, "dead_layers": curve["constant"].astype(float)} for curve in cut]
    page = pruned_page.content(replace(found, curves=cut))
    said = [note for note in page.warnings if "a layer has no weights left" in note]
    assert len(said) == len(found.rows)
    (family,) = pruned_studies.families(replace(found, curves=cut))
    assert len(family.points["error"]) == 5 * len(found.rows)
    every = [{**curve, "constant": np.ones(len(curve["level"]))} for curve in cut]
    (family,) = pruned_studies.families(replace(found, curves=every))
    assert family.joint == "the outputs of every network are constant."


@pytest.mark.full
def test_thresholds_and_searches_have_their_verdicts_on_the_page(pages: Any) -> None:
    _, texts = pages
    threshold, search = Page(texts["threshold"]).text, Page(texts["search"]).text
    assert "Exact from n = 5 on (1 n_Nyq)" in threshold
    assert "Not exact up to n = 10 (2 n_Nyq)" in threshold
    assert re.search(r"threshold=0.7\).*: refuted", search)
    assert ": supported (" in search
    assert 'kind = "example"' in search


@pytest.mark.full
def test_missing_cells_are_said_with_the_command_that_computes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = computed("vision", tmp_path, left=5)
    assert main(["report", name, "--out", "page.html"]) == 0
    text = Page((tmp_path / "page.html").read_text()).text
    assert "5 of 72 cells are not finished: 'errsrc run vision.toml' computes them." in text
    assert "67 of 72 vision cells" in text


@pytest.mark.full
def test_a_study_without_a_spec_has_a_page_without_commands(pages: Any) -> None:
    folder, _ = pages
    finished = replace(load_study(folder / "recovery.toml"), spec=None)
    text = Page(report.study_page(finished)).text
    assert "3 of 3 cells are finished." in text
    assert "How to make this page again" not in text


def test_what_cannot_be_reported_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = computed("recovery", tmp_path)
    spec, kept = (tmp_path / name).read_bytes(), (tmp_path / "recovery.db").read_bytes()
    (tmp_path / "other.toml").write_text(SPECS["recovery"].replace("0.02", "0.03"))
    for argv, said in (
        ([name, "--out", name], "belongs to the study itself"),
        ([name, "--out", "recovery.db"], "belongs to the study itself"),
        ([name, "--out", "."], "Is a directory"),
        (["other.toml"], "There is no file other.db"),
        (["other.toml", "--store", "recovery.db"], "No cell of this study is finished"),
        (["none.toml"], "No such file"),
        (["recovery.db"], "its name must end in .toml"),
    ):
        assert main(["report", *argv]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    assert (tmp_path / name).read_bytes() == spec
    assert (tmp_path / "recovery.db").read_bytes() == kept


# In a browser.

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (400, 1200)
MEASURE = """
addEventListener("load", () => {
  const measured = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement, images = [...page.images];
    const [lead, table] = [".lead", "table, figure"].map(one => page.querySelector(one));
    return {
      id: frame.id, overflow: root.scrollWidth - root.clientWidth, images: images.length,
      broken: images.filter(one => !one.complete || !one.naturalWidth).length,
      wide: images.filter(one => one.getBoundingClientRect().right > root.clientWidth).length,
      first: lead.getBoundingClientRect().bottom <= table.getBoundingClientRect().top,
    };
  });
  document.body.replaceChildren(JSON.stringify(measured));
});
"""


def opened(pages: Mapping[str, str], folder: Path) -> tuple[dict[str, Any], str]:
    """Open pages in a browser, side by side at each width, and return what it measured and its console.

    Anything but an inline image or style is forbidden to them, and an attempt is an error on the console.
    """
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'nonce-measure'"
    frames = "".join(
        f'<iframe id="{name} {width}" width="{width}" height="900" srcdoc="{escape(text)}"></iframe>'
        for name, text in pages.items()
        for width in WIDTHS
    )
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
    whole = f'<!DOCTYPE html>{head}<script nonce="measure">{MEASURE}</script><body>{frames}'
    (folder / "opened.html").write_text(whole, encoding="utf-8")
    options = "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-sync"
    options += f" --no-first-run --enable-logging=stderr --user-data-dir={folder / 'profile'} --dump-dom"
    command = [str(BROWSER), *options.split(), (folder / "opened.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    (shown,) = re.findall(r"<body>(\[.*\])", done.stdout)
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return {one.pop("id"): one for one in json.loads(shown)}, console


@pytest.mark.full
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed to open pages in")
def test_in_a_browser_every_page_fits_and_all_its_images_are_there(
    pages: Any, result: Holdout, tmp_path: Path
) -> None:
    _, texts = pages
    every = {**texts, "demo": report.holdout_page("Demo", result, {"data": "x"})}
    measured, console = opened(every, tmp_path)
    assert console == ""
    assert len(measured) == len(every) * len(WIDTHS)
    for name, one in measured.items():
        assert one == {"overflow": 0, "images": one["images"], "broken": 0, "wide": 0, "first": True}, name
        assert one["images"] == len(Page(every[name.split()[0]]).images)


@pytest.mark.full
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed to open pages in")
def test_the_browser_sees_what_is_wrong_with_a_page(result: Holdout, tmp_path: Path) -> None:
    good = report.holdout_page("Demo", result, {"data": "x"})
    bad = {
        "wide": good.replace("<h1>", '<div style="width: 3000px">wide</div><h1>'),
        "broken": good.replace('src="data:image/svg+xml;base64,', 'src="data:image/svg+xml;base64,AAAA', 1),
        "late": good.replace("<h1>", "<table><tr><td>early</table><h1>"),
    }
    measured, console = opened(bad, tmp_path)
    assert console == ""
    assert measured["wide 1200"]["overflow"] > 0
    assert measured["broken 400"]["broken"] == 1
    assert not measured["late 400"]["first"]
    _, console = opened({"loads": good.replace("<h1>", '<img src="http://127.0.0.1:9/x.png"><h1>')}, tmp_path)
    assert "Content Security Policy" in console


def test_anything_but_a_result_is_refused() -> None:
    with pytest.raises(TypeError, match="'finished' parameter of study_page must be a FinishedStudy, as"):
        report.study_page("x.toml")
    with pytest.raises(TypeError, match="'result' parameter of holdout_verdict must be a Holdout, as"):
        report.holdout_verdict(3)
