"""Exports of real Brevitas networks, in the exporter's different options."""

from __future__ import annotations

import numpy as np
import torch
from brevitas.export import export_qonnx
from brevitas.nn import QuantIdentity, QuantLinear
from brevitas.quant import Int8ActPerTensorFloat, SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst
from brevitas_examples.bnn_pynq.models.FC import FC
from torch import nn


def settle(network, seed=0):
    """Give BatchNorm the statistics of a trained network: means off 0, slopes of both signs."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d):
                count = module.num_features
                module.running_mean.copy_(torch.randn(count, generator=generator) * 4)
                module.running_var.copy_(torch.rand(count, generator=generator) * 30 + 5)
                signs = torch.where(torch.rand(count, generator=generator) < 0.25, -1.0, 1.0)
                module.weight.copy_((torch.rand(count, generator=generator) * 1.5 + 0.25) * signs)
                module.bias.copy_(torch.randn(count, generator=generator) * 0.3)
    return network.eval()


def bnn_pynq(hidden=64, input_bits=1, seed=0, trained=True):
    """Return Brevitas's own TFC (64), SFC (256) or LFC (1024)."""
    torch.manual_seed(seed)
    network = FC(10, 1, 1, input_bits, 1, [hidden] * 3)
    return settle(network, seed) if trained else network.eval()


def plain(weight_quant, input_quant=SignedBinaryActPerTensorConst, bias=False, seed=0):
    """Return a small network of Brevitas's ready-made quantizers on 24 inputs."""
    torch.manual_seed(seed)
    layers = [QuantIdentity(act_quant=input_quant)]
    for inputs, outputs in ((24, 17), (17, 13)):
        layers += [
            QuantLinear(inputs, outputs, bias=bias, weight_quant=weight_quant),
            nn.BatchNorm1d(outputs),
            QuantIdentity(act_quant=SignedBinaryActPerTensorConst),
        ]
    return settle(nn.Sequential(*layers, QuantLinear(13, 5, bias=bias, weight_quant=weight_quant)), seed)


def export(network, path, shape, **options):
    export_qonnx(network, args=torch.rand(1, *shape), export_path=str(path), **{"dynamo": False, **options})
    return path


def torch_logits(network, inputs):
    """Return logits frame by frame, float32 (frames, classes)."""
    with torch.no_grad():
        return np.concatenate([network(torch.from_numpy(frame[None])).numpy() for frame in inputs])


__all__ = [
    "Int8ActPerTensorFloat",
    "SignedBinaryWeightPerTensorConst",
    "bnn_pynq",
    "export",
    "plain",
    "torch_logits",
]
