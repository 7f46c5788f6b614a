"""Data sets: images, texts, and published measurements of scaling."""

from errsrc.datasets.images import IMAGE_SETS as IMAGE_SETS
from errsrc.datasets.images import Images as Images
from errsrc.datasets.images import Shape as Shape
from errsrc.datasets.images import balanced_order as balanced_order
from errsrc.datasets.images import images as images
from errsrc.datasets.images import shape_of as shape_of
from errsrc.datasets.published import TABLES as TABLES
from errsrc.datasets.published import Table as Table
from errsrc.datasets.published import curves as curves
from errsrc.datasets.published import published as published
from errsrc.datasets.text import Texts as Texts
from errsrc.datasets.text import passages as passages
from errsrc.datasets.text import texts as texts
