"""Generated compressors in Verilator: the sum of any bits, through counters of LUTs and carry chains."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.artifact.streams import StreamSpec
from xnorflow.counters.compressor import compressor_latency, compressor_name, render_compressor, row_width
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design, lint_design

VECTORS = 100_000
# Test part: a stream through a compressor, whose results are always taken.
TOP = """`default_nettype none
module compressed (
  input wire logic clk_i, input wire logic rst_ni,
  input wire logic [{bits}-1:0] data_i, input wire logic valid_i, output logic ready_o,
  output logic [{width}-1:0] data_o, output logic valid_o, input wire logic ready_i
);
  logic [{width}-1:0] row_a, row_b;
  logic [{cycles}:0] valid_q;
  logic unused_ready;
  assign unused_ready = ready_i;
  assign ready_o = 1'b1;
  assign valid_o = valid_q[{cycles}];
  always_ff @(posedge clk_i) begin
    data_o <= row_a + row_b;
    valid_q <= rst_ni ? {cycles_1}'({{valid_q, valid_i}}) : '0;
  end
  {name} u_dut (.clk_i(clk_i), .bits_i(data_i), .row_a_o(row_a), .row_b_o(row_b));
endmodule
`default_nettype wire
"""


@pytest.fixture
def sources(bench, tmp_path):
    """Return a function that writes a compressor and the module around it, and gives all files."""

    def write(bits):
        cycles, name = compressor_latency((bits,)), compressor_name((bits,))
        text = TOP.format(bits=bits, width=row_width((bits,)), cycles=cycles, cycles_1=cycles + 1, name=name)
        (tmp_path / f"{name}.sv").write_text(render_compressor((bits,)), encoding="utf-8")
        (tmp_path / "compressed.sv").write_text(text, encoding="utf-8")
        library = [bench.folder / f"xnorflow_{module}.sv" for module in ("carry4", "counter")]
        return [*library, tmp_path / f"{name}.sv", tmp_path / "compressed.sv"]

    return write


def vectors_of(bits):
    """Return vectors (vectors, bits): dense and sparse ones, none and all, one bit set or clear, runs of ones."""
    rng = np.random.default_rng(bits)
    found = (rng.random((VECTORS, bits)) < rng.choice([0.5, 0.05, 0.95], (VECTORS, 1))).astype(np.int64)
    runs = np.tril(np.ones((bits, bits), np.int64))
    corners = np.concatenate([np.eye(bits, dtype=np.int64), runs])
    corners = np.concatenate([corners, 1 - corners])
    found[: len(corners)] = corners
    return found


@pytest.mark.parametrize("bits", [32, 72, 144, 288])
def test_sums_are_those_of_numpy(bench, sources, bits):
    vectors = vectors_of(bits)
    source = StreamSpec("in", "BINARY", 1, bits, bits)
    sink = StreamSpec("out", f"UINT{row_width((bits,))}", row_width((bits,)), 1, 1)
    library = compile_design("compressed", sources(bits), bench.work_dir, ports=PortNames.library())
    with StreamModel(library) as model:
        got, run = bench.stream(model, vectors, source, sink, (0.1, 0.0))
    np.testing.assert_array_equal(got[:, 0], vectors.sum(axis=1))
    assert run.first_output - run.frame_starts[0] == compressor_latency((bits,)) + 1


@pytest.mark.parametrize("bits", [1, 2, 3, 5, 8, 17, 40, 144])
def test_clean_under_wall(sources, bits):
    assert lint_design("compressed", sources(bits)) == []
