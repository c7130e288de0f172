"""The array of counters in a matrix-vector unit of 1-bit inputs and weights: variants, their cost, their text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.counters.compressor import compressor_latency, compressor_name, row_width
from xnorflow.counters.tree import carry_table, nodes_of, tree_stages, weight_tree
from xnorflow.ops.mvau_cost import MvauShape
from xnorflow.ops.mvau_rtl import CONTROL_MODULES
from xnorflow.ops.wrapper import Port
from xnorflow.ops.xnor_cost import CONSTANT_WORDS, LOGIC_WORDS
from xnorflow.render.templates import banner, load_template

__all__ = ["UNIT_MODULES", "ArrayShape", "WeightStyle", "count_latency", "render_array", "render_unit"]

BitArray = npt.NDArray[np.uint8]
_TEMPLATES = Path(__file__).with_name("templates")
UNIT_MODULES = (
    *CONTROL_MODULES, "xnorflow_sum_tree", "xnorflow_popcount_pipeline", "xnorflow_sign_sum", "xnorflow_popcount_array",
    "xnorflow_carry4", "xnorflow_counter", "xnorflow_parity_tree", "xnorflow_xnor_carries", "xnorflow_row_accumulator",
    "xnorflow_beat_buffer", "xnorflow_sum_result", "xnorflow_xnor_unit",
)  # fmt: skip
"""Library modules of a unit, dependencies first."""


class WeightStyle(StrEnum):
    """Where the weights are."""

    CONSTANT = "constant"
    """In the LUTs that make the carries; at most four words."""
    LOGIC = "logic"
    """In LUTs of their own."""
    BLOCK = "block"
    """In block RAM."""

    @classmethod
    def of(cls, words: int, *, in_bram: bool) -> WeightStyle:
        """Return the style for a number of weight words, in block RAM or not."""
        if in_bram:
            return cls.BLOCK
        return cls.CONSTANT if words <= CONSTANT_WORDS else cls.LOGIC


_READS = {WeightStyle.CONSTANT: 2, WeightStyle.LOGIC: 1, WeightStyle.BLOCK: 0}
"""Cycles by which the number of a weight word is delayed beside the trees of the inputs."""


def count_heights(simd: int, input_bits: int) -> tuple[int, ...]:
    """Return the bits of a neuron that are counted, of weight 2, 4, 8...

    Each bit plane of the inputs gives its carries, worth twice its weight, and a parity. That of the lowest plane, of
    weight 1, goes past the counters.
    """
    return (*[nodes_of(simd) + 1] * (input_bits - 1), nodes_of(simd))


def count_latency(simd: int, input_bits: int = 1) -> int:
    """Return the cycles from a beat to its count: trees of parities, levels of counters.

    Args:
        simd: products of a neuron, at least 2.
        input_bits: of an input.
    """
    return tree_stages(simd) + compressor_latency(count_heights(simd, input_bits))


@dataclass(frozen=True)
class ArrayShape:
    """An array.

    Args:
        simd: products of a neuron, at least 2.
        pe: neurons.
        words: weight words.
        input_bits: of an input; more than 1: two's complement.
        windows: that share the weights which are read.
    """

    simd: int
    pe: int
    words: int
    input_bits: int = 1
    windows: int = 1

    @property
    def lanes(self) -> int:
        """Sums that are counted at a time."""
        return self.windows * self.pe

    @property
    def planes(self) -> int:
        """Bit planes of the inputs of all windows."""
        return self.windows * self.input_bits

    @property
    def beat_bits(self) -> int:
        """Bits of a beat."""
        return self.planes * self.simd

    def bit_of(self, plane: str, place: str) -> str:
        """Return the place in a beat of an input's bit, as SystemVerilog, by its plane of :attr:`planes`."""
        bits = self.input_bits
        window = f"{plane}*{self.simd}" if bits == 1 else f"{plane}/{bits}*{self.simd * bits}"
        bit = place if bits == 1 else f"{place}*{bits}+{plane}%{bits}"
        return bit if self.windows == 1 and bits == 1 else f"{window}+{bit}"

    @property
    def nodes(self) -> int:
        """Carries of a neuron and bit plane."""
        return nodes_of(self.simd)

    @property
    def heights(self) -> tuple[int, ...]:
        """Bits of a neuron that are counted, of weight 2, 4, 8..."""
        return count_heights(self.simd, self.input_bits)

    @property
    def row_width(self) -> int:
        """Bits of a row."""
        return row_width(self.heights)

    @property
    def word_width(self) -> int:
        """Bits of a weight word's number."""
        return max((self.words - 1).bit_length(), 1)

    @property
    def latency(self) -> int:
        """Cycles from a beat to its count."""
        return count_latency(self.simd, self.input_bits)


def _hex(value: int, bits: int) -> str:
    text = f"{value:0{-(-bits // 4)}X}"
    return f"{bits}'h{text}"


def _table(functions: Sequence[int]) -> int:
    """Return the 32 bits of a function of three inputs and two address bits, functions by address, repeated."""
    return sum(functions[address % len(functions)] << (8 * address) for address in range(4))


def _pool(trees: BitArray, node: int, width: int) -> tuple[list[int], list[int]]:
    """Return the different carry functions at a node, and which of them each neuron takes.

    Args:
        trees: 0/1 (words, pe, simd), parity trees of the weights.
        node: with others below.
        width: simd.
    """
    left, right = 2 * node + 1, 2 * node + 2
    functions: dict[int, int] = {}
    chosen = []
    for neuron in range(trees.shape[1]):
        bits = trees[:, neuron]
        tables = [
            carry_table(int(word[left]), int(word[right]) if right < width else None, int(word[node])) for word in bits
        ]
        chosen.append(functions.setdefault(_table(tables), len(functions)))
    return list(functions), chosen


def _lut_lines(name: str, inputs: Sequence[str], tables: Sequence[int], vector: str, first: int = 0) -> Iterator[str]:
    """Yield cells of two functions of the same five inputs each, or of a last one.

    Args:
        name: of the cells, a number behind it.
        inputs: at most five.
        tables: 32 bits each.
        vector: takes the functions.
        first: place of the first one.
    """
    ports = "".join(f".I{place}({text}), " for place, text in enumerate(inputs)) + ".I5(1'b1)"
    for index in range(0, len(tables), 2):
        pair, place = tables[index : index + 2], first + index
        init = _hex(pair[0] | (pair[-1] << 32), 64)
        cell, outputs = "LUT6", f".O({vector}[{place}])"
        if len(pair) == 2:
            cell, outputs = "LUT6_2", f".O5({vector}[{place}]), .O6({vector}[{place + 1}])"
        yield f"{cell} #(.INIT({init})) {name}_{index} ({ports}, {outputs});"


def _carry_lines(plane: int, node: int, width: int, tables: Sequence[int], first: int) -> Iterator[str]:
    """Return the LUTs of a node."""
    tree = f"tree[{plane}]"
    right = f"{tree}[{2 * node + 2}]" if 2 * node + 2 < width else "1'b0"
    inputs = (f"{tree}[{2 * node + 1}]", right, f"{tree}[{node}]", "address[0]", "address[1]")
    return _lut_lines(f"u_carry_{plane}_{node}", inputs, tables, "pool", first)


def _rom_lines(bits: BitArray) -> Iterator[str]:
    """Yield the LUTs of a memory of at most 64 words; up to 32 there are two bits in one.

    Args:
        bits: 0/1 (words, width).
    """
    places = np.uint64(1) << np.arange(len(bits), dtype=np.uint64)
    tables = [int(table) for table in places @ bits.astype(np.uint64)]
    inputs = [f"word[{bit}]" for bit in range(6)]
    if len(bits) <= LOGIC_WORDS:
        yield from _lut_lines("u_weight", inputs[:5], tables, "weight_d")
        return
    ports = ", ".join(f".I{place}({text})" for place, text in enumerate(inputs))
    for index, table in enumerate(tables):
        yield f"LUT6 #(.INIT({_hex(table, 64)})) u_weight_{index} ({ports}, .O(weight_d[{index}]));"


@dataclass(frozen=True)
class _Constants:
    lines: list[str]
    size: int
    chosen: list[list[list[int]]]
    odd_tables: list[str]


def _constants(trees: BitArray, planes: int) -> _Constants:
    """Return the LUTs of all carries, and for each neuron and bit plane the places of its carries in the pool."""
    words, pe, width = trees.shape
    lines: list[str] = []
    chosen: list[list[list[int]]] = [[[] for _ in range(planes)] for _ in range(pe)]
    size = 0
    for node in range(nodes_of(width)):
        tables, choice = _pool(trees, node, width)
        for plane in range(planes):
            lines += _carry_lines(plane, node, width, tables, size)
            for neuron, index in enumerate(choice):
                chosen[neuron][plane].append(size + index)
            size += len(tables)
    roots = [[int(trees[address % words, neuron, 0]) for address in range(4)] for neuron in range(pe)]
    odd = [_hex(sum(bit << address for address, bit in enumerate(root)), 4) for root in roots]
    return _Constants(lines, size, chosen, odd)


def _wrapped(indices: Sequence[int]) -> list[str]:
    """Return a concatenation's lines, the last index first."""
    names = [f"pool[{index}]" for index in reversed(indices)]
    return [", ".join(names[start : start + 8]) for start in range(0, len(names), 8)]


def render_array(name: str, shape: ArrayShape, style: WeightStyle, bits: BitArray, files: tuple[str, str]) -> str:
    """Return the text of an array.

    Args:
        name: of the module.
        shape: its shape.
        style: where the weights are; ``CONSTANT`` for at most four words.
        bits: 0/1 (words, pe * simd), the weights as ``fold_weights`` orders them.
        files: ``$readmemh`` files of the weights, and of their trees.

    Returns:
        A module with the ports that ``xnorflow_xnor_unit`` names.
    """
    trees = weight_tree(bits.reshape(shape.words, shape.pe, shape.simd))
    constants = _constants(trees, shape.planes) if style is WeightStyle.CONSTANT else None
    rom = list(_rom_lines(trees.reshape(shape.words, -1))) if style is WeightStyle.LOGIC else []
    stages, levels = tree_stages(shape.simd), compressor_latency(shape.heights)
    return load_template(_TEMPLATES / "xnor_array.sv.j2").render(
        banner=banner(), name=name, shape=shape, style=style, constants=constants, rom=rom, files=files,
        stages=stages, levels=levels, delays=stages + _READS[style], address_bits=max(shape.word_width, 5),
        compressor=compressor_name(shape.heights), wrapped=_wrapped,
    )  # fmt: skip


def render_unit(
    name: str,
    shape: MvauShape,
    array: ArrayShape,
    lane_bits: int,
    *,
    thresholded: bool,
    output: Mapping[str, int | str] | None = None,
) -> str:
    """Return the text of the module with FINN's AXI-Stream names: the unit and its array, ``<name>_array``.

    Args:
        name: of the module.
        shape: shape and folding of the unit.
        array: that of its array.
        lane_bits: bits of a neuron's result.
        thresholded: whether that is the sign of the sum.
        output: parameters of the output buffer.
    """
    windows, inputs, results = shape.windows, shape.simd, shape.pe  # of a beat, of one window
    if windows > 1:
        inputs, results = shape.mw, shape.mh
    source = f"{shape.mw // inputs} beats of {windows * inputs} x {shape.input_bits} bits a frame"
    sink = f"{shape.mh // results} beats of {windows * results} x {lane_bits} bits a frame"
    return load_template(_TEMPLATES / "xnor_mvau.sv.j2").render(
        banner=banner(), name=name, shape=shape, array=array, lane_bits=lane_bits, thresholded=int(thresholded),
        output=output or {},
        piece=shape.simd * shape.input_bits, result=shape.pe * lane_bits,
        source=Port(windows * inputs * shape.input_bits, source), sink=Port(windows * results * lane_bits, sink),
    )  # fmt: skip
