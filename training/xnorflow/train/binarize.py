"""Quantizers of the networks: Brevitas injectors whose scales are fixed, so that every sum of products is exact.

All three follow the rule that hardware needs: ``sign(0) = +1``, weights included (torch's own ``sign(0)`` is 0, a third
level that one bit cannot hold).
"""

from __future__ import annotations

from torch import nn

from xnorflow.train.quiet import quiet

with quiet():  # Brevitas looks for CUDA tools while it is imported, and tells the terminal
    import brevitas.nn as qnn
    from brevitas.core.zero_point import ZeroZeroPoint
    from brevitas.inject.enum import (
        BitWidthImplType,
        FloatToIntImplType,
        QuantType,
        RestrictValueType,
        ScalingImplType,
        ScalingPerOutputType,
    )
    from brevitas.quant.binary import SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst
    from brevitas.quant.solver import ActQuantSolver

__all__ = [
    "INPUT_STEP",
    "BinaryActivation",
    "BinaryWeight",
    "SignedByteInput",
    "binary_linear",
    "binary_sign",
    "byte_input",
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
    Gradient: ``dL/dx = dL/dy`` where ``-1 <= x <= 1``, else 0 (straight through a hard tanh).

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


def binary_linear(fan_in: int, fan_out: int) -> nn.Module:
    """Make a layer of :class:`BinaryWeight` without bias, latent weights uniform in [-1, 1] as in Brevitas's examples.

    It maps (frames, fan_in) to (frames, fan_out).
    """
    linear: nn.Linear = qnn.QuantLinear(fan_in, fan_out, bias=False, weight_quant=BinaryWeight)
    nn.init.uniform_(linear.weight, -1, 1)
    return linear


def binary_sign() -> nn.Module:
    """Make a layer that applies :class:`BinaryActivation` to each element."""
    layer: nn.Module = qnn.QuantIdentity(act_quant=BinaryActivation)
    return layer


def byte_input() -> nn.Module:
    """Make a layer that applies :class:`SignedByteInput` to each element."""
    layer: nn.Module = qnn.QuantIdentity(act_quant=SignedByteInput)
    return layer
