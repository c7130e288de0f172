// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Copies one stream to several, each with a reader of its own pace; follows the stream rules.
//
// Why this structure: the fork is eager, i.e. an output goes on as soon as its own reader takes,
// up to two beats ahead of the slowest one. All outputs have seen the same beats, so the two
// newest ones are kept once for all of them, and an output is only the number of beats that it
// still owes: 1: the newest, 2: the one before. No ready or valid depends on another port.
//
//   taken in:   a  b  c  d       previous_q = c, newest_q = d
//   output 0:   a  b  c  d       owes 0: valid_o[0] is low
//   output 1:   a  b  c          owes 1: shows d
//   output 2:   a  b             owes 2: shows c, and the fork takes no more
//
// Latency: 1 cycle. Interval: 1 cycle a beat while all readers take.
// Cost: 128 bits to 2 outputs: 264 LUT, 260 FF; 128 bits to 3: 395 LUT, 262 FF (yosys, xc7,
// mapped cells).

`default_nettype none

module xnorflow_fork #(
  // Bits of a beat, >= 1.
  parameter int unsigned Width = 8,
  // Streams going out, >= 2.
  parameter int unsigned Outputs = 2
) (
  input  wire logic                          clk_i,
  input  wire logic                          rst_ni,
  // Stream in
  input  wire logic [Width-1:0]              data_i,
  input  wire logic                          valid_i,
  output logic                               ready_o,
  // Streams out: output k at data_o[k], valid_o[k] and ready_i[k]
  output logic [Outputs-1:0][Width-1:0]      data_o,
  output logic [Outputs-1:0]                 valid_o,
  input  wire logic [Outputs-1:0]            ready_i
);

  if (Width < 1) begin : gen_check_width
    $error("xnorflow_fork: Width must be at least 1");
  end
  if (Outputs < 2) begin : gen_check_outputs
    $error("xnorflow_fork: Outputs must be at least 2");
  end

  logic [Width-1:0]   newest_q, previous_q;
  // What each output owes: two_q, one_q = 00, 01 or 10.
  logic [Outputs-1:0] one_d, one_q, two_d, two_q;
  logic               push;

  assign ready_o = ~|two_q;
  assign valid_o = one_q | two_q;
  assign push    = valid_i & ready_o;

  // While anyone owes two nothing comes in, so two_q only falls then.
  always_comb begin
    one_d = (one_q & ~ready_i) | (two_q & ready_i);
    two_d = two_q & ~ready_i;
    if (push) begin
      one_d = ~one_q | ready_i;
      two_d = one_q & ~ready_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (push) begin
      newest_q   <= data_i;
      previous_q <= newest_q;
    end
    if (!rst_ni) begin
      one_q <= '0;
      two_q <= '0;
    end else begin
      one_q <= one_d;
      two_q <= two_d;
    end
  end

  for (genvar k = 0; k < Outputs; k++) begin : gen_output
    assign data_o[k] = two_q[k] ? previous_q : newest_q;
  end

endmodule

`default_nettype wire
