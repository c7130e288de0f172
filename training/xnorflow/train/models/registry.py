"""From settings to a network."""

from __future__ import annotations

import torch

from xnorflow.train.config import TrainSettings
from xnorflow.train.models.fc import FC, HIDDEN
from xnorflow.train.quiet import quiet

__all__ = ["build_network"]


def build_network(settings: TrainSettings, image_shape: tuple[int, int, int], classes: int) -> FC:
    """Make an untrained network; its weights come from torch's global generator.

    Args:
        settings: names the network.
        image_shape: channels, height, width of an image.
        classes: number of logits.
    """
    hidden = settings.hidden or HIDDEN[settings.network]
    network = FC(image_shape, hidden, classes, settings.input_bits, settings.dropout)
    with (
        quiet(),
        torch.no_grad(),
    ):  # torch warns once, of named tensors in Brevitas: better here than under a progress bar
        network.eval()(torch.zeros(1, *image_shape))
    return network.train()
