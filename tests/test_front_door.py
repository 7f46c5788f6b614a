"""The front door: ``import errsrc`` is instant; each name has one path and one meaning."""

from __future__ import annotations

import ast
import collections
import importlib
import inspect
import json
import operator
import pkgutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

import errsrc
from errsrc.moved import MOVED, no_attribute

HERE = Path(__file__).parent
STUB = ast.parse((Path(errsrc.__file__).with_suffix(".pyi")).read_text())
HOMES = {
    alias.name: f"errsrc.{node.module}.{alias.name}" if node.module else f"errsrc.{alias.name}"
    for node in STUB.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}
"""{name of the front door: its path in its package}."""


def found(path: str) -> object:
    """The module, the attribute of a module, or the member of a class with a path."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        owner, _, name = path.rpartition(".")
        return getattr(found(owner), name)


@pytest.fixture(scope="module")
def modules() -> list[types.ModuleType]:
    """Every module of errsrc."""
    names = [part.name for part in pkgutil.walk_packages(errsrc.__path__, "errsrc.")]
    return [importlib.import_module(name) for name in names if name != "errsrc.__main__"]


def test_the_import_loads_no_numpy_and_no_module_of_errsrc() -> None:
    code = "import errsrc, sys; dir(errsrc); print([m for m in sys.modules if m[:7] in ('numpy', 'errsrc.')])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_dir_is_the_stub_and_the_version() -> None:
    assert dir(errsrc) == sorted(errsrc.__all__)
    assert set(errsrc.__all__) == {*HOMES, "__version__"}


def test_the_help_has_a_line_for_each_name() -> None:
    lines = [line.split() for line in str(errsrc.__doc__).splitlines() if line.startswith("    ")]
    assert collections.Counter(words[0] for words in lines) == collections.Counter(HOMES.keys())
    assert all(len(words) > 1 for words in lines)


@pytest.mark.parametrize("name", HOMES)
def test_a_name_is_the_one_of_its_package(name: str) -> None:
    assert getattr(errsrc, name) is found(HOMES[name])


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("fitt", "module 'errsrc' has no attribute 'fitt' (did you mean 'fit'?)"),
        ("Budget", "module 'errsrc' has no attribute 'Budget' (did you mean 'budget'?)"),
        ("xyzzy", "module 'errsrc' has no attribute 'xyzzy'"),
        ("laws.Densee", "module 'errsrc.laws' has no attribute 'Densee' (did you mean 'Dense'?)"),
    ],
)
def test_an_unknown_name_is_an_attribute_error_with_the_closest_name(name: str, error: str) -> None:
    with pytest.raises(AttributeError) as caught:
        operator.attrgetter(name)(errsrc)
    assert str(caught.value) == error


def test_a_module_that_is_not_imported_yet_is_named_by_the_error() -> None:
    with pytest.raises(AttributeError) as caught:
        raise no_attribute("errsrc", "demo")
    assert str(caught.value) == "module 'errsrc' has no attribute 'demo': import errsrc.demo first"


OLD = json.loads((HERE / "fixtures" / "v0_1_0" / "public_names.json").read_text())


@pytest.mark.parametrize("package", OLD)
def test_each_name_of_version_0_1_0_is_there_or_says_where_it_is(package: str) -> None:
    module = importlib.import_module(package)
    moved = MOVED.get(package, {})
    assert not set(moved) & set(vars(module))
    for name in OLD[package]:
        assert name in moved or hasattr(module, name), name


@pytest.mark.parametrize(
    ("package", "name"), [(package, name) for package in MOVED for name in MOVED[package]]
)
def test_an_old_path_tells_the_new_one(package: str, name: str) -> None:
    new = MOVED[package][name]
    found(new)
    sentence = rf"{package}\.{name} has moved: use {new}\."
    with pytest.raises(ImportError, match=sentence):
        getattr(importlib.import_module(package), name)
    with pytest.raises(ImportError, match=sentence):
        exec(f"from {package} import {name}")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        importlib.import_module(package).nothing  # noqa: B018


def test_every_module_is_the_attribute_of_its_parent(modules: list[types.ModuleType]) -> None:
    """No function of a package hides a module of it."""
    for module in modules:
        parent, _, name = module.__name__.rpartition(".")
        assert getattr(sys.modules[parent], name) is module


ALLOWED = {
    "ALL": "each package's table of what it has",
    "design": "inputs at which a law is checked, in errsrc.testing since 0.1.0, beside the runs to make next",
    "bases": "the strategy that draws bases, beside the package that defines them",
    "laws": "the strategy that draws laws, beside the package that defines them",
}
"""Names that may have several meanings, with the reason."""


def test_no_public_name_has_two_meanings(modules: list[types.ModuleType]) -> None:
    """Of packages, classes, and what a package exports."""
    meanings: dict[str, dict[int, str]] = collections.defaultdict(dict)
    for module in modules:
        if module.__name__.count(".") == 1:
            meanings[module.__name__.partition(".")[2]][id(module)] = module.__name__
        for name, item in vars(module).items():
            home = str(getattr(item, "__module__", ""))
            exported = hasattr(module, "__path__") and (home.startswith("errsrc") or name.isupper())
            command = module.__name__.startswith("errsrc.cli")
            if not name.startswith("_") and (
                (exported and not command) or (inspect.isclass(item) and home == module.__name__)
            ):
                meanings[name].setdefault(id(item), f"{module.__name__}.{name}")
    several = {name: sorted(paths.values()) for name, paths in meanings.items() if len(paths) > 1}
    assert {name: paths for name, paths in several.items() if name not in ALLOWED} == {}
    assert set(ALLOWED) <= set(several)


PACKAGES = [part.name for part in pkgutil.iter_modules(errsrc.__path__, "errsrc.") if part.ispkg]


@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "errsrc.cli"])
def test_tab_completion_shows_what_a_package_exports_alone(package: str) -> None:
    module = importlib.import_module(package)
    tree = ast.parse(Path(str(module.__file__)).read_text())
    imports = [alias for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    exported = {alias.name for alias in imports if alias.name == alias.asname}
    assert exported <= set(dir(module))
    assert not {"moved_names", "require", "exported_names", "TYPE_CHECKING", "annotations"} & set(dir(module))
    modules = {name for name in dir(module) if isinstance(getattr(module, name), types.ModuleType)}
    assert modules <= exported


def test_tab_completion_of_a_module_shows_what_it_defines() -> None:
    shown = [
        "Bracket",
        "HeldValue",
        "Interval",
        "LONGEST_LINE",
        "LONGEST_NUMBER",
        "PointEstimate",
        "ROUNDING",
        "Result",
        "TabularResult",
        "TextTable",
        "aligned",
    ]
    shown += ["bound_to", "equation", "interval_columns", "json_value", "mean_ends", "mean_interval"]
    shown += ["mean_statistic", "percent", "significant"]
    assert dir(errsrc.results) == sorted(shown)
    assert "Any" not in dir(errsrc.errors)
