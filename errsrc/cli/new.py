"""errsrc new: write a small study with comments, to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = """\
Write a small study with comments into a folder.  It runs as it is, in seconds to about a minute on
a CPU; change it to make it yours.  No file is overwritten.

  vision      networks trained on images, over data sizes and widths; also a model of your own
  language    language models trained on a text, over numbers of tokens and widths
  budget      the four sources of a learner's error; also in a setting of your own
  conjecture  thresholds from which learners are exact, and the search for counterexamples
  own         an experiment of your own: a module with its function, and a study of it

'errsrc new vision DIR --images photos' writes a model, which you replace by your own, and a study
that trains it on the images in the folder photos.  The sizes suit the number of these images.
"""

EXAMPLES = """\
examples:
  errsrc new own my_experiment
  cd my_experiment
  errsrc run grid.toml --kinds experiment
  errsrc report grid.toml --kinds experiment
  errsrc new vision my_study --images photos
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("kind", metavar="KIND", help="vision, language, budget, conjecture or own")
    parser.add_argument("folder", metavar="DIR", help="the folder, which may be new")
    parser.add_argument(
        "--images",
        metavar="FOLDER",
        help="for vision: a folder of your own images, with train/CLASS/*.png and test/CLASS/*.png",
    )
    parser.add_argument("--json", action="store_true", help="print the paths of the files as JSON")


def run(args: argparse.Namespace) -> None:
    """Write the files, print the next commands, and print to standard error which files were written."""
    from errsrc.cli.outputs import print_written
    from errsrc.studies.starters import next_commands, write_starter

    images = None if args.images is None else Path(args.images)
    written = write_starter(args.kind, Path(args.folder), images)
    commands = next_commands(args.kind, images is not None)
    if args.json:
        from errsrc.cli.stores import print_json

        print_json({"written": written, "next": commands})
        return
    for path in written:
        print_written(path)
    print(f"Next, in {args.folder}:")
    for command in commands:
        print(f"  {command}")
