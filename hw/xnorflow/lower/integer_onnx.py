"""integer.onnx: the integer network as a plain ONNX file, the fast golden reference for whole test sets.

Integers ride in float32, which is exact as long as every sum stays below 2**24 in magnitude; that is checked when it
is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import LowerError
from xnorflow.artifact.progress import Progress, SilentProgress
from xnorflow.lower.integer_network import IntegerNetwork

__all__ = ["run_integer", "write_integer_onnx"]

BATCH = 4096


def write_integer_onnx(network: IntegerNetwork, path: Path) -> None:
    """Write the network with a free batch dimension.

    Input ``x`` (N, inputs), output ``y`` (N, classes) or (N, 1) labels.

    Raises:
        LowerError: a layer's sums do not fit float32 exactly.
    """
    import onnx
    from onnx import TensorProto, helper

    nodes, constants = _layers(network)
    kind, classes = TensorProto.FLOAT, network.layers[-1].outputs
    if network.labels:
        label = helper.make_node("ArgMax", [nodes[-1].output[0]], ["y"], name="label", axis=1, keepdims=1)
        nodes.append(label)
        kind, classes = TensorProto.INT64, 1
    else:
        nodes[-1].output[0] = "y"
    graph = helper.make_graph(
        nodes,
        "integer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", network.layers[0].inputs])],
        [helper.make_tensor_value_info("y", kind, ["N", classes])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="xnorflow")
    model.ir_version = 8
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _layers(network: IntegerNetwork) -> tuple[list[Any], list[Any]]:
    """Return nodes and constants."""
    from onnx import helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []
    current = "x"
    for index, layer in enumerate(network.layers):
        if layer.acc_bounds[1] >= 2**24:
            raise LowerError(
                f"layer {layer.name}", f"sums up to {layer.acc_bounds[1]}", "sums below 2**24, exact in float32",
                "use fewer inputs or fewer input bits",
            )  # fmt: skip
        constants.append(numpy_helper.from_array(layer.weights.astype(np.float32), f"w{index}"))
        nodes.append(helper.make_node("MatMul", [current, f"w{index}"], [f"a{index}"], name=f"fc{index}_matmul"))
        current = f"a{index}"
        if layer.thresholds is not None:
            # Half below the threshold: the difference is never 0, so Sign gives -1 or +1 only.
            constants.append(numpy_helper.from_array((layer.thresholds - 0.5).astype(np.float32), f"t{index}"))
            nodes.append(helper.make_node("Sub", [current, f"t{index}"], [f"d{index}"], name=f"fc{index}_threshold"))
            nodes.append(helper.make_node("Sign", [f"d{index}"], [f"x{index + 1}"], name=f"fc{index}_sign"))
            current = f"x{index + 1}"
    return nodes, constants


def run_integer(
    path: Path, values: npt.NDArray[np.int64], progress: Progress | None = None, threads: int = 0
) -> npt.NDArray[np.int64]:
    """Run integer.onnx through onnxruntime.

    Args:
        path: the file.
        values: int64 (frames, inputs), as the host codec gives them.
        progress: told of every batch.
        threads: onnxruntime's; 0 lets it choose.

    Returns:
        int64 (frames, classes) accumulators, or (frames, 1) labels.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    results = []
    with (progress or SilentProgress()).task("integer.onnx", len(values)) as advance:
        for start in range(0, len(values), BATCH):
            batch = values[start : start + BATCH]
            (result,) = session.run(None, {"x": batch.astype(np.float32)})
            results.append(np.rint(result).astype(np.int64))
            advance(len(batch), "")
    return np.concatenate(results)
