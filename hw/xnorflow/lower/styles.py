"""RTL or HLS, layer by layer: FINN's ``preferred_impl_style`` from a folding file."""

from __future__ import annotations

import math
from typing import Any

from xnorflow.artifact.errors import ConfigError
from xnorflow.lower.config import Backend, BuildSettings
from xnorflow.lower.folding import folding_of, hardware_layers, read_folding

__all__ = ["asks_for_hls", "folding_with_styles", "has_hls", "set_styles", "with_frames_at_joins"]

KEY = "preferred_impl_style"
STYLES = ("", "rtl", "hls")
"""FINN's ``preferred_impl_style``; empty: RTL where there is any."""


def asks_for_hls(folding: dict[str, dict[str, Any]]) -> bool:
    """Tell whether a folding has a layer in HLS."""
    return any(attributes.get(KEY) == "hls" for attributes in folding.values())


def has_hls(settings: BuildSettings) -> bool:
    """Tell whether layers will be in HLS.

    Raises:
        ConfigError: the folding file cannot be read.
    """
    if settings.backend is Backend.AUTO and settings.folding is not None:
        return asks_for_hls(read_folding(settings.folding))
    return settings.backend is Backend.HLS


def with_frames_at_joins(model: Any, depths: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """Return depths of FIFOs with room for a frame in front of each input of a layer that joins streams.

    How many beats a layer in HLS holds is not known, and depths found for the RTL rest on what its modules hold. With
    a frame at every join no branch starves another: a frame whose beats have all left a fork needs nothing more from
    it, and until they have, no FIFO behind it is full.

    Args:
        model: a qonnx ModelWrapper, folded, with width converters.
        depths: by node and number of the input.
    """
    result = dict(depths)
    for node, operator in hardware_layers(model):
        streams = [name for name in node.input if model.get_initializer(name) is None]
        for index in range(len(streams) if len(streams) > 1 else 0):
            beats = math.prod(int(size) for size in operator.get_folded_input_shape(index)[:-1])
            result[node.name, index] = max(beats, result.get((node.name, index), 0))
    return result


def set_styles(model: Any, folding: dict[str, dict[str, Any]]) -> None:
    """Give layers the ``preferred_impl_style`` of a folding, for FINN's SpecializeLayers; FIFOs are always RTL.

    Layers that are not in the graph are passed over: after ``set_folding`` these are inserted ones of another build.

    Raises:
        ConfigError: a style that there is not.
    """
    for node, operator in hardware_layers(model):
        style = folding.get(node.name, {}).get(KEY, "")
        legal = STYLES[:2] if node.op_type == "BoundedFIFO" else STYLES
        if style not in legal:
            raise ConfigError(
                f"folding file, layer {node.name}, {KEY}", f"{style!r}", ", ".join(repr(one) for one in legal),
                "choose one of these",
            )  # fmt: skip
        operator.set_nodeattr(KEY, style)


def folding_with_styles(model: Any) -> dict[str, dict[str, Any]]:
    """Return the folding of a specialized graph, and which layers are in HLS."""
    styles = {node.name: {KEY: "hls"} for node, _ in hardware_layers(model) if node.op_type.endswith("_hls")}
    return {name: {**fold, **styles.get(name, {})} for name, fold in folding_of(model).items()}
