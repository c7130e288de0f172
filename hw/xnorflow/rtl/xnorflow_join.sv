// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Pairs the beats of two streams for the module around it, which makes one beat of each pair in
// the same cycle. Follows the stream rules.
//
// Why this structure: each input has a register of its own, so either may come first. A pair
// leaves its registers as soon as both are full and the output buffer, whose ready is a register,
// has room. That is known from registers alone, hence a full register may take its next beat in
// the same cycle: one beat a cycle with one place an input. The buffer is in here too, so that no
// ready of this module depends on another port.
//
//   data_a_i -> a_q -> pair_a_o -> |                 |
//                                  | module around it | -> result_i -> FIFO of 2 -> data_o
//   data_b_i -> b_q -> pair_b_o -> |                 |
//
// Latency: 2 cycles from the later beat of a pair. Interval: 1 cycle a pair.
// Cost: streams of 128 bits, results of 144: 151 LUT, 548 FF (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_join #(
  // Bits of a beat of the first stream and of the second one, >= 1.
  parameter int unsigned WidthA = 8,
  parameter int unsigned WidthB = 8,
  // Bits of a beat going out, >= 1.
  parameter int unsigned OutWidth = 8,
  // Results that wait to be taken, at most, >= 2; memory as that of xnorflow_fifo.
  parameter int unsigned OutputDepth = 2,
  parameter string OutputStyle = "auto"
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,
  // First stream in
  input  wire logic [WidthA-1:0]   data_a_i,
  input  wire logic                valid_a_i,
  output logic                     ready_a_o,
  // Second stream in
  input  wire logic [WidthB-1:0]   data_b_i,
  input  wire logic                valid_b_i,
  output logic                     ready_b_o,
  // The pair that waits, and what becomes of it: a function of pair_a_o and pair_b_o
  output logic      [WidthA-1:0]   pair_a_o,
  output logic      [WidthB-1:0]   pair_b_o,
  input  wire logic [OutWidth-1:0] result_i,
  // Results out
  output logic      [OutWidth-1:0] data_o,
  output logic                     valid_o,
  input  wire logic                ready_i
);

  if (WidthA < 1 || WidthB < 1 || OutWidth < 1) begin : gen_check_width
    $error("xnorflow_join: WidthA, WidthB and OutWidth must be at least 1");
  end
  if (OutputDepth < 2) begin : gen_check_output_depth
    $error("xnorflow_join: OutputDepth must be at least 2");
  end

  logic [WidthA-1:0] a_q;
  logic [WidthB-1:0] b_q;
  logic              a_valid_q, b_valid_q;
  logic              room;  // the output buffer takes a beat
  logic              pair;  // both registers go there

  assign pair      = a_valid_q & b_valid_q & room;
  assign ready_a_o = ~a_valid_q | pair;
  assign ready_b_o = ~b_valid_q | pair;
  assign pair_a_o  = a_q;
  assign pair_b_o  = b_q;

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

  xnorflow_fifo #(
    .Width      (OutWidth),
    .Depth      (OutputDepth),
    .MemoryStyle(OutputStyle)
  ) u_output (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (result_i),
    .valid_i(a_valid_q & b_valid_q),
    .ready_o(room),
    .data_o (data_o),
    .valid_o(valid_o),
    .ready_i(ready_i)
  );

endmodule

`default_nettype wire
