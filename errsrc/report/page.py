"""Self-contained HTML pages.  They contain their figures and open without a network connection.

The folder ``templates`` has the layout: the template `page.html`, and a template for each kind of block.
Jinja escapes all texts.
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

from errsrc import plots

LARGE_VERDICTS = 3
"""Largest number of verdicts that are shown in large type."""


class Block:
    """A part of a section, such as a paragraph, a table or a figure; a subclass names its ``template``."""

    template: ClassVar[str]


@dataclass(frozen=True, eq=False)
class Paragraph(Block):
    """A paragraph of plain text.

    Attributes
    ----------
    text
        The text.
    """

    template: ClassVar[str] = "paragraph.html"
    text: str


@dataclass(frozen=True, eq=False)
class Code(Block):
    """Lines of code, or shell commands.

    Attributes
    ----------
    text
        The lines.
    """

    template: ClassVar[str] = "code.html"
    text: str


@dataclass(frozen=True, eq=False)
class Table(Block):
    """A table of texts.

    Attributes
    ----------
    header
        A text for each column; empty for a table without a header.
    rows
        The rows, each with a text for each column.
    words
        Indices of the columns that are aligned left.  The other columns are aligned right, as numbers are.
    """

    template: ClassVar[str] = "table.html"
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[int] = ()


@dataclass(frozen=True, eq=False)
class Formula(Block):
    """A formula, which the page shows as a picture.

    Attributes
    ----------
    latex
        The formula in LaTeX.
    text
        The formula as text, for readers who do not see pictures.
    """

    template: ClassVar[str] = "formula.html"
    latex: str
    text: str

    @property
    def image(self) -> str:
        """The picture of the formula as a data URI."""
        buffer = io.BytesIO()
        font = FontProperties(size=17, math_fontfamily="cm")
        math_to_image(f"${self.latex}$", buffer, prop=font, format="svg")
        return _data_uri(buffer.getvalue())


@dataclass(frozen=True, eq=False)
class Figure(Block):
    """A figure with its caption.

    Attributes
    ----------
    ax
        The axes of the figure.
    caption
        Sentences that say what the figure shows.
    code
        Lines of Python that draw the same figure on ``ax``.  They must run after the code of `Content`.
    """

    template: ClassVar[str] = "figure.html"
    ax: Axes
    caption: str
    code: str = ""

    @property
    def image(self) -> str:
        """The figure as a data URI."""
        return _data_uri(plots.svg(self.ax))


@dataclass(frozen=True, eq=False)
class Content:
    """The content of a page about a result.

    Attributes
    ----------
    verdicts
        The answers: pairs of a sentence and a flag, which is True if the answer is yes.
    sections
        The sections: pairs of a heading and a list of blocks.
    warnings
        Sentences that warn the reader.
    code
        Lines of Python that must run before the code of each figure.
    commands
        Shell commands that use the results, such as a prediction.
    cautions
        Those of the verdicts and warnings that `errsrc report` also prints.
    """

    verdicts: Sequence[tuple[str, bool]]
    sections: Sequence[tuple[str, Sequence[Block]]]
    warnings: Sequence[str] = ()
    code: str = ""
    commands: str = ""
    cautions: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Provenance:
    """How the results on a page were computed, and how to make the page again.

    Attributes
    ----------
    title
        Title of the page.
    facts
        The text of each fact by its heading: what was run, on what data, where and when.
    warnings
        Sentences that say what is missing or was left out.
    commands
        Shell commands that make the page again.
    script
        Lines of Python that read the results.  They must run before the code of `Content`.
    spec
        The text of the study's TOML file.
    """

    title: str
    facts: Mapping[str, str]
    warnings: Sequence[str] = ()
    commands: str = ""
    script: str = ""
    spec: str = ""


def page(content: Content, provenance: Provenance) -> str:
    """Return a complete HTML document, which loads no other files.

    The document has the verdicts, the sections, the warnings, what was run, and how to make the page again.

    Parameters
    ----------
    content : Content
        The content of the page.
    provenance : Provenance
        How the results were computed, and how to make the page again.

    Returns
    -------
    str
        HTML that loads no other files.
    """
    figures = [block for _, blocks in content.sections for block in blocks if isinstance(block, Figure)]
    return (
        templates("errsrc.report", "templates")
        .get_template("page.html")
        .render(
            content=content,
            provenance=provenance,
            small_verdicts=len(content.verdicts) > LARGE_VERDICTS,
            warnings=[*provenance.warnings, *content.warnings],
            figures=figures,
            facts=Table((), list(provenance.facts.items()), words=(0, 1)),
            script=_script(provenance.script, content.code, figures),
        )
    )


@functools.cache
def templates(package: str, folder: str) -> Environment:
    """Return the Jinja environment of the templates of a package, which escapes all texts.

    Parameters
    ----------
    package : str
        Name of the package.
    folder : str
        Its folder with the templates.
    """
    return Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )


def _script(begin: str, code: str, figures: Sequence[Figure]) -> str:
    """Return a Python script that draws all figures of a page and writes each to a file."""
    if not begin or not figures:
        return ""
    drawn = [
        f'{figure.code}\nPath("figure_{number}.svg").write_bytes(plots.svg(ax))'
        for number, figure in enumerate(figures, 1)
    ]
    return "\n".join([f"{begin}{code}", *drawn])


def _data_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
