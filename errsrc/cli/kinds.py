"""errsrc kinds: the kinds of studies, with their fields, defaults and accepted values."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from errsrc.studies.descriptions import KindDescription

DESCRIPTION = """\
List the kinds of studies, and the fields of their cells.  A study (TOML) names its kind, and gives
the fields in [cell] and [factors].  The command prints the default of each field, or "required",
and the values that the field accepts.

With NAME, it also prints the fields of nested tables, such as recipe.learning_rate, and what each
field means.  NAME is a kind of study, or a setting, learner, basis, network or law that a study
can name, such as linear-teacher or ridge.
"""

EXAMPLES = """\
examples:
  errsrc kinds
  errsrc kinds vision
  errsrc kinds budget linear-teacher ridge
  errsrc kinds random-features --kinds experiment
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    from errsrc.cli.stores import add_module_arguments

    parser.add_argument("names", nargs="*", metavar="NAME", help="what to describe (default: all kinds)")
    parser.add_argument("--json", action="store_true", help="print the descriptions as JSON")
    add_module_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Print the descriptions of the kinds of studies, or of what the arguments name."""
    import dataclasses

    from errsrc.cli.stores import import_named, print_json
    from errsrc.studies import ALL
    from errsrc.studies.descriptions import KindDescription, available, describe

    import_named(args)
    found = {name: describe(name) if args.names else available(name) for name in args.names or ALL}
    if args.json:
        shown = {
            name: dataclasses.asdict(one) if isinstance(one, KindDescription) else {"needs": one}
            for name, one in found.items()
        }
        print_json(shown)
        return
    parts = [
        f"{name}\n  {one}" if isinstance(one, str) else "\n".join(_lines(one, bool(args.names)))
        for name, one in found.items()
    ]
    print("\n\n".join(parts))


def _lines(one: KindDescription, nested: bool) -> Iterator[str]:
    """Yield the lines about a kind; those about nested tables and meanings only if `nested`."""
    yield f"{one.name}: {one.summary}" if one.summary else one.name
    fields = [field for field in one.fields if nested or "." not in field.name]
    width = max((len(field.name) for field in fields), default=0)
    for field in fields:
        default = "required" if field.default is None else f"default {field.default}"
        text = f"{field.accepts}; {default}" if nested else f"{_short(default)}; {_short(field.accepts)}"
        yield f"  {field.name:<{width}}  {text}"
        if nested and field.kinds:
            yield from _wrapped(f"kinds: {', '.join(field.kinds)}", width)
        if nested and field.meaning:
            yield from _wrapped(field.meaning, width)


def _wrapped(text: str, width: int) -> list[str]:
    indent = " " * (width + 6)
    return textwrap.wrap(text, 100, initial_indent=indent, subsequent_indent=indent)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
