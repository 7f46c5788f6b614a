"""The reference: what every public docstring says, and that its pages build without a warning.

Public is every class and function without an underscore, on a room's face or in a module behind it.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import runpy
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from errsrc import theory
from errsrc.laws import ALL

DOCS = Path(__file__).parents[1] / "docs"
SHOWN: dict[str, dict[str, list[tuple[str, str]]]] = runpy.run_path(str(DOCS / "conf.py"))["SHOWN"]
KNOWN = {"self", "cls", "rng", "where"}
"""Parameters that mean the same everywhere: chance is a numpy Generator, and a refusal names who refuses."""

ARRAYS = re.compile(r"\b(Array|ArrayLike|Complex|NDArray|Tensor|Weights)\b")
SHAPES = re.compile(r"\((?![^()]*\b(1[89]|20)\d\d\b)([\w*.+ ]|\([^()]*\))*,|\(\w\)|shape|broadcast")
"""``(n, dim)`` or ``(n,)``, which is no source and its year, or that arrays broadcast or keep their shape."""

UNITS = {
    "level": "[Cc]overage|[Ii]nterval|quantile",
    "seconds": "[Ss]econd|[Tt]ime",
    "memory": "[Bb]ytes",
    "(.+_)?loss": r"\bnats\b|squared",
    "(.+_)?error": r"[Ss]hare|rate|relative|unit|\|f\|",
    ".+_std": r"[Ss]tandard deviation|N\(0",
    ".+_se|std_error": "[Ss]tandard error",
}
"""What is to be said of a number so named: its unit, or what it is a fraction or a spread of."""

EVERY = {
    f"{module}.{name}": getattr(importlib.import_module(module), name)
    for parts in SHOWN.values()
    for module, names in parts.items()
    for _, name in names
}


def text_of(item: Any) -> str:
    """A docstring; of a class its own and those that it inherits."""
    if not inspect.isclass(item):
        return inspect.getdoc(item) or ""
    above = [each for each in item.__mro__[1:] if each.__module__.startswith("errsrc")]
    own = [each.__dict__.get("__doc__") for each in (item, *above)]
    return "\n".join(inspect.cleandoc(text) for text in own if text)


def methods(where: str, item: Any) -> Iterator[tuple[str, Any, str]]:
    """The public functions of an object: itself, or a class's; with their texts and what these refine."""
    if not inspect.isclass(item):
        yield where, item, text_of(item)
        return
    for name, method in vars(item).items():
        function = getattr(method, "__func__", method)
        if inspect.isfunction(function) and (not name.startswith("_") or name == "__call__"):
            lines = [vars(each)[name] for each in item.__mro__ if name in vars(each)]
            yield f"{where}.{name}", function, "\n".join(inspect.getdoc(each) or "" for each in lines)


def heads(item: Any) -> str:
    """What a function's page says before it: its room's text, and its module's."""
    room = ".".join(item.__module__.split(".")[:2])
    return "\n".join(inspect.getdoc(sys.modules[each]) or "" for each in {room, item.__module__})


def raised(function: Any) -> set[str]:
    """The errors that a function raises itself, but for those of methods that a subclass must define."""
    try:
        code = textwrap.dedent(inspect.getsource(function))
    except OSError:  # made by Hypothesis
        return set()
    if "must define" in code:
        return set()
    calls = [node.exc for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Raise)]
    return {call.func.id for call in calls if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)}


def fields(item: Any) -> list[str]:
    """What an object is made of: a tuple's or a dataclass's fields, else what a class is constructed from."""
    if dataclasses.is_dataclass(item):
        return [field.name for field in dataclasses.fields(item)]
    if "_fields" in vars(item):
        return list(item._fields)
    start = vars(item).get("__init__") if inspect.isclass(item) else None
    return list(inspect.signature(start).parameters)[1:] if start else []


def arrays(item: type) -> Iterator[tuple[str, str]]:
    """The fields and properties of a class that are arrays, each with the text that is to say their shape."""
    hints = {name: str(hint) for each in item.__mro__ for name, hint in inspect.get_annotations(each).items()}
    yield from ((name, text_of(item)) for name in fields(item) if ARRAYS.search(hints.get(name, "")))
    for name, found in vars(item).items():
        getter = getattr(found, "fget", None) or getattr(found, "func", None)
        if getter and name[0] != "_" and ARRAYS.search(str(inspect.signature(getter).return_annotation)):
            lines = [vars(each)[name] for each in item.__mro__ if name in vars(each)]
            yield name, "\n".join(inspect.getdoc(each) or "" for each in lines)


def unitless(hints: dict[str, str], text: str) -> Iterator[str]:
    """The numbers of these names and types whose unit a text does not say."""
    for name, hint in hints.items():
        if hint.removesuffix(" | None") == ("int" if name == "memory" else "float"):
            asked = [unit for of, unit in UNITS.items() if re.fullmatch(of, name)]
            yield from (name for unit in asked if not re.search(unit, text))


def complaints(where: str, item: Any) -> Iterator[str]:
    text = text_of(item)
    for name in fields(item):
        if name not in re.findall(r"\w+", text):
            yield f"{where} does not say what its field {name} is"
    if inspect.isclass(item):
        shapeless = [name for name, said in arrays(item) if not SHAPES.search(said)]
        yield from (f"{where} does not say the shape of {name}" for name in shapeless)
        hints = {name: str(hint) for name, hint in inspect.get_annotations(item).items()}
        yield from (f"{where} does not say the unit of {name}" for name in unitless(hints, text))
    for name, function, text in methods(where, item):
        signature = inspect.signature(function)
        page = text if inspect.isclass(item) else f"{text}\n{heads(item)}"
        words = set(re.findall(r"\w+", page))
        unnamed = [each for each in signature.parameters if each not in words | KNOWN and each[0] != "_"]
        if unnamed and not inspect.isclass(item):
            yield f"{name} does not say what {', '.join(unnamed)} is"
        hints = {each: str(parameter.annotation) for each, parameter in signature.parameters.items()}
        returned = str(signature.return_annotation)
        if ARRAYS.search(" ".join([*hints.values(), returned])) and not SHAPES.search(text):
            yield f"{name} does not say the shape of its arrays"
        yield from (f"{name} does not say the unit of {each}" for each in unitless(hints, text))
        unsaid = [one for one in raised(function) if one not in page and not re.search("[Rr]efuse", page)]
        if unsaid:
            yield f"{name} does not say that it raises {', '.join(sorted(unsaid))}"


@pytest.mark.parametrize("where", EVERY)
def test_a_public_name_has_a_docstring(where: str) -> None:
    first = text_of(EVERY[where]).split("\n\n")[0]
    assert first.rstrip().endswith((".", ":", ".)", '"')), f"{where} begins with no sentence: {first!r}"


@pytest.mark.parametrize("where", EVERY)
def test_a_docstring_names_fields_parameters_shapes_and_errors(where: str) -> None:
    assert not list(complaints(where, EVERY[where]))


SOURCED = list(ALL.values()) + [
    getattr(theory, name) for name in vars(theory) if inspect.isfunction(getattr(theory, name))
]


@pytest.mark.parametrize("item", SOURCED, ids=lambda one: one.__name__)
def test_laws_and_known_curves_have_a_source(item: Any) -> None:
    """A year, in its own text or at the head of its file."""
    assert re.search(r"\b(1[89]|20)\d\d\b", f"{item.__doc__} {inspect.getmodule(item).__doc__}")


def wrong(x: Array, ratio: float) -> Array:  # noqa: F821
    """Return x."""
    if ratio < 0:
        raise ValueError
    raise ValueError(x)


@dataclasses.dataclass
class Wrong:
    """A first and another thing, with the loss at some levels."""

    first: int
    second: int
    loss: float
    levels: Array  # noqa: F821


class WrongPair(NamedTuple):
    """A pair of a first and of another thing."""

    first: int
    second: int


class WrongStart:
    """Made from a first and from another thing."""

    def __init__(self, first: int, second: int) -> None:
        self.sum = first + second


@pytest.mark.parametrize(
    ("item", "missing"),
    [
        (wrong, ["what ratio is", "the shape", "raises ValueError"]),
        (Wrong, ["its field second", "the shape of levels", "the unit of loss"]),
        *((item, ["its field second"]) for item in (WrongPair, WrongStart)),
    ],
)
def test_what_is_not_said_is_seen(item: Any, missing: list[str]) -> None:
    found = " ".join(complaints("it", item))
    assert all(each in found for each in missing)
    assert "first" not in found


def built(where: Path) -> subprocess.CompletedProcess[str]:
    """What becomes of the pages in ``where / "docs"``, as `make docs` builds them."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "docs", "html"]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_dead_reference_is_no_page(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("build", "rooms"))
    (tmp_path / "docs" / "index.rst").write_text(
        "Dead\n====\n\n`errsrc.laws.fit_`, `a` and `errsrc.laws.fits`.\n"
    )
    done = built(tmp_path)
    assert done.returncode != 0
    dead = re.findall("target not found: (.*?) ", done.stderr)
    assert dead == ["errsrc.laws.fit_", "errsrc.laws.fits"]


@pytest.mark.slow
def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    """References resolve, formulas are MathML that needs no network, and each room has its page."""
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("build", "rooms"))
    done = built(tmp_path)
    assert done.returncode == 0, done.stderr
    pages = {path.stem: path.read_text() for path in (tmp_path / "html" / "rooms").glob("*.html")}
    assert set(pages) == set(SHOWN)
    laws = pages["errsrc.laws"]
    assert laws.count('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">') >= len(ALL)
    assert 'href="errsrc.results.html#errsrc.results.Interval"' in pages["errsrc.settings"]
    for page in pages.values():
        assert not re.search(r'<(script|img|link)\b[^>]*\b(src|href)="(https?:)?//', page)
