"""From strokes to pixels: size and place of a drawing do not matter, and images look like those of the data sets."""

import numpy as np
import pytest
from drawn_digits import strokes_of, strokes_of_image

from xnorflow.flow.strokes import draw_strokes, pen_for

SIDES = pytest.mark.parametrize("side", [8, 28])


@SIDES
@pytest.mark.parametrize("digit", range(10))
def test_size_and_place_do_not_matter(side, digit):
    """Halving and moving by powers of two is exact in floats."""
    strokes = strokes_of(digit)
    image = draw_strokes(strokes, pen_for(side))
    assert image.shape == (side, side) and image.dtype == np.float32
    assert image.min() >= 0 and image.max() == 1
    moved = [stroke / 2 + (0.25, 0.125) for stroke in strokes]
    np.testing.assert_array_equal(draw_strokes(moved, pen_for(side)), image)
    np.testing.assert_array_equal(draw_strokes(strokes[::-1], pen_for(side)), image)
    backwards = [stroke[::-1] for stroke in strokes]
    np.testing.assert_allclose(draw_strokes(backwards, pen_for(side)), image, atol=2 / 64)  # rounding at the very edge


@pytest.mark.parametrize("digit", range(10))
def test_in_28_pixels_a_digit_is_as_mnist_has_it(digit):
    image = draw_strokes(strokes_of(digit), pen_for(28)).astype(np.float64)
    rows, columns = np.flatnonzero(image.sum(axis=1) > 0.1), np.flatnonzero(image.sum(axis=0) > 0.1)
    assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
    middle = np.arange(28) + 0.5
    center = np.array([image.sum(axis=0) @ middle, image.sum(axis=1) @ middle]) / image.sum()
    assert np.abs(center - 14).max() < 1 / 8  # a sub-pixel


@pytest.mark.parametrize("digit", range(10))
def test_in_8_pixels_a_digit_fills_the_image(digit):
    image = draw_strokes(strokes_of(digit), pen_for(8))
    assert image[0].max() > 0.4 and image[-1].max() > 0.4


def test_a_line_is_as_wide_as_the_pen():
    image = draw_strokes([np.array([[0.3, 0.1], [0.3, 0.9]])], pen_for(28))
    np.testing.assert_allclose(image[14].sum(), 3.0, atol=1 / 8)
    assert image[14, 14] == image[14, 13] == 1 and image[14, :12].max() == image[14, 16:].max() == 0


@SIDES
@pytest.mark.parametrize("points", [[[0.5, 0.5]], [[0.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]])
def test_a_dot_stays_one(side, points):
    image = draw_strokes([np.array(points)], pen_for(side))
    pen = pen_for(side)
    assert image.sum() == pytest.approx(np.pi * (pen.width / 2) ** 2, rel=0.1)
    assert image[side // 2, side // 2] == image.max() > 0.3


def test_a_drawing_of_an_image_has_its_pixels():
    image = np.zeros((4, 4))
    image[1, 0:3] = image[3, 3] = 1
    assert [stroke.tolist() for stroke in strokes_of_image(image)] == [
        [[0.125, 0.375], [0.625, 0.375]], [[0.875, 0.875], [0.875, 0.875]]
    ]  # fmt: skip
