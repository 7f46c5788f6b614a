"""The reference: a page a room, from its docstrings.  Formulas become MathML; nothing is fetched."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.inspect import stringify_signature
from sphinx.util.nodes import make_refnode

import errsrc
from errsrc.laws import Law

project = "errsrc"
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
templates_path = ["_templates"]
exclude_patterns = ["build"]
default_role = "py:obj"
nitpicky = True
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "sidebar_width": "240px", "font_family": "Georgia, serif"}
html_math_renderer = "mathml"
html_show_copyright = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["links.css"]


PLACES: dict[int, str] = {}
"""Where each public object is shown, by its id."""


def public(room: str) -> dict[str, list[tuple[str, str]]]:
    """Return directives and names by the module that shows them: a room's face, then its other modules."""
    face = importlib.import_module(room)
    parts = [part.name for part in pkgutil.iter_modules(getattr(face, "__path__", []), f"{room}.")]
    shown: dict[str, list[tuple[str, str]]] = {}
    for module in (room, *parts):
        for name, item in vars(importlib.import_module(module)).items():
            home = str(getattr(item, "__module__", None))
            own = home == module or (module == room and home.startswith(f"{room}."))
            function = inspect.isfunction(inspect.unwrap(item)) if callable(item) else False
            directive = "autoclass" if inspect.isclass(item) else "autofunction" if function else ""
            if own and directive and not name.startswith("_") and id(item) not in PLACES:
                PLACES[id(item)] = f"{module}.{name}"
                shown.setdefault(module, []).append((directive, name))
    return shown


ROOMS = [part.name for part in pkgutil.iter_modules(errsrc.__path__, "errsrc.") if part.name[-2:] != "__"]
SHOWN = {room: public(room) for room in ROOMS}
autosummary_context = {"shown": SHOWN}


def formula(self: Any, node: nodes.Element) -> None:
    """Write a formula as MathML, which browsers draw themselves."""
    self.body.append(tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block)))
    raise nodes.SkipNode


def signature(app: Sphinx, what: str, name: str, item: Any, *_: Any) -> tuple[str, str] | None:
    """Show types as the code has them."""
    if what not in ("class", "function", "method"):
        return None
    try:
        found = inspect.signature(item)
    except (TypeError, ValueError):
        return None
    if next(iter(found.parameters), "") in ("self", "cls"):
        found = found.replace(parameters=list(found.parameters.values())[1:])
    text = stringify_signature(found)
    arguments, arrow, returned = text.rpartition(" -> ")
    return (arguments, returned) if arrow and returned != "None" else (text.removesuffix(" -> None"), "")


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


def law(app: Sphinx, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
    """Show a law's formula under its text."""
    if inspect.isclass(item) and issubclass(item, Law) and item is not Law:
        lines += ["", ".. math::", "", f"   e = {item.latex()}", ""]


def exact(app: Sphinx, doctree: nodes.document) -> None:
    """Look names in signatures up as they stand, not as the end of any other."""
    for node in doctree.findall(pending_xref):
        if not node.get("refspecific"):
            node.attributes.pop("refspecific", None)


def place(path: str) -> str | None:
    """Return where what has a dotted path is shown; "" where nowhere, None where there is no such thing."""
    parts = path.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            item: Any = importlib.import_module(".".join(parts[:cut]))
        except (ImportError, TypeError, ValueError):  # no module; nor is a text with dots
            continue
        names = parts[cut:]
        shown = PLACES.get(id(getattr(item, names[0], None)), "") if names else ""
        for name in names:
            fields = getattr(item, "__dataclass_fields__", {})
            if not hasattr(item, name) and name not in fields:
                return None
            item = getattr(item, name, None)
        return ".".join([shown, *names[1:]]) if shown else ""
    return None


def link(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """Link a name as the code around it knows it; what is no public name of errsrc stays text."""
    target, module, room = node["reftarget"], node.get("py:module"), node["refdoc"].rpartition("/")[2]
    whole = target.startswith("errsrc.")
    homes = [home for home in (module, *SHOWN.get(room, ())) if home]
    if not re.fullmatch(r"[A-Za-z_][\w.]*", target):
        return content
    found = [place(path) for path in ([target] if whole else [f"{home}.{target}" for home in homes])]
    for shown in filter(None, found):
        known = env.domains["py"].objects.get(shown)
        if known:
            return make_refnode(app.builder, node["refdoc"], known.docname, known.node_id, content, shown)
    return None if whole and found == [None] else content


def setup(app: Sphinx) -> None:
    """Add what is above."""
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-process-docstring", as_written, priority=400)  # before numpydoc
    app.connect("autodoc-process-docstring", law, priority=600)
    app.connect("doctree-read", exact)
    app.connect("missing-reference", link)
