"""Make a threshold of a comparison with a constant whose result becomes a number."""

from __future__ import annotations

from typing import Any

import numpy as np
from qonnx.transformation.base import Transformation

__all__ = ["ReplaceComparison"]


class ReplaceComparison(Transformation):
    """Replace GreaterOrEqual with a constant, and the Cast to float behind it, by a MultiThreshold.

    Precondition: shapes inferred, constants folded. The constant is one number for all.
    """

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Change the graph in place."""
        from onnx import TensorProto, helper

        for node in list(model.graph.node):
            constant = model.get_initializer(node.input[1]) if node.op_type == "GreaterOrEqual" else None
            readers = model.find_consumers(node.output[0]) or []
            if constant is None or constant.size != 1 or [reader.op_type for reader in readers] != ["Cast"]:
                continue
            cast = readers[0]
            if helper.get_node_attr_value(cast, "to") != TensorProto.FLOAT:
                continue
            name = f"{node.output[0]}_threshold"
            made = helper.make_node(
                "MultiThreshold", [node.input[0], name], [cast.output[0]], name=node.name,
                domain="qonnx.custom_op.general", out_dtype="BINARY",
            )  # fmt: skip
            model.graph.node.insert(list(model.graph.node).index(cast), made)
            for old in (node, cast):
                model.graph.node.remove(old)
            model.set_initializer(name, np.asarray(constant, np.float32).reshape(1, 1))
        return model, False
