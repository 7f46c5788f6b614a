"""Self-contained HTML pages: of a finished study, and of a law with the measurements that it predicted.

The analysis of a study is in `errsrc.studies`; this package lays it out and draws it, a file for each kind of
study.
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
