from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import set_form
from xnorflow.train.binarize.thermometer import COMPARATORS, PLANES, Thermometer, input_encoder, input_planes
from xnorflow.train.models.card import make_card
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network

SHAPE = (3, 32, 32)
WIDTHS = {"CNV_1W1A": 0.125, "RESNET8_1W1A": 0.25}


def settings(network="CNV_1W1A", **changes):
    return NetworkSettings(network=network, width=WIDTHS[network], input_encoding="thermometer", **changes)


def make(network="CNV_1W1A", **changes):
    torch.manual_seed(0)
    return build_network(settings(network, **changes), SHAPE, 10).eval()


def byte_images(frames, seed=0):
    bytes_ = torch.randint(0, 256, (frames, *SHAPE), generator=torch.Generator().manual_seed(seed))
    return bytes_, bytes_.float() / 255


def encode(values):
    """The planes of one color's pixels, [pixel][plane]."""
    pixels = 2.0 * torch.tensor(values, dtype=torch.float32).view(1, 1, 1, -1) - 1.0
    return Thermometer()(pixels)[0, :, 0].T.tolist()


def test_all_256_bytes_are_coded_as_published():
    columns = encode([byte / 255 for byte in range(256)])
    for byte, column in enumerate(columns):
        level = round(byte / 8)  # Python's halves go to the even neighbor, too
        assert column == [1.0 if plane < level else -1.0 for plane in range(32)], byte
        assert column == [1.0 if byte >= COMPARATORS[plane] else -1.0 for plane in range(32)], byte
    assert len({tuple(column) for column in columns}) == 33


def test_the_comparators_are_the_documented_ones():
    assert COMPARATORS[:6] == (5, 12, 21, 28, 37, 44)
    assert (len(COMPARATORS), COMPARATORS[-1], PLANES) == (32, 252, 32)


def test_other_numbers_are_coded_like_the_nearest_byte():
    for shift in (-0.49, 0.49):
        assert encode([(byte + shift) / 255 for byte in range(256)]) == encode([byte / 255 for byte in range(256)])


def test_the_planes_of_a_color_stand_together():
    images = torch.zeros(2, 3, 1, 1)
    images[1, 1] = 1
    planes = Thermometer()(2 * images - 1)
    assert planes.shape == (2, 96, 1, 1)
    assert planes[0].flatten().tolist() == [-1.0] * 96
    assert planes[1].flatten().tolist() == [-1.0] * 32 + [1.0] * 32 + [-1.0] * 32


def test_it_has_no_state():
    assert not Thermometer().state_dict()


@pytest.mark.parametrize(("network", "first"), [("CNV_1W1A", "conv_features.1"), ("RESNET8_1W1A", "stem.conv")])
def test_the_first_layer_is_xnor_popcount(network, first):
    """Recomputed from the bytes in integers: matching bits counted twice, less all bits."""
    made = make(network)
    layer, seen = made.get_submodule(first), {}
    layer.register_forward_hook(lambda _, inputs, output: seen.update(output=output))
    bytes_, images = byte_images(2)
    with torch.no_grad():
        made(images)
    planes = (bytes_.unsqueeze(2) >= torch.tensor(COMPARATORS).view(1, 1, -1, 1, 1)).flatten(1, 2)
    if network != "CNV_1W1A":
        planes = functional.pad(planes, [1] * 4, value=False)  # black
    size, stride = planes.shape[1] * 9, layer.step
    bits = functional.unfold(planes.double(), 3, stride=stride).transpose(1, 2)  # frames, positions, 864
    weights = (layer.weight >= 0).double().flatten(1)
    popcounts = bits @ weights.T + (1 - bits) @ (1 - weights).T
    expected = (2 * popcounts - size).transpose(1, 2).view_as(seen["output"])
    assert size == 864
    assert torch.equal(seen["output"].double(), expected)


@pytest.mark.parametrize("network", WIDTHS)
def test_nothing_but_bits_enters_the_card(network):
    card = make_card(settings(network), SHAPE, 10)
    plain = make_card(settings(network).model_copy(update={"input_encoding": "pixels"}), SHAPE, 10)
    first, before = card.rows[0].layer, plain.rows[0].layer
    assert (first.few_bit_macs, first.activation_bits, first.popcount_width) == (0, 1, 864)
    assert first.binary_macs == 32 * before.few_bit_macs
    assert card.obstacle is None
    assert [row.layer for row in card.rows[1:]] == [row.layer for row in plain.rows[1:]]


@pytest.mark.parametrize("network", WIDTHS)
def test_it_is_the_same_in_all_forms_and_gradients_reach_the_first_layer(network):
    made = make(network).train()
    _, images = byte_images(4)
    for form in Form:
        set_form(made, form)
        made.zero_grad()
        made(images).square().sum().backward()
        first = made.conv_features[1] if network == "CNV_1W1A" else made.stem.conv
        assert first.weight.grad.abs().max() > 0, form


def test_pixels_are_the_default():
    plain = NetworkSettings(network="CNV_1W1A")
    assert plain.input_encoding == "pixels"
    assert input_planes(plain) == 1
    assert not isinstance(input_encoder(plain), Thermometer)


def test_thresholds_behind_bits_are_whole_numbers():
    made = make()
    assert [threshold.step for threshold in made.thresholds()] == [1.0] * 8
    assert next(made.thresholds()).bound == 864


@pytest.mark.parametrize("network", ["TFC_1W1A", "SFC_1W1A", "LFC_1W1A"])
def test_perceptrons_refuse_it(network):
    message = f"input_encoding = 'thermometer' is for CNV and residual networks, not {network}"
    with pytest.raises(ValidationError, match=message):
        NetworkSettings(network=network, input_encoding="thermometer")
