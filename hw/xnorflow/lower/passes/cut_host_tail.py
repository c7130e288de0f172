"""Cut off what a network does with its logits: that is the host's, but for the index of the largest."""

from __future__ import annotations

from typing import Any

from qonnx.transformation.base import Transformation

from xnorflow.lower.operators import HOST_TAIL, LABEL_OPS, SHAPE_OPS, SOFTMAX_OPS, attributes_of

__all__ = ["CutHostTail"]


class CutHostTail(Transformation):
    """Remove everything from the first final softmax, sigmoid or label operator on, but keep one argmax.

    An argmax is TopK with k=1 or ArgMax, of the first largest value over all classes; it reads the logits themselves
    afterwards, which have the same order as their softmax. Other label operators (k=5, the smallest, the last of
    equals) stay with the host like the softmax.

    Precondition: shapes inferred and constants folded.
    """

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Change the graph in place."""
        tail = _tail(model)
        if not tail:
            return model, False
        logits = tail[0].input[0]
        argmax = next((node for node in tail if node.op_type in LABEL_OPS and _is_argmax(model, node)), None)
        cut = [node for node in tail if node is not argmax]
        for node in cut:
            model.graph.node.remove(node)
        output, source = logits, model.get_tensor_valueinfo(logits)
        if argmax is not None:
            argmax.input[0] = logits
            output = argmax.output[-1]
            source = model.get_tensor_valueinfo(output)
        interface = type(model.graph.output[0])()
        interface.CopyFrom(source)
        del model.graph.output[:]
        model.graph.output.append(interface)
        for info in [info for info in model.graph.value_info if info.name == output]:
            model.graph.value_info.remove(info)
        model.set_metadata_prop(HOST_TAIL, ", ".join(node.op_type for node in cut))
        return model, False


def _tail(model: Any) -> list[Any]:
    """Return the final nodes, from the first softmax or label on."""
    nodes: list[Any] = []
    node = model.find_producer(model.graph.output[0].name)
    while node is not None and node.op_type in LABEL_OPS | SOFTMAX_OPS | SHAPE_OPS:
        nodes.insert(0, node)
        node = model.find_producer(node.input[0])
    while nodes and nodes[0].op_type in SHAPE_OPS:
        nodes.pop(0)
    return nodes


def _is_argmax(model: Any, node: Any) -> bool:
    attributes = attributes_of(node)
    shape = model.get_tensor_shape(node.input[0])
    axis = int(attributes.get("axis", -1 if node.op_type == "TopK" else 0))
    if shape is None or any(size != 1 for position, size in enumerate(shape) if position != axis % len(shape)):
        return False
    if node.op_type == "ArgMax":
        return not attributes.get("select_last_index", 0)
    k = model.get_initializer(node.input[1]) if len(node.input) > 1 else attributes.get("k", 1)
    return (
        k is not None and int(k if isinstance(k, int) else k.reshape(-1)[0]) == 1 and attributes.get("largest", 1) == 1
    )
