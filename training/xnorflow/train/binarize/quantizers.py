"""Quantizers of the networks: Brevitas injectors whose scales are fixed, so that every sum of products is exact.

All of one bit follow the rule that hardware needs: ``sign(0) = +1``, weights included (torch's own ``sign(0)`` is 0, a
third level that one bit cannot hold).
"""

from __future__ import annotations

from xnorflow.train.quiet import quiet

with quiet():  # Brevitas looks for CUDA tools while it is imported, and tells the terminal
    from brevitas.core.zero_point import ZeroZeroPoint
    from brevitas.inject import ExtendedInjector
    from brevitas.inject.enum import (
        BitWidthImplType,
        FloatToIntImplType,
        QuantType,
        RestrictValueType,
        ScalingImplType,
        ScalingPerOutputType,
    )
    from brevitas.quant.binary import SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst
    from brevitas.quant.solver import ActQuantSolver, WeightQuantSolver

__all__ = [
    "INPUT_STEP",
    "BinaryActivation",
    "BinaryWeight",
    "SignedByteInput",
    "TernaryActivation",
    "TernaryWeight",
    "TrunkInteger",
    "activation_quantizer",
    "trunk_quantizer",
    "weight_quantizer",
]

INPUT_STEP = 2.0**-7
"""Distance between two levels of :class:`SignedByteInput`."""


class BinaryWeight(SignedBinaryWeightPerTensorConst):
    """One-bit weights of scale exactly 1.

    Forward: ``w_b = +1 if w >= 0 else -1`` of the latent weight ``w``, which is clipped to [-1, 1] in place first.
    Gradient: ``dL/dw = dL/dw_b``, straight through. The clipping keeps latent weights where a step can still flip
    their sign.

    Courbariaux, Bengio, David: BinaryConnect, https://arxiv.org/abs/1511.00363.
    """

    scaling_const = 1.0


class BinaryActivation(SignedBinaryActPerTensorConst):
    """One-bit activations of scale exactly 1.

    Forward: ``y = +1 if x >= 0 else -1``.
    Gradient: ``dL/dx = dL/dy`` where ``-1 < x < 1``, else 0 (straight through a hard tanh).

    Hubara, Courbariaux, Soudry, El-Yaniv, Bengio: Binarized Neural Networks, https://arxiv.org/abs/1602.02830.
    """

    min_val = -1.0
    max_val = 1.0


class SignedByteInput(ActQuantSolver):
    """Eight-bit inputs: two's complement with a step of 2**-7 and no zero point, [-1, 127/128].

    Forward: ``y = 2**-7 * clip(round(2**7 * x), -128, 127)``, halves to the even neighbor.
    Gradient: ``dL/dx = dL/dy`` where ``x`` is inside the range, else 0. (It goes nowhere: ``x`` is the image.)
    """

    quant_type = QuantType.INT
    bit_width_impl_type = BitWidthImplType.CONST
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.POWER_OF_TWO
    scaling_per_output_type = ScalingPerOutputType.TENSOR
    float_to_int_impl_type = FloatToIntImplType.ROUND
    zero_point_impl = ZeroZeroPoint
    bit_width = 8
    signed = True
    narrow_range = False
    min_val = -1.0
    max_val = 1.0 - INPUT_STEP


class _FixedPoint(ExtendedInjector):
    quant_type = QuantType.INT
    bit_width_impl_type = BitWidthImplType.CONST
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.FP
    scaling_per_output_type = ScalingPerOutputType.TENSOR
    float_to_int_impl_type = FloatToIntImplType.ROUND
    zero_point_impl = ZeroZeroPoint
    signed = True


class TernaryWeight(_FixedPoint, WeightQuantSolver):
    """Two-bit weights of the narrow range: -1, 0, +1, as in Brevitas's 2W networks.

    Forward: ``round(clip(w, -1, 1))``, halves to the even neighbor. Gradient: straight through.
    """

    bit_width = 2
    narrow_range = True
    scaling_const = 1.0


class TernaryActivation(_FixedPoint, ActQuantSolver):
    """Two-bit activations of the narrow range: -1, 0, +1, as in Brevitas's 2A networks.

    Forward: ``round(clip(x, -1, 1))``, halves to the even neighbor. Gradient: ``dL/dy`` inside [-1, 1], else 0.
    """

    bit_width = 2
    narrow_range = True
    min_val = -1.0
    max_val = 1.0


class TrunkInteger(_FixedPoint, ActQuantSolver):
    """Integers of a residual trunk: ``step * clip(round(x / step), -2**(bits-1), 2**(bits-1) - 1)``.

    The step is fixed, a power of two, so that adding two such tensors is adding their integers. Gradient: straight
    through inside the range, else 0. Subclasses made by :func:`trunk_quantizer` set bits, step and rounding.
    """

    bit_width = 8
    narrow_range = False
    min_val = -4.0
    max_val = 4.0 - 2.0**-5


TRUNK_RANGE = 4.0
"""A trunk's integers stand for [-4, 4): BatchNorm leaves branches of deviation 1, and a few of them add up."""


def weight_quantizer(bits: int) -> type:
    """Return the weight injector of 1 or 2 bits."""
    return {1: BinaryWeight, 2: TernaryWeight}[bits]


def activation_quantizer(bits: int) -> type:
    """Return the activation injector of 1 or 2 bits."""
    return {1: BinaryActivation, 2: TernaryActivation}[bits]


def trunk_quantizer(bits: int, *, floor: bool = False) -> type:
    """Return a :class:`TrunkInteger` of 4 to 8 bits with step ``4 / 2**(bits-1)``; ``floor`` rounds down, as >> does.

    Args:
        bits: of an integer.
        floor: whether to round down.
    """
    assert 4 <= bits <= 8
    step = TRUNK_RANGE / 2 ** (bits - 1)
    rounding = FloatToIntImplType.FLOOR if floor else FloatToIntImplType.ROUND
    attributes = {"bit_width": bits, "min_val": -TRUNK_RANGE, "max_val": TRUNK_RANGE - step,
                  "float_to_int_impl_type": rounding}  # fmt: skip
    return type(f"TrunkInteger{bits}", (TrunkInteger,), attributes)
