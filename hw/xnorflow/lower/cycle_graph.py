"""A lowered graph as the cycle model's machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from xnorflow.artifact.design import kind_of
from xnorflow.cycles.graph import INPUT, OUTPUT, Graph
from xnorflow.cycles.machines import (
    Add,
    Argmax,
    Dwc,
    Fifo,
    Fork,
    Gate,
    Machine,
    Mvau,
    Pool,
    Repeat,
    Requantize,
    Swg,
    SwgParallel,
)
from xnorflow.lower.folding import MVAUS
from xnorflow.ops.output_buffer import OUTPUT_DEPTH

__all__ = ["CycleLayers", "deepened", "read_layers", "stream_channels"]


@dataclass(frozen=True)
class CycleLayers:
    """The layers of a graph as the cycle model knows them, without any FIFOs but those that it has.

    Args:
        chains: for each layer its machines in series, by name; none where it is wires.
        takes: for each layer the layers whose streams it takes, or ``INPUT``, in the order of its inputs.
        last: the layer whose stream goes out.
        frame_beats: beats of a frame coming in.
    """

    chains: dict[str, dict[str, Machine]]
    takes: dict[str, tuple[str, ...]]
    last: str
    frame_beats: int

    def graph(self, fifos: Mapping[tuple[str, int], int] | None = None) -> Graph:
        """Return machines and the streams between them.

        Args:
            fifos: depths of FIFOs to put in front of inputs, by layer and number of the input, 0 for none; they are
                called ``<layer>.in<number>``.
        """
        machines: dict[str, Machine] = {}
        edges: list[tuple[str, str]] = []
        ends = {INPUT: INPUT}
        for name, chain in self.chains.items():
            machines |= chain
            edges += list(pairwise(chain))
            for index, source in enumerate(self.takes[name]):
                end, depth = ends[source], (fifos or {}).get((name, index), 0)
                if depth:
                    fifo = f"{name}.in{index}"
                    machines[fifo] = Fifo(depth)
                    edges.append((end, fifo))
                    end = fifo
                if chain:
                    edges.append((end, next(iter(chain))))
            ends[name] = next(reversed(chain)) if chain else end
        return Graph(machines, (*edges, (ends[self.last], OUTPUT)), self.frame_beats)


def read_layers(model: Any, *, convert_widths: bool = False) -> CycleLayers:
    """Read the hardware layers of a graph.

    Args:
        model: a qonnx ModelWrapper, folded; width converters inserted or not yet needed.
        convert_widths: whether to add the width converters that will be inserted, ``<layer>_dwc<input>``.
    """
    from qonnx.custom_op.registry import getCustomOp

    chains: dict[str, dict[str, Machine]] = {}
    takes: dict[str, tuple[str, ...]] = {}
    givers = {model.graph.input[0].name: INPUT}
    widths: dict[str, int] = {}
    for node in model.graph.node:
        operator = getCustomOp(node)
        machines = machines_of(model, node, operator)
        if OUTPUT_DEPTH in operator.get_nodeattr_types() and operator.get_nodeattr(OUTPUT_DEPTH):
            machines = deepened(machines, int(operator.get_nodeattr(OUTPUT_DEPTH)))
        if convert_widths:
            for index, stream in enumerate(node.input):
                name, converter = f"{node.name}_dwc{index}", _converter(operator, index, widths.get(stream))
                if converter:
                    chains[name] = {f"{name}.{place}": machine for place, machine in enumerate(converter)}
                    takes[name], givers[stream] = (givers[stream],), name
            widths |= {name: int(operator.get_outstream_width(index)) for index, name in enumerate(node.output)}
        chains[node.name] = {f"{node.name}.{place}": machine for place, machine in enumerate(machines)}
        takes[node.name] = tuple(givers[name] for name in node.input if name in givers)
        givers |= dict.fromkeys(node.output, node.name)
    beats = int(np.prod(getCustomOp(model.graph.node[0]).get_folded_input_shape()[:-1]))
    return CycleLayers(chains, takes, givers[model.graph.output[0].name], beats)


def _converter(operator: Any, index: int, before: int | None) -> list[Machine]:
    """Return the modules of the width converter in front of an input; none for weights and where widths are equal."""
    from xnorflow.ops.width_converter import converter_widths  # loads FINN, which must be prepared first

    if before is None:
        return []
    after = int(operator.get_instream_width(index))
    return [] if before == after else [Dwc(*step) for step in pairwise(converter_widths(before, after))]


def stream_channels(graph: Graph) -> dict[str, str]:
    """Return which channel each stream between layers is, ``in0`` and ``<layer>.out0``; forks are left out.

    Args:
        graph: of layers that :func:`read_layers` read.
    """
    found: dict[str, list[str]] = {}
    for channel in graph.channels:
        layers = [name.rsplit(".", 1)[0] for name in (channel.source, channel.target)]
        if layers[0] != layers[1]:
            stream = "in0" if channel.source == INPUT else f"{layers[0]}.out0"
            found.setdefault(stream, []).append(channel.name)
    return {stream: names[0] for stream, names in found.items() if len(names) == 1}


def machines_of(model: Any, node: Any, operator: Any) -> list[Machine]:
    """Return the modules of a layer in series; none where it is wires."""
    value = operator.get_nodeattr
    match kind_of(node.op_type):
        case unit if unit in MVAUS:
            mw, mh, simd, pe = (int(value(key)) for key in ("MW", "MH", "SIMD", "PE"))
            bits, weight_bits = (int(operator.get_input_datatype(index).bitwidth()) for index in (0, 1))
            counted = operator.count_latency() if unit != "FewBitMVAU" else 0
            machine, windows = Mvau(mw, mh, simd, pe, bits, weight_bits, counted), operator.windows()
            return [machine] if windows == 1 else _between_whole_windows(machine, operator)
        case "SlidingWindow":
            if operator.parallel():
                window = operator.window()
                return [SwgParallel(window.rows, window.columns, window.kernel, window.stride, operator.windows())]
            return [] if operator.window().whole else [_windows(operator)]
        case "WindowPool":
            pools: list[Machine] = [Pool(*shape) for shape in operator.reductions()]
            return [_windows(operator), *pools] if operator.reads_windows() else pools
        case "WidthConverter" | "StreamingDataWidthConverter":
            return [Dwc(before, after) for before, after in pairwise(operator.widths())]
        case "BoundedFIFO" | "StreamingFIFO":
            return [Fifo(int(value("depth")))]
        case "LabelSelect":
            return [Argmax(int(value("Labels")), int(value("PE")))]
        case "StreamAdd":
            return [Add()]
        case "StreamGate":
            return [Gate()]
        case "StreamFork":
            return [Fork(len(node.output))]
        case "ChannelRepeat":
            return [Repeat(int(value("NumChannels")) // int(value("PE")), operator.times())]
        case "Requantize":
            function = operator.function(model)
            return [Requantize(function.mode, max(function.steps, 1), function.slopes)]
    raise ValueError(f"node {node.name}: no machine for {node.op_type}")


def deepened(machines: Sequence[Machine], depth: int) -> list[Machine]:
    """Return machines in series, the last one that has an output buffer with room for ``depth`` results at least."""
    last = max(index for index, machine in enumerate(machines) if hasattr(machine, "output_depth"))
    deeper = [replace(machine, **{"output_depth": depth}) for machine in machines[last : last + 1]]
    return [*machines[:last], *deeper, *machines[last + 1 :]]


def _between_whole_windows(unit: Mvau, operator: Any) -> list[Machine]:
    """Return a unit of several windows, which come in and leave whole, with the width converters on its sides."""
    (sf, nf), source, sink = unit.beats, operator.get_instream_width(), operator.get_outstream_width()
    return [Dwc(source, source // sf), unit, Dwc(sink // nf, sink)]


def _windows(operator: Any) -> Swg:
    window = operator.window()
    return Swg(window.rows, window.columns, window.channels, operator.fold(), window.kernel, window.stride, window.pads)
