"""Self-contained pages: of a study (`study_page`), and of a law beside what it foretold (`holdout_page`).

A file a kind of study, which takes what was ``found`` of it, `Finished`; `page` is what all pages share.
"""

from errsrc.report.finished import Finished as Finished
from errsrc.report.finished import read as read
from errsrc.report.holdout import holdout_page as holdout_page
from errsrc.report.holdout import verdict as verdict
from errsrc.report.study import study_page as study_page
