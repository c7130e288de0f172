// Test design: a beat's low half is the first operand of an adder (or of a gate) and its high half the second one; each travels
// through a FIFO of its own depth and pauses on its own.

`default_nettype none

module halves #(
  parameter int unsigned Pe = 1,
  parameter int unsigned WidthA = 8,
  parameter int unsigned WidthB = 8,
  parameter int unsigned OutWidth = 9,
  parameter int unsigned DepthA = 2,
  parameter int unsigned DepthB = 2,
  parameter int unsigned PauseA = 0,
  parameter int unsigned PauseB = 0,
  parameter int unsigned ShiftA = 0,
  parameter int unsigned ShiftB = 0,
  parameter bit SignedA = 1'b1,
  parameter bit SignedB = 1'b1,
  // Of a gate; 0: an adder.
  parameter int unsigned Scale = 0,
  parameter int Offset = 0,
  parameter int unsigned MaxShift = 1
) (
  input  wire logic                            clk_i,
  input  wire logic                            rst_ni,
  input  wire logic [Pe*(WidthA+WidthB)-1:0]   data_i,
  input  wire logic                            valid_i,
  output logic                                 ready_o,
  output logic      [Pe*OutWidth-1:0]          data_o,
  output logic                                 valid_o,
  input  wire logic                            ready_i
);

  localparam int unsigned Widths [2] = '{Pe * WidthA, Pe * WidthB};
  localparam int unsigned Lows   [2] = '{0, Pe * WidthA};
  localparam int unsigned Depths [2] = '{DepthA, DepthB};
  localparam int unsigned Pauses [2] = '{PauseA, PauseB};

  logic [1:0]           room, valid, ready;
  logic [Pe*WidthA-1:0] data_a;
  logic [Pe*WidthB-1:0] data_b;

  assign ready_o = &room;

  for (genvar s = 0; s < 2; s++) begin : gen_side
    logic [Widths[s]-1:0] fifo_data, data;
    logic                 fifo_valid, fifo_ready;

    xnorflow_fifo #(
      .Width(Widths[s]),
      .Depth(Depths[s])
    ) u_fifo (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .data_i (data_i[Lows[s] +: Widths[s]]),
      .valid_i(valid_i & ready_o),
      .ready_o(room[s]),
      .data_o (fifo_data),
      .valid_o(fifo_valid),
      .ready_i(fifo_ready)
    );

    hiccup #(
      .Width(Widths[s]),
      .Pause(Pauses[s]),
      .Seed (s)
    ) u_hiccup (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .data_i (fifo_data),
      .valid_i(fifo_valid),
      .ready_o(fifo_ready),
      .data_o (data),
      .valid_o(valid[s]),
      .ready_i(ready[s])
    );
  end

  assign data_a = gen_side[0].data;
  assign data_b = gen_side[1].data;

  if (Scale == 0) begin : gen_add
    xnorflow_add #(
      .Pe      (Pe),
      .WidthA  (WidthA),
      .WidthB  (WidthB),
      .OutWidth(OutWidth),
      .ShiftA  (ShiftA),
      .ShiftB  (ShiftB),
      .SignedA (SignedA),
      .SignedB (SignedB)
    ) u_add (
      .clk_i    (clk_i),
      .rst_ni   (rst_ni),
      .data_a_i (data_a),
      .valid_a_i(valid[0]),
      .ready_a_o(ready[0]),
      .data_b_i (data_b),
      .valid_b_i(valid[1]),
      .ready_b_o(ready[1]),
      .data_o   (data_o),
      .valid_o  (valid_o),
      .ready_i  (ready_i)
    );
  end else begin : gen_gate
    xnorflow_gate #(
      .Pe       (Pe),
      .Width    (WidthA),
      .Signed   (SignedA),
      .CodeWidth(WidthB),
      .MaxShift (MaxShift),
      .Scale    (Scale),
      .Offset   (Offset),
      .OutWidth (OutWidth)
    ) u_gate (
      .clk_i    (clk_i),
      .rst_ni   (rst_ni),
      .data_a_i (data_a),
      .valid_a_i(valid[0]),
      .ready_a_o(ready[0]),
      .data_b_i (data_b),
      .valid_b_i(valid[1]),
      .ready_b_o(ready[1]),
      .data_o   (data_o),
      .valid_o  (valid_o),
      .ready_i  (ready_i)
    );
  end

endmodule

`default_nettype wire
