"""integer.onnx: the integer network as a plain ONNX file, the fast golden reference for whole test sets.

Integers ride in float32, which is exact as long as every sum stays below 2**24 in magnitude; that is checked when it
is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import LowerError
from xnorflow.artifact.progress import Progress, SilentProgress
from xnorflow.artifact.windows import Window
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import INPUT, IntegerNetwork
from xnorflow.lower.integer_operations import Add, MaxPool, Operation, Repeat, Requantize, SumPool

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

    graph = _Graph()
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


@dataclass
class _Result:
    """What stands for an operation's result: a tensor's name, and whether it is (N, channels, rows, columns)."""

    tensor: str
    is_map: bool


class _Graph:
    """The graph being written: values travel as (N, elements), channels last; within maps as ONNX has them."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._results = {INPUT: _Result("x", False)}
        self._made = 0
        self._current = _Result("x", False)

    def add(self, name: str, operation: Operation, sources: tuple[int, ...]) -> None:
        """Write the nodes of one operation."""
        self._current = replace(self._results[sources[0]])
        match operation:
            case IntegerLayer():
                self._product(name, operation)
            case MaxPool(_, window):
                self._map(name, window)
                self._node("MaxPool", name, [], kernel_shape=window.kernel, strides=window.stride)
            case SumPool(_, window):
                self._sum_pool(name, window)
            case Add():
                self._node("Add", name, [self._results[sources[1]].tensor])
            case Repeat(_, _, times):
                self._node("Concat", name, [self._current.tensor] * (times - 1), axis=1)
            case Requantize():
                self._requantize(name, operation)
        self._made += 1
        self._results[self._made - 1] = self._current

    def flatten(self, position: int, elements: int) -> str:
        """Return the tensor of an operation's result as (N, elements), channels last."""
        self._current = replace(self._results[position])
        self._flat(f"result{position}", elements)
        return self._current.tensor

    def _product(self, name: str, layer: IntegerLayer) -> None:
        if layer.acc_bounds[1] >= 2**24:
            raise LowerError(
                f"layer {layer.name}", f"sums up to {layer.acc_bounds[1]}", "sums below 2**24, exact in float32",
                "use fewer inputs or fewer input bits",
            )  # fmt: skip
        if layer.window is None:
            self._flat(name, layer.elements)
            weights = self._constant(f"{name}_weights", layer.weights.astype(np.float32))
            self._node("MatMul", f"{name}_matmul", [weights])
        else:
            window = layer.window
            self._map(name, window)
            kernels = layer.weights.reshape(*window.kernel, window.channels, -1).transpose(3, 2, 0, 1)
            weights = self._constant(f"{name}_weights", np.ascontiguousarray(kernels, np.float32))
            self._node("Conv", f"{name}_conv", [weights], kernel_shape=window.kernel, strides=window.stride)
        if layer.thresholds is not None:
            # Half below the threshold: the difference is never 0, so Sign gives -1 or +1 only.
            thresholds = (layer.thresholds - 0.5).astype(np.float32).reshape(self._channels())
            self._node("Sub", f"{name}_threshold", [self._constant(f"{name}_thresholds", thresholds)])
            self._node("Sign", f"{name}_sign", [])

    def _sum_pool(self, name: str, window: Window) -> None:
        """Write a convolution with ones for each channel: unlike an average, it does not round."""
        self._map(name, window)
        ones = self._constant(f"{name}_ones", np.ones((window.channels, 1, *window.kernel), np.float32))
        self._node(
            "Conv", name, [ones], kernel_shape=window.kernel, strides=window.stride, group=window.channels
        )  # fmt: skip

    def _requantize(self, name: str, function: Requantize) -> None:
        """Write a look-up: integer and channel give the place in one long table."""
        rows, channels = function.table.shape
        low = function.low - function.step * rows * np.arange(channels)
        self._node("Sub", f"{name}_low", [self._constant(f"{name}_lows", self._by_channel(low))])
        if function.step != 1:
            self._node("Div", f"{name}_step", [self._constant(f"{name}_steps", np.asarray(function.step, np.float32))])
        self._node("Cast", f"{name}_place", [], to=7)
        place, table = self._current.tensor, np.ascontiguousarray(function.table.T.reshape(-1), np.float32)
        self._current.tensor = self._constant(f"{name}_table", table)
        self._node("Gather", name, [place])

    def _channels(self) -> tuple[int, ...]:
        return (-1, 1, 1) if self._current.is_map else (-1,)

    def _by_channel(self, values: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        return values.astype(np.float32).reshape(self._channels())

    def _flat(self, name: str, elements: int) -> None:
        if self._current.is_map:
            self._node("Transpose", f"{name}_channels_last", [], perm=[0, 2, 3, 1])
            self._node("Reshape", f"{name}_flat", [self._constant(f"{name}_size", np.asarray([0, elements], np.int64))])
            self._current.is_map = False

    def _map(self, name: str, window: Window) -> None:
        """Make maps (N, channels, rows, columns) of what is there, padded."""
        if not self._current.is_map:
            shape = np.asarray([0, window.rows, window.columns, window.channels], np.int64)
            self._node("Reshape", f"{name}_map", [self._constant(f"{name}_shape", shape)])
            self._node("Transpose", f"{name}_channels_first", [], perm=[0, 3, 1, 2])
            self._current.is_map = True
        if window.padding:
            top, left, bottom, right = window.pads
            amounts = self._constant(f"{name}_pads", np.asarray([0, 0, top, left, 0, 0, bottom, right], np.int64))
            value = self._constant(f"{name}_pad_value", np.asarray(window.pad_value, np.float32))
            self._node("Pad", f"{name}_pad", [amounts, value])

    def _constant(self, name: str, array: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def _node(self, kind: str, name: str, operands: list[str], **attributes: Any) -> None:
        from onnx import helper

        output = f"{name}_out"
        self.nodes.append(helper.make_node(kind, [self._current.tensor, *operands], [output], name=name, **attributes))
        self._current.tensor = output


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
    names = [_result_name(name, operation) for name, operation in zip(network.names, network.operations, strict=True)]
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


def _result_name(name: str, operation: Operation) -> str:
    if isinstance(operation, IntegerLayer):
        kind = "matmul" if operation.window is None else "conv"
        return f"{name}_sign_out" if operation.thresholds is not None else f"{name}_{kind}_out"
    return f"{name}_out"


def _channels_last(result: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    maps = result.transpose(0, 2, 3, 1) if result.ndim == 4 else result
    return maps.reshape(len(result), -1)
