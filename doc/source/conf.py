
"""Sphinx' settings."""

import pathlib

from docutils import nodes
from docutils.parsers import rst

project = 'snapshot-dashboard'
html_theme = 'alabaster'
exclude_patterns = []
# reno reads the release notes out of git's history, which an archive lacks.
_HAS_HISTORY = (pathlib.Path(__file__).parents[2] / '.git').exists()
extensions = ['reno.sphinxext'] if _HAS_HISTORY else []


class _NoReleaseNotes(rst.Directive):
    """Says where they are."""

    def run(self):
        return [nodes.paragraph(text='This was built outside of a clone; the '
                                     'notes are in releasenotes/notes.')]


def setup(app):
    if not _HAS_HISTORY:
        app.add_directive('release-notes', _NoReleaseNotes)
