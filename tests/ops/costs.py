"""Estimates of operators against yosys's mapped cells: draws operators as networks have them, synthesizes, compares."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from units import PART, unit

from xnorflow.artifact.cache import cache_get, cache_put
from xnorflow.artifact.design import DesignNode
from xnorflow.artifact.processes import run_commands
from xnorflow.artifact.progress import SilentProgress
from xnorflow.boards.catalog import Family
from xnorflow.synthesize.cells import read_cells, usage_of
from xnorflow.synthesize.yosys import check_outcome, copy_cells, find_yosys, node_command, node_key

Rng = np.random.Generator
Unit = tuple[Any, Any]
"""A model of one node, and its operator."""


@dataclass(frozen=True)
class Cost:
    """One operator: what it is, and LUTs and 18 Kib blocks by estimate and mapped."""

    kind: str
    what: str
    luts: float
    mapped_luts: int
    bram18: float
    mapped_bram18: float
    cells: dict[str, int]

    @property
    def error(self) -> float:
        """Part of the mapped LUTs by which the estimate is off, with a sign."""
        return (self.luts - self.mapped_luts) / max(self.mapped_luts, 1)

    def __str__(self) -> str:
        """One line of a table."""
        return (
            f"{self.kind:14s} LUT {self.luts:6.0f} / {self.mapped_luts:6d} {100 * self.error:+6.1f} %   "
            f"BRAM18 {self.bram18:3.0f} / {self.mapped_bram18:3.0f}   {self.what}"
        )


def measure(drawn: dict[str, Unit], folder: Path) -> list[Cost]:
    """Synthesize each operator for 7-series as a top of its own, as the synthesize stage does, and estimate it.

    Args:
        drawn: description to model and operator.
        folder: an empty folder to work in.
    """
    yosys, nodes = find_yosys(folder, SilentProgress()), {}
    copy_cells(folder)
    for number, (what, (model, operator)) in enumerate(drawn.items()):
        operator.onnx_node.name = name = f"unit{number}"
        operator.set_nodeattr("code_gen_dir_ipgen", str(folder))
        operator.generate_hdl(model, PART, 10.0)
        sources = []
        for path in map(Path, operator.get_rtl_file_list(abspath=True)):
            if path.parent != folder and not (folder / path.name).exists():
                (folder / path.name).write_bytes(path.read_bytes())
            sources.append(path.name)
        nodes[what] = DesignNode(name, operator.onnx_node.op_type, tuple(sources), 1, {}, (), ())
    reports = {what: f"{node_key(node, folder, Family.XC7, yosys)}.stat" for what, node in nodes.items()}
    missing = {report: what for what, report in reports.items() if not cache_get("cells", report, folder / report)}
    commands = {
        node_command(
            nodes[what], folder, Family.XC7, yosys, report.removesuffix(".stat"), folder / f"{report}.log"
        ): report
        for report, what in missing.items()
    }
    with contextlib.closing(run_commands(list(commands), 1)) as outcomes:
        for outcome in outcomes:
            report = commands[outcome.command]
            check_outcome(missing[report], outcome)
            cache_put("cells", folder / report, report, keep=2000)
    return [_cost(what, operator, read_cells(folder / reports[what])) for what, (_, operator) in drawn.items()]


def _cost(what: str, operator: Any, cells: dict[str, int]) -> Cost:
    mapped = usage_of(cells)
    return Cost(
        operator.onnx_node.op_type.removesuffix("_rtl"), what, operator.lut_estimation(PART), mapped.LUT,
        operator.bram_estimation(PART), 2 * mapped.BRAM36, cells,
    )  # fmt: skip


# --- What networks have: widths and shapes from the lowering of CNV and RESNET8, and wider ----------------------------


def _divisor(rng: Rng, number: int, most: int = 1 << 30) -> int:
    return int(rng.choice([one for one in range(1, number + 1) if number % one == 0 and one <= most]))


def fifo(rng: Rng) -> tuple[str, Unit]:
    bits = int(2 ** rng.uniform(0, 8))
    depth = int(rng.choice([3, int(2 ** rng.uniform(1.6, 7.2)), int(2 ** rng.uniform(5, 11))]))
    return f"{bits} bits x {depth}", fifo_of(bits, depth)


def fifo_of(bits: int, depth: int) -> Unit:
    return unit(
        "BoundedFIFO", {"x": ([1, 64 * bits], "BINARY")}, [1, 64 * bits], depth=depth,
        folded_shape=[1, 64, bits], normal_shape=[1, 64 * bits], dataType="BINARY",
    )  # fmt: skip


def converter(rng: Rng) -> tuple[str, Unit]:
    channels = int(rng.choice([24, 36, 48, 64, 72, 96, 128, 144, 256, 288]))
    before, after = _divisor(rng, channels, 96), _divisor(rng, channels, 144)
    while before == after:
        after = _divisor(rng, channels, 144)
    bits = int(rng.choice([1, 1, 1, 2, 4, 8]))
    return f"{before * bits} to {after * bits} bits", converter_of(before * bits, after * bits)


def converter_of(before: int, after: int) -> Unit:
    size = int(np.lcm(before, after))
    return unit(
        "WidthConverter", {"x": ([1, size], "BINARY")}, [1, size], inShape=[1, size], outShape=[1, size],
        inWidth=before, outWidth=after, dataType="BINARY",
    )  # fmt: skip


def _map(rng: Rng) -> tuple[int, int, str]:
    """Return rows and columns, channels, and datatype of a map."""
    size = int(rng.choice([4, 5, 8, 10, 12, 14, 16, 28, 30, 32]))
    if rng.random() < 0.15:
        return 32, 3, "INT8"
    kind = str(rng.choice(["BINARY", "BINARY", "BIPOLAR", "INT2", "INT4"]))
    return size, int(rng.choice([16, 32, 48, 64, 128])), kind


def window(rng: Rng) -> tuple[str, Unit]:
    size, channels, kind = _map(rng)
    simd = _divisor(rng, channels)
    kernel, stride, pad = (3, 1, 0), (3, 1, 1), (3, 2, 1)
    kernel, stride, pad = (kernel, stride, pad, (1, 2, 0))[int(rng.choice(4, p=[0.4, 0.35, 0.15, 0.1]))]
    what = f"{size}x{size}x{channels} {kind}, kernel {kernel}, stride {stride}, pad {pad}, SIMD {simd}"
    return what, window_of(size, channels, kind, kernel, stride, pad, simd)


def window_of(size: int, channels: int, kind: str, kernel: int, stride: int, pad: int, simd: int) -> Unit:
    out = (size + 2 * pad - kernel) // stride + 1
    return unit(
        "SlidingWindow", {"x": ([1, size, size, channels], kind)}, [1, out, out, kernel * kernel * channels],
        IFMDim=[size, size], IFMChannels=channels, ConvKernelDim=[kernel, kernel], Stride=[stride, stride],
        Padding=[pad] * 4, PadValue=0 if kind != "BIPOLAR" else -1, inputDataType=kind, SIMD=simd,
    )  # fmt: skip


def pool(rng: Rng) -> tuple[str, Unit]:
    size, channels, kind = _map(rng)
    pe = _divisor(rng, channels, 64)
    mode, kernel, stride = (
        ("max", 2, 2) if rng.random() < 0.6 else ("sum", size, size) if rng.random() < 0.7 else ("max", 3, 2)
    )
    size = size - size % 2 if kernel == 2 else size
    what = f"{mode} of {kernel}x{kernel} by {stride}, {size}x{size}x{channels} {kind}, PE {pe}"
    return what, pool_of(size, channels, kind, mode, kernel, stride, pe)


def pool_of(size: int, channels: int, kind: str, mode: str, kernel: int, stride: int, pe: int) -> Unit:
    out = (size - kernel) // stride + 1
    return unit(
        "WindowPool", {"x": ([1, size, size, channels], kind)}, [1, out, out, channels], IFMDim=[size, size],
        IFMChannels=channels, ConvKernelDim=[kernel, kernel], Stride=[stride, stride], Padding=[0] * 4, PadValue=0,
        inputDataType=kind, PE=pe, PoolMode=mode,
    )  # fmt: skip


def requantize(rng: Rng) -> tuple[str, Unit]:
    channels = int(rng.choice([16, 32, 64, 128]))
    pe, bits = _divisor(rng, channels, 32), int(rng.integers(3, 13))
    out = str(rng.choice(["BINARY", "BINARY", "INT2", "INT4", "INT4", "INT6"]))
    return f"INT{bits} to {out}, {channels} channels, PE {pe}", requantize_of(rng, channels, pe, bits, out)


def requantize_of(rng: Rng, channels: int, pe: int, bits: int, out: str) -> Unit:
    """Return lines with a random slope and offset a channel, clipped to the output; bits: a step."""
    from qonnx.core.datatype import DataType

    low, high = (0, 1) if out == "BINARY" else (int(DataType[out].min()), int(DataType[out].max()))
    x = np.arange(-(2 ** (bits - 1)), 2 ** (bits - 1))[:, None]
    slope = rng.uniform(0.5, 1.5, channels) * (high - low) / 2 ** (bits - 1) * rng.choice([1, 1, 1, -1], channels)
    table = np.clip(np.rint(slope * x + rng.uniform(low, high, channels)), low, high)
    model, operator = unit(
        "Requantize", {"x": ([1, 4, 4, channels], f"INT{bits}"), "table": (list(table.shape), out)},
        [1, 4, 4, channels], NumChannels=channels, PE=pe, numInputVectors=[1, 4, 4], inputDataType=f"INT{bits}",
        outputDataType=out, Low=int(x[0, 0]),
    )  # fmt: skip
    model.set_initializer("table", table.astype(np.float32))
    operator.infer_node_datatype(model)
    return model, operator


def _vectors(kind: str, inputs: dict[str, tuple[list[int], str]], channels: int, pe: int, **attributes: Any) -> Unit:
    first = next(iter(inputs.values()))[1]
    attributes = {"inputDataType": first, "outputDataType": first, **attributes}
    model, operator = unit(
        kind, inputs, [1, 4, 4, channels], NumChannels=channels, PE=pe, numInputVectors=[1, 4, 4], **attributes
    )
    operator.infer_node_datatype(model)
    return model, operator


def add(rng: Rng) -> tuple[str, Unit]:
    channels = int(rng.choice([16, 32, 64]))
    pe, shape = _divisor(rng, channels, 32), [1, 4, 4, channels]
    kinds = [str(kind) for kind in rng.choice(["INT4", "INT5", "INT6", "INT8", "UINT4", "UINT7"], 2)]
    shift = int(rng.choice([0, 0, 0, 1, 3]))
    what = f"{kinds[0]} << {shift} + {kinds[1]}, PE {pe}"
    return what, _vectors("StreamAdd", {"a": (shape, kinds[0]), "b": (shape, kinds[1])}, channels, pe, ShiftA=shift)


def gate(rng: Rng) -> tuple[str, Unit]:
    channels = int(rng.choice([16, 32, 64]))
    pe, shape, width = _divisor(rng, channels, 16), [1, 4, 4, channels], int(rng.integers(5, 11))
    if rng.random() < 0.5:
        values, scale, offset = f"UINT{width}", 2, -(2 ** (width - 1)) - int(rng.integers(0, 2 ** (width - 2)))
    else:
        values, scale, offset = f"INT{width}", 1, 0
    codes, most = (("BINARY", 1), ("UINT2", 2), ("UINT2", 3))[int(rng.integers(3))]
    what = f"({scale} x {values} + {offset}) << {codes} up to {most}, PE {pe}"
    return what, _vectors(
        "StreamGate", {"a": (shape, values), "b": (shape, codes)}, channels, pe, Scale=scale, Offset=offset,
        MaxShift=most, codeDataType=codes,
    )  # fmt: skip


def fork(rng: Rng) -> tuple[str, Unit]:
    channels, kind, outputs = 64, str(rng.choice(["BINARY", "INT2", "INT4", "INT6"])), int(rng.choice([2, 2, 3]))
    pe, shape = _divisor(rng, channels), [1, 4, 4, channels]
    model, operator = _vectors("StreamFork", {"x": (shape, kind)}, channels, pe)
    operator.onnx_node.output.extend(f"y{index}" for index in range(1, outputs))
    return f"{outputs} copies of {pe} x {kind}", (model, operator)


def repeat(rng: Rng) -> tuple[str, Unit]:
    channels, kind = int(rng.choice([16, 32, 64])), str(rng.choice(["BINARY", "UINT2", "INT4"]))
    pe = _divisor(rng, channels)
    if rng.random() < 0.5:
        return f"{channels} channels twice, PE {pe}, {kind}", _vectors(
            "ChannelRepeat", {"x": ([1, 4, 4, channels], kind)}, channels, pe, Times=2
        )
    size = int(rng.choice([4, 8, 16, 32]))
    model, operator = _vectors(
        "ChannelRepeat", {"x": ([1, 1, 1, channels], kind)}, channels, pe, OutputPixels=[size, size]
    )
    operator.set_nodeattr("numInputVectors", [1, 1, 1])
    return f"{channels} channels to {size}x{size} pixels, PE {pe}, {kind}", (model, operator)


def argmax(rng: Rng) -> tuple[str, Unit]:
    labels, bits = int(rng.choice([10, 10, 26, 100])), int(rng.integers(6, 15))
    pe, kind = _divisor(rng, labels, 25), f"{rng.choice(['INT', 'UINT'])}{bits}"
    return f"{labels} of {kind}, PE {pe}", unit(
        "LabelSelect", {"x": ([1, labels], kind)}, [1, 1], Labels=labels, PE=pe, K=1, inputDataType=kind,
        numInputVectors=[1], outputDataType=f"UINT{max((labels - 1).bit_length(), 1)}",
    )  # fmt: skip


MAKERS: dict[Callable[[Rng], tuple[str, Unit]], int] = {
    fifo: 14, converter: 14, window: 14, pool: 10, requantize: 10, add: 5, gate: 5, fork: 4, repeat: 6, argmax: 5,
}  # fmt: skip
"""What is drawn, and how many of them in a sample."""


def sample(seed: int, part: float = 1.0) -> dict[str, Unit]:
    """Return description to unit, the same for the same seed; ``part``: which share of a whole sample."""
    return dict(_draws(np.random.default_rng(seed), part))


def _draws(rng: Rng, part: float) -> Iterator[tuple[str, Unit]]:
    for maker, count in MAKERS.items():
        seen: set[str] = set()
        while len(seen) < max(round(count * part), 1):
            what, made = maker(rng)
            if what not in seen:
                seen.add(what)
                yield f"{maker.__name__} {what}", made


MODELLED = frozenset({
    "BoundedFIFO", "WidthConverter", "SlidingWindow", "WindowPool", "StreamAdd", "StreamGate", "StreamFork",
    "ChannelRepeat", "LabelSelect",
})  # fmt: skip
"""Operators whose estimates follow from their parameters alone."""
