"""One number type throughout a graph: QONNX carries everything, integers too, in 32-bit floats."""

from __future__ import annotations

from typing import Any

from xnorflow.artifact.errors import InputModelError

__all__ = ["unify_types"]


def unify_types(model: Any) -> None:
    """Make every constant an initializer and every float one of 32 bits; an integer input becomes an annotated float.

    Changes the onnx.ModelProto in place. An integer input keeps its meaning as QONNX's quantization annotation.

    Raises:
        InputModelError: the input is of a type that is no number of at most 8 bits or a float.
    """
    _constants_to_initializers(model)
    _floats_to_single(model)
    constants = {tensor.name for tensor in model.graph.initializer}
    for tensor in model.graph.input:
        if tensor.name not in constants:
            _input_to_float(model, tensor)


def _constants_to_initializers(model: Any) -> None:
    import numpy as np
    from onnx import helper, numpy_helper

    for node in [node for node in model.graph.node if node.op_type == "Constant"]:
        attribute = node.attribute[0]
        value = helper.get_attribute_value(attribute)
        if attribute.name == "value":
            array = numpy_helper.to_array(value)
        elif attribute.name.startswith(("value_int", "value_float")):
            array = np.asarray(value, np.int64 if attribute.name.startswith("value_int") else np.float32)
        else:
            continue
        model.graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
        model.graph.node.remove(node)


def _floats_to_single(model: Any) -> None:
    import numpy as np
    from onnx import TensorProto, numpy_helper

    others = (TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
    found = False
    for tensor in model.graph.initializer:
        if tensor.data_type in others:
            array = np.asarray(numpy_helper.to_array(tensor), np.float32)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
            found = True
    for info in (*model.graph.input, *model.graph.output):
        if info.type.tensor_type.elem_type in others:
            info.type.tensor_type.elem_type = TensorProto.FLOAT
            found = True
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in others:
                attribute.i = TensorProto.FLOAT
                found = True
    if found:
        del model.graph.value_info[:]  # of the old types; inferred again


def _input_to_float(model: Any, tensor: Any) -> None:
    import onnx
    from onnx import TensorProto

    names = {TensorProto.BOOL: "BINARY", TensorProto.UINT8: "UINT8", TensorProto.INT8: "INT8"}
    kind = tensor.type.tensor_type.elem_type
    if kind == TensorProto.FLOAT:
        return
    if kind not in names:
        raise InputModelError(
            f"input {tensor.name}", f"type {TensorProto.DataType.Name(kind)}", "FLOAT, UINT8, INT8 or BOOL",
            "export with float inputs and a quantizer behind them",
        )  # fmt: skip
    tensor.type.tensor_type.elem_type = TensorProto.FLOAT
    annotation = onnx.TensorAnnotation(tensor_name=tensor.name)
    annotation.quant_parameter_tensor_names.append(onnx.StringStringEntryProto(key="finn_datatype", value=names[kind]))
    model.graph.quantization_annotation.append(annotation)
