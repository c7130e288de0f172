from __future__ import annotations

import copy
import math

import pytest
import torch
from distill_tools import (
    attached,
    convolution,
    judge,
    judge_in_process,
    look,
    optimizer_of,
    perceptron,
    plain_view,
    run_steps,
)

from xnorflow.train.binarize.form import Form
from xnorflow.train.distill.adversarial import AdversarialTerm, condensed
from xnorflow.train.distill.config import Adversarial


def double(rows):
    return torch.tensor(rows, dtype=torch.float64)


def make(student, teacher, hidden=2, weights=None, **changes):
    """A term on one tap; ``weights`` are those of its discriminator, layer by layer."""
    torch.manual_seed(0)
    term = AdversarialTerm(Adversarial(hidden=hidden, **changes))
    term.attach(None, plain_view(features=[student], teacher_features=[teacher]))
    if weights is not None:
        state = term.get_extra_state()
        names = ["0.weight", "0.bias", "2.weight", "2.bias"]
        state["discriminators"] = [dict(zip(names, map(double, weights), strict=True))]
        term.set_extra_state(state)
    return term


# A discriminator of 2 -> 2 -> 1 and features that use both sides of the leaky ReLU.
WEIGHTS = ([[1.0, -2.0], [0.5, 1.0]], [0.25, -1.0], [[1.5, -0.5]], [0.125])
STUDENT, TEACHER = [[1.0, 2.0], [0.5, -1.0]], [[2.0, 0.5], [-1.0, 1.0]]


def raw(frame):
    """The discriminator's value before the sigmoid, and its slope in the frame."""
    rows, offsets, (last,), (offset,) = WEIGHTS
    sums = [sum(w * x for w, x in zip(row, frame, strict=True)) + b for row, b in zip(rows, offsets, strict=True)]
    slopes = [1.0 if value > 0 else 0.2 for value in sums]
    value = offset + sum(v * slope * total for v, slope, total in zip(last, slopes, sums, strict=True))
    gradient = [sum(v * slope * row[i] for v, slope, row in zip(last, slopes, rows, strict=True)) for i in (0, 1)]
    return value, gradient


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def test_the_generator_s_loss_and_gradient_are_the_formulae():
    features = double(STUDENT).requires_grad_()
    term = make(features, double(TEACHER), weights=WEIGHTS, warmup=0)
    loss = term(plain_view(features=[features], teacher_features=[double(TEACHER)]))
    loss.backward()
    expected = 0.0
    for frame, found in zip(STUDENT, features.grad.tolist(), strict=True):
        value, slope = raw(frame)
        share = sigmoid(value)
        expected += (1 - share) ** 2 / 2
        by_hand = [-2 * (1 - share) * share * (1 - share) * part / 2 for part in slope]  # -2 (1 - D) dD / frames
        assert found == pytest.approx(by_hand, rel=1e-12)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_taps_are_summed():
    features, teacher = [double(STUDENT), double(STUDENT)], [double(TEACHER), double(TEACHER)]
    torch.manual_seed(0)
    term = AdversarialTerm(Adversarial(hidden=3, warmup=0))
    both = plain_view(features=features, teacher_features=teacher)
    term.attach(None, both)
    state = term.get_extra_state()["discriminators"]
    total = 0.0
    for weights in state:
        single = make(features[0], teacher[0], hidden=3, warmup=0)
        single._discriminators[0].load_state_dict(weights)
        total += single(plain_view(features=features[:1], teacher_features=teacher[:1])).item()
    assert term(both).item() == pytest.approx(total, rel=1e-12)
    assert not torch.equal(state[0]["0.weight"], state[1]["0.weight"])


def test_gradients_are_those_of_finite_differences():
    generator = torch.Generator().manual_seed(0)
    maps, teacher = (torch.randn(3, 2, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    term = make(maps, teacher, hidden=5, warmup=0)
    assert torch.autograd.gradcheck(
        lambda values: term(plain_view(features=[values], teacher_features=[teacher])), (maps.requires_grad_(),)
    )


def test_the_discriminator_s_step_is_adam_s_on_the_logarithms():
    """The first step of Adam is the learning rate times the gradient's sign: here that of -log D(R) - log(1 - D(T))."""
    term = make(double(STUDENT), double(TEACHER), weights=WEIGHTS, warmup=0, learning_rate=0.01)
    term.after_step(plain_view(features=[double(STUDENT)], teacher_features=[double(TEACHER)]))
    # d/d(last bias) = mean(D(T)) - mean(1 - D(R))
    slope = (
        sum(sigmoid(raw(frame)[0]) for frame in STUDENT) / 2 - sum(1 - sigmoid(raw(frame)[0]) for frame in TEACHER) / 2
    )
    found = term.get_extra_state()["discriminators"][0]["2.bias"].item()
    assert found == pytest.approx(0.125 - math.copysign(0.01, slope), abs=1e-8)  # Adam's epsilon
    moment = term.get_extra_state()["optimizer"]["state"][3]["exp_avg"].item()
    assert moment == pytest.approx((1 - 0.5) * slope, rel=1e-12)  # beta_1 = 0.5
    square = term.get_extra_state()["optimizer"]["state"][3]["exp_avg_sq"].item()
    assert square == pytest.approx((1 - 0.999) * slope**2, rel=1e-9)  # 1 - 0.999 in float64


def test_the_discriminators_learn_to_tell_the_networks_apart(digits, teacher):
    student = perceptron()
    term = attached(AdversarialTerm(Adversarial(warmup=0, learning_rate=0.01)), student, digits, teacher)
    view = look(student, *digits, teacher)

    def objective():
        total = 0.0
        pairs = zip(view.features.values(), view.teacher_features.values(), strict=True)
        for judge_of, (fake, real) in zip(term._discriminators, pairs, strict=True):
            total += (judge_of(real).sigmoid().log() + (1 - judge_of(fake).sigmoid()).log()).mean().item()
        return total

    before = objective()
    for _ in range(40):
        term.after_step(view)
    assert objective() > before + 0.5


def test_the_student_s_step_lowers_the_loss_against_fixed_discriminators(digits, teacher):
    student = perceptron()
    term = attached(AdversarialTerm(Adversarial(warmup=0, learning_rate=0.01)), student, digits, teacher)
    view = look(student, *digits, teacher)
    for _ in range(40):
        term.after_step(view)
    losses = run_steps(student, term, optimizer_of(student, term), digits, teacher, after=False)
    assert losses[-1] < 0.5 * losses[0]


def test_the_student_s_optimizer_has_no_discriminator(digits, teacher):
    student = perceptron()
    term = attached(AdversarialTerm(Adversarial(warmup=0)), student, digits, teacher)
    assert not list(term.parameters())
    assert list(term.state_dict()) == ["_extra_state"]
    assert len(term.get_extra_state()["discriminators"]) == 2


def test_the_student_s_step_leaves_no_gradient_in_the_discriminators(digits, teacher):
    student = perceptron()
    term = attached(AdversarialTerm(Adversarial(warmup=0)), student, digits, teacher)
    before = copy.deepcopy(term.get_extra_state()["discriminators"])
    view = look(student, *digits, teacher)
    term(view).backward()
    parameters = [parameter for judge_of in term._discriminators for parameter in judge_of.parameters()]
    assert all(parameter.grad is None for parameter in parameters)
    assert student.features[2].weight.grad.abs().max() > 0
    for was, judge_of in zip(before, term._discriminators, strict=True):
        assert all(torch.equal(was[name], weights) for name, weights in judge_of.state_dict().items())


def test_the_discriminators_step_leaves_no_gradient_in_the_student(digits, teacher):
    student = perceptron()
    term = attached(AdversarialTerm(Adversarial(warmup=0)), student, digits, teacher)
    term.after_step(look(student, *digits, teacher))
    assert all(parameter.grad is None for parameter in student.parameters())
    assert all(parameter.grad is None for judge_of in term._discriminators for parameter in judge_of.parameters())


def test_neither_side_moves_in_warm_up():
    term = make(double(STUDENT), double(TEACHER), weights=WEIGHTS, warmup=0.5)
    for progress, works in ((0.0, False), (0.49, False), (0.5, True)):
        before = copy.deepcopy(term.get_extra_state())
        logits = torch.ones(2, 3, requires_grad=True)
        view = plain_view(logits, [double(STUDENT)], teacher_features=[double(TEACHER)], progress=progress)
        loss = term(view)
        term.after_step(view)
        assert (loss.item() > 0) is works
        assert bool(term.get_extra_state()["optimizer"]["state"]) is works
        after = term.get_extra_state()["discriminators"][0]
        assert all(torch.equal(after[name], value) for name, value in before["discriminators"][0].items()) is not works
        if not works:
            loss.backward()  # it may be the only term
            assert logits.grad.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_features_are_condensed_to_512():
    generator = torch.Generator().manual_seed(0)
    small, wide = torch.randn(2, 8, 8, 8, generator=generator), torch.randn(2, 16, 8, 8, generator=generator)
    assert torch.equal(condensed(small), small.flatten(1))
    assert torch.equal(condensed(wide), wide.flatten(2).mean(2))
    neurons = torch.arange(1024.0).expand(3, -1)
    assert condensed(neurons).tolist() == [[2 * index + 0.5 for index in range(512)]] * 3
    uneven = torch.arange(1101.0).unsqueeze(0)  # 367 groups of 3
    assert condensed(uneven).tolist() == [[3 * index + 1.0 for index in range(367)]]
    last_alone = torch.arange(1025.0).unsqueeze(0)  # 341 groups of 3, and one of 2
    assert condensed(last_alone)[0, -1].item() == (1023 + 1024) / 2
    assert torch.equal(condensed(torch.arange(512.0).unsqueeze(0)), torch.arange(512.0).unsqueeze(0))
    assert condensed(torch.randn(2, 1024, 3, 3, generator=generator)).shape == (2, 512)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_the_teacher_may_compute_in_any_type(kind):
    student, teacher = torch.tensor(STUDENT), torch.tensor(TEACHER)
    states = []
    for features in (teacher, teacher.to(kind)):
        term = make(student, features, warmup=0)
        term.after_step(plain_view(features=[student], teacher_features=[features]))
        states.append(term.get_extra_state()["discriminators"][0])
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def continued(digits, teacher, path=None):
    """Train for 12 steps; with a path, as two processes would, the second loading what the first saved after 6."""
    student = perceptron()
    term = attached(AdversarialTerm(Adversarial(warmup=0.1, learning_rate=0.01)), student, digits, teacher)
    optimizer = optimizer_of(student, term)
    losses = run_steps(student, term, optimizer, digits, teacher, range(6), 12)
    if path is not None:
        torch.save([part.state_dict() for part in (student, term, optimizer)], path)
        student = perceptron(seed=5)
        term = attached(AdversarialTerm(Adversarial(warmup=0.1, learning_rate=0.01)), student, digits, teacher)
        optimizer = optimizer_of(student, term)
        for part, state in zip((student, term, optimizer), torch.load(path, weights_only=True), strict=True):
            part.load_state_dict(state)
    losses += run_steps(student, term, optimizer, digits, teacher, range(6, 12), 12)
    return losses, term.get_extra_state(), student.state_dict()


def test_a_resumed_training_continues_bit_for_bit(digits, teacher, tmp_path):
    losses, extra, weights = continued(digits, teacher)
    resumed_losses, resumed_extra, resumed_weights = continued(digits, teacher, tmp_path / "state.pt")
    assert resumed_losses == losses
    assert all(torch.equal(resumed_weights[name], value) for name, value in weights.items())
    for mine, other in zip(extra["discriminators"], resumed_extra["discriminators"], strict=True):
        assert all(torch.equal(mine[name], other[name]) for name in mine)
    moments, resumed = extra["optimizer"]["state"], resumed_extra["optimizer"]["state"]
    assert all(torch.equal(moments[index][key], resumed[index][key]) for index in moments for key in moments[index])


def test_a_loaded_state_is_not_written_to():
    student, teacher = double(STUDENT), double(TEACHER)
    view = plain_view(features=[student], teacher_features=[teacher])
    first, second = make(student, teacher, warmup=0), make(student, teacher, warmup=0)
    first.after_step(view)
    state = copy.deepcopy(first.state_dict())
    second.load_state_dict(state)
    for _ in range(3):
        second.after_step(view)
    assert state["_extra_state"]["optimizer"]["state"][0]["step"].item() == 1
    assert torch.equal(state["_extra_state"]["discriminators"][0]["0.weight"],
                       first.get_extra_state()["discriminators"][0]["0.weight"])  # fmt: skip


def test_the_same_seed_makes_the_same_discriminators(digits, teacher):
    states = []
    for _ in range(2):
        student = perceptron(seed=3)
        term = attached(AdversarialTerm(Adversarial()), student, digits, teacher)
        states.append(term.get_extra_state()["discriminators"][0]["0.weight"])
    assert torch.equal(*states)


def test_maps_of_a_convolution_are_judged(digits):
    student, teacher = convolution(0), convolution(1, form=Form.FLOAT)
    term = attached(AdversarialTerm(Adversarial(warmup=0)), student, digits, teacher)
    assert [judge_of[0].in_features for judge_of in term._discriminators] == [4 * 36, 6 * 16]
    assert run_steps(student, term, optimizer_of(student, term), digits, teacher, range(2))[0] > 0


def test_processes_that_share_a_batch_train_the_same_discriminators(tmp_path):
    generator = torch.Generator().manual_seed(0)
    features = [torch.randn(8, 3, generator=generator, dtype=torch.float64) for _ in range(2)]
    torch.manual_seed(0)
    alone = judge(*features)
    context = torch.multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        results = manager.dict()
        torch.multiprocessing.spawn(judge_in_process, (2, str(tmp_path / "store"), features, results), nprocs=2)
        found = dict(results)
    assert found[0] == found[1]
    for mine, one in zip(found[0], alone, strict=True):
        # The mean of two halves' gradients rounds otherwise than that of the whole.
        torch.testing.assert_close(double(mine), double(one), rtol=1e-9, atol=1e-12)
