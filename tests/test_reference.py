"""The reference: numpydoc's validation of every public docstring, and pages that build without a warning.

Public is what a package exports, and every function, method and class without an underscore in its modules.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import errsrc
from errsrc import theory
from errsrc.cli import COMMANDS
from errsrc.laws import ALL

DOCS = Path(__file__).parents[1] / "docs"
CHECKS = {"GL07", "GL08", "PR01", "PR02", "PR03", "PR09", "RT03", "SS03", "YD01"}
"""numpydoc's codes: section order, missing docstrings, undocumented, unknown and unordered parameters, full
stops, Returns without description, and Yields that are missing."""

SAID_ABOVE = {"PR01", "PR02", "GL08"}
"""What a method need not repeat if a method that it overrides says it."""

MODULES = [
    found.name for found in pkgutil.walk_packages(errsrc.__path__, "errsrc.") if "__main__" not in found.name
]


def public() -> Iterator[tuple[str, Any]]:
    """Yield (path, object) for every public class, function and method, at its module."""
    for module in MODULES:
        for name, item in vars(importlib.import_module(module)).items():
            own = getattr(item, "__module__", None) == module and not name.startswith("_")
            if own and (inspect.isclass(item) or inspect.isfunction(inspect.unwrap(item))):
                yield f"{module}.{name}", item
                for inner, method in vars(item).items() if inspect.isclass(item) else ():
                    function = getattr(method, "__func__", method)
                    if inspect.isfunction(function) and not inner.startswith("_"):
                        yield f"{module}.{name}.{inner}", function


PUBLIC = dict(public())


def described_elsewhere(path: str) -> bool:
    """Whether the package describes the parameters once for all: of commands, and of tested properties."""
    module, _, name = path.rpartition(".")
    command = module.startswith("errsrc.cli.") and name in ("add_arguments", "run")
    parameters = list(inspect.signature(PUBLIC[path]).parameters)
    return command or (module.startswith("errsrc.testing.") and parameters == ["case"])


def overrides(path: str) -> bool:
    """Whether a path is a method that a documented method of a base class precedes."""
    owner, _, name = path.rpartition(".")
    item = PUBLIC.get(owner)
    bases = item.__mro__[1:] if inspect.isclass(item) else ()
    return any((vars(base).get(name) is not None and inspect.getdoc(vars(base)[name])) for base in bases)


def undocumented_fields(item: type) -> list[str]:
    """Return the fields of a dataclass or tuple that neither its docstring nor a base's describes."""
    fields = [f.name for f in dataclasses.fields(item)] if dataclasses.is_dataclass(item) else []
    fields += getattr(item, "_fields", ())
    described: set[str] = set()
    for each in item.__mro__:
        known = each is item or each.__module__.startswith("errsrc")
        text = vars(each).get("__doc__") if known else None
        if text:
            found = NumpyDocString(inspect.cleandoc(text))
            described |= {
                n.strip() for s in ("Attributes", "Parameters") for p in found[s] for n in p.name.split(",")
            }
            described |= set(re.findall(r"``(\w+)``", text))
    return [name for name in fields if name not in described and not name.startswith("_")]


def complaints(path: str, item: Any) -> list[str]:
    """Return what is wrong with a docstring, a sentence each."""
    if inspect.isclass(item):
        missing = undocumented_fields(item)
        said = [f"{path} does not describe {', '.join(missing)}"] if missing else []
        return said if inspect.getdoc(item) else [f"{path} has no docstring"]
    try:
        inspect.getsource(item)
    except OSError:  # made by Hypothesis, which keeps the docstring alone
        return [] if inspect.getdoc(item) else [f"{path} has no docstring"]
    known = path in PUBLIC and (overrides(path) or described_elsewhere(path))
    left_out = SAID_ABOVE if known else set()
    found = validate(path)["errors"]
    return [f"{path}: {text}" for code, text in found if code in CHECKS - left_out]


@pytest.mark.parametrize("module", MODULES)
def test_numpydoc_finds_nothing_wrong(module: str) -> None:
    paths = [
        path for path in PUBLIC if path.startswith(f"{module}.") and path.count(".") <= module.count(".") + 2
    ]
    own = [path for path in paths if (PUBLIC[path].__module__ == module)]
    found = [said for path in own for said in complaints(path, PUBLIC[path])]
    assert not found, "\n".join(found)


SOURCED = list(ALL.values()) + [
    getattr(theory, name) for name in dir(theory) if inspect.isfunction(getattr(theory, name))
]


@pytest.mark.parametrize("item", SOURCED, ids=lambda one: one.__name__)
def test_laws_and_known_curves_have_a_source(item: Any) -> None:
    """A year, in its own text or at the head of its file."""
    assert re.search(r"\b(1[89]|20)\d\d\b", f"{item.__doc__} {inspect.getmodule(item).__doc__}")


def wrong(x: float, ratio: float) -> float:
    """Return x.

    Parameters
    ----------
    x : float
        A number.
    """
    return x * ratio


@dataclasses.dataclass
class Wrong:
    """A first and another thing.

    Attributes
    ----------
    first
        A number.
    """

    first: int
    second: int


class WrongPair(NamedTuple):
    """A pair, of which ``first`` is a number."""

    first: int
    second: int


def test_a_parameter_that_is_not_described_is_found() -> None:
    """Control."""
    (said,) = complaints(f"{__name__}.wrong", wrong)
    assert "ratio" in said
    for item in (Wrong, WrongPair):
        assert complaints(f"{__name__}.{item.__name__}", item) == [
            f"{__name__}.{item.__name__} does not describe second"
        ]


def built(where: Path) -> subprocess.CompletedProcess[str]:
    """What becomes of the pages in ``where / "docs"``, as `make docs` builds them."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "docs", "build/html"]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("myst_nb") is None, reason="./setup.sh docs installs what builds the pages")
def test_a_path_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for part in ("conf.py", "_ext", "_templates", "_static"):
        source = DOCS / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / "docs" / part)
    (tmp_path / "docs" / "index.rst").write_text(
        "Dead\n====\n\n`errsrc.laws.fit_`, `a` and `errsrc.laws.fits`.\n"
    )
    done = built(tmp_path)
    assert done.returncode != 0
    dead = re.findall("target not found: (.*?) ", done.stderr)
    assert dead == ["errsrc.laws.fit_", "errsrc.laws.fits"]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("myst_nb") is None, reason="./setup.sh docs installs what builds the pages")
def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    """References resolve, tutorials and a notebook are executed, and no page fetches anything."""
    (tmp_path / "notebooks").mkdir()
    shutil.copy(DOCS.parent / "notebooks" / "02_fit_predict_plan.py", tmp_path / "notebooks")
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("build", "packages", "*.ipynb"))
    done = built(tmp_path)
    assert done.returncode == 0, done.stderr
    site = tmp_path / "build" / "html"
    every = {path.relative_to(site): path.read_text() for path in site.rglob("*.html")}
    pages = {path.stem: text for path, text in every.items() if path.parent.name == "packages"}
    assert set(pages) == set(runpy.run_path(str(DOCS / "conf.py"))["SHOWN"])
    laws = pages["errsrc.laws"]
    assert laws.count('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">') >= len(ALL)
    assert 'href="errsrc.results.html#errsrc.results.Interval"' in "".join(pages.values())
    for page in every.values():
        assert not re.search(r'<(script|img|link)\b[^>]*\b(src|href)="(https?:)?//', page)
    for name in ("tutorials/fit_my_runs", "tutorials/where_error_comes_from", "gallery/02_fit_predict_plan"):
        assert re.search(r'<img [^>]*src="../_images/', every[Path(f"{name}.html")]), name
    commands = every[Path("cli.html")]
    assert all(f"errsrc {name}</h2>" in commands or f"errsrc {name}<a" in commands for name in COMMANDS)
    assert "_images/" in every[Path("gallery/index.html")]
