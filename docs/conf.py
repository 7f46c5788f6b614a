"""The site: tutorials, guide and gallery, and a page of reference for each package, made from docstrings.

Pages open offline: formulas become MathML, and no page fetches anything.  Tutorials and notebooks are
executed, and their outputs are kept in ``build/.cells-DIGEST`` until a cell or a file of errsrc changes.

Each public name is documented at one path: ``errsrc.NAME`` for the names of ``import errsrc``, otherwise
``errsrc.PACKAGE.NAME`` for what the package's ``__init__`` exports.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import pydoc
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

import errsrc
from errsrc import fields
from errsrc.laws import Law

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
os.environ["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ["PATH"]]
)  # the command errsrc

import pages
from jupyter_cache.executors import utils as executors
from nbclient import execute

project = "errsrc"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "pages"]
templates_path = ["_templates"]
exclude_patterns = ["build", "_ext"]
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!errsrc\.).*")]  # a full path that leads nowhere is an error
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections say types
numpydoc_show_class_members = False
smartquotes = False  # they would change the dashes of options
html_theme = "furo"
html_title = f"errsrc {errsrc.__version__}"
html_math_renderer = "mathml"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
pygments_style, pygments_dark_style = "friendly", "github-dark"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "build" / f".cells-{pages.digest(Path(errsrc.__path__[0]))}")
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_execution_show_tb = True
executors.executenb = partial(execute, startup_timeout=600, coalesce_streams=True)  # a block for each output
os.environ["IPYTHONDIR"] = pages.write_profile(HERE / "build")
pages.write_gallery(HERE.parent / "notebooks", HERE / "gallery")


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
NAMED = re.findall(r"^    (\w+) ", str(errsrc.__doc__).split("Packages\n")[1], re.MULTILINE)
PACKAGES = [f"errsrc.{name}" for name in (*NAMED, "fields")]  # the others are for errsrc itself
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
    block = isinstance(node, nodes.math_block)
    written = tex2mathml(node.astext(), as_block=block)
    self.body.append(f'<div class="formula">{written}</div>' if block else written)
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
    """Leave the path of something that exists but has no entry, such as a constant or a field, as text."""
    target = node["reftarget"]
    owner, _, name = target.rpartition(".")
    try:
        item = pydoc.locate(target) if target.startswith("errsrc.") else None
        held = getattr(pydoc.locate(owner), "__dataclass_fields__", {}) if item is None else {}
    except pydoc.ErrorDuringImport:
        return None
    return None if item is None and name not in held else content


def setup(app: Sphinx) -> None:
    """Add what is above."""
    app.connect("missing-reference", known)
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))
    app.connect("autodoc-process-docstring", as_written, priority=400)  # before numpydoc
    app.connect("autodoc-process-docstring", declared, priority=600)
