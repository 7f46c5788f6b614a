"""Self-contained HTML pages about a finished study, or about a law and the measurements that it predicted.

`errsrc.studies` analyses a study.  This package lays out the results and draws the figures; each kind of
study has its own file.
"""

from typing import TYPE_CHECKING

from errsrc.exports import exported_names
from errsrc.moved import moved_names
from errsrc.report.holdout import holdout_page as holdout_page
from errsrc.report.holdout import holdout_verdict as holdout_verdict
from errsrc.report.study import study_page as study_page

if not TYPE_CHECKING:  # so that type checkers report unknown names themselves
    __getattr__ = moved_names(__name__)

__dir__ = exported_names(__name__)
