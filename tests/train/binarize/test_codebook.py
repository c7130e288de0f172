from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from xnorflow.train.binarize.codebook import KERNELS, PERIOD, Codebook, kernel_numbers
from xnorflow.train.binarize.estimators import approx_sign_slope, hard_sign
from xnorflow.train.binarize.layers import BinarizedConv2d, BinarizedLinear
from xnorflow.train.models.config import NetworkSettings


def settings(**changes):
    return NetworkSettings(**{"network": "CNV_1W1A", "kernel_bits": 4, "hardware": False, **changes})


def codebook(bits=4, seed=0):
    torch.manual_seed(seed)
    return Codebook(bits)


def layer(channels=(6, 8), seed=0, **changes):
    torch.manual_seed(seed)
    return BinarizedConv2d(*channels, 3, settings(**changes))


def weights(*channels, seed=1):
    return torch.rand(*channels, 3, 3, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def distinct(values):
    return len(set(kernel_numbers(values.reshape(-1, 9)).tolist()))


def use(book, values):
    """One training step's use of the codebook."""
    return book(hard_sign(values).requires_grad_(), values)


def test_kernels_are_numbered_tap_by_tap():
    kernels = torch.full((4, 9), -1.0)
    kernels[1, 0] = kernels[2, 8] = 1
    kernels[3] = 1
    assert kernel_numbers(kernels).tolist() == [0, 1, 256, 511]


@pytest.mark.parametrize("bits", [4, 5, 6, 7, 8])
def test_it_begins_with_different_kernels(bits):
    book = codebook(bits)
    assert book.latent.shape == (2**bits, 9)
    assert distinct(book.codewords()) == 2**bits
    assert torch.equal(book.latent.abs(), torch.ones(2**bits, 9))
    assert distinct(torch.cat([codebook(seed=1).codewords(), codebook(seed=2).codewords()])) > 16


def test_every_kernel_is_the_nearest_codeword():
    """By the Euclidean distance, each to each; the first of equally near ones."""
    book, values = codebook(), weights(5, 7)
    values[0, 0] = 0  # equally far from all
    found = book.nearest(values).reshape(-1, 9).tolist()
    words = book.codewords().tolist()
    for kernel, chosen in zip(values.double().reshape(-1, 9).tolist(), found, strict=True):
        distances = [sum((w - k) ** 2 for w, k in zip(kernel, word, strict=True)) for word in words]
        assert chosen == words[distances.index(min(distances))]
    assert found[0] == words[0]


def test_a_hand_made_case():
    book = codebook()
    with torch.no_grad():
        book.latent.fill_(-1)
        book.latent[3] = torch.tensor([1.0] * 5 + [-1.0] * 4)
        book.latent[7] = 1
    values = torch.full((1, 2, 3, 3), 0.1)
    values[0, 0].flatten()[6:] = -0.9  # +0.6 - 2.7: nearest to the kernel of five ones: 0.5 - 0.1 + 2.7
    assert book.nearest(values)[0].reshape(2, 9).tolist() == [[1.0] * 5 + [-1.0] * 4, [1.0] * 9]


def test_the_gradient_of_the_weights_is_that_of_the_sign():
    for estimator in ("ste", "approx_sign"):
        made = layer(weight_estimator=estimator)
        upstream = torch.randn(8, 6, 3, 3)
        (made.binary_weights() * upstream).sum().backward()
        slope = torch.ones_like(upstream) if estimator == "ste" else approx_sign_slope(made.weight.detach())
        assert torch.equal(made.weight.grad, upstream * slope)


def test_codewords_learn_in_every_25th_step_from_the_kernels_they_stand_for():
    book, values = codebook(), weights(4, 5)
    for step in range(1, 2 * PERIOD + 1):
        book.zero_grad()
        upstream = torch.randn(4, 5, 3, 3)
        (use(book, values) * upstream).sum().backward()
        assert int(book.steps) == step
        if step % PERIOD:
            assert book.latent.grad is None
            continue
        expected = torch.zeros(16, 9)
        words = book.codewords().tolist()
        chosen = book.nearest(values).reshape(-1, 9).tolist()
        for kernel, gradient in zip(chosen, upstream.reshape(-1, 9), strict=True):
            expected[words.index(kernel)] += gradient
        assert torch.allclose(book.latent.grad, expected, atol=1e-5)  # the sums in another order


def test_forward_gives_the_nearest_codewords_exactly_in_every_step():
    book, values = codebook(), weights(4, 5)
    for _ in range(2 * PERIOD + 1):
        assert torch.equal(use(book, values), book.nearest(values))


def test_only_steps_of_the_training_count():
    book, values = codebook(), weights(2, 2)
    with torch.no_grad():
        use(book, values)
    book.eval()
    use(book, values)
    assert int(book.steps) == 0
    book.train()
    use(book, values)
    assert int(book.steps) == 1


def test_undecided_taps_keep_their_bit():
    book = codebook()
    with torch.no_grad():
        before = book.codewords().clone()
        book.latent[0] = before[0] * torch.tensor([-1e-3, -0.9e-3, 0.9e-3, 0, 1e-3, -1, 2, -3, 1])
    flipped = torch.tensor([-1.0, 1, 1, 1, 1, -1, 1, -1, 1])
    assert torch.equal(book.codewords()[0], before[0] * flipped)
    use(book, weights(2, 2))  # remembers
    with torch.no_grad():
        book.latent[0] = 0
    assert torch.equal(book.codewords()[0], before[0] * flipped)


def after_learning(book):
    """Bring the codebook to right behind a step in which codewords learn."""
    for _ in range(PERIOD):
        use(book, weights(2, 2))
    return book


def test_codewords_are_clipped_to_3():
    book = after_learning(codebook())
    with torch.no_grad():
        book.latent[0], book.latent[1] = 5.0, -2.5
    use(book, weights(2, 2))
    assert book.latent[0].tolist() == [3.0] * 9
    assert book.latent[1].tolist() == [-2.5] * 9


def with_duplicates(seed=0):
    book = after_learning(codebook(seed=seed))
    with torch.no_grad():
        book.latent[5], book.latent[9], book.latent[11] = book.latent[2] / 2, book.latent[2], book.latent[3]
    return book


def test_duplicates_are_replaced_by_kernels_that_are_not_there():
    book = with_duplicates()
    before = book.latent.detach().clone()
    assert distinct(book.codewords()) == 13
    use(book, weights(2, 2))
    assert distinct(book.codewords()) == 16
    kept = [place for place in range(16) if place not in (5, 9, 11)]
    assert torch.equal(book.latent[kept], before[kept])
    assert torch.equal(book.latent[[5, 9, 11]].abs(), torch.ones(3, 9))
    assert torch.equal(book.memory, book.codewords())


def test_the_replacement_is_the_same_in_every_process_and_leaves_torch_s_numbers_alone():
    one, other = with_duplicates(), with_duplicates()
    torch.manual_seed(1)
    use(one, weights(2, 2))
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(1))
    torch.manual_seed(2)
    use(other, weights(2, 2))
    assert torch.equal(one.latent, other.latent)


def test_evaluation_changes_nothing():
    book = with_duplicates().eval()
    before = {key: tensor.clone() for key, tensor in book.state_dict().items()}
    use(book, weights(2, 2))
    assert all(torch.equal(tensor, before[key]) for key, tensor in book.state_dict().items())


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("scale", ["none", "shift", "rectified_channel"])
def test_a_layer_has_no_more_kernels_than_codewords(bits, scale):
    made, free = layer((32, 32), kernel_bits=bits, weight_scale=scale), layer((32, 32), kernel_bits=None)
    assert distinct(free.binary_weights()) > 400
    binary = made.scaling.binary(made.weight)
    assert distinct(binary) <= 2**bits
    assert torch.equal(hard_sign(made.binary_weights()), binary)
    words = set(kernel_numbers(made.scaling.codebook.codewords()).tolist())
    assert set(kernel_numbers(binary.reshape(-1, 9)).tolist()) <= words


def test_it_saves_and_goes_on_bit_for_bit(tmp_path):
    def steps(made, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            (made.binary_weights() * target).sum().backward()
            optimizer.step()

    target = torch.randn(8, 6, 3, 3, generator=torch.Generator().manual_seed(3))
    made, other = layer(), layer(seed=9)
    optimizers = [torch.optim.Adam(one.parameters(), 0.3) for one in (made, other)]
    steps(made, optimizers[0], PERIOD + 5)
    torch.save([made.state_dict(), optimizers[0].state_dict()], tmp_path / "state.pt")
    steps(made, optimizers[0], 2 * PERIOD)
    state, moments = torch.load(tmp_path / "state.pt", weights_only=True)
    other.load_state_dict(state)
    optimizers[1].load_state_dict(moments)
    steps(other, optimizers[1], 2 * PERIOD)
    assert all(torch.equal(tensor, other.state_dict()[key]) for key, tensor in made.state_dict().items())
    assert not torch.equal(made.scaling.codebook.latent, state["scaling.codebook.latent"])


def test_first_layers_and_other_kernels_are_free():
    torch.manual_seed(0)
    assert BinarizedConv2d(3, 4, 3, settings(), reads_signs=False).scaling.codebook is None
    assert BinarizedConv2d(3, 4, 1, settings()).scaling.codebook is None
    assert BinarizedLinear(9, 4, settings()).scaling.codebook is None
    assert BinarizedConv2d(3, 4, 3, settings()).scaling.codebook.latent.shape == (16, 9)
    plain = BinarizedConv2d(3, 4, 3, NetworkSettings(network="CNV_1W1A"))
    assert plain.scaling.codebook is None and plain.plain


def test_there_are_512_kernels():
    assert KERNELS == 512


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel_bits": 3}, "greater than or equal to 4"),
        ({"kernel_bits": 9}, "less than or equal to 8"),
        ({"network": "TFC_1W1A"}, "kernel_bits = 4 is for CNV and residual networks, not TFC_1W1A"),
        ({"network": "CNV_2W2A"}, "kernel_bits = 4 is for weights of 1 bit, not those of CNV_2W2A"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        settings(**changes)
