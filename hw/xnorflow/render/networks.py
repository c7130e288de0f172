"""Networks as graphs: the nodes of ONNX files from top to bottom, side by side, as an SVG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xnorflow.render.svg import COLORS, INK, Svg, add_legend, new_figure, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["NetworkGraph", "NetworkNode", "draw_networks", "read_network"]

KINDS = {
    "product": ("MatMul", "Conv", "Gemm", "XnorPopcountMatMul", "MVAU", "XnorMVAU", "BinaryWeightMVAU", "FewBitMVAU"),
    "threshold, sign": ("MultiThreshold", "BipolarQuant", "Quant", "Sign", "Requantize", "LabelSelect", "ArgMax"),
    "window, pool": ("SlidingWindow", "WindowPool", "Im2Col", "MaxPool", "AveragePool", "GlobalAveragePool", "Pad"),
    "stream: width, FIFO, fork": ("WidthConverter", "BoundedFIFO", "StreamFork", "ChannelRepeat"),
}  # fmt: skip
OTHER = "numbers, shapes"
SHOWN = ("PE", "SIMD", "depth", "inWidth", "outWidth")
"""Attributes of hardware layers that are drawn."""
TIMES = "\N{MULTIPLICATION SIGN}"
ROW_INCHES = 0.62
BOX = 0.34, 0.6
"""Half the width and the height of a box, of the room that it has."""
ARROW = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.8, "alpha": 0.7, "shrinkA": 0, "shrinkB": 0}


@dataclass(frozen=True)
class NetworkNode:
    """A node.

    Args:
        title: what it computes.
        note: sizes, and how it is folded.
        kind: one of the kinds that have colors of their own.
        takes: for each tensor that it reads and that is no constant: number of the node that gives it, -1 for the
            network's input, and what the tensor is.
    """

    title: str
    note: str
    kind: str
    takes: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class NetworkGraph:
    """A network.

    Args:
        nodes: each one behind those that it takes from.
        result: what the last tensor is.
    """

    nodes: tuple[NetworkNode, ...]
    result: str

    @property
    def ranks(self) -> list[int]:
        """Row of each node, from 0 on: one below the lowest that it takes from."""
        ranks: list[int] = []
        for node in self.nodes:
            ranks.append(1 + max((ranks[source] for source, _ in node.takes if source >= 0), default=-1))
        return ranks


def read_network(path: Path) -> NetworkGraph:
    """Read the nodes of an ONNX file; what is computed from constants alone, as quantized weights, is left out.

    Raises:
        OSError: there is no such file.
    """
    import onnx

    graph = onnx.load(str(path)).graph
    tensors = _Tensors(graph)
    numbers = {graph.input[0].name: -1}
    nodes: list[NetworkNode] = []
    for node in graph.node:
        takes = tuple((numbers[name], tensors.describe(name)) for name in node.input if name in numbers)
        if not takes:
            tensors.add_constant(node)
            continue
        numbers |= dict.fromkeys(node.output, len(nodes))
        tensors.add_type(node)
        title = node.op_type.removesuffix("_rtl").removesuffix("_hls")
        kind = next((name for name, members in KINDS.items() if title in members), OTHER)
        nodes.append(NetworkNode(title, tensors.note(node), kind, takes))
    return NetworkGraph(tuple(nodes), tensors.describe(graph.output[0].name))


class _Tensors:
    """Shapes and types of the tensors of a graph."""

    def __init__(self, graph: Any) -> None:
        infos = [*graph.input, *graph.value_info, *graph.output]
        self._shapes = {
            info.name: [size.dim_value for size in info.type.tensor_type.shape.dim] for info in infos
        }  # fmt: skip
        self._constants = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
        self._types = {
            entry.tensor_name: pair.value
            for entry in graph.quantization_annotation
            for pair in entry.quant_parameter_tensor_names
            if pair.key == "finn_datatype"
        }

    def add_constant(self, node: Any) -> None:
        """Note what a node makes of constants."""
        shapes = [self._constants[name] for name in node.input if name in self._constants]
        self._constants |= dict.fromkeys(node.output, max(shapes, key=len, default=[]))
        self.add_type(node)

    def add_type(self, node: Any) -> None:
        """Note what a node's result is, where the node itself says so."""
        if node.op_type == "BipolarQuant":
            self._types |= dict.fromkeys(node.output, "BIPOLAR")

    def describe(self, name: str) -> str:
        """Return size and type of a tensor, the batch left out."""
        sizes = TIMES.join(str(size) for size in self._shapes.get(name, [])[1:])
        kind = self._types.get(name, "FLOAT32")
        return f"{sizes} {kind.lower()}".strip()

    def note(self, node: Any) -> str:
        """Return what is drawn below a node's title: its matrix or kernels, and its folding."""
        import onnx

        found = [(self._constants[name], name) for name in node.input if len(self._constants.get(name, [])) > 1]
        parts = []
        if found and not node.op_type.startswith("MultiThreshold"):
            shape, name = found[0]
            kind = self._types.get(name, "")
            parts.append(TIMES.join(map(str, shape)) + (f" {kind.lower()}" if kind else ""))
        values = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
        parts += [f"{key} {values[key]}" for key in SHOWN if key in values and node.domain.startswith("finn")]
        return ", ".join(parts)


def draw_networks(networks: Mapping[str, Path | NetworkGraph], *, name: str) -> Svg:
    """Draw networks side by side, each from its input at the top to its result.

    Args:
        networks: heading to ONNX file, or what :func:`read_network` made of one; at least one.
        name: of the figure, unique on the page.
    """
    graphs = {
        heading: read_network(network) if isinstance(network, Path) else network
        for heading, network in networks.items()
    }
    rows = max(max(graph.ranks) for graph in graphs.values()) + 3
    figure, axes = new_figure(0.5 + ROW_INCHES * rows)
    axes.axis("off")
    colors = dict(zip([*KINDS, OTHER], (COLORS[0], COLORS[1], COLORS[5], COLORS[6], COLORS[7]), strict=True))
    for column, (heading, graph) in enumerate(graphs.items()):
        axes.text(column, -1.55, heading, ha="center", va="center", fontsize=8.5, color=INK, weight="bold")
        _draw(axes, graph, column, colors)
    used = {node.kind for graph in graphs.values() for node in graph.nodes}
    for kind in [kind for kind in colors if kind in used]:
        axes.fill([], [], color=colors[kind], alpha=0.3, label=kind)
    axes.set(xlim=(-0.5, max(len(graphs), 2) - 0.5), ylim=(rows - 1.6, -1.8))
    add_legend(figure, len(used))
    return to_svg(figure, name)


def _places(graph: NetworkGraph, column: float) -> tuple[list[tuple[float, int]], float]:
    """Return where each node stands, and the room that it has: those of a row share it.

    In a row, nodes stand in the order of those that they take from, and of these the one that reaches farthest on the
    right, where long arrows run.
    """
    ranks = graph.ranks
    reach = [1] * len(ranks)
    for node, rank in zip(graph.nodes, ranks, strict=True):
        for source, _ in node.takes:
            if source >= 0:
                reach[source] = max(reach[source], rank - ranks[source])
    places: list[tuple[float, int]] = [(column, 0)] * len(ranks)
    for rank in range(max(ranks) + 1):
        row = [index for index, found in enumerate(ranks) if found == rank]
        row.sort(key=lambda index: (_middle(graph.nodes[index], places, column), reach[index]))
        for position, index in enumerate(row):
            places[index] = column + (position + 0.5) / len(row) - 0.5, rank
    return places, 1 / max(ranks.count(rank) for rank in ranks)


def _middle(node: NetworkNode, places: list[tuple[float, int]], column: float) -> float:
    """Return where the nodes above are that a node takes from, on average."""
    above = [places[source][0] if source >= 0 else column for source, _ in node.takes]
    return sum(above) / len(above)


def _draw(axes: Axes, graph: NetworkGraph, column: float, colors: dict[str, str]) -> None:
    from matplotlib.patches import FancyBboxPatch

    places, room = _places(graph, column)
    half, height = BOX[0] * room, BOX[1]
    for (x, y), node in zip(places, graph.nodes, strict=True):
        for source, text in node.takes:
            before = places[source] if source >= 0 else (column, -1.3)
            if y - before[1] > 1.5:
                _around(axes, (before[0] + half, before[1]), (x + half, y - height / 4), text)
            else:
                _arrow(axes, (before[0], before[1] + height / 2), (x, y - height / 2), text)
        box = FancyBboxPatch(
            (x - half, y - height / 2), 2 * half, height, boxstyle="round,pad=0,rounding_size=0.04",
            facecolor=colors[node.kind] + "4d", edgecolor=colors[node.kind], linewidth=1,
        )  # fmt: skip
        axes.add_patch(box)
        lines = (node.title, node.note) if node.note else (node.title,)
        for line, text in enumerate(lines):
            shift = 0.0 if len(lines) == 1 else (-0.13, 0.15)[line]
            weight = "bold" if line == 0 else "normal"
            axes.text(x, y + shift, text, ha="center", va="center", fontsize=(7.5, 6.5)[line], color=INK, weight=weight)
    last = places[-1]
    _arrow(axes, (last[0], last[1] + height / 2), (last[0], last[1] + 1 - height / 2), graph.result)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str) -> None:
    axes.annotate("", end, start, arrowprops=ARROW)
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    axes.text(middle[0] + 0.015, middle[1], text, ha="left", va="center", fontsize=6, color=INK)


def _around(axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str) -> None:
    """Draw an arrow past the boxes between, on their right."""
    axes.annotate("", end, start, arrowprops={**ARROW, "connectionstyle": "angle3,angleA=0,angleB=60"})
    axes.text(start[0] + 0.015, start[1] + 0.3, text, ha="left", va="center", fontsize=6, color=INK)
