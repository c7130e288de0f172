// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Joins two streams of integers by adding them lane by lane, each shifted left by a constant, and
// saturated where the sum is wider than the result: the end of a residual branch, or bit planes
// that were multiplied one by one. Follows the stream rules.
//
// Why this structure: xnorflow_join pairs the beats and buffers the sums. A shift by a constant is
// wires, and the adder begins where the operands overlap.
//
//   lane:  (a << ShiftA) + (b << ShiftB)
//
// Latency: 2 cycles from the later beat of a pair. Interval: 1 cycle a pair.
// Cost: Pe 16, 8 + 8 bits: to 9 bits: 280 LUT, 548 FF; saturated to 8: 376 LUT, 516 FF; 7 + 7 bits
// without sign, one shifted by 1, to 10 bits: 248 LUT, 516 FF (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_add #(
  // Elements of a beat, >= 1.
  parameter int unsigned Pe = 1,
  // Bits of an element coming in, 2 to 32, or 1 to 32 where it is unsigned.
  parameter int unsigned WidthA = 8,
  parameter int unsigned WidthB = 8,
  // Bits of a two's complement sum, >= 2; sums beyond its range become its nearest end.
  parameter int unsigned OutWidth = 9,
  // Places that an element moves to the left before it is added, 0 to 24.
  parameter int unsigned ShiftA = 0,
  parameter int unsigned ShiftB = 0,
  // 1: elements coming in are two's complement; 0: unsigned.
  parameter bit SignedA = 1'b1,
  parameter bit SignedB = 1'b1,
  // Results that wait to be taken, at most, >= 2; memory as that of xnorflow_fifo.
  parameter int unsigned OutputDepth = 2,
  parameter string OutputStyle = "auto"
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
  if (WidthA < 1 + 32'(SignedA) || WidthB < 1 + 32'(SignedB) || WidthA > 32 || WidthB > 32)
  begin : gen_check_width
    $error("xnorflow_add: WidthA and WidthB must be 2 to 32, or 1 to 32 where unsigned");
  end
  if (OutWidth < 2) begin : gen_check_out_width
    $error("xnorflow_add: OutWidth must be at least 2");
  end
  if (ShiftA > 24 || ShiftB > 24) begin : gen_check_shift
    $error("xnorflow_add: ShiftA and ShiftB must be at most 24");
  end

  // Least and largest operand, and the two's complement bits that hold every sum.
  localparam longint LowA  = SignedA ? -(64'sd1 <<< (WidthA - 1 + ShiftA)) : 64'sd0;
  localparam longint LowB  = SignedB ? -(64'sd1 <<< (WidthB - 1 + ShiftB)) : 64'sd0;
  localparam longint HighA = ((64'sd1 <<< (WidthA - 32'(SignedA))) - 1) <<< ShiftA;
  localparam longint HighB = ((64'sd1 <<< (WidthB - 32'(SignedB))) - 1) <<< ShiftB;
  localparam longint Low   = LowA + LowB;
  localparam longint High  = HighA + HighB;
  localparam int unsigned SumWidth = $clog2((-Low > High + 1) ? -Low : High + 1) + 1;

  logic [Pe*WidthA-1:0]   pair_a;
  logic [Pe*WidthB-1:0]   pair_b;
  logic [Pe*OutWidth-1:0] sums;

  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [WidthA-1:0]          a;
    logic [WidthB-1:0]          b;
    logic signed [SumWidth-1:0] sum;

    assign a   = pair_a[p*WidthA +: WidthA];
    assign b   = pair_b[p*WidthB +: WidthB];
    assign sum = (SumWidth'(signed'({SignedA & a[WidthA-1], a})) <<< ShiftA)
               + (SumWidth'(signed'({SignedB & b[WidthB-1], b})) <<< ShiftB);

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

  xnorflow_join #(
    .WidthA     (Pe * WidthA),
    .WidthB     (Pe * WidthB),
    .OutWidth   (Pe * OutWidth),
    .OutputDepth(OutputDepth),
    .OutputStyle(OutputStyle)
  ) u_join (
    .clk_i    (clk_i),
    .rst_ni   (rst_ni),
    .data_a_i (data_a_i),
    .valid_a_i(valid_a_i),
    .ready_a_o(ready_a_o),
    .data_b_i (data_b_i),
    .valid_b_i(valid_b_i),
    .ready_b_o(ready_b_o),
    .pair_a_o (pair_a),
    .pair_b_o (pair_b),
    .result_i (sums),
    .data_o   (data_o),
    .valid_o  (valid_o),
    .ready_i  (ready_i)
  );

endmodule

`default_nettype wire
