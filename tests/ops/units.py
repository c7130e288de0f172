"""One operator as a model, run as Python and as the RTL that it generates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.artifact.streams import StreamSpec, pack, unpack
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

prepare_finn()

from onnx import TensorProto, helper  # noqa: E402
from qonnx.core.datatype import DataType  # noqa: E402
from qonnx.core.modelwrapper import ModelWrapper  # noqa: E402
from qonnx.custom_op.registry import getCustomOp  # noqa: E402
from qonnx.util.basic import qonnx_make_model  # noqa: E402

import xnorflow.ops  # noqa: E402, F401

PART = "xc7z020clg400-1"
DOMAIN = "finn.custom_op.fpgadataflow.rtl"

# Test design: a node of two streams in, whose beats come side by side; each stream has a FIFO of its own.
PAIR = """`default_nettype none
module pair (
  input wire ap_clk, input wire ap_rst_n,
  input wire [{both}:0] in0_V_TDATA, input wire in0_V_TVALID, output wire in0_V_TREADY,
  output wire [{out}:0] out0_V_TDATA, output wire out0_V_TVALID, input wire out0_V_TREADY
);
  wire [{a}:0] a_data;
  wire [{b}:0] b_data;
  wire a_room, b_room, a_valid, b_valid, a_ready, b_ready;
  assign in0_V_TREADY = a_room & b_room;
  xnorflow_fifo #(.Width({a} + 1), .Depth(9)) u_a (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .data_i(in0_V_TDATA[{a}:0]), .valid_i(in0_V_TVALID & b_room),
    .ready_o(a_room), .data_o(a_data), .valid_o(a_valid), .ready_i(a_ready)
  );
  xnorflow_fifo #(.Width({b} + 1), .Depth(9)) u_b (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .data_i(in0_V_TDATA[{both}:{a}+1]), .valid_i(in0_V_TVALID & a_room),
    .ready_o(b_room), .data_o(b_data), .valid_o(b_valid), .ready_i(b_ready)
  );
  {node} u_node (
    .ap_clk, .ap_rst_n, .in0_V_TDATA(a_data), .in0_V_TVALID(a_valid), .in0_V_TREADY(a_ready),
    .in1_V_TDATA(b_data), .in1_V_TVALID(b_valid), .in1_V_TREADY(b_ready),
    .out0_V_TDATA, .out0_V_TVALID, .out0_V_TREADY
  );
endmodule
`default_nettype wire
"""

# Test part: a unit whose beats come with a command above them: 0: a beat, 1: reset for a cycle, 2: a pause. Results
# that come before the reset are dropped.
RESTARTED = """`default_nettype none
module restarted (
  input wire ap_clk, input wire ap_rst_n,
  input wire [{bits}+7:0] in0_V_TDATA, input wire in0_V_TVALID, output wire in0_V_TREADY,
  output wire [{out}-1:0] out0_V_TDATA, output wire out0_V_TVALID, input wire out0_V_TREADY
);
  wire [7:0] command = in0_V_TVALID ? in0_V_TDATA[{bits}+7:{bits}] : 8'd2;
  wire ready, valid;
  logic seen_q;
  always_ff @(posedge ap_clk) seen_q <= ap_rst_n & (seen_q | (command == 8'd1));
  assign in0_V_TREADY = ready | (command != 8'd0);
  assign out0_V_TVALID = valid & seen_q;
  {top} u_unit (
    .ap_clk, .ap_rst_n(ap_rst_n & (command != 8'd1)),
    .in0_V_TDATA(in0_V_TDATA[{bits}-1:0]), .in0_V_TVALID(in0_V_TVALID & (command == 8'd0)), .in0_V_TREADY(ready),
    .out0_V_TDATA, .out0_V_TVALID(valid), .out0_V_TREADY(out0_V_TREADY | ~seen_q)
  );
endmodule
`default_nettype wire
"""


def unit(kind: str, inputs: dict[str, tuple[list[int], str]], output: list[int], **attributes: Any) -> tuple[Any, Any]:
    """Return a model of one ``<kind>_rtl`` node called ``unit`` and its operator; inputs: name to shape, datatype."""
    node = helper.make_node(
        f"{kind}_rtl", list(inputs), ["y"], name="unit", domain=DOMAIN, backend="fpgadataflow", **attributes
    )
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, (shape, _) in inputs.items()]
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, output)
    model = ModelWrapper(qonnx_make_model(helper.make_graph([node], "unit", infos, [result])))
    for name, (_, datatype) in inputs.items():
        model.set_tensor_datatype(name, DataType[datatype])
    return model, getCustomOp(model.graph.node[0])


def in_python(model: Any, operator: Any, frames: dict[str, np.ndarray]) -> np.ndarray:
    """Return the results (frames, elements) of ``execute_node``, frame by frame."""
    results = []
    constants = {tensor.name: model.get_initializer(tensor.name) for tensor in model.graph.initializer}
    shape = operator.get_normal_output_shape()
    for number in range(len(next(iter(frames.values())))):
        context = {name: values[number].astype(np.float32) for name, values in frames.items()}
        context |= constants | {"y": np.zeros(shape, np.float32)}
        operator.execute_node(context, model.graph)
        assert context["y"].shape == tuple(shape)
        results.append(context["y"].reshape(-1))
    return np.asarray(results)


def stream(name: str, shape: tuple[int, ...], datatype: Any) -> StreamSpec:
    """Return a port by its folded shape."""
    return StreamSpec(name, datatype.name, int(datatype.bitwidth()), int(np.prod(shape)), int(shape[-1]))


def generated(model: Any, operator: Any, folder: Path) -> tuple[list[Path], str]:
    """Write a node's RTL into ``folder``; return its files, dependencies first, and the name of its top."""
    operator.set_nodeattr("code_gen_dir_ipgen", str(folder))
    operator.generate_hdl(model, PART, 10.0)
    files = [Path(file) for file in operator.get_rtl_file_list(abspath=True)]
    return files, operator.get_nodeattr("gen_top_module")


def in_rtl(
    model: Any, operator: Any, frames: dict[str, np.ndarray], folder: Path, stall: float = 0.3
) -> tuple[np.ndarray, Any]:
    """Return the results (frames, elements) of the generated RTL, and the run."""
    files, top = generated(model, operator, folder)
    count = len(next(iter(frames.values())))
    sources = [
        stream(f"in{index}_V", operator.get_folded_input_shape(index), operator.get_input_datatype(index))
        for index in range(len(frames))
    ]
    sink = stream("out0_V", operator.get_folded_output_shape(), operator.get_output_datatype())
    sides = [
        pack(values.reshape(count, -1).astype(np.int64), spec)
        for values, spec in zip(frames.values(), sources, strict=True)
    ]
    if len(sides) == 2:
        bits = [spec.tdata_bits for spec in sources]
        text = PAIR.format(a=bits[0] - 1, b=bits[1] - 1, both=sum(bits) - 1, out=sink.tdata_bits - 1, node=top)
        (folder / "pair.sv").write_text(text, encoding="utf-8")
        files, top = [*files, folder / "pair.sv"], "pair"
    library = compile_design(top, files, folder / "obj", ports=PortNames.axi())
    with StreamModel(library, folder) as design:
        run = design.run(
            np.concatenate([side.reshape(-1, side.shape[-1]) for side in sides], axis=1), count * sink.beats,
            frame_in=sources[0].beats, frame_out=sink.beats, stall_probability=stall, timeout_cycles=1000,
        )  # fmt: skip
    return unpack(run.beats, sink), run


def check(model: Any, operator: Any, frames: dict[str, np.ndarray], folder: Path) -> np.ndarray:
    """Compare Python and RTL, with stalls, and the RTL's interval without; return the results."""
    expected = in_python(model, operator, frames)
    got, _ = in_rtl(model, operator, frames, folder)
    np.testing.assert_array_equal(got, expected)
    assert expected.min() >= operator.get_output_datatype().min()
    assert expected.max() <= operator.get_output_datatype().max()
    _, run = in_rtl(model, operator, frames, folder, 0.0)
    assert set(run.intervals[3:]) == {operator.get_exp_cycles()}
    return expected
