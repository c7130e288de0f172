"""Trained networks that come with the package: one bit a weight, and where each comes from."""
