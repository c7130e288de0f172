"""Bench: what is measured against peers and goals, and the table of it."""
