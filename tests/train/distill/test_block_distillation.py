from __future__ import annotations

import pytest
import torch
from distill_tools import plain_view
from torch.autograd import gradcheck

from xnorflow.train.distill.block_distillation import LEAST_VARIANCE, BlockDistillationTerm
from xnorflow.train.distill.config import BlockDistance, BlockDistillation

TERM = BlockDistillationTerm(BlockDistillation())
# Two blocks of two frames: errors and teacher's energies by hand.
STUDENT = [[[1.0, 2.0], [0.0, 3.0]], [[2.0], [1.0]]]
TEACHER = [[[2.0, 0.0], [4.0, 3.0]], [[1.0], [4.0]]]
EXPECTED = ((1 + 4) / 4 + 16 / 25) / 2 + (1 / 1 + 9 / 16) / 2


def double(rows):
    return [torch.tensor(row, dtype=torch.float64) for row in rows]


def test_it_is_the_formula():
    loss = TERM(plain_view(features=double(STUDENT), teacher_features=double(TEACHER)))
    assert loss.item() == pytest.approx(EXPECTED, rel=1e-12)


def test_maps_count_like_the_same_numbers_in_a_row():
    student = [values.view(2, 2, 1, 1) if values.shape[1] == 2 else values for values in double(STUDENT)]
    teacher = [values.view(2, 2, 1, 1) if values.shape[1] == 2 else values for values in double(TEACHER)]
    assert TERM(plain_view(features=student, teacher_features=teacher)).item() == pytest.approx(EXPECTED, rel=1e-12)


def test_the_gradient_is_the_closed_form():
    student = [values.requires_grad_() for values in double(STUDENT)]
    TERM(plain_view(features=student, teacher_features=double(TEACHER))).backward()
    # 2 (S - O) / |O|^2 / frames
    assert student[0].grad.flatten().tolist() == pytest.approx([-1 / 4, 2 / 4, -4 / 25, 0], rel=1e-12)
    assert student[1].grad.flatten().tolist() == pytest.approx([1 / 1, -3 / 16], rel=1e-12)


def test_gradients_are_those_of_finite_differences():
    inputs = [values.requires_grad_() for values in double(STUDENT)]
    teacher = double(TEACHER)
    assert gradcheck(lambda *student: TERM(plain_view(features=list(student), teacher_features=teacher)), inputs)


def test_it_is_0_without_gradient_where_the_blocks_agree():
    student = [values.requires_grad_() for values in double(TEACHER)]
    loss = TERM(plain_view(features=student, teacher_features=double(TEACHER)))
    loss.backward()
    assert loss.item() == 0
    assert all(values.grad.abs().max() == 0 for values in student)


def test_two_halves_of_a_batch_give_the_mean_of_it():
    def half(row):
        return plain_view(
            features=[values[row : row + 1] for values in double(STUDENT)],
            teacher_features=[values[row : row + 1] for values in double(TEACHER)],
        )

    assert ((TERM(half(0)) + TERM(half(1))) / 2).item() == pytest.approx(EXPECTED, rel=1e-12)


def test_a_silent_teacher_is_no_division_by_0():
    student = torch.full((1, 4), 1e-3, requires_grad=True)
    loss = TERM(plain_view(features=[student], teacher_features=[torch.zeros(1, 4)]))
    loss.backward()
    assert loss.item() == pytest.approx(1.0, rel=1e-6)  # 1e-6 / 1e-6 in float32
    assert student.grad.isfinite().all()


def test_it_is_switched_off_from_until_on():
    term = BlockDistillationTerm(BlockDistillation(until=0.25))
    for progress, expected in ((0.0, EXPECTED), (0.24, EXPECTED), (0.25, 0.0), (0.9, 0.0)):
        logits = torch.ones(2, 3, requires_grad=True)
        view = plain_view(logits, double(STUDENT), teacher_features=double(TEACHER), progress=progress)
        loss = term(view)
        assert loss.item() == pytest.approx(expected, rel=1e-12)
        if expected == 0:
            loss.backward()  # it may be the only term
            assert logits.grad.tolist() == [[0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_the_teacher_may_compute_in_any_type(kind):
    student = [values.float() for values in double(STUDENT)]
    expected = TERM(plain_view(features=student, teacher_features=[values.float() for values in double(TEACHER)]))
    found = TERM(plain_view(features=student, teacher_features=[values.to(kind) for values in double(TEACHER)]))
    assert torch.equal(found, expected)


# Two frames of two channels of two pixels. Channel 0: values 1, 3, 1, 3 against 0, 4, 0, 4, the same course; channel 1:
# 0, 0, 2, 2 against 0, 2, 0, 2, no correlation. Both by the deviation that 0.01 makes larger.
STANDARDIZED = BlockDistillationTerm(BlockDistillation(distance=BlockDistance.STANDARDIZED))
OWN_MAPS = torch.tensor([[[1.0, 3.0], [0.0, 0.0]], [[1.0, 3.0], [2.0, 2.0]]], dtype=torch.float64)
TEACHERS_MAPS = torch.tensor([[[0.0, 4.0], [0.0, 2.0]], [[0.0, 4.0], [0.0, 2.0]]], dtype=torch.float64)
ALIKE = (2 / 4.01**0.5 - 1 / 1.01**0.5) ** 2
UNLIKE = (4 + 0) / 2 / 1.01  # two of four values agree in sign, the others are 2 / sqrt(1.01) apart


def standardized(student, teacher=TEACHERS_MAPS):
    return STANDARDIZED(plain_view(features=[student], teacher_features=[teacher]))


def test_the_standardized_distance_is_the_formula():
    assert standardized(OWN_MAPS).item() == pytest.approx((ALIKE + UNLIKE) / 2, rel=1e-12)


def test_the_standardized_distance_knows_nothing_of_means():
    shifts = torch.tensor([5.0, -3.0], dtype=torch.float64).view(1, 2, 1)
    assert standardized(OWN_MAPS + shifts).item() == pytest.approx(standardized(OWN_MAPS).item(), rel=1e-12)


def test_features_come_closer_by_shrinking_in_the_relative_distance_alone():
    wide = OWN_MAPS * 50
    relative = [TERM(plain_view(features=[values], teacher_features=[-wide])).item() for values in (wide, wide / 2)]
    assert relative == pytest.approx([4, 2.25], rel=1e-12)
    assert [standardized(values).item() for values in (wide, wide / 2)] == pytest.approx([1, 1], rel=0.01)
    assert [standardized(values, -wide).item() for values in (wide, wide / 2)] == pytest.approx([4, 4], rel=0.01)


def test_gradients_of_the_standardized_distance_are_those_of_finite_differences():
    assert gradcheck(standardized, [OWN_MAPS.clone().requires_grad_()])


def test_a_channel_that_never_varies_has_no_steep_slope():
    student = torch.zeros_like(OWN_MAPS).requires_grad_()
    standardized(student).backward()
    assert student.grad.abs().max() <= 2 * 2 / 8 / LEAST_VARIANCE**0.5  # |o| of at most 2, 8 values
