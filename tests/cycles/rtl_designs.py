"""The RTL that a graph of the cycle model stands for: handshakes only, many designs in one Verilator build."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import xnorflow.simulate
from xnorflow.artifact.errors import SimulateError
from xnorflow.cycles.graph import INPUT, OUTPUT, Graph
from xnorflow.cycles.machine import clog2
from xnorflow.cycles.machines import (
    Add,
    Argmax,
    Dwc,
    Fifo,
    Fork,
    Machine,
    Mvau,
    Pool,
    Repeat,
    Requantize,
    Swg,
    SwgParallel,
)
from xnorflow.cycles.run import CycleReport, predict_cycles
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

RTL = Path(xnorflow.simulate.__file__).parents[1] / "rtl"
TIMEOUT_CYCLES = 1000
STALLS = {"none": 0.0, "in": (0.5, 0.0), "out": (0.0, 0.5), "both": 0.4, "slow out": (0.1, 0.85)}
CHANNELS = 6  # of a requantized pixel


def mvau(machine: Mvau, memory: Callable[[str, int], str]) -> dict[str, int | str]:
    (sf, nf), bits = machine.beats, machine.input_bits
    shape = {"Mw": machine.mw, "Mh": machine.mh, "Simd": machine.simd, "Pe": machine.pe, "InputWidth": bits}
    shape |= {"WeightWidth": machine.weight_bits, "OutputDepth": machine.output_depth}
    return shape | {"WeightFile": memory("weights", sf * nf), "StartFile": memory("starts", nf)}


def swg(machine: Swg) -> dict[str, int | str]:
    (kernel_rows, kernel_columns), (down, across) = machine.kernel, machine.stride
    top, left, bottom, right = machine.padding
    shape = {"Rows": machine.rows, "Columns": machine.columns, "Channels": machine.channels, "Simd": machine.simd}
    window = {"KernelRows": kernel_rows, "KernelColumns": kernel_columns, "StrideRows": down, "StrideColumns": across}
    return shape | window | {"PadTop": top, "PadLeft": left, "PadBottom": bottom, "PadRight": right}


def requantize(machine: Requantize, memory: Callable[[str, int], str]) -> dict[str, int | str]:
    common = {"Channels": CHANNELS, "Pe": 2, "InWidth": 3, "Mode": machine.mode, "Steps": machine.steps}
    widths = {"OutWidth": clog2(machine.steps + 1) if machine.mode == "thresholds" else 4, "Slopes": machine.slopes}
    memory("table_0", CHANNELS // 2 * 2 * 2**3)
    files = {
        "ParameterFile": memory("parameters", CHANNELS // 2),
        "TableFiles": memory("table", 1).removesuffix(".mem"),
    }
    return common | widths | files | {"OutputDepth": machine.output_depth}


def rtl_parameters(machine: Machine, memory: Callable[[str, int], str]) -> dict[str, int | str]:
    """Return the parameters of the module; ``memory`` writes a file of so many zeros and returns its name."""
    match machine:
        case Fifo(depth):
            return {"Width": 1, "Depth": depth}
        case Dwc(in_width, out_width):
            return {"InWidth": in_width, "OutWidth": out_width}
        case Mvau():
            return mvau(machine, memory)
        case Argmax(labels, pe):
            return {"Labels": labels, "Pe": pe, "LabelWidth": max(clog2(labels), 1)}
        case Requantize():
            return requantize(machine, memory)
        case Swg():
            return swg(machine)
        case SwgParallel(rows, columns, kernel, stride, together):
            window = {"KernelRows": kernel[0], "KernelColumns": kernel[1], "Windows": together}
            steps = {"StrideRows": stride[0], "StrideColumns": stride[1]}
            return {"Rows": rows, "Columns": columns, "Width": 1} | window | steps
        case Pool(positions, folds, depth):
            return {"Positions": positions, "Folds": folds, "OutputDepth": depth}
        case Fork(outputs):
            return {"Width": 1, "Outputs": outputs}
        case Add(depth):
            return {"OutputDepth": depth}
        case Repeat(pixel_beats, times):
            return {"Width": 1, "Beats": pixel_beats, "Times": times}
    raise AssertionError(machine)


def instance(name: str, machine: Machine, graph: Graph, memory: Callable[[str, int], str]) -> str:
    """Return the instance of a machine; edge e of the graph is valid[e] and ready[e]."""
    into = [edge for edge, (_, target) in enumerate(graph.edges) if target == name]
    out_of = [edge for edge, (source, _) in enumerate(graph.edges) if source == name]
    sides = ["_a", "_b"] if isinstance(machine, Add) else [""]
    ports = ["clk_i", "rst_ni"]
    for side, edge in zip(sides, into, strict=True):
        ports += [f"data{side}_i('0)", f"valid{side}_i(valid[{edge}])", f"ready{side}_o(ready[{edge}])"]
    ports += ["data_o()"]
    for port, wire in (("valid_o", "valid"), ("ready_i", "ready")):
        ports.append(f"{port}({{{', '.join(f'{wire}[{edge}]' for edge in reversed(out_of))}}})")
    values = rtl_parameters(machine, memory)
    settings = ", ".join(
        f'.{key}("{value}")' if isinstance(value, str) else f".{key}({value})" for key, value in values.items()
    )
    module = re.sub("(?<!^)(?=[A-Z])", "_", type(machine).__name__).lower()
    return f"xnorflow_{module} #({settings}) u_{name} ({', '.join('.' + port for port in ports)});"


def design_module(name: str, graph: Graph, folder: Path) -> str:
    """Return a module that is a graph, ports without data."""

    def memory(what: str, words: int) -> str:
        file = f"{name}_{what}.mem"
        (folder / file).write_text("0\n" * words)
        return file

    first = next(edge for edge, (source, _) in enumerate(graph.edges) if source == INPUT)
    last = next(edge for edge, (_, target) in enumerate(graph.edges) if target == OUTPUT)
    return "\n".join(
        [
            f"module {name} (input wire clk_i, rst_ni, valid_i, ready_i, output wire ready_o, valid_o);",
            f"wire valid [{len(graph.edges)}], ready [{len(graph.edges)}];",
            f"assign valid[{first}] = valid_i, ready_o = ready[{first}];",
            f"assign valid_o = valid[{last}], ready[{last}] = ready_i;",
            *(
                instance(key, machine, graph, lambda what, words, key=key: memory(f"{key}_{what}", words))
                for key, machine in graph.machines.items()
            ),
            "endmodule\n",
        ]
    )


@dataclass(frozen=True)
class Designs:
    """Graphs built as one top, of which ``select.mem`` connects one to the ports.

    Args:
        graphs: by name.
        library: the compiled top.
        folder: what it runs in.
    """

    graphs: Mapping[str, Graph]
    library: Path
    folder: Path

    def open(self, name: str) -> StreamModel:
        """Return one of the designs, as after reset."""
        (self.folder / "select.mem").write_text(f"{list(self.graphs).index(name):x}\n")
        return StreamModel(self.library, self.folder)

    def check(self, name: str, frames: int, stall: float | tuple[float, float], seed: int) -> CycleReport:
        """Compare the cycle of every transfer on both sides, or that both are stuck; return the prediction."""
        graph = self.graphs[name]
        found = predict_cycles(graph, frames, stall_probability=stall, seed=seed, trace=True)
        into = next(channel.name for channel in graph.channels if channel.source == INPUT)
        out_of = next(channel.name for channel in graph.channels if channel.target == OUTPUT)
        check_fills(graph, found)
        starts, ends = found.transfers(into), found.transfers(out_of)
        beats = np.zeros((frames * graph.frame_beats, 1), np.uint8)
        with self.open(name) as model:
            try:
                run = model.run(
                    beats,
                    frames * graph.output_beats,
                    stall_probability=stall,
                    seed=seed,
                    timeout_cycles=TIMEOUT_CYCLES,
                )
            except SimulateError as stuck:
                assert found.deadlock is not None, f"{stuck}"
                cycle = re.search(r"stuck at cycle (\d+), frame \d+, output beat", stuck.found)
                assert cycle is not None and int(cycle[1]) - TIMEOUT_CYCLES == max(*starts, *ends)
                return found
        assert found.deadlock is None, str(found.deadlock)
        np.testing.assert_array_equal(starts, run.frame_starts)
        np.testing.assert_array_equal(ends, run.frame_ends)
        assert found.cycles == run.cycles
        return found


def check_fills(graph: Graph, found: CycleReport) -> None:
    """Compare the fill of each FIFO with what went in and not yet out after each cycle."""
    assert found.trace is not None
    moved = (found.trace == 3).astype(np.int64)
    for fifo in graph.fifos:
        into = next(number for number, channel in enumerate(graph.channels) if channel.target == fifo)
        out_of = next(number for number, channel in enumerate(graph.channels) if channel.source == fifo)
        assert found.fills[fifo] == (moved[:, into] - moved[:, out_of]).cumsum().max()


def build_designs(graphs: Mapping[str, Graph], folder: Path) -> Designs:
    """Build all graphs as one top."""
    modules = [design_module(f"design_{number}", graph, folder) for number, graph in enumerate(graphs.values())]
    count = len(graphs)
    connected = [
        f"design_{k} u_{k} (.clk_i, .rst_ni, .valid_i(valid_i && at == {k}), .ready_o(ready[{k}]), "
        f".valid_o(valid[{k}]), .ready_i(ready_i && at == {k}));"
        for k in range(count)
    ]
    top = [
        "module designs (input wire clk_i, rst_ni, input wire [7:0] data_i, input wire valid_i, output wire ready_o,",
        "output wire [7:0] data_o, output wire valid_o, input wire ready_i);",
        f"logic [15:0] select [1]; wire [15:0] at = select[0]; wire [{count - 1}:0] ready, valid;",
        'initial $readmemh("select.mem", select);',
        "assign ready_o = ready[at], valid_o = valid[at], data_o = '0;",
        *connected,
        "endmodule\n",
    ]
    source = folder / "designs.sv"
    source.write_text("\n".join([*modules, *top]))
    sources = (*sorted(RTL.glob("xnorflow_*.sv")), source)
    library = compile_design("designs", sources, folder / "obj", ports=PortNames.library())
    return Designs(graphs, library, folder)
