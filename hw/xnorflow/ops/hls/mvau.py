"""HLS backends of the matrix-vector units, on ``xnorflow_mvau.hpp``.

What their memories hold is asked of the RTL backend of the same node, so that both compute the same sums.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow.hls import register_custom_op as register_hls

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.binary_weight_mvau import BinaryWeightMVAU, BinaryWeightMVAU_rtl
from xnorflow.ops.few_bit_mvau import FewBitMVAU, FewBitMVAU_rtl
from xnorflow.ops.hls.code import Call, ConstantArray, template_call
from xnorflow.ops.hls.node import HlsNode
from xnorflow.ops.hls.words import WORD_PART, word_parts
from xnorflow.ops.mvau_rtl import MvauRtl, fold_weights
from xnorflow.ops.xnor_mvau import XnorMVAU, XnorMVAU_rtl

__all__ = ["BinaryWeightMVAU_hls", "FewBitMVAU_hls", "XnorMVAU_hls"]


class MvauHls(HlsNode):
    """HLS backend on ``xnorflow::mvau``; a subclass names its RTL backend and its products."""

    rtl_backend: type[MvauRtl]

    def rtl(self) -> MvauRtl:
        """Return the RTL backend of this very node."""
        return self.rtl_backend(self.onnx_node)

    def product(self) -> str:
        """Return the operator type of inputs and weights."""
        raise NotImplementedError

    def calls(self, model: Any) -> list[Call]:
        """Return the unit.

        Raises:
            GenerateError: SIMD does not divide MW, or PE does not divide MH.
        """
        rtl = self.rtl()
        shape = rtl.shape()
        rtl.check_folding(shape)
        vectors = math.prod(int(size) for size in self.get_nodeattr("numInputVectors"))
        folding = template_call("MvauShape", vectors, shape.mw, shape.mh, shape.simd, shape.pe)
        out_bits = int(self.get_outstream_width()) // shape.pe
        activation = "xnorflow::SignBit"
        if self.get_nodeattr("noActivation"):
            activation = template_call("WholeSum", out_bits)
        function = template_call("mvau", folding, self.product(), activation, shape.acc_bits)
        return [Call("xnorflow_mvau", function, shape.pe * out_bits, ("weights", "starts"))]

    def arrays(self, model: Any) -> list[ConstantArray]:
        """Return weights and start values by neuron of a fold."""
        rtl = self.rtl()
        shape = rtl.shape()
        rtl.check_folding(shape)
        pe, bits = shape.pe, shape.simd * shape.weight_bits
        words = fold_weights(rtl.stored_weights(model), pe, shape.simd, shape.weight_bits)
        lanes = word_parts(words.reshape(-1, pe, bits)).transpose(1, 0, 2)
        starts = np.asarray(rtl.start_values(model), np.int64).reshape(-1, pe).T.astype(object)
        note = "Weights of neuron nf*Pe + pe at [pe][nf*Sf + sf], input sf*Simd + s from bit s*WeightBits on."
        return [
            ConstantArray("weights", min(bits, WORD_PART), False, note, lanes),
            ConstantArray("starts", shape.acc_bits, True, "Where the sum of neuron nf*Pe + pe starts.", starts),
        ]

    def widest(self, model: Any) -> int:
        """Return the widest integer of the code, a neuron's weights of a step among them."""
        shape = self.rtl().shape()
        return max(super().widest(model), shape.simd * shape.weight_bits)

    def get_exp_cycles(self) -> int:
        """Return the steps of a frame, one a cycle where II is 1; the pipeline's depth is not in it."""
        return self.rtl().get_exp_cycles()


@register_hls
class XnorMVAU_hls(MvauHls, XnorMVAU):
    """The number of equal bits is counted, from minus the threshold on."""

    rtl_backend = XnorMVAU_rtl

    def product(self) -> str:
        """Return the operator type."""
        return "xnorflow::XnorPopcount"


@register_hls
class BinaryWeightMVAU_hls(MvauHls, BinaryWeightMVAU):
    """The weights choose between x and ~x."""

    rtl_backend = BinaryWeightMVAU_rtl

    def product(self) -> str:
        """Return the operator type."""
        return template_call("SignedSum", self.rtl().shape().input_bits)


@register_hls
class FewBitMVAU_hls(MvauHls, FewBitMVAU):
    """Two's complement inputs times two's complement weights."""

    rtl_backend = FewBitMVAU_rtl

    def product(self) -> str:
        """Return the operator type.

        Raises:
            GenerateError: inputs or weights without sign.
        """
        source, kind, shape = self.get_input_datatype(0), self.get_input_datatype(1), self.rtl().shape()
        if not all(one.signed() and one.is_integer() and one.bitwidth() >= 2 for one in (source, kind)):
            raise GenerateError(
                f"node {self.onnx_node.name}", f"{source.name} inputs with {kind.name} weights",
                "inputs and weights of INT2 and more", "set the datatypes",
            )  # fmt: skip
        return template_call("ProductSum", shape.input_bits, shape.weight_bits)
