"""Copies of a pixel: along its channels, and for a whole map."""

from __future__ import annotations

import numpy as np
import pytest
from units import PART, check, unit

from xnorflow.artifact.errors import GenerateError
from xnorflow.cycles.machines import Repeat
from xnorflow.lower.cycle_graph import machines_of


def repeat(pixels, output, **attributes):
    """Return a model of one operator over ``pixels`` of 6 values of 3 bits, and the operator."""
    return unit(
        "ChannelRepeat", {"x": ([*pixels, 6], "UINT3")}, output, NumChannels=6, PE=2, numInputVectors=pixels,
        inputDataType="UINT3", outputDataType="UINT3", **attributes,
    )  # fmt: skip


def test_channels_are_repeated_pixel_by_pixel(tmp_path):
    model, operator = repeat([1, 2, 2], [1, 2, 2, 18], Times=3)
    frames = {"x": np.random.default_rng(1).integers(0, 8, (6, 1, 2, 2, 6))}
    found = check(model, operator, frames, tmp_path)
    np.testing.assert_array_equal(found, np.tile(frames["x"], 3).reshape(6, -1))


def test_a_pixel_is_copied_to_every_place_of_a_map(tmp_path):
    model, operator = repeat([1, 1, 1], [1, 3, 5, 6], OutputPixels=[3, 5])
    assert operator.times() == 15 and operator.get_exp_cycles() == 15 * 3
    assert operator.get_normal_output_shape() == (1, 3, 5, 6)
    assert operator.get_folded_output_shape() == (1, 3, 5, 3, 2)
    assert machines_of(model, model.graph.node[0], operator) == [Repeat(3, 15)]
    frames = {"x": np.random.default_rng(2).integers(0, 8, (6, 1, 1, 1, 6))}
    found = check(model, operator, frames, tmp_path)
    np.testing.assert_array_equal(found, np.tile(frames["x"].reshape(6, -1), 15))


def test_the_largest_map_costs_a_longer_counter_only():
    small, large = (repeat([1, 1, 1], [1, size, size, 6], OutputPixels=[size, size])[1] for size in (2, 256))
    assert large.times() == 65536
    assert 0 < large.lut_estimation(PART) - small.lut_estimation(PART) <= 8


@pytest.mark.parametrize(("pixels", "attributes"), [
    ([1, 1, 1], {"Times": 1}), ([1, 1, 1], {"OutputPixels": [1, 1]}), ([1, 1, 1], {"OutputPixels": [6]}),
    ([1, 2, 1], {"OutputPixels": [2, 3]}),
])  # fmt: skip
def test_copies_that_no_module_makes(tmp_path, pixels, attributes):
    model, operator = repeat(pixels, [1, 2, 3, 6], **attributes)
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    with pytest.raises(GenerateError, match=r"node unit: Times=\d+, OutputPixels=\[.*\] of .* pixels; allowed: at lea"):
        operator.generate_hdl(model, PART, 10.0)
