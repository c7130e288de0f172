"""The integer network as FINN-ONNX: MatMul and MultiThreshold on integers, which streamlining does not round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.windows import Window
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import INPUT, IntegerNetwork
from xnorflow.lower.integer_operations import Add, Gate, MaxPool, Operation, Repeat, Requantize, SumPool
from xnorflow.lower.levels import datatype_of

__all__ = ["to_finn_graph"]

QONNX_DOMAIN = "qonnx.custom_op.general"
FINN_DOMAIN = "finn.custom_op.fpgadataflow"


def to_finn_graph(network: IntegerNetwork) -> Any:
    """Return a qonnx ModelWrapper of the network.

    The input is annotated BIPOLAR or ``INT<n>`` with shape (1, inputs), weights BIPOLAR; each activation is a
    MultiThreshold with one integer threshold a neuron and out_dtype BIPOLAR. The output is the accumulators (1,
    classes), or the label (1, 1) behind TopK.
    """
    prepare_finn()
    from onnx import TensorProto, helper
    from qonnx.core.datatype import DataType
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.infer_datatypes import InferDataTypes
    from qonnx.transformation.infer_shapes import InferShapes
    from qonnx.util.basic import qonnx_make_model

    graph = _Graph(network)
    for position in range(len(network.operations)):
        graph.add(position)
    nodes, tensors, current = graph.nodes, graph.tensors, graph.current
    infos = [info for info in graph.infos if info.name != current or network.labels]
    outputs = [helper.make_tensor_value_info(current, TensorProto.FLOAT, graph.shape)]
    if network.labels:
        nodes.append(helper.make_node("TopK", [current, "k"], ["values", "global_out"], name="label", axis=-1))
        outputs = [helper.make_tensor_value_info("global_out", TensorProto.INT64, [*graph.shape[:-1], 1])]
    source = helper.make_tensor_value_info("global_in", TensorProto.FLOAT, _input_shape(network))
    model = ModelWrapper(qonnx_make_model(helper.make_graph(nodes, "xnorflow", [source], outputs, value_info=infos)))
    model.set_tensor_datatype("global_in", DataType["BINARY" if graph.binary_input else network.input_datatype])
    for name, (array, datatype) in tensors.items():
        model.set_initializer(name, array)
        model.set_tensor_datatype(name, DataType[datatype])
    if network.labels:
        model.set_initializer("k", np.asarray([1], np.int64))
    return model.transform(InferShapes()).transform(InferDataTypes())  # Im2Col reads its input's


def _input_shape(network: IntegerNetwork) -> list[int]:
    window = network.first.window
    return [1, network.first.inputs] if window is None else [1, window.rows, window.columns, window.channels]


@dataclass(frozen=True)
class _Result:
    """A tensor, channels last, that holds an operation's result."""

    tensor: str
    shape: list[int]


class _Graph:
    """The graph being written.

    Where all operations are products with thresholds and max-pools, 1-bit values are BIPOLAR and FINN's streamlining
    makes popcounts of the products. Where there are others, which no streamlining knows, they are BINARY from the start
    and products count: functions of a sum become functions of the count.

    Args:
        network: what is being written.

    Attributes:
        nodes: so far.
        infos: shapes of the tensors that they give.
        tensors: constants, with their datatypes.
        current: name of the last tensor.
        shape: of the last tensor, channels last.
        binary_input: whether the graph's input is 0 and 1 in place of -1 and +1.
    """

    def __init__(self, network: IntegerNetwork) -> None:
        self.nodes: list[Any] = []
        self.infos: list[Any] = []
        self.tensors: dict[str, tuple[Any, str]] = {}
        self.current = "global_in"
        self.shape = _input_shape(network)
        self._network = network
        self._counts = not all(_is_of_a_chain(operation) for operation in network.operations)
        binary = network.input_datatype == "BIPOLAR"
        self.binary_input = binary and (self._counts or network.first.window is not None)
        self._results = {INPUT: _Result(self.current, self.shape)}

    def add(self, position: int) -> None:
        """Write the nodes of the operation at ``position``."""
        name, operation = self._network.names[position], self._network.operations[position]
        sources = [self._results[source] for source in self._network.edges[position]]
        self.current, self.shape = sources[0].tensor, list(sources[0].shape)
        match operation:
            case IntegerLayer():
                first = self._network.edges[position][0] == INPUT
                self._product(name, operation, last=position == len(self._network.operations) - 1, first=first)
            case MaxPool():
                self._max_pool(name, operation)
            case SumPool(_, window):
                self._layer(
                    "WindowPool", name, [1, *window.output, window.channels], **_geometry(window), PoolMode="sum"
                )
            case Add(_, shifts):
                self._layer(
                    "StreamAdd", name, self.shape, [sources[1].tensor], ShiftA=shifts[0], ShiftB=shifts[1]
                )  # fmt: skip
            case Gate():
                self._layer(
                    "StreamGate", name, self.shape, [sources[1].tensor], Scale=operation.scale,
                    Offset=operation.offset, MaxShift=max(operation.largest, 1), codeDataType="UINT2",
                )  # fmt: skip
            case Repeat():
                self._repeat(name, operation)
            case Requantize():
                self._requantize(name, operation)
        self._results[position] = _Result(self.current, list(self.shape))

    def _product(self, name: str, layer: IntegerLayer, last: bool, first: bool) -> None:
        counted = layer.binary_input and (self._counts or (first and layer.window is not None))
        if (layer.window is not None or self.shape[-1] != layer.inputs) and not _is_pixel(layer.window):
            self._windows(name, layer.window or self._whole_map(), counted)
        self.shape = [*self.shape[:-1], layer.outputs]
        if counted:
            self._counted_product(name, layer, last or (layer.thresholds is not None and not self._counts))
        else:
            self._node("MatMul", f"{name}_matmul", f"{name}_sum", [f"{name}_weights"])
            low, high = int(layer.weights.min()), int(layer.weights.max())
            kind = "BIPOLAR" if layer.binary_weights else datatype_of(low, high)
            self.tensors[f"{name}_weights"] = (layer.weights.astype(np.float32), kind)
        if layer.thresholds is not None:
            counts = (layer.thresholds + layer.inputs) // 2 if counted and self._counts else layer.thresholds
            self._thresholds(name, counts)

    def _whole_map(self) -> Window:
        _, rows, columns, channels = self.shape
        return Window(rows, columns, channels, (rows, columns))

    def _windows(self, name: str, window: Window, counted: bool) -> None:
        value = (window.pad_value + 1) // 2 if counted else window.pad_value
        if _is_thin(window):
            shape = [1, *window.output, window.positions * window.channels]
            self._layer("SlidingWindow", f"{name}_windows", shape, **_geometry(window), PadValue=value)
            return
        attributes = {
            "kernel_size": list(window.kernel), "stride": list(window.stride), "pad_amount": list(window.pads),
            "pad_value": value, "input_shape": str(tuple(self.shape)), "domain": QONNX_DOMAIN,
        }  # fmt: skip
        self.shape = [1, *window.output, window.positions * window.channels]
        self._node("Im2Col", f"{name}_im2col", f"{name}_windows", [], **attributes)

    def _counted_product(self, name: str, layer: IntegerLayer, to_sum: bool) -> None:
        """Write a product that counts ones, and what makes its sum of the count where that is wanted."""
        self.tensors[f"{name}_weights"] = ((layer.weights > 0).astype(np.float32), "BINARY")
        ones, twice = f"{name}_ones", f"{name}_twice"
        self._node("XnorPopcountMatMul", f"{name}_matmul", ones, [f"{name}_weights"], domain=QONNX_DOMAIN)
        if to_sum:
            self.tensors[f"{name}_two"] = (np.asarray([2.0], np.float32), "UINT2")
            self.tensors[f"{name}_inputs"] = (np.asarray([-layer.inputs], np.float32), "INT32")
            self._node("Mul", f"{name}_mul", twice, [f"{name}_two"])
            self._node("Add", f"{name}_add", f"{name}_sum", [f"{name}_inputs"])

    def _thresholds(self, name: str, thresholds: npt.NDArray[np.int64]) -> None:
        layout = "NHWC" if len(self.shape) == 4 else "NC"
        self.tensors[f"{name}_thresholds"] = (thresholds.astype(np.float32)[:, None], "INT32")
        kind = {"out_dtype": "BINARY"} if self._counts else {"out_dtype": "BIPOLAR", "out_scale": 2.0, "out_bias": -1.0}
        self._node(
            "MultiThreshold", f"{name}_threshold", f"{name}_sign", [f"{name}_thresholds"], domain=QONNX_DOMAIN,
            data_layout=layout, **kind,
        )  # fmt: skip

    def _max_pool(self, name: str, pool: MaxPool) -> None:
        window = pool.window
        attributes = {"kernel_shape": list(window.kernel), "strides": list(window.stride), "pads": list(window.pads)}
        self.shape = [1, *window.output, window.channels]
        self._node("MaxPoolNHWC", f"{name}_maxpool", f"{name}_largest", [], domain=QONNX_DOMAIN, **attributes)

    def _repeat(self, name: str, repeat: Repeat) -> None:
        if repeat.pixels is None:
            shape = [*self.shape[:-1], repeat.channels * repeat.times]
            self._layer("ChannelRepeat", name, shape, Times=repeat.times)
        else:
            pixels = list(repeat.pixels)
            self._layer("ChannelRepeat", name, [1, *pixels, repeat.channels], OutputPixels=pixels)

    def _requantize(self, name: str, function: Requantize) -> None:
        bipolar = function.datatype == "BIPOLAR"
        table = (function.table + 1) // 2 if bipolar else function.table
        self.tensors[f"{name}_table"] = (table.astype(np.float32), "INT32")
        # Of signs, which come in steps of 2, it is the bit that travels.
        low = function.low if function.step == 1 else 0
        kind = "BINARY" if bipolar else function.datatype
        self._layer("Requantize", name, self.shape, [f"{name}_table"], Low=low, outputDataType=kind)

    def _layer(
        self, kind: str, name: str, shape: list[int], operands: list[str] | None = None, **attributes: Any
    ) -> None:
        """Write a hardware layer of our own; datatypes are filled in when they are inferred."""
        if kind not in ("SlidingWindow", "WindowPool"):
            attributes |= {"NumChannels": self.shape[-1], "numInputVectors": self.shape[:-1]}
            attributes = {"outputDataType": "INT32", **attributes}
        self.shape = list(shape)
        self._node(
            kind, name, f"{name}_result", operands or [], domain=FINN_DOMAIN, backend="fpgadataflow",
            inputDataType="INT32", **attributes,
        )  # fmt: skip

    def _node(self, kind: str, name: str, output: str, operands: list[str], **attributes: Any) -> None:
        from onnx import TensorProto, helper

        # All at once: QONNX infers the shape behind an operator of its own only where the one in front is known.
        self.infos.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, self.shape))
        self.nodes.append(helper.make_node(kind, [self.current, *operands], [output], name=name, **attributes))
        self.current = output


def _is_pixel(window: Window | None) -> bool:
    """Return whether windows are the pixels of the map, one after the other."""
    return window is not None and (window.kernel, window.stride, window.padding) == ((1, 1), (1, 1), False)


def _is_thin(window: Window) -> bool:
    """Return whether the map has one row or column under a kernel of more, which QONNX's Im2Col does not take."""
    return (window.rows == 1 and window.kernel[0] > 1) or (window.columns == 1 and window.kernel[1] > 1)


def _is_of_a_chain(operation: Operation) -> bool:
    """Return whether FINN's streamlining knows what an operation is written as."""
    if isinstance(operation, IntegerLayer):
        return operation.window is None or not _is_thin(operation.window)
    return isinstance(operation, MaxPool)


def _geometry(window: Window) -> dict[str, Any]:
    return {
        "IFMDim": [window.rows, window.columns], "IFMChannels": window.channels, "ConvKernelDim": list(window.kernel),
        "Stride": list(window.stride), "Padding": list(window.pads),
    }  # fmt: skip
