from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from xnorflow.artifact.progress import SilentProgress
from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.models.base import Network
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network
from xnorflow.train.stage import train

MakeNetwork = Callable[..., Network]


def _random_network(input_bits: int, seed: int = 0, name: str = "TFC_1W1A") -> Network:
    """An untrained network in eval mode whose BatchNorms are random: a third of the gammas negative, one of them 0."""
    torch.manual_seed(seed)
    if name.startswith("CNV"):
        network = build_network(NetworkSettings(network=name, width=0.125), (3, 32, 32), 10)
    else:
        settings = NetworkSettings(network=name, hidden=(24, 17, 16), input_bits=input_bits)
        network = build_network(settings, (1, 8, 8), 10)
    with torch.no_grad():
        for layer, _, fan_in in network.thresholds():
            channels = layer.num_features
            layer.running_mean.copy_(torch.randn(channels) * fan_in**0.5 / 2)
            layer.running_var.copy_((torch.rand(channels) + 0.2) * fan_in)
            layer.weight.copy_((torch.rand(channels) + 0.1) * torch.where(torch.rand(channels) < 0.33, -1.0, 1.0))
            layer.weight[0] = 0
            layer.bias.copy_(torch.randn(channels) * 0.3)
    return network.eval()


@pytest.fixture(scope="session")
def random_network() -> MakeNetwork:
    return _random_network


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The train folder of a small network on the digits."""
    directory = tmp_path_factory.mktemp("trained") / "train"
    settings = TrainSettings(network="TFC_1W1A", hidden=(16, 16), epochs=2, accelerator="cpu")
    train(DataSettings(dataset="digits"), settings, 1, directory, SilentProgress())
    return directory
