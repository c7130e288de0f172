"""Give every reader of a stream a stream of its own."""

from __future__ import annotations

from typing import Any

from qonnx.transformation.base import Transformation

__all__ = ["InsertForks"]


class InsertForks(Transformation):
    """Insert a StreamFork behind every tensor that several hardware layers read.

    Precondition: shapes and datatypes inferred.
    """

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Change the graph in place."""
        from onnx import TensorProto, helper

        names = dict.fromkeys(name for node in model.graph.node for name in node.output)
        for name in (model.graph.input[0].name, *names):
            readers = [node for node in model.graph.node if name in node.input]
            if len(readers) < 2:
                continue
            shape, datatype = model.get_tensor_shape(name), model.get_tensor_datatype(name)
            copies = [f"{name}_copy{index}" for index in range(len(readers))]
            for reader, copy in zip(readers, copies, strict=True):
                model.graph.value_info.append(helper.make_tensor_value_info(copy, TensorProto.FLOAT, shape))
                model.set_tensor_datatype(copy, datatype)
                reader.input[list(reader.input).index(name)] = copy
            fork = helper.make_node(
                "StreamFork", [name], copies, name=f"{name}_fork", domain="finn.custom_op.fpgadataflow",
                backend="fpgadataflow", NumChannels=shape[-1], numInputVectors=list(shape[:-1]),
                inputDataType=datatype.name, outputDataType=datatype.name,
            )  # fmt: skip
            producer = model.find_producer(name)
            place = 0 if producer is None else list(model.graph.node).index(producer) + 1
            model.graph.node.insert(place, fork)
        return model, False
