"""Give an input that is only annotated as integers the quantizer that the annotation stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
from qonnx.transformation.base import Transformation

from xnorflow.artifact.errors import InputModelError

__all__ = ["QuantizeAnnotatedInput"]

MAX_BITS = 8


class QuantizeAnnotatedInput(Transformation):
    """Insert a Quant or BipolarQuant of scale 1 behind an annotated input, then drop all annotations.

    Precondition: one graph input. Values that the annotation allows pass unchanged; others, which such a graph does not
    define, go to the nearest. From here on everything reads the quantizers; the remaining annotations only make QONNX's
    execution round.

    Raises:
        InputModelError: the annotation stands for more than 8 bits, or for fixed-point numbers.
    """

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Change the graph in place."""
        from onnx import helper

        source = model.graph.input[0].name
        datatype = model.get_tensor_datatype(source)
        if datatype.name != "FLOAT32":
            operands, attributes = _quantizer(source, datatype)
            inside = f"{source}_quantized"
            for node in model.graph.node:
                for position, name in enumerate(node.input):
                    if name == source:
                        node.input[position] = inside
            names = []
            for suffix, value in operands.items():
                names.append(f"{source}_{suffix}")
                model.set_initializer(names[-1], np.asarray(value, np.float32))
            kind = "Quant" if attributes else "BipolarQuant"
            quantizer = helper.make_node(
                kind,
                [source, *names],
                [inside],
                name=f"{source}_{kind}",
                domain="qonnx.custom_op.general",
                **attributes,
            )
            model.graph.node.insert(0, quantizer)
        del model.graph.quantization_annotation[:]
        return model, False


def _quantizer(source: str, datatype: Any) -> tuple[dict[str, float], dict[str, Any]]:
    name = str(datatype.name)
    if name == "BIPOLAR":
        return {"scale": 1.0}, {}
    if not datatype.is_integer() or datatype.bitwidth() > MAX_BITS:
        raise InputModelError(
            f"input {source}", f"annotated {name}", "BIPOLAR, BINARY, TERNARY, or INT and UINT of at most 8 bits",
            "quantize the input to at most 8 bits",
        )  # fmt: skip
    operands = {"scale": 1.0, "zero_point": 0.0, "bits": float(datatype.bitwidth())}
    attributes = {"signed": int(datatype.signed()), "narrow": int(name == "TERNARY"), "rounding_mode": "ROUND"}
    return operands, attributes
