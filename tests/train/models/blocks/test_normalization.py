from __future__ import annotations

import numpy as np
import torch
from torch import nn

from xnorflow.train.models.blocks.normalization import AffineBatchNorm2d


def make():
    torch.manual_seed(0)
    layer, plain = AffineBatchNorm2d(5), nn.BatchNorm2d(5)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(5))
        layer.bias.copy_(torch.randn(5))
    plain.load_state_dict(layer.state_dict())
    return layer, plain


def test_training_is_batch_norm():
    layer, plain = make()
    for _ in range(3):
        batch = torch.randn(4, 5, 3, 3) * 7
        assert torch.equal(layer(batch), plain(batch))
    assert torch.equal(layer.running_mean, plain.running_mean)
    batch = torch.randn(4, 5, 3, 3)
    # A few roundings in another order; results are below 10.
    torch.testing.assert_close(layer.eval()(batch), plain.eval()(batch), rtol=0, atol=1e-5)


def test_evaluation_is_a_product_and_a_sum_of_float32():
    layer, _ = make()
    layer(torch.randn(4, 5, 3, 3) * 7)
    batch = torch.randn(4, 5, 3, 3)
    weight, bias, mean, variance = (
        tensor.detach().double().numpy()[:, None, None]
        for tensor in (layer.weight, layer.bias, layer.running_mean, layer.running_var)
    )
    slope = weight / np.sqrt(variance + layer.eps)
    expected = batch.numpy() * slope.astype(np.float32) + (bias - mean * slope).astype(np.float32)
    assert expected.dtype == np.float32
    assert np.array_equal(layer.eval()(batch).detach().numpy(), expected)
