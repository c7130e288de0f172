from __future__ import annotations

import pytest
import torch
from block_tools import BINARY, FORMS, integers, settings

from xnorflow.train.binarize.layers import set_form
from xnorflow.train.models.blocks.residual import HalfBlock, HalfShape, ResidualBlock

SAME, SHRINKING = HalfShape(16, 16, 1, 8, 8), HalfShape(16, 32, 2, 4, 4)


def make(shape=SAME, kind=HalfBlock, form="binary", **block):
    torch.manual_seed(0)
    half = kind(shape, settings(block=block))
    set_form(half, FORMS[form])
    return half


def what_runs(half):
    """Names of the parts in the order they run."""
    order = []
    for name, part in half.named_children():
        if not isinstance(part, torch.nn.Identity):
            part.register_forward_hook(lambda *_, name=name, part=part: order.append((name, type(part).__name__)))
    half(integers(2, 16, 8, 8))
    return order


JOIN = [("branch", "Trunk"), ("shortcut", "Straight"), ("sum", "Trunk")]
NORM, SHIFT = "AffineBatchNorm2d", ("before", "Shift")


@pytest.mark.parametrize(("order", "before", "behind"), [
    ("real_to_binary", [("before", NORM)], [("norm", NORM), ("activation", "PReLU"), *JOIN]),
    ("react", [SHIFT], [("norm", NORM), *JOIN, ("behind", "RPReLU"), ("sum", "Trunk")]),
    ("bireal", [], [("norm", NORM), *JOIN]),
    ("bbcu", [SHIFT], [("activation", "RPReLU"), *JOIN]),
    ("norm_free", [SHIFT], [("activation", "RPReLU"), *JOIN]),
])  # fmt: skip
def test_parts_run_in_the_order_that_is_named(order, before, behind):
    kinds = {"bbcu": "MagnitudeConv2d", "norm_free": "StandardizedConv2d"}
    middle = [("sign", "Sign"), ("pad", "Pad"), ("conv", kinds.get(order, "BinarizedConv2d"))]
    assert what_runs(make(order=order)) == before + middle + behind


def test_branches_and_gate_act_on_the_accumulator():
    half = make(link=True, interaction="streaming", gate="power_of_two")
    names = [name for name, _ in what_runs(half)]
    assert names[2:8] == ["pad", "conv", "link", "interaction", "gate", "norm"]
    accumulators = []
    half.norm.register_forward_pre_hook(lambda layer, inputs: accumulators.append(inputs[0]))
    half(integers(2, 16, 8, 8))
    # Sums of whole numbers and of sixteenths of them (the link and the branch), shifted right by up to three more.
    assert torch.equal(accumulators[0] * 2**10, torch.round(accumulators[0] * 2**10))


@pytest.mark.parametrize("scale", ["mean", "shift", "adabin_centered", "rectified_channel"])
def test_side_branches_take_the_convolutions_scale_so_that_both_fold_together(scale):
    torch.manual_seed(0)
    scaled = HalfBlock(SAME, settings(weight_scale=scale, block={"link": True, "interaction": "streaming"}))
    layer, results = scaled.conv, []
    scaled.norm.register_forward_pre_hook(lambda layer, inputs: results.append(inputs[0]))
    trunk = integers(2, 16, 8, 8)
    scaled(trunk)
    factor = layer.scaling.channel_factor(layer.weight).view(1, -1, 1, 1)
    signs = torch.where(layer.scaling.latent(layer.weight) >= 0, 1.0, -1.0)
    plain = HalfBlock(SAME, settings(block={"link": True, "interaction": "streaming"}))
    plain.load_state_dict({key: value for key, value in scaled.state_dict().items() if ".scaling." not in key})
    with torch.no_grad():
        plain.conv.weight.copy_(signs)
    plain.norm.register_forward_pre_hook(lambda layer, inputs: results.append(inputs[0]))
    plain(trunk)
    torch.testing.assert_close(results[0], results[1] * factor)  # the factor before or behind the sum


@pytest.mark.parametrize("shape", [SAME, SHRINKING])
@pytest.mark.parametrize("order", ["real_to_binary", "react", "bireal", "bbcu", "norm_free"])
def test_the_trunk_stays_integers_and_convolutions_see_signs(order, shape):
    half, seen = make(shape, order=order), []
    half.conv.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    result = half(integers(4, 16, 8, 8)) * 32
    assert result.shape == (4, shape.channels_out, shape.height, shape.width)
    assert torch.equal(result, result.round()) and result.min() >= -128 and result.max() <= 127
    assert set(seen[0].unique().tolist()) == {-1, 1}
    assert seen[0].shape == (4, 16, 10, 10)


def test_a_block_is_two_halves_and_only_the_first_shrinks():
    block = make(SHRINKING, ResidualBlock)
    assert block(integers(2, 16, 8, 8)).shape == (2, 32, 4, 4)
    assert (block.first.conv.stride, block.second.conv.stride) == ((2, 2), (1, 1))


def test_norm_free_expects_a_growing_variance_and_begins_anew_where_the_map_shrinks():
    block = make(HalfShape(16, 16, 1, 8, 8, 1.08), ResidualBlock, order="norm_free")
    assert (block.first.deviation, block.second.deviation) == (1.08**0.5, pytest.approx(1.12**0.5))
    assert block.variance == pytest.approx(1.16)
    shrinking = make(HalfShape(16, 32, 2, 4, 4, 1.5), ResidualBlock, order="norm_free")
    assert shrinking.second.deviation == pytest.approx(1.04**0.5)
    assert make(HalfShape(16, 16, 1, 8, 8, 1.5)).deviation == 1


def test_norm_free_adds_a_fifth_of_the_branch_to_the_normalized_trunk():
    half = make(HalfShape(16, 16, 1, 8, 8, 1.44), form="tanh", order="norm_free", trunk_bits=8)
    trunk = torch.randn(2, 16, 8, 8)
    padded = torch.nn.functional.pad(torch.tanh(trunk / 1.2), [1] * 4)
    expected = trunk + 0.2 * torch.nn.functional.leaky_relu(half.conv(padded), 0.25)
    torch.testing.assert_close(half(trunk), expected)


def test_the_published_interaction_is_added_to_the_branch():
    torch.manual_seed(0)
    half = HalfBlock(SAME, settings(hardware=False, block={"interaction": "published", "trunk_bits": "real"}))
    trunk = torch.randn(2, 16, 8, 8)
    without = half.eval()(trunk)
    with torch.no_grad():
        half.side.expand.weight.normal_()
    torch.testing.assert_close(half(trunk), without + half.side(trunk))
    assert half.conv.state is BINARY
