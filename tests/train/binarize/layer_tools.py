"""Layers, networks and inputs for the tests of binarized layers and their forms."""

from __future__ import annotations

import torch
from torch.nn import functional

from xnorflow.train.binarize.estimators import hard_sign
from xnorflow.train.binarize.layers import Activation, BinarizedConv2d, BinarizedLinear, FormState
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network

LAYERS = ["linear", "convolution"]
REAL = FormState(True, Activation.HARDTANH)
NAMES = {1: "TFC_1W1A", 2: "TFC_2W2A"}


def settings(bits=1, **changes):
    return NetworkSettings(network=NAMES[bits], dropout=0.0, hardware=False, **changes)


def linear(seed=0, **changes):
    torch.manual_seed(seed)
    return BinarizedLinear(12, 5, settings(**changes))


def convolution(seed=0, **changes):
    torch.manual_seed(seed)
    return BinarizedConv2d(3, 4, 3, settings(**changes))


def make(kind, **changes):
    return linear(**changes) if kind == "linear" else convolution(**changes)


def signs(kind, frames=7, seed=1):
    shape = (frames, 12) if kind == "linear" else (frames, 3, 6, 6)
    return hard_sign(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))


def product(kind, values, weights):
    return values @ weights.T if kind == "linear" else functional.conv2d(values, weights)


def network(seed=0, **changes):
    torch.manual_seed(seed)
    return build_network(settings(hidden=(16, 8), **changes), (1, 4, 4), 3)


def images(frames=9):
    return torch.rand(frames, 1, 4, 4, generator=torch.Generator().manual_seed(2))
