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
from xnorflow.artifact.windows import Window
from xnorflow.lower.integer_network import IntegerLayer, IntegerNetwork, MaxPool

__all__ = ["run_integer", "write_integer_onnx"]

BATCH = 256


def write_integer_onnx(network: IntegerNetwork, path: Path) -> None:
    """Write the network with a free batch dimension.

    Input ``x`` (N, inputs), output ``y`` (N, classes) or (N, 1) labels.

    Raises:
        LowerError: a layer's sums do not fit float32 exactly.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph()
    for name, layer in zip(network.names, network.layers, strict=True):
        graph.add(name, layer)
    current = graph.flatten(network.classes)
    kind, classes = TensorProto.FLOAT, network.classes
    if network.labels:
        graph.nodes.append(helper.make_node("ArgMax", [current], ["y"], name="label", axis=1, keepdims=1))
        kind, classes = TensorProto.INT64, 1
    else:
        graph.nodes[-1].output[0] = "y"
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


class _Graph:
    """The graph being written: values travel as (N, elements), channels last; within maps as ONNX has them."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._current = "x"
        self._is_map = False

    def add(self, name: str, layer: IntegerLayer | MaxPool) -> None:
        if isinstance(layer, MaxPool):
            self._max_pool(name, layer)
            return
        if layer.acc_bounds[1] >= 2**24:
            raise LowerError(
                f"layer {layer.name}", f"sums up to {layer.acc_bounds[1]}", "sums below 2**24, exact in float32",
                "use fewer inputs or fewer input bits",
            )  # fmt: skip
        if layer.window is None:
            self.flatten(layer.elements)
            weights = self._constant(f"{name}_weights", layer.weights.astype(np.float32))
            self._node("MatMul", f"{name}_matmul", [weights])
        else:
            self._convolution(name, layer, layer.window)
        if layer.thresholds is not None:
            # Half below the threshold: the difference is never 0, so Sign gives -1 or +1 only.
            thresholds = (layer.thresholds - 0.5).astype(np.float32)
            shape = (-1, 1, 1) if self._is_map else (-1,)
            self._node("Sub", f"{name}_threshold", [self._constant(f"{name}_thresholds", thresholds.reshape(shape))])
            self._node("Sign", f"{name}_sign", [])

    def flatten(self, elements: int) -> str:
        """Return the tensor of what is there as (N, elements), channels last."""
        if self._is_map:
            self._node("Transpose", "channels_last", [], perm=[0, 2, 3, 1])
            self._node("Reshape", "flatten", [self._constant("flat", np.asarray([0, elements], np.int64))])
            self._is_map = False
        return self._current

    def _map(self, name: str, window: Window) -> None:
        """Make maps (N, channels, rows, columns) of what is there."""
        if not self._is_map:
            shape = np.asarray([0, window.rows, window.columns, window.channels], np.int64)
            self._node("Reshape", f"{name}_map", [self._constant(f"{name}_shape", shape)])
            self._node("Transpose", f"{name}_channels_first", [], perm=[0, 3, 1, 2])
            self._is_map = True
        if window.padding:
            top, left, bottom, right = window.pads
            amounts = self._constant(f"{name}_pads", np.asarray([0, 0, top, left, 0, 0, bottom, right], np.int64))
            value = self._constant(f"{name}_pad_value", np.asarray(window.pad_value, np.float32))
            self._node("Pad", f"{name}_pad", [amounts, value])

    def _convolution(self, name: str, layer: IntegerLayer, window: Window) -> None:
        self._map(name, window)
        kernels = layer.weights.reshape(*window.kernel, window.channels, -1).transpose(3, 2, 0, 1)
        weights = self._constant(f"{name}_weights", np.ascontiguousarray(kernels, np.float32))
        self._node("Conv", f"{name}_conv", [weights], kernel_shape=window.kernel, strides=window.stride)

    def _max_pool(self, name: str, pool: MaxPool) -> None:
        self._map(name, pool.window)
        self._node("MaxPool", name, [], kernel_shape=pool.window.kernel, strides=pool.window.stride)

    def _constant(self, name: str, array: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def _node(self, kind: str, name: str, operands: list[str], **attributes: Any) -> None:
        from onnx import helper

        output = f"{name}_out"
        self.nodes.append(helper.make_node(kind, [self._current, *operands], [output], name=name, **attributes))
        self._current = output


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
