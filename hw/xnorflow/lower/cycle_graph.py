"""A lowered graph as the cycle model's machines."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from xnorflow.cycles.graph import INPUT, OUTPUT, Graph
from xnorflow.cycles.machines import Add, Argmax, Dwc, Fifo, Fork, Machine, Mvau, Pool, Repeat, Requantize, Swg

__all__ = ["cycle_graph"]


def cycle_graph(model: Any, fifos: dict[tuple[str, int], int] | None = None) -> Graph:
    """Return the machines of a graph's hardware layers, and the streams between them.

    Args:
        model: a qonnx ModelWrapper, folded; width converters inserted or not yet needed.
        fifos: depths of FIFOs to put in front of inputs, by node name and number of the input; they are called
            ``<node>.in<number>``.
    """
    from qonnx.custom_op.registry import getCustomOp

    machines: dict[str, Machine] = {}
    edges: list[tuple[str, str]] = []
    ends: dict[str, str] = {model.graph.input[0].name: INPUT}
    for node in model.graph.node:
        operator = getCustomOp(node)
        chain = {f"{node.name}.{place}": machine for place, machine in enumerate(machines_of(model, node, operator))}
        first = next(iter(chain), None)
        streams = [name for name in node.input if name in ends]
        machines |= chain
        edges += list(pairwise(chain))
        for index, name in enumerate(streams):
            source = ends[name]
            depth = (fifos or {}).get((node.name, index), 0)
            if depth:
                fifo = f"{node.name}.in{index}"
                machines[fifo] = Fifo(depth)
                edges.append((source, fifo))
                source = fifo
            if first is None:
                ends |= dict.fromkeys(node.output, source)  # wires
            else:
                edges.append((source, first))
        if first is not None:
            ends |= dict.fromkeys(node.output, next(reversed(chain)))
    edges.append((ends[model.graph.output[0].name], OUTPUT))
    beats = int(np.prod(getCustomOp(model.graph.node[0]).get_folded_input_shape()[:-1]))
    return Graph(machines, tuple(edges), beats)


def machines_of(model: Any, node: Any, operator: Any) -> list[Machine]:
    """Return the modules of a layer in series; none where it is wires."""
    value = operator.get_nodeattr
    match node.op_type.removesuffix("_rtl"):
        case "XnorMVAU" | "BinaryWeightMVAU":
            mw, mh, simd, pe = (int(value(key)) for key in ("MW", "MH", "SIMD", "PE"))
            return [Mvau(mw, mh, simd, pe, int(operator.get_input_datatype(0).bitwidth()))]
        case "SlidingWindow":
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
        case "StreamFork":
            return [Fork(len(node.output))]
        case "ChannelRepeat":
            return [Repeat(int(value("NumChannels")) // int(value("PE")), int(value("Times")))]
        case "Requantize":
            function = operator.function(model)
            return [Requantize(function.mode, max(function.steps, 1), function.slopes)]
    raise ValueError(f"node {node.name}: no machine for {node.op_type}")


def _windows(operator: Any) -> Swg:
    window = operator.window()
    return Swg(window.rows, window.columns, window.channels, operator.fold(), window.kernel, window.stride, window.pads)
