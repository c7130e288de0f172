"""What QONNX itself computes: the reference that lowering is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.progress import Progress
from xnorflow.lower.import_model import LABEL_OPS

__all__ = ["logits_graph", "reference_logits"]


def logits_graph(model: Any) -> Any:
    """Return a copy of a tidied graph that ends in logits: a final TopK or ArgMax is cut off."""
    import copy

    from onnx import TensorProto, helper

    model = copy.deepcopy(model)
    for node in list(model.graph.node):
        if node.op_type in LABEL_OPS:
            shape = model.get_tensor_shape(node.input[0])
            del model.graph.output[:]
            model.graph.output.append(helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, shape))
            model.graph.node.remove(node)
    return model


def reference_logits(
    model: Any, inputs: npt.NDArray[np.float32], progress: Progress | None = None
) -> npt.NDArray[np.float32]:
    """Execute QONNX on frames.

    Args:
        model: from :func:`logits_graph`.
        inputs: float32 (frames, *input_shape).
        progress: told of every batch.

    Returns:
        float32 (frames, classes).
    """
    from xnorflow.export.qonnx_run import run_qonnx

    return run_qonnx(model, inputs).reshape(len(inputs), -1)
