"""The networks, one a file, and ``registry``, which makes one from its settings."""
