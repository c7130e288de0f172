"""``settings.json``: an accelerator as FINN's own driver, the package finn-plus-driver, wants it described."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xnorflow.artifact.files import write_json
from xnorflow.deploy.board import Engine
from xnorflow.deploy.pynq_board import CELLS

if TYPE_CHECKING:
    from xnorflow.artifact.host import HostCodec
    from xnorflow.artifact.memory_frames import MemoryFrame
    from xnorflow.deploy.overlay import OverlayDescription

__all__ = ["SETTINGS", "finn_settings", "write_finn_settings"]

SETTINGS = "settings.json"


def write_finn_settings(description: OverlayDescription, codec: HostCodec, folder: Path) -> None:
    """Write ``settings.json``; see :func:`finn_settings`."""
    write_json(folder / SETTINGS, finn_settings(description, codec))


def finn_settings(description: OverlayDescription, codec: HostCodec) -> dict[str, Any]:
    """Return what finn-plus-driver reads, with shapes of a batch of one.

    The driver takes and returns the accelerator's own integers: quantizing images before and decoding sums afterwards
    is the host's part, which it does not know.

    Args:
        description: of the accelerator.
        codec: that knows in which order the elements of an image travel.
    """
    inputs, outputs = _port(description.source), _port(description.sink)
    shapes = {
        **{f"i{key}" if key == "dt" else f"ishape_{key}": [value] for key, value in inputs.items()},
        **{f"o{key}" if key == "dt" else f"oshape_{key}": [value] for key, value in outputs.items()},
        "idma_names": [CELLS[Engine.READ]],
        "odma_names": [CELLS[Engine.WRITE]],
        "num_inputs": 1,
        "num_outputs": 1,
        "number_of_external_weights": 0,
        "external_weights_input_shapes": {},
    }
    shapes["ishape_normal"] = [[1, *_travelling_shape(codec, description.input.elements)]]
    information = {
        "driver_type": "FINNDMAOverlay",
        "platform": "zynq-iodma",
        "io_shape_dict": shapes,
        "external_weights": False,
        "runtime_weights": False,
        "fclk_mhz": 1e3 / description.clock_ns,
    }
    return {"driver_information": information, "experiment_information": {}}


def _port(frame: MemoryFrame) -> dict[str, Any]:
    """Return datatype and shapes of a port; a frame without gaps in memory is one piece, else its beats are."""
    stream = frame.stream
    folded = (1, stream.elements) if frame.dense else (stream.beats, stream.per_beat)
    return {
        "dt": f"DataType['{stream.datatype}']",
        "normal": [1, stream.elements],
        "folded": [1, *folded],
        "packed": [1, folded[0], frame.frame_bytes // folded[0]],
    }


def _travelling_shape(codec: HostCodec, elements: int) -> tuple[int, ...]:
    """Return the shape of a frame as it travels: (height, width, channels) of maps, else a vector."""
    if codec.order is not None and len(codec.input_shape) == 3:
        by_pixel = np.arange(elements).reshape(codec.input_shape).transpose(1, 2, 0)
        if np.array_equal(codec.order, by_pixel.ravel()):
            return by_pixel.shape
    return (elements,)
