"""The sign function under several stand-ins for its gradient.

Forward is always ``y = +1 if x >= 0 else -1``. The stand-ins are plain functions of ``x``, so that tests can compare
them with their formulae.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from xnorflow.train.models.config import Estimator

__all__ = ["approx_sign_slope", "ede_slope", "hard_sign", "sign", "ste_slope", "straight_sign"]


def hard_sign(values: Tensor) -> Tensor:
    """Return +1 where ``values >= 0``, else -1, in the type of ``values``; no gradient."""
    # Written into one fresh tensor: torch.where takes twenty times as long on a CPU.
    result = torch.empty_like(values)
    return torch.ge(values.detach(), 0, out=result).mul_(2).sub_(1)


def ste_slope(values: Tensor) -> Tensor:
    """Return 1 where ``-1 <= x <= 1``, else 0: straight through a hard tanh.

    The ends count, so that a latent weight that was clipped to one of them can come back. Hubara et al.: Binarized
    Neural Networks, https://arxiv.org/abs/1602.02830.
    """
    return (values.abs() <= 1).to(values.dtype)


def approx_sign_slope(values: Tensor) -> Tensor:
    """Return the slope of Bi-Real Net's piecewise parabola: ``2 - 2|x|`` where ``|x| < 1``, else 0.

    Liu et al.: Bi-Real Net, https://arxiv.org/abs/1808.00278, equation 6. RBCN (https://arxiv.org/abs/1908.07748) uses
    the same triangle for its weights.
    """
    return (2 - 2 * values.abs()).clamp(min=0)


def ede_slope(values: Tensor, progress: float) -> Tensor:
    """Return ``k t (1 - tanh(t x)**2)`` with ``t = 10**(-3 + 4 progress)``, ``k = max(1/t, 1)``.

    At the beginning nearly the identity's slope everywhere, at the end nearly the sign's. Qin et al.: IR-Net,
    https://arxiv.org/abs/1909.10788, section 3.3; the exponents are those of the authors' code.

    Args:
        values: inputs of the sign.
        progress: share of the training done, in [0, 1].
    """
    sharpness = 10 ** (-3 + 4 * progress)
    factor = max(1 / sharpness, 1.0)
    return factor * sharpness * (1 - torch.tanh(sharpness * values).square())


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor, estimator: Estimator, progress: float) -> Tensor:
        context.save_for_backward(values)
        context.estimator, context.progress = estimator, progress
        return hard_sign(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (values,) = context.saved_tensors
        gradient = gradients[0]
        match context.estimator:
            case Estimator.APPROX_SIGN:
                return gradient * approx_sign_slope(values), None, None
            case Estimator.EDE:
                return gradient * ede_slope(values, context.progress), None, None
        # gradient * ste_slope(values) in one pass. The operator leaves its bounds out: with the next number, 1 is in.
        edge = 1 + torch.finfo(values.dtype).eps
        return torch.ops.aten.hardtanh_backward(gradient, values, -edge, edge), None, None


class _StraightSign(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return hard_sign(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


def straight_sign(values: Tensor) -> Tensor:
    """Return +1 or -1; backward, ``dL/dx = dL/dy`` everywhere: for latent weights, which are clipped anyway.

    Courbariaux, Bengio, David: BinaryConnect, https://arxiv.org/abs/1511.00363.
    """
    apply: Callable[[Tensor], Tensor] = _StraightSign.apply
    return apply(values)


def sign(values: Tensor, estimator: Estimator, progress: float = 0.0) -> Tensor:
    """Return +1 or -1 of the shape of ``values``; backward, ``dL/dx = dL/dy * slope(x)`` of the estimator.

    Args:
        values: any shape.
        estimator: which slope.
        progress: share of the training done, in [0, 1]; only EDE looks at it.
    """
    assert 0 <= progress <= 1 and not math.isnan(progress)
    apply: Callable[[Tensor, Estimator, float], Tensor] = _Sign.apply
    return apply(values, estimator, progress)
