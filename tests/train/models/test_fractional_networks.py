"""CNV and residual networks with fractional activations, and with codebooks of kernels."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.codebook import kernel_numbers
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.fractional import THIRD, FractionalActivation, FractionalConv2d
from xnorflow.train.binarize.layers import Activation, BinarizedConv2d, FormState, Sign, set_form
from xnorflow.train.deploy import deploy
from xnorflow.train.models.card import bits_in_form, make_card
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network

SHAPE = (3, 32, 32)
WIDTHS = {"CNV_1W1A": 0.125, "RESNET8_1W1A": 0.25}
FIRST = "network RESNET8_1W1A, layer stages.0.0.first"
ORDERS = "'real_to_binary', 'react' or 'bireal'"


def settings(network="CNV_1W1A", **changes):
    return NetworkSettings(**{"network": network, "width": WIDTHS[network], "activation": "fractional", **changes})


def make(network="CNV_1W1A", form=Form.BINARY, **changes):
    torch.manual_seed(0)
    return build_network(settings(network, **changes), SHAPE, 10, form)


def used(network, **changes):
    """A network in eval mode whose scales, bounds and statistics are away from where they begin."""
    made = make(network, **changes)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "scaling.matrix" in name:
                parameter.copy_(torch.rand_like(parameter) + 0.2)
            elif name.endswith("delta"):
                parameter.copy_(torch.randn_like(parameter) * 4)
            elif parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.3)
        for _ in range(20):
            made(torch.rand(16, *SHAPE))
    return made.eval()


def test_cnv_has_fractional_activations_where_a_convolution_reads_them():
    made = make()
    kinds = [type(layer) for layer in made.modules() if isinstance(layer, Sign)]
    assert kinds == [FractionalActivation] * 5 + [Sign] * 3
    convolutions = [type(layer) for layer in made.modules() if isinstance(layer, BinarizedConv2d)]
    assert convolutions == [BinarizedConv2d] + [FractionalConv2d] * 5


def test_residual_networks_have_them_in_front_of_every_convolution_of_a_block():
    made = make("RESNET8_1W1A")
    assert [type(layer) for layer in made.modules() if isinstance(layer, Sign)] == [FractionalActivation] * 6
    convolutions = [type(layer) for layer in made.modules() if isinstance(layer, BinarizedConv2d)]
    assert convolutions == [BinarizedConv2d] + [FractionalConv2d] * 6


@pytest.mark.parametrize("network", WIDTHS)
def test_sums_are_whole_multiples_of_a_third_within_the_fan_in(network):
    made = used(network)
    seen = []
    for layer in made.modules():
        if isinstance(layer, FractionalConv2d):
            layer.register_forward_hook(lambda layer, _, output: seen.append((output, layer.weight[0].numel())))
    with torch.no_grad():
        made(torch.rand(4, *SHAPE))
    for output, fan_in in seen:
        assert torch.equal((output / THIRD).round() * THIRD, output)
        assert output.abs().max() <= fan_in
        assert (output / THIRD).round().unique().numel() > 10
    assert len(seen) == (5 if network == "CNV_1W1A" else 6)


def test_cnv_names_the_step_of_each_accumulator():
    assert [threshold.step for threshold in make().thresholds()] == [2.0**-7] + [THIRD] * 5 + [1.0] * 2
    assert [threshold.bound for threshold in make().thresholds()] == [27, 72, 72, 144, 144, 288, 32, 64]


@pytest.mark.parametrize("network", WIDTHS)
def test_features_have_the_same_shapes_in_every_form(network):
    made, images, shapes = make(network), torch.rand(2, *SHAPE), []
    for form in [*Form, FormState(False, Activation.BOTH, 0.25)]:
        set_form(made, form)
        found = []
        hooks = [
            made.get_submodule(tap).register_forward_hook(lambda *a, found=found: found.append(a[2].shape))
            for tap in made.taps
        ]
        made.zero_grad()
        made(images).square().sum().backward()
        [hook.remove() for hook in hooks]
        shapes.append(found)
        gradients = [weight.grad for weight in made.parameters() if weight.grad is not None]
        assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert shapes == [shapes[0]] * 5


@pytest.mark.parametrize("network", WIDTHS)
def test_the_card_counts_two_binary_products_and_three_thresholds(network):
    card, plain = (make_card(settings(network, activation=kind), SHAPE, 10) for kind in ("fractional", "sign"))
    rows = {row.layer.name: row for row in plain.rows}
    gated = 0
    for row in card.rows:
        if row.layer.name.endswith(".precision"):
            assert (row.layer.weight_bits, row.layer.binary_macs) == (32, 0)
            continue
        before = rows[row.layer.name]
        if row.layer.activation_bits == 2:
            gated += 1
            assert row.layer.binary_macs == 2 * before.layer.binary_macs > 0
            assert (row.layer.weights, row.layer.popcount_width) == (before.layer.weights, before.layer.popcount_width)
        else:
            assert row.layer == before.layer
    assert gated == (5 if network == "CNV_1W1A" else 6)
    factors = {"CNV_1W1A": [3] * 5 + [1] * 3, "RESNET8_1W1A": [3] * 6}[network]
    thresholds = [(row.thresholds, rows[row.layer.name].thresholds) for row in card.rows if row.thresholds]
    assert [more // before for more, before in thresholds] == factors
    assert card.obstacle is None


def test_bits_in_each_form():
    bits = {form.value: bits_in_form(settings(), form) for form in Form}
    assert bits == {"float": (32, 32), "tanh": (32, 32), "binary_activations": (32, 2), "binary": (1, 2)}


@pytest.mark.parametrize("network", WIDTHS)
@pytest.mark.parametrize("kernel_bits", [None, 4])
@pytest.mark.parametrize(
    ("scale", "estimator"),
    [("none", "ste"), ("none", "ede"), ("mean", "approx_sign"), ("shift", "ste"), ("rectified_channel", "ste")],
)
def test_deployed_logits_are_equal_and_kernels_few(network, kernel_bits, scale, estimator):
    trained = used(network, kernel_bits=kernel_bits, weight_scale=scale, weight_estimator=estimator)
    chosen = settings(network, kernel_bits=kernel_bits, weight_scale=scale, weight_estimator=estimator)
    shipped, plain = deploy(trained, chosen, SHAPE, 10)
    images = torch.rand(40, *SHAPE)
    with torch.no_grad():
        found, expected = shipped(images), trained(images)
    assert len(expected.unique()) > 10
    # A factor that is no power of two is rounded anew where it is folded: a trunk's integer may lie right at an edge.
    exact = network == "CNV_1W1A" or scale in ("none", "shift")
    assert (found != expected).float().mean() <= (0 if exact else 0.02)
    assert plain == settings(network, dropout=0.0)
    fresh = build_network(plain, SHAPE, 10)
    assert shipped.state_dict().keys() == fresh.state_dict().keys()
    if kernel_bits is not None:
        for layer in shipped.modules():
            if isinstance(layer, FractionalConv2d):
                assert len(kernel_numbers(layer.weight.reshape(-1, 9)).unique()) <= 16
                assert set(layer.weight.unique().tolist()) == {-1, 1}


@pytest.mark.parametrize("network", WIDTHS)
def test_a_codebook_alone_folds_exactly(network):
    trained = used(network, activation="sign", kernel_bits=5)
    shipped, plain = deploy(trained, settings(network, activation="sign", kernel_bits=5), SHAPE, 10)
    images = torch.rand(40, *SHAPE)
    with torch.no_grad():
        assert torch.equal(shipped(images), trained(images))
    assert plain == settings(network, activation="sign", dropout=0.0)
    books = [name for name, layer in trained.named_modules() if name.endswith("codebook")]
    assert len(books) == (5 if network == "CNV_1W1A" else 6)
    for name in books:
        kernels = shipped.get_submodule(name.removesuffix(".scaling.codebook")).weight
        assert len(kernel_numbers(kernels.reshape(-1, 9)).unique()) <= 32


def test_a_scale_that_does_not_fold_keeps_its_codebook():
    trained = used("CNV_1W1A", kernel_bits=4, weight_scale="adabin", hardware=False)
    chosen = settings(kernel_bits=4, weight_scale="adabin", hardware=False)
    shipped, kept = deploy(trained, chosen, SHAPE, 10)
    images = torch.rand(10, *SHAPE)
    with torch.no_grad():
        assert torch.equal(shipped(images), trained(images))
    assert kept == chosen
    names = [row.layer.name for row in make_card(chosen, SHAPE, 10).rows]
    assert not [name for name in names if "codebook" in name]


def test_defaults_mean_what_they_meant():
    plain = NetworkSettings(network="RESNET8_1W1A", width=0.25)
    spelled = settings("RESNET8_1W1A", activation="sign", input_encoding="pixels", kernel_bits=None)
    assert plain == spelled
    made = build_network(plain, SHAPE, 10)
    assert not [key for key in made.state_dict() if "codebook" in key or "precision" in key or "scaling" in key]
    assert {type(layer) for layer in made.modules() if isinstance(layer, Sign)} == {Sign}
    assert {type(layer) for layer in made.modules() if isinstance(layer, nn.Conv2d)} == {BinarizedConv2d}


TWO_BITS, INSTEAD = "activation = 'fractional' with", "choose activation = 'sign', or change it"
REFUSED = [
    ({"order": "bbcu"}, f".conv: {TWO_BITS} order = 'bbcu', whose convolutions read signs; allowed: {ORDERS}"),
    ({"order": "norm_free"},
     f".conv: {TWO_BITS} order = 'norm_free', whose convolutions read signs; allowed: {ORDERS}"),
    ({"padding": "zero"}, f".pad: {TWO_BITS} padding = 'zero', which is none of its levels; allowed: 'minus_one'"),
    ({"link": True}, f".link: {TWO_BITS} link = true, which reads signs; allowed: link = false"),
    ({"interaction": "streaming"},
     f".interaction: {TWO_BITS} interaction = 'streaming', which counts signs; allowed: 'none', 'published'"),
    ({"gate": "power_of_two"},
     f".gate: {TWO_BITS} gate = 'power_of_two', which counts signs; allowed: 'none', 'static', 'published'"),
]  # fmt: skip


@pytest.mark.parametrize("hardware", [True, False])
@pytest.mark.parametrize(("block", "message"), REFUSED)
def test_what_two_bits_do_not_go_with_is_refused_for_hardware_or_not(block, message, hardware):
    with pytest.raises(TrainError, match=f"^{re.escape(f'{FIRST}{message}; {INSTEAD}')}$"):
        make("RESNET8_1W1A", block=block, hardware=hardware)


@pytest.mark.parametrize("hardware", [True, False])
@pytest.mark.parametrize("order", ["bbcu", "norm_free"])
def test_a_codebook_needs_an_order_without_a_scale_of_its_own(order, hardware):
    message = (f"{FIRST}.conv: kernel_bits = 4 with order = '{order}', whose scale is the latent weights'; allowed: "
               f"{ORDERS}; leave kernel_bits out, or choose one of these orders")  # fmt: skip
    with pytest.raises(TrainError, match=f"^{re.escape(message)}$"):
        make("RESNET8_1W1A", block={"order": order}, activation="sign", kernel_bits=4, hardware=hardware)


@pytest.mark.parametrize("order", ["real_to_binary", "react", "bireal"])
@pytest.mark.parametrize("extra", [{}, {"gate": "static", "maxout": True}, {"trunk_bits": 4}])
def test_all_else_streams_with_both(order, extra):
    if order == "bireal" and "maxout" in extra:
        extra = {"gate": "static"}
    made = make("RESNET8_1W1A", block={"order": order, **extra}, kernel_bits=4, input_encoding="thermometer")
    assert torch.isfinite(made(torch.rand(2, *SHAPE))).all()
