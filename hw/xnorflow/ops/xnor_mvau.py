"""XNOR-popcount matrix-vector unit: 1-bit inputs, 1-bit weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.ops.counted_mvau import CountedMvauRtl
from xnorflow.ops.mvau_rtl import IntArray, signed_bits
from xnorflow.ops.one_bit_mvau import OneBitMVAU

__all__ = ["XnorMVAU", "XnorMVAU_rtl"]


@register_abstract
class XnorMVAU(OneBitMVAU):
    """FINN's MVAU with ``binaryXnorMode=1``, whose accumulator is the popcount, 0 to MW.

    FINN ranges over sums of weight times input instead and clips thresholds to that: at MW=144 a threshold of 145
    (never) becomes 128. Here the accumulator type holds 0 to MW + 1, so that "never" survives.
    """

    def sum_datatype(self, thresholded: bool) -> str:
        """Return ``UINT`` of 0..MW+1 with thresholds, of 0..MW without."""
        mw = int(self.get_nodeattr("MW"))
        return f"UINT{(mw + 1 if thresholded else mw).bit_length()}"


@register_rtl
class XnorMVAU_rtl(CountedMvauRtl, XnorMVAU):
    """RTL backend: the number of equal bits is counted, from minus the threshold on."""

    def start_values(self, model: Any) -> IntArray:
        """Return -T, so that popcount - T is negative where the neuron stays silent; 0 without thresholds."""
        thresholds = self.thresholds(model)
        mh, mw = self.get_nodeattr("MH"), self.get_nodeattr("MW")
        return np.zeros(mh, np.int64) if thresholds is None else -np.clip(thresholds, 0, mw + 1)

    def accumulator_bits(self) -> int:
        """Return the width of popcount - T."""
        mw = int(self.get_nodeattr("MW"))
        return signed_bits(0 if self.get_nodeattr("noActivation") else -(mw + 1), mw)
