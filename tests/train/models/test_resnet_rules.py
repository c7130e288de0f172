from __future__ import annotations

import re

import pytest

from xnorflow.artifact.errors import TrainError
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network

NETWORK = "network RESNET20_1W1A, layer "
SCALES = "'none', 'mean', 'shift', 'adabin_centered', 'rectified_channel'"

NOT_STREAMING = [
    ({"padding": "zero"},
     "stages.0.0.first.pad: padding = 'zero', a third level beside +1 and -1; allowed: 'minus_one'; "
     "choose padding = 'minus_one', or set hardware = false"),
    ({"slope": "free"},
     "stages.0.0.first.activation: slope = 'free', which need not be monotone; allowed: 'nonnegative'; "
     "choose slope = 'nonnegative', or set hardware = false"),
    ({"trunk_bits": "real"},
     "stages.0.0.first.sum: trunk_bits = 'real'; allowed: 4 to 8; choose trunk_bits = 8, or set hardware = false"),
    ({"downsample": "convolution"},
     "stages.1.0.first.shortcut: downsample = 'convolution', a real 1x1 convolution; allowed: 'average_duplicate'; "
     "choose downsample = 'average_duplicate', or set hardware = false"),
    ({"ends": "real"},
     "stem.conv: ends = 'real', real weights; allowed: 'binary'; choose ends = 'binary', or set hardware = false"),
    ({"gate": "published"},
     "stages.0.0.first.gate: gate = 'published', real factors from averages over a frame; allowed: "
     "'none', 'static', 'power_of_two'; choose gate = 'power_of_two', or set hardware = false"),
    ({"interaction": "published"},
     "stages.0.0.first.side: interaction = 'published', real products with maxima over a frame; allowed: "
     "'none', 'streaming'; choose interaction = 'streaming', or set hardware = false"),
    ({"second_norm": False},
     "stages.0.0.first.norm: second_norm = false: nothing brings accumulators into the trunk's range; allowed: "
     "second_norm = true; leave second_norm out, or set hardware = false"),
]  # fmt: skip

CONTRADICTIONS = [
    ({"order": "bbcu"}, "mean",
     "stages.0.0.first.conv: weight_scale = 'mean' with order = 'bbcu', whose convolutions bring their own scale; "
     "allowed: 'none'; leave weight_scale out, or choose another order"),
    ({"order": "norm_free"}, "shift",
     "stages.0.0.first.conv: weight_scale = 'shift' with order = 'norm_free', whose convolutions bring their own "
     "scale; allowed: 'none'; leave weight_scale out, or choose another order"),
    ({"order": "bireal", "maxout": True}, "none",
     "stages.0.0.first.activation: maxout = true with order = 'bireal', which has no PReLU; allowed: maxout = false; "
     "leave maxout out, or choose another order"),
    ({"order": "react", "second_norm": False}, "none",
     "stages.0.0.first.norm: second_norm = false with order = 'react'; allowed: second_norm = true; "
     "leave second_norm out, or choose order = 'real_to_binary'"),
    ({"second_norm": False}, "mean",
     "stages.0.0.first.conv: weight_scale = 'mean' with second_norm = false, so that no BatchNorm can take it; "
     "allowed: 'none' or 'spatial'; choose one of these, or leave second_norm out"),
]  # fmt: skip


def build(block, shape=(3, 32, 32), network="RESNET20_1W1A", **settings):
    return build_network(NetworkSettings(network=network, block=block, **settings), shape, 10)


@pytest.mark.parametrize(("block", "message"), NOT_STREAMING)
def test_what_does_not_stream_is_refused_unless_hardware_is_off(block, message):
    with pytest.raises(TrainError, match=f"^{re.escape(NETWORK + message)}$"):
        build(block, width=0.5)
    assert build(block, hardware=False, width=0.5).taps[0] == "stages.0.0"


@pytest.mark.parametrize("scale", ["spatial", "adabin", "rectified_kernel", "rectified_full"])
def test_scales_that_do_not_fold_are_refused(scale):
    message = (
        f"{NETWORK}stages.0.0.first.conv: weight_scale = '{scale}', which does not fold into the BatchNorm behind it; "
        f"allowed: {SCALES}; choose one of these, or set hardware = false"
    )
    with pytest.raises(TrainError, match=f"^{re.escape(message)}$"):
        build({}, weight_scale=scale)
    assert build({}, weight_scale=scale, hardware=False, width=0.5).taps[0] == "stages.0.0"


@pytest.mark.parametrize("hardware", [True, False])
@pytest.mark.parametrize(("block", "scale", "message"), CONTRADICTIONS)
def test_contradictions_are_refused_for_hardware_or_not(block, scale, message, hardware):
    with pytest.raises(TrainError, match=f"^{re.escape(NETWORK + message)}$"):
        build(block, weight_scale=scale, hardware=hardware)


@pytest.mark.parametrize("order", ["real_to_binary", "react", "bireal", "bbcu", "norm_free"])
@pytest.mark.parametrize("extra", [
    {}, {"gate": "static"}, {"gate": "power_of_two"}, {"interaction": "streaming"}, {"link": True}, {"trunk_bits": 4},
])  # fmt: skip
def test_all_else_streams(order, extra):
    build({"order": order, **extra}, (3, 8, 8), "RESNET8_1W1A", width=0.25)


def test_bireal_has_no_slopes_to_refuse():
    build({"order": "bireal", "slope": "free"}, (3, 8, 8), "RESNET8_1W1A", width=0.25)


@pytest.mark.parametrize(("network", "shape", "stages", "divisor"), [
    ("RESNET8_1W1A", (3, 28, 28), 3, 8), ("RESNET18_1W1A", (1, 28, 28), 4, 8), ("RESNET20_1W1A", (3, 32, 30), 3, 4),
    ("RESNET34_1W1A", (3, 200, 224), 4, 32),
])  # fmt: skip
def test_maps_that_cannot_be_halved_are_refused(network, shape, stages, divisor):
    message = (
        f"network {network}, layer stages.{stages - 1}.0.first.shortcut: images of {shape[1]}x{shape[2]} pixels, which "
        f"{stages} stages cannot halve evenly; allowed: heights and widths that {divisor} divides; choose a network of "
        "fewer stages, or another data set"
    )
    with pytest.raises(TrainError, match=f"^{re.escape(message)}$"):
        build({}, shape, network)


def test_branches_of_more_than_a_tenth_are_refused():
    for kind, part, weights in (("streaming", "interaction", 4 * (9 + 8)), ("published", "side", 4 * (9 + 16))):
        message = (
            f"network RESNET8_1W1A, layer stages.0.0.first.{part}: interaction_branches = 4 need {weights} weights; "
            "allowed: a tenth of the layer's 576; choose fewer branches, or a larger width"
        )
        with pytest.raises(TrainError, match=f"^{re.escape(message)}$"):
            build(
                {"interaction": kind, "interaction_branches": 4}, (3, 8, 8), "RESNET8_1W1A", width=0.25, hardware=False
            )
