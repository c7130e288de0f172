"""First-layer matrix-vector unit: few-bit signed inputs, 1-bit weights, in LUTs or on DSP multipliers."""

from __future__ import annotations

from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.ops.dsp_cost import Multipliers, dsp_latency
from xnorflow.ops.dsp_mvau import DspMvauRtl
from xnorflow.ops.mvau_rtl import IntArray, signed_bits
from xnorflow.ops.one_bit_mvau import OneBitMVAU

__all__ = ["BinaryWeightMVAU", "BinaryWeightMVAU_rtl"]


@register_abstract
class BinaryWeightMVAU(OneBitMVAU):
    """FINN's MVAU with BIPOLAR weights and ``INT<n>`` inputs.

    FINN's width minimization turns BIPOLAR weights into INT2, twice the weight memory and a multiplier; here they stay.
    """

    def largest_sum(self) -> int:
        """Return the largest magnitude that a sum of weight times input can take."""
        return int(self.get_nodeattr("MW")) * int(-self.get_input_datatype(0).min())

    def sum_datatype(self, thresholded: bool) -> str:
        """Return the ``INT`` of every sum, and of a threshold above all of them."""
        largest = self.largest_sum()
        return f"INT{signed_bits(-largest, largest + (1 if thresholded else 0))}"

    def multipliers(self) -> Multipliers:
        """Return what DSP multipliers have to hold: an input, and a sum less a threshold."""
        largest = self.largest_sum()
        acc_bits = signed_bits(-largest, largest) if self.get_nodeattr("noActivation") else signed_bits(0, 2 * largest)
        return Multipliers(int(self.get_input_datatype(0).bitwidth()), acc_bits)

    def count_latency(self) -> int:
        """Return the cycles from a beat to its count or products' sum; 0 where it is ``xnorflow_mvau``."""
        if self.get_nodeattr("resType") == "dsp":
            return dsp_latency(int(self.get_nodeattr("SIMD")), int(self.get_nodeattr("MW")))
        return super().count_latency()


@register_rtl
class BinaryWeightMVAU_rtl(DspMvauRtl, BinaryWeightMVAU):
    """RTL backend: the weights choose between x and ~x, whose bits are counted plane by plane; or multipliers.

    ``-x = ~x + 1``, and how many ones are missing is known when the weights are: they are part of the start value.
    """

    def start_values(self, model: Any) -> IntArray:
        """Return the number of -1 weights where there are no multipliers, less the threshold."""
        thresholds = self.thresholds(model)
        negative = (~self.positive_weights(model)).sum(axis=0).astype(np.int64) * (not self.multiplied())
        largest = self.largest_sum()
        return negative if thresholds is None else negative - np.clip(thresholds, -largest, largest + 1)

    def accumulator_bits(self) -> int:
        """Return the width of a sum less a threshold."""
        if self.multiplied():
            return self.multipliers().acc_bits
        largest = self.largest_sum()
        span = largest if self.get_nodeattr("noActivation") else 2 * largest + 1
        # The start value itself must fit as well: up to MW more.
        return signed_bits(-span - int(self.get_nodeattr("MW")), span + int(self.get_nodeattr("MW")))
