"""From the network as trained to the network as shipped: plain binary layers, nothing of the training method left."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xnorflow.train.models.base import Network, WeightedLayer
from xnorflow.train.models.config import Estimator, NetworkSettings, WeightScale
from xnorflow.train.models.registry import build_network

__all__ = ["deploy", "deployed_settings"]


def deployed_settings(settings: NetworkSettings) -> NetworkSettings:
    """Return the settings of the network without what only training needs: estimators, scales, codebooks, dropout."""
    plain = {"estimator": Estimator.STE, "weight_estimator": Estimator.STE, "dropout": 0.0, "kernel_bits": None}
    if settings.weight_scale is not WeightScale.SPATIAL:
        plain["weight_scale"] = WeightScale.NONE
    return settings.model_copy(update=plain)


@torch.no_grad()
def deploy(
    network: Network, settings: NetworkSettings, image_shape: tuple[int, int, int], classes: int
) -> tuple[Network, NetworkSettings]:
    """Make a network of plain binary layers that computes what ``network`` does in its binary form.

    Weights become their signs, or the codewords in their place. A positive factor of each output channel moves into the
    BatchNorm behind the layer: ``gamma (c z - mean) / s + beta = (gamma c) (z - mean / c) / s + beta``. Rounding may
    differ in the last place. A network with a scale that does not fold stays as it is.

    Args:
        network: trained; stays as it is.
        settings: what it was made from.
        image_shape: channels, height, width.
        classes: number of logits.

    Returns:
        The network in eval mode on the CPU, and its settings.
    """
    plain_settings = deployed_settings(settings)
    unscaled = settings.weight_scale in (WeightScale.NONE, WeightScale.SPATIAL) and settings.kernel_bits is None
    if unscaled and settings.weight_estimator is Estimator.STE:
        return _copy(network, plain_settings, image_shape, classes), plain_settings
    if any(not weighted.layer.scaling.folds for weighted in network.weighted_layers()):
        return _copy(network, settings, image_shape, classes), settings
    state = {key: tensor.detach().cpu().clone() for key, tensor in network.state_dict().items()}
    names = {module: name for name, module in network.named_modules()}
    for weighted in network.weighted_layers():
        _fold(weighted, state, names)
    shipped = build_network(plain_settings, image_shape, classes)
    shipped.load_state_dict({key: tensor for key, tensor in state.items() if ".scaling." not in key})
    return shipped.eval(), plain_settings


def _copy(network: Network, settings: NetworkSettings, image_shape: tuple[int, int, int], classes: int) -> Network:
    shipped = build_network(settings, image_shape, classes)
    shipped.load_state_dict({key: tensor.detach().cpu() for key, tensor in network.state_dict().items()})
    return shipped.eval()


def _fold(weighted: WeightedLayer, state: dict[str, Tensor], names: dict[nn.Module, str]) -> None:
    layer, norm = weighted.layer, weighted.batch_norm
    if layer.plain:
        return
    state[f"{weighted.name}.weight"] = layer.scaling.binary(layer.weight).cpu()
    if norm is None:
        return
    factor = layer.scaling.channel_factor(layer.weight).cpu()
    name = names[norm]
    state[f"{name}.weight"] = state[f"{name}.weight"] * factor
    state[f"{name}.running_mean"] = state[f"{name}.running_mean"] / factor
