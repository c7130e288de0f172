// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Joins a stream of values with a stream of codes, lane by lane: what a value stands for is shifted
// left by as many places as its code says. Follows the stream rules.
//
// Why this structure: factors that are powers of two need no multiplier, only a multiplexer a bit
// of the code, behind the adder that makes a sum of a count. xnorflow_join pairs the beats and
// buffers the results.
//
//   lane:  (Scale * x + Offset) << code
//
// With Scale = 2, x is a count of ones, 0 to -Offset, and 2 * x + Offset is the sum of as many
// terms of -1 and +1.
//
// Latency: 2 cycles from the later beat of a pair. Interval: 1 cycle a pair.
// Cost: Pe 16: 8 bits and codes of 1 bit, to 9 bits: 280 LUT, 436 FF; counts of 64 ones and codes
// of 2 bits, to 11 bits: 425 LUT, 468 FF (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_gate #(
  // Elements of a beat, >= 1.
  parameter int unsigned Pe = 1,
  // Bits of a value, 2 to 32, or 1 to 32 where it is unsigned.
  parameter int unsigned Width = 8,
  // 1: values are two's complement; 0: unsigned.
  parameter bit Signed = 1'b1,
  // Bits of an unsigned code, 1 to 3.
  parameter int unsigned CodeWidth = 1,
  // Largest code that occurs, 1 to 2**CodeWidth - 1.
  parameter int unsigned MaxShift = 1,
  // 1, or 2: values are counts of 0 to -Offset ones.
  parameter int unsigned Scale = 1,
  // What is added before the shift; <= -1 where Scale is 2.
  parameter int Offset = 0,
  // Bits of a two's complement result; holds every one.
  parameter int unsigned OutWidth = 9,
  // Results that wait to be taken, at most, >= 2; memory as that of xnorflow_fifo.
  parameter int unsigned OutputDepth = 2,
  parameter string OutputStyle = "auto"
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,
  // Values in: element p at bits p*Width and up
  input  wire logic [Pe*Width-1:0]     data_a_i,
  input  wire logic                    valid_a_i,
  output logic                         ready_a_o,
  // Codes in: element p at bits p*CodeWidth and up
  input  wire logic [Pe*CodeWidth-1:0] data_b_i,
  input  wire logic                    valid_b_i,
  output logic                         ready_b_o,
  // Results out: element p at bits p*OutWidth and up
  output logic      [Pe*OutWidth-1:0]  data_o,
  output logic                         valid_o,
  input  wire logic                    ready_i
);

  if (Pe < 1) begin : gen_check_pe
    $error("xnorflow_gate: Pe must be at least 1");
  end
  if (Width < 1 + 32'(Signed) || Width > 32) begin : gen_check_width
    $error("xnorflow_gate: Width must be 2 to 32, or 1 to 32 where unsigned");
  end
  if (CodeWidth < 1 || CodeWidth > 3) begin : gen_check_code_width
    $error("xnorflow_gate: CodeWidth must be 1 to 3");
  end else if (MaxShift < 1 || MaxShift >= 2 ** CodeWidth) begin : gen_check_max_shift
    $error("xnorflow_gate: MaxShift must be 1 to 2**CodeWidth - 1");
  end
  if (Scale < 1 || Scale > 2 || (Scale == 2 && Offset > -1)) begin : gen_check_scale
    $error("xnorflow_gate: Scale must be 1, or 2 with an Offset of at most -1");
  end
  // Least and largest value before the shift, and the two's complement bits that hold both.
  localparam longint Half  = 64'sd1 <<< (Width - 1);
  localparam longint Most  = Signed ? Half - 1 : 2 * Half - 1;
  localparam longint Count = (Most < -64'(Offset)) ? Most : -64'(Offset);
  localparam longint Low   = ((Scale == 2 || !Signed) ? 64'sd0 : -Half) + 64'(Offset);
  localparam longint High  = ((Scale == 2) ? 2 * Count : Most) + 64'(Offset);
  localparam int unsigned BaseWidth = $clog2((-Low > High + 1) ? -Low : High + 1) + 1;
  // With room for the value as it comes in.
  localparam int unsigned CalcWidth = (BaseWidth > Width) ? BaseWidth : Width + 1;

  if (OutWidth < BaseWidth + MaxShift) begin : gen_check_out_width
    $error("xnorflow_gate: OutWidth must hold every result");
  end

  logic [Pe*Width-1:0]     pair_value;
  logic [Pe*CodeWidth-1:0] pair_code;
  logic [Pe*OutWidth-1:0]  results;

  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [Width-1:0]            value;
    logic signed [CalcWidth-1:0] sum;
    logic signed [BaseWidth-1:0] base;

    assign value = pair_value[p*Width +: Width];
    assign sum   = (CalcWidth'(signed'({Signed & value[Width-1], value})) <<< (Scale - 1))
                 + CalcWidth'(Offset);
    assign base  = signed'(sum[BaseWidth-1:0]);
    assign results[p*OutWidth +: OutWidth] =
        OutWidth'(base) <<< pair_code[p*CodeWidth +: CodeWidth];

    if (CalcWidth > BaseWidth) begin : gen_unused
      // Its sign again.
      logic unused_high;
      assign unused_high = ^sum[CalcWidth-1:BaseWidth];
    end
  end

  xnorflow_join #(
    .WidthA     (Pe * Width),
    .WidthB     (Pe * CodeWidth),
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
    .pair_a_o (pair_value),
    .pair_b_o (pair_code),
    .result_i (results),
    .data_o   (data_o),
    .valid_o  (valid_o),
    .ready_i  (ready_i)
  );

endmodule

`default_nettype wire
