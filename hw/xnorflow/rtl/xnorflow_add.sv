// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Joins two streams of integers by adding them lane by lane, saturated where the sum is wider than
// the result: the end of a residual branch. Follows the stream rules.
//
// Why this structure: each input has a register of its own, so either may come first. A pair
// leaves its registers as soon as both are full and the output buffer, whose ready is a register,
// has room. That is known from registers alone, hence a full register may take its next beat in
// the same cycle: one beat a cycle with one place an input.
//
// Latency: 2 cycles from the later beat of a pair. Interval: 1 cycle a pair.
// Cost: Pe 16, 8 + 8 bits: to 9 bits: 280 LUT, 548 FF; saturated to 8: 377 LUT, 516 FF (yosys,
// xc7, mapped cells).

`default_nettype none

module xnorflow_add #(
  // Elements of a beat, >= 1.
  parameter int unsigned Pe = 1,
  // Bits of a two's complement element coming in, >= 2.
  parameter int unsigned WidthA = 8,
  parameter int unsigned WidthB = 8,
  // Bits of a two's complement sum, >= 2; sums beyond its range become its nearest end.
  parameter int unsigned OutWidth = 9
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,
  // First stream in: element p at bits p*WidthA and up
  input  wire logic [Pe*WidthA-1:0]   data_a_i,
  input  wire logic                   valid_a_i,
  output logic                        ready_a_o,
  // Second stream in: element p at bits p*WidthB and up
  input  wire logic [Pe*WidthB-1:0]   data_b_i,
  input  wire logic                   valid_b_i,
  output logic                        ready_b_o,
  // Sums out: element p at bits p*OutWidth and up
  output logic      [Pe*OutWidth-1:0] data_o,
  output logic                        valid_o,
  input  wire logic                   ready_i
);

  if (Pe < 1) begin : gen_check_pe
    $error("xnorflow_add: Pe must be at least 1");
  end
  if (WidthA < 2 || WidthB < 2 || OutWidth < 2) begin : gen_check_width
    $error("xnorflow_add: WidthA, WidthB and OutWidth must be at least 2");
  end

  // Holds every sum.
  localparam int unsigned SumWidth = ((WidthA > WidthB) ? WidthA : WidthB) + 1;

  //// A register an input ////
  logic [Pe*WidthA-1:0] a_q;
  logic [Pe*WidthB-1:0] b_q;
  logic                 a_valid_q, b_valid_q;
  logic                 room;  // the output buffer takes a beat
  logic                 pair;  // both registers go there

  assign pair      = a_valid_q & b_valid_q & room;
  assign ready_a_o = ~a_valid_q | pair;
  assign ready_b_o = ~b_valid_q | pair;

  always_ff @(posedge clk_i) begin
    if (ready_a_o) a_q <= data_a_i;
    if (ready_b_o) b_q <= data_b_i;
    if (!rst_ni) begin
      a_valid_q <= 1'b0;
      b_valid_q <= 1'b0;
    end else begin
      a_valid_q <= valid_a_i | ~ready_a_o;
      b_valid_q <= valid_b_i | ~ready_b_o;
    end
  end

  //// Lanes ////
  logic [Pe*OutWidth-1:0] sums;

  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic signed [SumWidth-1:0] sum;

    assign sum = SumWidth'(signed'(a_q[p*WidthA +: WidthA]))
               + SumWidth'(signed'(b_q[p*WidthB +: WidthB]));

    if (OutWidth >= SumWidth) begin : gen_whole
      assign sums[p*OutWidth +: OutWidth] = OutWidth'(sum);
    end else begin : gen_saturate
      // In range if all bits from the result's sign bit up agree; else the end that sum points to.
      logic negative, fits;
      assign negative = sum[SumWidth-1];
      assign fits     = sum[SumWidth-1:OutWidth-1] == {(SumWidth - OutWidth + 1){negative}};
      assign sums[p*OutWidth +: OutWidth] = fits ? sum[OutWidth-1:0]
                                                 : {negative, {(OutWidth - 1){~negative}}};
    end
  end

  xnorflow_fifo #(
    .Width(Pe * OutWidth),
    .Depth(2)
  ) u_output (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (sums),
    .valid_i(a_valid_q & b_valid_q),
    .ready_o(room),
    .data_o (data_o),
    .valid_o(valid_o),
    .ready_i(ready_i)
  );

endmodule

`default_nettype wire
