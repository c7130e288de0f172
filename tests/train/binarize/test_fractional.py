from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from xnorflow.train.binarize.estimators import hard_sign
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.fractional import (
    FractionalActivation,
    FractionalConv2d,
    PrecisionGate,
    gate_open,
    make_activation,
    make_convolution,
    two_bits,
)
from xnorflow.train.binarize.layers import STATES, Activation, BinarizedConv2d, FormState, Sign, set_form
from xnorflow.train.models.config import NetworkSettings

LEVELS = [-1.0, -1 / 3, 1 / 3, 1.0]


def settings(**changes):
    return NetworkSettings(**{"network": "CNV_1W1A", "activation": "fractional", "hardware": False, **changes})


def layer(seed=0, channels=(3, 4), form=Form.BINARY, **changes):
    torch.manual_seed(seed)
    made = FractionalConv2d(*channels, 3, settings(**changes))
    set_form(made, form)
    with torch.no_grad():
        made.precision.delta.copy_(torch.randn(channels[1]) * 2)
    return made


def fractions(frames=5, channels=3, size=5, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.tensor(LEVELS)[torch.randint(0, 4, (frames, channels, size, size), generator=generator)]


def upper_and_lower(values):
    """The bits by the published numbers: q = 0..3 is 2 bits, upper first."""
    q = torch.round((values + 1) * 1.5)
    return torch.where(q >= 2, 1.0, -1.0), torch.where(q % 2 == 1, 1.0, -1.0)


def test_two_bits_are_the_nearest_of_four_levels():
    values = torch.tensor([-7.0, -1, -0.7, -0.6, -0.34, -0.01, 0, 0.3, 0.6, 0.7, 1, 7])
    expected = [-1, -1, -1, -1 / 3, -1 / 3, -1 / 3, 1 / 3, 1 / 3, 1 / 3, 1, 1, 1]
    assert two_bits(values).tolist() == pytest.approx(expected, abs=1e-7)  # a third in float32
    dense = torch.linspace(-2, 2, 4001)
    published = torch.round((dense.clamp(-1, 1) + 1) * 1.5) * 2 / 3 - 1
    apart = (two_bits(dense) - published).abs() > 1e-6
    assert apart.sum() == 0


def test_a_number_half_way_goes_up():
    ties = torch.tensor([-2 / 3, 0.0, 2 / 3])
    assert two_bits(ties).tolist() == pytest.approx([-1 / 3, 1 / 3, 1], abs=1e-7)


def test_the_gradient_is_1_between_the_ends():
    values = torch.tensor([-1.5, -1.0, -0.9, 0.0, 0.5, 1.0, 1.1], requires_grad=True)
    (two_bits(values) * torch.arange(1.0, 8.0)).sum().backward()
    assert values.grad.tolist() == [0, 2, 3, 4, 5, 6, 0]


def test_the_gate_is_open_above_0_and_has_the_gradient_of_half_a_sigmoid():
    excess = torch.tensor([-1.0, -1e-6, 0.0, 1e-6, 0.2, 2.0], dtype=torch.float64, requires_grad=True)
    opened = gate_open(excess)
    assert opened.tolist() == [0, 0, 0, 1, 1, 1]
    opened.sum().backward()

    def slope(x):  # central difference of the sigmoid
        step = 1e-6
        return (1 / (1 + math.exp(-5 * (x + step))) - 1 / (1 + math.exp(-5 * (x - step)))) / (2 * step)

    expected = [0, 0, *(slope(x) for x in (0.0, 1e-6, 0.2, 2.0))]
    assert excess.grad.tolist() == pytest.approx(expected, rel=1e-6)
    assert excess.grad[2] == 1.25


def test_the_integer_form_is_the_published_one_for_all_sums():
    """3 out = 2 Zm + [2 Zm > 3 Delta] Zl, which is 2/3 Zm + [2/3 Zm > Delta] Zl / 3."""
    sums = torch.arange(-9.0, 10.0, 2)
    gate = PrecisionGate(1)
    for delta in (-1.0, 0.0, 0.65, 0.7, -4.0):
        with torch.no_grad():
            gate.delta.fill_(delta)
        upper, lower = (grid.reshape(1, 1, 1, -1) for grid in torch.meshgrid(sums, sums, indexing="ij"))
        out = (gate(upper, lower) * 3).round().flatten().tolist()
        pairs = list(zip(upper.flatten().tolist(), lower.flatten().tolist(), strict=True))
        assert out == [2 * high + (low if 2 / 3 * high > delta else 0) for high, low in pairs]
        assert gate.passed == (sum(2 / 3 * high > delta for high, _ in pairs), 100)


def test_a_bound_that_a_sum_meets_is_not_passed():
    gate = PrecisionGate(1)
    with torch.no_grad():
        gate.delta.fill_(2.0)
    assert gate(torch.full((1, 1, 1, 1), 3.0), torch.full((1, 1, 1, 1), 1.0)).item() == 2.0


def test_the_layer_adds_the_lower_bits_where_the_upper_ones_pass_the_bound():
    made, values = layer(), fractions()
    upper, lower = upper_and_lower(values)
    weights = hard_sign(made.weight)
    sums = [functional.conv2d(bits, weights) for bits in (upper, lower)]
    opened = 2 * sums[0] > 3 * made.precision.delta.view(1, -1, 1, 1)
    expected = 2 * sums[0] + opened * sums[1]
    assert torch.equal((made(values) * 3).round(), expected)
    assert (made(values) * 3 - expected).abs().max() < 1e-4  # multiples of a third in float32
    assert 0 < opened.float().mean() < 1


@pytest.mark.parametrize(("bound", "share"), [(-math.inf, 1.0), (math.inf, 0.0)])
def test_at_the_ends_it_is_a_plain_convolution_on_two_bits_or_on_one(bound, share):
    made, values = layer(), fractions()
    with torch.no_grad():
        made.precision.delta.fill_(bound)
        found = made(values)
    plain = values if share else hard_sign(values) * 2 / 3
    assert torch.allclose(found, functional.conv2d(plain, hard_sign(made.weight)), atol=1e-5)  # sums of thirds
    count, number = made.precision.passed
    assert count / number == share


def test_gradients_are_those_of_the_published_graph():
    """(1 - mask) 2/3 conv(sign(q)) + mask conv(q), the sign straight through, the mask through its sigmoid."""
    made, values = layer(channels=(2, 3)).double(), fractions(channels=2).double().requires_grad_()
    with torch.no_grad():
        made.weight.clamp_(-1, 1)
    upstream = torch.randn(5, 3, 3, 3, dtype=torch.float64)
    (made(values) * upstream).sum().backward()
    found = values.grad.clone(), made.weight.grad.clone(), made.precision.delta.grad.clone()

    q = values.detach().requires_grad_()
    signs = (hard_sign(q) - q).detach() + q
    delta = made.precision.delta.detach().view(1, -1, 1, 1).requires_grad_()
    weights = hard_sign(made.weight).requires_grad_()
    upper = functional.conv2d(signs, weights) * 2 / 3
    full = functional.conv2d(q, weights)
    soft = torch.sigmoid(5 * (upper - delta))
    hard = (upper > delta).double()
    mask = hard + (soft - soft.detach()) * (soft >= 0.5)
    (((1 - mask) * upper + mask * full) * upstream).sum().backward()
    for one, other in zip(found, (q.grad, weights.grad, delta.grad.flatten()), strict=True):
        assert torch.allclose(one, other, atol=1e-12)
        assert one.abs().max() > 0


def test_the_gate_s_gradients_on_scaled_sums():
    """out = (2 c Zm + open c Zl) / 3 with the factor c; the sigmoid sees 2/3 Zm - Delta, whatever c."""
    gate, factor = PrecisionGate(2).double(), torch.tensor([0.5, 3.0], dtype=torch.float64)
    sums = torch.tensor([3.0, -1.0], dtype=torch.float64).view(1, 2, 1, 1)
    upper = (sums * factor.view(-1, 1, 1)).requires_grad_()
    lower = torch.tensor([-5.0, 7.0], dtype=torch.float64).view(1, 2, 1, 1).requires_grad_()
    with torch.no_grad():
        gate.delta.copy_(torch.tensor([1.75, -0.9]))
    gate(upper, lower, factor).sum().backward()
    for channel in range(2):
        excess = 2 / 3 * sums[0, channel].item() - gate.delta[channel].item()
        soft = 1 / (1 + math.exp(-5 * excess))
        through_gate = 5 * soft * (1 - soft) * lower[0, channel].item() / 3
        own = 2 / 3 + through_gate * 2 / 3 / factor[channel].item()
        assert excess > 0.2
        assert upper.grad[0, channel].item() == pytest.approx(own)
        assert gate.delta.grad[channel].item() == pytest.approx(-through_gate)
    assert lower.grad.flatten().tolist() == pytest.approx([1 / 3, 1 / 3])


@pytest.mark.parametrize("form", [Form.FLOAT, Form.TANH])
def test_without_signs_it_is_a_plain_convolution(form):
    made, values = layer(form=form), torch.randn(2, 3, 5, 5)
    assert torch.equal(made(values), functional.conv2d(values, made.weight))


def test_real_weights_have_a_gate_too():
    made, values = layer(form=Form.BINARY_ACTIVATIONS), fractions()
    upper, lower = (functional.conv2d(bits, made.weight) for bits in upper_and_lower(values))
    expected = (2 * upper + (2 * upper > 3 * made.precision.delta.view(1, -1, 1, 1)) * lower) / 3
    assert torch.allclose(made(values), expected, atol=1e-5)  # the same sums in another order


def test_both_paths_are_mixed():
    made, values, reals = layer(), fractions(), torch.randn(5, 3, 5, 5)
    alone = made(values)
    made.state = FormState(False, Activation.BOTH, 0.25)
    found = made(torch.cat([values, reals]))
    assert torch.allclose(found, 0.75 * alone + 0.25 * functional.conv2d(reals, made.weight), atol=1e-6)


@pytest.mark.parametrize("scale", ["mean", "shift", "rectified_channel"])
def test_bounds_are_in_units_of_unscaled_sums(scale):
    made, values = layer(weight_scale=scale), fractions()
    if scale == "rectified_channel":
        with torch.no_grad():
            made.scaling.matrix.uniform_(0.2, 3)
    plain = layer()
    with torch.no_grad():
        plain.weight.copy_(made.scaling.binary(made.weight))
        plain.precision.delta.copy_(made.precision.delta)
    factor = made.scaling.channel_factor(made.weight).view(1, -1, 1, 1)
    assert torch.allclose(made(values), plain(values) * factor, rtol=1e-5, atol=1e-5)  # scaled before and after the sum
    assert made.precision.passed[0] == plain.precision.passed[0]


def test_the_activation_is_fractional_where_signs_would_stand():
    made, values = FractionalActivation(settings()), torch.randn(2, 3, 4, 4)
    assert torch.equal(made(values), two_bits(values))
    for form, function in ((Form.FLOAT, functional.relu), (Form.TANH, torch.tanh), (Form.BINARY_ACTIVATIONS, two_bits)):
        made.state = STATES[form]
        assert torch.equal(made(values), function(values))
    made.state = FormState(False, Activation.BOTH, 0.5)
    assert torch.equal(made(values), torch.cat([two_bits(values), functional.hardtanh(values)]))
    assert (made.bits, made.levels) == (2, 4)


def test_signs_are_the_default():
    plain = NetworkSettings(network="CNV_1W1A")
    assert plain.activation == "sign"
    assert type(make_activation(plain)) is Sign
    assert type(make_convolution(3, 4, 3, plain)) is BinarizedConv2d
    assert type(make_convolution(3, 4, 3, settings())) is FractionalConv2d


def test_bounds_begin_at_minus_1_and_are_saved(tmp_path):
    torch.manual_seed(0)
    made = FractionalConv2d(3, 4, 3, settings())
    assert made.precision.delta.tolist() == [-1.0] * 4
    assert set(made.state_dict()) == {"weight", "precision.delta"}
    made(fractions())
    torch.save(made.state_dict(), tmp_path / "state.pt")
    other = layer(seed=5)
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(other(fractions()), made(fractions()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "TFC_1W1A"}, "activation = 'fractional' is for CNV and residual networks, not TFC_1W1A"),
        ({"network": "CNV_1W2A"}, "activation = 'fractional' takes the place of signs, which CNV_1W2A has not"),
        ({"estimator": "ede"}, "activation = 'fractional' has a gradient of its own, not 'ede'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        settings(**changes)
