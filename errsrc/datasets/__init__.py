"""Data sets: published measurements of scaling."""

from errsrc.datasets.published import TABLES as TABLES
from errsrc.datasets.published import Table as Table
from errsrc.datasets.published import curves as curves
from errsrc.datasets.published import published as published
