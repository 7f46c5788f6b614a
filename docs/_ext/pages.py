"""Pages that are made from other files: the gallery from notebooks, and the command line from its parsers."""

from __future__ import annotations

import argparse
import hashlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from errsrc import cli

SHELL = "%%sh\n"
"""The first line of a cell of a page that runs in the shell.  Readers see the lines below it."""


def digest(folder: Path) -> str:
    """Return a digest of the Python files in a folder: outputs are kept until one of the files changes."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def write_profile(build: Path) -> str:
    """Write the settings of IPython for the execution of pages, and return their folder.

    The settings of the user are not read, so pages look the same for everyone.
    """
    folder = build / ".ipython"
    (folder / "profile_default").mkdir(parents=True, exist_ok=True)
    quiet = 'c.IPKernelApp.log_level = "ERROR"\n'
    (folder / "profile_default" / "ipython_kernel_config.py").write_text(quiet)
    return str(folder)


def write_gallery(notebooks: Path, gallery: Path) -> None:
    """Write each notebook ``NAME.py`` as ``gallery/NAME.ipynb``, if the file would change."""
    import jupytext
    import nbformat

    for path in sorted(notebooks.glob("*.py")):
        notebook = jupytext.read(path)
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number}"  # random otherwise
        text, target = nbformat.writes(notebook), gallery / f"{path.stem}.ipynb"
        if not target.exists() or target.read_text() != text:
            target.write_text(text)


def as_shell(app: Sphinx, document: nodes.document) -> None:
    """Show the cells that run in the shell as commands, without the line `SHELL`."""
    for block in list(document.findall(nodes.literal_block)):
        if block.astext().startswith(SHELL):
            text = block.astext().removeprefix(SHELL)
            block.replace_self(nodes.literal_block(text, text, language="sh"))


class Commands(SphinxDirective):
    """``{commands}``: a section for each command of errsrc, from its parser."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        parser = cli._parser()
        (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
        first = section("errsrc", parser)
        return [first, *(self.command(name, commands.choices[name]) for name in commands.choices)]

    def command(self, name: str, parser: Any) -> nodes.section:
        """Return the section of a command."""
        module = importlib.import_module(f"errsrc.cli.{name}")
        parser.description, parser.epilog = module.DESCRIPTION, getattr(module, "EXAMPLES", None)
        module.add_arguments(parser)
        return section(f"errsrc {name}", parser)


def section(title: str, parser: argparse.ArgumentParser) -> nodes.section:
    """Return the section about a parser: its usage, description, options and examples."""
    found = nodes.section(ids=[nodes.make_id(title)], names=[title])
    found += nodes.title(title, title)
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    found += nodes.literal_block(usage, usage, language="text", classes=["usage"])
    found += list(prose(parser.description or ""))
    options = nodes.definition_list(classes=["options"])
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        if isinstance(action, argparse._SubParsersAction):
            rows = [(one.dest, one.help or "") for one in action._choices_actions]
        else:
            rows = [(", ".join(written(action)), (action.help or "") % {**vars(action), "prog": parser.prog})]
        for name, text in rows:
            term = nodes.term("", "", nodes.literal(name, name))
            options += nodes.definition_list_item("", term, nodes.definition("", nodes.paragraph(text, text)))
    found += options
    found += list(prose(parser.epilog or ""))
    return found


def written(action: argparse.Action) -> Iterator[str]:
    """Yield the ways to write an option, such as ``--law LAW``, or the name of an argument."""
    value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
    if action.choices is not None and not action.metavar:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    for option in action.option_strings or [""]:
        yield f"{option} {value}".strip()


def prose(text: str) -> Iterator[nodes.Node]:
    """Yield a text as paragraphs, with its indented lines as they are written."""
    for part in text.strip("\n").split("\n\n"):
        lines = part.splitlines()
        indented = [line.startswith(" ") for line in lines]
        start = 0
        while start < len(lines):
            stop = start
            while stop < len(lines) and indented[stop] == indented[start]:
                stop += 1
            chunk = lines[start:stop]
            if indented[start]:
                margin = min(len(line) - len(line.lstrip()) for line in chunk)
                block = "\n".join(line[margin:] for line in chunk)
                yield nodes.literal_block(block, block, language="text")
            else:
                yield nodes.paragraph("", " ".join(chunk))
            start = stop


class Thumbnails(SphinxDirective):
    """``{thumbnails}``: each notebook of the gallery with its first figure, its title and its claim."""

    def run(self) -> list[nodes.Node]:
        """Return a placeholder, which `fill` replaces when all notebooks have been executed."""
        return [nodes.container(classes=["thumbnails"])]


def fill(app: Sphinx, document: nodes.document, docname: str) -> None:
    """Fill the placeholder of `Thumbnails`."""
    for place in document.findall(
        lambda node: "thumbnails" in getattr(node, "attributes", {}).get("classes", [])
    ):
        for name in sorted(app.env.found_docs):
            if name.startswith("gallery/") and name != docname:
                place += card(app, docname, name)


def card(app: Sphinx, docname: str, name: str) -> nodes.container:
    """Return the link to a notebook with its first figure, its title and its claim."""
    page = app.env.get_doctree(name)
    figures = sorted(page.findall(nodes.image), key=lambda node: not is_figure(Path(app.srcdir, node["uri"])))
    title = next(iter(page.findall(nodes.title))).astext()
    uri = app.builder.get_relative_uri(docname, name)
    found = nodes.container(classes=["card"])
    link = nodes.reference("", "", internal=True, refuri=uri)
    if figures:
        picture = figures[0].deepcopy()
        picture["alt"] = title
        link += picture
    link += nodes.strong(title, title)
    found += nodes.paragraph("", "", link)
    return found


def is_figure(path: Path) -> bool:
    """Whether a picture has the form of a figure, and not that of a line with a formula."""
    with Image.open(path) as picture:
        return picture.height > 0.4 * picture.width


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directives."""
    app.add_directive("commands", Commands)
    app.add_directive("thumbnails", Thumbnails)
    app.connect("doctree-read", as_shell)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True}
