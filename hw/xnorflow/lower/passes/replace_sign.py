"""Give every Sign the meaning that it has in 1-bit networks: sign(0) = +1."""

from __future__ import annotations

from typing import Any

import numpy as np
from qonnx.transformation.base import Transformation

__all__ = ["ReplaceSign"]


class ReplaceSign(Transformation):
    """Replace Sign by BipolarQuant of scale 1, which differs at 0 only.

    ONNX says sign(0) = 0, which has no 1-bit form; Brevitas trains with +1 and FINN's ConvertSignToThres means +1.
    """

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Change the graph in place."""
        for node in model.graph.node:
            if node.op_type == "Sign":
                scale = f"{node.output[0]}_scale"
                node.op_type, node.domain = "BipolarQuant", "qonnx.custom_op.general"
                node.input.append(scale)
                model.set_initializer(scale, np.asarray(1.0, np.float32))
        return model, False
