"""``settings.json``: what FINN's driver reads."""

import json

import numpy as np
import pytest

from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.streams import StreamSpec
from xnorflow.deploy.finn_settings import finn_settings
from xnorflow.deploy.overlay import HOST, OverlayDescription


def describe(source, sink):
    return OverlayDescription("net", "ZCU104", "xczu7ev", 5.0, 10, 20, 64, source, sink, ("a",) * 3, "")


def codec(shape, order):
    empty = np.zeros(0, np.float32)
    return HostCodec(shape, "UINT2", empty, np.zeros(0, np.int64), 1, 0, 0, empty.reshape(0, 0), True, order)


def test_the_deployed_file(deployed):
    folder = deployed / "deploy"
    found = json.loads((folder / "settings.json").read_text())
    description = OverlayDescription.load(folder)
    assert found == json.loads(json.dumps(finn_settings(description, HostCodec.load(folder / HOST))))
    shapes = found["driver_information"]["io_shape_dict"]
    assert (shapes["idma_names"], shapes["odma_names"]) == (["idma0"], ["odma0"])
    for side, frame in (("i", description.source), ("o", description.sink)):
        assert np.prod(shapes[f"{side}shape_packed"][0]) == frame.frame_bytes
        assert np.prod(shapes[f"{side}shape_folded"][0]) == np.prod(shapes[f"{side}shape_normal"][0])


@pytest.mark.parametrize(("per_beat", "folded", "packed"), [(4, [1, 1, 12], [1, 1, 3]), (6, [1, 1, 12], [1, 1, 3])])
def test_frames_without_gaps_are_one_piece(per_beat, folded, packed):
    stream = StreamSpec("in0_V", "UINT2", 2, 12, per_beat)
    settings = finn_settings(describe(stream, stream), codec((12,), None))
    shapes = settings["driver_information"]["io_shape_dict"]
    assert (shapes["ishape_folded"], shapes["ishape_packed"]) == ([folded], [packed])
    assert settings["driver_information"]["fclk_mhz"] == 200


def test_frames_with_gaps_are_beats():
    stream = StreamSpec("out0_V", "INT9", 9, 10, 1)
    shapes = finn_settings(describe(stream, stream), codec((10,), None))["driver_information"]["io_shape_dict"]
    assert (shapes["oshape_folded"], shapes["oshape_packed"]) == ([[1, 10, 1]], [[1, 10, 2]])
    assert shapes["odt"] == ["DataType['INT9']"]


@pytest.mark.parametrize(("swapped", "shape"), [(False, [1, 4, 5, 3]), (True, [1, 60])])
def test_maps_travel_pixel_by_pixel(swapped, shape):
    """Their shape is that of FINN's maps; an order that is none of pixels leaves a vector."""
    order = np.arange(60).reshape(3, 4, 5).transpose(1, 2, 0).ravel()
    if swapped:
        order[[0, 1]] = order[[1, 0]]
    stream = StreamSpec("in0_V", "UINT2", 2, 60, 3)
    shapes = finn_settings(describe(stream, stream), codec((3, 4, 5), order))["driver_information"]["io_shape_dict"]
    assert [list(one) for one in shapes["ishape_normal"]] == [shape]
