"""Sphinx' settings."""

project = 'snapshot-dashboard'
extensions = []
html_theme = 'alabaster'
exclude_patterns = []
