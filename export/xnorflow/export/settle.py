"""Put every threshold half-way between two accumulators, where no rounding can reach it."""

from __future__ import annotations

import torch
from torch import Tensor

from xnorflow.artifact.errors import ExportError
from xnorflow.train.binarize.layers import Sign
from xnorflow.train.models.base import Network, Threshold

__all__ = ["check_numbers", "settle_thresholds"]


def settle_thresholds(network: Network) -> None:
    """Rewrite each BatchNorm before a sign, in place, without changing what the network computes.

    ``y = gamma (a - mean) / sqrt(var + eps) + beta`` is binarized, so all that counts is on which side of
    ``t = mean - beta sqrt(var + eps) / gamma`` the accumulator ``a`` lies. Accumulators are whole multiples of a step;
    where ``t`` falls on or next to one of them, float32 leaves the side to the order of operations, and torch,
    onnxruntime and the hardware may each see another. Moving ``t`` to the middle between the same two multiples
    (``mean = t``, ``beta = 0``; ties belong to +1) settles it: half a step is over 50 times the largest rounding error.

    A channel with ``gamma = 0`` is constant already and stays as it is. So does a network whose activations have more
    than one bit: several thresholds a channel cannot all be moved by one mean.

    Args:
        network: in eval mode.
    """
    if any(layer.bits > 1 for layer in network.modules() if isinstance(layer, Sign)):
        return
    for threshold in network.thresholds():
        _settle(threshold)


@torch.no_grad()
def _settle(threshold: Threshold) -> None:
    layer, step, bound = threshold
    mean, variance = _buffer(layer.running_mean).double(), _buffer(layer.running_var).double()
    gamma, beta = layer.weight.double(), layer.bias.double()
    moves = gamma != 0
    divisor = torch.where(moves, gamma, torch.ones_like(gamma))
    crossing = (mean - beta * torch.sqrt(variance + layer.eps) / divisor) / step
    # gamma > 0 fires at a >= t: the last level that does not is ceil(t) - 1. gamma < 0 fires at a <= t.
    middle = torch.where(gamma > 0, torch.ceil(crossing) - 0.5, torch.floor(crossing) + 0.5) * step
    middle = middle.clamp(-bound - step / 2, bound + step / 2)
    _buffer(layer.running_mean).copy_(torch.where(moves, middle, mean))
    layer.bias.copy_(torch.where(moves, torch.zeros_like(beta), beta))


def check_numbers(network: Network) -> None:
    """Refuse weights that have no hardware form.

    Raises:
        ExportError: a parameter is NaN or infinite, or a BatchNorm variance is not positive; names the tensor.
    """
    for name, tensor in network.state_dict().items():
        bad = ~torch.isfinite(tensor)
        if name.endswith("running_var"):
            bad |= tensor <= 0
        if bad.any():
            raise ExportError(
                f"checkpoint, tensor {name}",
                f"{int(bad.sum())} values like {float(tensor[bad].flatten()[0])}",
                "finite numbers, and variances above 0",
                "train again with a lower learning_rate",
            )


def _buffer(tensor: Tensor | None) -> Tensor:
    assert tensor is not None, "BatchNorm tracks its statistics"
    return tensor
