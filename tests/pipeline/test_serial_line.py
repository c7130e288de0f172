"""An accelerator on its serial line, in Verilator: frames as bytes in, bit by bit, and integer.onnx's results out."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from small_designs import build_design, frames_of

from xnorflow.artifact.design import Design
from xnorflow.artifact.streams import pack, unpack
from xnorflow.boards.ecp5_catalog import load_ecp5_board
from xnorflow.lower.config import BuildSettings, OutputKind
from xnorflow.lower.integer_onnx import run_integer
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design, lint_design
from xnorflow.synthesize.ecp5 import serial_sources
from xnorflow.synthesize.ecp5_top import BOARD_TOP, SERIAL_TOP, make_line, render_board_top, render_serial_top

sys.path.insert(0, str(Path(__file__).parents[1] / "rtl"))  # serial_line

BOARD = load_ecp5_board("ulx3s-85f")
STARTUP = 300  # cycles until the board lets go of reset
# As tests/rtl/uart/serial_loop.sv: a beat is one cycle of the line. Without a PLL, the board's clock is all there is.
LEVELS = f"""module levels (
  input logic clk_i, input logic rst_ni, input logic data_i, input logic valid_i, output logic ready_o,
  output logic [2:0] data_o, output logic valid_o, input logic ready_i
);
  assign ready_o = 1'b1;
  assign valid_o = 1'b1;
  {BOARD_TOP} u_top (
    .clock(clk_i), .reset(~rst_ni), .rx(data_i | ~valid_i), .tx(data_o[0]), .led(data_o[1]), .high(data_o[2])
  );
endmodule
"""


def over_the_line(build: Path, design: Design, values: np.ndarray, baud: int) -> np.ndarray:
    """Send frames without a pause, behind half a frame that a break takes back; return the results."""
    from serial_line import idle, low, receive, send

    line = make_line(design, BOARD.clock_mhz, baud)
    bit = line.cycles_per_bit
    work = build / "serial"
    work.mkdir()
    sources = [work / name for name in serial_sources(build, design, work)]
    (work / f"{SERIAL_TOP}.sv").write_text(render_serial_top(design, line), encoding="utf-8")
    (work / f"{BOARD_TOP}.v").write_text(render_board_top(BOARD, pll=False), encoding="utf-8")
    (work / "levels.sv").write_text(LEVELS, encoding="utf-8")
    sources += [work / f"{SERIAL_TOP}.sv", work / f"{BOARD_TOP}.v"]
    assert lint_design(BOARD_TOP, sources) == []
    frames = [pack(frame[None], design.input).ravel() for frame in values]
    half = frames[-1][: len(frames[-1]) // 2]
    again = [send(half, bit), low(12 * bit), idle(bit)]
    levels = np.concatenate([idle(STARTUP), *again, send(np.concatenate(frames), bit)])
    library = compile_design("levels", [*sources, work / "levels.sv"], work, ports=PortNames.library())
    result_bytes = design.output.beats * design.output.tdata_bytes
    tail = design.latency_cycles + (10 * bit + 1) * result_bytes * 2 + 100
    with StreamModel(library, build / design.rtl_dir) as model:
        beats = model.run(levels[:, None], len(levels) + tail).beats[:, 0]
    assert (beats >> 2).all()
    led = beats >> 1 & 1
    assert led[0] == 0 and led[STARTUP:].all(), "a byte was lost"
    back = np.array(receive(beats & 1, bit), np.uint8)
    assert len(back) == len(values) * result_bytes
    return unpack(back.reshape(-1, design.output.tdata_bytes), design.output)


@pytest.mark.parametrize("output", list(OutputKind)[1:])
def test_a_small_network(tmp_path, perceptron, output):
    """As fast as the receiver can go, so that the network is the slower one within a frame."""
    model = perceptron(tmp_path / "net.onnx", (30, 12, 9, 4), input_bits=4, seed=5)
    settings = BuildSettings(target_cycles=120, output=output)
    lowered, design = build_design(model, tmp_path / "build", settings)
    values = frames_of(design, 20)
    got = over_the_line(tmp_path / "build", design, values, baud=3_125_000)
    expected = lowered.codec.raw(lowered.network.results(values))
    np.testing.assert_array_equal(got, expected.reshape(got.shape))


@pytest.mark.full
def test_tfc_of_the_zoo(tmp_path):
    from xnorflow.export.stage import export_checkpoint
    from xnorflow.train.zoo.load import load_zoo

    export_checkpoint(load_zoo("TFC_1W1A"), tmp_path / "net.onnx")
    lowered, design = build_design(tmp_path / "net.onnx", tmp_path / "build", BuildSettings(board="Pynq-Z2"))
    values = frames_of(design, 8)
    got = over_the_line(tmp_path / "build", design, values, baud=1_000_000)
    expected = lowered.codec.raw(run_integer(tmp_path / "build" / "integer.onnx", values))
    np.testing.assert_array_equal(got, expected)
    assert len(np.unique(got)) > 5
