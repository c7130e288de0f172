"""Every way to fold a layer, with its streams, cycles and cost by the layer's own RTL operator."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from xnorflow.lower.folding import MVAUS, divisors, hardware_layers, has_windows, sizes_of

__all__ = ["Layer", "LayerOption", "converter_luts", "fifo_depth", "layer_options"]


Settings = dict[str, int | str]


@dataclass(frozen=True)
class LayerOption:
    """A layer with one folding.

    Args:
        settings: PE, SIMD, parallel_window, M, ram_style and resType, those of them that the layer has.
        bits_in: bits of a beat of each stream in :attr:`Layer.inputs`.
        bits_out: bits of a beat of each stream in :attr:`Layer.outputs`.
        cycles: a frame.
        luts: estimated LUTs, those of the FIFO in front of it included.
        bram18: estimated 18 Kib blocks, likewise.
        dsp: estimated DSP multipliers.
    """

    settings: Settings
    bits_in: tuple[int, ...]
    bits_out: tuple[int, ...]
    cycles: int
    luts: int
    bram18: int
    dsp: int = 0


@dataclass(frozen=True)
class Layer:
    """A layer with all its foldings.

    Args:
        inputs: streams that come from other layers, by name.
        outputs: streams that go to other layers.
        options: its foldings.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: tuple[LayerOption, ...]


def fifo_depth(mw: int, simd: int) -> int:
    """Return the depth of the FIFO in front of a matrix unit that is not the first layer: a product's inputs.

    That is what it gets in a chain of matrix units. With windows or branches the depth is found once the folding is
    there, and this stands for it in estimates. FINN leaves FIFOs of two beats and fewer out; three is the least.
    """
    return max(mw // simd, 3)


@cache
def converter_luts(before: int, after: int) -> int:
    """Return the LUTs of the width converter from ``before`` to ``after`` bits: 0 where they are equal."""
    from xnorflow.ops.width_converter import width_converter_luts  # loads FINN, which must be prepared first

    return 0 if before == after else width_converter_luts(before, after)


def layer_options(model: Any, part: str, *, together: bool = True, multipliers: bool = True) -> list[Layer]:
    """Return each layer with its foldings, in stream order.

    Args:
        model: ModelWrapper of abstract hardware layers; every stream has one reader.
        part: FPGA part, for the estimates.
        together: whether M may be more than 1.
        multipliers: whether first layers may be computed by DSP multipliers.
    """
    nodes = [node for node, _ in hardware_layers(model)]
    written = {name for node in nodes for name in node.output}
    read = {name for node in nodes for name in node.input}
    layers = []
    for position, (node, operator) in enumerate(_rtl_copies(nodes)):
        sources = [index for index, name in enumerate(node.input) if name in written]
        sinks = [index for index, name in enumerate(node.output) if name in read]
        with_fifo = node.op_type in MVAUS and position > 0
        sizes = {key: int(operator.get_nodeattr(size)) for key, size in sizes_of(node).items()}
        foldings = itertools.product(*map(divisors, sizes.values()))
        kinds = _kinds(operator) if multipliers else ({},)
        settings = [
            one for values in foldings for kind in kinds
            for one in _variants(operator, {**dict(zip(sizes, values, strict=True)), **kind})
            if together or one.get("M", 1) == 1
        ]  # fmt: skip
        options = tuple(_option(operator, one, part, sources, sinks, with_fifo=with_fifo) for one in settings)
        names = tuple(node.input[index] for index in sources), tuple(node.output[index] for index in sinks)
        layers.append(Layer(*names, options))
    return layers


def _kinds(operator: Any) -> tuple[Settings, ...]:
    """Return what computes a layer: of a first layer LUTs or DSP multipliers."""
    if operator.onnx_node.op_type != "BinaryWeightMVAU_rtl" or not operator.multipliers().fits:
        return ({},)
    return {"resType": "lut"}, {"resType": "dsp"}


def _variants(operator: Any, folding: Settings) -> Iterator[Settings]:
    """Yield a folding with each choice that there is beside it: whole windows, several of them, memories of weights."""
    choices: list[Settings] = [{}]
    if operator.onnx_node.op_type == "SlidingWindow_rtl":
        choices = [{"parallel_window": 0}]
        if operator.can_be_parallel() and folding["SIMD"] == operator.window().channels:
            choices.append({"parallel_window": 1})
    elif "ram_style" in operator.get_nodeattr_types():
        _set(operator, folding)
        choices = [{"ram_style": style} for style in operator.shape().ram_styles]
    for choice in choices:
        for windows in _windows(operator, {**folding, **choice}) if has_windows(operator) else [None]:
            yield {**folding, **choice} if windows is None else {**folding, **choice, "M": windows}


def _set(operator: Any, settings: Mapping[str, int | str]) -> None:
    for key, value in settings.items():
        operator.set_nodeattr(key, value)


def _windows(operator: Any, settings: Settings) -> list[int]:
    """Return the M to choose from: 1 where nothing is shared, as with weights that are constants in the logic."""
    if "parallel_window" in settings:
        together = settings["parallel_window"] == 1
    else:
        from xnorflow.ops.xnor_cost import CONSTANT_WORDS  # loads FINN, which must be prepared first

        _set(operator, settings)
        shape = operator.shape()
        together = shape.counted and shape.cycles > CONSTANT_WORDS
    return divisors(operator.pixels_of_a_row()) if together else [1]


def _rtl_copies(nodes: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each node with its RTL operator, which works on a copy."""
    from onnx import NodeProto
    from qonnx.custom_op.registry import getCustomOp

    for node in nodes:
        copy = NodeProto()
        copy.CopyFrom(node)
        copy.op_type, copy.domain = f"{node.op_type}_rtl", f"{node.domain}.rtl"
        yield node, getCustomOp(copy)


def _option(
    operator: Any, settings: Settings, part: str, sources: list[int], sinks: list[int], *, with_fifo: bool
) -> LayerOption:
    _set(operator, settings)
    luts, bram18 = operator.lut_estimation(part), operator.bram_estimation(part)
    # Where a beat holds whole windows, what waits does so in front of the sliding window, pixel by pixel.
    if with_fifo and settings.get("M", 1) == 1:
        from xnorflow.ops.bounded_fifo import fifo_luts

        luts += fifo_luts(operator.get_instream_width(), fifo_depth(operator.shape().mw, operator.shape().simd))
    bits_in = tuple(int(operator.get_instream_width(index)) for index in sources)
    bits_out = tuple(int(operator.get_outstream_width(index)) for index in sinks)
    return LayerOption(
        settings, bits_in, bits_out, int(operator.get_exp_cycles()), math.ceil(luts), math.ceil(bram18),
        operator.dsp_estimation(part),
    )  # fmt: skip
