"""Self-contained pages: HTML that opens offline, figures and all, with every text escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

from errsrc import plots

CSS = """\
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  color: #1c1c1c; background: white; max-width: 54rem; margin: 2.5rem auto; padding: 0 1.2rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .8rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid #ccc; }
.lead { font-size: 1.2rem; border-left: 4px solid #0072b2; padding: .1rem 0 .1rem .9rem; margin: 1rem 0; }
.lead.many { font-size: 1rem; margin: .6rem 0; }
.no { border-left-color: #d55e00; }
.wide { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .18rem .8rem .18rem 0; text-align: right; vertical-align: top; white-space: nowrap; }
th { border-bottom: 1.5px solid #444; font-weight: 600; }
td { border-bottom: 1px solid #e8e8e8; }
th.word, td.word { text-align: left; }
td.word { white-space: normal; overflow-wrap: anywhere; min-width: 6.5rem; }
figure { margin: 1.2rem 0; break-inside: avoid; }
figure img { max-width: 100%; }
figcaption { font-size: .88rem; color: #444; max-width: 44rem; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .88rem; }
pre { background: #f5f5f5; padding: .7rem .9rem; overflow-x: auto; overflow-wrap: normal; }
img.formula { display: block; margin: 1rem 0; max-width: 100%; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } h2 { break-after: avoid; }
  tr { break-inside: avoid; } thead { display: table-header-group; } pre { white-space: pre-wrap; }
  .wide { overflow-x: visible; } table { font-size: 8.5pt; } th, td { padding-right: .5rem;
    white-space: normal; overflow-wrap: normal; } }
@page { margin: 18mm 15mm; }
"""


@dataclass(frozen=True, eq=False)
class Figure:
    """A figure of a page.

    Attributes
    ----------
    ax
        What is drawn.
    caption
        What is seen, in sentences.
    code
        Lines of Python that leave the same in ``ax``, run after the page's own, see `Content`.
    """

    ax: Axes
    caption: str
    code: str = ""


@dataclass(frozen=True, eq=False)
class Content:
    """What a page says of a result, whatever the result is.

    Attributes
    ----------
    verdicts
        A sentence each, and whether its answer is yes.
    sections
        The heading of each, and its blocks: HTML already (`paragraph`, `table`, ...), or a `Figure`.
    warnings
        What the reader must know, a sentence each.
    code
        Lines of Python from which each figure's own go on.
    """

    verdicts: Sequence[tuple[str, bool]]
    sections: Sequence[tuple[str, Sequence[str | Figure]]]
    warnings: Sequence[str] = ()
    code: str = ""


def page(
    title: str,
    content: Content,
    facts: Mapping[str, str],
    commands: str = "",
    more: Sequence[tuple[str, Sequence[str]]] = (),
) -> str:
    """Return a whole HTML document: verdicts, what they rest on, warnings, what was run, how to repeat it.

    Parameters
    ----------
    title
        Of the page.
    content
        What it says.
    facts
        {what: text}: what was run, on what data, where and when.
    commands
        Of a shell, that make the page again.
    more
        Sections at its end.
    """
    look = "lead many" if len(content.verdicts) > FEW else "lead"
    parts = [paragraph(said, look if yes else f"{look} no") for said, yes in content.verdicts]
    figures: list[Figure] = []
    for name, blocks in content.sections:
        parts.append(_heading(name))
        for block in blocks:
            if isinstance(block, Figure):
                figures.append(block)
                parts.append(_figure(block, len(figures)))
            else:
                parts.append(block)
    parts.append(_heading("Warnings"))
    parts.append(_listing(content.warnings) if content.warnings else paragraph("None."))
    parts += [_heading("What was run"), table((), list(facts.items()), words=(0, 1))]
    if commands:
        parts += [_heading("How to make this page again"), code(commands)]
    if content.code and figures:
        drawn = "".join(_saved(one, number) for number, one in enumerate(figures, 1))
        parts += [_heading("How to make each figure again"), code(f"{content.code}\n{drawn}".rstrip("\n"))]
    for name, texts in more:
        parts += [_heading(name), *texts]
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>\n{CSS}</style>\n'
        f"</head>\n<body>\n<h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


FEW = 3
"""Verdicts that are set large; more of them are set as text is."""


def _heading(text: str) -> str:
    """Return a section's heading."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, look: str = "") -> str:
    """Return a paragraph of plain text; `look` is a class of `CSS`."""
    return f'<p class="{look}">{escape(text)}</p>' if look else f"<p>{escape(text)}</p>"


def _listing(sentences: Iterable[str]) -> str:
    """Return a list of sentences."""
    return "<ul>\n" + "\n".join(f"<li>{escape(s)}</li>" for s in sentences) + "\n</ul>"


def code(text: str) -> str:
    """Return lines of code or of a shell."""
    return f"<pre>{escape(text)}</pre>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[int] = ()) -> str:
    """Return a header and rows of texts as a table; columns numbered in `words` are flush left, others right.

    Examples
    --------
    >>> print(table(("n", "error"), [("500", "< 0.2")]))
    <div class="wide"><table>
    <thead><tr><th>n</th><th>error</th></tr></thead>
    <tbody>
    <tr><td>500</td><td>&lt; 0.2</td></tr>
    </tbody>
    </table></div>
    """

    def cells(kind: str, row: Sequence[str]) -> str:
        look = [' class="word"' if k in words else "" for k in range(len(row))]
        return "".join(f"<{kind}{c}>{escape(x)}</{kind}>" for c, x in zip(look, row, strict=True))

    head = f"<thead><tr>{cells('th', header)}</tr></thead>\n" if header else ""
    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="wide"><table>\n{head}<tbody>\n{body}\n</tbody>\n</table></div>'


def formula(latex: str, text: str) -> str:
    """Return a formula in ``latex``, inlined as a picture; `text` is read out in its place."""
    buffer = io.BytesIO()
    font = FontProperties(size=17, math_fontfamily="cm")
    math_to_image(f"${latex}$", buffer, prop=font, format="svg")
    return f'<img class="formula" src="{_data(buffer.getvalue())}" alt="{escape(text)}">'


def _figure(one: Figure, number: int) -> str:
    """Return a figure, inlined, with its number and caption."""
    caption = escape(f"Figure {number}. {one.caption}")
    image = f'<img src="{_data(plots.svg(one.ax))}" alt="{caption}">'
    return f"<figure>\n{image}\n<figcaption>{caption}</figcaption>\n</figure>"


def _saved(one: Figure, number: int) -> str:
    return f'{one.code}\nPath("figure_{number}.svg").write_bytes(plots.svg(ax))\n'


def _data(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
