"""The reference: one page for each package, made from docstrings. Formulas become MathML; nothing is fetched.

Each public name is documented at one path: ``errsrc.NAME`` for the names of ``import errsrc``, otherwise
``errsrc.PACKAGE.NAME`` for what the package's ``__init__`` exports.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import pydoc
import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

import errsrc
from errsrc import fields
from errsrc.laws import Law

project = "errsrc"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
templates_path = ["_templates"]
exclude_patterns = ["build"]
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!errsrc\.).*")]  # a full path that leads nowhere is an error
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections say types
numpydoc_show_class_members = False
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "sidebar_width": "240px", "font_family": "Georgia, serif"}
html_math_renderer = "mathml"
html_show_copyright = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["links.css"]


def exported(module: str, taken: set[int]) -> list[tuple[str, str]]:
    """Return (directive, name) of the classes and functions that a module exports, but for those `taken`."""
    found = importlib.import_module(module)
    shown = []
    for name in dir(found):
        item = getattr(found, name)
        home = str(getattr(item, "__module__", None))
        own = home == module or (hasattr(found, "__path__") and home.startswith("errsrc."))
        function = inspect.isfunction(inspect.unwrap(item)) if callable(item) else False
        directive = "autoclass" if inspect.isclass(item) else "autofunction" if function else ""
        if own and directive and not name.startswith("_") and id(item) not in taken:
            taken.add(id(item))
            shown.append((directive, name))
    return shown


TAKEN: set[int] = set()
PACKAGES = [part.name for part in pkgutil.iter_modules(errsrc.__path__, "errsrc.") if part.name[-2:] != "__"]
SHOWN = {module: exported(module, TAKEN) for module in ("errsrc", *PACKAGES)}
MODULES = {
    package: [
        part.name
        for part in pkgutil.iter_modules(
            getattr(importlib.import_module(package), "__path__", []), f"{package}."
        )
    ]
    for package in PACKAGES
}
autosummary_context = {"shown": SHOWN, "modules": MODULES}


def formula(self: Any, node: nodes.Element) -> None:
    """Write a formula as MathML, which browsers draw themselves."""
    self.body.append(tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block)))
    raise nodes.SkipNode


BARE = re.compile(r"(``.*?``|`[^`]+`)(?=(\w?))|(\\[|*])|([|*])")
"""A literal or a name, with the letter after it; what is escaped already; else a bar or a star."""


def bare(found: re.Match[str]) -> str:
    """Return the text of `BARE` so that it is shown as it is written."""
    literal, letter, escaped, sign = found.groups()
    return literal + "\\ " * bool(letter) if literal else escaped or f"\\{sign}"


def as_written(app: Sphinx, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
    """Take bars and stars as they are written, outside of literals and examples."""
    example = False
    for k, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            lines[k] = BARE.sub(bare, line)


def declared(app: Sphinx, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
    """Show a law's formula, and what the fields of a dataclass accept, below the text."""
    if not inspect.isclass(item):
        return
    if issubclass(item, Law) and item is not Law:
        lines += ["", ".. math::", "", f"   e = {item.latex()}", ""]
    rules = fields.rules(item) if hasattr(item, "__dataclass_fields__") else {}
    if rules:
        lines += ["", "Accepted values:", ""]
        lines += [f"- ``{field}``: {rule.accepted}" for field, rule in rules.items()]


def known(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """Leave the path of something that exists but has no entry, such as a constant, as text."""
    target = node["reftarget"]
    try:
        item = pydoc.locate(target) if target.startswith("errsrc.") else None
    except pydoc.ErrorDuringImport:
        item = None
    return None if item is None else content


def setup(app: Sphinx) -> None:
    """Add what is above."""
    app.connect("missing-reference", known)
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))
    app.connect("autodoc-process-docstring", as_written, priority=400)  # before numpydoc
    app.connect("autodoc-process-docstring", declared, priority=600)
