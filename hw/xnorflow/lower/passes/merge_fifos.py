"""Move what waits in FIFOs into the output buffers of the layers in front, where that costs less."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from xnorflow.lower.cycle_graph import CycleLayers, deepened, read_layers
from xnorflow.lower.fifo_sizing import steady_interval
from xnorflow.ops.output_buffer import OUTPUT_DEPTH

__all__ = ["MergeFIFOs"]

FIFO = "BoundedFIFO_rtl"
WIRES = (FIFO, "WidthConverter_rtl")
"""Layers through which a beat's bits come as they went in."""
BLOCK_LUTS = 100
"""LUTs that an 18 Kib block is worth: those of its bits in distributed memory, near enough."""


@dataclass(frozen=True)
class _Move:
    """A FIFO that may go, and how deep the buffer in front would be.

    Args:
        fifo: the FIFO's node.
        layer: the node that gives what waits in it.
        depth: results in that one's buffer.
        saved: LUTs, blocks counted as :data:`BLOCK_LUTS`.
    """

    fifo: Any
    layer: Any
    depth: int
    saved: float


class MergeFIFOs(Transformation):
    """Remove FIFOs behind layers with an output buffer, deepening the buffer where it has to be deeper.

    Between the two may be width converters: what waits then does so in front of them. The cycle model says which
    depth is enough: no frame takes longer than before. A buffer in distributed memory has 32 places for the price of
    two, so that most FIFOs of a few beats cost nothing any more.

    Precondition: layers specialized. With an HLS backend among them, whose cycles nobody knows, nothing is merged.

    Args:
        part: FPGA part, for estimates.
    """

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Change the graph in place."""
        if any(node.op_type.endswith("_hls") for node in model.graph.node):
            return model, False
        layers = read_layers(model)
        interval = steady_interval(layers.graph())
        for fifo in [node for node in model.graph.node if node.op_type == FIFO]:
            for move in self._moves(model, fifo):
                changed = _after(layers, move)
                if steady_interval(changed.graph()) == interval:
                    _take(model, move)
                    layers = changed
                    break
        return model, False

    def _moves(self, model: Any, fifo: Any) -> list[_Move]:
        """Return what is worth a try, cheapest first."""
        layer = model.find_producer(fifo.input[0])
        while layer is not None and layer.op_type in WIRES:
            layer = model.find_producer(layer.input[0])
        if layer is None or OUTPUT_DEPTH not in getCustomOp(layer).get_nodeattr_types():
            return []
        operator, waiting = getCustomOp(layer), getCustomOp(fifo)
        held = max(operator.output_depth(), operator.least_buffer)
        bits = int(waiting.get_nodeattr("depth")) * int(waiting.get_instream_width())
        most = held + math.ceil(bits / operator.buffer_bits())
        price = waiting.lut_estimation(self._part) + BLOCK_LUTS * waiting.bram_estimation(self._part)
        before = _price(operator, held)
        moves = [_Move(fifo, layer, depth, price - _price(operator, depth) + before) for depth in _depths(held, most)]
        return sorted((move for move in moves if move.saved > 0), key=lambda move: (-move.saved, move.depth))


def _price(operator: Any, depth: int) -> float:
    return float(operator.buffer_luts(depth) + BLOCK_LUTS * operator.buffer_bram18(depth))


def _depths(held: int, most: int) -> list[int]:
    """Return depths that use up their memory: an output register and 2**n words, up to the first with ``most``."""
    words = [1 << power for power in range(5, 16)]
    enough = [2, *(count + 1 for count in words)]
    last = next((depth for depth in enough if depth >= most), most)
    return sorted({depth for depth in (*enough, most, last) if held <= depth <= last})


def _after(layers: CycleLayers, move: _Move) -> CycleLayers:
    """Return the layers with the FIFO gone and the buffer deep."""
    chain = layers.chains[move.layer.name]
    deep = dict(zip(chain, deepened(list(chain.values()), move.depth), strict=True))
    return replace(layers, chains={**layers.chains, move.fifo.name: {}, move.layer.name: deep})


def _take(model: Any, move: _Move) -> None:
    """Change the graph: the FIFO's readers read what it read."""
    getCustomOp(move.layer).set_nodeattr(OUTPUT_DEPTH, move.depth)
    source, sink = move.fifo.input[0], move.fifo.output[0]
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            if name == sink:
                node.input[index] = source
    model.graph.node.remove(move.fifo)
