from __future__ import annotations

import torch

from xnorflow.train.models.blocks.spatial import SpatialScale


def test_factors_of_channel_row_and_column_multiply():
    layer = SpatialScale(2, 3, 4)
    assert sum(parameter.numel() for parameter in layer.parameters()) == 2 + 3 + 4
    values = torch.randn(5, 2, 3, 4)
    assert torch.equal(layer(values), values)
    with torch.no_grad():
        layer.alpha[1], layer.beta[0, 2], layer.gamma[0, 0, 3] = 2, 3, 5
    expected = values.clone()
    expected[:, 1] *= 2
    expected[:, :, 2] *= 3
    expected[..., 3] *= 5
    torch.testing.assert_close(layer(values), expected)  # products in another order
