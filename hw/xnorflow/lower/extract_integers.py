"""From the float graph to exact integers: weights, thresholds, tables, input levels and logits, by evaluation.

The graph is walked from the input on. Tensors are integers of an earlier operation with the float operators that are
still to be done to them; where integers are needed (by a product, a pool, a sum of two branches, or by several
readers), these operators are evaluated on every integer that can arrive, in float32 as QONNX executes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.host import HostCodec
from xnorflow.lower.config import OutputKind
from xnorflow.lower.extract_input import InputLevels
from xnorflow.lower.integer_network import INPUT, IntegerNetwork
from xnorflow.lower.operators import JOIN_OPS, LABEL_OPS, PRODUCT_OPS, SHAPE_OPS, SUM_POOL_OPS, attributes_of, node_name
from xnorflow.lower.products import ToReal
from xnorflow.lower.read_joins import read_join
from xnorflow.lower.read_operations import (
    misplaced,
    read_channel_sum,
    read_max_pool,
    read_pad,
    read_product,
    read_repeat,
    read_sum_pool,
)
from xnorflow.lower.read_windows import reduced_axes
from xnorflow.lower.result import Ends, read_result
from xnorflow.lower.segments import Segment
from xnorflow.lower.settle import Operations
from xnorflow.lower.tensors import Tensor, order_of

__all__ = ["Extraction", "extract_integers", "input_levels", "input_segment"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Extraction:
    """What a float graph comes to.

    Args:
        network: the integers.
        codec: what the host does before and behind the accelerator.
        flipped_channels: neurons whose weights were negated because their BatchNorm slope is negative, by product.
        host_argmax: whether the file ends in TopK or ArgMax that has to stay on the host.
        products: for each product, the way from its accumulators to the file's real sums.
    """

    network: IntegerNetwork
    codec: HostCodec
    flipped_channels: tuple[int, ...]
    host_argmax: bool
    products: tuple[ToReal, ...]


def extract_integers(model: Any, output: OutputKind) -> Extraction:
    """Turn a graph of float operators into an integer network.

    Args:
        model: from :func:`import_model`.
        output: what the accelerator shall send.

    Raises:
        InputModelError: weights of more than 1 bit, an input of more than 8 bits, a function or a join that integers
            cannot do, logits that do not follow the sums, or labels asked for where the classes' final scales differ.
    """
    return _walked(model).finish(output)


def input_levels(model: Any) -> InputLevels:
    """Return the levels of a graph's input, from :func:`import_model`.

    Raises:
        InputModelError: the network has no hardware form.
    """
    return _walked(model).entry()


def input_segment(model: Any) -> Segment:
    """Return the operators in front of the first integers, which are the host's.

    Raises:
        InputModelError: the network has no hardware form.
    """
    return _walked(model).head()


def _walked(model: Any) -> _Walk:
    walk = _Walk(model)
    for node in model.graph.node:
        walk.read(node)
    return walk


class _Walk:
    """The state of a walk over the graph."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._operations = Operations(model)
        self._ends_in_labels = False
        name = model.graph.input[0].name
        shape = tuple(int(size) for size in model.get_tensor_shape(name))
        self._input_shape = shape[1:]
        maps = (shape[1], shape[2], shape[3]) if len(shape) == 4 else None
        size = int(np.prod(shape))
        head = Tensor(
            INPUT, name, size, maps, order_of(shape), None, lambda integers: integers.astype(np.float32), None
        )
        self._tensors = {name: self._shared(name, head)}

    def read(self, node: Any) -> None:
        """Take one node of the graph, whose operands have been read."""
        data = list(dict.fromkeys(name for name in node.input if name in self._tensors))
        self._check_operands(node, data)
        target = node.output[-1] if node.op_type in LABEL_OPS else node.output[0]
        if len(data) == 2:
            result = read_join(self._operations, node, *(self._tensors[name] for name in data))
        else:
            result = self._read_one(node, self._tensors[data[0]])
        self._tensors[target] = self._shared(target, result)

    def _read_one(self, node: Any, tensor: Tensor) -> Tensor:
        kind = node.op_type
        if kind in PRODUCT_OPS:
            return read_product(self._operations, node, tensor)
        if kind in LABEL_OPS:
            self._ends_in_labels = True
            return tensor
        if kind == "ReduceSum" and reduced_axes(self._model, node) == [1]:
            return read_channel_sum(self._operations, node, tensor)
        if tensor.padding is not None:
            raise misplaced(tensor.padding.node)
        if kind == "Pad":
            return read_pad(self._operations, node, tensor)
        if kind == "MaxPool":
            return read_max_pool(self._operations, node, tensor)
        if kind in SUM_POOL_OPS:
            return read_sum_pool(self._operations, node, tensor)
        if kind == "Tile":
            return read_repeat(self._operations, node, tensor)
        if kind in SHAPE_OPS or kind == "Expand":
            return self._moved(node, tensor)
        return tensor.then(node)

    def _moved(self, node: Any, tensor: Tensor) -> Tensor:
        shape = tuple(int(size) for size in self._model.get_tensor_shape(node.output[0]))
        if int(np.prod(shape)) != tensor.order.size:
            raise InputModelError(
                f"node {node_name(node)}", f"{node.op_type} from {tensor.order.size} to {int(np.prod(shape))} values",
                "as many values as before", "repeat channels with Tile or Concat, as a shortcut does",
            )  # fmt: skip
        return tensor.moved(node, shape)

    def _shared(self, name: str, tensor: Tensor) -> Tensor:
        """Return a tensor as its readers get it: where there are several, quantized values become integers once."""
        readers = sum(name in node.input for node in self._model.graph.node)
        readers += sum(output.name == name for output in self._model.graph.output)
        if readers < 2:
            return tensor
        return self._operations.shared(tensor)

    def _check_operands(self, node: Any, data: list[str]) -> None:
        others = [name for name in node.input if name and name not in data]
        free = [name for name in others if self._model.get_initializer(name) is None]
        if free or not data:
            raise InputModelError(
                f"node {node_name(node)}", f"its operand {(free or ['(none)'])[0]} is no constant and no data",
                "data and constant operands", "remove what the output does not need, and cycles",
            )  # fmt: skip
        transposed = attributes_of(node).get("transA", 0) if node.op_type == "Gemm" else 0
        if node.op_type in PRODUCT_OPS and (data != [node.input[0]] or transposed):
            raise InputModelError(
                f"node {node_name(node)}", "weights on the left of the data", "data times weights",
                "write the layer as x @ W, one frame a row",
            )  # fmt: skip
        if len(data) > 2 or (len(data) == 2 and node.op_type not in JOIN_OPS):
            raise InputModelError(
                f"node {node_name(node)}", f"{node.op_type} of {len(data)} branches",
                "Add of two branches, or Mul with a gate", "join branches by an addition",
            )  # fmt: skip

    def head(self) -> Segment:
        """Return the operators in front of the first integers."""
        if self._operations.head is None:
            raise _no_layer()
        return self._operations.head

    def entry(self) -> InputLevels:
        """Return the levels of the input."""
        if self._operations.entry is None:
            raise _no_layer()
        return self._operations.entry

    def finish(self, output: OutputKind) -> Extraction:
        """Return what was found, when all nodes have been read."""
        operations, name = self._operations, self._model.graph.output[0].name
        self._check_all_read(name)
        if not operations.products:
            raise _no_layer()
        tensor = self._tensors.get(name)
        last = len(operations.made) - 1
        if tensor is None or tensor.source != last or last not in operations.products:
            raise InputModelError(
                f"output {name}", "not what the last product gives", "products, and behind the last one scales only",
                "end in a fully connected layer, and remove what the output does not need",
            )  # fmt: skip
        if tensor.pools or tensor.padding is not None:
            found = tensor.pools[0].name if tensor.pools else node_name(tensor.padding.node) if tensor.padding else ""
            kind = "MaxPool" if tensor.pools else "Pad"
            raise InputModelError(
                f"node {found}", f"a {kind} behind the last layer", f"{kind} between layers",
                "take it out, or leave it to the host",
            )  # fmt: skip
        product = operations.products[last]
        ends = Ends(self.entry(), self._input_shape, operations.input_order, self._ends_in_labels, output)
        segment = Segment(self._model, list(tensor.pending), tensor.channels)
        layer, codec, operations.flipped[last] = read_result(ends, segment, product.layer, product.to_real)
        operations.made[last] = layer
        network = IntegerNetwork(tuple(operations.made), codec.labels, tuple(operations.sources))
        flipped = tuple(operations.flipped.get(position, 0) for position in sorted(operations.products))
        to_reals = tuple(operations.products[position].to_real for position in sorted(operations.products))
        return Extraction(network, codec, flipped, self._ends_in_labels and not codec.labels, to_reals)

    def _check_all_read(self, output: str) -> None:
        read = {name for node in self._model.graph.node for name in node.input} | {output}
        for node in self._model.graph.node:
            if not read & set(node.output):
                raise InputModelError(
                    f"node {node_name(node)}", "its result is read by nobody", "nodes that lead to the output",
                    "remove what the output does not need",
                )  # fmt: skip


def _no_layer() -> InputModelError:
    return InputModelError(
        "model", "no layer with weights", "at least one MatMul, Gemm or Conv", "check the exported graph"
    )
