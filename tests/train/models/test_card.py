from __future__ import annotations

import pytest
import torch

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.form import Form
from xnorflow.train.models.card import bits_in_form, make_card, streaming_obstacle
from xnorflow.train.models.config import NetworkSettings

DIGITS, CIFAR = (1, 8, 8), (3, 32, 32)


def settings(name="TFC_1W1A", **changes):
    return NetworkSettings(network=name, **changes)


def test_a_perceptron_s_card_is_the_arithmetic_of_its_widths():
    card = make_card(settings(hidden=(24, 16)), DIGITS, 10)
    assert [row.layer.binary_macs for row in card.rows] == [64 * 24, 0, 24 * 16, 0, 16 * 10]
    assert [row.storage_bits for row in card.rows] == [64 * 24, 0, 24 * 16, 0, 16 * 10]
    assert [row.thresholds for row in card.rows] == [0, 24, 0, 16, 0]
    assert [row.layer.popcount_width for row in card.rows] == [64, 0, 24, 0, 16]
    assert (card.thresholds, card.real_parameters, card.obstacle) == (40, 0, None)
    assert card.totals.binary_macs == card.totals.weight_bits == 64 * 24 + 24 * 16 + 16 * 10


def test_activations_of_two_bits_have_two_thresholds_a_channel():
    assert make_card(settings("TFC_1W2A", hidden=(24, 16)), DIGITS, 10).thresholds == 2 * 40
    assert make_card(settings("CNV_1W2A", width=0.125), CIFAR, 10).thresholds == 2 * (
        8 + 8 + 16 + 16 + 32 + 32 + 64 + 64
    )


def test_norms_that_are_no_thresholds_count_as_real_parameters():
    card = make_card(settings("RESNET8_1W1A"), CIFAR, 10)
    thresholds = sum(row.thresholds for row in card.rows if row.layer.name.endswith("before"))
    assert card.thresholds == thresholds == 32 + 32 + 32 + 64 + 64 + 128
    real = [row for row in card.rows if row.layer.weight_bits == 32 and not row.thresholds]
    assert card.real_parameters == sum(row.layer.weights for row in real) > 0
    assert card.real_parameters + 2 * card.thresholds == card.totals.real_parameters


@pytest.mark.parametrize(
    ("asked", "shape", "layer"),
    [
        (settings(weight_scale="adabin", hardware=False), DIGITS, "features.2"),
        (settings("RESNET8_1W1A", hardware=False, block={"padding": "zero"}), CIFAR, "stages.0.0.first.pad"),
    ],
    ids=["scale", "padding"],
)
def test_what_does_not_stream_says_which_layer(asked, shape, layer):
    obstacle = make_card(asked, shape, 10).obstacle
    assert isinstance(obstacle, TrainError) and obstacle.where.endswith(f"layer {layer}")
    assert str(streaming_obstacle(asked, shape, 10)) == str(obstacle)


def test_what_streams_has_no_obstacle_whether_it_had_to_or_not():
    assert streaming_obstacle(settings(hardware=False), DIGITS, 10) is None
    assert streaming_obstacle(settings(weight_scale="mean"), DIGITS, 10) is None


def test_images_of_the_wrong_size_are_refused():
    with pytest.raises(TrainError, match=r"CNV_1W1A, layer conv_features\.0: images of 8x8 pixels; allowed: 32x32"):
        make_card(settings("CNV_1W1A"), DIGITS, 10)


def test_the_random_state_stays():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    make_card(settings(), DIGITS, 10)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("form", "bits"),
    [(Form.FLOAT, (32, 32)), (Form.TANH, (32, 32)), (Form.BINARY_ACTIVATIONS, (32, 2)), (Form.BINARY, (1, 2))],
)
def test_a_form_says_how_many_bits_there_are(form, bits):
    assert bits_in_form(settings("TFC_1W2A"), form) == bits
