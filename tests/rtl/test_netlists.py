"""Mapped netlists, cell by cell, do what the RTL does: equal beats in equal cycles, with stalls on both sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from xnorflow.ops.mvau_rtl import hex_words
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

FRAMES = 40
STALL = 0.3
Parameters = Mapping[str, int | str]
LOGIC = {"WeightStyle": "logic"}
LUTRAM = {"MemoryStyle": "distributed"}
ON_DSP = {"Mw": 6, "Mh": 8, "Pe": 4, "StartFile": "dsp_starts.mem", **LOGIC}
STEPS = {"Mode": "thresholds", "OutWidth": 1, "ParameterFile": "steps.mem", "RomStyle": "logic"}
LINE = {"Mode": "affine", "OutWidth": 4, "Shift": 3, "ParameterFile": "line.mem", "RomStyle": "logic"}
# Module, parameters, and bits and beats of a frame in and out. Without block RAM, of whose cells yosys has no model.
CASES: dict[str, tuple[str, Parameters, tuple[int, int], tuple[int, int]]] = {
    "dsp_accumulates": ("dsp_unit", {"Simd": 1, "WeightFiles": "single", **ON_DSP}, (8, 6), (4, 2)),
    "dsp_steps": ("dsp_unit", {"Simd": 2, "WeightFiles": "pair", **ON_DSP}, (16, 3), (4, 2)),
    "mvau": ("mvau", {"Mw": 12, "Mh": 8, "Simd": 4, "Pe": 2, "AccWidth": 5, **LOGIC}, (4, 3), (2, 4)),
    "signed": (
        "mvau",
        {"Mw": 12, "Mh": 8, "Simd": 4, "Pe": 2, "InputWidth": 3, "AccWidth": 5, **LOGIC},
        (12, 3),
        (2, 4),
    ),
    "fifo": ("fifo", {"Width": 7, "Depth": 9, **LUTRAM}, (7, 1), (7, 1)),
    "repeat": ("repeat", {"Width": 6, "Beats": 3, "Times": 2}, (6, 3), (6, 6)),
    "swg": ("swg", {"Rows": 5, "Columns": 5, "Channels": 2, "Simd": 2, "PadTop": 1, **LUTRAM}, (2, 25), (2, 108)),
    "swg_parallel": ("swg_parallel", {"Rows": 5, "Columns": 6, "Width": 2, "Windows": 2}, (2, 30), (36, 6)),
    "pool": ("pool", {"Positions": 3, "Pe": 2, "InWidth": 3, "OutWidth": 3, "OutputDepth": 6}, (6, 12), (6, 4)),
    "requantize": ("requantize", {"Channels": 6, "Pe": 2, "InWidth": 4, **STEPS}, (8, 3), (2, 3)),
    "affine": ("requantize", {"Channels": 6, "Pe": 2, "InWidth": 6, **LINE}, (12, 3), (8, 3)),
    "argmax": ("argmax", {"Labels": 6, "Pe": 2, "Width": 4, "LabelWidth": 3}, (8, 3), (3, 1)),
}
QUICK = ("dsp_steps",)
# Memory files of random words: name, words, their bits.
MEMORIES = (
    ("single_0.mem", 12, 4), ("pair_0.mem", 6, 4), ("pair_1.mem", 6, 4), ("dsp_starts.mem", 2, 4 * 14),
    ("weights.mem", 12, 8), ("starts.mem", 4, 10), ("steps.mem", 3, 8), ("line.mem", 3, 48),
)  # fmt: skip


@pytest.fixture(scope="module")
def memories(yosys):
    rng = np.random.default_rng(7)
    for name, words, bits in MEMORIES:
        text = hex_words(rng.integers(0, 2, (words, bits), np.uint8))
        (yosys.folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.full) for name in CASES
])  # fmt: skip
def test_the_netlist_does_what_the_rtl_does(name, yosys, memories, bench, tmp_path):
    module, parameters, (bits_in, beats_in), (bits_out, beats_out) = CASES[name]
    values = {key: f'"{value}"' if isinstance(value, str) else value for key, value in parameters.items()}
    settings = ", ".join(f".{key}({value})" for key, value in values.items())
    top = f"case_{name}"
    source, netlist = yosys.folder / f"{top}.sv", yosys.folder / f"{top}.v"
    widths = f"logic [{bits_in - 1}:0] data_i", f"logic [{bits_out - 1}:0] data_o"
    source.write_text(
        f"module {top} (input clk_i, rst_ni, valid_i, ready_i, input {widths[0]}, output {widths[1]}, "
        f"output logic ready_o, valid_o); xnorflow_{module} #({settings}) u_dut (.*); endmodule\n",
        encoding="utf-8",
    )
    done = yosys(
        f"read_slang -j 1 --ignore-assertions --top {top} {yosys.sources} {source.name}; "
        f"synth_xilinx -family xc7 -noiopad -noclkbuf -nobram -flatten -top {top}; "
        f"techmap -autoproc -map +/xilinx/cells_sim.v; proc; opt_clean; write_verilog -noattr {netlist.name}"
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-1500:]
    ports, runs = PortNames.library(), []
    beats = np.random.default_rng(3).integers(0, 256, (FRAMES * beats_in, -(-bits_in // 8)), np.uint8)
    beats[:, -1] &= (1 << (bits_in - 1) % 8 + 1) - 1
    for sources in ((*bench.sources, source), (netlist,)):
        with StreamModel(compile_design(top, sources, tmp_path, ports=ports), yosys.folder) as model:
            runs.append(model.run(beats, FRAMES * beats_out, frame_in=beats_in, frame_out=beats_out,
                                  stall_probability=STALL, seed=5, timeout_cycles=1000))  # fmt: skip
    np.testing.assert_array_equal(runs[0].beats, runs[1].beats)
    np.testing.assert_array_equal(runs[0].frame_ends, runs[1].frame_ends)
    assert len(np.unique(runs[0].beats, axis=0)) > 1
