"""Replace FINN's hardware layers by ours, where FINN's has no RTL or is not sound in open tools."""

from __future__ import annotations

from typing import Any

from qonnx.transformation.base import Transformation

from xnorflow.artifact.errors import LowerError

__all__ = ["UseOwnOperators"]

REPLACEMENTS = {"StreamingFIFO": "BoundedFIFO", "StreamingDataWidthConverter": "WidthConverter"}
"""LabelSelect keeps its name: only its RTL backend is ours."""
COMPUTING = frozenset({"MVAU", "Requantize", "SlidingWindow", "StreamAdd", "StreamFork", "StreamGate", "WindowPool"})
"""Layers that compute with sums, or hand them to such."""


class UseOwnOperators(Transformation):
    """Rename MVAU to XnorMVAU, BinaryWeightMVAU or FewBitMVAU by its datatypes, and the stream helpers to ours.

    Counts that another layer computes with get a sign bit, which all of these expect.

    Precondition: abstract hardware layers (before SpecializeLayers). Effect: op types only; inputs and attributes stay.

    Raises:
        LowerError: an MVAU that neither unit computes.
    """

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Rename in place."""
        from qonnx.custom_op.registry import getCustomOp

        for node in model.graph.node:
            if node.op_type == "MVAU":
                node.op_type = _unit_for(node, getCustomOp(node))
                readers = model.find_consumers(node.output[0]) or []
                if any(reader.op_type in COMPUTING for reader in readers):
                    getCustomOp(node).set_nodeattr("signedOutput", 1)
            elif node.op_type in REPLACEMENTS:
                node.op_type = REPLACEMENTS[node.op_type]
        return model, False


def _unit_for(node: Any, operator: Any) -> str:
    source, weights = operator.get_nodeattr("inputDataType"), operator.get_nodeattr("weightDataType")
    if operator.get_nodeattr("binaryXnorMode") == 1:
        return "XnorMVAU"
    if source.startswith(("INT", "UINT")):  # counts get their sign bit later
        if weights == "BIPOLAR":
            return "BinaryWeightMVAU"
        if weights.startswith("INT"):
            return "FewBitMVAU"
    raise LowerError(
        f"node {node.name}", f"{source} inputs with {weights} weights",
        "BIPOLAR x BIPOLAR, INT<n> x BIPOLAR, or INT<n> x INT<m>", "train with 1-bit weights and 1-bit activations",
    )  # fmt: skip
