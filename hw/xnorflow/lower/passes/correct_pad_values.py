"""Give padding the value that stands for -1 or +1 once maps travel as 0 and 1."""

from __future__ import annotations

from typing import Any

from qonnx.transformation.base import Transformation

__all__ = ["CorrectPadValues"]


class CorrectPadValues(Transformation):
    """Set ``pad_value`` of Im2Col nodes in front of popcounts to 0 for -1, and to 1 for +1.

    QONNX's conversion to XNOR and popcount makes maps BINARY and leaves the padding as it is.
    """

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Change attributes in place."""
        from qonnx.custom_op.registry import getCustomOp

        for node in model.graph.node:
            consumers = model.find_consumers(node.output[0]) or []
            if node.op_type == "Im2Col" and any(other.op_type == "XnorPopcountMatMul" for other in consumers):
                operator = getCustomOp(node)
                if any(operator.get_nodeattr("pad_amount")):
                    operator.set_nodeattr("pad_value", int(operator.get_nodeattr("pad_value") > 0))
        return model, False
