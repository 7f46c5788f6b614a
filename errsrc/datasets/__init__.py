"""Data sets: images, texts, and published measurements of scaling."""

from typing import TYPE_CHECKING

from errsrc.datasets.characters import glyphs as glyphs
from errsrc.datasets.image_sets import IMAGE_SETS as IMAGE_SETS
from errsrc.datasets.image_sets import Images as Images
from errsrc.datasets.image_sets import Shape as Shape
from errsrc.datasets.image_sets import balanced_order as balanced_order
from errsrc.datasets.image_sets import images as images
from errsrc.datasets.image_sets import shape_of as shape_of
from errsrc.datasets.published_tables import TABLES as TABLES
from errsrc.datasets.published_tables import PublishedTable as PublishedTable
from errsrc.datasets.published_tables import published as published
from errsrc.datasets.published_tables import published_curves as published_curves
from errsrc.datasets.text import Texts as Texts
from errsrc.datasets.text import passages as passages
from errsrc.datasets.text import texts as texts
from errsrc.exports import exported_names
from errsrc.moved import moved_names

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)
