"""All networks that must build."""

from __future__ import annotations

import variants_ends
import variants_input
import variants_layers
from qonnx_files import Chain, body, perceptron
from variant_registry import OPTIONS, VARIANTS, inputs_for, save

__all__ = ["OPTIONS", "VARIANTS", "Chain", "body", "inputs_for", "perceptron", "save"]

assert {function.__module__ for function in VARIANTS.values()} == {
    module.__name__ for module in (variants_ends, variants_input, variants_layers)
}
