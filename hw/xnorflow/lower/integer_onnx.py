"""integer.onnx: the integer network as a plain ONNX file, the fast golden reference for whole test sets.

Integers ride in float32, which is exact as long as every sum stays below 2**24 in magnitude; that is checked when it
is written.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import LowerError
from xnorflow.artifact.progress import Progress, SilentProgress
from xnorflow.lower.integer_graph import IntegerGraph, result_name
from xnorflow.lower.integer_network import IntegerNetwork

__all__ = ["run_integer", "run_integer_operations", "write_integer_onnx"]

BATCH = 256


def write_integer_onnx(network: IntegerNetwork, path: Path) -> None:
    """Write the network with a free batch dimension.

    Input ``x`` (N, inputs), output ``y`` (N, classes) or (N, 1) labels.

    Raises:
        LowerError: a layer's sums do not fit float32 exactly.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = IntegerGraph()
    for name, operation, sources in zip(network.names, network.operations, network.edges, strict=True):
        graph.add(name, operation, sources)
    current = graph.flatten(len(network.operations) - 1, network.classes)
    kind, classes = TensorProto.FLOAT, network.classes
    if network.labels:
        graph.nodes.append(helper.make_node("ArgMax", [current], ["y"], name="label", axis=1, keepdims=1))
        kind, classes = TensorProto.INT64, 1
    else:
        graph.nodes[-1].output[0] = "y"  # the last operation is a product, which nothing else reads
    made = helper.make_graph(
        graph.nodes,
        "integer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", network.first.elements])],
        [helper.make_tensor_value_info("y", kind, ["N", classes])],
        graph.constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], producer_name="xnorflow")
    model.ir_version = 8
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


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


def run_integer_operations(
    path: Path, network: IntegerNetwork, values: npt.NDArray[np.int64]
) -> list[npt.NDArray[np.int64]]:
    """Run integer.onnx and return the result of each operation (frames, elements), channels last.

    Args:
        path: the file.
        network: that it was written from, as far as names, shapes and order of operations go.
        values: int64 (frames, inputs).

    Raises:
        LowerError: the file has not the tensors of such a network.
    """
    import onnx
    import onnxruntime

    model = onnx.load(str(path))
    names = [result_name(name, operation) for name, operation in zip(network.names, network.operations, strict=True)]
    made = {output for node in model.graph.node for output in node.output}
    names[-1] = names[-1] if names[-1] in made else "y"
    missing = [name for name in names if name not in made]
    if missing:
        raise LowerError(f"integer.onnx {path}", f"no tensor {missing[0]}", "that of this network", "build again")
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    results = session.run(names, {"x": values.astype(np.float32)})
    return [_channels_last(np.rint(result).astype(np.int64)) for result in results]


def _channels_last(result: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    maps = result.transpose(0, 2, 3, 1) if result.ndim == 4 else result
    return maps.reshape(len(result), -1)
