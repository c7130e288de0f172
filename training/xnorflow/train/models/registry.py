"""From settings to a network."""

from __future__ import annotations

import torch
from torch import nn

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import BinarizedWeights, set_form
from xnorflow.train.models.base import Network
from xnorflow.train.models.cnv import CNV
from xnorflow.train.models.config import NetworkSettings, WeightScale
from xnorflow.train.models.fc import FC
from xnorflow.train.models.resnet import ResNet
from xnorflow.train.quiet import quiet

__all__ = ["build_network"]


def build_network(
    settings: NetworkSettings, image_shape: tuple[int, int, int], classes: int, form: Form = Form.BINARY
) -> Network:
    """Make an untrained network in training mode; its weights come from torch's global generator.

    Latent weights that will be binarized begin uniform in +-``initial_range``, in Brevitas's examples 1; those of the
    other forms, which are used as they are, as He et al. propose (https://arxiv.org/abs/1502.01852).

    Args:
        settings: names the network.
        image_shape: channels, height, width of an image.
        classes: number of logits.
        form: the form it is left in.

    Raises:
        TrainError: a layer has no streaming form while ``settings.hardware``, or the images have the wrong size.
    """
    network = _make(settings, image_shape, classes)
    _check_scales(network, settings)
    set_form(network, form)
    if form is not Form.BINARY:
        for layer in network.modules():
            if isinstance(layer, BinarizedWeights):
                nn.init.kaiming_normal_(layer.weight)
    with quiet(), torch.no_grad():  # torch warns once, of named tensors in Brevitas: better here than later
        network.eval()(torch.zeros(1, *image_shape))
    return network.train()


def _make(settings: NetworkSettings, image_shape: tuple[int, int, int], classes: int) -> Network:
    topology = settings.network.topology
    if topology == "CNV":
        return CNV(image_shape, settings, classes)
    if topology.startswith("RESNET"):
        return ResNet(image_shape, settings, classes)
    return FC(image_shape, settings, classes)


def _check_scales(network: Network, settings: NetworkSettings) -> None:
    """Refuse a factor of the weights that hardware would have to multiply by."""
    for weighted in network.weighted_layers() if settings.hardware else ():
        if not weighted.layer.scaling.folds:
            raise TrainError(
                f"network {settings.network}, layer {weighted.name}",
                f"weight_scale = {settings.weight_scale.value!r} does not fold into the BatchNorm behind it",
                ", ".join(scale.value for scale in list(WeightScale)[:5]),
                "choose one of these, or set hardware = false",
            )
