"""Forms of a network: which of its parts are binary. Imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Form"]


class Form(StrEnum):
    """Forms of a network, in the order of progressive training."""

    FLOAT = "float"  # real weights, ReLU
    TANH = "tanh"  # real weights, tanh
    BINARY_ACTIVATIONS = "binary_activations"  # real weights, sign
    BINARY = "binary"
