"""The stretches of element-wise float operators between two matrix products, as functions that can be called.

FINN's streamlining moves their constants about in float32 and rounds at the end, which can shift a threshold by one.
Here a stretch is never rewritten: it is *evaluated*, by QONNX's own execution, on the integers that can arrive.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.lower.operators import SHAPE_OPS, node_name

__all__ = ["Segment"]

FloatArray = npt.NDArray[np.float32]


class Segment:
    """Element-wise operators between two matrix products, of ``channels`` values: one function of one number each.

    Args:
        model: the qonnx ModelWrapper that the nodes come from.
        nodes: the operators in order; those that only change the shape are left out.
        channels: values of one frame that pass through.
    """

    def __init__(self, model: Any, nodes: list[Any], channels: int) -> None:
        self.channels = channels
        self._opset = int(model.model.opset_import[0].version)
        arrays = {name: model.get_initializer(name) for node in nodes for name in node.input if name}
        self.constants: dict[str, FloatArray] = {}
        self.nodes = []
        for node in nodes:
            if node.op_type not in SHAPE_OPS:
                self.nodes.append(_rank_two(node))
                self.constants |= {
                    name: self._fitted(node, np.asarray(arrays[name], np.float32))
                    for name in node.input
                    if name and arrays[name] is not None
                }
        self._source_of = self._sources(model)
        self._last_reader = {
            self._source_of[name]: place
            for place, node in enumerate(self.nodes)
            for name in node.input
            if name in self._source_of
        }

    @property
    def last_node(self) -> str:
        """Name of the operator that decides the values, for messages."""
        return node_name(self.nodes[-1]) if self.nodes else "(none)"

    def mixed_operand(self) -> tuple[str, int] | None:
        """Return the first node whose operand differs from channel to channel, and in how many values."""
        for node in self.nodes:
            for name in node.input:
                array = self.constants.get(name)
                if array is None or array.size == 1:
                    continue
                rows = array if node.op_type == "MultiThreshold" else array.reshape(-1, 1)
                if (rows != rows[:1]).any():
                    return node_name(node), len(np.unique(rows, axis=0))
        return None

    def __call__(self, values: FloatArray) -> FloatArray:
        """Evaluate on (rows, channels); the rows are independent.

        Raises:
            InputModelError: a node gives NaN or infinity, or cannot be executed.
        """
        from qonnx.core.onnx_exec import execute_node

        current = begin = np.ascontiguousarray(values, np.float32)
        made: dict[str, FloatArray] = {}
        for place, node in enumerate(self.nodes):
            data = {
                name: begin if source is None else made[source]
                for name in node.input
                if name and name not in self.constants
                for source in [self._source_of[name]]
            }
            context: dict[str, Any] = {**self.constants, **data, node.output[0]: np.zeros_like(current)}
            graph = self._graph_of(node, list(data), current.shape)
            try:
                with np.errstate(all="ignore"):
                    execute_node(node, context, graph, return_full_exec_context=False, opset_version=self._opset)
            except Exception as reason:  # whatever QONNX or onnxruntime trips over in a foreign node
                raise InputModelError(
                    f"node {node_name(node)}", f"{node.op_type} on {self.channels} channels cannot be executed "
                    f"({type(reason).__name__}: {str(reason)[:120]})", "operands that fit the layer",
                    "check its operands and attributes",
                ) from reason  # fmt: skip
            current = np.asarray(context[node.output[0]], np.float32)
            if not np.isfinite(current).all():
                raise InputModelError(
                    f"node {node_name(node)}", f"{node.op_type} gives NaN or infinite values", "finite numbers",
                    "look for a division by 0 or a variance that is not positive",
                )  # fmt: skip
            made[node.output[0]] = current
            made = {name: array for name, array in made.items() if self._last_reader.get(name, 0) > place}
        return current

    def _sources(self, model: Any) -> dict[str, str | None]:
        """Return for each operand the operator's output that it is, moved about; None: what the stretch begins with."""
        own = {node.output[0] for node in self.nodes}
        sources: dict[str, str | None] = {}
        for operand in {name for node in self.nodes for name in node.input if name and name not in self.constants}:
            name = operand
            while name not in own and (producer := model.find_producer(name)) is not None:
                name = producer.input[0]
            sources[operand] = name if name in own else None
        return sources

    def _fitted(self, node: Any, array: FloatArray) -> FloatArray:
        """Give constants a shape that broadcasts over (rows, channels) as it did over the original shape."""
        if node.op_type == "MultiThreshold":
            return array
        flat = array.reshape(-1)
        # One value for all, perhaps repeated for every image channel. Those that differ the caller refuses.
        same = flat.size > 0 and bool((flat == flat[0]).all())
        if node.op_type == "BatchNormalization":
            return np.full(self.channels, flat[0], np.float32) if same else flat
        if same:
            return flat[:1].reshape(())
        return flat if flat.size == self.channels else array

    def _graph_of(self, node: Any, data: list[str], shape: tuple[int, ...]) -> Any:
        from onnx import TensorProto, helper

        infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in data]
        infos += [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, self.constants[name].shape)
            for name in dict.fromkeys(node.input)
            if name in self.constants
        ]
        output = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, shape)
        return helper.make_graph([node], "segment", infos, [output])


def _rank_two(node: Any) -> Any:
    """Return the node as it has to be for (rows, channels) instead of images."""
    if node.op_type != "MultiThreshold":
        return node
    copied = type(node)()
    copied.CopyFrom(node)
    for attribute in copied.attribute:
        if attribute.name == "data_layout":
            attribute.s = b"NC"
    return copied
