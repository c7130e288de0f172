"""Matrix-vector unit of few-bit signed inputs and few-bit weights, in LUTs: small layers beside 1-bit ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.matrixvectoractivation import MVAU
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl
from qonnx.core.datatype import DataType

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.mvau_rtl import IntArray, MvauRtl, signed_bits

__all__ = ["FewBitMVAU", "FewBitMVAU_rtl"]


@register_abstract
class FewBitMVAU(MVAU):
    """FINN's MVAU with ``INT<n>`` weights of at least 2 bits and ``INT<n>`` inputs.

    Its sums are signed as they are; ``signedOutput`` stands there because readers set it, and changes nothing.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return FINN's attributes and ``signedOutput``."""
        return {**super().get_nodeattr_types(), "signedOutput": ("i", False, 0, {0, 1})}

    def windows(self) -> int:
        """Return 1, the pixels computed at a time."""
        return 1

    def minimize_accumulator_width(self, model: Any, datatype_only: bool = False) -> Any:
        """Set and return the accumulator's datatype, which without thresholds is the output's too.

        It is the least that holds every sum, and a threshold above all of them where there are thresholds: by the
        weights' values, or by their datatype with ``datatype_only``.
        """
        silent = bool(self.get_nodeattr("noActivation"))
        kind, weights = self.get_input_datatype(0), self.get_input_datatype(1)
        ends = np.asarray([int(kind.min()), int(kind.max())])
        if datatype_only:
            products = np.multiply.outer(ends, [int(weights.min()), int(weights.max())])
            low, high = (int(self.get_nodeattr("MW")) * int(end) for end in (products.min(), products.max()))
        else:
            products = np.multiply.outer(ends, _whole(model.get_initializer(self.onnx_node.input[1])))
            low, high = int(products.min(axis=0).sum(axis=0).min()), int(products.max(axis=0).sum(axis=0).max())
        datatype = DataType[f"INT{max(signed_bits(low, high + (0 if silent else 1)), 2)}"]
        self.set_nodeattr("accDataType", datatype.name)
        if silent:
            self.set_nodeattr("outputDataType", datatype.name)
        return datatype

    def minimize_weight_bit_width(self, model: Any, datatype_only: bool = False) -> Any:
        """Set and return the weights' datatype: the least ``INT`` of at least 2 bits that holds their values."""
        if not datatype_only:
            weights = _whole(model.get_initializer(self.onnx_node.input[1]))
            bits = max(signed_bits(int(weights.min()), int(weights.max())), 2)
            self.set_nodeattr("weightDataType", f"INT{bits}")
        return DataType[self.get_nodeattr("weightDataType")]


@register_rtl
class FewBitMVAU_rtl(MvauRtl, FewBitMVAU):
    """RTL backend: ``xnorflow_mvau`` with signed inputs and two's complement weights."""

    def stored_weights(self, model: Any) -> IntArray:
        """Return (MW, MH) the weights."""
        return _whole(model.get_initializer(self.onnx_node.input[1]))

    def weight_bits(self) -> int:
        """Return the bits of the weights' datatype."""
        return int(self.get_input_datatype(1).bitwidth())

    def start_values(self, model: Any) -> IntArray:
        """Return minus the threshold; 0 without thresholds."""
        thresholds, kind = self.thresholds(model), DataType[self.get_nodeattr("accDataType")]
        if thresholds is None:
            return np.zeros(self.get_nodeattr("MH"), np.int64)
        # Beyond the sums a threshold means always or never, which both ends of the accumulator's datatype do too.
        return -np.clip(thresholds, int(kind.min()), int(kind.max()))

    def accumulator_bits(self) -> int:
        """Return the width of a sum, less a threshold where there are thresholds."""
        bits = int(DataType[self.get_nodeattr("accDataType")].bitwidth())
        return bits if self.get_nodeattr("noActivation") else bits + 1

    def write_sources(self, model: Any, folder: Path) -> str:
        """Write the two memories and return the wrapper's text.

        Raises:
            GenerateError: inputs or weights of another kind, thresholds that are not one whole number a neuron, or a
                folding that does not divide.
        """
        source, kind = self.get_input_datatype(0), self.get_input_datatype(1)
        signed = all(one.signed() and one.is_integer() and one.bitwidth() >= 2 for one in (source, kind))
        weights = self.stored_weights(model)
        reach = 1 << (int(kind.bitwidth()) - 1)
        if not signed or weights.min() < -reach or weights.max() >= reach:
            raise GenerateError(
                f"node {self.onnx_node.name}",
                f"{source.name} inputs, weights of {weights.min()} to {weights.max()} as {kind.name}",
                "inputs and weights of INT2 and more, which hold their values", "set the datatypes",
            )  # fmt: skip
        return super().write_sources(model, folder)


def _whole(values: Any) -> IntArray:
    return np.rint(np.asarray(values)).astype(np.int64)
